"""Say what an answer says: the new fact is written, then the wait for a reader ends, in one transaction."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right, TaskKind, TaskState
from cabinets.models import Cabinet, Client, Contact, Membership
from cabinets.permissions import ensure
from cabinets.scoping import whole_firm
from cabinets.sealing import seal_again
from cabinets.services import archive
from dunning.enums import InboundKind, InboundState, ReplyClass
from dunning.errors import InboundError, TooLateError
from dunning.inbound.parsing import parse
from dunning.models import InboundMessage
from dunning.services import todo
from dunning.services.receiving import ORIGIN, ask, hold, lock_clients
from invoices.enums import Grounds, StopKind
from invoices.errors import InvoiceError
from invoices.models import Invoice, Standstill
from invoices.services import facts, standstill

PLAN_HOLD_DAYS = 14
DAYS_TO_LOOK = 2
# A person wrote these, as far as anybody knows: somebody reads them before the client is written to again.
READ_BY_A_PERSON = (InboundKind.REPLY, InboundKind.UNREADABLE)
# These stop the whole client by themselves: nothing of what waited for a reader speaks meanwhile.
STOPS_THE_CLIENT = frozenset({ReplyClass.DISPUTE, ReplyClass.WRONG_PERSON})
NEEDS_AN_INVOICE = frozenset({ReplyClass.PAID, ReplyClass.PLAN, ReplyClass.PROMISE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An answer as a person read it: what it concerns, what it promises, why, and a note."""

    message: InboundMessage
    client: Client
    by: Membership
    invoices: tuple[Invoice, ...]
    today: dt.date
    promised_on: dt.date | None = None
    grounds: Grounds = Grounds.OTHER
    note: str = ""


@transaction.atomic
def classify(
    *,
    message_id: UUID,
    by: Membership,
    reply_class: ReplyClass,
    invoice_ids: Sequence[UUID] = (),
    promised_on: dt.date | None = None,
    grounds: Grounds = Grounds.OTHER,
    note: str = "",
) -> InboundMessage:
    """Write what an answer says, then end the wait on what it concerns. Only « autre » lets reminders resume.

    Raise, and change nothing, when somebody classified it already or when what is said lacks an invoice or a day.
    """
    ensure(by, Right.HOLD_REMINDERS)
    if reply_class == ReplyClass.OTHER:
        ensure(by, Right.RELEASE_DISPUTES)
    message = InboundMessage.objects.get(pk=message_id)
    client = _client_locked(message)
    _settle(message, by, state=InboundState.CLASSIFIED, only=InboundState.TO_CLASSIFY, reply_class=reply_class)
    invoices = tuple(Invoice.objects.open().filter(client=client, pk__in=invoice_ids).select_related("dossier"))
    if reply_class in NEEDS_AN_INVOICE and not invoices:
        raise InboundError("Cochez au moins une facture. Rien n’a été changé.")
    read = Read(
        message=message,
        client=client,
        by=by,
        invoices=invoices,
        today=Cabinet.objects.get().today(),
        promised_on=promised_on,
        grounds=grounds,
        note=note,
    )
    try:
        EFFECTS[reply_class](read)
    except InvoiceError as refusal:
        raise InboundError(str(refusal)) from refusal
    message.note = note
    message.save(update_fields=["note"])
    _end_the_wait(read, reply_class)
    journal.record("inboundmessage.classified", message, reply_class=reply_class.value)
    return message


@transaction.atomic
def attach(*, message_id: UUID, by: Membership, client_id: UUID) -> InboundMessage:
    """Say whose message it is: that client is held until it is classified, and the others it might have been are not.

    A bounce refuses the address it names, where the client or a contact still has it.
    """
    ensure(by, Right.HOLD_REMINDERS)
    message = InboundMessage.objects.get(pk=message_id)
    client, others = Client.objects.get(pk=client_id), [pk for pk in message.candidate_ids if pk != client_id]
    with whole_firm():
        lock_clients([client.pk, *others])
    archive.give_back([client.pk])
    is_answer = message.kind in READ_BY_A_PERSON
    state = InboundState.TO_CLASSIFY if is_answer else InboundState.LOGGED
    _settle(message, by, state=state, only=InboundState.UNMATCHED)
    message.client, message.candidate_ids = client, []
    message.save(update_fields=["client", "candidate_ids"])
    seal_again(message)
    if is_answer:
        hold(client_ids=[client.pk])
        ask(message)
    elif message.kind == InboundKind.BOUNCE:
        _refuse_address(message)
    for other in others:
        _release(other)
    journal.record("inboundmessage.attached", message, client=str(client.pk))
    return message


@transaction.atomic
def set_aside(*, message_id: UUID, by: Membership) -> InboundMessage:
    """Say that a message concerns no client; who was held only because of it is held no more."""
    message = InboundMessage.objects.get(pk=message_id)
    ensure(by, Right.RELEASE_DISPUTES if message.candidate_ids else Right.HOLD_REMINDERS)
    candidates = list(message.candidate_ids)
    with whole_firm():
        lock_clients(candidates)
    _settle(message, by, state=InboundState.UNRELATED, only=InboundState.UNMATCHED)
    for candidate in candidates:
        _release(candidate)
    journal.record("inboundmessage.set_aside", message)
    return message


def _client_locked(message: InboundMessage) -> Client:
    if message.client_id is None:
        raise InboundError("Dites d’abord de qui vient ce message. Rien n’a été changé.")
    (client,) = lock_clients([message.client_id])
    return client


