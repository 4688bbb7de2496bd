"""A firm's subscription as a decision: on trial, in force, about to end, over; only the last two silence it."""

import calendar
import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

TRIAL_DAYS = 30
# A firm hears of the end of its trial a week before.
WARNED_DAYS = 7


class Standing(StrEnum):
    """Where a firm stands towards the operator."""

    FREE = "free"
    """Nothing is sold here, or the firm is a demonstration: nothing lapses."""
    TRIAL = "trial"
    ACTIVE = "active"
    ENDING = "ending"
    """Cancelled; it runs until the day it was paid through."""
    UNPAID = "unpaid"
    """The operator wrote that its invoices are not paid."""
    OVER = "over"


# A firm that speaks to nobody still reads, corrects and exports everything.
SILENT = frozenset({Standing.UNPAID, Standing.OVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed, as it stands."""

    is_sold: bool
    trial_ends_on: dt.date | None = None
    began_on: dt.date | None = None
    ends_on: dt.date | None = None
    is_unpaid: bool = False


def standing_of(terms: Terms, *, on: dt.date) -> Standing:
    """Say where a firm stands on a day."""
    # A debt to the operator outlives its prices.
    if terms.is_unpaid:
        return Standing.UNPAID
    if not terms.is_sold:
        return Standing.FREE
    if terms.began_on is not None and terms.began_on <= on:
        if terms.ends_on is None:
            return Standing.ACTIVE
        return Standing.ENDING if on <= terms.ends_on else Standing.OVER
    if terms.trial_ends_on is not None and on <= terms.trial_ends_on:
        return Standing.TRIAL
    return Standing.OVER


def first_day(*, trial_ends_on: dt.date | None, on: dt.date) -> dt.date:
    """Return the day an offer chosen today begins: the trial is lived to its end first."""
    if trial_ends_on is not None and on <= trial_ends_on:
        return trial_ends_on + dt.timedelta(days=1)
    return on


def last_day_paid(*, began_on: dt.date, on: dt.date) -> dt.date:
    """Return the last day of the month of subscription that is running: it was begun, it is owed."""
    months = (on.year - began_on.year) * 12 + on.month - began_on.month
    day = _shifted(began_on, months)
    following = _shifted(began_on, months + 1) if day <= on else day
    return following - dt.timedelta(days=1)


def _shifted(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
