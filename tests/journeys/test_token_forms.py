"""The forms behind a token, in a real browser: they are taken, and their address is told to no other site."""

from collections.abc import Iterator

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import override_settings
from django.urls import reverse
from playwright.sync_api import Browser

from cabinets.enums import Role
from cabinets.models import Cabinet
from cabinets.scoping import working_for
from cabinets.services import people, sign_in, sign_up
from cabinets.services.sign_up import Wish
from tests.factories.cabinets import make_cabinet, make_member
from tests.journeys.conftest import new_context, serving

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@pytest.fixture
def firm(committed: None) -> Cabinet:
    return make_cabinet()


@pytest.fixture
def site(firm: Cabinet) -> Iterator[str]:
    with (
        serving(StaticFilesHandler) as address,
        override_settings(SITE_URL=address, SIGN_UPS_OPEN=True, EMAIL_HOST="x"),
    ):
        yield address


def addresses(firm: Cabinet) -> dict[str, str]:
    """Make what each link leads to."""
    with working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER)
        offer = people.invite(email="nouvelle@martel.example", role=Role.LAWYER, by=owner)
        password = sign_in.password_link(user=owner.user).partition("/mot-de-passe/")[2]
    wish = Wish(email="claire@martel.example", firm="Martel Avocats", bar="Lyon")
    return {
        "inscription": reverse("sign_up_confirm", args=[sign_up.token_of(wish)]),
        "invitation": reverse("invitation", args=[people.token_of(invitation_id=offer.pk)]),
        "mot-de-passe": f"/mot-de-passe/{password}",
    }


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "sans script"])
def test_a_form_behind_a_token_is_taken(chromium: Browser, firm: Cabinet, site: str, scripts: bool) -> None:
    context = new_context(chromium, site, scripts=scripts)
    found = {}
    for name, address in addresses(firm).items():
        page = context.new_page()
        opened = page.goto(f"{site}{address}")
        with page.expect_navigation() as sent:
            page.locator("form button[type=submit]").first.click()
        assert opened is not None
        found[name] = (opened.status, opened.headers["referrer-policy"], sent.value.status)
    context.close()

    # Sent with nothing in it, each form answers for itself; none is refused as coming from elsewhere.
    assert found == dict.fromkeys(found, (200, "same-origin", 422))
