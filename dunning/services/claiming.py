"""Take a reminder before it is said: every rule asked again under the invoices' locks, its words written, committed."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet
from dunning.enums import SPOKEN, Channel, Code, Reason, ReminderState
from dunning.models import Reminder, ReminderLine
from dunning.policy import Facts, Verdict, decide, out_of_turn
from dunning.services import outcomes
from dunning.services.facts import load_facts
from dunning.services.ladder import cancel
from dunning.services.lookups import needs_insolvency_check
from dunning.services.nights import opening, window_of
from dunning.window import is_open
from invoices.locks import lock_invoices
from payments.services import live
from templates_lib.errors import TextError

logger = logging.getLogger(__name__)

LEASE = dt.timedelta(minutes=2)
# A payment that may be on its way, and a provider that does not say: the reminder is tried again then.
ASKED_AGAIN = dt.timedelta(minutes=10)
UNASKED = (
    "Un paiement en ligne est peut-être en cours : le prestataire est interrogé, et rien ne part avant sa réponse."
    " Réessayez dans quelques minutes."
)
# More processes than any installation has: nearer to the cap than this, claims are counted one at a time.
SENDERS_AT_MOST = 64
# A mention survives these: they say when to speak, not whether the debt is owed.
MENTIONABLE = frozenset({Code.SEND, Code.NEEDS_APPROVAL, Code.CONTACT_CAP, Code.MIN_GAP})
# What follows a message the same day is one contact with it, and its step is done: only these may say so.
IN_THE_WAKE = MENTIONABLE | {Code.LADDER_DONE}
# The lead was said: what accompanies it may be too.
FOLLOWED = (ReminderState.ACCEPTED, ReminderState.DELIVERED)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """A reminder that may leave now, with the lines it stands on (the lead's, for one that accompanies another)."""

    reminder: Reminder
    cabinet: Cabinet
    lines: list[ReminderLine]
    now: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(Generic[T]):
    """A message as it will be said, what is kept of it, and what its channel is handed."""

    subject: str
    html: str
    text: str
    recipient: str
    payload: T
    text_ref: str = ""
    message_id: str = ""
    sent_from: str = ""
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class Claim(Generic[T]):
    """A reminder taken for sending: everything was checked, and committed."""

    reminder_id: UUID
    generation: int
    cabinet: Cabinet
    payload: T
    taken_at: float


Writer = Callable[[Checked], Words[T]]


def take(
    *,
    reminder_id: UUID,
    write: Writer[T],
    into: ReminderState = ReminderState.SENDING,
    lease: dt.timedelta | None = LEASE,
    at_any_hour: bool = False,
) -> Claim[T] | None:
    """Take a reminder for sending after checking everything again; None when it must not leave now.

    What stops it is written down: another departure, a cancellation with its rule, or a return to À valider. `write`
    composes its words and raises TextError when they may not leave. A person who prints or calls does so
    `at_any_hour`: the debtor's hours protect from what arrives by itself.
    """
    checked = check(reminder_id=reminder_id, at_any_hour=at_any_hour)
    if checked is None:
        return None
    reminder = checked.reminder
    try:
        words = write(checked)
    except TextError as error:
        logger.warning("reminder.unwritable", extra={"reminder_id": str(reminder.pk), "error": type(error).__name__})
        cancel(reminders=[reminder], code=Code.TEXT_REFUSED)
        return None
    reminder.state, reminder.generation = into, reminder.generation + 1
    reminder.lease_until = None if lease is None else timezone.now() + lease
    reminder.attempts += 1
    reminder.subject, reminder.html, reminder.text = words.subject, words.html, words.text
    reminder.recipient, reminder.message_id, reminder.sent_from = words.recipient, words.message_id, words.sent_from
    reminder.text_ref, reminder.segments = words.text_ref or reminder.text_ref, words.segments
    reminder.save(update_fields=["state", "generation", "lease_until", "attempts", "text_ref", "segments", *_SAID])
    return Claim(
        reminder_id=reminder.pk,
        generation=reminder.generation,
        cabinet=checked.cabinet,
        payload=words.payload,
        taken_at=time.monotonic(),
    )


_SAID = ("subject", "html", "text", "recipient", "message_id", "sent_from")


def check(*, reminder_id: UUID, at_any_hour: bool = False) -> Checked | None:
    """Lock a reminder and its invoices and ask every rule again; None, and the reason written, when one stops it."""
    waiting = Reminder.objects.filter(pk=reminder_id, state__in=[ReminderState.PLANNED, ReminderState.APPROVED])
    # The invoices first, as whoever records a payment does: the other order would be a deadlock.
    lead = Reminder.objects.filter(pk=reminder_id).values_list("accompanies", flat=True).first()
    lock_invoices(ReminderLine.objects.filter(reminder=lead or reminder_id).values("invoice_id"))
    locked = waiting.select_for_update(of=("self",), skip_locked=True)
    reminder = locked.select_related("client", "contact", "step", "accompanies").first()
    if reminder is None:
        return None
    cabinet = Cabinet.objects.get()
    now = cabinet.now()
    if not (at_any_hour or _may_leave_now(reminder, cabinet, now)):
        return None
    if _may_be_paying(reminder, cabinet, by_a_person=at_any_hour):
        return None
    lines = list(
        ReminderLine.objects.filter(reminder=lead or reminder_id).select_related(
            "case", "invoice__dossier__billing_contact"
        )
    )
    still_true = _is_still_true if lead is None else _is_still_in_the_wake
    return Checked(reminder, cabinet, lines, now) if still_true(reminder, lines, cabinet) else None


def _may_leave_now(reminder: Reminder, cabinet: Cabinet, now: dt.datetime) -> bool:
    if reminder.depart_at > now:
        return False
    zone_name, territory = outcomes.place_of(reminder, cabinet)
    if not is_open(now, zone=ZoneInfo(zone_name), territory=territory, window=window_of(cabinet)):
        _move(reminder, opening(now, zone_name, territory, window_of(cabinet)))
        return False
    if _is_day_full(cabinet):
        tomorrow = dt.datetime.combine(cabinet.today() + dt.timedelta(days=1), dt.time(0), tzinfo=cabinet.zone)
        _move(reminder, outcomes.next_departure(reminder, cabinet, after=tomorrow))
        return False
    return True


def _may_be_paying(reminder: Reminder, cabinet: Cabinet, *, by_a_person: bool) -> bool:
    """Hold a reminder while its debtor may be paying and no provider could be asked; what they answered is a fact.

    Asked under the invoices' locks: a page opened since the providers were asked holds it too, until the next try.
    """
    fresh = live.FRESH_FOR_A_PERSON if by_a_person else live.FRESH
    if not live.is_unasked(client_id=reminder.client_id, fresh=fresh):
        return False
    reminder.failure = UNASKED
    reminder.depart_at = outcomes.next_departure(reminder, cabinet, after=cabinet.now() + ASKED_AGAIN)
    reminder.save(update_fields=["failure", "depart_at"])
    live.ask_soon(client_id=reminder.client_id)
    journal.record("reminder.postponed", reminder, code=Code.PAYMENT_IN_FLIGHT.value)
    return True


def _is_day_full(cabinet: Cabinet) -> bool:
    """Say whether the firm has spoken its share today, what is being said included."""
    said = Q(state__in=SPOKEN, spoken_on=cabinet.today()) | Q(state=ReminderState.SENDING)
    if Reminder.objects.filter(said).count() < cabinet.daily_cap - SENDERS_AT_MOST:
        return False
    # Near the cap the firm's senders pass one by one, until they commit.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(cabinet.pk)])
    return Reminder.objects.filter(said).count() >= cabinet.daily_cap


def _move(reminder: Reminder, depart_at: dt.datetime) -> None:
    reminder.depart_at = depart_at
    reminder.save(update_fields=["depart_at"])


def _is_still_true(reminder: Reminder, lines: list[ReminderLine], cabinet: Cabinet) -> bool:
    """Ask every rule again; cancel, correct or send back to a person what is no longer as it was planned.

    A mention that no longer holds leaves the message, and the list.
    """
    facts, verdicts = _judge(reminder, lines, cabinet)
    claimed = [line for line in lines if line.is_claimed]
    for line in claimed:
        if (code := _what_stops(reminder, line, verdicts[line.pk])) is not None:
            cancel(reminders=[reminder], code=code)
            return False
    changed = _refresh_amounts(reminder, lines, {line.pk: facts[line.invoice_id].owed_cents for line in lines})
    dropped = _drop_mentions(lines, verdicts)
    asked = {reason for line in claimed for reason in verdicts[line.pk].reasons}
    if reminder.state == ReminderState.APPROVED:
        news = asked - set(reminder.reasons)
        if changed or dropped or news:
            _ask_again(reminder, news | {Reason.CHANGED})
            return False
    elif asked:
        _ask_again(reminder, asked)
        return False
    if needs_insolvency_check(reminder):
        _ask_again(reminder, {Reason.UNCHECKED})
        return False
    return True


def stopped_by(reminder: Reminder, cabinet: Cabinet) -> Code | None:
    """Return the rule that would stop a message between a person's hands today; asked, and nothing written."""
    lines = list(
        ReminderLine.objects.filter(reminder=reminder).select_related("case", "invoice__dossier__billing_contact")
    )
    facts, verdicts = _judge(reminder, lines, cabinet)
    claimed = [line for line in lines if line.is_claimed]
    stops = (_what_stops(reminder, line, verdicts[line.pk]) for line in claimed)
    if (code := next((stop for stop in stops if stop is not None), None)) is not None:
        return code
    has_changed = any(facts[line.invoice_id].owed_cents != line.owed_cents for line in claimed)
    return Code.GRACE if has_changed else None


def _what_stops(reminder: Reminder, line: ReminderLine, verdict: Verdict) -> Code | None:
    if verdict.code not in {Code.SEND, Code.NEEDS_APPROVAL}:
        return verdict.code
    if line.case.next_rank != line.rank and not _repeats(reminder, line):
        return Code.MIN_GAP
    return None if _billed_to(line) == reminder.contact_id else Code.WRONG_RECIPIENT


def _repeats(reminder: Reminder, line: ReminderLine) -> bool:
    """Say whether a person asked for a step already done to be said again."""
    return Reason.BY_HAND in reminder.reasons and line.rank < line.case.next_rank


def _is_by_hand(reminder: Reminder) -> bool:
    """Say whether a person asked for it before its turn and approved it: the calendar alone gives way."""
    approved = (ReminderState.APPROVED, ReminderState.IN_HAND)
    return Reason.BY_HAND in reminder.reasons and reminder.state in approved


def _is_still_in_the_wake(reminder: Reminder, lines: list[ReminderLine], cabinet: Cabinet) -> bool:
    """Ask every rule again of what accompanies a message: said the same day, about the same sums, or not at all."""
    lead = reminder.accompanies
    facts, verdicts = _judge(reminder, lines, cabinet)
    claimed = [line for line in lines if line.is_claimed]
    stops = [verdicts[line.pk].code for line in claimed if verdicts[line.pk].code not in IN_THE_WAKE]
    if lead is None or lead.state not in FOLLOWED or lead.spoken_on != cabinet.today():
        stops.append(Code.CONTACT_CAP)
    if any(facts[line.invoice_id].owed_cents != line.owed_cents for line in claimed):
        stops.append(Code.GRACE)
    if any(_billed_to(line) != reminder.contact_id for line in claimed):
        stops.append(Code.WRONG_RECIPIENT)
    if stops:
        cancel(reminders=[reminder], code=stops[0])
    return not stops


def _judge(
    reminder: Reminder, lines: Sequence[ReminderLine], cabinet: Cabinet
) -> tuple[dict[UUID, Facts], dict[UUID, Verdict]]:
    on = cabinet.today()
    facts = load_facts(
        invoice_ids=[line.invoice_id for line in lines],
        on=on,
        now=cabinet.now(),
        apart_from=reminder.pk,
        cabinet=cabinet,
        # Asked for by a person, or following another message, the step said may not be the one that is next.
        step=reminder.step if reminder.accompanies_id or Reason.BY_HAND in reminder.reasons else None,
        channel=Channel(reminder.channel),
    )
    asked = {pk: out_of_turn(one) for pk, one in facts.items()} if _is_by_hand(reminder) else facts
    return facts, {line.pk: decide(asked[line.invoice_id], on=on) for line in lines}


def _billed_to(line: ReminderLine) -> UUID | None:
    contact = line.invoice.dossier.billing_contact
    return None if contact is None or contact.is_archived else contact.pk


def _refresh_amounts(reminder: Reminder, lines: Sequence[ReminderLine], owed: dict[UUID, int]) -> bool:
    stale = [line for line in lines if line.owed_cents != owed[line.pk]]
    for line in stale:
        line.owed_cents = owed[line.pk]
    if stale:
        ReminderLine.objects.bulk_update(stale, ["owed_cents"])
        reminder.total_cents = sum(line.owed_cents for line in lines if line.is_claimed)
        reminder.save(update_fields=["total_cents"])
    return bool(stale)


def _drop_mentions(lines: list[ReminderLine], verdicts: dict[UUID, Verdict]) -> bool:
    gone = [line for line in lines if not line.is_claimed and verdicts[line.pk].code not in MENTIONABLE]
    for line in gone:
        lines.remove(line)
    ReminderLine.objects.filter(pk__in=[line.pk for line in gone]).delete()
    return bool(gone)


def _ask_again(reminder: Reminder, reasons: set[Reason]) -> None:
    reminder.state = ReminderState.AWAITING_APPROVAL
    reminder.reasons = sorted({*reminder.reasons, *(reason.value for reason in reasons)})
    reminder.approved_by = reminder.approved_at = reminder.seconded_by = reminder.seconded_at = None
    reminder.save(update_fields=["state", "reasons", "approved_by", "approved_at", "seconded_by", "seconded_at"])
    journal.record("reminder.returned", reminder, reasons=reminder.reasons)
