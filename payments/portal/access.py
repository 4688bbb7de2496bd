"""Open a link before any firm is known, and answer the same page to every token that opens nothing."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods
from redis.exceptions import RedisError

from cabinets.http import FORM_REFERRER, PAGE_REFERRER, address_of
from cabinets.journal import coming_from_no_place
from cabinets.models import Cabinet
from cabinets.permissions import public
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services.throttle import Gate
from payments.models import PaymentLink
from payments.portal.renewal import nothing_here
from payments.services import links

logger = logging.getLogger(__name__)

NOWHERE = (UUID(int=0), UUID(int=0))
# A short address has 84 bits of the token's 256: wrong ones are counted, and an address that guesses opens none.
SHORT = Gate("short-link", tries=5, seconds=60)
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class LinkRequest(HttpRequest):
    """A request through a live link."""

    link: PaymentLink
    cabinet: Cabinet
    token: str


LinkView = Callable[..., HttpResponse]


# Who reads a link is no person of the firm: the journal tells what they did, and keeps neither their address nor their
# browser, which nothing here needs.
def opens_link(view: LinkView) -> LinkView:
    """Act for the link's firm around a view, in one transaction; a token that opens nothing gets one same page."""

    @public
    @wraps(view)
    @coming_from_no_place()
    def opened(request: Any, token: str, **facts: Any) -> HttpResponse:
        return _sealed_off(_through(request, token, view, facts))

    return opened


def finds_link(view: LinkView) -> LinkView:
    """Act for the link's firm around a view that speaks to a provider: it opens its own short transactions."""

    @public
    @wraps(view)
    @coming_from_no_place()
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
    return _dead(request, token)


def _apart(request: Any, token: str, view: LinkView, facts: dict[str, Any]) -> HttpResponse:
    link_id, cabinet_id = links.find(token=token) or NOWHERE
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            is_open = _takes(request, link_id, token)
        if is_open:
            return view(request, **facts)
    return _dead(request, token)


def _takes(request: Any, link_id: UUID, token: str) -> bool:
    link = PaymentLink.objects.select_related("cabinet", "client", "contact").filter(pk=link_id).first()
    if link is None or not links.is_alive(link, on=link.cabinet.today()):
        return False
    request.link, request.cabinet, request.token = link, link.cabinet, token
    return True


@public
@require_http_methods(["GET", "HEAD", "POST"])
def short_link(request: HttpRequest, token: str) -> HttpResponse:
    """Lead from the short address of a text message to the debtor's page; a wrong one gets the same page as any."""
    return _sealed_off(_unfolded(request, token))


def _unfolded(request: HttpRequest, token: str) -> HttpResponse:
    if not _is_guessing(request) and (found := links.unfold(short=token)) is not None:
        return redirect(f"/p/{found}/")
    if request.method != "POST":
        _count_guess(request)
    return _dead(request, token)


def _is_guessing(request: HttpRequest) -> bool:
    try:
        return SHORT.is_spent(address_of(request) or "")
    except RedisError:
        return False


def _count_guess(request: HttpRequest) -> None:
    try:
        refused = SHORT.take(address_of(request) or "") > 0
    except RedisError:
        return
    if refused:
        logger.warning("link.short_guessed_too_often")


def _dead(request: HttpRequest, token: str) -> HttpResponse:
    response = nothing_here(request, token)
    response["Referrer-Policy"] = FORM_REFERRER
    return response


def _sealed_off(response: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        response[name] = value
    response.setdefault("Referrer-Policy", PAGE_REFERRER)
    return response
