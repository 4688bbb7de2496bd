"""Health: a static page for people, two answers in JSON for machines."""

import datetime as dt
from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError

from cabinets import sealing
from cabinets.errors import KeyServiceError, SealBrokenError
from cabinets.permissions import public
from cabinets.tasks import HEARTBEAT

ROLES = ("default", "scheduler", "operator", "owner")
SLOWEST_BEAT = 300


@require_GET
@public
def status(request: HttpRequest) -> HttpResponse:
    """Show a page that neither database nor session is needed for."""
    return HttpResponse(render_to_string("status.html", {}))


@require_GET
@never_cache
@public
def alive(request: HttpRequest) -> JsonResponse:
    """Answer that the process runs."""
    return JsonResponse({"alive": True})


@require_GET
@never_cache
@public
def ready(request: HttpRequest) -> JsonResponse:
    """Answer whether each database role, Redis and the key service answer; say when the clock last beat."""
    databases = {alias: _answers(lambda alias=alias: _ask(alias)) for alias in ROLES}  # type: ignore[misc]
    redis = _answers(_ask_cache)
    keys = _answers(sealing.check_key_service)
    is_ready = redis and keys and all(databases.values())
    body = {"ready": is_ready, "databases": databases, "redis": redis, "keys": keys, "beat": _beat() if redis else None}
    return JsonResponse(body, status=200 if is_ready else 503)


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (DatabaseError, RedisError, OSError, KeyServiceError, SealBrokenError):
        return False
    return True


def _ask(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    cache.set("health", 1, 10)


def _beat() -> dict[str, object]:
    """Say how long ago the clock beat: without it nothing is planned, but pages still answer."""
    written = cache.get(HEARTBEAT)
    if written is None:
        return {"seconds": None, "on_time": False}
    seconds = int((timezone.now() - dt.datetime.fromisoformat(str(written))).total_seconds())
    return {"seconds": seconds, "on_time": seconds <= SLOWEST_BEAT}
