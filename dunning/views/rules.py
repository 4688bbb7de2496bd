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
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words


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


@require_GET
@requires(Right.SEE_INVOICES)
def stop_rules_pdf(request: CabinetRequest) -> HttpResponse:
    """Give the rules as a document to hand over: the same words, in the same order."""
    day = request.cabinet.today()
    made = render_document(
        "stop_rules.html",
        {"families": FAMILIES, "firm": request.cabinet.name, "day": day_words(day)},
        styles=("fonts.css", "stop_rules.css"),
    )
    answer = HttpResponse(made.content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="quand-rien-ne-part-{day.isoformat()}.pdf"'
    return answer
