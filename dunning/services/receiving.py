"""Take in what came back: one message, one transaction; nobody is written to before a person has read an answer."""

import datetime as dt
import hashlib
from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.enums import TaskKind
from cabinets.models import Cabinet, Client, Contact
from cabinets.services.clients import email_key
from dunning.enums import InboundKind, InboundState
from dunning.inbound.bounces import Hardness
from dunning.inbound.matching import How, Known, Match, match, named_reminders
from dunning.inbound.parsing import Incoming, parse
from dunning.models import InboundMessage, Reminder, ReminderLine
from dunning.services import bouncing, todo
from dunning.services.reply_marks import marked_reminders
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import standstill

ORIGIN = "reply"
DAYS_TO_CLASSIFY = 1


@transaction.atomic
def receive(*, raw: bytes, received_at: dt.datetime, uid: int | None = None) -> InboundMessage | None:
    """Keep one message and do at once what it asks; None when it was already received.

    A person's answer holds every client it may come from; a bounce takes its step back; a machine's answer is noted.
    """
    incoming = parse(raw)
    digest = digest_of(incoming, raw)
    if InboundMessage.objects.filter(digest=digest).exists():
        return None
    marked = marked_reminders(incoming.recipients)
    matched = match(incoming, _known(incoming, marked), marked=marked)
    message = _new_message(incoming, matched)
    message.digest, message.mailbox_uid, message.received_at = digest, uid, received_at
    message.raw = raw.decode("latin-1")
    message.kind, message.state = _nature(incoming, matched)
    message.save(force_insert=True)
    journal.record("inboundmessage.received", message, kind=message.kind, state=message.state, how=matched.how.value)
    if message.kind == InboundKind.BOUNCE and message.reminder_id and incoming.bounce:
        bouncing.come_back(reminder_id=message.reminder_id, failure=incoming.bounce.worst)
    if incoming.is_human and message.state != InboundState.LOGGED:
        hold(client_ids=matched.client_ids)
    ask(message)
    return message


@transaction.atomic
def keep_unread(*, raw: bytes, received_at: dt.datetime, uid: int | None = None) -> InboundMessage | None:
    """Keep a message nobody foresaw the failure of, for a person to read; None when it is already kept."""
    digest = hashlib.sha256(raw).digest()
    if InboundMessage.objects.filter(digest=digest).exists():
        return None
    message = InboundMessage(
        kind=InboundKind.UNREADABLE,
        state=InboundState.UNMATCHED,
        digest=digest,
        mailbox_uid=uid,
        received_at=received_at,
        raw=raw.decode("latin-1"),
    )
    message.save(force_insert=True)
    journal.record("inboundmessage.received", message, kind=message.kind, state=message.state, how=How.NOBODY.value)
    ask(message)
    return message


def digest_of(incoming: Incoming, raw: bytes) -> bytes:
    """Return what makes two copies of a message one: its own identifier and words, not the road it took.

    The identifier alone would let anybody silence a message by sending another one first under its name.
    """
    if not incoming.message_id:
        return hashlib.sha256(raw).digest()
    dated = incoming.dated_at.isoformat() if incoming.dated_at else ""
    same = (incoming.message_id, incoming.sender, dated, incoming.subject, incoming.text)
    return hashlib.sha256("\0".join(same).encode("utf-8", "replace")).digest()


def hold(*, client_ids: Collection[UUID]) -> None:
    """Hold these clients' reminders until a person has read what they answer."""
    for client in lock_clients(client_ids):
        standstill.declare(kind=StopKind.REPLIED, target=client, origin=ORIGIN)


def lock_clients(client_ids: Collection[UUID]) -> list[Client]:
    """Lock these clients: a new answer and the classification of the last one wait for each other."""
    rows = Client.objects.filter(pk__in=client_ids).order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


