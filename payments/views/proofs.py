"""The file a debtor joined to a request: read and removed by the firm."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest, as_download
from cabinets.permissions import requires
from payments.models import DebtorRequest, Proof
from payments.services import proofs
from payments.views.requests import visible


@require_GET
@never_cache
@requires(Right.SEE_CLIENTS)
def download(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Hand the file over, to be saved and never shown in the page."""
    asked, proof = _with_proof(pk)
    return as_download(proofs.read(request=asked, proof=proof), media_type=proof.media_type, name=proof.file_name)


@require_http_methods(["GET", "POST"])
@requires(Right.HOLD_REMINDERS)
def remove(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Ask, then remove the file; what the debtor said stays."""
    asked, proof = _with_proof(pk)
    if request.method == "POST":
        proofs.remove(proof=proof)
        messages.success(request, "Le justificatif est retiré.")
        return redirect("request", pk=pk)
    journal.seen(asked, "remove_request_proof")
    context = {
        "title": "Retirer ce justificatif ?",
        "text": f"Le fichier « {proof.file_name} » est effacé du disque. Ce que dit le client reste.",
        "label": "Retirer le justificatif",
        "back_url": f"/demandes/{pk}/",
        "danger": True,
    }
    return render(request, "confirm.html", context)


def _with_proof(pk: UUID) -> tuple[DebtorRequest, Proof]:
    asked = get_object_or_404(visible().select_related("proof"), pk=pk)
    if asked.proof is None:
        raise Http404
    return asked, asked.proof
