"""Before the bâtonnier: who may be asked to fix the fees, how he is seised, and the days that count (R19–R25)."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from cabinets.enums import ClientKind
from cabinets.territories import Territory
from invoices.calendar import previous_working_day
from invoices.law.limitation import shift_months

DECISION_MONTHS = 4
LONGEST_EXTENSION_MONTHS = 4
RECOURSE_MONTHS = 1
NOTIFICATION_DAYS = 15
# Enforceable despite an appeal up to this sum, since 1 November 2021 (art. 175-1).
PROVISIONAL_CENTS = 150_000


class Forum(StrEnum):
    """Who decides of a contested fee."""

    BATONNIER = "batonnier"
    ADMINISTRATIVE_JUDGE = "administrative_judge"


class Referral(StrEnum):
    """How a request reaches the bâtonnier."""

    REGISTERED_LETTER = "registered_letter"
    HAND_DELIVERY = "hand_delivery"
    PLAIN_LETTER = "plain_letter"
    EMAIL = "email"


class Act(StrEnum):
    """What a deadline is for."""

    DECISION = "decision"
    SEISE_PRESIDENT = "seise_president"
    NOTIFICATION = "notification"
    APPEAL = "appeal"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A last day, and the working day to act by when the last day is not one."""

    act: Act
    last_day: dt.date
    act_by: dt.date


def forum_for(kind: ClientKind) -> Forum:
    """Name who is competent: under a public contract the administrative judge alone (R25)."""
    return Forum.ADMINISTRATIVE_JUDGE if kind == ClientKind.PUBLIC else Forum.BATONNIER


def seises(referral: Referral) -> bool:
    """Tell whether a request sent this way seises the bâtonnier: a plain letter does not (R21)."""
    return referral in {Referral.REGISTERED_LETTER, Referral.HAND_DELIVERY}


def deadlines(
    *,
    seised_on: dt.date,
    extended_months: int = 0,
    decided_on: dt.date | None = None,
    notified_on: dt.date | None = None,
    territory: Territory = Territory.METROPOLE,
) -> tuple[Deadline, ...]:
    """Give the days that still count: his decision or the month after his silence; then notification and appeal."""
    if not 0 <= extended_months <= LONGEST_EXTENSION_MONTHS:
        raise ValueError("the bâtonnier may take up to four months more, once")
    if notified_on is not None:
        return (_deadline(Act.APPEAL, shift_months(notified_on, RECOURSE_MONTHS), territory),)
    if decided_on is not None:
        last_day = decided_on + dt.timedelta(days=NOTIFICATION_DAYS)
        return (_deadline(Act.NOTIFICATION, last_day, territory),)
    answer = shift_months(seised_on, DECISION_MONTHS + extended_months)
    return (
        _deadline(Act.DECISION, answer, territory),
        _deadline(Act.SEISE_PRESIDENT, shift_months(answer, RECOURSE_MONTHS), territory),
    )


def is_enforceable_at_once(*, fixed_cents: int, undisputed_cents: int = 0) -> bool:
    """Tell whether a decision may be enforced despite an appeal; by itself it is no enforceable title (R23)."""
    return fixed_cents <= max(PROVISIONAL_CENTS, undisputed_cents)


def _deadline(act: Act, last_day: dt.date, territory: Territory) -> Deadline:
    return Deadline(act, last_day, previous_working_day(last_day, territory=territory))
