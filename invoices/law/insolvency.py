"""Collective proceedings and over-indebtedness: what stops, and by when the claim is declared (R35–R38)."""

import datetime as dt
from dataclasses import dataclass

from cabinets.territories import Territory
from invoices.calendar import previous_working_day
from invoices.law.limitation import shift_months

DECLARE_MONTHS = 2
OVERSEAS_MONTHS = 2
RELIEF_MONTHS = 6
CHECK_VALID = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Declaration:
    """The claim to declare to the mandataire: last day, working day to act by, last day to ask for relief."""

    last_day: dt.date
    act_by: dt.date
    relief_by: dt.date


def last_day_of_interest(judged_on: dt.date) -> dt.date:
    """Give the eve of the judgment or of the admission: interest stops there for good."""
    return judged_on - dt.timedelta(days=1)


def declaration(
    published_on: dt.date, *, is_across_the_sea: bool = False, territory: Territory = Territory.METROPOLE
) -> Declaration:
    """Count two months from the publication at the BODACC, two more when the sea lies between creditor and court."""
    last_day = shift_months(published_on, DECLARE_MONTHS + (OVERSEAS_MONTHS if is_across_the_sea else 0))
    return Declaration(
        last_day=last_day,
        act_by=previous_working_day(last_day, territory=territory),
        relief_by=shift_months(published_on, RELIEF_MONTHS),
    )


def is_check_fresh(checked_at: dt.datetime | None, *, now: dt.datetime) -> bool:
    """Tell whether a look at the BODACC is recent enough to speak on (R37)."""
    return checked_at is not None and now - checked_at <= CHECK_VALID
