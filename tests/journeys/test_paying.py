"""A debtor pays on a phone, by the hosted page of a provider and back; with scripts, and without."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cabinets.enums import Role
from cabinets.scoping import working_for
from config.settings import base
from payments.enums import CheckoutState, MandateEnd
from payments.models import Mandate, ProviderAccount
from payments.providers.protocol import MandateStage, Stage
from payments.services import plans
from tests.factories.cabinets import make_member
from tests.factories.invoices import TODAY
from tests.journeys.conftest import PHONE, new_context, serving
from tests.journeys.test_pages import seen_on
from tests.payments.fake_provider import FakeProvider
from tests.payments.online import online_world
from tests.payments.test_portal import place

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
# Page, styles, fonts, icons and scripts, headers included, as Chromium receives them the first time.
HEAVIEST = 110_000
WITH_AND_WITHOUT = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "sans script"])
Open = Callable[..., Page]


def hosted(provider: FakeProvider) -> type[BaseHTTPRequestHandler]:
    """Return the provider's own pages: pay, or give up."""

    class Hosted(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ref = urlsplit(self.path).path.strip("/")
            order = provider.asked.get(ref) or (provider.held[ref].order if ref in provider.held else None)
            if order is None:
                self.answer(404, {}, b"")
                return
            body = (
                f'<!doctype html><html lang="fr"><title>Page du prestataire</title><h1>{order.label}</h1>'
                f'<form method="post"><button>Valider</button></form><a href="{order.cancel_url}">Renoncer</a>'
            ).encode()
            self.answer(200, {"Content-Type": "text/html; charset=utf-8"}, body)

        def do_POST(self) -> None:
            ref = urlsplit(self.path).path.strip("/")
            if ref in provider.asked:
                provider.move_mandate(MandateStage.SIGNED, ref=ref)
                self.answer(303, {"Location": provider.asked[ref].return_url}, b"")
                return
            provider.move(Stage.SETTLED, ref=ref)
            self.answer(303, {"Location": provider.held[ref].order.return_url}, b"")

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Hosted


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """Return a provider whose hosted page is a server of its own, on another origin."""
    fake = FakeProvider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), hosted(fake))
    fake.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def open_debtor(chromium: Browser, provider: FakeProvider, committed: None) -> Iterator[Open]:
    """Return a maker of phones, each on the space of a firm with two invoices, or one."""
    contexts: list[BrowserContext] = []
    with serving(StaticFilesHandler) as address, override_settings(SITE_URL=address):

        def make(*, scripts: bool = True) -> Page:
            contexts.append(new_context(chromium, address, size=PHONE, scripts=scripts))
            return contexts[-1].new_page()

        yield make
        for context in contexts:
            context.close()


def fine(page: Page, *, scripts: bool) -> None:
    """Nothing is refused, nothing overflows, axe finds nothing: asked of a page that runs scripts."""
    if scripts:
        assert seen_on(page) == []


def pay_at_the_provider(page: Page) -> None:
    expect(page.get_by_role("heading", name="Facture")).to_be_visible()
    assert page.title() == "Page du prestataire"
    page.get_by_role("button", name="Valider").click()
    expect(page.get_by_role("heading", name="Paiement reçu")).to_be_visible()


@WITH_AND_WITHOUT
def test_a_debtor_pays_in_two_taps_and_keeps_a_receipt(
    open_debtor: Open, provider: FakeProvider, scripts: bool
) -> None:
    with online_world(provider=provider) as online:
        page = open_debtor(scripts=scripts)
        page.goto(place(online.link))
        button = page.get_by_role("button", name="Payer 1 440,00 € par carte")
        box = button.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"]
        fine(page, scripts=scripts)

        button.click()
        pay_at_the_provider(page)
        fine(page, scripts=scripts)

        with page.expect_download() as received:
            page.get_by_role("link", name="Télécharger le reçu").click()
        assert received.value.suggested_filename.startswith("recu-")
        page.get_by_role("link", name="Revenir à l’espace de règlement").click()
        expect(page.get_by_text("Payée", exact=True)).to_be_visible()
        assert (online.invoice.outstanding_cents, online.settled()) == (0, 144_000)


@WITH_AND_WITHOUT
def test_a_debtor_chooses_what_to_pay(open_debtor: Open, provider: FakeProvider, scripts: bool) -> None:
    with online_world(provider=provider, invoices=3) as online:
        page = open_debtor(scripts=scripts)
        page.goto(place(online.link))
        page.get_by_role("link", name="Choisir les factures à payer").click()
        page.get_by_role("checkbox").first.uncheck()
        if scripts:
            expect(page.get_by_role("status")).to_have_text("2 880,00 €")
        fine(page, scripts=scripts)
        page.get_by_role("button", name="Continuer").click()
        pay = page.get_by_role("button", name="Payer 2 880,00 € par carte")
        expect(pay).to_be_visible()
        fine(page, scripts=scripts)
        pay.click()
        pay_at_the_provider(page)

        assert [online.now(row).outstanding_cents for row in online.invoices] == [144_000, 0, 0]


