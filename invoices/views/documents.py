"""Attach documents, one by one or many at once; read them; remove them."""

from collections import defaultdict
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest, as_download
from cabinets.models import Dossier
from cabinets.permissions import requires
from cabinets.sealing import open_together
from invoices.enums import DocumentKind, Removal
from invoices.errors import InvoiceError
from invoices.forms.documents import BatchForm, DocumentForm, RemovalForm
from invoices.models import Document, Invoice
from invoices.services import documents
from invoices.services.documents import Match, Outcome
from invoices.views.entry import REFUSED, invoice_url, page


@page
@requires(Right.EDIT_INVOICES)
def document_add(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Attach a file to an invoice."""
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    form = DocumentForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        try:
            kind = DocumentKind(form.cleaned_data["kind"])
            documents.attach_to_invoice(invoice_id=invoice_id, upload=form.upload(), kind=kind)
        except InvoiceError as refusal:
            form.add_error("file", str(refusal))
        else:
            messages.success(request, f"Le document est joint à la facture {invoice.number}, scellé.")
            return redirect(invoice_url(invoice_id))
    journal.seen(invoice, "document_form")
    context = {"form": form, "invoice": invoice, "back_url": invoice_url(invoice_id)}
    return render(request, "invoices/document_form.html", context, status=REFUSED if form.errors else None)


@require_GET
@requires(Right.SEE_INVOICES)
def dossier_documents(request: CabinetRequest, dossier_id: UUID) -> HttpResponse:
    """List the documents of a dossier."""
    return _dossier_page(request, dossier_id, DocumentForm(initial={"kind": DocumentKind.FEE_AGREEMENT}))


@require_POST
@requires(Right.EDIT_INVOICES)
def dossier_document_add(request: CabinetRequest, dossier_id: UUID) -> HttpResponse:
    """Attach a file to a dossier."""
    get_object_or_404(Dossier, pk=dossier_id)
    form = DocumentForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            kind = DocumentKind(form.cleaned_data["kind"])
            documents.attach_to_dossier(dossier_id=dossier_id, upload=form.upload(), kind=kind)
        except InvoiceError as refusal:
            form.add_error("file", str(refusal))
        else:
            messages.success(request, "Le document est joint au dossier, scellé.")
            return redirect("dossier_documents", dossier_id)
    return _dossier_page(request, dossier_id, form)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def document_download(request: CabinetRequest, document_id: UUID) -> HttpResponse:
    """Hand a document over, to be saved and never shown in the page."""
    document = get_object_or_404(Document, pk=document_id)
    data = documents.read_document(document)
    return as_download(data, media_type=document.media_type, name=document.file_name)


@page
@requires(Right.EDIT_INVOICES)
def document_remove(request: CabinetRequest, document_id: UUID) -> HttpResponse:
    """Ask why, then remove a document."""
    document = get_object_or_404(Document, pk=document_id)
    back_url = (
        invoice_url(document.invoice_id) if document.invoice_id else f"/dossiers/{document.dossier_id}/documents/"
    )
    form = RemovalForm(request.POST or None)
    if form.is_bound and form.is_valid():
        documents.remove_document(document_id=document_id, reason=Removal(form.cleaned_data["reason"]))
        messages.success(request, "Le document est retiré.")
        return redirect(back_url)
    journal.seen(document, "document_remove")
    context = {
        "title": "Retirer ce document ?",
        "text": f"Le fichier « {document.file_name} » est effacé du disque. La raison reste au journal.",
        "label": "Retirer le document",
        "form": form,
        "back_url": back_url,
        "danger": True,
    }
    return render(request, "confirm.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_INVOICES)
def documents_batch(request: CabinetRequest) -> HttpResponse:
    """Attach many files, each to the invoice its name bears, and say what became of each."""
    form = BatchForm(request.POST or None, request.FILES or None)
    outcomes: list[Outcome] | None = None
    if form.is_bound and form.is_valid():
        try:
            outcomes = documents.attach_many(uploads=form.uploads())
        except InvoiceError as refusal:
            add_refusal(form, refusal)
    journal.listed(Document, "documents_batch", count=len(outcomes or ()))
    context = {"form": form, "outcomes": outcomes, "groups": _groups(outcomes or [])}
    return render(request, "invoices/documents_batch.html", context, status=REFUSED if form.errors else None)


def _dossier_page(request: CabinetRequest, dossier_id: UUID, form: DocumentForm) -> HttpResponse:
    dossier = get_object_or_404(Dossier.objects.select_related("client"), pk=dossier_id)
    rows = open_together(Document.objects.filter(dossier=dossier).select_related("invoice").order_by("-added_at"))
    journal.listed(Document, "dossier_documents", count=len(rows))
    can_edit = request.member.can(Right.EDIT_INVOICES)
    context = {"form": form, "dossier": dossier, "client": dossier.client, "documents": rows, "can_edit": can_edit}
    return render(request, "invoices/dossier_documents.html", context, status=REFUSED if form.errors else None)


_GROUPS = (
    (Match.UNMATCHED, "Sans facture", "Renommez ces fichiers d’après leur numéro, ou joignez-les depuis la facture."),
    (Match.AMBIGUOUS, "Plusieurs factures possibles", "Joignez ces fichiers depuis la bonne facture."),
    (Match.REFUSED, "Refusés", "Ces fichiers n’ont pas été enregistrés."),
    (Match.ADDED, "Joints", "Ces fichiers sont scellés avec leur facture."),
    (Match.KNOWN, "Déjà joints", "Ces fichiers étaient là : rien n’a été ajouté."),
)


def _groups(outcomes: list[Outcome]) -> list[dict[str, object]]:
    by_match: dict[Match, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_match[outcome.match].append(outcome)
    return [
        {"title": title, "note": note, "outcomes": by_match[match]} for match, title, note in _GROUPS if by_match[match]
    ]