def _settle(
    message: InboundMessage,
    by: Membership,
    *,
    state: InboundState,
    only: InboundState,
    reply_class: ReplyClass | None = None,
) -> None:
    """Move a message on, once, and close what was asked about it."""
    told = {"handled_by": by, "handled_at": timezone.now(), "reply_class": reply_class or ""}
    if not InboundMessage.objects.filter(pk=message.pk, state=only).update(state=state, **told):
        raise TooLateError("Ce message vient d’être traité par quelqu’un d’autre. Rien n’a été changé.")
    message.refresh_from_db(fields=["state", "handled_by", "handled_at", "reply_class"])
    kinds = (TaskKind.CLASSIFY_REPLY, TaskKind.UNMATCHED_REPLY)
    todo.close(kinds, subject_id=message.pk, by=by, state=TaskState.DONE)


def _says_paid(read: Read) -> None:
    for invoice in read.invoices:
        facts.contest(invoice=invoice, by=read.by, grounds=Grounds.ALREADY_PAID, reason=read.note, on=read.today)


def _disputes(read: Read) -> None:
    for invoice in read.invoices:
        facts.contest(invoice=invoice, by=read.by, grounds=read.grounds, reason=read.note, on=read.today)
    standstill.declare(kind=StopKind.DISPUTE, target=read.client, reason=read.note, origin=ORIGIN)


def _wants_plan(read: Read) -> None:
    until_on, reason = read.today + dt.timedelta(days=PLAN_HOLD_DAYS), read.note or "Échéancier demandé par e-mail"
    for invoice in read.invoices:
        standstill.declare(kind=StopKind.HOLD, target=invoice, until_on=until_on, reason=reason, origin=ORIGIN)
        _ask(read, TaskKind.PLAN_REQUEST, subject_id=invoice.pk, owner_id=invoice.dossier.lawyer_id)


def _promises(read: Read) -> None:
    if read.promised_on is None:
        raise InboundError("Indiquez le jour promis. Rien n’a été changé.")
    for invoice in read.invoices:
        facts.promise(
            invoice=invoice,
            by=read.by,
            until_on=read.promised_on,
            cents=invoice.outstanding_cents,
            on=read.today,
            reason=read.note,
        )


def _is_nobody_we_know(read: Read) -> None:
    standstill.declare(kind=StopKind.WRONG_RECIPIENT, target=read.client, reason=read.note, origin=ORIGIN)
    if read.message.contact_id is not None:
        Contact.objects.filter(pk=read.message.contact_id).update(email_stopped_at=timezone.now())
    else:
        Client.objects.filter(pk=read.client.pk).update(email_stopped_at=timezone.now())
    _ask(read, TaskKind.WRONG_RECIPIENT, subject_id=read.message.reminder_id or read.client.pk, owner_id=None)


def _is_something_else(read: Read) -> None:
    if not read.note.strip():
        raise InboundError("Dites en quelques mots ce qu’il en est : les relances reprennent. Rien n’a été changé.")


EFFECTS: dict[ReplyClass, Callable[[Read], None]] = {
    ReplyClass.PAID: _says_paid,
    ReplyClass.DISPUTE: _disputes,
    ReplyClass.PLAN: _wants_plan,
    ReplyClass.PROMISE: _promises,
    ReplyClass.WRONG_PERSON: _is_nobody_we_know,
    ReplyClass.OTHER: _is_something_else,
}


def _ask(read: Read, kind: TaskKind, *, subject_id: UUID, owner_id: UUID | None) -> None:
    todo.open_once(
        kind,
        client_id=read.client.pk,
        subject_id=subject_id,
        owner_id=owner_id,
        due_on=read.today + dt.timedelta(days=DAYS_TO_LOOK),
    )


def _end_the_wait(read: Read, reply_class: ReplyClass) -> None:
    """Release « à classer » on what the answer concerns, unless another answer of the client still waits.

    Who may not lift a contestation frees nothing but what now has a stop of its own.
    """
    if reply_class in STOPS_THE_CLIENT:
        _release(read.client.pk)
        return
    if _another_waits(read.client.pk):
        return
    reach = Q(invoice__in=[invoice.pk for invoice in read.invoices])
    if read.by.can(Right.RELEASE_DISPUTES):
        reach = Q(invoice__client=read.client) | Q(client=read.client)
    replied = Standstill.objects.filter(reach, kind=StopKind.REPLIED, released_at=None)
    for pk in list(replied.values_list("pk", flat=True)):
        standstill.release(standstill_id=pk)


def _release(client_id: UUID) -> None:
    """Release « à classer » on all a client owes, whoever sees it, unless another answer of theirs still waits."""
    with whole_firm():
        if _another_waits(client_id):
            return
        reach = Q(invoice__client=client_id) | Q(client=client_id)
        for stop in Standstill.objects.filter(reach, kind=StopKind.REPLIED, released_at=None):
            standstill.release(standstill_id=stop.pk)


def _another_waits(client_id: UUID) -> bool:
    answers = InboundMessage.objects.filter(kind__in=READ_BY_A_PERSON)
    known = Q(state=InboundState.TO_CLASSIFY, client=client_id)
    possible = Q(state=InboundState.UNMATCHED, candidate_ids__contains=[client_id])
    return answers.filter(known | possible).exists()


def _refuse_address(message: InboundMessage) -> None:
    bounce = parse(message.raw.encode("latin-1")).bounce
    lost = {failure.address for failure in bounce.failures} if bounce else set()
    people: list[Client | Contact] = [*Client.objects.filter(pk=message.client_id)] if message.client_id else []
    people += Contact.objects.filter(client=message.client)
    for person in people:
        if person.email in lost:
            person.email_refused_at = timezone.now()
            person.save(update_fields=["email_refused_at"])
