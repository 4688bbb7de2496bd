"""Speak: claim, commit, speak, record. A reminder leaves once, or the truth is told to a person.

Killed anywhere, a process leaves a reminder that is unsent and retried, or uncertain and shown to somebody.
"""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import acting_for, tenant_atomic
from dunning.channels.protocol import DeliveryError, EmailSession, Outgoing
from dunning.channels.smtp import SmtpChannel
from dunning.channels.smtp.settings import Security, SmtpSettings
from dunning.enums import SPOKEN, Channel, Code, Reason, ReminderState
from dunning.models import MailServer, Reminder, ReminderLine
from dunning.policy import Verdict, decide
from dunning.services import outcomes
from dunning.services.composing import Sender, write
from dunning.services.facts import load_facts
from dunning.services.ladder import cancel
from dunning.services.nights import SCHEDULER, opening, window_of
from dunning.window import is_open
from invoices.locks import lock_invoices
from templates_lib.errors import TextError
from templates_lib.lint import lint_rendered

logger = logging.getLogger(__name__)

LEASE = dt.timedelta(minutes=2)
# Older than this, a claim starts over: what it checked may no longer be true.
SPEAK_WITHIN_SECONDS = 5.0
BATCH = 50
PER_FIRM = 500
# More processes than any installation has: nearer to the cap than this, claims are counted one at a time.
SENDERS_AT_MOST = 64
# A mention survives these: they say when to speak, not whether the debt is owed.
MENTIONABLE = frozenset({Code.SEND, Code.NEEDS_APPROVAL, Code.CONTACT_CAP, Code.MIN_GAP})


@dataclass(frozen=True, slots=True)
class Road:
    """How a firm's e-mails leave: the channel, and the address they leave from."""

    channel: SmtpChannel
    sender: Sender


@dataclass(frozen=True, slots=True)
class Claim:
    """A reminder taken for sending: everything was checked, and committed."""

    reminder_id: UUID
    generation: int
    cabinet: Cabinet
    outgoing: Outgoing
    taken_at: float


