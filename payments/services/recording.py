"""Record what was received, what it pays and what is left over; take it back as it came."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet, Client
from cabinets.scoping import current_scope, whole_firm
from cabinets.services import archive
from invoices.enums import InvoiceState
from invoices.law.interest import AllocationOrder, allocate
from invoices.law.plans import order_in_force
from invoices.locks import lock_invoices
from invoices.models import Invoice
from invoices.money import MAX_CENTS, show_euros
from invoices.ports import notices
from invoices.services import claims, settlement
from payments.enums import CheckoutState, PaymentMeans, PaymentState
from payments.errors import ReceiptError, SurplusError
from payments.models import Allocation, Checkout, Payment

# A debt written off may still be paid; what is closed otherwise receives nothing.
RECEIVING = (InvoiceState.OPEN, InvoiceState.WRITTEN_OFF)


class Surplus(models.TextChoices):
    """What becomes of what exceeds the invoices named: a choice of a person, never silent."""

    REFUSE = "refuse", "Me le signaler, sans rien enregistrer"
    OTHERS = "others", "Régler ses autres factures, la plus ancienne d’abord, et garder le reste en avoir"
    CREDIT = "credit", "Garder le surplus en avoir du client"
    CLAIMS = "claims", "Régler les pénalités et l’indemnité de la facture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came in, and for which invoices."""

    client_id: UUID
    invoice_ids: tuple[UUID, ...]
    cents: int
    received_on: dt.date
    means: PaymentMeans = PaymentMeans.TRANSFER
    note: str = ""
    surplus: Surplus = Surplus.REFUSE
    # What each invoice receives, when a person said it; otherwise the oldest debt is paid first.
    split: tuple[tuple[UUID, int], ...] = ()


class Share(NamedTuple):
    """The part of a payment that pays one invoice, and what its lateness added."""

    invoice_id: UUID
    cents: int
    accessory_cents: int = 0

    @property
    def total_cents(self) -> int:
        """Add both."""
        return self.cents + self.accessory_cents


class Debt(NamedTuple):
    """What one invoice still asks."""

    invoice_id: UUID
    cents: int


@transaction.atomic
def record_payment(*, receipt: Receipt, on: dt.date, payment_id: UUID | None = None) -> Payment:
    """Record a payment and settle its invoices, in their order of due date, in one transaction.

    `payment_id` is the form's own identifier: the same form sent twice records one payment and returns it.
    Raise SurplusError, and record nothing, when more came than is owed and no choice was made for the rest.
    """
    if payment_id and (known := Payment.objects.filter(pk=payment_id).first()):
        return known
    client = Client.objects.get(pk=receipt.client_id)
    _check(receipt, on)
    shares = _shares(receipt)
    archive.give_back([client.pk])
    payment = Payment(
        client=client,
        received_on=receipt.received_on,
        cents=receipt.cents,
        means=receipt.means,
        note=receipt.note.strip(),
        recorded_by_id=current_scope().member_id,
    )
    if payment_id:
        payment.pk = payment_id
    if not _insert(payment):
        return Payment.objects.get(pk=payment.pk)
    if receipt.means == PaymentMeans.CREDIT:
        settlement.give_client_credit(client_id=client.pk, cents=-receipt.cents)
    for share in shares:
        settle_share(payment, share, on=on)
    if rest := receipt.cents - sum(share.total_cents for share in shares):
        settlement.give_client_credit(client_id=client.pk, cents=rest)
    facts = {"invoices": [str(share.invoice_id) for share in shares]}
    # What a payment left for later was not asked of it: the order is on record (R16).
    journal.record("payment.recorded", payment, order=order_told(shares), **facts)
    return payment


