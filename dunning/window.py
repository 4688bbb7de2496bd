"""When a message may leave: the debtor's hours, week days and public holidays."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cabinets.territories import Territory
from invoices.calendar import SATURDAY, is_working_day

EARLIEST = dt.time(8)
LATEST = dt.time(20)
WORKING_WEEK = frozenset(range(SATURDAY))


class WindowError(ValueError):
    """A send window nobody may choose; carries its French sentence."""


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The hours and week days, in the debtor's zone, at which a message may leave; closing time excluded."""

    opens: dt.time = dt.time(9)
    closes: dt.time = dt.time(18)
    weekdays: frozenset[int] = WORKING_WEEK

    def __post_init__(self) -> None:
        """Refuse hours outside 08:00–20:00, an empty window and the week-end."""
        if self.opens.tzinfo is not None or self.closes.tzinfo is not None:
            raise ValueError("a send window is told in wall-clock times, without a zone")
        if self.opens < EARLIEST or self.closes > LATEST:
            raise WindowError("Les envois ont lieu entre 8 h et 20 h : choisissez des heures dans cette plage.")
        if self.opens >= self.closes:
            raise WindowError("L’heure de fin des envois précède l’heure de début : corrigez l’une des deux.")
        if not self.weekdays or not self.weekdays <= WORKING_WEEK:
            raise WindowError("Les envois ont lieu du lundi au vendredi : choisissez au moins un de ces jours.")


DEFAULT_WINDOW = SendWindow()


def is_open(at: dt.datetime, *, zone: ZoneInfo, territory: Territory, window: SendWindow = DEFAULT_WINDOW) -> bool:
    """Tell whether a message may leave at this instant."""
    local = _aware(at).astimezone(zone)
    return window.opens <= local.time() < window.closes and _is_sending_day(local.date(), territory, window)


def next_opening(
    after: dt.datetime, *, zone: ZoneInfo, territory: Territory, window: SendWindow = DEFAULT_WINDOW
) -> dt.datetime:
    """Give the first instant, in UTC, not before this one, at which a message may leave."""
    if is_open(after, zone=zone, territory=territory, window=window):
        return after.astimezone(dt.UTC)
    local = after.astimezone(zone)
    day = local.date() if local.time() < window.opens else local.date() + dt.timedelta(days=1)
    while not _is_sending_day(day, territory, window):
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, window.opens, tzinfo=zone).astimezone(dt.UTC)


def _is_sending_day(day: dt.date, territory: Territory, window: SendWindow) -> bool:
    return day.weekday() in window.weekdays and is_working_day(day, territory=territory)


def _aware(at: dt.datetime) -> dt.datetime:
    if at.tzinfo is None:
        raise ValueError("an instant carries its zone")
    return at
