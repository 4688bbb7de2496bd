"""A new firm, from the sign-up page to its activation, with a file of two hundred lines: pages and clicks are counted.

`FIRST_HOUR=1 bin/test tests/journeys/test_first_hour.py -s` prints the count.
"""

import base64
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core import mail
from django.core.cache import cache
from django.test import override_settings
from playwright.sync_api import Browser, Locator, Page, expect

from cabinets import tasks, totp
from cabinets.models import Cabinet
from cabinets.scoping import working_for
from cabinets.services.firm import every_firm
from invoices.models import Invoice
from tests.journeys.conftest import new_context, serving
from tests.journeys.test_pages import seen_on

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
WITH_AND_WITHOUT = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "sans script"])
# One page more is a page to justify.
MOST_PAGES, MOST_CLICKS = 20, 16


@dataclass
class Walk:
    """A person at work: every page opened and every click is counted."""

    page: Page
    pages: list[str] = field(default_factory=list)
    clicks: int = 0

    def click(self, what: Locator) -> None:
        """Click once, and wait for the page it leads to."""
        self.clicks += 1
        with self.page.expect_navigation():
            what.click()
        self.seen()

    def tick(self, what: Locator) -> None:
        """Tick a box."""
        self.clicks += 1
        what.check()

    def open(self, address: str) -> None:
        """Open an address written somewhere else: a search result, an e-mail."""
        self.page.goto(address)
        self.seen()

    def seen(self) -> None:
        """Count the page, and say that it holds."""
        self.pages.append(re.sub(r"[0-9a-f-]{36}|(?<=inscription/).+", "…", self.page.url.split("/", 3)[3]))
        expect(self.page.locator("h1")).to_have_count(1)

    def button(self, name: str) -> Locator:
        """Return the first button or link of this name in the page's own content."""
        found = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        return found.first

    def step(self, name: str) -> None:
        """Open a step from the list."""
        self.click(self.page.get_by_role("link", name=f"Ouvrir : {name}"))


def two_hundred_lines() -> bytes:
    """Write what a firm's software exports: two hundred invoices, of companies and of people, some paid."""
    lines = ["N° facture;Date;Échéance;Montant TTC;Déjà réglé;Client;E-mail;Dossier;Qualité"]
    for number in range(1, 201):
        is_firm, month = number % 3, 9 + number % 2
        name = f"Société des Halles {number} SARL" if is_firm else f"Camille Durand {number}"
        kind = "professionnel" if is_firm else "particulier"
        paid = f"{480 + number},00" if number % 4 == 0 else ""
        lines.append(
            f"F-{number:04};05/{month:02}/2026;0{1 + number % 9}/11/2026;{480 + number},00;{paid};{name};"
            f"client{number}@client.example;D-{number:03};{kind}"
        )
    return "\r\n".join(lines).encode("cp1252")


@pytest.fixture
def site(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve an installation that is open to sign-ups, and sends from its own domain."""
    cache.clear()
    monkeypatch.setattr(tasks.send_sign_up_link, "delay", tasks.send_sign_up_link)
    with (
        serving(StaticFilesHandler) as address,
        override_settings(
            SITE_URL=address,
            SIGN_UPS_OPEN=True,
            EMAIL_HOST="127.0.0.1",
            SENDING_DOMAIN="envois.quittance.example",
        ),
    ):
        yield address


@WITH_AND_WITHOUT
def test_a_new_firm_is_live_in_one_sitting(chromium: Browser, site: str, scripts: bool) -> None:
    context = new_context(chromium, site, scripts=scripts)
    walk, began = Walk(context.new_page()), time.monotonic()

    _sign_up(walk, site)
    _set_up(walk, site)
    if scripts:
        assert seen_on(walk.page) == []
    walk.click(walk.button("Activer les envois"))
    expect(walk.page.get_by_text("activés").first).to_be_visible()

    [(cabinet_id, slug)] = every_firm()
    with working_for(cabinet_id=cabinet_id):
        assert (slug, Cabinet.objects.get().is_live, Invoice.objects.count()) == ("martel-avocats", True, 200)
    if os.environ.get("FIRST_HOUR"):
        seconds = time.monotonic() - began
        print(f"\n{len(walk.pages)} pages, {walk.clicks} clics, {seconds:.0f} s de machine")  # noqa: T201
        print("\n".join(walk.pages))  # noqa: T201
    assert (len(walk.pages), walk.clicks) == (MOST_PAGES, MOST_CLICKS)
    context.close()


def _sign_up(walk: Walk, site: str) -> None:
    """From the sign-up page to the firm, its partner's second factor proven."""
    page = walk.page
    walk.open(f"{site}/inscription/")
    page.get_by_label("Nom du cabinet").fill("Martel Avocats")
    page.get_by_label("Barreau").fill("Lyon")
    page.get_by_label("Votre adresse e-mail professionnelle").fill("claire@martel.example")
    walk.click(walk.button("Créer le cabinet"))
    link = re.search(r"https?://\S+/inscription/[\w-]+/", str(mail.outbox[-1].body))
    assert link is not None
    walk.open(link.group())
    page.get_by_label("Prénom").fill("Claire")
    page.get_by_label("Nom", exact=True).fill("Martel")
    page.get_by_label("Mot de passe").fill("corail bougie wagon tulipe")
    walk.click(walk.button("Ouvrir le cabinet"))
    walk.click(walk.button("Afficher le code QR"))
    key = page.locator("code").first.inner_text().replace(" ", "")
    seed = base64.b32decode(key + "=" * (-len(key) % 8))
    page.locator("input[autocomplete=one-time-code]").fill(totp.code_at(seed, totp.step_at(time.time())))
    walk.click(walk.button("Valider"))
    walk.click(walk.button("J’ai gardé mes codes"))


def _set_up(walk: Walk, site: str) -> None:
    """From the list of steps to the dry run."""
    page = walk.page
    if "/demarrage/" not in page.url:
        walk.click(page.get_by_role("link", name="Mise en route").first)
    walk.click(walk.button("Passer : L’audit express"))

    walk.step("Votre cabinet")
    written = {
        "address": "3 rue de la République",
        "postcode": "69002",
        "city": "Lyon",
        "email": "contact@martel.example",
        "phone": "04 72 00 00 00",
        "iban": "FR76 3000 6000 0112 3456 7890 189",
        "password": "corail bougie wagon tulipe",
    }
    for name, value in written.items():
        page.locator(f"#id_{name}").fill(value)
    walk.click(walk.button("Enregistrer"))

    walk.open(f"{site}/factures/importer/")
    page.locator("input[type=file]").set_input_files(
        {"name": "factures.csv", "mimeType": "text/csv", "buffer": two_hundred_lines()}
    )
    walk.click(walk.button("Continuer"))
    walk.click(walk.button("Contrôler les lignes"))
    expect(page.get_by_role("button", name="Importer les 200 lignes prêtes")).to_be_visible()
    walk.click(walk.button("Importer les 200 lignes prêtes"))

    walk.open(f"{site}/demarrage/")
    walk.click(walk.button("C’est vu : Votre scénario"))
    walk.click(walk.button("C’est vu : Vos messages"))
    walk.click(page.get_by_role("link", name="Ouvrir : L’essai à blanc"))
