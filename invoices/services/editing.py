"""Correct, cancel or give up an invoice; what its debtor was already told does not change."""

from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.scoping import whole_firm
from cabinets.services import archive
from invoices.enums import InvoiceState
from invoices.errors import AlreadySaidError, EntryError, InvoiceError
from invoices.locks import lock_invoices
from invoices.models import Invoice
from invoices.money import show_euros
from invoices.ports import balances, ladder
from invoices.services.entering import InvoiceFacts, refuse_taken, state

# What a message states of an invoice, and the dossier it was billed in.
SAID = ("number", "total_cents", "issued_on", "due_on", "kind", "dossier_id")
EDITED = (
    *SAID, "client_id", "number_key", "is_due_date_assumed", "performed_on", "is_never_reminded", "is_sensitive",
    "note",
)  # fmt: skip
_CLOSABLE = (InvoiceState.OPEN, InvoiceState.DRAFT)


@transaction.atomic
def edit_invoice(*, invoice_id: UUID, facts: InvoiceFacts) -> Invoice:
    """Correct an invoice; raise AlreadySaidError, and change nothing, for what a message already said."""
    invoice = _locked(invoice_id)
    if invoice.state not in _CLOSABLE:
        raise InvoiceError(f"La facture {invoice.number} est close : elle ne se modifie plus.")
    before = {name: getattr(invoice, name) for name in EDITED}
    state(invoice, facts)
    if facts.due_on is None and not before["is_due_date_assumed"] and invoice.issued_on == before["issued_on"]:
        invoice.due_on, invoice.is_due_date_assumed = before["due_on"], False
    changed = [name for name, value in before.items() if getattr(invoice, name) != value]
    if not changed:
        return invoice
    restated = bool(set(SAID) & set(changed))
    if restated:
        _refuse_said(invoice, str(before["number"]))
    if invoice.client_id != before["client_id"]:
        raise EntryError("Le dossier choisi est celui d’un autre client. Rien n’a été modifié.", field="dossier")
    if invoice.outstanding_cents < 0:
        floor = show_euros(invoice.settled_cents + invoice.credited_cents)
        raise EntryError(f"Le montant est inférieur à ce qui est déjà réglé ou crédité ({floor}).", field="total")
    refuse_taken(invoice)
    invoice.save(update_fields=changed)
    _tell(invoice, restated=restated)
    journal.record("invoice.changed", invoice, fields=changed)
    return invoice


@transaction.atomic
def cancel_invoice(*, invoice_id: UUID, reason: str) -> Invoice:
    """Cancel an invoice that should not exist; refuse while money was received for it."""
    invoice = _locked(invoice_id)
    if invoice.settled_cents:
        raise InvoiceError(
            f"La facture {invoice.number} a reçu {show_euros(invoice.settled_cents)}. Elle n’a pas été annulée :"
            " annulez d’abord le paiement, ou établissez un avoir."
        )
    return _close(invoice, state=InvoiceState.CANCELLED, word="Annulée", reason=reason)


@transaction.atomic
def write_off(*, invoice_id: UUID, reason: str) -> Invoice:
    """Give up what is left of an invoice; nothing is asked any more."""
    return _close(_locked(invoice_id), state=InvoiceState.WRITTEN_OFF, word="Passée en perte", reason=reason)


@transaction.atomic
def reopen(*, invoice_id: UUID) -> Invoice:
    """Undo a cancellation or a write-off; the next night looks at the invoice again."""
    invoice = _locked(invoice_id)
    if invoice.state not in (InvoiceState.CANCELLED, InvoiceState.WRITTEN_OFF):
        raise InvoiceError(f"La facture {invoice.number} est déjà ouverte.")
    archive.give_back([invoice.client_id])
    invoice.state = InvoiceState.OPEN
    invoice.save(update_fields=["state"])
    ladder().wake(invoice_ids=[invoice.pk])
    journal.record("invoice.reopened", invoice)
    return invoice


def _locked(invoice_id: UUID) -> Invoice:
    locked = lock_invoices([invoice_id])
    if not locked:
        raise Invoice.DoesNotExist
    return locked[0]


def _close(invoice: Invoice, *, state: InvoiceState, word: str, reason: str) -> Invoice:
    motive = " ".join(reason.split())
    if not motive:
        raise EntryError("Indiquez la raison : elle est gardée avec la facture.", field="reason")
    if invoice.state not in _CLOSABLE:
        raise InvoiceError(f"La facture {invoice.number} est déjà close. Rien n’a été changé.")
    invoice.state = state
    invoice.note = f"{invoice.note}\n{word} : {motive}".strip()
    invoice.save(update_fields=["state", "note"])
    ladder().stop(invoice_ids=[invoice.pk], code="CLOSED")
    balances().moved(invoice_ids=[invoice.pk])
    journal.record(f"invoice.{state.value}", invoice)
    return invoice


def _refuse_said(invoice: Invoice, number: str) -> None:
    with whole_firm():
        said = ladder().has_spoken(invoice_ids=[invoice.pk])
    if invoice.pk in said:
        raise AlreadySaidError(
            f"La facture {number} a déjà été rappelée à votre client : son numéro, sa nature, son dossier, ses dates et"
            " son montant ne changent plus. Rien n’a été modifié : pour corriger le montant, établissez un avoir."
        )


def _tell(invoice: Invoice, *, restated: bool) -> None:
    if invoice.is_never_reminded:
        ladder().stop(invoice_ids=[invoice.pk], code="NEVER")
    elif restated:
        # What waits or was approved says the old amount or the old date: a person reads it again.
        ladder().stop(invoice_ids=[invoice.pk], code="NEEDS_APPROVAL")
    else:
        ladder().wake(invoice_ids=[invoice.pk])
