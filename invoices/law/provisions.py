"""Provisions: asked twice, then a person decides; no penalty, no indemnity, no formal notice (R34)."""

from enum import StrEnum

LAST_OFFSET_DAYS = 10


class Next(StrEnum):
    """What comes next for an unpaid provision."""

    REMIND = "remind"
    PERSON = "person"


def next_for(*, offset_days: int) -> Next:
    """Say whether a step may speak of a provision, or whether a person decides: decline, withdraw, wait."""
    return Next.REMIND if offset_days <= LAST_OFFSET_DAYS else Next.PERSON
