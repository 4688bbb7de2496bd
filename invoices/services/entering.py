"""Enter one invoice by hand: checked, stopped like its client, put on the ladder."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from cabinets import journal
from cabinets.enums import ClientKind, LegalAid
from cabinets.models import Dossier
from cabinets.scoping import whole_firm
from cabinets.services import archive
from invoices.calendar import due_date_for
from invoices.enums import InvoiceKind
from invoices.errors import EntryError
from invoices.importers.cells import normalise_number
from invoices.models import Invoice
from invoices.money import MAX_CENTS
from invoices.ports import ladder
from invoices.services import standstill

LONGEST_NUMBER = 40
BETWEEN_PROFESSIONALS = frozenset({ClientKind.PROFESSIONAL, ClientKind.PUBLIC})
TAKEN = "Une facture porte déjà le numéro « {number} ». Rien n’a été enregistré : vérifiez le numéro."
NO_FEE = (
    "Ce dossier bénéficie de l’aide juridictionnelle totale : aucun honoraire ne peut y être demandé ni accepté"
    " (loi du 10 juillet 1991, art. 32). La facture n’a pas été enregistrée."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """What a person says of an invoice. Without a due date the law gives one, between professionals only."""

    dossier_id: UUID
    number: str
    kind: InvoiceKind = InvoiceKind.INVOICE
    issued_on: dt.date
    due_on: dt.date | None = None
    performed_on: dt.date | None = None
    total_cents: int
    is_never_reminded: bool = False
    is_sensitive: bool = False
    note: str = ""


@transaction.atomic
def enter_invoice(*, facts: InvoiceFacts, on: dt.date) -> Invoice:
    """Record an invoice, give it the stops of its client, and put it on its firm's ladder."""
    invoice = Invoice()
    state(invoice, facts)
    _insert(invoice)
    standstill.inherit(invoice_ids=[invoice.pk])
    ladder().enter(invoice_ids=[invoice.pk], on=on)
    journal.record("invoice.created", invoice)
    return invoice


def state(invoice: Invoice, facts: InvoiceFacts) -> None:
    """Write these facts on an invoice, checked; nothing is saved."""
    dossier = Dossier.objects.get(pk=facts.dossier_id)
    if dossier.legal_aid == LegalAid.TOTAL:
        raise EntryError(NO_FEE, field="dossier")
    if dossier.is_archived and dossier.pk != invoice.dossier_id:
        raise EntryError("Ce dossier est archivé : choisissez-en un autre ou rouvrez-le.", field="dossier")
    number = " ".join(facts.number.split())
    if not number or len(number) > LONGEST_NUMBER:
        raise EntryError(f"Indiquez le numéro de la facture, en {LONGEST_NUMBER} caractères au plus.", field="number")
    if not 0 < facts.total_cents <= MAX_CENTS:
        raise EntryError("Le montant de la facture doit être supérieur à zéro.", field="total")
    due_on = facts.due_on or due_date_for(facts.issued_on, professional=dossier.kind in BETWEEN_PROFESSIONALS)
    if due_on is None:
        raise EntryError(
            "Indiquez l’échéance : elle ne se déduit de la loi que pour un client professionnel.", field="due_on"
        )
    if due_on < facts.issued_on:
        raise EntryError("L’échéance précède la date de facture : corrigez l’une des deux.", field="due_on")
    invoice.client_id, invoice.dossier_id = dossier.client_id, dossier.pk
    invoice.number, invoice.number_key = number, number_key(number)
    invoice.kind, invoice.issued_on, invoice.performed_on = facts.kind, facts.issued_on, facts.performed_on
    invoice.due_on, invoice.is_due_date_assumed = due_on, facts.due_on is None
    invoice.total_cents, invoice.note = facts.total_cents, facts.note.strip()
    invoice.is_never_reminded, invoice.is_sensitive = facts.is_never_reminded, facts.is_sensitive


def number_key(number: str) -> str:
    """Reduce a number to what two spellings of it share, typed or imported alike."""
    return normalise_number(number)


def refuse_taken(invoice: Invoice) -> None:
    """Refuse a number another invoice of the firm bears, even one the person does not see."""
    with whole_firm():
        if Invoice.objects.filter(number_key=invoice.number_key).exclude(pk=invoice.pk).exists():
            raise EntryError(TAKEN.format(number=invoice.number), field="number")


def _insert(invoice: Invoice) -> None:
    refuse_taken(invoice)
    archive.give_back([invoice.client_id])
    try:
        with transaction.atomic():
            invoice.save(force_insert=True)
    except IntegrityError as error:
        raise EntryError(TAKEN.format(number=invoice.number), field="number") from error
