"""The firm's chain of evidence: what it holds, whether it holds, and where each link leads."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.models import EvidenceEntry
from dunning.presenting import EVIDENCE_EVENTS
from dunning.services import evidence

A_PAGE = 50


@require_GET
@never_cache
@requires(Right.SEE_JOURNAL)
def evidence_chain(request: CabinetRequest) -> HttpResponse:
    """List the links, the latest first."""
    rows = EvidenceEntry.objects.order_by("-seq")
    event = request.GET.get("fait", "")
    if event in EVIDENCE_EVENTS:
        rows = rows.filter(event=event)
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    journal.listed(EvidenceEntry, "evidence", count=len(page))
    links = [(entry, EVIDENCE_EVENTS.get(entry.event, entry.event), bytes(entry.hash).hex()) for entry in page]
    context = {"links": links, "page": page, "event": event, "events": EVIDENCE_EVENTS}
    return render(request, "dunning/evidence.html", context)


@require_POST
@requires(Right.SEE_JOURNAL)
def evidence_verify(request: CabinetRequest) -> HttpResponse:
    """Walk the chain now, and say what was found."""
    verdict = evidence.verify()
    journal.record("evidence.verified", None, links=verdict.links, holds=verdict.holds)
    if verdict.holds:
        erased = f" {verdict.erased} contenu(s) effacé(s) à la demande de leur client." if verdict.erased else ""
        messages.success(request, f"Les {verdict.links} maillons tiennent.{erased}")
    elif verdict.broken_at is not None:
        messages.error(request, f"La chaîne est rompue au maillon n° {verdict.broken_at}\u00a0: {verdict.why}.")
    else:
        messages.error(request, f"{len(verdict.altered)} message(s) ne sont plus ce qui est parti.")
    return redirect("evidence_chain")
