"""Name the request and find where it comes from, for the logs and the journal; send its page compressed."""

import logging
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.template.loader import render_to_string

from cabinets.errors import KeyServiceError
from cabinets.http import agent_of
from cabinets.journal import Origin, coming_from
from cabinets.middleware import new_request_id
from config.logging import REQUEST_ID

logger = logging.getLogger(__name__)


class RequestContextMiddleware:
    """Give every request an id, an address that cannot be forged, and an origin for its journal lines."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Answer with the request's id in a header, so that a person can quote it."""
        request.request_id = new_request_id()
        request.META["REMOTE_ADDR"] = visitor_address(request) or ""
        token = REQUEST_ID.set(request.request_id)
        origin = Origin(
            address=request.META["REMOTE_ADDR"] or None, agent=agent_of(request), request_id=request.request_id
        )
        try:
            with coming_from(origin):
                response = self.get_response(request)
        finally:
            REQUEST_ID.reset(token)
        response["X-Request-Id"] = request.request_id
        return response


class KeyServiceMiddleware:
    """Say that the keys are out of reach for now: nothing was done, and the same page will answer later."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as usual."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 503, whose status rolls back what the page had begun."""
        if not isinstance(exception, KeyServiceError):
            return None
        logger.error("keys.out_of_reach", extra={"reason": str(exception)})
        page = HttpResponse(render_to_string("503.html", {"member": None}), status=503)
        page["Retry-After"] = "60"
        return page


class CompressedPagesMiddleware(GZipMiddleware):
    """Compress the pages and nothing else: what is downloaded keeps its length."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Leave a file as it is."""
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


def visitor_address(request: HttpRequest) -> str | None:
    """Return the visitor's address: what the outermost of our own proxies saw, or the server itself without proxy."""
    written = str(request.META.get("REMOTE_ADDR", ""))
    if settings.TRUSTED_PROXIES:
        # Read from the right: what stands further left was written by the visitor.
        hops = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
        written = hops[-settings.TRUSTED_PROXIES] if len(hops) >= settings.TRUSTED_PROXIES else written
    try:
        return str(ip_address(written))
    except ValueError:
        return None
