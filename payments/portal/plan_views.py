"""« Payer en plusieurs fois »: dates computed before they are sent, the firm's offer, the plan that runs."""

from typing import Any

from django.forms import Form
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from cabinets.http import FORM_REFERRER
from payments.enums import STANDING_MANDATES, PlanOrigin, PlanState
from payments.errors import PlanError
from payments.models import PaymentPlan
from payments.plans import Limits, next_bank_day_after, why_not
from payments.portal.access import opens_link
from payments.portal.pages import form_page, page
from payments.portal.plan_forms import PlanForm, SendPlanForm
from payments.portal.views import WITH_FORM, AccountRequest, shows_account
from payments.services import mandates, plan_documents, plans
from payments.services import plan_terms as terms
from payments.services.plan_reading import View, view_of

FIRST_DAYS = 7
ASKED = ("versements", "premier")
MOVED = "Le montant dû a changé pendant votre lecture. Rien n’a été envoyé : relisez les versements ci-dessous."


@opens_link
@WITH_FORM
@shows_account
def plan(request: AccountRequest) -> HttpResponse:
    """Show the plan there is, or take the dates a debtor proposes in two steps: choose, then read and send."""
    running = plans.running_plan(request.link)
    if running is not None:
        return _running(request, running)
    limits = terms.settings_in_force().limits
    debts = terms.debts_of(terms.splittable_through(request.link, on=request.cabinet.today()))
    if not limits.is_offered or sum(debt.cents for debt in debts) < limits.smallest_cents:
        return redirect("portal_home", token=request.token)
    if request.method == "POST":
        return _send(request, limits)
    asked = any(name in request.GET for name in ASKED)
    return _read(request, limits, request.GET) if asked else _choose(request, _form(request, limits), limits)


@opens_link
@require_POST
@shows_account
def accept(request: AccountRequest) -> HttpResponse:
    """Accept the firm's dates."""
    offered = plans.running_plan(request.link)
    if offered is None or offered.origin != PlanOrigin.FIRM:
        return redirect("portal_request", token=request.token)
    try:
        plans.accept_offer(link=request.link, plan_id=offered.pk, today=request.cabinet.today())
    except PlanError as refusal:
        view = view_of(offered, on=request.cabinet.today())
        return form_page(request, "plan_offer", Form(), view=view, refusal=str(refusal), status=422)
    return redirect("portal_plan", token=request.token)


@opens_link
@require_POST
@shows_account
def withdraw(request: AccountRequest) -> HttpResponse:
    """Take back the dates a debtor proposed; the firm's acceptance, should it come first, is shown instead."""
    running = plans.running_plan(request.link)
    if running is None or running.origin != PlanOrigin.DEBTOR:
        return redirect("portal_request", token=request.token)
    try:
        plans.withdraw(link=request.link, plan_id=running.pk)
    except PlanError as refusal:
        view = view_of(plans.running_plan(request.link) or running, on=request.cabinet.today())
        return _show(request, view, refusal=str(refusal))
    return redirect("portal_request", token=request.token)


