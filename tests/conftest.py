"""What every test stands on: two roles on one database, a frozen clock, firms that do not know each other."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import hypothesis
import pytest
import time_machine
from django.db import connections
from django.test import Client as Browser
from django.test.utils import setup_databases

from cabinets import scoping, sealing
from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.wall import SCOPE_SETTING
from invoices import ports
from tests import migrated
from tests.clocks import sign_scopes_by_it
from tests.emptying import empty_every_table, keep_known_rates
from tests.factories import cabinets as cabinets_factory
from tests.factories import invoices as invoices_factory
from tests.factories.cabinets import make_cabinet, make_member, outside_any_firm
from tests.factories.ladder import RecordingLadder
from tests.sharing import one_at_a_time, shared_folder

# A machine that does something else meanwhile is slow, and right: no test is timed. What one machine finds wrong, every
# machine finds: order and examples are the same each run, and others only when asked (--randomly-seed, and the profile
# "search" by --hypothesis-profile).
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")
sign_scopes_by_it()
NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
# Each takes minutes: the demonstration told five times, processes killed by hundreds, every form sent nonsense.
LONGEST = {"test_demo.py", "test_crash.py", "test_fuzz.py"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: begun last, two workers would wait for the third."""
    items.sort(key=lambda item: (item.path.name not in LONGEST, "journeys" not in item.path.parts))


@pytest.fixture(autouse=True)
def _frozen_clock(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("browser"):
        yield
        return
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True, scope="module")
def _numbered_from_one() -> None:
    """Number what the factories make from one in each file: no test may depend on how many ran before it."""
    cabinets_factory._numbers = itertools.count(1)
    invoices_factory._numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _no_key_survives() -> Iterator[None]:
    yield
    sealing.forget_keys()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Create the test database through its owner: every other role mirrors it, and no test may reach the real one.

    Several workers each have their own, named after them, copied from one that was migrated once.
    """
    with django_db_blocker.unblock(), one_at_a_time(shared_folder(tmp_path_factory)):
        own = migrated.own_name()
        is_copied = migrated.copy_migrated(own)
        setup_databases(verbosity=0, interactive=False, keepdb=is_copied, aliases=dict.fromkeys(connections))
        if not is_copied:
            migrated.keep_migrated(own)
        keep_known_rates()
    yield
    # The next run drops it and makes it anew: a page still open in a browser may hold a connection for a moment.
    with django_db_blocker.unblock():
        for alias in connections:
            connections[alias].close()


@pytest.fixture
def cabinet(db: None) -> Iterator[Cabinet]:
    """Return a firm, and act for it until the test ends, as the product itself."""
    firm = make_cabinet()
    with ExitStack() as stack:
        stack.enter_context(acting_for(cabinet_id=firm.pk))
        stack.enter_context(tenant_atomic())
        yield firm


@pytest.fixture
def told() -> Iterator[RecordingLadder]:
    """Put a ladder in the place of the real one, that only remembers what it was told."""
    real, fake = ports.ladder(), RecordingLadder()
    ports.register(fake)
    yield fake
    ports.register(real)


@pytest.fixture
def other_cabinet(db: None) -> Cabinet:
    """Return another firm; act for it with working_for()."""
    return make_cabinet(name="Autre cabinet")


@pytest.fixture
def owner(cabinet: Cabinet) -> Membership:
    """Return a partner of the firm."""
    return make_member(role=Role.OWNER)


class FirmBrowser(Browser):
    """A browser whose requests start outside any firm, as they do in life."""

    def request(self, **request: Any) -> Any:
        """Send the request from outside; give the test its own firm back in the database."""
        outer = scoping._scope.get()
        with outside_any_firm():
            _announce("")
            response = super().request(**request)
        _announce(outer.signed() if outer else "")
        return response


def _announce(value: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SCOPE_SETTING, value])


def sign_in(browser: Browser, member: Membership) -> None:
    """Sign a member in with both factors proven."""
    browser.force_login(member.user)
    session = browser.session
    session["otp_device_id"] = prove_second_factor(member)
    session.save()


def prove_second_factor(member: Membership) -> str:
    """Give the person a confirmed authenticator and return its persistent id."""
    from cabinets.models import TotpDevice  # noqa: PLC0415 - only tests that sign in need it

    device, _ = TotpDevice.objects.get_or_create(
        user=member.user, defaults={"name": "Application", "confirmed": True, "seed": b"sealed"}
    )
    return str(device.persistent_id)


@pytest.fixture
def browse() -> Callable[[Membership | None], FirmBrowser]:
    """Return a maker of browsers: signed in as a member, or a visitor's."""

    def make(member: Membership | None = None) -> FirmBrowser:
        browser = FirmBrowser()
        if member is not None:
            sign_in(browser, member)
        return browser

    return make


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the test commit for real on every alias; empty every table after it."""
    with django_db_blocker.unblock():
        empty_every_table()
        yield
        empty_every_table()
        for alias in connections:
            connections[alias].close()


__all__ = ["FirmBrowser", "outside_any_firm", "sign_in", "working_for"]
