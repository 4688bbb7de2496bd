"""Every address open to all has a limit: past it, a page in French and nothing done."""

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import URLPattern
from pytest_django.fixtures import Settings

from tests.architecture.test_urls import PATTERNS

# Not counted by address, and why.
UNCOUNTED = {
    "sante/vivant/": "asked every few seconds by the operator's own machines",
    "sante/pret/": "the same",
}
PUBLIC = [(address, entry) for address, entry in PATTERNS if getattr(entry.callback, "required_right", None) is None]
IDS = [address for address, _ in PUBLIC]


def written(address: str) -> str:
    """Write an address with an id or a token of nobody's."""
    address = re.sub(r"<uuid:\w+>", "11111111-1111-4111-8111-111111111111", address)
    return "/" + re.sub(r"<(?:str|slug|int|path):?\w*>|<\w+>", "x1x2x3", address)


@pytest.fixture(autouse=True)
def _few(settings: Settings) -> None:
    settings.PUBLIC_REQUESTS_A_MINUTE, settings.GUESSES_A_MINUTE = 2, 2
    cache.clear()


def asked(address: str, times: int = 4) -> list[int]:
    browser = Browser(raise_request_exception=False)
    return [browser.get(written(address)).status_code for _ in range(times)]


@pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
@pytest.mark.parametrize(("address", "entry"), PUBLIC, ids=IDS)
def test_every_public_address_has_a_limit(address: str, entry: URLPattern) -> None:
    if address in UNCOUNTED:
        assert 429 not in asked(address)
        return
    browser = Browser(raise_request_exception=False)
    ask: Callable[..., object] = browser.post if address.startswith(("retours/", "csp/")) else browser.get
    statuses = [getattr(ask(written(address)), "status_code", 0) for _ in range(4)]

    assert statuses[2:] == [429, 429]
    assert 429 not in statuses[:2]


def test_what_is_told_is_french_and_names_nobody(db: None) -> None:
    for _ in range(2):
        Browser().get("/connexion/")

    answer = Browser().get("/connexion/")

    page = answer.content.decode()
    assert (answer.status_code, 0 < int(answer["Retry-After"]) <= 60) == (429, True)
    assert "Trop de demandes depuis votre adresse" in page
    assert "Rien n’a été enregistré ni envoyé." in page


def test_a_known_address_of_a_provider_is_not_turned_away_for_its_number(db: None) -> None:
    answers = [Browser().post("/retours/paiement/inconnu/").status_code for _ in range(4)]

    assert answers == [404, 404, 429, 429]


def test_another_address_is_not_slowed_down(db: None) -> None:
    for _ in range(4):
        Browser().get("/connexion/")

    assert Browser(REMOTE_ADDR="192.0.2.7").get("/connexion/").status_code == 200
