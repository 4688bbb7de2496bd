"""What opens something is sealed in its table, and never comes back in a page."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.sealing import SealedTextField
from dunning.models import ChannelAccount, Mailbox, MailServer, SendingDomain
from dunning.services import letter_accounts, sms_accounts
from payments.enums import Mode, Provider
from payments.models import ProviderAccount
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member

CANARY = "CANARISECRET42"
NAMED = re.compile(
    r"secret|passw|mot_de_passe|token|seed|graine|private|credential|api_?key|session_key|otp|pin\b|signature_key", re.I
)
# What is named like a secret and is not kept sealed as a text, and why.
NOT_SEALED = {
    "cabinets.User.password": "a slow hash",
    "cabinets.TotpDevice.seed": "wrapped by the key holder, bound to its person (tests/cabinets/test_totp.py)",
    "cabinets.Invitation.token_hash": "a hash",
    "cabinets.PasskeyDevice.credential_id": "the public name of a key: it opens nothing without the authenticator",
    "cabinets.PasskeyDevice.credential_hash": "a hash of that name",
    "payments.PaymentLink.token_hash": "a hash",
    "otp_static.StaticToken.token": "a slow hash (second_factor.hashed)",
    "cabinets.Session.session_key": "names a session that ends with its day; a second look is asked for dangerous acts",
    "sessions.Session.session_key": "Django's own table, not used",
    "dunning.Mailbox.takes_tokens": "a yes or no",
}
# Where what a firm is told in confidence by a provider is kept.
SEALED = {
    "dunning.MailServer.password", "dunning.Mailbox.password", "dunning.ChannelAccount.secrets",
    "dunning.SendingDomain.private_key", "dunning.SendingDomain.spare_private_key", "payments.ProviderAccount.secrets",
}  # fmt: skip


def secret_fields() -> Iterator[models.Field]:  # type: ignore[type-arg]
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if NAMED.search(field.name) and not field.is_relation:
                yield field


def test_every_secret_is_a_sealed_column_or_says_why_it_is_not() -> None:
    found = {f"{field.model._meta.label}.{field.name}": isinstance(field, SealedTextField) for field in secret_fields()}

    assert {name for name, is_sealed in found.items() if is_sealed} == SEALED
    assert {name for name, is_sealed in found.items() if not is_sealed} == set(NOT_SEALED)


def test_no_list_of_options_has_the_name_of_a_secret() -> None:
    """What is kept in clear beside the secrets of a provider is its profile's options."""
    sms = {name for profile in sms_accounts.PROFILES.values() for name, _ in profile.options}
    letters = {field.name for one in letter_accounts.PROFILES.values() for field in one.fields if not field.is_secret}

    assert {name for name in sms | letters if NAMED.search(name)} == set()


@pytest.fixture
def cabinet(committed: None) -> Iterator[Cabinet]:
    firm = make_cabinet()
    with acting_for(cabinet_id=firm.pk), tenant_atomic():
        yield firm


def plant() -> None:
    """Give the firm each of its secrets, every one with the canary in it."""
    MailServer(host="smtp.example", port=587, security="tls", username="u", sender="a@b.example", password=CANARY).save(
        force_insert=True
    )
    Mailbox(host="imap.example", port=993, username="u", password=CANARY).save(force_insert=True)
    SendingDomain(
        domain="envoi.aubry.example",
        selector="q1",
        asked_at=NOW,
        next_check_at=NOW,
        private_key=CANARY,
        public_key="p",
        spare_private_key=CANARY,
    ).save(force_insert=True)
    for provider in Provider.values:
        for mode in (Mode.TEST, Mode.LIVE):
            secrets = {name: f"{CANARY}{name}" for name in ("secret_key", "webhook_secret", "access_token")}
            ProviderAccount(
                provider=provider, mode=mode, label="Compte", means=[], hook_hash=f"{provider}{mode}".encode(),
                secrets=json.dumps(secrets),
            ).save(force_insert=True)  # fmt: skip
    for medium, provider, names in CHANNELS:
        ChannelAccount(
            medium=medium, provider=provider, sender="Aubry", secrets=json.dumps(dict.fromkeys(names, CANARY))
        ).save(force_insert=True)


SETTINGS = ("/parametres/", "/profil/", "/rgpd/", "/demarrage/", "/tableau-de-bord/", "/taches/")
CHANNELS = [
    *(("sms", slug, [name for name, _ in one.secrets]) for slug, one in sms_accounts.PROFILES.items()),
    *(
        ("letter", slug, [field.name for field in one.fields if field.is_secret])
        for slug, one in letter_accounts.PROFILES.items()
    ),
]
CHANNEL_PAGES = {"sms": "/parametres/sms/", "letter": "/parametres/courrier/"}


def plain_pages(patterns: list[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    """Give every address that takes no parameter."""
    for one in patterns:
        path = above + str(one.pattern).lstrip("^").removesuffix("$")
        if isinstance(one, URLResolver):
            yield from plain_pages(one.url_patterns, path)
        elif not re.search(r"[<(\\]", path):
            yield f"/{path}"


def test_no_page_gives_a_secret_back(cabinet: Cabinet, browse: Callable[..., FirmBrowser]) -> None:
    plant()
    browser = browse(make_member())
    waiting = sorted(page for page in plain_pages(get_resolver().url_patterns) if page.startswith(SETTINGS))
    seen: dict[str, int] = {}
    sang = []
    while waiting and len(seen) < 400:
        page = waiting.pop(0)
        if page in seen:
            continue
        answer = browser.get(page)
        seen[page] = answer.status_code
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        if CANARY.encode() in body or CANARY in str(answer.headers):
            sang.append(page)
        links = re.findall(r'href="(/(?:parametres|profil|rgpd)/[^"#?]*)"', body.decode(errors="replace"))
        waiting += [link for link in links if link not in seen and not link.endswith((".zip", ".pdf"))]

    assert sang == []
    shown = {page for page, status in seen.items() if status == 200}
    channels = {f"{CHANNEL_PAGES[medium]}{slug}/" for medium, slug, _ in CHANNELS}
    assert {"/parametres/serveur/", "/parametres/boite/", "/parametres/encaissement/stripe/reel/"} <= shown
    assert channels | {"/parametres/delivrabilite/"} <= shown


def test_a_form_that_is_refused_does_not_give_back_the_secret_that_was_typed(
    cabinet: Cabinet, browse: Callable[..., FirmBrowser]
) -> None:
    typed = [
        ("/parametres/serveur/", "new_password"),
        ("/parametres/boite/", "new_password"),
        ("/parametres/encaissement/stripe/reel/", "secret_key"),
        ("/parametres/encaissement/gocardless/reel/", "access_token"),
        ("/profil/securite/mot-de-passe/", "old_password"),
        *((f"{CHANNEL_PAGES[medium]}{slug}/", name) for medium, slug, names in CHANNELS for name in names),
    ]
    browser = browse(make_member())

    answers = {(page, field): browser.post(page, {field: f"{CANARY} "}) for page, field in typed}

    assert {answer.status_code for answer in answers.values()} <= {200, 302, 422}
    assert [place for place, answer in answers.items() if CANARY in answer.content.decode()] == []
