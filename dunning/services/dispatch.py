"""Speak: claim, commit, speak, record. A reminder leaves once, or the truth is told to a person.

Killed anywhere, a process leaves a reminder that is unsent and retried, or uncertain and shown to somebody.
"""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import acting_for, current_cabinet_id, tenant_atomic
from dunning.channels.protocol import DeliveryError, EmailSession, Outcome
from dunning.channels.sms import OutgoingSms, SmsChannel
from dunning.enums import Channel, Medium, ReminderState
from dunning.models import ChannelAccount, MailServer, Reminder
from dunning.services import calls, letters, outcomes, sms_accounts
from dunning.services.claiming import Claim, Writer, take
from dunning.services.composing import write_email, write_sms
from dunning.services.letter_composing import write_letter
from dunning.services.lookups import ask_before_speaking, look_before_speaking
from dunning.services.nights import SCHEDULER
from dunning.services.roads import Road, road_of

logger = logging.getLogger(__name__)

T = TypeVar("T")
# Older than this, a claim starts over: what it checked may no longer be true.
SPEAK_WITHIN_SECONDS = 5.0
BATCH = 50
PER_FIRM = 500


def due_reminders(*, now: dt.datetime, per_firm: int = PER_FIRM, at_most: int = 5000) -> dict[UUID, list[UUID]]:
    """Return the reminders whose departure has come, by firm, as the scheduler sees them: ids, dates and states.

    Each firm has its share of a sweep: one whose server is down for days does not make the others wait.
    """
    demo_firms = Cabinet.objects.using(SCHEDULER).filter(is_demo=True).only(*PLANNER_COLUMNS)
    demo = {cabinet.pk: cabinet.now() for cabinet in demo_firms}
    ready = Reminder.all_cabinets.using(SCHEDULER).filter(
        state__in=[ReminderState.PLANNED, ReminderState.APPROVED], channel__in=list(SENDERS)
    )
    come = Q(depart_at__lte=now) & ~Q(cabinet__in=list(demo))
    for cabinet_id, moment in demo.items():
        come |= Q(cabinet=cabinet_id, depart_at__lte=moment)
    found: dict[UUID, list[UUID]] = {}
    place = Window(RowNumber(), partition_by="cabinet_id", order_by=["depart_at", "pk"])
    share = ready.filter(come).annotate(place=place).filter(place__lte=per_firm)
    rows = share.order_by("place", "depart_at", "pk").values_list("cabinet_id", "pk")
    for cabinet_id, reminder_id in islice(rows, at_most):
        found.setdefault(cabinet_id, []).append(reminder_id)
    return found


def expired_claims(*, now: dt.datetime) -> dict[UUID, list[UUID]]:
    """Return the reminders somebody claimed and never spoke of again, by firm."""
    rows = Reminder.all_cabinets.using(SCHEDULER).filter(state=ReminderState.SENDING, lease_until__lt=now)
    found: dict[UUID, list[UUID]] = {}
    for cabinet_id, reminder_id in rows.values_list("cabinet_id", "pk"):
        found.setdefault(cabinet_id, []).append(reminder_id)
    return found


def firm_of(*, reminder_id: UUID) -> UUID:
    """Return the firm a reminder belongs to, as the scheduler sees it."""
    return Reminder.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=reminder_id)


def send_batch(*, cabinet_id: UUID, reminder_ids: Sequence[UUID]) -> Counter[str]:
    """Send these reminders of one firm, each channel by its own road; count what became of them."""
    tally: Counter[str] = Counter()
    with acting_for(cabinet_id=cabinet_id):
        look_before_speaking(reminder_ids=reminder_ids)
        ask_before_speaking(reminder_ids=reminder_ids)
        with tenant_atomic():
            channels = dict(Reminder.objects.filter(pk__in=list(reminder_ids)).values_list("pk", "channel"))
        for channel, send in SENDERS.items():
            if mine := [one for one in reminder_ids if channels.get(one) == channel]:
                tally += send(mine)
    return tally


def _send_emails(reminder_ids: Sequence[UUID]) -> Counter[str]:
    """Send e-mails over one connection, each committed on its own."""
    tally: Counter[str] = Counter()
    with tenant_atomic():
        road = road_of(Cabinet.objects.get())
    if road is None:
        tally["no_server"] += len(reminder_ids)
        return tally
    try:
        with road.channel.open() as session:
            for reminder_id in reminder_ids:
                tally[_apart(reminder_id, partial(deliver, session=session, road=road))] += 1
    except DeliveryError as error:
        with tenant_atomic():
            MailServer.objects.update(failure=str(error)[:200], checked_at=timezone.now())
        logger.warning(
            "mail.unreachable", extra={"cabinet_id": str(current_cabinet_id()), "permanent": error.permanent}
        )
        tally["unreachable"] += len(reminder_ids) - sum(tally.values())
    return tally


class Delivery(Protocol):
    """One message from its claim to its record."""

    def __call__(self, *, reminder_id: UUID) -> str:
        """Return the state it ends in, or "left" when it was not to be said now."""


