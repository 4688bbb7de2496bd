"""Days that count: due dates, working days and French public holidays, territory by territory."""

import datetime as dt
from functools import cache

import holidays as published_holidays

from cabinets.territories import Territory

DEFAULT_TERM = dt.timedelta(days=30)
SATURDAY = 5


_PUBLISHED = {
    Territory.METROPOLE: None,
    Territory.ALSACE_MOSELLE: "57",
    Territory.GUADELOUPE: "971",
    Territory.MARTINIQUE: "972",
    Territory.GUYANE: "973",
    Territory.REUNION: "974",
    Territory.MAYOTTE: "976",
    Territory.SAINT_MARTIN: "MF",
    Territory.SAINT_BARTHELEMY: "BL",
}
_NATIONAL = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_LOCAL: dict[Territory, tuple[tuple[int, int], ...]] = {
    Territory.ALSACE_MOSELLE: ((12, 26),),
    Territory.GUADELOUPE: ((5, 27),),
    Territory.MARTINIQUE: ((5, 22),),
    Territory.GUYANE: ((6, 10),),
    Territory.REUNION: ((12, 20),),
    Territory.MAYOTTE: ((4, 27),),
    # The code says 27 May, the island keeps the 28th since 2018: both are closed.
    Territory.SAINT_MARTIN: ((5, 27), (5, 28)),
    Territory.SAINT_BARTHELEMY: ((10, 9),),
}


@cache
def holidays(year: int, territory: Territory) -> frozenset[dt.date]:
    """Give the public holidays of a year: the legal table and the published list, both closed."""
    easter = easter_sunday(year)
    legal = {dt.date(year, month, day) for month, day in (*_NATIONAL, *_LOCAL.get(territory, ()))}
    legal |= {easter + dt.timedelta(days=after) for after in (1, 39, 50)}
    if territory == Territory.ALSACE_MOSELLE:
        legal.add(easter - dt.timedelta(days=2))
    return frozenset(legal.union(published_holidays.country_holidays("FR", subdiv=_PUBLISHED[territory], years=year)))


def easter_sunday(year: int) -> dt.date:
    """Compute Easter Sunday of the Gregorian calendar."""
    golden, century = year % 19, year // 100
    epact = (19 * golden + century - century // 4 - (8 * century + 13) // 25 + 15) % 30
    moon = epact - (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    sunday = moon - (year + year // 4 + moon + 2 - century + century // 4) % 7
    return dt.date(year, 3, 28) + dt.timedelta(days=sunday)


def is_working_day(day: dt.date, *, territory: Territory) -> bool:
    """Tell whether a day is neither a week-end nor a public holiday of the territory."""
    return day.weekday() < SATURDAY and day not in holidays(day.year, territory)


def next_working_day(day: dt.date, *, territory: Territory) -> dt.date:
    """Give the day itself when it is worked, otherwise the first worked day after it."""
    while not is_working_day(day, territory=territory):
        day += dt.timedelta(days=1)
    return day


def previous_working_day(day: dt.date, *, territory: Territory) -> dt.date:
    """Give the day itself when it is worked, otherwise the last worked day before it."""
    while not is_working_day(day, territory=territory):
        day -= dt.timedelta(days=1)
    return day


def add_working_days(day: dt.date, count: int, *, territory: Territory) -> dt.date:
    """Count working days after a day, that day excluded."""
    if count < 0:
        raise ValueError("working days are counted forward")
    for _ in range(count):
        day = next_working_day(day + dt.timedelta(days=1), territory=territory)
    return day


@cache
def bank_holidays(year: int) -> frozenset[dt.date]:
    """Give the days on which no transfer is carried in euros, whatever the territory (TARGET)."""
    easter = easter_sunday(year)
    fixed = {dt.date(year, month, day) for month, day in ((1, 1), (5, 1), (12, 25), (12, 26))}
    return frozenset(fixed | {easter - dt.timedelta(days=2), easter + dt.timedelta(days=1)})


def is_bank_day(day: dt.date, *, territory: Territory) -> bool:
    """Tell whether money moves on a day: it is worked here, and transfers are carried."""
    return is_working_day(day, territory=territory) and day not in bank_holidays(day.year)


def next_bank_day(day: dt.date, *, territory: Territory) -> dt.date:
    """Give the day itself when money moves on it, otherwise the first such day after it."""
    while not is_bank_day(day, territory=territory):
        day += dt.timedelta(days=1)
    return day


def previous_bank_day(day: dt.date, *, territory: Territory) -> dt.date:
    """Give the day itself when money moves on it, otherwise the last such day before it."""
    while not is_bank_day(day, territory=territory):
        day -= dt.timedelta(days=1)
    return day


def add_bank_days(day: dt.date, count: int, *, territory: Territory) -> dt.date:
    """Count bank days after a day, that day excluded."""
    if count < 0:
        raise ValueError("bank days are counted forward")
    for _ in range(count):
        day = next_bank_day(day + dt.timedelta(days=1), territory=territory)
    return day


def due_date_for(issued_on: dt.date, *, professional: bool) -> dt.date | None:
    """Give the legal due date of an invoice that prints none: thirty days, between professionals only."""
    return issued_on + DEFAULT_TERM if professional else None
