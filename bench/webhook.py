"""Time what a payment provider announces against a view that reads the body and answers, in the same run.

    bin/bench webhook --notices 200 --pairs 5

Goals of performance.md: W1 (verified and stored ÷ the floor at least 0.15; applied too, at least 0.09), W2 (a notice
that comes again: no row, at least 0.9 of the rate). Every request goes through the whole application, its middleware
included; the worker is woken through the broker as in life.
"""

import argparse
import datetime as dt
import logging
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from typing import Any
from unittest.mock import patch

import psycopg
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from bench.gen import TABLES
from bench.ground import report, superuser
from cabinets.scoping import working_for
from payments import tasks
from payments.models import Checkout, ProviderNotice
from payments.providers.protocol import Stage
from payments.services import notices
from tests.payments.fake_provider import announcement, hook_of
from tests.payments.online import Online, online_world

STORED_GOAL, APPLIED_GOAL, AGAIN_GOAL, WOBBLE = 0.15, 0.09, 0.9, 1.5
HTTP_OK = 200


def main() -> int:
    """Print and keep the figures; return 1 when a goal is missed."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--notices", type=int, default=200)
    reader.add_argument("--pairs", type=int, default=5, help="pairs of runs kept, after one that is dropped")
    given = reader.parse_args()
    logging.disable(logging.WARNING)
    served = override_settings(ROOT_URLCONF="bench.floors.webhook", ALLOWED_HOSTS=["bench"], DEMO_CATCHER="")
    with psycopg.connect(superuser()) as admin:
        empty(admin)
        with served, online_world() as online:
            row = measure(online, given.notices, given.pairs)
        empty(admin)
    report("webhook", [row])
    return 1 if row["missed"] else 0


def empty(admin: psycopg.Connection[Any]) -> None:
    """Forget every firm."""
    admin.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
    admin.commit()


def measure(online: Online, count: int, pairs: int) -> dict[str, Any]:
    """Run the floor and ours in turn; the settled checkout is asked about each time, and never changes."""
    checkout = online.begin()
    online.provider.move(Stage.SETTLED)
    online.ask(checkout)
    handler = WSGIHandler()
    taken: dict[str, list[float]] = {"floor": [], "stored": [], "woken": [], "again": [], "applied": []}
    answered: list[float] = []
    for turn in range(pairs + 1):
        bodies, woken = announced(checkout, f"evt_{turn}_", count), announced(checkout, f"wak_{turn}_", count)
        address = f"/retours/paiement/{hook_of(online.cabinet)}/"
        taken["floor"].append(clocked(partial(send, handler, "/plancher/", bodies)))
        with patch.object(tasks.handle_notice, "delay"):
            taken["stored"].append(clocked(partial(send, handler, address, bodies, answered)))
            taken["again"].append(clocked(partial(send, handler, address, bodies)))
        taken["woken"].append(clocked(partial(send, handler, address, woken)))
        taken["applied"].append(clocked(partial(apply_all, online, f"evt_{turn}_", count)))
    median = {name: statistics.median(times[1:]) for name, times in taken.items()}
    steady = median["floor"] / min(taken["floor"][1:]) <= WOBBLE
    with working_for(cabinet_id=online.cabinet.pk):
        rows = ProviderNotice.objects.count()
    stored = median["floor"] / median["stored"]
    applied = median["floor"] / (median["stored"] + median["applied"])
    again = median["stored"] / median["again"]
    goals = {"W1 stored": stored >= STORED_GOAL, "W1 applied": applied >= APPLIED_GOAL, "W2": again >= AGAIN_GOAL}
    return {
        "notices": count,
        "floor_per_s": round(count / median["floor"], 1),
        "stored_per_s": round(count / median["stored"], 1),
        "woken_per_s": round(count / median["woken"], 1),
        "answer_p99_ms": round(statistics.quantiles(answered, n=100)[98] * 1000, 1),
        "W1_stored_to_floor": round(stored, 3),
        "W1_woken_to_floor": round(median["floor"] / median["woken"], 3),
        "W1_applied_to_floor": round(applied, 3),
        "W2_again_to_stored": round(again, 3),
        "rows_kept_once": rows == 2 * count * (pairs + 1),
        "steady": steady,
        "missed": [name for name, is_met in goals.items() if steady and not is_met],
    }


Signed = tuple[bytes, dict[str, str]]


def announced(checkout: Checkout, prefix: str, count: int) -> list[Signed]:
    """Return so many signed notices about one checkout."""
    now = dt.datetime.now(dt.UTC)
    named = ({"event_id": f"{prefix}{number}", "kind": "payment.moved", "ref": checkout.ref} for number in range(count))
    return [announcement(one, at=now) for one in named]


def send(handler: WSGIHandler, address: str, bodies: Sequence[Signed], into: list[float] | None = None) -> None:
    """Post each body through the whole application; note how long each answer took."""
    for body, headers in bodies:
        start = time.perf_counter()
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": address,
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "bench",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "https" if settings.SECURE_SSL_REDIRECT else "http",
            "wsgi.input": BytesIO(body),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
        response = handler(environ, lambda status, _, to=statuses: to.append(status))
        response.close()
        assert int(statuses[0].split()[0]) == HTTP_OK, statuses
        if into is not None:
            into.append(time.perf_counter() - start)


def apply_all(online: Online, prefix: str, count: int) -> None:
    """Handle what was stored, as a worker does, each in transactions of its own."""
    with working_for(cabinet_id=online.cabinet.pk):
        mine = ProviderNotice.objects.filter(event_id__startswith=prefix)
        ids = list(mine.values_list("pk", flat=True))
    assert len(ids) == count
    for notice_id in ids:
        notices.handle(cabinet_id=online.cabinet.pk, notice_id=notice_id)


def clocked(work: Callable[[], None]) -> float:
    """Return how long something took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    raise SystemExit(main())
