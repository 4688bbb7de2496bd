"""The bâtonnier's file of an invoice: asked for, made apart, fetched; the product sends it to nobody."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest, to_save
from cabinets.models import Membership
from cabinets.permissions import requires
from dunning.enums import JobState
from dunning.errors import DunningError
from dunning.models import DocumentJob
from dunning.services import batonnier
from invoices.models import Invoice
from invoices.sealed_files import open_whole
from templates_lib.rendering import typeset

ZIP = "application/zip"


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.EXPORT)
def batonnier_file(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Show whether the file is ready, and ask for a new one."""
    invoice = get_object_or_404(Invoice.objects.select_related("client", "dossier"), pk=invoice_id)
    if request.method == "POST":
        try:
            batonnier.ask(invoice_id=invoice_id, by=request.member)
        except DunningError as error:
            messages.error(request, typeset(str(error)))
        return redirect("batonnier_file", invoice_id)
    jobs = batonnier.files_of(invoice, reader=request.member).order_by("-asked_at")[:10]
    journal.seen(invoice, "batonnier")
    context = {
        "invoice": invoice,
        "jobs": jobs,
        "is_waiting": any(job.state == JobState.ASKED for job in jobs),
        "why_not": "" if batonnier.is_competent(invoice) else batonnier.NOT_COMPETENT,
    }
    return render(request, "dunning/batonnier.html", context)


@require_GET
@never_cache
@requires(Right.EXPORT)
def batonnier_pdf(request: CabinetRequest, invoice_id: UUID, job_id: UUID) -> HttpResponseBase:
    """Give the file as one PDF."""
    job = _ready(invoice_id, job_id, reader=request.member)
    return _file(job.stored_as, job.bound_to("file"), job.media_type, job.file_name)


@require_GET
@never_cache
@requires(Right.EXPORT)
def batonnier_zip(request: CabinetRequest, invoice_id: UUID, job_id: UUID) -> HttpResponseBase:
    """Give the file with each piece apart."""
    job = _ready(invoice_id, job_id, reader=request.member)
    return _file(job.archive_as, job.bound_to("archive"), ZIP, job.file_name.replace(".pdf", ".zip"))


def _ready(invoice_id: UUID, job_id: UUID, *, reader: Membership) -> DocumentJob:
    # The invoice first: a document is walled by its client, of whom the reader may see another dossier alone.
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    job = get_object_or_404(batonnier.files_of(invoice, reader=reader), pk=job_id)
    if job.state != JobState.DONE:
        raise Http404("Ce dossier n’est pas prêt.")
    journal.seen(job, "batonnier_file")
    return job


def _file(stored_as: str, bound_to: bytes, media_type: str, name: str) -> FileResponse:
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "-._") else "-" for char in name)
    opened = open_whole(stored_as, bound_to=bound_to)
    return to_save(FileResponse(opened, content_type=media_type), name=safe)
