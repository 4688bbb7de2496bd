"""Name the request and find where it comes from, for the logs and the journal; send its page compressed."""

import logging
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.template.loader import render_to_string
from redis.exceptions import RedisError

from cabinets.errors import KeyServiceError
from cabinets.http import agent_of
from cabinets.journal import Origin, coming_from
from cabinets.middleware import new_request_id
from cabinets.services.throttle import Window
from config.logging import REQUEST_ID

logger = logging.getLogger(__name__)

# What a token of nobody's is answered; one that was somebody's once is answered the same.
OPENS_NOTHING = frozenset({404, 410})


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


class NullCharacterMiddleware:
    """Refuse an address that holds a null character: no text of the database does, and asking for one breaks there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 400 before anything is read; what a form brings is refused by its own fields."""
        query = request.META.get("QUERY_STRING", "")
        # The pages of a firm and of a debtor answer such a path themselves, by the same page as any address of nothing.
        is_of_the_desk = request.path.startswith(settings.OPERATOR_PATH)
        if "%00" in query or "\x00" in query or (is_of_the_desk and "\x00" in request.path):
            raise SuspiciousOperation("a null character in the address")
        return self.get_response(request)


PUBLIC = Window("public", seconds=60)
GUESSES = Window("guesses", seconds=60)
# Asked by machines of the operator's own, and sent by providers whose address a crowd of firms shares.
UNCOUNTED = ("/sante/", "/retours/", "/notifications/courrier/")
# Where a token opens: an unknown one is a guess, whoever makes it.
TOKENS = (
    "/retours/", "/notifications/courrier/", "/veto/", "/invitation/", "/inscription/", "/mot-de-passe/", "/p/", "/s/",
)  # fmt: skip


class PublicFloorMiddleware:
    """Beneath each page's own limit: what one address may ask of pages open to all, and the tokens it may guess."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and remember a token that was nobody's."""
        response = self.get_response(request)
        if response.status_code in OPENS_NOTHING and request.path.startswith(TOKENS) and settings.GUESSES_A_MINUTE:
            _counted(GUESSES, request, settings.GUESSES_A_MINUTE)
        return response

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        """Turn away who asks too much; nothing of the page has run yet."""
        if getattr(view, "required_right", None) is not None:
            return None
        wait = 0
        if settings.PUBLIC_REQUESTS_A_MINUTE and not request.path.startswith(UNCOUNTED):
            wait = _counted(PUBLIC, request, settings.PUBLIC_REQUESTS_A_MINUTE)
        if not wait and settings.GUESSES_A_MINUTE and request.path.startswith(TOKENS):
            wait = _counted(GUESSES, request, settings.GUESSES_A_MINUTE, is_look=True)
        if not wait:
            return None
        logger.warning("public.too_many")
        page = HttpResponse(render_to_string("429.html", {"member": None}), status=429)
        page["Retry-After"] = str(wait)
        return page


def _counted(window: Window, request: HttpRequest, at_most: int, *, is_look: bool = False) -> int:
    subject = str(request.META.get("REMOTE_ADDR", ""))
    try:
        return window.look(subject, at_most=at_most) if is_look else window.take(subject, at_most=at_most)
    except (RedisError, OSError):
        # A shared store that is down slows nobody: each page's own limits say what they do then.
        return 0


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
