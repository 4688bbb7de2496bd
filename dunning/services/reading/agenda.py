"""The calendar of departures: what leaves, what waits, what the ladders foresee, day by day."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from cabinets.models import Cabinet
from cabinets.sealing import open_together
from cabinets.territories import Territory
from dunning.enums import PENDING, ReminderState
from dunning.models import DunningCase, Reminder, Step
from dunning.presenting import hour_words, step_words
from dunning.services.nights import window_of
from invoices.calendar import SATURDAY, holidays
from invoices.models import Invoice

DAYS = 14
SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A message with its hour."""

    reminder: Reminder
    name: str
    step: str
    hour: str
    may_move: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """An invoice whose next step falls on a night, if nothing stops it before."""

    invoice_id: UUID
    number: str
    name: str
    step: str
    owed_cents: int


@dataclass(slots=True, kw_only=True)
class Day:
    """One day of the calendar."""

    on: dt.date
    closed: str = ""
    departures: list[Departure] = field(default_factory=list)
    foreseen: list[Foreseen] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is known of this day."""
        return not self.departures and not self.foreseen


def agenda(*, cabinet: Cabinet) -> list[Day]:
    """Return fourteen days from today, and beyond them the days on which a departure is already set; six queries."""
    today = cabinet.today()
    departures, foreseen = _departures(cabinet), _foreseen(cabinet, today)
    horizon = {today + dt.timedelta(days=number) for number in range(DAYS)}
    return [
        Day(
            on=day,
            closed=closed_words(day, cabinet),
            departures=departures.get(day, []),
            foreseen=foreseen.get(day, []),
        )
        for day in sorted(horizon | {day for day in departures if day >= today})
    ]


def closed_words(day: dt.date, cabinet: Cabinet) -> str:
    """Say why nothing leaves on a day: week-end, public holiday of the firm's territory, or the firm's own choice."""
    if day.weekday() >= SATURDAY:
        return "Week-end"
    if day in holidays(day.year, Territory(cabinet.territory)):
        return "Jour férié"
    return "" if day.weekday() in window_of(cabinet).weekdays else "Jour sans envoi du cabinet"


def _departures(cabinet: Cabinet) -> dict[dt.date, list[Departure]]:
    rows = list(
        Reminder.objects.filter(state__in=PENDING)
        .select_related("client", "step")
        .defer("html", "text", "subject", "recipient")
        .order_by("depart_at", "pk")[:SHOWN]
    )
    open_together([row.client for row in rows])
    found: dict[dt.date, list[Departure]] = defaultdict(list)
    today = cabinet.today()
    for row in rows:
        # What should have left already leaves at the next opening, today.
        day = max(row.depart_at.astimezone(cabinet.zone).date(), today)
        found[day].append(
            Departure(
                reminder=row,
                name=row.client.display_name,
                step=step_words(row.step),
                hour=hour_words(row.depart_at, cabinet.zone),
                may_move=row.state != ReminderState.SENDING,
            )
        )
    return found


def _foreseen(cabinet: Cabinet, today: dt.date) -> dict[dt.date, list[Foreseen]]:
    last = today + dt.timedelta(days=DAYS - 1)
    owing = Invoice.objects.open().values("pk")
    cases = list(
        DunningCase.objects.filter(next_action_on__gt=today, next_action_on__lte=last, invoice__in=owing)
        .select_related("invoice", "client")
        .defer("invoice__note")
        .order_by("next_action_on", "invoice__due_on", "pk")[:SHOWN]
    )
    open_together([case.client for case in cases])
    steps = {
        (step.version_id, step.rank): step
        for step in Step.objects.filter(version__in={case.version_id for case in cases})
    }
    found: dict[dt.date, list[Foreseen]] = defaultdict(list)
    for case in cases:
        step = steps.get((case.version_id, case.next_rank))
        if step is None or case.next_action_on is None:
            continue
        found[case.next_action_on].append(
            Foreseen(
                invoice_id=case.invoice_id,
                number=case.invoice.number,
                name=case.client.display_name,
                step=step_words(step),
                owed_cents=case.invoice.outstanding_cents,
            )
        )
    return found
