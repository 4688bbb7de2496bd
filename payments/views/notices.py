"""What providers of payments announce: signed, kept, answered at once; the provider itself is asked afterwards."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from cabinets.http import address_of
from cabinets.permissions import public
from cabinets.services.throttle import Gate
from payments import tasks
from payments.errors import NoticeError
from payments.services import notices

logger = logging.getLogger(__name__)

LARGEST = 512 * 1024
# Who guesses addresses or signatures is slowed down; who signs is never turned away, and one row is all it costs.
STRANGERS = Gate("unknown-notice", tries=30, seconds=60)
REFUSED = Gate("refused-notices", tries=60, seconds=60)


@csrf_exempt
@require_POST
@public
def notice(request: HttpRequest, token: str) -> HttpResponse:
    """Take a notice at the firm's own unguessable address: 400 and nothing kept when it is not signed as it should."""
    found = notices.account_of(token)
    if found is None:
        if _is_too_much(STRANGERS, address_of(request) or ""):
            return HttpResponse(status=429)
        raise Http404
    account_id, cabinet_id = found
    if _length(request) > LARGEST:
        return HttpResponse(status=413)
    try:
        fresh = notices.receive(
            account_id=account_id, cabinet_id=cabinet_id, body=request.body, headers=dict(request.headers)
        )
    except NoticeError:
        logger.warning("notice.refused", extra={"account_id": str(account_id)})
        return HttpResponse(status=429 if _is_too_much(REFUSED, str(account_id)) else 400)
    _hand_over(fresh)
    return HttpResponse("ok", content_type="text/plain")


def _hand_over(notice_ids: Sequence[UUID]) -> None:
    """Wake a worker for each; a broker that is down delays and loses nothing, since the clock finds what waits."""
    try:
        for notice_id in notice_ids:
            tasks.handle_notice.delay(str(notice_id))
    except OperationalError:
        logger.warning("notice.broker_down", extra={"count": len(notice_ids)})


def _length(request: HttpRequest) -> int:
    try:
        return int(request.headers.get("content-length") or 0)
    except ValueError:
        return LARGEST + 1


def _is_too_much(gate: Gate, subject: str) -> bool:
    try:
        return gate.take(subject) > 0
    except RedisError:
        return False
