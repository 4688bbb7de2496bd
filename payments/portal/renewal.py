"""A link that opens nothing: one same page for all, and a way to ask for a fresh link that tells nothing."""

import logging

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from cabinets.http import address_of
from cabinets.services.throttle import Gate
from payments import tasks
from payments.links import hash_of
from payments.portal.forms import RenewalForm
from payments.services import link_messages

logger = logging.getLogger(__name__)

UNKNOWN = Gate("unknown-link", tries=10, seconds=60)
ASKED_BY_ADDRESS = Gate("fresh-link-address", tries=10, seconds=3600)
ASKED_BY_TOKEN = Gate("fresh-link-token", tries=3, seconds=3600)
PAGE = "payments/portal/unknown.html"


def nothing_here(request: HttpRequest, token: str) -> HttpResponse:
    """Answer whatever opens nothing; take the request for a fresh link, the same whatever the token ever was."""
    if request.method == "POST" and RenewalForm.FIELD in request.POST:
        return _ask(request, token)
    # 256 bits are not guessed: the count spares the server and warns, and never closes a live link.
    return _page(request, RenewalForm(), status=429 if _too_many(request) else 404)


def _ask(request: HttpRequest, token: str) -> HttpResponse:
    form = RenewalForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    digest = hash_of(token).hex()
    if not _may_ask(request, digest):
        return _page(request, form, status=429, too_often=True)
    try:
        # Queued whatever the token is: what it was is looked for by a worker, so that no answer takes longer.
        tasks.send_fresh_link.delay(digest, link_messages.folded(form.cleaned_data[RenewalForm.FIELD]))
    except (OperationalError, RedisError):
        logger.exception("link.renewal_not_queued")
        return _page(request, form, status=503, is_down=True)
    return _page(request, form, status=200, is_asked=True)


def _may_ask(request: HttpRequest, digest: str) -> bool:
    try:
        return ASKED_BY_ADDRESS.take(address_of(request) or "") == 0 and ASKED_BY_TOKEN.take(digest) == 0
    except RedisError:
        return False


def _too_many(request: HttpRequest) -> bool:
    try:
        refused = UNKNOWN.take(address_of(request) or "") > 0
    except RedisError:
        refused = False
    if refused:
        logger.warning("link.unknown_too_often")
    return refused


def _page(request: HttpRequest, form: RenewalForm, *, status: int, **facts: bool) -> HttpResponse:
    # No request in the page: whoever is signed in here is nothing to it.
    context = {"form": form, "csrf_token": get_token(request), **facts}
    return HttpResponse(render_to_string(PAGE, context), status=status)
