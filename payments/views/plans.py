"""« Échéanciers »: what waits for a decision, what runs, and one plan with what may be done of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from cabinets.sealing import open_together
from payments.enums import PlanOrigin, PlanState
from payments.errors import PaymentError
from payments.forms_plans import RefuseForm, ToleranceForm, WrittenForm
from payments.models import PaymentPlan, PlanMessage
from payments.services import mandates, plan_documents, plan_following, plans
from payments.services.debiting import debits_of
from payments.services.plan_listing import OVER, RUNNING, SETS, TO_DECIDE, counts, plan_page
from payments.services.plan_reading import view_of

page = require_http_methods(["GET", "POST"])
REFUSED = 422
LABELS = {TO_DECIDE: "À décider", RUNNING: "En cours", OVER: "Terminés"}


@require_GET
@requires(Right.SEE_CLIENTS)
def listing(request: CabinetRequest) -> HttpResponse:
    """List the plans: those that wait for somebody come first."""
    which = request.GET.get("etat", "")
    which = which if which in SETS else TO_DECIDE
    found = plan_page(which=which, on=request.cabinet.today(), after=request.GET.get("apres", ""))
    journal.listed(PaymentPlan, "plans", count=len(found.rows))
    numbers = counts()
    tabs = [
        {"label": label, "url": f"?etat={name}", "current": name == which, "count": numbers.get(name, 0)}
        for name, label in LABELS.items()
    ]
    return render(request, "payments/plans.html", {"page": found, "tabs": tabs, "which": which})


@require_GET
@requires(Right.SEE_CLIENTS)
def one(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Show one plan, what was paid of it, and what may be decided."""
    return _show(request, _found(plan_id))


