"""« Violations »: the record of article 33-5, one page a breach, with its clock."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from gdpr.enums import Risk
from gdpr.errors import GdprError
from gdpr.forms import BreachForm, MomentForm, PeopleToldForm, RiskForm
from gdpr.models import Breach
from gdpr.services import breaches as service
from gdpr.services import incident_news

REFUSED = 422


@require_GET
@requires(Right.MANAGE_FIRM)
def listing(request: CabinetRequest) -> HttpResponse:
    """List every breach, the latest first."""
    rows = list(Breach.objects.order_by("-known_at"))
    journal.listed(Breach, request.path, count=len(rows))
    shown = [(row, service.dues_of(row)) for row in rows]
    return render(request, "gdpr/breaches.html", {"rows": shown})


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
def add(request: CabinetRequest) -> HttpResponse:
    """Note a breach."""
    form = BreachForm(request.POST or None, zone=request.cabinet.zone, now=timezone.now())
    if form.is_bound and form.is_valid():
        try:
            row = service.record(by=request.member, **form.cleaned_data)
        except GdprError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "La violation est enregistrée. Le délai de 72 heures court depuis cet instant.")
            return redirect("breach", row.pk)
    journal.record("breach.asked", None)
    return render(request, "gdpr/breach_add.html", {"form": form}, status=REFUSED if form.errors else None)


@require_GET
@never_cache
@requires(Right.MANAGE_FIRM)
def one(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Show a breach, what is due of it and by when."""
    return _page(request, get_object_or_404(Breach, pk=pk))


@require_POST
@requires(Right.MANAGE_FIRM)
def opened(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Note that what the operator said was read, and show it."""
    get_object_or_404(Breach, pk=pk)
    incident_news.open_notices(breach_id=pk, by=request.member)
    return redirect("breach", pk)


@require_POST
@requires(Right.MANAGE_FIRM)
def assess(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Say what is known by now, and what it may do to people."""
    form = RiskForm(request.POST)
    if not form.is_valid():
        return _page(request, get_object_or_404(Breach, pk=pk), risk_form=form)
    given = form.cleaned_data | {"risk": Risk(form.cleaned_data["risk"])}
    return _do(request, pk, lambda: service.assess(breach_id=pk, by=request.member, **given), "L’évaluation est notée.")


@require_POST
@requires(Right.MANAGE_FIRM)
def authority(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Note that the CNIL was notified."""
    form = MomentForm(request.POST, zone=request.cabinet.zone, now=timezone.now())
    if not form.is_valid():
        return _page(request, get_object_or_404(Breach, pk=pk), moment_form=form)
    given = form.cleaned_data
    return _do(
        request,
        pk,
        lambda: service.note_authority(
            breach_id=pk, by=request.member, at=given["at"], late_reason=given["late_reason"]
        ),
        "La notification à la CNIL est notée.",
    )


@require_POST
@requires(Right.MANAGE_FIRM)
def people(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Note when the people concerned were told."""
    form = PeopleToldForm(request.POST, zone=request.cabinet.zone, now=timezone.now())
    if not form.is_valid():
        return _page(request, get_object_or_404(Breach, pk=pk), people_form=form)
    at = form.cleaned_data["told_at"]
    act = partial(service.note_people, breach_id=pk, by=request.member, at=at)
    return _do(request, pk, act, "L’information des personnes est notée, à cet instant.")


@require_POST
@requires(Right.MANAGE_FIRM)
def close(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Close a breach."""
    return _do(request, pk, lambda: service.close(breach_id=pk, by=request.member), "La violation est close.")


def _do(request: CabinetRequest, pk: UUID, act: Callable[[], object], done: str) -> HttpResponse:
    row = get_object_or_404(Breach, pk=pk)
    try:
        act()
    except GdprError as refusal:
        messages.error(request, str(refusal))
        return _page(request, row, status=REFUSED)
    messages.success(request, done)
    return redirect("breach", pk)


def _page(
    request: CabinetRequest,
    row: Breach,
    *,
    risk_form: RiskForm | None = None,
    moment_form: MomentForm | None = None,
    people_form: PeopleToldForm | None = None,
    status: int | None = None,
) -> HttpResponse:
    journal.seen(row, request.path)
    now = timezone.now()
    refused = next((form for form in (risk_form, moment_form, people_form) if form is not None), None)
    known = {name: getattr(row, name) for name in ("what", "whose", "risk", "consequences", "measures")}
    context = {
        "row": row,
        "dues": service.dues_of(row),
        "statements": incident_news.statements_of(row),
        "risk_form": risk_form or RiskForm(initial=known),
        "moment_form": moment_form or MomentForm(zone=request.cabinet.zone, now=now),
        "people_form": people_form or PeopleToldForm(zone=request.cabinet.zone, now=now),
        "form": refused,
    }
    return render(request, "gdpr/breach.html", context, status=REFUSED if refused else status)
