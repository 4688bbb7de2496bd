"""A person's request about their data: taken in, recognised, worked on, answered within its month; each step kept."""

import datetime as dt
import io
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right, TaskState
from cabinets.models import Cabinet, Client, Contact, Membership, Task
from cabinets.permissions import ensure
from cabinets.services.clients import archive_contact
from gdpr.enums import Claim, IdentityProof, RequestOrigin, RightsState
from gdpr.errors import GdprError
from gdpr.models import RightsRequest
from gdpr.services import erasing, held_back, telling
from gdpr.services.exporting import EVERYTHING, DataSubject, archive_of
from gdpr.terms import answer_due_on
from invoices.enums import StopKind
from invoices.sealed_files import read_sealed, remove_sealed, write_sealed
from invoices.services import standstill
from payments.enums import DataRight, RequestKind, RequestState
from payments.models import DebtorRequest
from payments.services import requests as debtors

FOLDER = "droits"
CLAIMS = {
    DataRight.ACCESS: Claim.ACCESS,
    DataRight.RECTIFICATION: Claim.RECTIFICATION,
    DataRight.ERASURE: Claim.ERASURE,
    DataRight.RESTRICTION: Claim.RESTRICTION,
    DataRight.PORTABILITY: Claim.PORTABILITY,
    DataRight.OBJECTION: Claim.OBJECTION,
}
_NOBODY_KNOWN = "Dites d’abord comment la personne a été reconnue. Rien n’a été fait."
_ANSWERED = "Cette demande a déjà reçu sa réponse. Rien n’a été changé."


@transaction.atomic
def record(
    *,
    by: Membership,
    client: Client,
    claim: Claim,
    origin: RequestOrigin,
    received_on: dt.date,
    words: str = "",
    contact: Contact | None = None,
) -> RightsRequest:
    """Note a request that came by e-mail, by letter or in person; its month runs from the day it arrived.

    `contact` is the person who asks when it is not the client: one of the client's contacts.
    """
    ensure(by, Right.ANSWER_RIGHTS)
    cabinet = Cabinet.objects.get()
    if contact is not None and contact.client_id != client.pk:
        raise GdprError("Cette personne n’est pas un contact de ce client. Rien n’a été enregistré.")
    row = RightsRequest(
        claim=claim,
        origin=origin,
        client=client,
        contact=contact,
        words=words,
        received_on=received_on,
        due_on=answer_due_on(min(received_on, cabinet.today())),
        recorded_by=by,
    )
    row.save(force_insert=True)
    journal.record("rightsrequest.recorded", row, claim=claim.value, origin=origin.value)
    return row


@transaction.atomic
def take_in(*, by: Membership, asked_id: UUID) -> RightsRequest:
    """Take up what a client asked from their page; taken up twice, it is the same request."""
    ensure(by, Right.ANSWER_RIGHTS)
    asked = DebtorRequest.objects.select_for_update(of=("self",), no_key=True).select_related("client", "link__contact")
    one = asked.get(pk=asked_id, kind=RequestKind.DATA)
    known = RightsRequest.objects.filter(asked=one).first()
    if known is not None:
        return known
    received_on = one.received_at.astimezone(Cabinet.objects.get().zone).date()
    row = RightsRequest(
        claim=CLAIMS[DataRight(one.reason)],
        origin=RequestOrigin.LINK,
        client=one.client,
        contact_id=one.link.contact_id,
        asked=one,
        words=one.message,
        received_on=received_on,
        due_on=answer_due_on(received_on),
        recorded_by=by,
    )
    row.save(force_insert=True)
    journal.record("rightsrequest.recorded", row, claim=row.claim, origin=row.origin)
    return row


def untaken() -> QuerySet[DebtorRequest]:
    """Return what clients asked about their data from their page and nobody took up: its month runs all the same."""
    known = RightsRequest.objects.exclude(asked=None).values("asked_id")
    return DebtorRequest.objects.filter(kind=RequestKind.DATA, state=RequestState.OPEN).exclude(pk__in=known)


