"""A real browser on a real server: what a lawyer and a debtor do, on the demonstration's firms."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from tests.conftest import empty_every_table, prove_second_factor

# Playwright keeps an event loop in this thread; nothing here is asynchronous for all that.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Collects what the browser refuses, from the first byte of every page.
WATCH_CSP = """
window.__refused = [];
document.addEventListener('securitypolicyviolation', (e) =>
  window.__refused.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


@dataclass(slots=True)
class Seen:
    """What a page gave away while it was open."""

    page: Page
    messages: list[str] = field(default_factory=list)

    @property
    def refused(self) -> list[str]:
        """Return what the content security policy refused."""
        return list(self.page.evaluate("window.__refused || []"))

    @property
    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Cabinet]]:
    """Seed the demonstration once for the module; return its firms by slug."""
    with django_db_blocker.unblock():
        empty_every_table()
        call_command("demo", verbosity=0)
        yield {cabinet.slug: cabinet for cabinet in Cabinet.objects.using("operator").all()}
        empty_every_table()
        for alias in connections:
            connections[alias].close()


@pytest.fixture(scope="module")
def server(demo: dict[str, Cabinet]) -> Iterator[str]:
    """Serve the product on a port of its own."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium once."""
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


@pytest.fixture
def open_page(chromium: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Return a maker of pages: a width, a person signed in or nobody, scripts on or off, the policy watched or not."""
    contexts: list[BrowserContext] = []

    def make(
        member: Membership | None = None, *, size: Any = None, scripts: bool = True, lenient: bool = False
    ) -> Page:
        context = chromium.new_context(
            viewport=size or DESK, locale="fr-FR", base_url=server, java_script_enabled=scripts, bypass_csp=lenient
        )
        contexts.append(context)
        if member is not None:
            context.add_cookies([{"name": "sessionid", "value": session_of(member), "url": server}])
        page = context.new_page()
        page.add_init_script(WATCH_CSP)
        return page

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
