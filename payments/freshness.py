"""Whether the payments received lately are known: nothing is claimed, nor collected, in ignorance of them."""

import datetime as dt

DECLARED_VALID_DAYS = 7
BESIDE_A_FEED_VALID_DAYS = 1


def are_payments_stale(*, declared_on: dt.date | None, feed_fresh_until_on: dt.date | None, on: dt.date) -> bool:
    """Say whether no deposit of the bank answers for this day, and nobody declared the payments up to date lately.

    A declaration holds seven days; where the bank deposits its statements and stopped, until the next day only.
    """
    if feed_fresh_until_on is not None and on <= feed_fresh_until_on:
        return False
    valid = DECLARED_VALID_DAYS if feed_fresh_until_on is None else BESIDE_A_FEED_VALID_DAYS
    return declared_on is None or (on - declared_on).days > valid
