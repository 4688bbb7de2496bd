"""An operator asks, a partner allows it, the operator reads within a red frame, the partner ends it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cabinets.models import Cabinet, Membership, SupportAnswer, User
from cabinets.scoping import working_for
from config.demo.firms import PASSWORD
from tests.conftest import prove_second_factor
from tests.journeys.conftest import PHONE, member_of

Open = Callable[..., Page]
DESK_URL = "/exploitation/admin/cabinets/supportrequest/"
WAYS = [pytest.param("cabinet-kessler", True, id="scripts"), pytest.param("aubry-lemaire", False, id="sans script")]
REASON = "Le cabinet signale une balance âgée qui ne correspond pas à sa liste."


def operator(email: str) -> Membership:
    """Return an operator as the browser's maker takes a person: nobody's member."""
    user = User.objects.create_superuser(email, PASSWORD, first_name="Jeanne", last_name="Roy")
    member = Membership(user=user)
    prove_second_factor(member)
    return member


@pytest.mark.parametrize(("slug", "scripts"), WAYS)
def test_an_operator_looks_for_the_time_a_partner_chose(
    demo: dict[str, Cabinet], open_page: Open, slug: str, *, scripts: bool
) -> None:
    partner = member_of(demo[slug])
    desk = open_page(operator(f"jeanne-{scripts}@quittance.example"), scripts=scripts)
    desk.goto(f"{DESK_URL}add/")
    desk.select_option("select[name=firm]", value=str(partner.cabinet_id))
    desk.fill("textarea[name=reason]", REASON)
    desk.fill("input[name=looks_at]", "La page Rapports, balance âgée")
    desk.click("input[name=_save]")

    page = open_page(partner, scripts=scripts)
    page.goto("/tableau-de-bord/")
    expect(page.get_by_text("Jeanne Roy, de l’assistance, demande à voir les pages du cabinet.")).to_be_visible()
    page.get_by_role("link", name="Lire la demande").click()
    page.locator("a.main-link").first.click()
    page.get_by_role("link", name="Autoriser…").click()
    page.get_by_label("Durée").select_option("30")
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Autoriser").click()
    expect(page.get_by_text("L’accès est ouvert.")).to_be_visible()

    desk.goto(DESK_URL)
    desk.locator("#result_list tbody a").first.click()
    desk.get_by_role("button", name="Ouvrir les pages du cabinet").click()
    expect(desk).to_have_url(re.compile("/tableau-de-bord/"))
    sentence = desk.get_by_text(re.compile(r"Accès d’assistance aux pages de .+, jusqu’à \d+.h"))
    expect(sentence).to_be_visible()
    desk.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    desk.goto("/factures/")
    expect(sentence).to_be_visible()

    page.reload()
    expect(page.get_by_text("/factures/", exact=True)).to_be_visible()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.get_by_role("button", name="Terminer maintenant").click()
    expect(page.get_by_text("plus aucune page du cabinet n’est ouverte")).to_be_visible()
    desk.goto("/clients/")
    expect(desk.get_by_role("heading", name="Cet accès d’assistance est terminé")).to_be_visible()
    with working_for(cabinet_id=partner.cabinet_id):
        assert SupportAnswer.objects.filter(ended_by=partner).exists()
