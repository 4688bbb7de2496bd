"""What the browser is told, what passwords and seals are made of: the requirements no page of one app proves."""

import importlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client as Visitor

from cabinets import crypto
from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import arguments_of, fingerprint
from tests.conftest import FirmBrowser, sign_in
from tests.factories.cabinets import make_member

Browse = Callable[[Membership | None], FirmBrowser]
PLAIN = [
    (f"/{address}", getattr(entry.callback, "required_right", None))
    for address, entry in PATTERNS
    if not arguments_of(entry) and "<" not in address
]
EVERY_ROLE = pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the settings of a real installation."""
    monkeypatch.setenv("SITE_URL", "https://quittance.example")
    return importlib.import_module("config.settings.prod")


def test_cookies_are_bound_to_the_host_and_hidden_from_scripts(deployed: Any) -> None:
    told = (deployed.SESSION_COOKIE_NAME, deployed.SESSION_COOKIE_SECURE, deployed.SESSION_COOKIE_HTTPONLY)
    form = (deployed.CSRF_COOKIE_NAME, deployed.CSRF_COOKIE_SECURE)

    assert (told, form) == (("__Host-session", True, True), ("__Host-csrf", True))
    assert (deployed.SESSION_COOKIE_SAMESITE, deployed.CSRF_COOKIE_SAMESITE) == ("Lax", "Lax")


def test_asks_for_tls_for_a_year(deployed: Any) -> None:
    assert (deployed.SECURE_SSL_REDIRECT, deployed.SECURE_HSTS_SECONDS, deployed.SECURE_HSTS_INCLUDE_SUBDOMAINS) == (
        True,
        31_536_000,
        True,
    )


@EVERY_ROLE
def test_every_page_carries_the_content_policy(cabinet: Cabinet, browse: Browse) -> None:
    browser = browse(make_member(role=Role.OWNER))

    wrong = []
    # One layer writes them on every answer: one address in four is enough to see it.
    for address, _ in PLAIN[::4]:
        answer = browser.get(address)
        policy = answer.headers.get("Content-Security-Policy", "")
        sound = "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        kept = answer.headers.get("X-Content-Type-Options"), answer.headers.get("X-Frame-Options")
        silent = answer.headers.get("Referrer-Policy") in {"same-origin", "no-referrer"}
        if not (sound and silent and kept == ("nosniff", "DENY")):
            wrong.append((address, answer.status_code, policy, kept))

    assert wrong == []


@EVERY_ROLE
def test_no_page_of_a_signed_in_person_is_kept(cabinet: Cabinet, browse: Browse) -> None:
    browser = browse(make_member(role=Role.OWNER))

    kept = []
    for address, right in PLAIN:
        answer = browser.get(address)
        if right and answer.status_code == 200 and "no-store" not in answer.headers.get("Cache-Control", ""):
            kept.append((address, answer.headers.get("Cache-Control")))

    assert kept == []


def test_a_form_of_another_site_changes_nothing(cabinet: Cabinet) -> None:
    member = make_member(role=Role.OWNER)
    browser = FirmBrowser(enforce_csrf_checks=True)
    sign_in(browser, member)
    before = fingerprint()

    answers = {
        address: browser.post(address, headers={"origin": "https://ailleurs.example"}).status_code
        for address, right in PLAIN
        if right
    }

    # A page that takes no POST says so; no other lets the form in.
    assert {address: code for address, code in answers.items() if code not in {403, 405}} == {}
    assert fingerprint() == before


@pytest.mark.parametrize(
    "password",
    ["motdepasse", "azertyuiop12", "password1234", "123456789012", "aaaaaaaaaaaa", "court", "qwertyuiop123", "a" * 129],
)
def test_refuses_a_common_or_weak_password(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


def test_seals_with_aes_256_and_a_nonce_of_its_own() -> None:
    key, key_id, bound_to = crypto.new_key(), uuid4(), b"cabinets_client.email"

    sealed = [crypto.seal(b"sophie@leclerc.example", key=key, key_id=key_id, bound_to=bound_to) for _ in range(2_000)]

    assert len(key) == 32
    assert len(set(sealed)) == 2_000
    # Version, key id, then the nonce of 96 bits.
    head = len(sealed[0]) - len(b"sophie@leclerc.example") - 16 - 12
    assert len({one[head : head + 12] for one in sealed}) == 2_000
    assert crypto.open_sealed(sealed[0], key=key, bound_to=bound_to) == b"sophie@leclerc.example"


def test_a_visitor_s_pages_set_no_cookie_a_script_could_read(db: None) -> None:
    answer = Visitor().get("/connexion/")

    assert {name: bool(cookie["httponly"]) for name, cookie in answer.cookies.items() if name != "csrftoken"} == {}
    assert settings.SESSION_COOKIE_HTTPONLY is True
