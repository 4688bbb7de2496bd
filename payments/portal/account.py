"""What a debtor reads of what they owe: numbers, dates, amounts, and how to pay."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import F, Q
from segno import helpers

from cabinets.models import Cabinet
from invoices.enums import InvoiceState, InvoiceStatus, StopKind
from invoices.models import Invoice
from invoices.money import from_cents
from invoices.status import status_of
from payments.models import PaymentLink
from payments.services import links
from payments.services.payability import NO_PAYMENT, holds, in_flight, reaches, stops_of
from payments.services.plan_reading import View, active_view

# What the firm decides for itself (a hold, a promise) is not the debtor's to read.
SHOWN = frozenset({StopKind.PAYMENT_IN_FLIGHT, StopKind.DISPUTE, StopKind.PLAN})
CLOSED_SHOWN = 10
CLOSED_DAYS = 180
LONGEST_REFERENCE = 140
LONGEST_HOLDER = 70


@dataclass(frozen=True, slots=True)
class Line:
    """An invoice as its debtor reads it."""

    invoice: Invoice
    status: InvoiceStatus
    is_claimed: bool
    days_late: int

    @property
    def owed_cents(self) -> int:
        """Return what is still owed on it."""
        return 0 if self.invoice.state == InvoiceState.CANCELLED else self.invoice.outstanding_cents

    @property
    def is_payable(self) -> bool:
        """Say whether paying now is not paying twice."""
        return self.owed_cents > 0 and not self.is_claimed and self.status != InvoiceStatus.IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Account:
    """Everything a link shows on a day."""

    owed: tuple[Line, ...]
    closed: tuple[Line, ...]
    may_pay: bool
    on: dt.date
    plan: View | None = None
    """The payment plan that runs: its instalments are asked, and not its invoices."""

    @property
    def asked(self) -> tuple[Line, ...]:
        """Return what is to be paid now: a plan's invoices while it runs, else what fell due, or is about to."""
        payable = tuple(line for line in self.owed if line.is_payable)
        if self.plan is not None:
            covered = {invoice.pk for invoice in self.plan.invoices}
            return tuple(line for line in payable if line.invoice.pk in covered)
        return tuple(line for line in payable if line.invoice.due_on <= self.on) or payable

    @property
    def asked_cents(self) -> int:
        """Return the sum to pay now: under a plan, its instalment and no more."""
        owed = sum(line.owed_cents for line in self.asked)
        return owed if self.plan is None else min(owed, self.plan.asked_cents)

    @property
    def only(self) -> Line | None:
        """Return the invoice, when the link shows a single one."""
        lines = self.owed or self.closed
        return lines[0] if len(lines) == 1 else None

    @property
    def others(self) -> tuple[Line, ...]:
        """Return what is owed and not asked now."""
        asked = {line.invoice.pk for line in self.asked}
        return tuple(line for line in self.owed if line.invoice.pk not in asked)

    @property
    def has_several(self) -> bool:
        """Say whether there is something to choose among."""
        return sum(line.is_payable for line in self.owed) > 1

    @property
    def invoices(self) -> list[Invoice]:
        """Return the invoices the link shows."""
        return [line.invoice for line in (*self.owed, *self.closed)]

    @property
    def is_sensitive(self) -> bool:
        """Say whether one known fact is asked before anything is shown."""
        return any(line.invoice.is_sensitive for line in (*self.owed, *self.closed))


@dataclass(frozen=True, slots=True)
class Transfer:
    """How to pay by transfer: the account, the amount and the reference that tells whose money it is."""

    holder: str
    iban: str
    bic: str
    cents: int
    reference: str

    @property
    def iban_groups(self) -> list[str]:
        """Return the IBAN in groups of four, as banks print it."""
        return [self.iban[start : start + 4] for start in range(0, len(self.iban), 4)]

    @property
    def qr(self) -> str:
        """Return the EPC code a banking application reads, as an image; nothing when one does not hold these facts."""
        if not self.reference:
            return ""
        try:
            code = helpers.make_epc_qr(
                name=self.holder[:LONGEST_HOLDER],
                iban=self.iban,
                amount=from_cents(self.cents),
                text=self.reference,
                bic=self.bic or None,
                encoding="utf-8",
            )
        except ValueError:
            return ""
        return str(code.svg_data_uri(scale=4, border=2, xmldecl=False, svgns=True, nl=False))


def account_of(link: PaymentLink, *, on: dt.date) -> Account:
    """Return what a link shows on this day."""
    lately = Q(last_payment_at__date__gte=on - dt.timedelta(days=links.READ_ONLY_DAYS)) | Q(
        due_on__gte=on - dt.timedelta(days=CLOSED_DAYS)
    )
    done = Q(state=InvoiceState.CANCELLED) | Q(settled_cents__gte=F("total_cents") - F("credited_cents"))
    owed = list(links.owed_through(link).select_related("dossier"))
    closed = list(
        links.opened_by(link).filter(done).filter(lately).select_related("dossier").order_by("-due_on")[:CLOSED_SHOWN]
    )
    stops = stops_of(link.client_id, kinds={*SHOWN, *NO_PAYMENT, StopKind.CLAIMED_PAID})
    processing = in_flight(invoice.pk for invoice in owed)

    def line(invoice: Invoice) -> Line:
        reaching = [stop for stop in stops if reaches(stop, invoice) and holds(stop, on)]
        shown = [stop for stop in reaching if stop.kind in SHOWN]
        status = status_of(invoice, shown, on)
        return Line(
            invoice=invoice,
            status=InvoiceStatus.IN_FLIGHT if invoice.pk in processing else status,
            is_claimed=any(stop.kind == StopKind.CLAIMED_PAID for stop in reaching),
            days_late=invoice.days_late(on=on),
        )

    return Account(
        owed=tuple(line(invoice) for invoice in owed),
        closed=tuple(line(invoice) for invoice in closed),
        may_pay=not any(stop.kind in NO_PAYMENT and holds(stop, on) for stop in stops),
        on=on,
        plan=active_view(link, on=on),
    )


def transfer_for(account: Account, *, cabinet: Cabinet) -> Transfer | None:
    """Return how to pay what is asked by transfer; nothing when nothing may be asked."""
    if not (account.may_pay and account.asked and cabinet.iban):
        return None
    reference = " ".join(line.invoice.number for line in account.asked)
    return Transfer(
        holder=cabinet.account_holder or cabinet.name,
        iban=cabinet.iban.replace(" ", ""),
        bic=cabinet.bic,
        cents=account.asked_cents,
        reference=reference if len(reference) <= LONGEST_REFERENCE else "",
    )
