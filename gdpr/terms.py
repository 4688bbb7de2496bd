"""Until when: the last day each kind of datum is kept (law.md R60). Pure."""

import calendar
import datetime as dt
from dataclasses import dataclass

from cabinets.enums import ClientKind
from invoices.law.limitation import CONSUMER_YEARS, OTHERS_YEARS, shift_months

YEAR = 12
ANSWER_MONTHS, LONGER_MONTHS = 1, 2
LEAST_ACCOUNTING_YEARS, USUAL_ACCOUNTING_YEARS = 6, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """What the length of one engagement's messages depends on."""

    kind: ClientKind
    is_owed: bool
    mandate_ended_on: dt.date | None
    last_moved_on: dt.date
    """The last invoice, payment or message."""


def fiscal_year_end(day: dt.date, *, month: int) -> dt.date:
    """Return the last day of the fiscal year a voucher belongs to; `month` is the one the year ends in."""
    year = day.year if day.month <= month else day.year + 1
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def accounts_kept_until(day: dt.date, *, years: int, month: int) -> dt.date:
    """Return the last day a voucher of that day is kept: so many years after its fiscal year (C. com. L.123-22)."""
    end = fiscal_year_end(day, month=month)
    return dt.date(end.year + years, month, calendar.monthrange(end.year + years, month)[1])


def accounts_gone_through(on: dt.date, *, years: int, month: int) -> dt.date:
    """Return the last day whose vouchers have had their time on a day: the end of a fiscal year."""
    this_end = fiscal_year_end(on, month=month)
    year = this_end.year - years - 1
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def messages_kept_until(debt: Debt) -> dt.date | None:
    """Return the last day messages about a debt are kept; None while it is owed.

    Limitation runs from the end of the engagement: two years against a consumer (C. conso. L.218-2), five otherwise
    (C. civ. 2224). An engagement whose end nobody wrote down counts from its last movement, for five years: too long
    is a smaller fault than proof that went too soon.
    """
    if debt.is_owed:
        return None
    if debt.mandate_ended_on is None:
        return shift_months(debt.last_moved_on, OTHERS_YEARS * YEAR)
    years = CONSUMER_YEARS if debt.kind == ClientKind.CONSUMER else OTHERS_YEARS
    return shift_months(max(debt.mandate_ended_on, debt.last_moved_on), years * YEAR)


def answer_due_on(received_on: dt.date, *, is_extended: bool = False) -> dt.date:
    """Return the last day to answer a person (GDPR art. 12-3): one month, two more when they were told why."""
    return shift_months(received_on, ANSWER_MONTHS + (LONGER_MONTHS if is_extended else 0))


# After how long without a movement a client who owes nothing leaves daily use (CNIL, délibération 2021-131).
ARCHIVE_MONTHS = (6, 12, 24, 36)
USUAL_ARCHIVE_MONTHS = 12
# How long everything stays readable, and the closing of an account may be taken back (GDPR art. 28-3-g).
CLOSING_DAYS = 30
# How long the whole copy of a firm waits to be fetched.
COPY_DAYS = 7
# How long before it receives anything a company is announced to the firms (GDPR art. 28-2; law.md R64).
NOTICE_DAYS = 30
