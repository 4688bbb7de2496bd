"""« Export et départ »: take everything away, close the account, change one's mind."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.forms.sign_in import ConfirmPasswordForm
from cabinets.http import CabinetRequest, to_save
from cabinets.permissions import requires
from gdpr.enums import CopyState
from gdpr.errors import GdprError
from gdpr.forms import ClosingForm
from gdpr.models import FirmCopy
from gdpr.services import closing, firm_copies, firm_format
from gdpr.terms import CLOSING_DAYS, COPY_DAYS

REFUSED = 422
SHOWN = 10
BUSY = (CopyState.ASKED, CopyState.MAKING)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("current")
@never_cache
@requires(Right.LEAVE)
def export(request: CabinetRequest) -> HttpResponse:
    """Ask for the whole copy of the firm, and see those that were made."""
    form = ConfirmPasswordForm(request.POST or None, request=request)
    if form.is_bound and form.is_valid():
        firm_copies.ask(by=request.member)
        messages.success(request, "L’archive est demandée. Elle se prépare, et cette page la montrera.")
        return redirect("firm_export")
    journal.record("firmcopy.page_seen", None)
    copies = list(FirmCopy.objects.select_related("asked_by__user").order_by("-asked_at", "pk")[:SHOWN])
    ready = next((one for one in copies if one.state == CopyState.READY), None)
    context = {
        "form": form,
        "ready": ready,
        "digest": bytes(ready.digest).hex() if ready and ready.digest else "",
        "busy": next((one for one in copies if one.state in BUSY), None),
        "failed": bool(copies) and copies[0].state == CopyState.FAILED,
        "copies": [one for one in copies if one.state not in BUSY],
        "days": COPY_DAYS,
        "left": firm_format.LEFT_TABLES.values(),
        "closing": closing.pending(),
    }
    return render(request, "gdpr/export.html", context, status=REFUSED if form.errors else None)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("current")
@never_cache
@requires(Right.LEAVE)
def download(request: CabinetRequest, pk: UUID) -> HttpResponseBase:
    """Ask the password, then give the archive, chunk by chunk: a session left open must not take the whole firm."""
    get_object_or_404(FirmCopy, pk=pk, state=CopyState.READY)
    form = ConfirmPasswordForm(request.POST if request.method == "POST" else None, request=request)
    if not form.is_valid():
        context = {
            "form": form,
            "title": "Télécharger l’archive de tout le cabinet ?",
            "text": "Elle n’est plus chiffrée une fois téléchargée. Ce téléchargement est noté au journal.",
            "label": "Télécharger l’archive",
            "back_url": "/rgpd/export/",
            "danger": False,
        }
        return render(request, "confirm.html", context, status=REFUSED if form.errors else None)
    try:
        copy, opened = firm_copies.open_archive(copy_id=pk, by=request.member)
    except GdprError as refusal:
        raise Http404(str(refusal)) from refusal
    made = copy.made_at.astimezone(request.cabinet.zone) if copy.made_at else None
    name = f"{slugify(request.cabinet.name) or 'cabinet'}-{made:%Y-%m-%d}.zip"
    response = to_save(FileResponse(opened, content_type="application/zip"), name=name)
    response["Content-Length"] = str(copy.size)
    return response


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("current")
@never_cache
@requires(Right.LEAVE)
def close(request: CabinetRequest) -> HttpResponse:
    """Say what closing does, then begin it: the name typed, the password given again."""
    form = ClosingForm(request.POST or None, request=request)
    if form.is_bound and form.is_valid():
        try:
            closing.ask(by=request.member, name=form.cleaned_data["name"])
        except GdprError as refusal:
            add_refusal(form, refusal)
        else:
            messages.warning(request, "La clôture est demandée : plus aucun message ne part.")
            return redirect("firm_close")
    journal.record("closing.page_seen", None)
    context = {
        "form": form,
        "closing": closing.pending(),
        "kept": closing.KEPT,
        "days": CLOSING_DAYS,
        "has_copy": FirmCopy.objects.filter(state=CopyState.READY).exists(),
    }
    return render(request, "gdpr/closing.html", context, status=REFUSED if form.errors else None)


@require_http_methods(["GET", "POST"])
@requires(Right.LEAVE)
def take_back(request: CabinetRequest) -> HttpResponse:
    """Confirm, then give the account its life back."""
    if request.method == "POST":
        try:
            closing.take_back(by=request.member)
        except GdprError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "La clôture est reprise. Ce qui attendait est réexaminé avant de partir.")
        return redirect("firm_export")
    context = {
        "title": "Garder le compte ?",
        "text": "La clôture est annulée et les envois peuvent reprendre. Les relances en attente sont réexaminées une "
        "par une avant de partir.",
        "label": "Garder le compte",
        "back_url": "/rgpd/cloture/",
        "danger": False,
    }
    return render(request, "confirm.html", context)
