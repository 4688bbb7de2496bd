"""Whom no night erases: a request about their data waits for its answer, or these are kept without being used."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from cabinets.models import Client
from gdpr.enums import Claim, RightsState
from gdpr.models import RightsRequest
from invoices.enums import StopKind
from invoices.models import Standstill
from payments.enums import RequestKind, RequestState
from payments.models import DebtorRequest


def clients() -> QuerySet[Client]:
    """Return the clients of whom nothing goes by itself, whatever its time."""
    waiting = RightsRequest.objects.filter(state=RightsState.OPEN).values("client")
    asked = DebtorRequest.objects.filter(kind=RequestKind.DATA, state=RequestState.OPEN).values("client")
    return Client.objects.filter(Q(pk__in=waiting) | Q(pk__in=asked) | Q(pk__in=_restricted().values("client")))


def stops() -> QuerySet[Standstill]:
    """Return the stops that a client's restriction rests on: what ends by itself on a day restricts nothing."""
    return Standstill.objects.filter(kind=StopKind.HOLD, until_on=None, released_at=None)


def _restricted() -> QuerySet[RightsRequest]:
    """Art. 18-2: a client's restriction ends with the stop it put, a contact's with the erasure they ask for."""
    done = RightsRequest.objects.filter(state__in=(RightsState.GRANTED, RightsState.PARTLY))
    stop = stops().filter(client=OuterRef("client"))
    erased = done.filter(contact=OuterRef("contact"), claim=Claim.ERASURE)
    in_force = Q(Exists(stop), contact=None) | Q(~Exists(erased), contact__is_archived=True)
    return done.filter(in_force, claim=Claim.RESTRICTION)