def ask(message: InboundMessage) -> None:
    """Ask a person, once, for what a message needs."""
    kinds = {
        InboundState.TO_CLASSIFY: TaskKind.CLASSIFY_REPLY,
        InboundState.UNMATCHED: TaskKind.UNMATCHED_REPLY,
    }
    if (kind := kinds.get(InboundState(message.state))) is not None:
        due_on = Cabinet.objects.get().today() + dt.timedelta(days=DAYS_TO_CLASSIFY)
        todo.open_once(
            kind, client_id=message.client_id, subject_id=message.pk, owner_id=_owner_of(message), due_on=due_on
        )


def _known(incoming: Incoming, marked: tuple[UUID, ...]) -> Known:
    """Return what this firm, and no other, knows of the reminders and of the sender a message names."""
    named = named_reminders(incoming, marked=marked)
    reminders = dict(Reminder.objects.filter(pk__in=named).values_list("pk", "client_id")) if named else {}
    senders: dict[str, frozenset[UUID]] = {}
    if (key := email_key(incoming.sender)) is not None:
        clients = Client.objects.filter(email_index=key).values_list("pk", flat=True)
        contacts = Contact.objects.filter(email_index=key).values_list("client_id", flat=True)
        senders[incoming.sender] = frozenset([*clients, *contacts])
    return Known(reminders=reminders, senders=senders)


def _new_message(incoming: Incoming, matched: Match) -> InboundMessage:
    client_id = next(iter(matched.client_ids)) if len(matched.client_ids) == 1 else None
    reminder = Reminder.objects.filter(pk=matched.reminder_id).first() if matched.reminder_id else None
    return InboundMessage(
        client_id=client_id,
        contact_id=_contact_of(client_id, reminder, incoming.sender),
        # Two clients named: the reminder of one of them would choose between them.
        reminder=reminder if client_id else None,
        candidate_ids=sorted(matched.client_ids) if client_id is None else [],
        sender=f"{incoming.sender_name} <{incoming.sender}>" if incoming.sender_name else incoming.sender,
        subject=incoming.subject,
        text=incoming.text,
        bounce_code=incoming.bounce.worst.status if incoming.bounce else "",
    )


def _contact_of(client_id: UUID | None, reminder: Reminder | None, sender: str) -> UUID | None:
    if client_id is None:
        return None
    if reminder is not None:
        return reminder.contact_id
    found = Contact.objects.filter(client=client_id, email_index=email_key(sender)).order_by("is_archived", "pk")
    return found.values_list("pk", flat=True).first()


def _nature(incoming: Incoming, matched: Match) -> tuple[InboundKind, InboundState]:
    """Say what a message is and what it waits for; what is sent to many and concerns nobody waits for nothing."""
    if incoming.bounce is not None:
        if incoming.bounce.hardness is Hardness.SOFT:
            return InboundKind.SOFT_BOUNCE, InboundState.LOGGED
        named = matched.how is How.REFERENCE
        return InboundKind.BOUNCE, InboundState.LOGGED if named else InboundState.UNMATCHED
    if incoming.is_automatic or (incoming.is_bulk and matched.how is How.NOBODY):
        return InboundKind.AUTOMATIC, InboundState.LOGGED
    kind = InboundKind.REPLY if incoming.is_readable else InboundKind.UNREADABLE
    return kind, InboundState.TO_CLASSIFY if len(matched.client_ids) == 1 else InboundState.UNMATCHED


def _owner_of(message: InboundMessage) -> UUID | None:
    """Return the lawyer of the file a message answers about, else of the client's oldest open invoice."""
    if message.client_id is None:
        return None
    lines = ReminderLine.objects.filter(reminder=message.reminder_id, is_claimed=True)
    answered = lines.order_by("invoice__due_on").values_list("invoice__dossier__lawyer_id", flat=True)
    owed = Invoice.objects.open().filter(client=message.client_id).order_by("due_on")
    found = [*answered, *owed.values_list("dossier__lawyer_id", flat=True)[:20]]
    return next((lawyer for lawyer in found if lawyer is not None), None)
