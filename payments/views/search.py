"""The one search field of the firm."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from invoices.models import Invoice
from payments.services.searching import search_everything


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def search(request: CabinetRequest) -> HttpResponse:
    """Search clients, dossiers, invoices, payments and amounts."""
    sees_every_file = request.member.can(Right.SEE_EVERY_FILE)
    found = search_everything(
        request.GET.get("q", "")[:200], on=request.cabinet.today(), sees_every_file=sees_every_file
    )
    if found.text:
        journal.listed(Invoice, "search", count=found.count)
    return render(request, "payments/search.html", {"results": found})
