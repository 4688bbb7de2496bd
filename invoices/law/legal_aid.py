"""Legal aid: full, no fee at all; partial, only the complement that was agreed and notified (R32, R33)."""

import datetime as dt

from cabinets.enums import LegalAid

NOTICE_DAYS = 15


def may_ask_a_fee(aid: LegalAid) -> bool:
    """Tell whether the lawyer may ask or accept a fee (R32)."""
    return aid != LegalAid.TOTAL


def notice_by(agreement_on: dt.date) -> dt.date:
    """Give the last day to notify the bâtonnier of a complementary fee agreement; later it is void (R33)."""
    return agreement_on + dt.timedelta(days=NOTICE_DAYS)


def is_complement_in_order(*, agreement_on: dt.date | None, notified_on: dt.date | None) -> bool:
    """Tell whether a complementary fee may be asked: agreed in writing, and notified in time."""
    return agreement_on is not None and notified_on is not None and notified_on <= notice_by(agreement_on)
