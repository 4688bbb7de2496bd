"""When another account of the firm takes the place of the one its clients pay on: two people, and a day."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

DELAY = dt.timedelta(hours=24)
# A proposal nobody confirmed is over.
LASTS = dt.timedelta(days=7)
# Who stopped being a partner since then still counts, and who became one since then does not stand for the second.
SETTLED_FOR = dt.timedelta(days=7)


class Next(StrEnum):
    """What becomes of a proposed account."""

    WAITS_FOR_SOMEBODY = "waits_for_somebody"
    WAITS_FOR_ITS_DAY = "waits_for_its_day"
    APPLIES = "applies"
    LAPSES = "lapses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides of it."""

    proposed_at: dt.datetime
    is_confirmed: bool
    needs_somebody: bool
    """Another partner had a say when it was proposed; nothing done since takes that back."""


def next_of(facts: Facts, *, now: dt.datetime) -> Next:
    """Say what becomes of a proposed account: a second partner where there is one, and a day in every case."""
    if facts.needs_somebody and not facts.is_confirmed:
        return Next.LAPSES if now >= facts.proposed_at + LASTS else Next.WAITS_FOR_SOMEBODY
    return Next.APPLIES if now >= facts.proposed_at + DELAY else Next.WAITS_FOR_ITS_DAY


def settled_since(*, opened_at: dt.datetime, proposed_at: dt.datetime) -> dt.datetime:
    """Say since when the second partner must have been one: a week, or half the age of a firm younger than two."""
    return proposed_at - min(SETTLED_FOR, (proposed_at - opened_at) / 2)
