"""What the coming weeks would say: the real nights on the real rows, day after day, in a transaction rolled back.

It supposes the firm live and its payments declared; nobody pays nor answers; what would leave leaves on its day; a
letter is posted and a call made the day they are handed over; accords are given the same day, unless asked otherwise.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import F

from cabinets.models import Cabinet
from cabinets.scoping import current_scope, whole_firm
from dunning.enums import ANSWERS, PENDING, Channel, Code, Medium, Reason, ReminderState
from dunning.models import ChannelAccount, Decision, DunningCase, NightlyRun, Reminder, ReminderLine
from dunning.services.facts import reach_of
from dunning.services.ladder import schedule
from dunning.services.nights import NIGHTS_REMEMBERED, FirmNight, is_abnormal, next_night, plan_as_if_live
from dunning.services.outcomes import next_departure
from dunning.services.wake import companions_of
from invoices.enums import InvoiceState
from invoices.models import Standstill

HORIZONS = (14, 30, 45)
# Beyond, the answer would take longer than a page may: the cases that come first are looked at, and the page says so.
MOST_CASES = 600
SPEAKING = (Code.SEND, Code.NEEDS_APPROVAL)
# A change to try before the days are lived: it writes, and is rolled back with them.
Change = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One message that would leave: when, to whom, at which step, by which channels, and whether a person reads it."""

    on: dt.date
    client_id: UUID
    invoice_ids: tuple[UUID, ...]
    offset_days: int
    tone: str
    channels: tuple[Channel, ...]
    total_cents: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One invoice a rule would hold, from which night to which."""

    invoice_id: UUID
    code: Code
    first_on: dt.date
    last_on: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The coming days as they would be lived; ids and codes alone, so that it may be kept for a while."""

    start_on: dt.date
    days: int
    departures: tuple[Departure, ...]
    held: tuple[Held, ...]
    waiting: tuple[UUID, ...]
    unusual_on: tuple[dt.date, ...]
    looked_at: int
    in_time: int


@dataclass(slots=True)
class _Life:
    """What is gathered while the days are lived."""

    cabinet: Cabinet
    gives_accords: bool
    among: frozenset[UUID]
    has_sms: bool
    answered: frozenset[UUID]
    departures: list[Departure] = field(default_factory=list)
    held: dict[tuple[UUID, Code], tuple[dt.date, dt.date]] = field(default_factory=dict)
    unusual_on: list[dt.date] = field(default_factory=list)


def simulate(*, cabinet: Cabinet, days: int, gives_accords: bool = True, change: Change | None = None) -> Forecast:
    """Live the coming days with the night's own code, and leave no row behind; `change` is tried before the first.

    Nothing is sent: a message leaves by a mark in a transaction that is rolled back.
    """
    first = next_night(cabinet)
    with _nothing_stays():
        if change is not None:
            change()
        if cabinet.activated_on is None:
            Cabinet.objects.filter(pk=cabinet.pk).update(activated_on=first.on)
        clients = _clients_in_time(first.on + dt.timedelta(days=days))
        unsaid = Reminder.objects.filter(state__in=PENDING, accompanies=None).values_list("client_id", flat=True)
        among = frozenset(clients[:MOST_CASES]) | frozenset(unsaid)
        life = _Life(
            cabinet=cabinet,
            gives_accords=gives_accords,
            among=among,
            has_sms=cabinet.is_demo or ChannelAccount.objects.filter(medium=Medium.SMS, is_enabled=True).exists(),
            answered=_answered(),
        )
        open_cases, usual = _open_cases(), _usual()
        if first.on > cabinet.today():
            _depart(life, cabinet.today())
        for number in range(days):
            night = first if number == 0 else _night_of(cabinet, first.on + dt.timedelta(days=number))
            usual.append(_live(life, night))
            if is_abnormal(messages=usual[-1], usual=usual[-1 - NIGHTS_REMEMBERED : -1], open_cases=open_cases):
                life.unusual_on.append(night.on)
        return Forecast(
            start_on=first.on,
            days=days,
            departures=tuple(life.departures),
            held=tuple(
                Held(invoice_id=invoice_id, code=code, first_on=start, last_on=end)
                for (invoice_id, code), (start, end) in life.held.items()
            ),
            waiting=tuple(unsaid.all()),
            unusual_on=tuple(life.unusual_on),
            looked_at=min(len(clients), MOST_CASES),
            in_time=len(clients),
        )


@contextmanager
def _nothing_stays() -> Iterator[None]:
    """See the whole firm, and give everything back: the rows, and the keys found on the way."""
    keys = current_scope().keys
    known = dict(keys)
    try:
        with transaction.atomic(), whole_firm():
            yield
            transaction.set_rollback(True)
    finally:
        # A key made in what was rolled back seals nothing afterwards.
        keys.clear()
        keys.update(known)


