"""« Quand rien ne part »: every stop rule in a sentence, tried on an invoice."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.services.reading import rules
from dunning.stop_rules import FAMILIES


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def stop_rules(request: CabinetRequest) -> HttpResponse:
    """Show the rules in their order, and what they answer today for the invoice that is asked about."""
    number = request.GET.get("facture", "").strip()[:60]
    found = rules.find(number=number) if number else None
    trial = None
    if found is not None:
        journal.seen(found, "stop_rules")
        trial = rules.try_on(invoice=found, cabinet=request.cabinet)
    context = {"families": FAMILIES, "number": number, "trial": trial, "today": request.cabinet.today()}
    return render(request, "dunning/stop_rules.html", context)