@require_GET
@requires(Right.SEE_CLIENTS)
def document(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Give a plan as a PDF, to print or to send to somebody without an e-mail address."""
    plan = _found(plan_id)
    journal.seen(plan, "plan_document")
    content = plan_documents.pdf_of(view_of(plan, on=request.cabinet.today()), cabinet=request.cabinet)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="echeancier.pdf"'
    return response


@require_POST
@requires(Right.APPROVE_REMINDERS)
def accept(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Accept what a debtor proposed."""
    plan = _found(plan_id)
    return _do(
        request,
        plan,
        lambda: plans.accept(plan_id=plan.pk, by=request.member, today=request.cabinet.today()),
        "L’échéancier est accepté. Le client en reçoit la confirmation, et les relances de ces factures attendent.",
    )


@require_POST
@requires(Right.APPROVE_REMINDERS)
def refuse(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Refuse what a debtor proposed, with the text they read."""
    plan, form = _found(plan_id), RefuseForm(request.POST)
    if not form.is_valid():
        return _show(request, plan, refuse_form=form, status=REFUSED)
    return _do(
        request,
        plan,
        lambda: plans.refuse(plan_id=plan.pk, by=request.member, text=form.cleaned_data["answer"]),
        "La proposition est refusée. Le client lit votre réponse, et les relances reprennent où elles en étaient.",
    )


@require_POST
@requires(Right.APPROVE_REMINDERS)
def tolerate(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Wait for a missed instalment until a day."""
    plan, form = _found(plan_id), ToleranceForm(request.POST)
    if not form.is_valid():
        return _show(request, plan, tolerance_form=form, status=REFUSED)
    until_on = form.cleaned_data["until_on"]
    return _do(
        request,
        plan,
        lambda: plan_following.tolerate(
            plan_id=plan.pk, by=request.member, until_on=until_on, today=request.cabinet.today()
        ),
        "L’échéancier reprend. Le versement manqué est attendu jusqu’au jour choisi.",
    )


@require_POST
@requires(Right.RELEASE_DISPUTES)
def written(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Note that a debtor accepted the firm's dates by letter or e-mail."""
    plan, form = _found(plan_id), WrittenForm(request.POST)
    if not form.is_valid():
        return _show(request, plan, written_form=form, status=REFUSED)
    agreed_on = form.cleaned_data["agreed_on"]
    return _do(
        request,
        plan,
        lambda: plans.accept_in_writing(
            plan_id=plan.pk, by=request.member, agreed_on=agreed_on, today=request.cabinet.today()
        ),
        "L’accord du client est enregistré. L’échéancier commence.",
    )


@page
@requires(Right.APPROVE_REMINDERS)
def end(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """Ask, then end a plan: the ladder goes on from where it was."""
    plan = _found(plan_id)
    if request.method == "POST":
        plans.cancel(plan_id=plan.pk, by=request.member)
        messages.success(request, "L’échéancier est terminé. Les relances reprennent où elles en étaient.")
        return redirect("plan", plan.pk)
    journal.seen(plan, "plan_end")
    context = {
        "title": "Mettre fin à cet échéancier ?",
        "text": "Les factures redeviennent exigibles et leurs relances reprennent où elles en étaient, dès la prochaine"
        " nuit. Ce qui a été payé reste payé. Prévenez le client avant.",
        "label": "Mettre fin à l’échéancier",
        "back_url": f"/echeanciers/{plan.pk}/",
        "danger": True,
    }
    return render(request, "confirm.html", context)


@require_POST
@requires(Right.HOLD_REMINDERS)
def stop_collecting(request: CabinetRequest, plan_id: UUID) -> HttpResponse:
    """End what the debtor allowed to collect; the dates stand."""
    plan = _found(plan_id)
    if mandates.stop(plan_id=plan.pk, by=request.member):
        messages.success(request, "Le prélèvement est arrêté. Les dates restent les mêmes : prévenez le client.")
    return redirect("plan", plan.pk)


def _found(plan_id: UUID) -> PaymentPlan:
    rows = PaymentPlan.objects.select_related("client", "contact", "accepted_by__user", "closed_by__user")
    return get_object_or_404(rows, pk=plan_id)


def _do(request: CabinetRequest, plan: PaymentPlan, act: Callable[[], object], done: str) -> HttpResponse:
    try:
        act()
    except PaymentError as refusal:
        form = RefuseForm()
        messages.error(request, str(refusal))
        return _show(request, _found(plan.pk), refuse_form=form, status=REFUSED)
    messages.success(request, done)
    return redirect("plan", plan.pk)


def _show(request: CabinetRequest, plan: PaymentPlan, *, status: int = 200, **forms: Any) -> HttpResponse:
    journal.seen(plan, request.path)
    open_together([plan])
    state = PlanState(plan.state)
    is_proposed, is_theirs = state == PlanState.PROPOSED, plan.origin == PlanOrigin.DEBTOR
    can = request.member.can
    context = {
        "view": view_of(plan, on=request.cabinet.today()),
        "plan": plan,
        "client_name": plan.client.display_name,
        "sent": list(PlanMessage.objects.filter(plan=plan).defer("html", "text", "subject").order_by("created_at")),
        "mandate": next(iter(mandates.history(plan)), None),
        "debits": debits_of(plan),
        "may_stop": can(Right.HOLD_REMINDERS),
        "is_theirs": is_theirs,
        "is_proposed": is_proposed,
        "is_broken": state == PlanState.BROKEN and plan.is_waiting,
        "may_decide": can(Right.APPROVE_REMINDERS),
        "may_offer": can(Right.HOLD_REMINDERS),
        "may_note": can(Right.RELEASE_DISPUTES) and is_proposed and not is_theirs,
        "may_end": can(Right.APPROVE_REMINDERS) and plan.closed_at is None and not (is_proposed and is_theirs),
        "refuse_form": RefuseForm(),
        "tolerance_form": ToleranceForm(),
        "written_form": WrittenForm(initial={"agreed_on": request.cabinet.today()}),
        **forms,
    }
    context["form"] = next((form for form in forms.values() if form.is_bound), None)
    return render(request, "payments/plan.html", context, status=status)