def due_reminders(*, now: dt.datetime, per_firm: int = PER_FIRM, at_most: int = 5000) -> dict[UUID, list[UUID]]:
    """Return the reminders whose departure has come, by firm, as the scheduler sees them: ids, dates and states.

    Each firm has its share of a sweep: one whose server is down for days does not make the others wait.
    """
    demo_firms = Cabinet.objects.using(SCHEDULER).filter(is_demo=True).only(*PLANNER_COLUMNS)
    demo = {cabinet.pk: cabinet.now() for cabinet in demo_firms}
    ready = Reminder.all_cabinets.using(SCHEDULER).filter(
        state__in=[ReminderState.PLANNED, ReminderState.APPROVED], channel=Channel.EMAIL
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
    """Send these reminders of one firm over one connection, each committed on its own; count what became of them."""
    tally: Counter[str] = Counter()
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            road = road_of(Cabinet.objects.get())
        if road is None:
            tally["no_server"] += len(reminder_ids)
            return tally
        try:
            with road.channel.open() as session:
                for reminder_id in reminder_ids:
                    tally[_deliver_apart(reminder_id=reminder_id, session=session, road=road)] += 1
        except DeliveryError as error:
            with tenant_atomic():
                MailServer.objects.update(failure=str(error)[:200], checked_at=timezone.now())
            logger.warning("mail.unreachable", extra={"cabinet_id": str(cabinet_id), "permanent": error.permanent})
            tally["unreachable"] += len(reminder_ids) - sum(tally.values())
    return tally


def _deliver_apart(*, reminder_id: UUID, session: EmailSession, road: Road) -> str:
    """Deliver, and let a reminder nobody foresaw the failure of wait alone: the others leave.

    What was claimed stays claimed, and becomes a question; a database that does not answer stops the batch.
    """
    try:
        return deliver(reminder_id=reminder_id, session=session, road=road)
    except Exception as error:
        logger.exception("reminder.failed", extra={"reminder_id": str(reminder_id), "error": type(error).__name__})
        with tenant_atomic():
            outcomes.put_off(reminder_id=reminder_id, error=type(error).__name__)
        return "failed"


def deliver(*, reminder_id: UUID, session: EmailSession, road: Road) -> str:
    """Claim one reminder, speak, and record; return the state it ends in, or "left" when it was not to be said now."""
    with tenant_atomic(durable=True):
        taken = claim(reminder_id=reminder_id, road=road)
    if taken is None:
        return "left"
    if time.monotonic() - taken.taken_at > SPEAK_WITHIN_SECONDS:
        with tenant_atomic(durable=True):
            outcomes.give_back(reminder_id=reminder_id, generation=taken.generation)
        return "left"
    outcome = session.send(taken.outgoing)
    with tenant_atomic(durable=True):
        state = outcomes.record(
            reminder_id=reminder_id, generation=taken.generation, outcome=outcome, cabinet=taken.cabinet
        )
    return state.value if state else "left"


def claim(*, reminder_id: UUID, road: Road) -> Claim | None:
    """Take a reminder for sending after checking everything again; None when it must not leave now.

    What stops it is written down: another departure, a cancellation with its rule, or a return to À valider.
    """
    waiting = Reminder.objects.filter(pk=reminder_id, state__in=[ReminderState.PLANNED, ReminderState.APPROVED])
    # The invoices first, as whoever records a payment does: the other order would be a deadlock.
    lock_invoices(ReminderLine.objects.filter(reminder=reminder_id).values("invoice_id"))
    reminder = (
        waiting.select_for_update(of=("self",), skip_locked=True).select_related("client", "contact", "step").first()
    )
    if reminder is None:
        return None
    cabinet = Cabinet.objects.get()
    now = cabinet.now()
    if not _may_leave_now(reminder, cabinet, now):
        return None
    lines = list(
        ReminderLine.objects.filter(reminder=reminder).select_related("case", "invoice__dossier__billing_contact")
    )
    if not _is_still_true(reminder, lines, cabinet):
        return None
    try:
        written = write(reminder=reminder, cabinet=cabinet, sender=road.sender, now=now, lines=lines)
    except TextError as error:
        logger.warning("reminder.unwritable", extra={"reminder_id": str(reminder.pk), "error": type(error).__name__})
        cancel(reminders=[reminder], code=Code.TEXT_REFUSED)
        return None
    if lint_rendered(written.composed.html, written.composed.text, payment_link=written.payment_link):
        cancel(reminders=[reminder], code=Code.TEXT_REFUSED)
        return None
    reminder.state, reminder.generation = ReminderState.SENDING, reminder.generation + 1
    reminder.lease_until, reminder.attempts = timezone.now() + LEASE, reminder.attempts + 1
    reminder.subject, reminder.html = written.composed.subject, written.composed.html
    reminder.text, reminder.recipient = written.composed.text, written.recipient
    reminder.message_id = written.outgoing.message_id
    reminder.save(
        update_fields=[
            "state",
            "generation",
            "lease_until",
            "attempts",
            "subject",
            "html",
            "text",
            "recipient",
            "message_id",
        ]
    )
    return Claim(
        reminder_id=reminder.pk,
        generation=reminder.generation,
        cabinet=cabinet,
        outgoing=written.outgoing,
        taken_at=time.monotonic(),
    )


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
    on = cabinet.today()
    facts = load_facts(
        invoice_ids=[line.invoice_id for line in lines],
        on=on,
        now=cabinet.now(),
        apart_from=reminder.pk,
        cabinet=cabinet,
    )
    verdicts = {line.pk: decide(facts[line.invoice_id], on=on) for line in lines}
    claimed = [line for line in lines if line.is_claimed]
    for line in claimed:
        if verdicts[line.pk].code not in {Code.SEND, Code.NEEDS_APPROVAL}:
            cancel(reminders=[reminder], code=verdicts[line.pk].code)
            return False
        if line.case.next_rank != line.rank:
            cancel(reminders=[reminder], code=Code.MIN_GAP)
            return False
        if _billed_to(line) != reminder.contact_id:
            cancel(reminders=[reminder], code=Code.WRONG_RECIPIENT)
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
    return True


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


def settle_expired(*, cabinet_id: UUID, reminder_ids: Sequence[UUID], now: dt.datetime) -> int:
    """Mark as uncertain what was claimed and never recorded; return how many. Nothing is ever sent again blindly."""
    with acting_for(cabinet_id=cabinet_id), tenant_atomic():
        cabinet = Cabinet.objects.get()
        stuck = Reminder.objects.filter(pk__in=list(reminder_ids), state=ReminderState.SENDING, lease_until__lt=now)
        rows = list(stuck.select_for_update(of=("self",), skip_locked=True))
        for reminder in rows:
            outcomes.mark_unknown(reminder, cabinet)
    return len(rows)


def road_of(cabinet: Cabinet) -> Road | None:
    """Return how this firm's e-mails leave: a demonstration's go to the catcher, a firm's to its own server."""
    if cabinet.is_demo:
        if not settings.DEMO_CATCHER:
            return None
        host, _, port = settings.DEMO_CATCHER.rpartition(":")
        smtp = SmtpSettings(host=host, port=int(port), security=Security.NONE, timeout=settings.EMAIL_TIMEOUT)
        return Road(channel=SmtpChannel(smtp), sender=Sender(address=cabinet.email, reply_to=cabinet.email))
    server = MailServer.objects.first()
    if server is None:
        return None
    smtp = SmtpSettings(
        host=server.host,
        port=server.port,
        security=Security(server.security),
        username=server.username,
        password=server.password,
        timeout=settings.EMAIL_TIMEOUT,
        ca_file=settings.SMTP_CA_FILE,
    )
    return Road(channel=SmtpChannel(smtp), sender=Sender.of(server))
