"""« Sous-traitants »: who receives the firm's data, what is announced, and the objection a firm may make."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from gdpr.errors import GdprError
from gdpr.forms import ObjectionForm
from gdpr.models import ProcessorNotice
from gdpr.services import chain_of_processors, processor_news
from gdpr.terms import NOTICE_DAYS

REFUSED = 422


@require_GET
@requires(Right.MANAGE_FIRM)
def page(request: CabinetRequest) -> HttpResponse:
    """Show every company that receives the firm's data, what allows it outside the Union, and what was announced."""
    journal.record("processors.seen", None)
    context = {
        "installation": chain_of_processors.of_the_installation(on=request.cabinet.today()),
        "chosen": chain_of_processors.of_the_firm(),
        "announced": processor_news.shown(cabinet=request.cabinet),
        "notice_days": NOTICE_DAYS,
    }
    return render(request, "gdpr/processors.html", context)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
def oppose(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Object to an announced company, with a reason the operator answers."""
    notice = get_object_or_404(ProcessorNotice, pk=pk)
    form = ObjectionForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            processor_news.object_to(notice_id=pk, by=request.member, reason=form.cleaned_data["reason"])
        except GdprError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "L’opposition est enregistrée. L’exploitant doit y répondre.")
            return redirect("gdpr_processors")
    journal.seen(notice, request.path)
    context = {"form": form, "notice": notice, "notice_days": NOTICE_DAYS}
    return render(request, "gdpr/object.html", context, status=REFUSED if form.errors else None)
