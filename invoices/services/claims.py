"""What lateness adds beside an invoice: said of a day, asked, waived, paid; never a line of the invoice, never VAT.

A statement is computed from the facts each time, so that it is exact on its day. A row is kept once somebody asked,
waived or paid an accessory, or once the principal was paid: what was due by then outlives it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import ClientKind, Right
from cabinets.models import Membership
from cabinets.permissions import ensure
from cabinets.scoping import whole_firm
from invoices.enums import ClaimKind, InvoiceKind, InvoiceState, StopKind
from invoices.errors import InvoiceError, OverpaidError
from invoices.law.interest import (
    Debt,
    Interest,
    RateMode,
    Settlement,
    Slice,
    accrual_end,
    annual_rate,
    contract_rate_too_low,
    flat_indemnity_cents,
    interest_on,
    interest_trigger,
    rate_mode,
)
from invoices.law.rates import HalfYear, RateMissing, RateTable
from invoices.locks import lock_invoices
from invoices.models import AccessoryClaim, Invoice
from invoices.money import show_euros
from invoices.ports import notices, receipts
from invoices.services.rates import confirmed_rates
from invoices.services.reach import earliest_stops

_DAY = dt.timedelta(days=1)
_STOPS_ACCRUAL = (StopKind.INSOLVENCY, StopKind.OVER_INDEBTEDNESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one invoice asks on a day: principal, interest and flat indemnity, each as far as it is left to pay."""

    kind: ClientKind
    as_of: dt.date
    principal_cents: int
    # Nothing while the rate of a half-year is missing: it is then neither computed nor printed.
    interest_cents: int | None
    indemnity_cents: int
    rate_mode: RateMode
    # The rate of the last day counted, and its half-year; nothing while it is missing.
    rate_percent: Decimal | None
    rate_half: HalfYear
    missing_half: HalfYear | None = None
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    slices: tuple[Slice, ...] = ()
    # Under three times the legal rate, a contract's rate is for a person to look at (R6).
    is_rate_too_low: bool = False
    interest_accrued_cents: int | None = None
    indemnity_accrued_cents: int = 0
    is_interest_waived: bool = False
    is_indemnity_waived: bool = False

    @property
    def total_cents(self) -> int:
        """Add what is known: interest that cannot be computed is not in it."""
        return self.principal_cents + (self.interest_cents or 0) + self.indemnity_cents

    @property
    def accessories_cents(self) -> int:
        """Add interest and indemnity, without the principal."""
        return (self.interest_cents or 0) + self.indemnity_cents

    @property
    def is_interest_known(self) -> bool:
        """Say whether interest could be computed."""
        return self.interest_cents is not None


def statement_of(*, invoices: Sequence[Invoice], on: dt.date) -> dict[UUID, Statement]:
    """Say what each of these invoices asks on a day, in five queries however many they are; dossiers come with them."""
    if not invoices:
        return {}
    rates, debts = confirmed_rates(), debts_of(invoices=invoices)
    rows = {
        (row.invoice_id, row.kind): row
        for row in AccessoryClaim.objects.filter(invoice__in=[invoice.pk for invoice in invoices]).defer(
            "waiver_reason"
        )
    }
    return {
        invoice.pk: _statement(
            invoice,
            debts[invoice.pk],
            rows.get((invoice.pk, ClaimKind.INTEREST)),
            rows.get((invoice.pk, ClaimKind.INDEMNITY)),
            rates=rates,
            on=on,
        )
        for invoice in invoices
    }


def debts_of(*, invoices: Sequence[Invoice]) -> dict[UUID, Debt]:
    """Return what the law needs to know of each of these invoices."""
    ids = [invoice.pk for invoice in invoices]
    paid, presented = receipts().received(invoice_ids=ids), notices().presented(invoice_ids=ids)
    stopped = earliest_stops(invoices=invoices, kinds=(*_STOPS_ACCRUAL, StopKind.BATONNIER_SEISED))
    found = {}
    for invoice in invoices:
        dated, stops = paid.get(invoice.pk, ()), stopped[invoice.pk]
        # What came in on no known day, or was credited, is as if it had never been late.
        undated = max(invoice.settled_cents - sum(one.cents for one in dated), 0)
        asked = [day for day in (presented.get(invoice.pk), stops.get(StopKind.BATONNIER_SEISED)) if day]
        found[invoice.pk] = Debt(
            kind=ClientKind(invoice.dossier.kind),
            principal_cents=invoice.total_cents - invoice.credited_cents - undated,
            due_on=invoice.due_on,
            presented_on=min(asked, default=None),
            settlements=tuple(Settlement(one.on, one.cents) for one in dated),
            contract_rate=invoice.dossier.contract_rate,
            contract_mode=RateMode.LEGAL_TRIPLE if _is_triple(invoice) else None,
            provision=invoice.kind == InvoiceKind.PROVISION,
            insolvent_on=stops.get(StopKind.INSOLVENCY),
            over_indebted_on=stops.get(StopKind.OVER_INDEBTEDNESS),
        )
    return found


