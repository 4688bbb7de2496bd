"""Registered letters: which one a client may be sent, how long it waits, and when an answer is due (R41–R47)."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from cabinets.enums import ClientKind

PROFESSIONAL_ANSWER_DAYS = 8
OTHERS_ANSWER_DAYS = 15
ELECTRONIC_WINDOW_DAYS = 15
POST_OFFICE_DAYS = 15
_DAY = dt.timedelta(days=1)
_NEED_CONSENT = frozenset({ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL, ClientKind.UNKNOWN})


class Post(StrEnum):
    """A way a formal notice may go."""

    # Qualified under eIDAS, article 44: the only electronic delivery that is a registered letter.
    ELECTRONIC = "electronic"
    PAPER = "paper"
    # A mere electronic delivery: never called a registered letter, never a formal notice (R46).
    DELIVERY = "delivery"


class Outcome(StrEnum):
    """What became of a registered letter."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    UNCLAIMED = "unclaimed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Window:
    """The days an electronic registered letter waits to be accepted, and the day its proof is due at the latest."""

    first_day: dt.date
    last_day: dt.date
    proof_by: dt.date


def routes(kind: ClientKind, *, has_consented: bool) -> tuple[Post, ...]:
    """Give the ways in order: without their consent, who is no professional receives paper (R43, R47)."""
    if kind == ClientKind.PUBLIC or (kind in _NEED_CONSENT and not has_consented):
        return (Post.PAPER,)
    return (Post.ELECTRONIC, Post.PAPER)


def is_registered(post: Post) -> bool:
    """Tell whether a delivery may be called a registered letter (R46)."""
    return post in {Post.ELECTRONIC, Post.PAPER}


def electronic_window(notified_on: dt.date) -> Window:
    """Count fifteen days from the day after the notice to the recipient (R44)."""
    last_day = notified_on + dt.timedelta(days=ELECTRONIC_WINDOW_DAYS)
    return Window(first_day=notified_on + _DAY, last_day=last_day, proof_by=last_day + _DAY)


def kept_until(presented_on: dt.date) -> dt.date:
    """Give the last of the fifteen calendar days paper waits at the post office (R47)."""
    return presented_on + dt.timedelta(days=POST_OFFICE_DAYS)


def answer_days(kind: ClientKind) -> int:
    """Give the days to answer: eight for a professional, fifteen for others; the law only asks for reason."""
    return PROFESSIONAL_ANSWER_DAYS if kind == ClientKind.PROFESSIONAL else OTHERS_ANSWER_DAYS


def answer_by(presented_on: dt.date, *, days: int) -> dt.date:
    """Count the answer from the first presentation, never from a receipt that may not come (R42)."""
    return presented_on + dt.timedelta(days=days)


def is_formal_notice(outcome: Outcome) -> bool:
    """Tell whether a letter that ended so put the debtor on notice: unclaimed and refused ones did (R42)."""
    return outcome is not Outcome.RETURNED


def consent_covers(*, consented_email: str, email: str) -> bool:
    """Tell whether a consent holds for an address: another address is another consent (R49)."""
    return consented_email.strip().casefold() == email.strip().casefold() != ""