@transaction.atomic
def reverse_payment(*, payment_id: UUID, is_forced: bool = False) -> Payment:
    """Take a payment back: its invoices are owed again, its surplus leaves the client's credit. Twice changes nothing.

    Raise OverpaidError, and change nothing, when that credit was used since; ReceiptError for a payment made online.
    What a bank or a provider took back `is_forced`: it left whatever became of the credit, and what is left of that
    credit goes with it.
    """
    payment = Payment.objects.get(pk=payment_id)
    if not is_forced and Checkout.objects.filter(payment=payment_id, state=CheckoutState.PAID).exists():
        raise ReceiptError(
            "Ce paiement est arrivé en ligne : remboursez-le chez le prestataire, il sera annulé ici aussitôt. Rien n’a"
            " été changé."
        )
    settled = Payment.objects.filter(pk=payment_id, state=PaymentState.SETTLED)
    if settled.update(state=PaymentState.REVERSED, reversed_at=timezone.now()):
        with whole_firm():
            shares = list(Allocation.objects.filter(payment=payment_id).order_by("invoice"))
            # All of them before the first moves: what a plan or a promise reads of several is locked in one order.
            lock_invoices([share.invoice_id for share in shares])
        for share in shares:
            if share.accessory_cents:
                claims.settle_claims(invoice_id=share.invoice_id, cents=-share.accessory_cents, on=payment.received_on)
            if share.cents:
                settlement.settle(invoice_id=share.invoice_id, cents=-share.cents)
        rest = payment.cents - sum(share.cents + share.accessory_cents for share in shares)
        # What a credit paid goes back where it came from.
        back = payment.cents - rest if payment.means == PaymentMeans.CREDIT else -rest
        if back < 0 and is_forced:
            back = -min(rest, _credit_of(payment))
        if back:
            settlement.give_client_credit(client_id=payment.client_id, cents=back)
        journal.record("payment.reversed", payment)
    return Payment.objects.get(pk=payment_id)


def _credit_of(payment: Payment) -> int:
    client = Client.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.client_id)
    return int(client.credit_cents)


def spread(cents: int, debts: Iterable[Debt]) -> list[Share]:
    """Share an amount between debts in their order, each paid in full before the next; what is left is not shared."""
    shares = []
    for debt in debts:
        if part := min(cents, max(debt.cents, 0)):
            shares.append(Share(debt.invoice_id, part))
            cents -= part
    return shares


def _check(receipt: Receipt, on: dt.date) -> None:
    if not 0 < receipt.cents <= MAX_CENTS:
        raise ReceiptError("Le montant du paiement doit être supérieur à zéro.", field="amount")
    if receipt.received_on > on:
        raise ReceiptError("La date de réception est dans l’avenir : corrigez-la.", field="received_on")
    if not receipt.invoice_ids:
        raise ReceiptError("Choisissez au moins une facture.", field="invoices")


def _shares(receipt: Receipt) -> list[Share]:
    named = _named(receipt)
    shares = in_order(receipt, named)
    rest = receipt.cents - sum(share.total_cents for share in shares)
    if not rest:
        return shares
    if receipt.surplus == Surplus.CLAIMS:
        shares, rest = _on_accessories(receipt, named, shares, rest)
    if receipt.surplus == Surplus.REFUSE or (receipt.surplus == Surplus.CLAIMS and rest):
        owed = receipt.cents - rest
        raise SurplusError(
            f"Le paiement dépasse de {show_euros(rest)} ce qui reste dû ({show_euros(owed)}). Rien n’a été enregistré :"
            " corrigez le montant, ou dites ce que devient le surplus.",
            field="surplus",
        )
    if receipt.surplus == Surplus.OTHERS:
        others = Invoice.objects.open().filter(client=receipt.client_id).exclude(pk__in=receipt.invoice_ids)
        shares += spread(rest, _debts(lock_invoices(others.values_list("pk", flat=True))))
    return shares


def in_order(receipt: Receipt, named: Sequence[Invoice]) -> list[Share]:
    """Share a payment between its invoices; interest comes first where the firm says so, or once on notice (R16)."""
    first = _interest_first(receipt, named)
    if receipt.split:
        return _as_said(receipt, named, first)
    if not first:
        return spread(receipt.cents, _debts(named))
    left, shares = receipt.cents, []
    for debt in _debts(named):
        principal, interest, left = allocate(
            left,
            principal_cents=max(debt.cents, 0),
            interest_cents=first.get(debt.invoice_id, 0),
            order=AllocationOrder.INTEREST_FIRST,
        )
        if principal or interest:
            shares.append(Share(debt.invoice_id, principal, interest))
    return shares


