"""« Proposer un échéancier »: the firm's dates, read computed before they leave; and what the firm allows."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from invoices.models import Invoice
from payments.errors import PaymentError
from payments.forms_plans import DatesForm, OfferForm, PlanSettingsForm
from payments.models import PaymentPlan, PlanLine
from payments.plans import MOST_BY_HAND, next_bank_day_after, refused_by_law
from payments.services import plan_terms as terms
from payments.services import plans

page = require_http_methods(["GET", "POST"])
REFUSED = 422
FIRST_DAYS = 14
USUAL = 3


@page
@requires(Right.HOLD_REMINDERS)
def offer(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Choose invoices and dates, read what they give, then propose them to the client."""
    client = get_object_or_404(Client, pk=client_id)
    today = request.cabinet.today()
    invoices = terms.splittable_of(client, on=today)
    asked = request.GET.get("facture", "")
    ticked = [str(one.pk) for one in invoices if not asked or str(one.pk) == asked]
    initial = {"invoices": ticked, **_usual(request)}
    form = OfferForm(request.POST or None, invoices=invoices, today=today, initial=initial)
    parts: Any = ()
    if form.is_bound and form.is_valid():
        chosen = form.chosen()
        parts = _parts(request, form, chosen)
        if parts and "proposer" in request.POST:
            try:
                plan = plans.offer(
                    by=request.member,
                    client=client,
                    invoice_ids=[one.pk for one in chosen],
                    count=form.cleaned_data["count"],
                    first_on=form.cleaned_data["first_on"],
                    today=today,
                )
            except PaymentError as refusal:
                add_refusal(form, refusal)
            else:
                return _offered(request, plan)
    journal.seen(client, "plan_offer")
    context = {
        "form": form,
        "title": "Proposer un échéancier",
        "who": client.display_name,
        "back_url": f"/clients/{client.pk}/",
        "parts": parts,
        "total": sum(part.cents for part in parts),
        "nothing": not invoices,
    }
    return render(request, "payments/plan_offer.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.HOLD_REMINDERS)
def other_dates(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Propose other dates for the invoices of a plan that waits for an answer."""
    plan = get_object_or_404(PaymentPlan.objects.select_related("client"), pk=plan_id)
    if not plan.is_waiting:
        messages.warning(request, "Cet échéancier a déjà reçu une réponse.")
        return redirect("plan", plan.pk)
    today = request.cabinet.today()
    form = DatesForm(request.POST or None, today=today, initial=_usual(request))
    parts: Any = ()
    if form.is_bound and form.is_valid():
        lines = PlanLine.objects.filter(plan=plan).values("invoice_id")
        chosen = list(Invoice.objects.open().filter(pk__in=lines).select_related("dossier"))
        parts = _parts(request, form, chosen)
        if parts and "proposer" in request.POST:
            try:
                offered = plans.counter(
                    plan_id=plan.pk,
                    by=request.member,
                    count=form.cleaned_data["count"],
                    first_on=form.cleaned_data["first_on"],
                    today=today,
                )
            except PaymentError as refusal:
                add_refusal(form, refusal)
            else:
                return _offered(request, offered)
    journal.seen(plan, "plan_dates")
    context = {
        "form": form,
        "title": "Proposer d’autres dates",
        "who": plan.client.display_name,
        "back_url": f"/echeanciers/{plan.pk}/",
        "parts": parts,
        "total": sum(part.cents for part in parts),
    }
    return render(request, "payments/plan_offer.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.MANAGE_FIRM)
def plan_settings(request: CabinetRequest) -> HttpResponse:
    """Show and keep what a debtor may propose."""
    form = PlanSettingsForm(request.POST or None, instance=terms.settings_in_force())
    if form.is_bound and form.is_valid():
        terms.save_settings(by=request.member, **form.values())
        messages.success(request, "Les échéanciers sont réglés. Ceux qui courent ne changent pas.")
        return redirect("plan_settings")
    journal.record("plansettings.seen", None)
    return render(request, "payments/plan_settings.html", {"form": form}, status=REFUSED if form.errors else None)


def _usual(request: CabinetRequest) -> dict[str, Any]:
    return {"count": USUAL, "first_on": next_bank_day_after(request.cabinet.today(), FIRST_DAYS)}


def _parts(request: CabinetRequest, form: DatesForm, invoices: list[Invoice]) -> Any:
    """Compute the instalments of a valid form; none, and the reason on the form, when the law refuses them."""
    today, debts = request.cabinet.today(), terms.debts_of(invoices)
    parts = terms.parts_of(
        debts=debts,
        count=form.cleaned_data["count"],
        first_on=form.cleaned_data["first_on"],
        on=today,
        months=MOST_BY_HAND,
    )
    if refusal := refused_by_law(debts=debts, parts=parts, on=today):
        form.add_error(None, refusal)
        return ()
    return parts


def _offered(request: CabinetRequest, plan: PaymentPlan) -> HttpResponse:
    messages.success(
        request, "Les dates sont proposées. Le client les accepte depuis sa page ; les relances attendent jusque-là."
    )
    return redirect("plan", plan.pk)
