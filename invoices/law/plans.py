"""Payment plans and the order in which a payment extinguishes a debt (R16, R29 and the note under R75)."""

import datetime as dt

from cabinets.enums import ClientKind
from invoices.law.interest import AllocationOrder
from invoices.law.limitation import shift_months

# What is free and short for a consumer until a lawyer has read the wording in force since 20 November 2026 (U12).
CONSUMER_MONTHS = 3
_PROTECTED = frozenset({ClientKind.CONSUMER, ClientKind.UNKNOWN})


def refusal(
    *, kind: ClientKind, due_on: dt.date, on: dt.date, last_instalment_on: dt.date, extra_cost_cents: int = 0
) -> str:
    """Say why a plan may not be offered, or nothing: a consumer's is free, short, and on a debt already due."""
    if kind not in _PROTECTED:
        return ""
    if on <= due_on:
        return "Un échéancier ne se propose à un particulier qu’après l’échéance : avant, ce serait un crédit."
    if extra_cost_cents > 0:
        return "Un échéancier accordé à un particulier est sans frais ni intérêts."
    if last_instalment_on > shift_months(on, CONSUMER_MONTHS):
        return "Un échéancier proposé à un particulier tient en trois mois au plus."
    return ""


def order_in_force(chosen: AllocationOrder, *, is_on_notice: bool) -> AllocationOrder:
    """Say what a payment extinguishes first: the firm's choice while things are amicable, interest once on notice."""
    return AllocationOrder.INTEREST_FIRST if is_on_notice else chosen
