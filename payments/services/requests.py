"""What a debtor says from the link, and what the firm answers: the ladder stops in the same transaction."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right, TaskKind, TaskState
from cabinets.models import Client, Contact, Membership, Task
from cabinets.permissions import ensure
from cabinets.scoping import current_scope, whole_firm
from cabinets.services.notifications import tell_of_task
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.money import show_euros
from invoices.services import standstill
from payments.enums import OUTCOMES, PaymentMeans, ProblemReason, RequestKind, RequestOutcome, RequestState
from payments.errors import RequestError
from payments.models import DebtorRequest, PaymentLink, Proof
from payments.services import link_messages, links, proofs
from payments.services.proofs import CleanFile

ORIGIN = "link"
DAYS_TO_ANSWER = 2
NOT_HERE = (
    "Une demande sur les données personnelles se traite dans « Demandes de droits », où l’identité de la personne est"
    " d’abord vérifiée. Rien n’a été enregistré : ouvrez « Traiter cette demande »."
)
# What each request stops until a person looks.
STOPS = {
    RequestKind.ALREADY_PAID: StopKind.CLAIMED_PAID,
    RequestKind.PROBLEM: StopKind.DISPUTE,
    RequestKind.WRONG_RECIPIENT: StopKind.WRONG_RECIPIENT,
}


@transaction.atomic
def say_already_paid(
    *,
    link: PaymentLink,
    invoices: Sequence[Invoice],
    today: dt.date,
    paid_on: dt.date | None = None,
    means: PaymentMeans | None = None,
    message: str = "",
    file: CleanFile | None = None,
) -> list[DebtorRequest]:
    """Note that a debtor paid these invoices and stop their reminders until somebody looks; return what is new.

    One file may tell of several invoices: it is kept once.
    """
    lock(link)
    proof = None if file is None else proofs.keep(client_id=link.client_id, file=file)
    said = []
    for invoice in invoices:
        request = receive(
            link,
            RequestKind.ALREADY_PAID,
            invoice=invoice,
            paid_on=paid_on,
            paid_by=means or "",
            message=message,
            proof=proof,
        )
        # Said again after the firm resumed without answering, it stops again.
        standstill.declare(kind=StopKind.CLAIMED_PAID, target=invoice, origin=ORIGIN)
        if request is not None:
            open_task(TaskKind.ALREADY_PAID, request, due_on=_soon(today))
            said.append(request)
    if proof is not None and not said:
        proofs.remove(proof=proof)
    return said


@transaction.atomic
def report_problem(
    *, link: PaymentLink, invoice: Invoice | None, reason: ProblemReason, today: dt.date, message: str = ""
) -> list[DebtorRequest]:
    """Note what a debtor contests (no invoice: all of them) and stop every invoice of the client; return what is new.

    « Déjà réglée » is a payment to look for, and « mauvais destinataire » stops the address: each goes its own way.
    """
    if reason == ProblemReason.PAID:
        paid = [invoice] if invoice is not None else list(links.owed_through(link))
        return say_already_paid(link=link, invoices=paid, today=today, message=message)
    if reason == ProblemReason.RECIPIENT:
        return wrong_recipient(link=link, today=today, message=message)
    lock(link)
    request = receive(link, RequestKind.PROBLEM, invoice=invoice, reason=reason, message=message)
    target = invoice if invoice is not None else link.client
    standstill.declare(kind=StopKind.DISPUTE, target=target, reason=reason.label, origin=ORIGIN)
    if request is None:
        return []
    open_task(TaskKind.DISPUTE, request, due_on=_soon(today))
    return [request]


@transaction.atomic
def wrong_recipient(*, link: PaymentLink, today: dt.date, message: str = "") -> list[DebtorRequest]:
    """Note that the message reached somebody else, stop that address and the client; return what is new."""
    lock(link)
    request = receive(link, RequestKind.WRONG_RECIPIENT, message=message)
    standstill.declare(kind=StopKind.WRONG_RECIPIENT, target=link.client, origin=ORIGIN)
    _stop_address(link, at=timezone.now())
    if request is None:
        return []
    open_task(TaskKind.WRONG_RECIPIENT, request, due_on=_soon(today))
    return [request]


def is_suspending(request: DebtorRequest) -> bool:
    """Say whether what a debtor said still holds the reminders back: the firm may have resumed before it answers."""
    kind = STOPS.get(RequestKind(request.kind))
    if kind is None:
        return False
    reach = Q(client=request.client_id) | Q(invoice__client=request.client_id)
    if request.invoice_id is not None:
        reach = Q(client=request.client_id) | Q(invoice=request.invoice_id)
    return Standstill.objects.filter(reach, kind=kind, released_at=None).exists()


@transaction.atomic
def answer(*, request_id: UUID, outcome: RequestOutcome, text: str = "") -> DebtorRequest:
    """Close a request with what the firm found and the text the debtor reads; answering again changes nothing.

    A claimed payment is looked at: its stop is lifted. A contested invoice stays stopped until `release_disputes`.
    Raise RequestError, and change nothing, when a payment is said found but not recorded, or when the request is about
    personal data: nobody has been recognised here (`answer_on_data`).
    """
    request = DebtorRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    if request.kind == RequestKind.DATA:
        raise RequestError(NOT_HERE)
    if request.state == RequestState.ANSWERED:
        return request
    if outcome not in OUTCOMES[RequestKind(request.kind)]:
        raise RequestError("Cette suite ne convient pas à cette demande. Rien n’a été changé.")
    if outcome == RequestOutcome.PAID:
        _require_recorded_payment(request)
    _close(request, text)
    if request.kind == RequestKind.ALREADY_PAID:
        _lift_claim(request)
    elif request.kind == RequestKind.WRONG_RECIPIENT:
        _settle_recipient(request, outcome)
    _note_answered(request, outcome)
    return request


@transaction.atomic
def answer_on_data(*, request_id: UUID, text: str) -> DebtorRequest:
    """Close a request about personal data with what its rights request answered, the person recognised."""
    request = DebtorRequest.objects.select_for_update(of=("self",)).get(pk=request_id, kind=RequestKind.DATA)
    if request.state == RequestState.OPEN:
        _close(request, text)
        _note_answered(request, RequestOutcome.DONE)
        link_messages.tell_answered(link=request.link)
    return request


@transaction.atomic
def release_disputes(*, member: Membership, client: Client, standstill_ids: Collection[UUID]) -> int:
    """Lift these disputes of a client, one by one, for a person who may; return how many were in force."""
    ensure(member, Right.RELEASE_DISPUTES)
    chosen = disputes_of(client).filter(pk__in=standstill_ids)
    ids = list(chosen.values_list("pk", flat=True))
    for standstill_id in ids:
        standstill.release(standstill_id=standstill_id)
    return len(ids)


def disputes_of(client: Client) -> QuerySet[Standstill]:
    """Return the disputes in force on a client's invoices, as far as the person sees them."""
    return Standstill.objects.filter(kind=StopKind.DISPUTE, released_at=None, invoice__client=client).order_by(
        "invoice__due_on", "invoice__number_key"
    )


