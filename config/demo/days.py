"""The day of the demonstration, and the hours it is told at."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from django.utils import timezone

from cabinets.territories import Territory
from invoices.calendar import is_working_day

TERRITORIES = (Territory.METROPOLE, Territory.ALSACE_MOSELLE, Territory.MARTINIQUE)
PARIS = ZoneInfo("Europe/Paris")
PLANNING = dt.time(4, 30)
DEPARTURE = dt.time(10)


def demo_day(today: dt.date) -> dt.date:
    """Return the last day, this one included, that is worked in the three territories."""
    while not all(is_working_day(today, territory=place) for place in TERRITORIES):
        today -= dt.timedelta(days=1)
    return today


@contextmanager
def told_at(moment: dt.datetime) -> Iterator[None]:
    """Let every service of this process live at an instant of the story, so that its rows bear the story's hours."""
    instant, real = moment.astimezone(dt.UTC), timezone.now
    timezone.now = lambda: instant  # every module reads the clock through this name
    try:
        yield
    finally:
        timezone.now = real


def at(day: dt.date, hour: dt.time, zone: ZoneInfo = PARIS) -> dt.datetime:
    """Return an instant of a day, by the clock of a zone."""
    return dt.datetime.combine(day, hour, tzinfo=zone)
