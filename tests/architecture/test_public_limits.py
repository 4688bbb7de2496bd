"""Every address open to all has a limit: past it, a page in French and nothing done."""

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from tests.architecture.test_urls import PATTERNS

# Not counted by address, and why.
UNCOUNTED = {
    "sante/vivant/": "asked every few seconds by the operator's own machines",
    "sante/pret/": "the same",
}
PUBLIC = [address for address, entry in PATTERNS if getattr(entry.callback, "required_right", None) is None]
# Where a machine posts.
POSTED = ("retours/", "notifications/courrier/", "csp/")


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


def answers(address: str) -> list[int]:
    browser = Browser(raise_request_exception=False)
    ask: Callable[..., object] = browser.post if address.startswith(POSTED) else browser.get
    return [getattr(ask(written(address)), "status_code", 0) for _ in range(4)]


@pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
@pytest.mark.parametrize("address", PUBLIC)
def test_every_public_address_has_a_limit(address: str) -> None:
    if address in UNCOUNTED:
        assert 429 not in asked(address)
        return
    statuses = answers(address)

    assert statuses[2:] == [429, 429]
    assert 429 not in statuses[:2]


@pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
@pytest.mark.parametrize("address", [one for one in PUBLIC if "token>" in one])
def test_every_token_of_nobodys_is_counted_as_a_guess(address: str, settings: Settings) -> None:
    settings.PUBLIC_REQUESTS_A_MINUTE = 0

    statuses = answers(address)

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


@pytest.mark.parametrize("place", ["retours/paiement", "retours/courrier", "notifications/courrier"])
def test_a_known_address_of_a_provider_is_not_turned_away_for_its_number(db: None, place: str) -> None:
    found = [Browser().post(f"/{place}/inconnu/").status_code for _ in range(4)]

    assert found == [404, 404, 429, 429]


def test_another_address_is_not_slowed_down(db: None) -> None:
    for _ in range(4):
        Browser().get("/connexion/")

    assert Browser(REMOTE_ADDR="192.0.2.7").get("/connexion/").status_code == 200
