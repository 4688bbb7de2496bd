"""« Mise en route »: the list of steps, the audit, the dry run; and later, before and after."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.services.activation import missing_before_activation
from dunning.services.reading.forecasts import weeks
from invoices.models import Invoice
from onboarding.enums import Mark, Step
from onboarding.errors import OnboardingError
from onboarding.forms import AuditForm, HourForm
from onboarding.models import Baseline
from onboarding.services import baselines, steps
from onboarding.services.worth import HOURLY_CENTS, worth_of
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

REFUSED = 422
DRY_RUN_DAYS = 14
STYLES = ("fonts.css", "document.css")


@require_GET
@requires(Right.MANAGE_FIRM)
def listing(request: CabinetRequest) -> HttpResponse:
    """Show the steps, what is done of each, and how long the rest takes."""
    lines = steps.lines(cabinet=request.cabinet)
    left = [one for one in lines if not (one.is_done or one.is_skipped)]
    journal.record("onboarding.seen", None)
    context = {
        "lines": lines,
        "left_minutes": sum(one.minutes for one in left),
        "done": len(lines) - len(left),
        "count": len(lines),
        "next": left[0] if left else None,
        "is_live": request.cabinet.is_live,
    }
    return render(request, "onboarding/list.html", context)


@require_POST
@requires(Right.MANAGE_FIRM)
def say(request: CabinetRequest, step: str, mark: str) -> HttpResponse:
    """Note that a step is done or passed."""
    if step not in Step.values or mark not in Mark.values:
        raise Http404
    try:
        steps.say(by=request.member, step=Step(step), mark=Mark(mark))
    except OnboardingError as refusal:
        messages.error(request, str(refusal))
    return redirect("onboarding")


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
def audit(request: CabinetRequest) -> HttpResponse:
    """Ask how the firm chases its fees today, and keep it beside what its history says."""
    form = AuditForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        baselines.keep(by=request.member, **form.answers())
        messages.success(request, "Votre point de départ est gardé. Il ne changera plus.")
        return redirect("onboarding")
    journal.record("baseline.asked", None)
    last = Baseline.objects.order_by("at").first()
    return render(
        request, "onboarding/audit.html", {"form": form, "kept": last}, status=REFUSED if form.errors else None
    )


@require_GET
@requires(Right.MANAGE_FIRM)
def trial(request: CabinetRequest) -> HttpResponse:
    """Show what the coming days would say, to whom, and what is held; then let the firm go live."""
    cabinet = request.cabinet
    found = weeks(cabinet=cabinet, days=DRY_RUN_DAYS, gives_accords=True)
    journal.listed(Invoice, "dry_run", count=found.messages)
    context = {
        "weeks": found,
        "days": DRY_RUN_DAYS,
        "missing": [] if cabinet.is_live else missing_before_activation(cabinet),
        "is_live": cabinet.is_live,
        "has_invoices": Invoice.objects.exists(),
    }
    return render(request, "onboarding/trial.html", context)


@require_GET
@requires(Right.SEE_FIGURES)
def before_after(request: CabinetRequest) -> HttpResponse:
    """Compare the firm before and after, by the same method."""
    journal.record("comparison.seen", None)
    context, form = _comparison(request), HourForm(request.GET or None)
    hourly = form.cleaned_data["taux"] if form.is_bound and form.is_valid() else HOURLY_CENTS
    if request.member.sees_every_file:
        context["worth"] = worth_of(context["comparison"], cabinet=request.cabinet, hourly_cents=hourly)
    return render(request, "onboarding/before_after.html", context | {"form": form})


@require_GET
@requires(Right.EXPORT)
def before_after_document(request: CabinetRequest) -> HttpResponse:
    """Give the comparison as a PDF for the partners."""
    journal.record("comparison.exported", None)
    cabinet = request.cabinet
    context = {"head": letterhead_of(cabinet), "on": day_words(cabinet.today()), **_comparison(request)}
    response = HttpResponse(
        render_document("before_after.html", context, styles=STYLES).content, content_type="application/pdf"
    )
    response["Content-Disposition"] = f'attachment; filename="avant-apres-{cabinet.today():%Y-%m-%d}.pdf"'
    return response


def _comparison(request: CabinetRequest) -> dict[str, Any]:
    return {"comparison": baselines.comparison(cabinet=request.cabinet), "sees_all": request.member.sees_every_file}