@opens_link
@require_safe
@shows_account
def document(request: AccountRequest) -> HttpResponse:
    """Give the plan that runs, or is offered, as a document to keep."""
    running = plans.running_plan(request.link)
    if running is None:
        raise Http404
    view = view_of(running, on=request.cabinet.today())
    response = HttpResponse(plan_documents.pdf_of(view, cabinet=request.cabinet), content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="echeancier.pdf"'
    return response


def _running(request: AccountRequest, running: PaymentPlan) -> HttpResponse:
    if running.state == PlanState.PROPOSED and running.origin == PlanOrigin.DEBTOR:
        return redirect("portal_request", token=request.token)
    view = view_of(running, on=request.cabinet.today())
    if running.state == PlanState.PROPOSED:
        return form_page(request, "plan_offer", Form(), view=view)
    return _show(request, view)


def _show(request: AccountRequest, view: View, *, refusal: str = "") -> HttpResponse:
    """Show a plan, and how it is collected where the debtor allowed it or may."""
    past = mandates.history(view.plan)
    facts: dict[str, Any] = {
        "mandate": next((one for one in past if one.state in STANDING_MANDATES), None),
        "has_ended": any(one.signed_at is not None for one in past),
        "is_offered": view.left_cents > 0 and mandates.is_offered(view.plan, request.cabinet),
    }
    response = page(request, "plan_show", view=view, refusal=refusal, **facts)
    response["Referrer-Policy"] = FORM_REFERRER
    return response


def _form(request: AccountRequest, limits: Limits, given: QueryDict | None = None) -> PlanForm:
    today = request.cabinet.today()
    first = next_bank_day_after(today, min(FIRST_DAYS, limits.first_within_days))
    return PlanForm(given, limits=limits, today=today, initial={"versements": limits.most, "premier": first})


def _choose(request: AccountRequest, form: PlanForm, limits: Limits, *, refusal: str = "") -> HttpResponse:
    if refusal:
        form.add_error(None, refusal)
    owed = terms.debts_of(terms.splittable_through(request.link, on=request.cabinet.today()))
    cents = sum(debt.cents for debt in owed)
    return form_page(request, "plan_choose", form, cents=cents, limits=limits)


def _read(request: AccountRequest, limits: Limits, given: QueryDict) -> HttpResponse:
    """Show the instalments computed, before anything is sent."""
    form = _form(request, limits, given)
    if not form.is_valid():
        return _choose(request, form, limits)
    view = _computed(request, form, limits)
    if view["refusal"]:
        return _choose(request, form, limits, refusal=view["refusal"])
    return _confirm(request, form, limits, view)


def _send(request: AccountRequest, limits: Limits) -> HttpResponse:
    form = SendPlanForm(request.POST, limits=limits, today=request.cabinet.today())
    if not form.is_valid():
        return _choose(request, _form(request, limits, request.POST), limits)
    view = _computed(request, form, limits)
    if view["cents"] != form.cleaned_data["montant"]:
        return _confirm(request, form, limits, view, refusal=MOVED)
    try:
        plans.propose(
            link=request.link,
            count=form.cleaned_data["versements"],
            first_on=form.cleaned_data["premier"],
            today=request.cabinet.today(),
            message=form.cleaned_data["message"],
        )
    except PlanError as refusal:
        return _choose(request, _form(request, limits, request.POST), limits, refusal=str(refusal))
    return redirect("portal_request", token=request.token)


def _confirm(
    request: AccountRequest, form: PlanForm, limits: Limits, view: dict[str, Any], *, refusal: str = ""
) -> HttpResponse:
    chosen = form.cleaned_data
    initial = {
        "versements": chosen["versements"],
        "premier": chosen["premier"],
        "montant": view["cents"],
        "message": chosen.get("message", ""),
    }
    ready = SendPlanForm(limits=limits, today=request.cabinet.today(), initial=initial)
    chosen_again = f"?versements={chosen['versements']}&premier={chosen['premier']:%Y-%m-%d}"
    return form_page(
        request,
        "plan_confirm",
        ready,
        status=422 if refusal else 0,
        refusal=refusal,
        again=chosen_again,
        **{name: view[name] for name in ("parts", "cents", "invoices")},
    )


def _computed(request: AccountRequest, form: PlanForm, limits: Limits) -> dict[str, Any]:
    today, invoices = request.cabinet.today(), terms.splittable_through(request.link, on=request.cabinet.today())
    debts = terms.debts_of(invoices)
    parts = terms.parts_of(
        debts=debts,
        count=form.cleaned_data["versements"],
        first_on=form.cleaned_data["premier"],
        on=today,
        months=limits.months,
    )
    return {
        "parts": parts,
        "cents": sum(debt.cents for debt in debts),
        "invoices": invoices,
        "refusal": why_not(debts=debts, parts=parts, limits=limits, on=today),
    }
