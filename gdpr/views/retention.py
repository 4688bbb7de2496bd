"""« Durées de conservation »: what the firm chooses, what the law sets, what the next night would let go of."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from gdpr.forms import RetentionForm
from gdpr.inventory import RETENTIONS, words_of
from gdpr.models import Purge, RetentionSettings
from gdpr.services import archiving, retention
from gdpr.services.facts import settings_in_force

REFUSED = 422
SHOWN = 12


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
def page(request: CabinetRequest) -> HttpResponse:
    """Show and keep the lengths; nothing goes by itself until the firm says so."""
    form, today = RetentionForm(request.POST or None, instance=settings_in_force()), request.cabinet.today()
    going = None
    if form.is_bound and form.is_valid():
        going = retention.would_let_go(on=today, chosen=RetentionSettings(**form.cleaned_data))
    if form.is_bound and form.is_valid() and (going is None or form.is_sure()):
        retention.save_settings(by=request.member, **form.cleaned_data)
        messages.success(request, "Les durées sont enregistrées. Elles s’appliquent dès la prochaine nuit.")
        return redirect("gdpr_retention")
    journal.record("retention.seen", None)
    known = settings_in_force()
    context = {
        "form": form,
        "going": going,
        "retentions": [(one, words_of(one, accounting_years=known.accounting_years)) for one in RETENTIONS],
        "coming": retention.coming(on=today),
        "purges": Purge.objects.order_by("-on", "-made_at")[:SHOWN],
        "is_on": known.purges,
        "archiving": archiving.coming(on=today),
        "archived": Client.objects.exclude(archived_on=None).count(),
        "may_open": request.member.can(Right.OPEN_ARCHIVE),
    }
    return render(request, "gdpr/retention.html", context, status=REFUSED if form.errors or going else None)
