"""The register of consents to electronic registered letters: a date, a scope, a proof, one very address (R43, R49)."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.addresses import normalise_email
from cabinets.models import Cabinet, Client, Contact, Membership
from dunning.errors import ConsentError
from dunning.models import LetterConsent
from invoices.models import Document

SCOPES = (
    "Toutes les lettres du cabinet",
    "Lettres relatives aux honoraires",
)


@transaction.atomic
def record(
    *,
    client_id: UUID,
    email: str,
    given_on: dt.date,
    scope: str,
    by: Membership,
    proof_id: UUID | None = None,
    contact_id: UUID | None = None,
) -> LetterConsent:
    """Write a consent for one address; an earlier one still in force is withdrawn the day this one is given."""
    client = Client.objects.get(pk=client_id)
    contact = Contact.objects.get(pk=contact_id, client=client) if contact_id else None
    address = normalise_email(email)
    if not address:
        raise ConsentError("Un consentement nomme l’adresse e-mail à laquelle la lettre sera remise.")
    if given_on > Cabinet.objects.get().today():
        raise ConsentError("La date du consentement est dans l’avenir.")
    proof = Document.objects.get(pk=proof_id, client=client) if proof_id else None
    for earlier in in_force(client_id=client.pk, contact_id=contact_id):
        _end(earlier, on=given_on)
    consent = LetterConsent(
        client=client,
        contact=contact,
        email=address,
        given_on=given_on,
        scope=scope,
        proof=proof,
        recorded_by=by,
    )
    consent.save(force_insert=True)
    journal.record("consent.recorded", consent, client=str(client.pk))
    return consent


@transaction.atomic
def withdraw(*, consent_id: UUID, on: dt.date) -> LetterConsent:
    """End a consent: from that day on letters go on paper."""
    consent = LetterConsent.objects.select_for_update(of=("self",)).get(pk=consent_id)
    if consent.withdrawn_on is None:
        _end(consent, on=on)
        journal.record("consent.withdrawn", consent, client=str(consent.client_id))
    return consent


def in_force(*, client_id: UUID, contact_id: UUID | None = None) -> Sequence[LetterConsent]:
    """Return the consents of a client, for itself or for one of its contacts, that nobody withdrew."""
    mine = LetterConsent.objects.filter(client=client_id, contact=contact_id, withdrawn_on=None)
    return list(mine.order_by("-given_on", "-recorded_at"))


def _end(consent: LetterConsent, *, on: dt.date) -> None:
    consent.withdrawn_on = max(on, consent.given_on)
    consent.save(update_fields=["withdrawn_on"])