@transaction.atomic
def identify(*, request_id: UUID, by: Membership, proof: IdentityProof) -> RightsRequest:
    """Note how the person was recognised: a link may have been handed on, an address may be anybody's."""
    ensure(by, Right.ANSWER_RIGHTS)
    row = _open(request_id)
    row.identity, row.identity_by, row.identity_at = proof, by, timezone.now()
    row.save(update_fields=["identity", "identity_by", "identity_at"])
    journal.record("rightsrequest.identified", row, proof=proof.value)
    return row


@transaction.atomic
def extend(*, request_id: UUID, by: Membership, reason: str) -> RightsRequest:
    """Take two months more, once, within the first month and with the reason the person is told (art. 12-3)."""
    ensure(by, Right.ANSWER_RIGHTS)
    row, today = _open(request_id), Cabinet.objects.get().today()
    if row.extended_on is not None:
        raise GdprError("Ce délai a déjà été prolongé. Rien n’a été changé.")
    if today > row.due_on:
        raise GdprError("Le mois est passé : le délai ne se prolonge plus. Répondez sans attendre.")
    if not reason.strip():
        raise GdprError("Écrivez le motif que lira la personne. Rien n’a été prolongé.")
    row.extended_on, row.extension_reason = today, reason.strip()
    row.due_on = answer_due_on(row.received_on, is_extended=True)
    row.save(update_fields=["extended_on", "extension_reason", "due_on"])
    if row.asked_id is not None:
        Task.objects.filter(subject_id=row.asked_id, state=TaskState.OPEN).update(due_on=row.due_on)
    telling.tell_extended(row)
    journal.record("rightsrequest.extended", row)
    return row


@transaction.atomic
def prepare(*, request_id: UUID, by: Membership) -> RightsRequest:
    """Make the ZIP that answers an access or a portability request; made again, it takes the place of the first."""
    ensure(by, Right.ANSWER_RIGHTS)
    row = _recognised(request_id)
    claim = Claim(row.claim)
    if claim not in EVERYTHING:
        raise GdprError("Cette demande ne se répond pas par une copie des données. Rien n’a été préparé.")
    content = archive_of(person=DataSubject(row.client, row.contact), cabinet=Cabinet.objects.get(), claim=claim)
    former = row.stored_as
    stored = write_sealed(io.BytesIO(content), folder=FOLDER, bound_to=row.bound_to("file"), subject_id=row.client_id)
    row.stored_as, row.size, row.digest = stored.stored_as, stored.size, stored.sha256
    row.save(update_fields=["stored_as", "size", "digest"])
    journal.record("rightsrequest.prepared", row)
    if former:
        transaction.on_commit(lambda: remove_sealed(former))
    return row


@transaction.atomic
def read_archive(*, request_id: UUID, by: Membership) -> tuple[RightsRequest, bytes]:
    """Return the ZIP of a request; the reading is journalled."""
    ensure(by, Right.ANSWER_RIGHTS)
    row = RightsRequest.objects.select_related("client").get(pk=request_id)
    if not row.stored_as:
        raise GdprError("La copie des données n’est pas encore préparée.")
    content = read_sealed(row.stored_as, bound_to=row.bound_to("file"))
    journal.record("rightsrequest.downloaded", row)
    return row, content


@transaction.atomic
def erase(*, request_id: UUID, by: Membership) -> RightsRequest:
    """Erase what the law lets go of, and keep with the request what stayed, until when and why."""
    ensure(by, Right.ANSWER_RIGHTS)
    row = _recognised(request_id)
    if row.claim != Claim.ERASURE:
        raise GdprError("Cette demande n’est pas un effacement. Rien n’a été effacé.")
    on, known = Cabinet.objects.get().today(), telling.ways_of(row)
    if row.contact_id is not None:
        lines = erasing.erase_contact(client_id=row.client_id, contact_id=row.contact_id, on=on)
    else:
        lines = erasing.erase(client_id=row.client_id, on=on)
    row.report = [
        {
            "label": line.label,
            "rows": line.rows,
            "is_gone": line.is_gone,
            "until_on": line.until_on.isoformat() if line.until_on else "",
            "reason": line.reason,
        }
        for line in lines
    ]
    row.save(update_fields=["report"])
    telling.tell_last(row, known=known)
    journal.record("rightsrequest.erased", row, kept=sum(not line.is_gone for line in lines))
    return row


