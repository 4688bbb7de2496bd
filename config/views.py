"""The pages that belong to no app: errors, violation reports, and the page of every component."""

import json
import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from config import samples
from config.context import SEARCH_URL

logger = logging.getLogger(__name__)

DIRECTIVE_LENGTH = 40


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form had expired and that nothing was recorded."""
    return _error("403_csrf.html", request=request, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request nobody can read."""
    return _error("400.html", request=request, status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say who can open the page."""
    return _error("403.html", request=request, status=403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that the page does not exist, and offer a search to who may search."""
    return _error("404.html", request=request, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that the fault is ours, without touching the database."""
    return HttpResponse(render_to_string("500.html", {"member": None}), status=500)


def _error(name: str, *, request: HttpRequest, status: int) -> HttpResponse:
    # Rendered without the request: an error page opens no session and runs no context processor.
    context: dict[str, object] = {"member": getattr(request, "member", None), "search_url": SEARCH_URL}
    if (look := getattr(request, "look", None)) is not None:
        context |= {"looks_until": look.ends_at, "zone": request.cabinet.zone}  # type: ignore[attr-defined]
    return HttpResponse(render_to_string(name, context), status=status)


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Count a violation of the content policy: the directive alone, never an address nor a page."""
    try:
        report = json.loads(request.body).get("csp-report", {})
        directive = str(report.get("violated-directive", ""))
    except (ValueError, AttributeError, RecursionError):
        directive = ""
    logger.warning("csp.violation", extra={"directive": directive.split(" ", maxsplit=1)[0][:DIRECTIVE_LENGTH]})
    return HttpResponse(status=204)


@require_GET
def style(request: HttpRequest) -> HttpResponse:
    """Show every component in every state, to who builds the pages."""
    if not (settings.DEBUG or request.user.is_staff):
        raise Http404
    return render(request, "style.html", samples.style_context(errors="erreurs" in request.GET))