def _live(life: _Life, night: FirmNight) -> int:
    """Live one night and the day that follows it; return how many messages the night planned."""
    planned = 0
    if plan_as_if_live(night, using="default", among=life.among):
        planned = Reminder.objects.filter(on=night.on, night__on=night.on).count()
        for invoice_id, code in Decision.objects.filter(on=night.on).values_list("invoice_id", "code"):
            if code not in SPEAKING:
                start, _ = life.held.get((invoice_id, Code(code)), (night.on, night.on))
                life.held[invoice_id, Code(code)] = (start, night.on)
    _depart(life, night.on)
    return planned


def _depart(life: _Life, day: dt.date) -> None:
    """Let leave what leaves that day, up to the firm's daily cap."""
    zone = life.cabinet.zone
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(0), tzinfo=zone)
    states = [ReminderState.PLANNED, ReminderState.APPROVED, ReminderState.IN_HAND]
    if life.gives_accords:
        states.append(ReminderState.AWAITING_APPROVAL)
    ready = Reminder.objects.filter(state__in=states, depart_at__lt=midnight, accompanies=None)
    found = list(ready.select_related("step", "client", "contact").order_by("depart_at", "pk"))
    leaving, later = found[: life.cabinet.daily_cap], found[life.cabinet.daily_cap :]
    for reminder in later:
        reminder.depart_at = next_departure(reminder, life.cabinet, after=midnight)
    Reminder.objects.bulk_update(later, ["depart_at"])
    ids = [reminder.pk for reminder in leaving]
    lines = list(
        ReminderLine.objects.filter(reminder__in=ids, is_claimed=True).select_related("case__invoice", "case__version")
    )
    claimed: dict[UUID, list[UUID]] = {}
    for line in lines:
        claimed.setdefault(line.reminder_id, []).append(line.invoice_id)
        line.case.last_step_on, line.case.next_rank = day, line.rank + 1
    noon = midnight - dt.timedelta(hours=12)
    Reminder.objects.filter(pk__in=ids).update(state=ReminderState.ACCEPTED, spoken_on=day, spoken_at=noon)
    schedule([line.case for line in lines], moved=("last_step_on", "next_rank"))
    for reminder in leaving:
        invoice_ids = claimed.get(reminder.pk, [])
        reach = reach_of(reminder.client, reminder.contact or reminder.client, has_sms=life.has_sms)
        followers = companions_of(
            reminder, reach, has_answered=not life.answered.isdisjoint({reminder.client_id, *invoice_ids})
        )
        life.departures.append(_departure(reminder, day, (Channel(reminder.channel), *followers), invoice_ids))


def _answered() -> frozenset[UUID]:
    """Return the clients and the invoices whose debtor ever answered: a payment, or anything said."""
    said = Standstill.objects.filter(kind__in=ANSWERS)
    clients = said.filter(client__isnull=False).values_list("client_id", flat=True)
    invoices = said.filter(invoice__isnull=False).values_list("invoice_id", flat=True)
    paid = DunningCase.objects.filter(invoice__last_payment_at__isnull=False).values_list("invoice_id", flat=True)
    return frozenset([*clients, *invoices, *paid])


def _departure(
    reminder: Reminder, day: dt.date, channels: tuple[Channel, ...], invoice_ids: Sequence[UUID]
) -> Departure:
    return Departure(
        on=day,
        client_id=reminder.client_id,
        invoice_ids=tuple(invoice_ids),
        offset_days=reminder.step.offset_days,
        tone=reminder.step.tone,
        channels=channels,
        total_cents=reminder.total_cents,
        reasons=tuple(Reason(one) for one in reminder.reasons)
        if reminder.state == ReminderState.AWAITING_APPROVAL
        else (),
    )


def _night_of(cabinet: Cabinet, on: dt.date) -> FirmNight:
    start = dt.datetime.combine(on, cabinet.night_at, tzinfo=cabinet.zone)
    return FirmNight(cabinet=cabinet, on=on, now=start.astimezone(dt.UTC))


def _clients_in_time(until: dt.date) -> list[UUID]:
    """Return the client of each case a night looks at before that day, the nearest first."""
    due = DunningCase.objects.filter(next_action_on__lt=until).order_by("next_action_on", "pk")
    return list(due.values_list("client_id", flat=True))


def _open_cases() -> int:
    owed = DunningCase.objects.filter(invoice__state=InvoiceState.OPEN)
    left = F("invoice__total_cents") - F("invoice__credited_cents")
    return owed.filter(invoice__settled_cents__lt=left).count()


def _usual() -> list[int]:
    """Return how many messages the firm's last ordinary nights made, oldest first."""
    done = NightlyRun.objects.filter(finished_at__isnull=False, is_abnormal=False).order_by("-on")
    last = done.annotate(said=F("planned") + F("awaiting")).values_list("said", flat=True)[:NIGHTS_REMEMBERED]
    return list(last)[::-1]


def by_code(held: Sequence[Held]) -> list[tuple[Code, int]]:
    """Count the invoices each rule would hold, in the order in which rules are read."""
    counts = Counter(one.code for one in held)
    return [(code, counts[code]) for code in Code if counts[code]]
