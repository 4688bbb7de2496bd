"""Record what was received, what it pays and what is left over; take it back as it came."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.models import Client
from cabinets.scoping import current_scope, whole_firm
from invoices.enums import InvoiceState
from invoices.locks import lock_invoices
from invoices.models import Invoice
from invoices.money import MAX_CENTS, show_euros
from invoices.services import claims, settlement
from payments.enums import PaymentMeans, PaymentState
from payments.errors import ReceiptError, SurplusError
from payments.models import Allocation, Payment


class Surplus(models.TextChoices):
    """What becomes of what exceeds the invoices named: a choice of a person, never silent."""

    REFUSE = "refuse", "Me le signaler, sans rien enregistrer"
    OTHERS = "others", "Régler ses autres factures, la plus ancienne d’abord, et garder le reste en avoir"
    CREDIT = "credit", "Garder le surplus en avoir du client"


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


class Share(NamedTuple):
    """The part of a payment that pays one invoice."""

    invoice_id: UUID
    cents: int


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
    for share in shares:
        Allocation(payment=payment, invoice_id=share.invoice_id, cents=share.cents).save(force_insert=True)
        settlement.settle(invoice_id=share.invoice_id, cents=share.cents)
        claims.keep_what_is_due(invoice_id=share.invoice_id, on=on)
    if rest := receipt.cents - sum(share.cents for share in shares):
        settlement.give_client_credit(client_id=client.pk, cents=rest)
    journal.record("payment.recorded", payment, invoices=[str(share.invoice_id) for share in shares])
    return payment


@transaction.atomic
def reverse_payment(*, payment_id: UUID) -> Payment:
    """Take a payment back: its invoices are owed again, its surplus leaves the client's credit. Twice changes nothing.

    Raise OverpaidError, and change nothing, when that credit was used since.
    """
    payment = Payment.objects.get(pk=payment_id)
    settled = Payment.objects.filter(pk=payment_id, state=PaymentState.SETTLED)
    if settled.update(state=PaymentState.REVERSED, reversed_at=timezone.now()):
        with whole_firm():
            shares = list(Allocation.objects.filter(payment=payment_id).order_by("invoice"))
        for share in shares:
            settlement.settle(invoice_id=share.invoice_id, cents=-share.cents)
        if rest := payment.cents - sum(share.cents for share in shares):
            settlement.give_client_credit(client_id=payment.client_id, cents=-rest)
        journal.record("payment.reversed", payment)
    return Payment.objects.get(pk=payment_id)


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
    shares = spread(receipt.cents, _debts(named))
    rest = receipt.cents - sum(share.cents for share in shares)
    if not rest:
        return shares
    if receipt.surplus == Surplus.REFUSE:
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


def _named(receipt: Receipt) -> list[Invoice]:
    invoices = lock_invoices(receipt.invoice_ids)
    if len(invoices) != len(set(receipt.invoice_ids)) or any(row.client_id != receipt.client_id for row in invoices):
        raise ReceiptError("Une facture choisie n’est pas à ce client. Rien n’a été enregistré.", field="invoices")
    for invoice in invoices:
        if invoice.state not in (InvoiceState.OPEN, InvoiceState.WRITTEN_OFF):
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
