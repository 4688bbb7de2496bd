"""Payment plans as arithmetic: which dates, which amounts, and how far the money that came has paid them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from cabinets.enums import ClientKind
from cabinets.territories import Territory
from invoices.calendar import add_bank_days, next_bank_day, previous_bank_day, previous_working_day
from invoices.law.limitation import shift_months
from invoices.law.plans import CONSUMER_MONTHS, refusal
from invoices.money import show_euros

FEWEST = 2
MOST = 4
# What a person of the firm may agree with a professional, beyond what the debtor's page offers.
MOST_BY_HAND = 12
# Two dates closer than this are one payment cut in two.
CLOSEST_DAYS = 7
# A transfer ordered on its day arrives one or two bank days later.
GRACE_BANK_DAYS = 2
PROTECTED = frozenset({ClientKind.CONSUMER, ClientKind.UNKNOWN})


class Debt(NamedTuple):
    """An invoice a plan would split: whose, due when, and what is left of it."""

    invoice_id: UUID
    kind: ClientKind
    due_on: dt.date
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a firm lets a debtor propose."""

    is_offered: bool = True
    most: int = 3
    smallest_cents: int = 20_000
    """Below it, a debt is paid at once."""
    instalment_cents: int = 5_000
    """No instalment is smaller."""
    months: int = CONSUMER_MONTHS
    first_within_days: int = 15


class Part(NamedTuple):
    """One instalment: its place, its day, its amount."""

    rank: int
    due_on: dt.date
    cents: int


class PartState(StrEnum):
    """Where an instalment is."""

    PAID = "paid"
    DUE = "due"
    LATE = "late"
    """Its day is over, its grace is not."""
    MISSED = "missed"


class Standing(NamedTuple):
    """An instalment and what the money that came paid of it."""

    rank: int
    due_on: dt.date
    cents: int
    paid_cents: int
    state: PartState

    @property
    def left_cents(self) -> int:
        """Return what is still to pay of it."""
        return self.cents - self.paid_cents


def split(cents: int, count: int) -> list[int]:
    """Share an amount in equal parts, to the cent; what does not divide is paid first."""
    part, rest = divmod(cents, count)
    return [part + rest, *[part] * (count - 1)]


def span_months(*, debts: Iterable[Debt], months: int) -> int:
    """Return how long a plan of these debts may last: a consumer's is short, whatever the firm allows."""
    is_protected = any(debt.kind in PROTECTED for debt in debts)
    return min(months, CONSUMER_MONTHS) if is_protected else months


def compute(
    *, cents: int, count: int, first_on: dt.date, on: dt.date, months: int, territory: Territory
) -> tuple[Part, ...]:
    """Return the instalments of a debt: monthly from the first date, closer together when the span asks for it.

    Each falls on a day on which money moves, none before tomorrow, and the last within the span of `months`.
    """
    last_day = previous_bank_day(shift_months(on, months), territory=territory)
    first = max(first_on, on + dt.timedelta(days=1))
    wanted = [shift_months(first, rank) for rank in range(count)]
    if wanted[-1] > last_day and count > 1:
        step = max((last_day - first).days // (count - 1), 0)
        wanted = [first + dt.timedelta(days=step * rank) for rank in range(count)]
    days = [next_bank_day(day, territory=territory) for day in wanted]
    # Moved forward from the very end of the span, the last date goes back into it.
    days[-1] = max(min(days[-1], last_day), days[0]) if count > 1 else days[-1]
    return tuple(
        Part(rank, day, part) for rank, (day, part) in enumerate(zip(days, split(cents, count), strict=True), 1)
    )


def why_not(*, debts: Sequence[Debt], parts: Sequence[Part], limits: Limits, on: dt.date) -> str:
    """Say why a debtor may not propose this plan, or nothing."""
    cents = sum(debt.cents for debt in debts)
    if not limits.is_offered:
        return "Le cabinet ne propose pas de paiement en plusieurs fois ici. Contactez-le."
    if cents < limits.smallest_cents:
        return f"Le paiement en plusieurs fois est proposé à partir de {show_euros(limits.smallest_cents)}."
    if len(parts) > limits.most:
        return f"Le cabinet accepte {limits.most} versements au plus."
    if min((part.cents for part in parts), default=0) < limits.instalment_cents:
        return f"Un versement est de {show_euros(limits.instalment_cents)} au moins : choisissez-en moins."
    if parts and parts[0].due_on > next_bank_day_after(on, limits.first_within_days):
        return f"Le premier versement se fait dans les {limits.first_within_days} jours."
    return refused_by_law(debts=debts, parts=parts, on=on)


def refused_by_law(*, debts: Sequence[Debt], parts: Sequence[Part], on: dt.date) -> str:
    """Say why nobody may agree on this plan, or nothing: T76, dates in disorder, nothing to split."""
    if not debts or sum(debt.cents for debt in debts) <= 0:
        return "Aucune de ces factures ne peut être payée en plusieurs fois."
    if len(parts) < FEWEST:
        return "Un échéancier compte deux versements au moins."
    days = [part.due_on for part in parts]
    if days[0] <= on:
        return "Le premier versement est demain au plus tôt."
    if any((later - sooner).days < CLOSEST_DAYS for sooner, later in pairwise(days)):
        return "Ces dates sont trop proches l’une de l’autre : avancez la première, ou choisissez moins de versements."
    reasons = (
        refusal(kind=debt.kind, due_on=debt.due_on, on=on, last_instalment_on=days[-1]) for debt in debts
    )  # fmt: skip
    return next((reason for reason in reasons if reason), "")


def next_bank_day_after(on: dt.date, days: int) -> dt.date:
    """Return the bank day on which a date chosen so many days from now may be moved."""
    return next_bank_day(on + dt.timedelta(days=days), territory=Territory.METROPOLE)


def last_day_of_grace(due_on: dt.date, *, tolerated_until: dt.date | None, territory: Territory) -> dt.date:
    """Return the last day on which money for an instalment is still in time."""
    return add_bank_days(max(due_on, tolerated_until or due_on), GRACE_BANK_DAYS, territory=territory)


def remind_from(due_on: dt.date, *, days: int, territory: Territory) -> dt.date:
    """Return the day from which an instalment is reminded: a working day, so that a message leaves before it."""
    return previous_working_day(due_on - dt.timedelta(days=days), territory=territory)


def standings(
    parts: Sequence[tuple[Part, dt.date | None]], *, paid_cents: int, on: dt.date, territory: Territory
) -> tuple[Standing, ...]:
    """Pay instalments in their order with what came in since the plan began; a day tolerated is one more day."""
    left, found = max(paid_cents, 0), []
    for part, tolerated_until in parts:
        paid = min(left, part.cents)
        left -= paid
        found.append(Standing(*part, paid, _state(part, paid, tolerated_until, on=on, territory=territory)))
    return tuple(found)


def _state(part: Part, paid: int, tolerated_until: dt.date | None, *, on: dt.date, territory: Territory) -> PartState:
    if paid >= part.cents:
        return PartState.PAID
    if on <= max(part.due_on, tolerated_until or part.due_on):
        return PartState.DUE
    grace = last_day_of_grace(part.due_on, tolerated_until=tolerated_until, territory=territory)
    return PartState.LATE if on <= grace else PartState.MISSED
