"""The statement of a client's account: what was billed, credited and received, with a running balance."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import accumulate
from uuid import UUID

from django.db.models import Sum

from cabinets.models import Client
from cabinets.scoping import sees_every_file
from invoices.enums import InvoiceState, InvoiceStatus
from invoices.models import CreditNote, Invoice
from invoices.services.statuses import statuses
from payments.enums import PaymentMeans, PaymentState
from payments.models import Allocation, Payment, Refund

_UNCOUNTED = (InvoiceState.DRAFT, InvoiceState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the account; exactly one of the two amounts is not zero."""

    on: dt.date
    label: str
    due_on: dt.date | None = None
    status: InvoiceStatus | None = None
    debit_cents: int = 0
    credit_cents: int = 0
    balance_cents: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """An account on a day; partial when the person sees only some of the client's dossiers."""

    client: Client
    on: dt.date
    lines: tuple[Line, ...]
    is_partial: bool

    @property
    def billed_cents(self) -> int:
        """Return the sum of what was billed."""
        return sum(line.debit_cents for line in self.lines)

    @property
    def received_cents(self) -> int:
        """Return the sum of what was received, credited or given up."""
        return sum(line.credit_cents for line in self.lines)

    @property
    def balance_cents(self) -> int:
        """Return what the client owes; less than zero when the firm owes."""
        return self.billed_cents - self.received_cents


def statement_of(*, client_id: UUID, on: dt.date) -> Statement:
    """Return the account of a client on this day, in the order of time, of the dossiers the person sees."""
    client = Client.objects.get(pk=client_id)
    is_partial = not sees_every_file()
    invoices = list(Invoice.objects.filter(client=client_id).exclude(state__in=_UNCOUNTED))
    lines = [
        *_billed(invoices, on),
        *_earlier(invoices),
        *_given_up(invoices, on),
        *_credits(client_id, {row.pk for row in invoices}, is_partial=is_partial),
        *_receipts(client_id, is_partial=is_partial),
        *([] if is_partial else _refunds(client_id)),
    ]
    ordered = sorted(lines, key=lambda line: (line.on, line.credit_cents > 0, line.label))
    balances = accumulate(line.debit_cents - line.credit_cents for line in ordered)
    told = tuple(replace(line, balance_cents=balance) for line, balance in zip(ordered, balances, strict=True))
    return Statement(client, on, told, is_partial)


def _billed(invoices: list[Invoice], on: dt.date) -> list[Line]:
    words = statuses(invoices, on=on)
    return [
        Line(
            on=row.issued_on,
            label=f"{row.get_kind_display()} {row.number}",
            due_on=row.due_on,
            status=words[row.pk],
            debit_cents=row.total_cents,
        )
        for row in invoices
    ]


def _earlier(invoices: list[Invoice]) -> list[Line]:
    """Tell what a file said was already settled when the invoice came in, without saying how."""
    shared = (
        Allocation.objects.filter(invoice__in=[row.pk for row in invoices], payment__state=PaymentState.SETTLED)
        .values_list("invoice")
        .annotate(Sum("cents"))
    )
    known = dict(shared)
    return [
        Line(on=row.issued_on, label=f"Règlement antérieur de {row.number}", credit_cents=before)
        for row in invoices
        if (before := row.settled_cents - known.get(row.pk, 0)) > 0
    ]


def _given_up(invoices: list[Invoice], on: dt.date) -> list[Line]:
    return [
        Line(on=on, label=f"Passage en perte de {row.number}", credit_cents=row.outstanding_cents)
        for row in invoices
        if row.state == InvoiceState.WRITTEN_OFF and row.outstanding_cents > 0
    ]


def _credits(client_id: UUID, seen: set[UUID], *, is_partial: bool) -> list[Line]:
    notes = CreditNote.objects.filter(client=client_id, cancelled_at=None)
    return [
        Line(on=note.issued_on, label=f"Avoir {note.number}", credit_cents=note.cents)
        for note in notes
        if note.invoice_id in seen or (note.invoice_id is None and not is_partial)
    ]


def _receipts(client_id: UUID, *, is_partial: bool) -> list[Line]:
    # What a credit paid came in before: with the payment, or the credit note, that gave it.
    settled = Payment.objects.filter(client=client_id, state=PaymentState.SETTLED)
    payments = settled if is_partial else settled.exclude(means=PaymentMeans.CREDIT)
    shares: dict[UUID, int] = defaultdict(int)
    accessories: dict[UUID, int] = defaultdict(int)
    parts = Allocation.objects.filter(payment__in=payments)
    for payment_id, cents, accessory_cents in parts.values_list("payment", "cents", "accessory_cents"):
        shares[payment_id] += cents + accessory_cents
        accessories[payment_id] += accessory_cents
    # What lateness added is owed the day it is paid, and only then: it is on no invoice.
    added = [
        Line(on=row.received_on, label="Pénalités et indemnité réglées", debit_cents=accessories[row.pk])
        for row in payments
        if accessories[row.pk]
    ]
    return added + [
        Line(
            on=row.received_on,
            label=f"Paiement ({PaymentMeans(row.means).label.lower()})",
            credit_cents=shares[row.pk] if is_partial else row.cents,
        )
        for row in payments
        if not is_partial or shares[row.pk]
    ]


def _refunds(client_id: UUID) -> list[Line]:
    rows = Refund.objects.filter(client=client_id, taken_back_at=None)
    return [
        Line(on=row.paid_on, label=f"Remboursement ({row.get_means_display().lower()})", debit_cents=row.cents)
        for row in rows
    ]
