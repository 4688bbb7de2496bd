"""When an operator may look at a firm's pages: asked with a reason, answered by a partner, an hour at most."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

# A request nobody answered is over.
WAITS = dt.timedelta(hours=72)
MINUTES = (15, 30, 60)
LONGEST = dt.timedelta(minutes=max(MINUTES))


class State(StrEnum):
    """What became of a request."""

    WAITS = "waits"
    LAPSED = "lapsed"
    REFUSED = "refused"
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides of it."""

    asked_at: dt.datetime
    is_answered: bool = False
    is_granted: bool = False
    answered_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    has_author: bool = False
    """A partner answered, and not the clock."""


def state_of(facts: Facts, *, now: dt.datetime) -> State:
    """Say what became of a request at an instant; what is not certainly open is shut."""
    if not facts.is_answered:
        return State.WAITS if now < facts.asked_at + WAITS else State.LAPSED
    if not facts.is_granted or facts.answered_at is None or facts.ends_at is None:
        return State.REFUSED if facts.has_author else State.LAPSED
    is_within = facts.answered_at <= now < min(facts.ends_at, facts.answered_at + LONGEST)
    return State.OPEN if is_within and facts.ended_at is None else State.OVER
