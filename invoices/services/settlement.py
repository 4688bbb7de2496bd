"""What lowers a debt: payments and credit notes, under the invoice's lock, told to the ladder at once."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from cabinets import journal
from cabinets.models import Client
from cabinets.scoping import whole_firm
from cabinets.services import archive
from invoices.errors import OverpaidError
from invoices.locks import lock_invoices
from invoices.models import Invoice
from invoices.money import show_euros
from invoices.ports import balances, ladder


@transaction.atomic
def settle(*, invoice_id: UUID, cents: int) -> Invoice:
    """Add a payment to an invoice (negative: take a reversed one back) and stop what was to be said about it.

    Raise OverpaidError, and change nothing, when more than what is owed would be settled.
    """
    with whole_firm():
        invoice = lock_invoices([invoice_id])[0]
        if cents > invoice.outstanding_cents:
            raise OverpaidError(
                f"Le règlement dépasse le reste dû de la facture {invoice.number}"
                f" ({show_euros(invoice.outstanding_cents)}). Rien n’a été enregistré : corrigez le montant."
            )
        if invoice.settled_cents + cents < 0:
            raise OverpaidError("On ne peut pas reprendre plus que ce qui a été réglé. Rien n’a été changé.")
        invoice.settled_cents += cents
        if cents > 0:
            invoice.last_payment_at = timezone.now()
        invoice.save(update_fields=["settled_cents", "last_payment_at"])
        _tell(invoice, fell=cents > 0)
    if cents < 0:
        archive.give_back([invoice.client_id])
    journal.record("invoice.settled" if cents > 0 else "invoice.unsettled", invoice)
    return invoice


@transaction.atomic
def credit(*, invoice_id: UUID, cents: int) -> Invoice:
    """Lower an invoice by a credit note (negative: the credit note was cancelled)."""
    with whole_firm():
        invoice = lock_invoices([invoice_id])[0]
        if cents > invoice.outstanding_cents or invoice.credited_cents + cents < 0:
            raise OverpaidError(
                f"L’avoir dépasse le reste dû de la facture {invoice.number}"
                f" ({show_euros(invoice.outstanding_cents)}). Rien n’a été enregistré."
            )
        invoice.credited_cents += cents
        invoice.save(update_fields=["credited_cents"])
        _tell(invoice, fell=cents > 0)
    if cents < 0:
        archive.give_back([invoice.client_id])
    journal.record("invoice.credited" if cents > 0 else "invoice.credit_cancelled", invoice)
    return invoice


@transaction.atomic
def give_client_credit(*, client_id: UUID, cents: int) -> None:
    """Add to (or take from) the credit a client holds at the firm; what it covers is not asked again."""
    with whole_firm():
        changed = Client.objects.filter(pk=client_id, credit_cents__gte=-cents).update(
            credit_cents=F("credit_cents") + cents
        )
        if not changed:
            raise OverpaidError("L’avoir de ce client est inférieur au montant repris. Rien n’a été changé.")
        reached = list(Invoice.objects.open().filter(client=client_id).values_list("pk", flat=True))
        if cents > 0:
            ladder().stop(invoice_ids=reached, code="CLIENT_IN_CREDIT")
        else:
            ladder().wake(invoice_ids=reached)
    archive.give_back([client_id])
    journal.record("client.credited", Client.objects.get(pk=client_id))


def _tell(invoice: Invoice, *, fell: bool) -> None:
    if not fell:
        ladder().wake(invoice_ids=[invoice.pk])
    elif invoice.outstanding_cents <= 0:
        ladder().stop(invoice_ids=[invoice.pk], code="PAID")
    else:
        ladder().stop(invoice_ids=[invoice.pk], code="GRACE")
    balances().moved(invoice_ids=[invoice.pk])