def _as_said(receipt: Receipt, named: Sequence[Invoice], first: dict[UUID, int]) -> list[Share]:
    """Give each invoice what a person said it receives; refuse more than it owes."""
    said, shares = dict(receipt.split), []
    for invoice in named:
        principal, interest, left = allocate(
            said.get(invoice.pk, 0),
            principal_cents=max(invoice.outstanding_cents, 0),
            interest_cents=first.get(invoice.pk, 0),
            order=AllocationOrder.INTEREST_FIRST,
        )
        if left:
            raise ReceiptError(
                f"Le montant affecté à la facture {invoice.number} dépasse ce qu’elle doit"
                f" ({show_euros(principal + interest)}). Rien n’a été enregistré.",
                field="invoices",
            )
        if principal or interest:
            shares.append(Share(invoice.pk, principal, interest))
    return shares


def _interest_first(receipt: Receipt, named: Sequence[Invoice]) -> dict[UUID, int]:
    """Return what of a payment's invoices bears interest that is paid before the principal."""
    chosen = AllocationOrder(Cabinet.objects.get().allocation_rule)
    on_notice = notices().presented(invoice_ids=[row.pk for row in named])
    due = [
        row.pk
        for row in named
        if order_in_force(chosen, is_on_notice=on_notice.get(row.pk, receipt.received_on) < receipt.received_on)
        is AllocationOrder.INTEREST_FIRST
    ]
    found = Invoice.objects.filter(pk__in=due).select_related("dossier")
    said = claims.statement_of(invoices=list(found), on=receipt.received_on)
    return {pk: one.interest_cents for pk, one in said.items() if one.interest_cents}


def _on_accessories(
    receipt: Receipt, named: Sequence[Invoice], shares: list[Share], rest: int
) -> tuple[list[Share], int]:
    """Give what exceeds the principal to the accessories of the invoices named; return what is still left."""
    found = Invoice.objects.filter(pk__in=[row.pk for row in named]).select_related("dossier")
    said = claims.statement_of(invoices=list(found), on=receipt.received_on)
    by_invoice = {share.invoice_id: share for share in shares}
    for debt in _debts(named):
        share = by_invoice.get(debt.invoice_id, Share(debt.invoice_id, 0))
        part = min(rest, max(said[debt.invoice_id].accessories_cents - share.accessory_cents, 0))
        if part:
            by_invoice[debt.invoice_id] = share._replace(accessory_cents=share.accessory_cents + part)
            rest -= part
    return list(by_invoice.values()), rest


def settle_share(payment: Payment, share: Share, *, on: dt.date) -> None:
    """Settle one invoice with its part of a payment, in the caller's transaction."""
    # Before the principal is lowered: interest is counted on what stood that day.
    if share.accessory_cents:
        claims.settle_claims(invoice_id=share.invoice_id, cents=share.accessory_cents, on=payment.received_on)
    row = Allocation(
        payment=payment, invoice_id=share.invoice_id, cents=share.cents, accessory_cents=share.accessory_cents
    )
    row.save(force_insert=True)
    if share.cents:
        settlement.settle(invoice_id=share.invoice_id, cents=share.cents)
    claims.keep_what_is_due(invoice_id=share.invoice_id, on=on)


def order_told(shares: Sequence[Share]) -> str:
    """Say what a payment paid first, as the journal keeps it."""
    paid = any(share.accessory_cents for share in shares)
    return (AllocationOrder.INTEREST_FIRST if paid else AllocationOrder.PRINCIPAL_FIRST).value


def _named(receipt: Receipt) -> list[Invoice]:
    invoices = lock_invoices(receipt.invoice_ids)
    if len(invoices) != len(set(receipt.invoice_ids)) or any(row.client_id != receipt.client_id for row in invoices):
        raise ReceiptError("Une facture choisie n’est pas à ce client. Rien n’a été enregistré.", field="invoices")
    for invoice in invoices:
        if invoice.state not in RECEIVING:
            raise ReceiptError(f"La facture {invoice.number} est close : elle ne reçoit plus de paiement.")
    return invoices


def _debts(invoices: Sequence[Invoice]) -> list[Debt]:
    ordered = sorted(invoices, key=lambda row: (row.due_on, row.number_key))
    return [Debt(row.pk, row.outstanding_cents) for row in ordered]


def _insert(payment: Payment) -> bool:
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError as error:
        if not Payment.objects.filter(pk=payment.pk).exists():
            raise ReceiptError("Ce formulaire a déjà servi. Rien n’a été enregistré : rouvrez la page.") from error
        return False
    return True
