"""Passkeys in a real browser, with an authenticator Chromium plays: made, used, renamed, taken away, and refused."""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.cache import cache
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership, PasskeyDevice
from cabinets.scoping import working_for
from cabinets.services import second_factor
from tests.factories.cabinets import PASSWORD, make_cabinet, make_member
from tests.journeys.conftest import DESK, PHONE, new_context, serving

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
Visit = Callable[..., Page]
USE, MAKE = "Utiliser une clé d’accès", "Créer une clé d’accès"
TRAITS = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def firm(committed: None) -> Cabinet:
    cache.clear()
    return make_cabinet()


@pytest.fixture
def claire(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER)


@pytest.fixture
def site(firm: Cabinet) -> Iterator[str]:
    """Serve the product under a name: browsers bind no passkey to an address of figures."""
    with serving(StaticFilesHandler) as address:
        named = address.replace("127.0.0.1", "localhost")
        with override_settings(SITE_URL=named):
            yield named


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Visit]:
    """Return a maker of pages, each in a browser with an authenticator of its own, or none."""
    contexts: list[BrowserContext] = []

    def make(*, scripts: bool = True, authenticator: bool = True, size: Any = DESK) -> Page:
        context = new_context(chromium, site, scripts=scripts, size=size)
        contexts.append(context)
        page = context.new_page()
        if authenticator:
            plug(context, page)
        return page

    yield make
    for context in contexts:
        context.close()


def plug(context: BrowserContext, page: Page, **traits: str) -> None:
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": TRAITS | traits})


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def give_password(page: Page, member: Membership) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse e-mail").fill(member.user.email)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()


