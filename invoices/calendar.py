"""Days that count: due dates, working days and French public holidays, territory by territory."""

import datetime as dt
import re
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo

import holidays as published_holidays

DEFAULT_TERM = dt.timedelta(days=30)
SATURDAY = 5


class Territory(StrEnum):
    """Where the law of public holidays changes; a place outside this list has no value here."""

    METROPOLE = "metropole", "Métropole"
    ALSACE_MOSELLE = "alsace_moselle", "Alsace-Moselle"
    GUADELOUPE = "guadeloupe", "Guadeloupe"
    MARTINIQUE = "martinique", "Martinique"
    GUYANE = "guyane", "Guyane"
    REUNION = "reunion", "La Réunion"
    MAYOTTE = "mayotte", "Mayotte"
    SAINT_MARTIN = "saint_martin", "Saint-Martin"
    SAINT_BARTHELEMY = "saint_barthelemy", "Saint-Barthélemy"

    label: str

    def __new__(cls, value: str, label: str) -> "Territory":
        """Attach the French label to the stored value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


_ZONES = {
    Territory.METROPOLE: "Europe/Paris",
    Territory.ALSACE_MOSELLE: "Europe/Paris",
    Territory.GUADELOUPE: "America/Guadeloupe",
    Territory.MARTINIQUE: "America/Martinique",
    Territory.GUYANE: "America/Cayenne",
    Territory.REUNION: "Indian/Reunion",
    Territory.MAYOTTE: "Indian/Mayotte",
    Territory.SAINT_MARTIN: "America/Marigot",
    Territory.SAINT_BARTHELEMY: "America/St_Barthelemy",
}
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
_BY_POSTCODE = {"97133": Territory.SAINT_BARTHELEMY, "97150": Territory.SAINT_MARTIN}
_BY_DEPARTMENT = {
    "57": Territory.ALSACE_MOSELLE,
    "67": Territory.ALSACE_MOSELLE,
    "68": Territory.ALSACE_MOSELLE,
    "971": Territory.GUADELOUPE,
    "972": Territory.MARTINIQUE,
    "973": Territory.GUYANE,
    "974": Territory.REUNION,
    "976": Territory.MAYOTTE,
}
_BY_COUNTRY = {
    "GP": Territory.GUADELOUPE,
    "MQ": Territory.MARTINIQUE,
    "GF": Territory.GUYANE,
    "RE": Territory.REUNION,
    "YT": Territory.MAYOTTE,
    "MF": Territory.SAINT_MARTIN,
    "BL": Territory.SAINT_BARTHELEMY,
}
_METROPOLE = re.compile(r"(?:0[1-9]|[1-8][0-9]|9[0-5])[0-9]{3}")


def territory_of(postcode: str | None, country: str = "FR") -> Territory | None:
    """Name the territory of a postal address, or None when the firm's own calendar must serve."""
    iso = country.strip().upper()
    if iso in _BY_COUNTRY:
        return _BY_COUNTRY[iso]
    code = re.sub(r"\s", "", postcode or "")
    if iso not in {"", "FR", "FRANCE"} or not re.fullmatch(r"[0-9]{5}", code):
        return None
    known = _BY_POSTCODE.get(code) or _BY_DEPARTMENT.get(code[:3]) or _BY_DEPARTMENT.get(code[:2])
    return known or (Territory.METROPOLE if _METROPOLE.fullmatch(code) else None)


def zone_of(territory: Territory) -> ZoneInfo:
    """Give the time zone people live by in this territory."""
    return ZoneInfo(_ZONES[territory])


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


def due_date_for(issued_on: dt.date, *, professional: bool) -> dt.date | None:
    """Give the legal due date of an invoice that prints none: thirty days, between professionals only."""
    return issued_on + DEFAULT_TERM if professional else None