@transaction.atomic
def ask(*, invoices: Sequence[Invoice], on: dt.date) -> dict[UUID, Statement]:
    """Write down what a message asks beside these invoices on a day, and return it."""
    statements = statement_of(invoices=invoices, on=on)
    with whole_firm():
        for invoice in invoices:
            for row in _keep(invoice, statements[invoice.pk], on=on):
                if row.outstanding_cents > 0:
                    row.asked_cents, row.asked_on = row.outstanding_cents, on
                    row.save(update_fields=["asked_cents", "asked_on"])
    return statements


@transaction.atomic
def keep_what_is_due(*, invoice_id: UUID, on: dt.date) -> None:
    """Keep what lateness cost an invoice once its principal is paid: it outlives it (F50)."""
    with whole_firm():
        invoice = Invoice.objects.select_related("dossier").get(pk=invoice_id)
        if invoice.state == InvoiceState.OPEN and invoice.outstanding_cents <= 0 and invoice.due_on < on:
            _keep(invoice, statement_of(invoices=[invoice], on=on)[invoice.pk], on=on)


@transaction.atomic
def waive(*, invoice_id: UUID, kind: ClaimKind, by: Membership, reason: str, on: dt.date) -> AccessoryClaim:
    """Give up interest or the indemnity of an invoice, for a reason that stays with it; a public buyer's cannot be."""
    ensure(by, Right.APPROVE_FORMAL_NOTICES)
    if not reason.strip():
        raise InvoiceError("Dites pourquoi, en quelques mots. Rien n’a été changé.")
    invoice = Invoice.objects.select_related("dossier", "client").get(pk=invoice_id)
    if invoice.dossier.kind == ClientKind.PUBLIC:
        raise InvoiceError(
            "Un acheteur public doit ces sommes de plein droit : le cabinet ne peut pas y renoncer."
            " Rien n’a été changé."
        )
    lock_invoices([invoice_id])
    statement = statement_of(invoices=[invoice], on=on)[invoice.pk]
    rows = {row.kind: row for row in _keep(invoice, statement, on=on)}
    row = rows.get(kind) or _empty(invoice, kind, statement, on=on)
    if row.waived_at is None:
        row.waived_at, row.waived_by, row.waiver_reason = timezone.now(), by, reason.strip()
        row.save(update_fields=["waived_at", "waived_by", "waiver_reason"])
        journal.record("accessoryclaim.waived", invoice, kind=kind.value)
    return row


@transaction.atomic
def settle_claims(*, invoice_id: UUID, cents: int, on: dt.date) -> None:
    """Add a payment to the accessories of an invoice (negative: take one back), interest before the indemnity.

    Raise OverpaidError, and change nothing, when more is paid than is due.
    """
    with whole_firm():
        lock_invoices([invoice_id])
        invoice = Invoice.objects.select_related("dossier").get(pk=invoice_id)
        if cents > 0:
            _keep(invoice, statement_of(invoices=[invoice], on=on)[invoice.pk], on=on)
        rows = sorted(AccessoryClaim.objects.filter(invoice=invoice), key=lambda row: row.kind == ClaimKind.INDEMNITY)
        left = cents
        for row in rows if cents > 0 else reversed(rows):
            part = min(left, row.outstanding_cents) if cents > 0 else max(left, -row.settled_cents)
            if part:
                row.settled_cents += part
                row.save(update_fields=["settled_cents"])
                left -= part
        if left:
            raise OverpaidError(
                f"Ce paiement dépasse de {show_euros(abs(left))} les pénalités et l’indemnité dues."
                " Rien n’a été enregistré."
            )
    journal.record("accessoryclaim.settled" if cents > 0 else "accessoryclaim.unsettled", invoice)


