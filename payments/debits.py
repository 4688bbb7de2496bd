"""Debits under a mandate, as decisions: when one may be presented to the bank, when it must wait or not be at all."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from cabinets.territories import Territory
from invoices.calendar import add_bank_days

# A bank takes a first SEPA debit days before it collects it; until then it can still be taken back.
LEAD_BANK_DAYS = 5


class Verdict(StrEnum):
    """What may become of a debit."""

    GO = "go"
    WAIT = "wait"
    """Not now; perhaps later."""
    NO = "no"
    """It is not to be taken, and is taken back where it still can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitFacts:
    """What decides of one debit, read at one instant."""

    is_mandate_signed: bool
    is_plan_running: bool
    is_stopped: bool
    """A fact other than the plan stops what concerns these invoices (a dispute, a hold, a procedure), or legal aid."""
    is_road_open: bool
    """The firm is live, and its account at the provider in service."""
    is_paid_elsewhere: bool
    """Somebody is paying these invoices from a page at this moment."""
    is_source_stale: bool
    """The payments received lately are unknown: a transfer may have paid what a debit would take again."""
    left_cents: int
    """What is left to pay of the instalment."""
    cents: int
    """What the debit asks for."""


def verdict_of(facts: DebitFacts) -> Verdict:
    """Say whether a debit may be asked of the bank now; every doubt waits, every stop ends it."""
    if not (facts.is_mandate_signed and facts.is_plan_running) or facts.is_stopped or facts.left_cents < facts.cents:
        return Verdict.NO
    if not facts.is_road_open or facts.is_paid_elsewhere or facts.is_source_stale:
        return Verdict.WAIT
    return Verdict.GO


def is_time(due_on: dt.date, *, on: dt.date, territory: Territory) -> bool:
    """Say whether a debit of that day is to be handed over: five bank days before it, and afterwards."""
    return add_bank_days(on, LEAD_BANK_DAYS, territory=territory) >= due_on


def spread(cents: int, owed: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    """Share a debit among invoices, in their order; what none of them owes is left out."""
    left, parts = cents, {}
    for invoice_id, owed_cents in owed:
        if part := min(left, max(owed_cents, 0)):
            parts[invoice_id] = part
            left -= part
    return parts
