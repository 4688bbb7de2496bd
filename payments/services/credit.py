"""What a client holds at the firm: it pays an invoice, or goes back to the client. It never pays by itself."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.models import Client
from cabinets.scoping import current_scope
from invoices.locks import lock_invoices
from invoices.money import MAX_CENTS, show_euros
from invoices.services import settlement
from payments.enums import PaymentMeans
from payments.errors import ReceiptError
from payments.models import Payment, Refund
from payments.services.recording import Receipt, record_payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What the firm gave back, and how."""

    client_id: UUID
    cents: int
    paid_on: dt.date
    means: PaymentMeans = PaymentMeans.TRANSFER
    note: str = ""


@transaction.atomic
def use(*, client_id: UUID, invoice_ids: tuple[UUID, ...], on: dt.date, payment_id: UUID | None = None) -> Payment:
    """Pay invoices with a client's credit, the oldest first, as far as it goes; the same form twice pays once."""
    if payment_id and (known := Payment.objects.filter(pk=payment_id, means=PaymentMeans.CREDIT).first()):
        return known
    # The invoices first, then the client, as whoever records a payment does: the other order would be a deadlock.
    owed = sum(row.outstanding_cents for row in lock_invoices(invoice_ids) if row.client_id == client_id)
    client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
    cents = min(client.credit_cents, owed)
    if not invoice_ids:
        raise ReceiptError("Choisissez au moins une facture. Rien n’a été enregistré.", field="invoices")
    if cents <= 0:
        raise ReceiptError("Ce client n’a plus d’avoir, ou ces factures sont réglées. Rien n’a été enregistré.")
    receipt = Receipt(
        client_id=client_id, invoice_ids=invoice_ids, cents=cents, received_on=on, means=PaymentMeans.CREDIT
    )
    return record_payment(receipt=receipt, on=on, payment_id=payment_id)


@transaction.atomic
def give_back(*, returned: Returned, on: dt.date, refund_id: UUID) -> Refund:
    """Record that a client's credit was paid back, and lower it; the same form sent twice records one refund."""
    if known := Refund.objects.filter(pk=refund_id).first():
        return known
    client = Client.objects.select_for_update(of=("self",)).get(pk=returned.client_id)
    if not 0 < returned.cents <= MAX_CENTS:
        raise ReceiptError("Le montant remboursé doit être supérieur à zéro.", field="amount")
    if returned.cents > client.credit_cents:
        raise ReceiptError(
            f"L’avoir de ce client n’est que de {show_euros(client.credit_cents)}. Rien n’a été enregistré.",
            field="amount",
        )
    if returned.paid_on > on:
        raise ReceiptError("La date du remboursement est dans l’avenir : corrigez-la.", field="paid_on")
    refund = Refund(
        id=refund_id,
        client=client,
        cents=returned.cents,
        paid_on=returned.paid_on,
        means=returned.means,
        note=returned.note.strip(),
        recorded_by_id=current_scope().member_id,
    )
    try:
        with transaction.atomic():
            refund.save(force_insert=True)
    except IntegrityError as error:
        raise ReceiptError("Ce formulaire a déjà servi. Rien n’a été enregistré : rouvrez la page.") from error
    settlement.give_client_credit(client_id=client.pk, cents=-returned.cents)
    journal.record("refund.recorded", refund)
    return refund


@transaction.atomic
def take_back(*, refund_id: UUID) -> Refund:
    """Take back a refund recorded by mistake: the client holds the credit again. Twice changes nothing."""
    standing = Refund.objects.filter(pk=refund_id, taken_back_at=None)
    changed = standing.update(taken_back_at=timezone.now())
    refund = Refund.objects.get(pk=refund_id)
    if changed:
        settlement.give_client_credit(client_id=refund.client_id, cents=refund.cents)
        journal.record("refund.taken_back", refund)
    return refund


def refunds_of(*, client_id: UUID) -> list[Refund]:
    """Return what was paid back to a client, the latest first."""
    return list(Refund.objects.filter(client=client_id).order_by("-paid_on", "-recorded_at"))
