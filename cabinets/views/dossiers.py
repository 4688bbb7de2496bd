"""Show, open and change a dossier: what the law needs, hearings, people in charge."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import InputError
from cabinets.forms.dossiers import AssignmentForm, DossierForm, HearingForm, initial_of
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Client, Dossier, Hearing
from cabinets.permissions import requires
from cabinets.services import dossiers
from cabinets.views.clients import REFUSED, client_url, page


@require_GET
@requires(Right.SEE_CLIENTS)
def dossier(request: CabinetRequest, dossier_id: UUID) -> HttpResponse:
    """Show a dossier."""
    found = _dossier(dossier_id)
    journal.seen(found, "dossier")
    return render(request, "cabinets/dossier.html", _context(request, found))


@page
@requires(Right.EDIT_CLIENTS)
def dossier_add(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Open a dossier for a client."""
    client = get_object_or_404(Client, pk=client_id)
    form = DossierForm(request.POST or None, client=client, initial={"kind": client.kind})
    if form.is_bound and form.is_valid():
        try:
            opened = dossiers.open_dossier(client_id=client_id, facts=form.facts())
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"Le dossier {opened.reference} est ouvert.")
            return redirect("dossier", opened.pk)
    journal.seen(client, "dossier_form")
    context = {"form": form, "client": client, "dossier": None, "back_url": client_url(client_id)}
    return render(request, "cabinets/dossier_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_CLIENTS)
def dossier_edit(request: CabinetRequest, dossier_id: UUID) -> HttpResponse:
    """Change what the law needs of a dossier."""
    found = _dossier(dossier_id)
    form = DossierForm(request.POST or None, client=found.client, initial=initial_of(found))
    if form.is_bound and form.is_valid():
        try:
            dossiers.update_dossier(dossier_id=dossier_id, facts=form.facts())
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Le dossier est enregistré.")
            return redirect("dossier", dossier_id)
    journal.seen(found, "dossier_form")
    back_url = f"/dossiers/{dossier_id}/"
    context = {"form": form, "client": found.client, "dossier": found, "back_url": back_url}
    return render(request, "cabinets/dossier_form.html", context, status=REFUSED if form.errors else None)


@require_POST
@requires(Right.EDIT_CLIENTS)
def hearing_add(request: CabinetRequest, dossier_id: UUID) -> HttpResponse:
    """Note a hearing."""
    found, form = _dossier(dossier_id), HearingForm(request.POST)
    if form.is_valid():
        try:
            dossiers.add_hearing(dossier_id=dossier_id, held_on=form.cleaned_data["held_on"])
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "L’audience est notée : rien ne part trop près d’elle.")
            return redirect("dossier", dossier_id)
    journal.seen(found, "dossier")
    context = {**_context(request, found), "hearing_form": form, "form": form}
    return render(request, "cabinets/dossier.html", context, status=REFUSED)


@require_POST
@requires(Right.EDIT_CLIENTS)
def hearing_remove(request: CabinetRequest, hearing_id: UUID) -> HttpResponse:
    """Forget a hearing."""
    hearing = get_object_or_404(Hearing, pk=hearing_id)
    dossiers.remove_hearing(hearing_id=hearing_id)
    messages.success(request, "L’audience est retirée.")
    return redirect("dossier", hearing.dossier_id)


@require_POST
@requires(Right.ASSIGN_FILES)
def assignment_add(request: CabinetRequest, dossier_id: UUID) -> HttpResponse:
    """Put a person in charge."""
    found = _dossier(dossier_id)
    form = AssignmentForm(request.POST, dossier=found)
    if form.is_valid():
        try:
            dossiers.assign(dossier_id=dossier_id, member_id=form.cleaned_data["member"])
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Le dossier est affecté. L’accès est ouvert dès maintenant.")
            return redirect("dossier", dossier_id)
    journal.seen(found, "dossier")
    context = {**_context(request, found), "assignment_form": form, "form": form}
    return render(request, "cabinets/dossier.html", context, status=REFUSED)


@require_POST
@requires(Right.ASSIGN_FILES)
def assignment_remove(request: CabinetRequest, dossier_id: UUID, member_id: UUID) -> HttpResponse:
    """Take a person out of a dossier."""
    _dossier(dossier_id)
    dossiers.unassign(dossier_id=dossier_id, member_id=member_id)
    messages.success(request, "L’affectation est retirée. L’accès est fermé dès maintenant.")
    return redirect("dossier", dossier_id)


def _dossier(dossier_id: UUID) -> Dossier:
    rows = Dossier.objects.select_related("client", "lawyer__user", "billing_contact")
    return get_object_or_404(rows, pk=dossier_id)


def _context(request: CabinetRequest, found: Dossier) -> dict[str, object]:
    assignments = found.assignments.select_related("member__user").order_by("created_at")
    return {
        "dossier": found,
        "client": found.client,
        "hearings": found.hearings.order_by("held_on"),
        "assignments": assignments,
        "today": request.cabinet.today(),
        "hearing_days": request.cabinet.hearing_days,
        "can_edit": request.member.can(Right.EDIT_CLIENTS),
        "can_assign": request.member.can(Right.ASSIGN_FILES),
        "hearing_form": HearingForm(),
        "assignment_form": AssignmentForm(dossier=found),
        "form": None,
    }
