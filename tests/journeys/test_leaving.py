"""A partner takes everything away, closes the account, and keeps it after all; with scripts, and without."""

import json
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from config.demo.firms import PASSWORD
from gdpr.models import Closing, FirmCopy
from gdpr.services import firm_copies
from tests.journeys.conftest import member_of

# The first copy of a firm is asked for in other words than the next: each way has a firm of its own.
WAYS = [pytest.param("cabinet-kessler", True, id="scripts"), pytest.param("aubry-lemaire", False, id="sans script")]

Open = Callable[..., Page]


@pytest.mark.parametrize(("slug", "scripts"), WAYS)
def test_a_partner_exports_the_firm_closes_it_and_keeps_it(
    demo: dict[str, Cabinet], open_page: Open, slug: str, scripts: bool
) -> None:
    cabinet = demo[slug]
    page = open_page(member_of(cabinet), scripts=scripts)

    page.goto("/rgpd/export/")
    page.get_by_role("button", name="Tout exporter").click()
    expect(page.get_by_text("Saisissez votre mot de passe actuel.").first).to_be_visible()
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Tout exporter").click()
    expect(page.get_by_role("heading", name="L’archive se prépare")).to_be_visible()
    for cabinet_id, copy_id in firm_copies.due():
        firm_copies.make(cabinet_id=cabinet_id, copy_id=copy_id)
    page.goto("/rgpd/export/")
    page.get_by_role("link", name="Télécharger l’archive").click()
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    with page.expect_download() as started:
        page.get_by_role("button", name="Télécharger l’archive").click()
    with zipfile.ZipFile(started.value.path()) as archive:
        manifest = json.loads(archive.read("manifeste.json"))
        assert archive.testzip() is None
    assert (manifest["cabinet"]["id"], manifest["lignes"]["invoices.Invoice"]) == (str(cabinet.pk), 100)
    assert started.value.suggested_filename.endswith(".zip")

    page.goto("/rgpd/export/")
    page.get_by_role("link", name="Clore le compte").click()
    page.get_by_label("Nom du cabinet").fill("Un autre nom")
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Clore le compte").click()
    expect(page.get_by_text("Ce n’est pas le nom du cabinet. Rien n’a été clos.").first).to_be_visible()
    page.get_by_label("Nom du cabinet").fill(cabinet.name)
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Clore le compte").click()
    expect(page.get_by_role("heading", name="La clôture est demandée")).to_be_visible()

    page.goto("/factures/")
    expect(page.get_by_text("La clôture du compte est demandée.")).to_be_visible()
    with working_for(cabinet_id=cabinet.pk):
        assert Cabinet.objects.get().is_live is False

    page.get_by_role("link", name="Voir la clôture").click()
    page.get_by_role("link", name="Garder le compte").click()
    page.get_by_role("button", name="Garder le compte").click()
    expect(page.get_by_text("La clôture est reprise.")).to_be_visible()
    with working_for(cabinet_id=cabinet.pk):
        assert (Cabinet.objects.get().is_live, Closing.objects.filter(withdrawn_at=None).count()) == (True, 0)
        assert FirmCopy.objects.filter(state="ready").count() == 1