def _apart(reminder_id: UUID, deliver_it: Delivery) -> str:
    """Deliver, and let a reminder nobody foresaw the failure of wait alone: the others leave.

    What was claimed stays claimed, and becomes a question; a database that does not answer stops the batch.
    """
    try:
        return deliver_it(reminder_id=reminder_id)
    except DeliveryError:
        raise
    except Exception as error:
        logger.exception("reminder.failed", extra={"reminder_id": str(reminder_id), "error": type(error).__name__})
        with tenant_atomic():
            outcomes.put_off(reminder_id=reminder_id, error=type(error).__name__)
        return "failed"


def deliver(*, reminder_id: UUID, session: EmailSession, road: Road) -> str:
    """Claim one e-mail, speak, and record; return the state it ends in, or "left" when it was not to be said now."""
    return speak(
        reminder_id=reminder_id, write=lambda checked: write_email(checked, sender=road.sender), say=session.send
    )


def speak(*, reminder_id: UUID, write: Writer[T], say: Callable[[T], Outcome]) -> str:
    """Claim, commit, say, record: the four steps of every channel; nothing is held while it is said."""
    with tenant_atomic(durable=True):
        taken = take(reminder_id=reminder_id, write=write)
    if taken is None:
        return "left"
    if time.monotonic() - taken.taken_at > SPEAK_WITHIN_SECONDS:
        _give_back(taken)
        return "left"
    try:
        outcome = say(taken.payload)
    except DeliveryError:
        # Nobody was spoken to: it is no doubt for a person, it waits as the rest of the batch does.
        _give_back(taken)
        raise
    with tenant_atomic(durable=True):
        state = outcomes.record(
            reminder_id=reminder_id, generation=taken.generation, outcome=outcome, cabinet=taken.cabinet
        )
    return state.value if state else "left"


def _give_back(taken: Claim[T]) -> None:
    with tenant_atomic(durable=True):
        outcomes.give_back(reminder_id=taken.reminder_id, generation=taken.generation)


def _send_texts(reminder_ids: Sequence[UUID]) -> Counter[str]:
    """Send text messages through the firm's provider, each committed on its own."""
    tally: Counter[str] = Counter()
    with tenant_atomic():
        road = sms_accounts.sms_road(Cabinet.objects.get())
    if road is None:
        tally["no_server"] += len(reminder_ids)
        return tally
    channel, sender = road
    try:
        for reminder_id in reminder_ids:
            tally[_apart(reminder_id, partial(send_text, channel=channel, sender=sender))] += 1
    except DeliveryError as error:
        with tenant_atomic():
            accounts = ChannelAccount.objects.filter(medium=Medium.SMS, provider=channel.slug)
            accounts.update(failure=str(error)[:200], checked_at=timezone.now())
        logger.warning("sms.unreachable", extra={"cabinet_id": str(current_cabinet_id()), "permanent": error.permanent})
        tally["unreachable"] += len(reminder_ids) - sum(tally.values())
    return tally


def send_text(*, reminder_id: UUID, channel: SmsChannel, sender: str) -> str:
    """Claim one text message, speak, and record; the provider's reference is kept with its outcome."""

    def say(outgoing: OutgoingSms) -> Outcome:
        said = channel.send(outgoing)
        with tenant_atomic(durable=True):
            mine = Reminder.objects.filter(pk=reminder_id, state=ReminderState.SENDING)
            mine.update(route=channel.slug, provider_ref=said.reference[:80])
            if said.is_opted_out:
                sms_accounts.opt_out(Reminder.objects.select_related("client").get(pk=reminder_id))
        return said

    return speak(reminder_id=reminder_id, write=partial(write_sms, sender=sender), say=say)


def _send_letters(reminder_ids: Sequence[UUID]) -> Counter[str]:
    """Hand letters over to their provider, or to a person at the post desk, each committed on its own."""
    return Counter(_apart(one, partial(letters.deliver, compose=write_letter)) for one in reminder_ids)


def _ask_for_calls(reminder_ids: Sequence[UUID]) -> Counter[str]:
    """Put calls between the hands of a person, each committed on its own."""
    return Counter(_apart(reminder_id, calls.begin) for reminder_id in reminder_ids)


# How each channel sends its share of a batch.
SENDERS: dict[Channel, Callable[[Sequence[UUID]], Counter[str]]] = {
    Channel.EMAIL: _send_emails,
    Channel.SMS: _send_texts,
    Channel.LETTER: _send_letters,
    Channel.REGISTERED: _send_letters,
    Channel.PHONE: _ask_for_calls,
}


def settle_expired(*, cabinet_id: UUID, reminder_ids: Sequence[UUID], now: dt.datetime) -> int:
    """Mark as uncertain what was claimed and never recorded; return how many. Nothing is ever sent again blindly."""
    with acting_for(cabinet_id=cabinet_id), tenant_atomic():
        cabinet = Cabinet.objects.get()
        stuck = Reminder.objects.filter(pk__in=list(reminder_ids), state=ReminderState.SENDING, lease_until__lt=now)
        rows = list(stuck.select_for_update(of=("self",), skip_locked=True))
        for reminder in rows:
            outcomes.mark_unknown(reminder, cabinet)
    return len(rows)
