"""Each night, put in the intermediate archive the clients whose daily use is over (law.md R60-R61)."""

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from cabinets.enums import KeyPurpose
from cabinets.models import Client, DataKey, Dossier, Hearing, Note
from cabinets.scoping import tenant_atomic
from cabinets.services import archive
from dunning.models import InboundMessage
from gdpr import fates
from gdpr.enums import RightsState
from gdpr.models import RightsRequest
from gdpr.services.facts import facts_of, settings_in_force
from invoices.law.limitation import shift_months
from invoices.models import Invoice
from payments.enums import PlanState, RequestState
from payments.models import DebtorRequest, PaymentPlan

CLIENTS_AT_ONCE = 500


def due(*, on: dt.date) -> Iterator[list[UUID]]:
    """Yield, chunk by chunk, the clients whose daily use is over on that day."""
    months = settings_in_force().archive_months
    ids = list(_still(on, months).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CLIENTS_AT_ONCE):
        facts = facts_of(ids[start : start + CLIENTS_AT_ONCE], on=on)
        if found := [pk for pk, one in facts.items() if fates.may_be_archived(one, months=months)]:
            yield found


def coming(*, on: dt.date) -> int:
    """Count the clients the next night would put in the archive."""
    return sum(len(chunk) for chunk in due(on=on))


def archive_firm(*, on: dt.date) -> int:
    """Put away whoever is due in the firm acted for, a chunk at a time; return how many.

    Call it outside any transaction: stopped half-way, the next night goes on.
    """
    with tenant_atomic():
        archive.give_back(_moved_in_the_archive().values_list("pk", flat=True))
        chunks = list(due(on=on))
    count = 0
    for chunk in chunks:
        with tenant_atomic():
            # What happened between the two readings keeps a client at hand.
            archive.locked(chunk)
            again = facts_of(chunk, on=on)
            months = settings_in_force().archive_months
            still = set(_still(on, months).filter(pk__in=chunk).values_list("pk", flat=True))
            ids = [pk for pk, one in again.items() if pk in still and fates.may_be_archived(one, months=months)]
            count += archive.put_away(ids, on=on)
    return count


def _still(on: dt.date, months: int) -> QuerySet[Client]:
    """Return the clients nothing recent or pending keeps at hand, by what one query can tell."""
    since = shift_months(on, -months)
    asks = RightsRequest.objects.filter(state=RightsState.OPEN).values("client")
    wants = DebtorRequest.objects.filter(state=RequestState.OPEN).values("client")
    plans = PaymentPlan.objects.filter(state__in=(PlanState.PROPOSED, PlanState.ACTIVE)).values("client")
    opened = Dossier.objects.filter(created_at__date__gte=since).values("client")
    heard = Hearing.objects.filter(held_on__gte=since).values("dossier__client")
    noted = Note.objects.filter(created_at__date__gte=since).values("client")
    keyed = DataKey.objects.filter(purpose=KeyPurpose.CLIENT).values("subject_id")
    recent = Invoice.objects.filter(issued_on__gte=since).values("client")
    rows = Client.objects.filter(archived_on=None, credit_cents=0, created_at__date__lt=since)
    rows = rows.filter(Q(returned_on=None) | Q(returned_on__lt=since), pk__in=keyed)
    busy = Q(pk__in=opened) | Q(pk__in=heard) | Q(pk__in=noted)
    return rows.exclude(Q(pk__in=asks) | Q(pk__in=wants) | Q(pk__in=plans) | Q(pk__in=recent) | busy)


def _moved_in_the_archive() -> QuerySet[Client]:
    """Return archived clients something reached all the same, or who owe again: the net under every entrance."""
    mine = {"client": OuterRef("pk")}
    since = OuterRef("archived_on")
    owed = Invoice.objects.open().filter(**mine, total_cents__gt=F("settled_cents") + F("credited_cents"))
    told = InboundMessage.objects.filter(**mine, received_at__date__gte=since)
    asked = DebtorRequest.objects.filter(**mine, received_at__date__gte=since)
    rights = RightsRequest.objects.filter(**mine, state=RightsState.OPEN)
    moved = Exists(owed) | Exists(told) | Exists(asked) | Exists(rights) | Q(credit_cents__gt=0)
    return Client.objects.exclude(archived_on=None).filter(moved)