def lock(link: PaymentLink) -> None:
    """Make two submissions of one form wait for each other, so that the second finds the first."""
    PaymentLink.objects.select_for_update(no_key=True).get(pk=link.pk)


def receive(link: PaymentLink, kind: RequestKind, **facts: object) -> DebtorRequest | None:
    """Write what the debtor says, unless the same is already waiting for an answer; a new file says more."""
    same: dict[str, object] = {"invoice": facts.get("invoice"), "reason": facts.get("reason", "")}
    if isinstance(proof := facts.get("proof"), Proof):
        same["proof__digest"] = proof.digest
    if DebtorRequest.objects.filter(link=link, kind=kind, state=RequestState.OPEN, **same).exists():
        return None
    request = DebtorRequest(link=link, client_id=link.client_id, kind=kind, **facts)
    request.save(force_insert=True)
    journal.record("debtorrequest.received", request, kind=kind.value, origin=ORIGIN)
    return request


def open_task(kind: TaskKind, request: DebtorRequest, *, due_on: dt.date) -> None:
    """Ask the lawyer of the invoice, or whoever sees the client, to look at a request by this day."""
    owner_id = request.invoice.dossier.lawyer_id if request.invoice is not None else None
    Task(
        kind=kind,
        client_id=request.client_id,
        subject_id=request.pk,
        owner_id=owner_id,
        due_on=due_on,
    ).save(force_insert=True)
    tell_of_task(kind, client_id=request.client_id, subject_id=request.pk, owner_id=owner_id)


def _close(request: DebtorRequest, text: str) -> None:
    request.state, request.answer = RequestState.ANSWERED, text
    request.answered_at, request.answered_by_id = timezone.now(), current_scope().member_id
    request.save(update_fields=["state", "answer", "answered_at", "answered_by"])


def _note_answered(request: DebtorRequest, outcome: RequestOutcome) -> None:
    Task.objects.filter(subject_id=request.pk, state=TaskState.OPEN).update(
        state=TaskState.DONE, closed_at=timezone.now(), closed_by_id=current_scope().member_id
    )
    journal.record("debtorrequest.answered", request, kind=request.kind, outcome=outcome.value)


def _soon(today: dt.date) -> dt.date:
    return today + dt.timedelta(days=DAYS_TO_ANSWER)


def _stop_address(link: PaymentLink, *, at: dt.datetime | None) -> None:
    if link.contact_id is not None:
        Contact.objects.filter(pk=link.contact_id).update(email_stopped_at=at)
    else:
        Client.objects.filter(pk=link.client_id).update(email_stopped_at=at)


def _require_recorded_payment(request: DebtorRequest) -> None:
    invoice = request.invoice
    if invoice is None or invoice.outstanding_cents <= 0:
        return
    if invoice.last_payment_at is None or invoice.last_payment_at < request.received_at:
        raise RequestError(
            f"Il reste {show_euros(invoice.outstanding_cents)} dus sur la facture {invoice.number}, et aucun paiement"
            " n’y est enregistré depuis cette demande. Rien n’a été changé : enregistrez d’abord le paiement."
        )


def _lift_claim(request: DebtorRequest) -> None:
    others = DebtorRequest.objects.filter(
        kind=RequestKind.ALREADY_PAID, invoice=request.invoice_id, state=RequestState.OPEN
    )
    if not others.exists():
        _release(kind=StopKind.CLAIMED_PAID, invoice=request.invoice_id)


def _settle_recipient(request: DebtorRequest, outcome: RequestOutcome) -> None:
    if outcome == RequestOutcome.SILENCED:
        links.revoke(link_id=request.link_id)
        return
    with whole_firm():
        _stop_address(request.link, at=None)
    _release(kind=StopKind.WRONG_RECIPIENT, client=request.client_id)
    # Whoever holds the former link is not the addressee.
    if outcome == RequestOutcome.ADDRESS_CHANGED and request.link.revoked_at is None:
        links.renew(link_id=request.link_id)


def _release(**stop: object) -> None:
    for standstill_id in Standstill.objects.filter(released_at=None, **stop).values_list("pk", flat=True):
        standstill.release(standstill_id=standstill_id)
