"""How long a fee may still be claimed: the last day, the day to act by, and the alarms before it."""

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cabinets.enums import ClientKind
from cabinets.territories import Territory
from invoices.calendar import previous_working_day

CONSUMER_YEARS = 2
OTHERS_YEARS = 5
_ALARM_MONTHS = (6, 3, 1)
_LAST_ALARM = dt.timedelta(days=14)
_MEDIATION_LEAVES_MONTHS = 6
_DECEMBER = 12


class Effect(StrEnum):
    """What an event does to limitation; a reminder and a registered letter do nothing."""

    NONE = "none"
    INTERRUPT = "interrupt"
    SUSPEND = "suspend"


class Nature(StrEnum):
    """What happened, as a person may record it (R29)."""

    ACKNOWLEDGEMENT = "acknowledgement"
    PLAN_ACCEPTED = "plan_accepted"
    BATONNIER = "batonnier"
    COURT_CLAIM = "court_claim"
    ENFORCEMENT = "enforcement"
    MEDIATION = "mediation"
    REGISTERED_LETTER = "registered_letter"
    REMINDER = "reminder"


# Articles 2238, 2240, 2241 and 2244 of the civil code; a letter, registered or not, has no effect.
EFFECTS: dict[Nature, Effect] = {
    Nature.ACKNOWLEDGEMENT: Effect.INTERRUPT,
    Nature.PLAN_ACCEPTED: Effect.INTERRUPT,
    Nature.BATONNIER: Effect.INTERRUPT,
    Nature.COURT_CLAIM: Effect.INTERRUPT,
    Nature.ENFORCEMENT: Effect.INTERRUPT,
    Nature.MEDIATION: Effect.SUSPEND,
    Nature.REGISTERED_LETTER: Effect.NONE,
    Nature.REMINDER: Effect.NONE,
}


@dataclass(frozen=True, slots=True)
class LimitationEvent:
    """A fact that may move the last day; a suspension ends on `until`, both days included."""

    on: dt.date
    effect: Effect
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Limitation:
    """The last day to act; provisional (« prudent ») while the mandate's end is unknown."""

    last_day: dt.date | None
    act_by: dt.date | None
    provisional: bool
    alarms: tuple[dt.date, ...] = ()

    def has_run_out(self, *, on: dt.date) -> bool:
        """Tell whether the claim is prescribed on a day; a suspension under way never is."""
        return self.last_day is not None and on > self.last_day


def limitation(
    *,
    kind: ClientKind,
    mandate_end_on: dt.date | None,
    prudent_start_on: dt.date,
    events: Iterable[LimitationEvent] = (),
    territory: Territory = Territory.METROPOLE,
) -> Limitation:
    """Count from the end of the mandate, or prudently from the service or the invoice while it is unknown."""
    start = mandate_end_on or prudent_start_on
    last_day = _last_day(start, years=years_for(kind), events=events)
    return Limitation(
        last_day=last_day,
        act_by=None if last_day is None else previous_working_day(last_day, territory=territory),
        provisional=mandate_end_on is None,
        alarms=() if last_day is None else _alarms(last_day),
    )


def years_for(kind: ClientKind) -> int:
    """Two years against a consumer, and against a client whose kind is not known; five against others."""
    return CONSUMER_YEARS if kind in {ClientKind.CONSUMER, ClientKind.UNKNOWN} else OTHERS_YEARS


def shift_months(day: dt.date, months: int) -> dt.date:
    """Move by whole months, to the last day of the month when the day does not exist there."""
    year, month = divmod(day.year * _DECEMBER + day.month - 1 + months, _DECEMBER)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _last_day(start: dt.date, *, years: int, events: Iterable[LimitationEvent]) -> dt.date | None:
    last_day, counted_to = shift_months(start, years * _DECEMBER), start
    for event in sorted(events, key=lambda fact: fact.on):
        if event.on > last_day:
            break
        if event.effect is Effect.INTERRUPT:
            last_day = max(last_day, shift_months(event.on, years * _DECEMBER))
        elif event.effect is Effect.SUSPEND and event.until is None:
            return None
        elif event.effect is Effect.SUSPEND and event.until is not None:
            # Overlapping suspensions stop the clock once: a day is given back a single time.
            given_back = (event.until - max(event.on, counted_to)).days + 1
            counted_to = max(counted_to, event.until + dt.timedelta(days=1))
            last_day += dt.timedelta(days=max(given_back, 0))
            last_day = max(last_day, shift_months(event.until, _MEDIATION_LEAVES_MONTHS))
    return last_day


def _alarms(last_day: dt.date) -> tuple[dt.date, ...]:
    return (*(shift_months(last_day, -months) for months in _ALARM_MONTHS), last_day - _LAST_ALARM)
