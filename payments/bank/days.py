"""The days on which banks of the euro area settle (TARGET): the week without Saturday, Sunday and six holidays."""

import datetime as dt

from invoices.calendar import SATURDAY, easter_sunday

_FIXED = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
# A statement of a day comes in the following morning: one more bank day may pass before it is missing.
FRESH_DAYS = 2


def is_bank_day(day: dt.date) -> bool:
    """Tell whether euro transfers settle on this day."""
    easter = easter_sunday(day.year)
    closed = {easter - dt.timedelta(days=2), easter + dt.timedelta(days=1)}
    return day.weekday() < SATURDAY and (day.month, day.day) not in _FIXED and day not in closed


def fresh_until(through_on: dt.date) -> dt.date:
    """Return the last day a statement through this one answers for: one whole bank day may be missing after it."""
    day, left = through_on, FRESH_DAYS
    while left:
        day += dt.timedelta(days=1)
        left -= is_bank_day(day)
    return day
