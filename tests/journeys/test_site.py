"""What a visitor does before any firm: an estimate, shared by its address."""

import pytest
from playwright.sync_api import Browser, expect

from cabinets.models import Cabinet
from tests.journeys.conftest import DESK, new_context


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_visitor_changes_an_assumption_and_shares_the_result(
    demo: dict[str, Cabinet], chromium: Browser, server: str, *, scripts: bool
) -> None:
    context = new_context(chromium, server, None, size=DESK, scripts=scripts)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="Estimer ce que vous y gagnez").click()
    year = page.get_by_role("region", name="Sur un an")
    expect(year.get_by_role("row", name="Net sur un an")).to_contain_text("15\u00a0000\u00a0€")

    page.get_by_label("Chiffre d’affaires annuel").fill("600 000")
    if scripts:
        page.get_by_label("Chiffre d’affaires annuel").blur()
    else:
        page.get_by_role("button", name="Calculer").click()

    expect(year.get_by_role("row", name="Net sur un an")).to_contain_text("22\u00a0500\u00a0€")
    shared = context.new_page()
    shared.goto(page.url)
    expect(shared.get_by_label("Chiffre d’affaires annuel")).to_have_value("600 000")
    assert context.cookies() == []
    context.close()