def first_sign_in(page: Page, member: Membership) -> None:
    """Enrol a passkey in place of the application."""
    give_password(page, member)
    shot(page, "enrol")
    page.get_by_role("button", name=MAKE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Vos codes de secours")
    page.get_by_role("link", name="J’ai gardé mes codes").click()


def sign_out(page: Page) -> None:
    page.context.clear_cookies()


def send(page: Page, answer: str) -> str:
    """Send an answer the page did not ask its authenticator for; return what the server says of it."""
    page.evaluate(
        """(answer) => { const form = document.querySelector('form[data-passkey]');
        form.elements.passkey.value = answer; HTMLFormElement.prototype.submit.call(form); }""",
        answer,
    )
    page.wait_for_load_state()
    return page.locator(".flash-late").inner_text()


def signed(page: Page) -> str:
    """Have the page's own authenticator sign, and keep its answer instead of sending it."""
    answer: str = page.evaluate(
        """async () => { const form = document.querySelector('form[data-passkey]');
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(form.dataset.options));
        return JSON.stringify(await navigator.credentials.get({ publicKey })); }"""
    )
    return answer


def test_a_person_enrols_signs_in_renames_adds_and_removes(visit: Visit, claire: Membership) -> None:
    page = visit()
    first_sign_in(page, claire)
    assert PasskeyDevice.objects.get().user_id == claire.user_id

    sign_out(page)
    give_password(page, claire)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second facteur")
    shot(page, "code")
    page.get_by_role("button", name=USE).click()
    expect(page).not_to_have_url("/connexion/code/")
    page.goto("/profil/securite/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Profil et sécurité")
    assert PasskeyDevice.objects.get().last_used_at is not None

    page.get_by_role("link", name="Renommer la clé").click()
    page.get_by_label("Nom de la clé").fill("Ordinateur du cabinet")
    page.get_by_role("button", name="Enregistrer le nom").click()
    expect(page.get_by_text("Ordinateur du cabinet")).to_be_visible()

    page.get_by_role("link", name="Retirer la clé Ordinateur du cabinet").click()
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Retirer la clé").click()
    expect(page.get_by_text("C’est votre dernier second facteur").first).to_be_visible()

    # Another device: this one already keeps a key of the account, and says so.
    page.goto("/profil/securite/cles/ajouter/")
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("button", name="Créer la clé d’accès").click()
    expect(page.get_by_text("Cet appareil garde déjà une clé")).to_be_visible()
    plug(page.context, page, transport="usb")
    page.get_by_label("Nom de la clé").fill("Clé USB")
    shot(page, "add")
    page.get_by_role("button", name="Créer la clé d’accès").click()
    expect(page.get_by_text("La clé « Clé USB » est ajoutée.")).to_be_visible()
    shot(page, "security")

    page.get_by_role("link", name="Retirer la clé Ordinateur du cabinet").click()
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Retirer la clé").click()
    expect(page.get_by_text("La clé « Ordinateur du cabinet » est retirée.")).to_be_visible()
    assert [one.name for one in PasskeyDevice.objects.all()] == ["Clé USB"]
    assert page.evaluate("window.__refused") == []


def test_an_unknown_authenticator_opens_nothing_and_the_code_still_does(
    visit: Visit, claire: Membership, firm: Cabinet
) -> None:
    first_sign_in(visit(), claire)
    codes = second_factor.renew_recovery_codes(user=claire.user)
    page = visit()
    give_password(page, claire)
    page.get_by_role("button", name=USE).click()
    expect(page.get_by_text("La clé d’accès n’a pas répondu")).to_be_visible()
    shot(page, "failed")

    page.get_by_label("Code de secours").fill(codes[0])
    page.get_by_role("button", name="Valider").click()

    expect(page).not_to_have_url("/connexion/code/")
    with working_for(cabinet_id=firm.pk):
        told = JournalEntry.objects.filter(event="person.signed_in", facts={"how": "recovery_code"})
        assert told.count() == 1


def test_an_answer_said_twice_is_refused(visit: Visit, claire: Membership) -> None:
    page = visit()
    first_sign_in(page, claire)
    sign_out(page)
    give_password(page, claire)
    answer = signed(page)
    page.evaluate(
        """(answer) => { const form = document.querySelector('form[data-passkey]');
        form.elements.passkey.value = answer; HTMLFormElement.prototype.submit.call(form); }""",
        answer,
    )
    expect(page).not_to_have_url("/connexion/code/")

    sign_out(page)
    give_password(page, claire)

    assert "a expiré ou a déjà servi" in send(page, answer)
    page.goto("/profil/securite/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second facteur")


def test_an_answer_made_for_another_origin_is_refused(visit: Visit, claire: Membership, site: str) -> None:
    page = visit()
    first_sign_in(page, claire)
    sign_out(page)
    give_password(page, claire)

    # Same name, another port: to the browser, another site's page that asks for our key.
    with override_settings(SITE_URL="http://localhost:1"):
        assert "n’a pas pu être vérifiée" in send(page, signed(page))

    assert PasskeyDevice.objects.get().last_used_at is None


def test_the_key_of_another_person_is_refused(visit: Visit, claire: Membership, firm: Cabinet) -> None:
    first_sign_in(visit(), claire)
    with working_for(cabinet_id=firm.pk):
        paul = make_member(role=Role.OWNER)
    page = visit()
    first_sign_in(page, paul)
    sign_out(page)
    give_password(page, paul)
    theirs = json.loads(page.locator("form[data-passkey]").get_attribute("data-options") or "")["allowCredentials"]
    sign_out(page)
    give_password(page, claire)
    page.evaluate(
        """(keys) => { const form = document.querySelector('form[data-passkey]');
        const options = JSON.parse(form.dataset.options); options.allowCredentials = keys;
        form.dataset.options = JSON.stringify(options); }""",
        theirs,
    )

    assert "n’est pas enregistrée sur votre compte" in send(page, signed(page))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["1440", "390"])
def test_without_scripts_the_code_is_offered_and_does_the_whole_job(
    visit: Visit, claire: Membership, size: Any
) -> None:
    second_factor.install(user=claire.user)
    first = PasskeyDevice(user=claire.user, name="x", credential_id=b"x", credential_hash="x", public_key=b"x")
    first.save(force_insert=True)
    page = visit(scripts=False, authenticator=False, size=size)
    give_password(page, claire)
    shot(page, f"code-sans-script-{size['width']}")
    assert page.get_by_role("button", name=USE).count() == 0
    code, wait = second_factor.code_of(user=claire.user, now=time.time())
    time.sleep(wait)
    page.get_by_label("Code à six chiffres").fill(code)
    page.get_by_role("button", name="Valider").click()

    page.goto("/profil/securite/cles/ajouter/")
    page.get_by_label("Votre mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Continuer").click()

    expect(page.get_by_text("Ce navigateur ne crée pas de clé d’accès")).to_be_visible()
    assert page.get_by_role("button", name="Créer la clé d’accès").count() == 0
