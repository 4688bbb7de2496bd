"""A firm takes its own sub-domain, sees what to publish, hands it to its technician, and reads a trial back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.models import SendingDomain, StaffMail
from tests.journeys.conftest import PHONE, member_of

pytestmark = [pytest.mark.browser]
Open = Callable[..., Page]
FIRM = "aubry-lemaire"
HEADER = "Authentication-Results: mx.messagerie.example; dkim=pass header.d=aubry-lemaire.example; spf=fail"


@pytest.mark.parametrize("scripts", [True, False], ids=["with script", "without script"])
def test_a_firm_sets_its_sending_address(demo: dict[str, Cabinet], open_page: Open, *, scripts: bool) -> None:
    cabinet = demo[FIRM]
    name = f"factures{'' if scripts else '2'}.aubry-lemaire.example"
    page = open_page(member_of(cabinet), size=PHONE, scripts=scripts)
    page.goto("/parametres/delivrabilite/")
    page.get_by_label("Sous-domaine d’envoi").fill("aubry-lemaire.example")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("Indiquez un sous-domaine")

    page.get_by_label("Sous-domaine d’envoi").fill(name)
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", level=2, name=f"Lignes DNS de {name}")).to_be_visible()
    expect(page.get_by_text(f"quittance1._domainkey.{name}", exact=True)).to_be_visible()
    copies = page.get_by_role("button", name="Copier")
    expect(copies.first).to_be_visible() if scripts else expect(copies).to_have_count(0)

    page.get_by_role("link", name="Envoyer ces instructions à mon informaticien").click()
    page.get_by_label("Adresse de votre informaticien").fill("dns@presta.example")
    page.get_by_role("button", name="Envoyer ces instructions").click()
    expect(page.get_by_text("Instructions demandées le").first).to_be_visible()

    page.get_by_label("En-têtes du message reçu").fill(HEADER)
    page.get_by_role("button", name="Lire ce résultat").click()
    expect(page.get_by_text("échec (fail)")).to_be_visible()

    with working_for(cabinet_id=cabinet.pk):
        assert SendingDomain.objects.get().domain == name
        assert {mail.address for mail in StaffMail.objects.filter(kind="dns")} == {"dns@presta.example"}
