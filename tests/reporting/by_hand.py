"""The figures of the demonstration's firms, done again one invoice at a time from what was billed and what was paid.

The product tells the past backwards from the balance; here each invoice is followed from its issue: they must agree.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from config.demo.firms import FIRMS
from invoices.enums import InvoiceState
from invoices.models import Invoice
from payments.enums import PaymentState
from payments.models import Allocation
from reporting.figures import position
from reporting.queries import BILLED


@dataclass(frozen=True)
class Life:
    """One invoice: what it asked, and what came on which day."""

    issued_on: dt.date
    due_on: dt.date
    net: int
    paid: tuple[tuple[dt.date, int], ...]
    is_open: bool

    def received(self, through: dt.date) -> int:
        """Return what had come by the end of a day."""
        return sum(cents for on, cents in self.paid if on <= through)

    def owed(self, on: dt.date) -> int:
        """Return what was left at the end of a day."""
        return self.net - self.received(on) if self.is_open else 0


def lives() -> list[Life]:
    paid: dict[object, list[tuple[dt.date, int]]] = defaultdict(list)
    settled = Allocation.objects.filter(payment__state=PaymentState.SETTLED).select_related("payment")
    for part in settled:
        paid[part.invoice_id].append((part.payment.received_on, part.cents))
    billed = Invoice.objects.filter(state__in=BILLED)
    return [
        Life(
            one.issued_on,
            one.due_on,
            one.total_cents - one.credited_cents,
            tuple(paid[one.pk]),
            one.state == InvoiceState.OPEN,
        )
        for one in billed
    ]


def nearest(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


def check_the_figures() -> None:
    """Compare every figure of the three firms with its invoices."""
    told = {}
    for firm in FIRMS:
        with working_for(cabinet_id=firm.pk):
            on = Cabinet.objects.get().today()
            found, rows = position(on=on), lives()
        owed = sum(row.owed(on) for row in rows)
        billed = sum(row.net for row in rows if 0 <= (on - row.issued_on).days < 90)
        thirty = [row for row in rows if row.net > 0 and 30 <= (on - row.due_on).days < 120]
        unpaid = [row for row in thirty if row.net > row.received(row.due_on + dt.timedelta(days=30))]
        matured = [row for row in rows if row.net > 0 and 45 <= (on - row.due_on).days < 135]
        recovered = sum(row.received(row.due_on + dt.timedelta(days=45)) for row in matured)
        late = sum(row.owed(on) for row in rows if row.due_on < on)
        told[firm.slug] = (
            (found.receivable_cents, owed),
            (found.overdue_cents, late),
            (found.turnover_cents(), billed),
            (found.dso(), nearest(Fraction(owed * 90, billed))),
            (found.due_count, len(thirty)),
            (found.unpaid_percent, nearest(Fraction(100 * len(unpaid), len(thirty)))),
            (found.recovered_percent, nearest(Fraction(100 * recovered, sum(row.net for row in matured)))),
        )

    assert {name: [pair for pair in pairs if pair[0] != pair[1]] for name, pairs in told.items()} == {
        firm.slug: [] for firm in FIRMS
    }
    assert all(pair[0] for pairs in told.values() for pair in pairs)
