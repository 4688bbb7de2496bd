"""A real browser on a real server: what a lawyer and a debtor do, on the demonstration's firms."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.cache import cache
from django.db import connections
from django.test import Client, override_settings
from django.test.testcases import LiveServerThread
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from cabinets.services.firm import every_firm
from tests.conftest import prove_second_factor
from tests.emptying import empty_every_table
from tests.seeded import seed

# Playwright keeps an event loop in this thread; nothing here is asynchronous for all that.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# A machine that does something else meanwhile is slow, and right.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)
# Collects what the browser refuses, from the first byte of every page.
WATCH_CSP = """
window.__refused = [];
document.addEventListener('securitypolicyviolation', (e) =>
  window.__refused.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: it drives Chromium, and lives by the clock of the machine."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("browser")


@pytest.fixture(autouse=True)
def _tries_given_back() -> None:
    """Let each test sign in as often as it needs: all come from one address, however many a worker runs."""
    cache.clear()


@pytest.fixture(scope="module")
def demo(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Cabinet]]:
    """Seed the demonstration once for the module; return its firms by slug."""
    folder = tmp_path_factory.mktemp("var")
    with (
        django_db_blocker.unblock(),
        override_settings(VAR=folder, MEDIA_ROOT=folder / "documents", DEMO_CATCHER=""),
    ):
        empty_every_table()
        seed(folder, day=f"{timezone.now():%Y-%m-%d}", factory=tmp_path_factory)
        yield {cabinet.slug: cabinet for cabinet in firms()}
        empty_every_table()
        for alias in connections:
            connections[alias].close()


def firms() -> list[Cabinet]:
    """Return every firm, each read behind its own wall."""
    found = []
    for cabinet_id, _ in every_firm():
        with working_for(cabinet_id=cabinet_id):
            found.append(Cabinet.objects.get(pk=cabinet_id))
    return found


@contextmanager
def serving(static: Any) -> Iterator[str]:
    """Serve the product from a thread, on a port of its own; `static` wraps the application."""
    thread = LiveServerThread("127.0.0.1", static)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.terminate()


@pytest.fixture(scope="module")
def server(demo: dict[str, Cabinet]) -> Iterator[str]:
    """Serve the product, its static files read where they are written."""
    with serving(StaticFilesHandler) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium for the module, no longer: Playwright's loop would forbid asyncio to the other tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def member_of(cabinet: Cabinet, *, role: str = "owner") -> Membership:
    """Return the first member of a firm in a role."""
    with working_for(cabinet_id=cabinet.pk):
        member = Membership.objects.filter(role=role).select_related("user").order_by("joined_at", "pk").first()
        assert member is not None
        return member


def new_context(
    chromium: Browser, server: str, member: Membership | None = None, *, size: Any = DESK, scripts: bool = True
) -> BrowserContext:
    """Open a browser of its own: a width, a person signed in or nobody, scripts on or off, the policy watched."""
    context = chromium.new_context(viewport=size, locale="fr-FR", base_url=server, java_script_enabled=scripts)
    if member is not None:
        context.add_cookies([{"name": "sessionid", "value": session_of(member), "url": server}])
    context.add_init_script(WATCH_CSP)
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture
def open_page(chromium: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Return a maker of pages, each in a browser of its own that ends with the test."""
    contexts: list[BrowserContext] = []

    def make(member: Membership | None = None, *, size: Any = DESK, scripts: bool = True) -> Page:
        contexts.append(new_context(chromium, server, member, size=size, scripts=scripts))
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


def session_of(member: Membership) -> str:
    """Return the key of a session with both factors proven."""
    client = Client()
    client.force_login(member.user)
    session = client.session
    session["otp_device_id"] = prove_second_factor(member)
    session.save()
    return str(session.session_key)
