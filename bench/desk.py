"""What the benches of pages share: firms of two sizes, their partner signed in, and pages timed against the floor."""

import io
import logging
import statistics
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client as Browser
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from bench.gen import TABLES
from bench.ground import superuser
from bench.import_memory import carry_on, file_of, new_firm
from cabinets.models import Client, Membership
from cabinets.scoping import working_for
from invoices.enums import ImportState
from invoices.models import Invoice
from invoices.services import importing
from tests.conftest import prove_second_factor

WOBBLE = 1.5
HTTP_OK = 200
FLOOR = "/plancher/"
SETTLED_OF_FIVE, DAYS = 4, 400
P95 = 94


@dataclass(frozen=True, slots=True)
class Desk:
    """A firm of a size, and the cookie of its partner."""

    cabinet_id: uuid.UUID
    invoices: int
    cookie: str


@dataclass(frozen=True, slots=True)
class Times:
    """How long a page took, beside the floor of the same turns."""

    p50_ms: float
    p95_ms: float
    to_floor_p50: float
    to_floor_p95: float
    queries: int
    floor_ms: float
    steady: bool


def served() -> Any:
    """Serve the product and the floor, under a name of their own."""
    logging.disable(logging.WARNING)
    # Nobody collected the static files here; their addresses are written all the same.
    plain = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    return override_settings(ROOT_URLCONF="bench.floors.desk", ALLOWED_HOSTS=["bench"], DEMO_CATCHER="", STORAGES=plain)


def empty(admin: psycopg.Connection[Any]) -> None:
    """Forget every firm."""
    admin.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
    admin.commit()


def desk_of(admin: psycopg.Connection[Any], invoices: int) -> Desk:
    """Import so many invoices into a firm of its own; four in five are settled, their due days over thirteen months."""
    firm, member_id = new_firm()
    with working_for(cabinet_id=firm, member_id=member_id):
        batch = importing.receive(stream=io.BytesIO(file_of(invoices)), file_name="bench.csv")
        importing.choose_columns(batch_id=batch.pk, mapping=importing.preview(batch).mapping)
    carry_on(firm, batch.pk, ImportState.CHECKED)
    with working_for(cabinet_id=firm, member_id=member_id):
        importing.start(batch_id=batch.pk, updates_settlements=False)
    carry_on(firm, batch.pk, ImportState.DONE)
    admin.execute(
        "UPDATE invoices_invoice SET due_on = due_on - abs(hashtext(number)) %% %s,"
        " issued_on = issued_on - abs(hashtext(number)) %% %s,"
        " settled_cents = CASE WHEN abs(hashtext(number)) %% 5 < %s THEN total_cents ELSE settled_cents END"
        " WHERE cabinet_id = %s",
        [DAYS, DAYS, SETTLED_OF_FIVE, firm],
    )
    admin.commit()
    admin.autocommit = True
    admin.execute("VACUUM ANALYZE")
    admin.autocommit = False
    with working_for(cabinet_id=firm):
        member = Membership.objects.select_related("user").get(pk=member_id)
        return Desk(firm, invoices, _session_of(member))


def addresses(desk: Desk, pages: Mapping[str, str]) -> dict[str, str]:
    """Fill the addresses with one client, one invoice and one name of the firm."""
    with working_for(cabinet_id=desk.cabinet_id):
        invoice = Invoice.objects.open().order_by("due_on", "pk").first()
        assert invoice is not None
        client = Client.objects.get(pk=invoice.client_id)
        facts = {"client": client.pk, "invoice": invoice.pk, "number": invoice.number, "name": client.company}
    return {name: address.format(**facts) for name, address in pages.items()}


def timed(desk: Desk, address: str, *, turns: int, pairs: int) -> Times:
    """Ask a page and the floor in turn, the first pair dropped."""
    handler = WSGIHandler()
    ours: list[float] = []
    floor: list[float] = []
    for pair in range(pairs + 1):
        for _ in range(turns):
            below, above = _ask(handler, FLOOR, ""), _ask(handler, address, desk.cookie)
            if pair:
                floor.append(below)
                ours.append(above)
    with CaptureQueriesContext(connection) as asked:
        _ask(handler, address, desk.cookie)
    cuts, below_cuts = statistics.quantiles(ours, n=100), statistics.quantiles(floor, n=100)
    p50, p95, floor_p50 = statistics.median(ours), cuts[P95], statistics.median(floor)
    return Times(
        p50_ms=round(p50 * 1000, 1),
        p95_ms=round(p95 * 1000, 1),
        to_floor_p50=round(p50 / floor_p50, 1),
        to_floor_p95=round(p95 / below_cuts[P95], 1),
        queries=len(asked),
        floor_ms=round(floor_p50 * 1000, 2),
        steady=floor_p50 / min(floor) <= WOBBLE,
    )


def connected() -> psycopg.Connection[Any]:
    """Open the superuser's way in."""
    return psycopg.connect(superuser())


def _session_of(member: Membership) -> str:
    browser = Browser()
    browser.force_login(member.user)
    session = browser.session
    session["otp_device_id"] = prove_second_factor(member)
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _ask(handler: WSGIHandler, address: str, cookie: str) -> float:
    path, _, query = address.partition("?")
    start = time.perf_counter()
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "bench",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_COOKIE": cookie,
        "wsgi.url_scheme": "https" if settings.SECURE_SSL_REDIRECT else "http",
        "wsgi.input": io.BytesIO(),
    }
    response = handler(environ, lambda status, _, to=statuses: to.append(status))
    b"".join(response)
    response.close()
    assert int(statuses[0].split()[0]) == HTTP_OK, (address, statuses)
    return time.perf_counter() - start
