"""Enter an invoice, correct it, end it; credit notes."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Client, Dossier
from cabinets.permissions import requires
from invoices.errors import InvoiceError
from invoices.forms.entry import CreditNoteForm, InvoiceForm, ReasonForm, initial_of
from invoices.models import CreditNote, Invoice
from invoices.ports import ladder
from invoices.services import credit_notes, editing, entering

page = require_http_methods(["GET", "POST"])
REFUSED = 422


def invoice_url(invoice_id: UUID) -> str:
    """Return the address of an invoice's page."""
    return f"/factures/{invoice_id}/"


@page
@requires(Right.EDIT_INVOICES)
def invoice_add(request: CabinetRequest) -> HttpResponse:
    """Enter an invoice."""
    today, dossier = request.cabinet.today(), _asked_dossier(request)
    initial = {"issued_on": today, "dossier": dossier.pk if dossier else None}
    form = InvoiceForm(request.POST or None, client_id=_asked_client(request), initial=initial)
    if form.is_bound and form.is_valid():
        try:
            invoice = entering.enter_invoice(facts=form.facts(), on=today)
        except InvoiceError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"La facture {invoice.number} est enregistrée.")
            return redirect(invoice_url(invoice.pk))
    journal.listed(Dossier, "invoice_form", count=len(form.fields["dossier"].choices) - 1)  # type: ignore[attr-defined]
    context = {"form": form, "invoice": None, "is_said": False, "back_url": "/factures/"}
    return render(request, "invoices/invoice_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_INVOICES)
def invoice_edit(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Correct an invoice."""
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    form = InvoiceForm(request.POST or None, client_id=invoice.client_id, initial=initial_of(invoice))
    if form.is_bound and form.is_valid():
        try:
            editing.edit_invoice(invoice_id=invoice_id, facts=form.facts())
        except InvoiceError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "La facture est enregistrée.")
            return redirect(invoice_url(invoice_id))
    journal.seen(invoice, "invoice_form")
    is_said = bool(ladder().has_spoken(invoice_ids=[invoice_id]))
    context = {"form": form, "invoice": invoice, "is_said": is_said, "back_url": invoice_url(invoice_id)}
    return render(request, "invoices/invoice_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_INVOICES)
def invoice_cancel(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Ask why, then cancel an invoice."""
    words = {
        "title": "Annuler cette facture ?",
        "text": "Elle n’aurait pas dû exister : plus rien n’est demandé, et elle sort de vos encours.",
        "label": "Annuler la facture",
    }
    return _end(request, invoice_id, words, editing.cancel_invoice, "est annulée")


@page
@requires(Right.EDIT_INVOICES)
def invoice_write_off(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Ask why, then give up what is left of an invoice."""
    words = {
        "title": "Passer cette facture en perte ?",
        "text": "Les relances s’arrêtent. Un paiement reçu plus tard peut encore être enregistré.",
        "label": "Passer en perte",
    }
    return _end(request, invoice_id, words, editing.write_off, "est passée en perte")


@require_POST
@requires(Right.EDIT_INVOICES)
def invoice_reopen(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Undo a cancellation or a write-off."""
    get_object_or_404(Invoice, pk=invoice_id)
    try:
        invoice = editing.reopen(invoice_id=invoice_id)
    except InvoiceError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"La facture {invoice.number} est rouverte.")
    return redirect(invoice_url(invoice_id))


@page
@requires(Right.EDIT_INVOICES)
def credit_note_add(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Lower an invoice by a credit note."""
    invoice = get_object_or_404(Invoice.objects.select_related("client"), pk=invoice_id)
    journal.seen(invoice, "credit_note_form")
    return _credit(request, invoice.client, invoice, invoice_url(invoice_id))


@page
@requires(Right.EDIT_INVOICES)
def client_credit_add(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Give a client a credit that names no invoice."""
    client = get_object_or_404(Client, pk=client_id)
    journal.seen(client, "credit_note_form")
    return _credit(request, client, None, f"/clients/{client_id}/")


@page
@requires(Right.EDIT_INVOICES)
def credit_note_cancel(request: CabinetRequest, credit_note_id: UUID) -> HttpResponse:
    """Ask, then take a credit note back."""
    # A credit note on an invoice the person does not see is not theirs to take back.
    seen = CreditNote.objects.filter(Q(invoice=None) | Q(invoice__in=Invoice.objects.all()))
    note = get_object_or_404(seen, pk=credit_note_id)
    back_url = invoice_url(note.invoice_id) if note.invoice_id else f"/clients/{note.client_id}/"
    if request.method == "POST":
        try:
            credit_notes.cancel_credit_note(credit_note_id=credit_note_id)
        except InvoiceError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"L’avoir {note.number} est annulé : ce qu’il couvrait est de nouveau dû.")
        return redirect(back_url)
    journal.seen(note, "credit_note_cancel")
    context = {
        "title": f"Annuler l’avoir {note.number} ?",
        "text": "Ce qu’il couvrait est de nouveau dû, et peut être relancé.",
        "label": "Annuler l’avoir",
        "back_url": back_url,
        "danger": True,
        "form": None,
    }
    return render(request, "confirm.html", context)


def _asked_dossier(request: HttpRequest) -> Dossier | None:
    return Dossier.objects.filter(pk=wanted).first() if (wanted := _uuid(request.GET.get("dossier"))) else None


def _asked_client(request: HttpRequest) -> UUID | None:
    return _uuid(request.GET.get("client"))


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _end(
    request: CabinetRequest, invoice_id: UUID, words: dict[str, str], end: Callable[..., Invoice], ended: str
) -> HttpResponse:
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    form: forms.Form = ReasonForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            end(invoice_id=invoice_id, reason=form.cleaned_data["reason"])
        except InvoiceError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"La facture {invoice.number} {ended}.")
            return redirect(invoice_url(invoice_id))
    journal.seen(invoice, "invoice_end")
    context = {**words, "form": form, "back_url": invoice_url(invoice_id), "danger": True}
    return render(request, "confirm.html", context, status=REFUSED if form.errors else None)


def _credit(request: CabinetRequest, client: Client, invoice: Invoice | None, back_url: str) -> HttpResponse:
    form = CreditNoteForm(request.POST or None, initial={"issued_on": request.cabinet.today()})
    if form.is_bound and form.is_valid():
        try:
            note = credit_notes.create_credit_note(
                client_id=client.pk,
                invoice_id=invoice.pk if invoice else None,
                number=form.cleaned_data["number"],
                issued_on=form.cleaned_data["issued_on"],
                cents=form.cleaned_data["total"],
            )
        except InvoiceError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"L’avoir {note.number} est enregistré.")
            return redirect(back_url)
    context = {"form": form, "client": client, "invoice": invoice, "back_url": back_url}
    return render(request, "invoices/credit_note_form.html", context, status=REFUSED if form.errors else None)