@WITH_AND_WITHOUT
def test_a_debtor_gives_up_comes_back_and_pays(open_debtor: Open, provider: FakeProvider, scripts: bool) -> None:
    with online_world(provider=provider) as online:
        page = open_debtor(scripts=scripts)
        page.goto(place(online.link))
        page.get_by_role("button", name="Payer").first.click()
        page.get_by_role("link", name="Renoncer").click()
        expect(page.get_by_role("heading", name="Paiement abandonné")).to_be_visible()
        assert online.settled() == 0

        page.get_by_role("link", name="Reprendre le paiement").click()
        page.get_by_role("button", name="Payer").first.click()
        pay_at_the_provider(page)

        assert (len(provider.held), online.settled()) == (1, 144_000)


@WITH_AND_WITHOUT
def test_a_debtor_has_a_plan_collected_and_stops_it(open_debtor: Open, provider: FakeProvider, scripts: bool) -> None:
    with online_world(provider=provider) as online:
        with working_for(cabinet_id=online.cabinet.pk):
            ProviderAccount.objects.update(provider="gocardless")
            plan = plans.propose(link=online.link, count=3, first_on=dt.date(2026, 12, 9), today=TODAY)
            plans.accept(plan_id=plan.pk, by=make_member(role=Role.LAWYER, sees_every_file=True), today=TODAY)
        page = open_debtor(scripts=scripts)
        page.goto(place(online.link, "echeancier/"))
        fine(page, scripts=scripts)
        page.get_by_role("link", name="Autoriser le prélèvement").click()
        expect(page.get_by_role("heading", name="Prélever vos versements")).to_be_visible()
        fine(page, scripts=scripts)
        page.get_by_role("button", name="Continuer vers la signature").click()
        expect(page.get_by_text("Cochez la case pour autoriser le prélèvement.").first).to_be_visible()
        fine(page, scripts=scripts)
        assert provider.calls == []

        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Continuer vers la signature").click()
        expect(page.get_by_role("heading", name="Versements d’un échéancier")).to_be_visible()
        page.get_by_role("button", name="Valider").click()

        expect(page.get_by_text("Chaque versement est prélevé à sa date.")).to_be_visible()
        expect(page.get_by_text("RUM-42")).to_be_visible()
        fine(page, scripts=scripts)
        page.get_by_role("button", name="Arrêter le prélèvement").click()
        expect(page.get_by_text("Le prélèvement est arrêté.")).to_be_visible()
        fine(page, scripts=scripts)
        with working_for(cabinet_id=online.cabinet.pk):
            assert Mandate.objects.get().ended_by == MandateEnd.DEBTOR


@pytest.fixture
def compressed(tmp_path: Path) -> Iterator[str]:
    """Serve the product as it is deployed: static files named by their content, compressed once, sent by WhiteNoise."""
    kept = {**settings.STORAGES, "staticfiles": {"BACKEND": base.STORAGES["staticfiles"]["BACKEND"]}}
    with override_settings(STATIC_ROOT=tmp_path / "static", STORAGES=kept):
        call_command("collectstatic", interactive=False, verbosity=0)
        with serving(lambda application: application) as address, override_settings(SITE_URL=address):
            yield address


def test_the_pay_page_weighs_little_on_the_wire(
    chromium: Browser, provider: FakeProvider, committed: None, compressed: str
) -> None:
    received: dict[str, tuple[str, float]] = {}
    with online_world(provider=provider) as online:
        context = new_context(chromium, compressed, size=PHONE)
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        urls: dict[str, str] = {}
        wire.on("Network.responseReceived", lambda told: urls.update({told["requestId"]: told["response"]["url"]}))
        wire.on(
            "Network.loadingFinished",
            lambda told: received.update({told["requestId"]: (urls[told["requestId"]], told["encodedDataLength"])}),
        )

        page.goto(place(online.link), wait_until="networkidle")

        box = page.get_by_role("button", name="Payer 1 440,00 € par carte").bounding_box()
        context.close()
    kinds = {urlsplit(url).path.rpartition(".")[2] for url, _ in received.values()}
    assert {"css", "js", "woff2"} <= kinds, sorted(received.values())
    weight = sum(size for _, size in received.values())
    assert 0 < weight <= HEAVIEST, sorted(received.values(), key=lambda one: -one[1])
    assert box is not None
    assert box["y"] + box["height"] <= PHONE["height"]


def test_a_page_that_waits_asks_again_by_itself(open_debtor: Open, provider: FakeProvider) -> None:
    with online_world(provider=provider) as online:
        checkout = online.begin()
        page = open_debtor()
        page.goto(place(online.link, f"retour/{checkout.pk}/"))
        expect(page.get_by_role("heading", name="Paiement en attente")).to_be_visible()

        provider.move(Stage.SETTLED)

        expect(page.get_by_role("heading", name="Paiement reçu")).to_be_visible()
        assert online.read(checkout).state == CheckoutState.PAID


def test_the_provider_is_down_and_the_transfer_is_there(open_debtor: Open, provider: FakeProvider) -> None:
    with online_world(provider=provider) as online:
        provider.silent = 1
        page = open_debtor()
        page.goto(place(online.link))
        page.get_by_role("button", name="Payer").first.click()

        expect(page.get_by_role("alert")).to_contain_text("Rien n’a été payé ni enregistré")
        expect(page.get_by_role("heading", name="Payer par virement")).to_be_visible()
        fine(page, scripts=True)
