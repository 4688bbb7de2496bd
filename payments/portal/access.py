"""Open a link before any firm is known, and answer the same page to every token that opens nothing."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError

from cabinets.http import address_of
from cabinets.models import Cabinet
from cabinets.permissions import public
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services.throttle import Gate
from payments.models import PaymentLink
from payments.services import links

logger = logging.getLogger(__name__)

NOWHERE = (UUID(int=0), UUID(int=0))
UNKNOWN = Gate("unknown-link", tries=10, seconds=60)
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
# A form posted from a page that tells no referrer says "Origin: null", which the protection of forms refuses: pages
# with a form tell their own site where they come from, and no other.
FORM_REFERRER, PAGE_REFERRER = "same-origin", "no-referrer"


class LinkRequest(HttpRequest):
    """A request through a live link."""

    link: PaymentLink
    cabinet: Cabinet
    token: str


LinkView = Callable[..., HttpResponse]


def opens_link(view: LinkView) -> LinkView:
    """Act for the link's firm around a view, in one transaction; a token that opens nothing gets one same page."""

    @public
    @wraps(view)
    def opened(request: Any, token: str, **facts: Any) -> HttpResponse:
        response = _through(request, token, view, facts)
        for name, value in HEADERS.items():
            response[name] = value
        response.setdefault("Referrer-Policy", PAGE_REFERRER)
        return response

    return opened


def finds_link(view: LinkView) -> LinkView:
    """Act for the link's firm around a view that speaks to a provider: it opens its own short transactions."""

    @public
    @wraps(view)
    def found(request: Any, token: str, **facts: Any) -> HttpResponse:
        response = _apart(request, token, view, facts)
        for name, value in HEADERS.items():
            response[name] = value
        response.setdefault("Referrer-Policy", PAGE_REFERRER)
        return response

    return found


def _through(request: Any, token: str, view: LinkView, facts: dict[str, Any]) -> HttpResponse:
    # An unknown token takes the way of a dead link, so that the time of the answer does not tell them apart.
    link_id, cabinet_id = links.find(token=token) or NOWHERE
    with working_for(cabinet_id=cabinet_id):
        if _takes(request, link_id, token):
            return view(request, **facts)
    return _nothing_here(request)


def _apart(request: Any, token: str, view: LinkView, facts: dict[str, Any]) -> HttpResponse:
    link_id, cabinet_id = links.find(token=token) or NOWHERE
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            is_open = _takes(request, link_id, token)
        if is_open:
            return view(request, **facts)
    return _nothing_here(request)


def _takes(request: Any, link_id: UUID, token: str) -> bool:
    link = PaymentLink.objects.select_related("cabinet", "client", "contact").filter(pk=link_id).first()
    if link is None or not links.is_alive(link, on=link.cabinet.today()):
        return False
    request.link, request.cabinet, request.token = link, link.cabinet, token
    return True


def _nothing_here(request: HttpRequest) -> HttpResponse:
    # 256 bits are not guessed: the count spares the server and warns, and never closes a live link.
    return HttpResponse(render_to_string("payments/portal/unknown.html"), status=429 if _too_many(request) else 404)


def _too_many(request: HttpRequest) -> bool:
    try:
        refused = UNKNOWN.take(address_of(request) or "") > 0
    except RedisError:
        refused = False
    if refused:
        logger.warning("link.unknown_too_often")
    return refused


@public
@require_GET
def short_link(request: HttpRequest, token: str) -> HttpResponse:
    """Lead from the short address of a text message to the debtor's page; a wrong one gets the same page as any."""
    found = links.unfold(short=token)
    response = _nothing_here(request) if found is None else redirect(f"/p/{found}/")
    for name, value in {**HEADERS, "Referrer-Policy": PAGE_REFERRER}.items():
        response[name] = value
    return response
