"""What a message asks beside the principal, as of the day it leaves: computed by the law's rules, never by hand."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cabinets.enums import ClientKind
from dunning.enums import Tone
from dunning.models import Reminder, ReminderLine
from dunning.policy import FIRM_TONES
from invoices.services import claims
from invoices.services.claims import Statement
from templates_lib.library import Variant
from templates_lib.rates import rate_words

# Only these owe interest and the indemnity without having been put on notice (R12–R15).
CHARGED = frozenset({ClientKind.PROFESSIONAL, ClientKind.PUBLIC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The principal a message claims, and the statement of each invoice where lateness adds to it."""

    on: dt.date
    principal_cents: int
    statements: dict[UUID, Statement] = field(default_factory=dict)

    @property
    def variant(self) -> Variant | None:
        """Say which form of the text is true: with its figures, without them, or of the principal alone."""
        if not self.statements:
            return None
        rows = self.statements.values()
        if any(row.is_interest_waived or row.is_indemnity_waived or row.indemnity_cents == 0 for row in rows):
            return Variant.BARE
        if any(row.interest_cents is None for row in rows):
            return Variant.UNRATED
        return None

    @property
    def interest_cents(self) -> int:
        """Add the interest that is known."""
        return sum(row.interest_cents or 0 for row in self.statements.values())

    @property
    def total_cents(self) -> int:
        """Add principal, interest and indemnities."""
        return self.principal_cents + sum(row.accessories_cents for row in self.statements.values())


def sums_of(reminder: Reminder, claimed: Sequence[ReminderLine], *, on: dt.date) -> Sums:
    """Return what a message asks on a day: the principal alone before the firm steps, and of who owes no more."""
    principal = sum(line.owed_cents for line in claimed)
    if Tone(reminder.step.tone) not in FIRM_TONES or ClientKind(reminder.client_kind) not in CHARGED:
        return Sums(on=on, principal_cents=principal)
    return Sums(
        on=on,
        principal_cents=principal,
        statements=claims.statement_of(invoices=[line.invoice for line in claimed], on=on),
    )


def rate_of(sums: Sums, claimed: Sequence[ReminderLine], language: str) -> str:
    """Return the rate in words; where the fee agreements differ, each with the invoices it concerns."""
    words: dict[str, list[str]] = {}
    for line in claimed:
        row = sums.statements[line.invoice_id]
        said = rate_words(mode=row.rate_mode.value, rate=row.rate_percent, half=row.rate_half.label, language=language)
        words.setdefault(said, []).append(line.invoice.number)
    if len(words) == 1:
        return next(iter(words))
    return " ; ".join(f"{said} ({', '.join(numbers)})" for said, numbers in words.items())
