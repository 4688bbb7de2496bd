"""« Archive »: find a client who left daily use, read them for an hour with a reason, bring them back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Client, Dossier
from cabinets.permissions import archived_too, requires
from cabinets.services import archive
from cabinets.services.archive import ArchiveError
from gdpr.forms import OpeningForm

REFUSED = 422
SHOWN = 20


@require_GET
@never_cache
@requires(Right.OPEN_ARCHIVE)
def page(request: CabinetRequest) -> HttpResponse:
    """Look for one client, and show who opened what lately."""
    text = request.GET.get("q", "").strip()
    found = archive.find(text)
    journal.record("archive.searched", None, count=len(found))
    context = {
        "text": text,
        "found": [(client, _references(client)) for client in found],
        "openings": archive.openings()[:SHOWN],
        "count": Client.objects.exclude(archived_on=None).count(),
        "zone": request.cabinet.zone,
    }
    return render(request, "gdpr/archive.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.OPEN_ARCHIVE)
@archived_too
def open_client(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Ask why, then let this person read one client for an hour."""
    client = get_object_or_404(Client.objects.exclude(archived_on=None), pk=client_id)
    form = OpeningForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            archive.open_for(client_id=client_id, by=request.member, reason=form.cleaned_data["reason"])
        except ArchiveError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "L’archive est ouverte, pour vous seul et pour une heure.")
            return redirect("client", client_id)
    journal.seen(client, "archive")
    context = {"form": form, "client": client, "references": _references(client)}
    return render(request, "gdpr/archive_open.html", context, status=REFUSED if form.errors else None)


@require_POST
@requires(Right.OPEN_ARCHIVE)
@archived_too
def close(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Shut what this person has open."""
    get_object_or_404(Client, pk=client_id)
    archive.close(client_id=client_id, by=request.member)
    messages.success(request, "L’archive est refermée.")
    return redirect("client", client_id)


@require_POST
@requires(Right.OPEN_ARCHIVE)
@archived_too
def bring_back(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Return a client to daily use."""
    get_object_or_404(Client, pk=client_id)
    try:
        archive.bring_back(client_id=client_id, by=request.member)
    except ArchiveError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Le client est sorti de l’archive : sa fiche se lit et se modifie de nouveau.")
    return redirect("client", client_id)


def _references(client: Client) -> str:
    """Name a client's dossiers by what may be said of them."""
    return ", ".join(Dossier.objects.filter(client=client).order_by("reference").values_list("reference", flat=True))