def _is_triple(invoice: Invoice) -> bool:
    return invoice.dossier.is_triple_legal_rate and invoice.dossier.contract_rate is None


def _statement(
    invoice: Invoice,
    debt: Debt,
    interest_row: AccessoryClaim | None,
    indemnity_row: AccessoryClaim | None,
    *,
    rates: RateTable,
    on: dt.date,
) -> Statement:
    accrued, missing = _accrued(debt, rates=rates, on=on)
    end = accrual_end(on, insolvent_on=debt.insolvent_on, over_indebted_on=debt.over_indebted_on)
    indemnity = flat_indemnity_cents(debt, as_of=on)
    return Statement(
        kind=debt.kind,
        as_of=on,
        principal_cents=max(invoice.outstanding_cents, 0),
        interest_cents=_left(None if accrued is None else accrued.cents, interest_row),
        indemnity_cents=_left(indemnity, indemnity_row) or 0,
        rate_mode=rate_mode(debt),
        rate_percent=_rate(debt, end, rates=rates),
        rate_half=_half_quoted(debt, end),
        missing_half=missing,
        first_day=accrued.slices[0].first_day if accrued and accrued.slices else None,
        last_day=accrued.slices[-1].last_day if accrued and accrued.slices else None,
        slices=accrued.slices if accrued else (),
        is_rate_too_low=_is_too_low(debt, end, rates=rates),
        interest_accrued_cents=None if accrued is None else accrued.cents,
        indemnity_accrued_cents=indemnity,
        is_interest_waived=interest_row is not None and interest_row.waived_at is not None,
        is_indemnity_waived=indemnity_row is not None and indemnity_row.waived_at is not None,
    )


def _accrued(debt: Debt, *, rates: RateTable, on: dt.date) -> tuple[Interest | None, HalfYear | None]:
    try:
        return interest_on(debt, as_of=on, rates=rates), None
    except RateMissing as error:
        return None, error.half


def _half_quoted(debt: Debt, end: dt.date) -> HalfYear:
    """Return the half-year whose rate is quoted: that of the start for a public buyer, of the last day for others."""
    if rate_mode(debt) is RateMode.BCE8_FROZEN:
        return HalfYear.of((interest_trigger(debt) or end) + _DAY)
    return HalfYear.of(end)


def _rate(debt: Debt, end: dt.date, *, rates: RateTable) -> Decimal | None:
    half = _half_quoted(debt, end)
    try:
        return annual_rate(half, half, mode=rate_mode(debt), rates=rates, contract_rate=debt.contract_rate)
    except RateMissing:
        return None


def _is_too_low(debt: Debt, end: dt.date, *, rates: RateTable) -> bool:
    if rate_mode(debt) is not RateMode.CONTRACT or debt.contract_rate is None:
        return False
    try:
        return contract_rate_too_low(debt.contract_rate, half=HalfYear.of(end), rates=rates)
    except RateMissing:
        return False


def _left(accrued: int | None, row: AccessoryClaim | None) -> int | None:
    if row is not None and row.waived_at is not None:
        return 0
    return accrued if accrued is None or row is None else max(accrued - row.settled_cents, 0)


def _keep(invoice: Invoice, statement: Statement, *, on: dt.date) -> list[AccessoryClaim]:
    """Write each accessory that exists on a day with its sum; one that cannot be computed stays as it was."""
    sums = {
        ClaimKind.INTEREST: statement.interest_accrued_cents,
        ClaimKind.INDEMNITY: statement.indemnity_accrued_cents,
    }
    kept = {row.kind: row for row in AccessoryClaim.objects.filter(invoice=invoice)}
    for kind, cents in sums.items():
        row = kept.get(kind)
        if row is None and cents:
            kept[kind] = row = _empty(invoice, kind, statement, on=on)
        if row is not None and cents is not None and row.waived_at is None:
            row.cents, row.computed_on = max(cents, row.settled_cents), on
            row.save(update_fields=["cents", "computed_on"])
    return list(kept.values())


def _empty(invoice: Invoice, kind: ClaimKind, statement: Statement, *, on: dt.date) -> AccessoryClaim:
    born = statement.first_day if kind == ClaimKind.INTEREST and statement.first_day else invoice.due_on + _DAY
    row = AccessoryClaim(invoice=invoice, kind=kind, opened_on=born, computed_on=on)
    row.save(force_insert=True)
    return row