@transaction.atomic
def restrict(*, request_id: UUID, by: Membership) -> RightsRequest:
    """Keep data without using them: no reminder of a client's invoices until a person resumes them.

    A contact who asks for it, or who objects, is written to no more; the client's invoices go on without them.
    """
    ensure(by, Right.ANSWER_RIGHTS)
    row = _recognised(request_id)
    if not may_restrict(row):
        raise GdprError("Cette demande n’est pas une limitation. Rien n’a été suspendu.")
    known = telling.ways_of(row)
    if row.contact_id is not None:
        archive_contact(contact_id=row.contact_id)
    else:
        standstill.declare(kind=StopKind.HOLD, target=row.client, reason="Limitation demandée (art. 18 du RGPD)")
    telling.tell_last(row, known=known)
    journal.record("rightsrequest.restricted", row)
    return row


def may_restrict(row: RightsRequest) -> bool:
    """Say whether this request is answered by no longer using the data."""
    return row.claim == Claim.RESTRICTION or (row.claim == Claim.OBJECTION and row.contact_id is not None)


@transaction.atomic
def answer(*, request_id: UUID, by: Membership, state: RightsState, text: str) -> RightsRequest:
    """Close a request with the words the person is given; a client who asked from their page reads them there."""
    ensure(by, Right.ANSWER_RIGHTS)
    row = _open(request_id)
    if state == RightsState.OPEN:
        raise GdprError("Choisissez la suite donnée. Rien n’a été enregistré.")
    if state != RightsState.WITHDRAWN and not row.identity:
        raise GdprError(_NOBODY_KNOWN)
    if not text.strip():
        raise GdprError("Écrivez la réponse donnée à la personne : elle en est la preuve. Rien n’a été enregistré.")
    _require_done(row, state)
    row.state, row.answer, row.answered_by, row.answered_at = state, text.strip(), by, timezone.now()
    row.save(update_fields=["state", "answer", "answered_by", "answered_at"])
    if row.asked_id is not None:
        debtors.answer_on_data(request_id=row.asked_id, text=row.answer)
    journal.record("rightsrequest.answered", row, state=state.value)
    return row


def _require_done(row: RightsRequest, state: RightsState) -> None:
    """Refuse to say that something was done which was not."""
    if state not in {RightsState.GRANTED, RightsState.PARTLY}:
        return
    if row.claim in EVERYTHING and not row.stored_as:
        raise GdprError("Préparez d’abord la copie des données. Rien n’a été enregistré.")
    if may_restrict(row) and not is_restricted(row):
        raise GdprError("Rien n’a encore été suspendu : suspendez d’abord, ou refusez. Rien n’a été enregistré.")
    if row.claim == Claim.ERASURE and not row.report:
        raise GdprError("Rien n’a encore été effacé : effacez d’abord, ou refusez. Rien n’a été enregistré.")


def is_restricted(row: RightsRequest) -> bool:
    """Say whether a person's data are used no more: nothing resumes by itself."""
    if row.contact is not None:
        return row.contact.is_archived
    return held_back.stops().filter(client=row.client_id).exists()


def _open(request_id: UUID) -> RightsRequest:
    rows = RightsRequest.objects.select_for_update(of=("self",), no_key=True).select_related("client", "contact")
    row = rows.get(pk=request_id)
    if not row.is_open:
        raise GdprError(_ANSWERED)
    return row


def _recognised(request_id: UUID) -> RightsRequest:
    row = _open(request_id)
    if not row.identity:
        raise GdprError(_NOBODY_KNOWN)
    return row
