"""Saved views of Factures: keep one, rename it, delete it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import InputError
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import SavedView
from cabinets.permissions import requires
from dunning.forms.saved_views import ViewForm
from dunning.services import saved_views
from templates_lib.rendering import typeset

page = require_http_methods(["GET", "POST"])
REFUSED = 422


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def views(request: CabinetRequest) -> HttpResponse:
    """List the views the person may use."""
    rows = saved_views.views_of(request.member)
    journal.listed(SavedView, "saved_views", count=len(rows))
    return render(request, "dunning/saved_views.html", {"views": rows, "member": request.member})


@page
@requires(Right.SEE_INVOICES)
def view_add(request: CabinetRequest) -> HttpResponse:
    """Keep the filters of the list one comes from."""
    query = saved_views.query_of(request.GET.urlencode())
    form = ViewForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            saved_views.save_view(query=query, by=request.member, **form.cleaned_data)
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "La vue est enregistrée.")
            return HttpResponseRedirect(f"{reverse('invoices')}?{query}")
    context = {"form": form, "view": None, "back_url": f"{reverse('invoices')}?{query}"}
    return render(request, "dunning/saved_view_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.SEE_INVOICES)
def view_change(request: CabinetRequest, view_id: UUID) -> HttpResponse:
    """Rename one's own view, share it or not."""
    view = get_object_or_404(SavedView, pk=view_id, member=request.member)
    initial = {"name": view.name, "is_shared": view.is_shared}
    form = ViewForm(request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            saved_views.rename_view(view_id=view_id, by=request.member, **form.cleaned_data)
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "La vue est modifiée.")
            return redirect("saved_views")
    journal.seen(view, "saved_view_form")
    context = {"form": form, "view": view, "back_url": reverse("saved_views")}
    return render(request, "dunning/saved_view_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.SEE_INVOICES)
def view_delete(request: CabinetRequest, view_id: UUID) -> HttpResponse:
    """Delete one's own view."""
    view = get_object_or_404(SavedView, pk=view_id, member=request.member)
    if request.method == "POST":
        saved_views.delete_view(view_id=view_id, by=request.member)
        messages.success(request, "La vue est supprimée. Aucune facture n’a changé.")
        return redirect("saved_views")
    journal.seen(view, "saved_view_delete")
    context = {
        "title": typeset(f"Supprimer la vue « {view.name} » ?"),
        "text": "Aucune facture ne change. Si la vue est partagée, elle disparaît pour tout le cabinet.",
        "label": "Supprimer la vue",
        "danger": True,
        "back_url": reverse("saved_views"),
    }
    return render(request, "confirm.html", context)
