"""Credit notes: on one invoice, or as a credit the client holds."""

import datetime as dt
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.models import Client
from cabinets.scoping import whole_firm
from invoices.enums import InvoiceState
from invoices.errors import EntryError, InvoiceError
from invoices.models import CreditNote, Invoice
from invoices.services import settlement
from invoices.services.entering import LONGEST_NUMBER, number_key

TAKEN = "Un avoir porte déjà le numéro « {number} ». Rien n’a été enregistré : vérifiez le numéro."


@transaction.atomic
def create_credit_note(
    *, client_id: UUID, invoice_id: UUID | None, number: str, issued_on: dt.date, cents: int
) -> CreditNote:
    """Lower an invoice, or the client's whole debt when no invoice is named; more than is owed is refused."""
    client = Client.objects.get(pk=client_id)
    invoice = Invoice.objects.get(pk=invoice_id, client=client) if invoice_id else None
    if invoice and invoice.state != InvoiceState.OPEN:
        raise InvoiceError(f"La facture {invoice.number} est close : elle ne reçoit plus d’avoir.")
    words = " ".join(number.split())
    if not words or len(words) > LONGEST_NUMBER:
        raise EntryError(f"Indiquez le numéro de l’avoir, en {LONGEST_NUMBER} caractères au plus.", field="number")
    if cents <= 0:
        raise EntryError("Le montant de l’avoir doit être supérieur à zéro.", field="total")
    note = CreditNote(
        client=client, invoice=invoice, number=words, number_key=number_key(words), issued_on=issued_on, cents=cents
    )
    _insert(note)
    _apply(note, cents)
    journal.record("credit_note.created", note, invoice=str(invoice.pk) if invoice else None)
    return note


@transaction.atomic
def cancel_credit_note(*, credit_note_id: UUID) -> CreditNote:
    """Take a credit note back: what it lowered is owed again. Cancelling it twice changes nothing."""
    note = CreditNote.objects.get(pk=credit_note_id)
    taken = CreditNote.objects.filter(pk=credit_note_id, cancelled_at=None).update(cancelled_at=timezone.now())
    if taken:
        _apply(note, -note.cents)
        journal.record("credit_note.cancelled", note)
    return CreditNote.objects.get(pk=credit_note_id)


def _apply(note: CreditNote, cents: int) -> None:
    if note.invoice_id:
        settlement.credit(invoice_id=note.invoice_id, cents=cents)
    else:
        settlement.give_client_credit(client_id=note.client_id, cents=cents)


def _insert(note: CreditNote) -> None:
    with whole_firm():
        if CreditNote.objects.filter(number_key=note.number_key).exists():
            raise EntryError(TAKEN.format(number=note.number), field="number")
    try:
        with transaction.atomic():
            note.save(force_insert=True)
    except IntegrityError as error:
        raise EntryError(TAKEN.format(number=note.number), field="number") from error
