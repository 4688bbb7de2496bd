"""Every dangerous act asks the password again: a wrong one does nothing and is a try, and five tries shut the door."""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import resolve, reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from cabinets.dangerous import ACTS, Act
from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership, PasskeyDevice, SupportRequest
from cabinets.services import bank_account
from gdpr.enums import Claim, CopyState, IdentityProof, RequestOrigin
from gdpr.models import FirmCopy
from gdpr.services import requests as rights
from invoices.sealed_files import write_sealed
from payments.enums import Mode, PaymentMeans
from payments.models import ProviderAccount
from payments.services import provider_accounts
from tests.architecture.test_urls import PATTERNS
from tests.cabinets.authenticator import Authenticator
from tests.cabinets.test_firm import OTHER_IBAN, values_of
from tests.cabinets.test_passkeys import HERE, TODAY, given
from tests.conftest import FirmBrowser
from tests.factories.cabinets import PASSWORD, make_client, make_member

Browse = Callable[..., FirmBrowser]
WRONG, LOCKED = "pas votre mot de passe actuel", "Trop d’essais"
# What a refused act may write: its line in the journal, and the try counted on the session's own row.
UNCOUNTED = {"cabinets_journalentry", "cabinets_session", "django_migrations"}


@dataclass(frozen=True)
class Case:
    """Where an act is performed, and what is sent beside the password."""

    url: str
    data: dict[str, Any]


def passkey_remove(owner: Membership) -> Case:
    given(owner.user)
    return Case(reverse("passkey_remove", args=[PasskeyDevice.objects.get().pk]), {})


def remove_application(owner: Membership) -> Case:
    given(owner.user)
    return Case(reverse("remove_application"), {})


def iban_confirm(owner: Membership) -> Case:
    other = make_member(role=Role.OWNER)
    change = bank_account.propose(by=other, iban="FR1420041010050500013M02606", bic="", account_holder="")
    return Case(reverse("iban_confirm", args=[change.pk]), {})


def rights_erase(owner: Membership) -> Case:
    client = make_client()
    row = rights.record(
        by=owner, client=client, claim=Claim.ERASURE, origin=RequestOrigin.EMAIL, received_on=TODAY, words="svp"
    )
    rights.identify(request_id=row.pk, by=owner, proof=IdentityProof.MET)
    return Case(reverse("rights_erase", args=[row.pk]), {"certain": "oui"})


def support_grant(_: Membership) -> Case:
    asked = SupportRequest(operator_id=uuid4(), operator_name="Ada", reason="Un écart", asked_at=timezone.now())
    asked.save(force_insert=True)
    return Case(reverse("support_grant", args=[asked.pk]), {"minutes": "15"})


def payment_account_switch(owner: Membership) -> Case:
    keys = {"secret_key": "sk_live_" + "a" * 24}
    provider_accounts.keep(provider="payplug", mode=Mode.LIVE, means=[PaymentMeans.CARD], secrets=keys, by=owner)
    ProviderAccount.objects.update(checked_at=timezone.now())
    return Case(reverse("payment_account_switch", args=["payplug", "reel"]), {})


def deactivate_member(_: Membership) -> Case:
    return Case(reverse("deactivate_member", args=[make_member(role=Role.OWNER).pk]), {})


def reactivate_member(_: Membership) -> Case:
    gone = make_member(role=Role.OWNER, is_active=False)
    return Case(reverse("reactivate_member", args=[gone.pk]), {})


def firm_download(owner: Membership) -> Case:
    copy = FirmCopy(asked_by=owner, asked_at=timezone.now(), state=CopyState.READY, made_at=timezone.now())
    stored = write_sealed(io.BytesIO(b"PK"), folder="reversibilite", bound_to=copy.bound_to("archive"))
    copy.stored_as, copy.size, copy.digest = stored.stored_as, stored.size, stored.sha256
    copy.save(force_insert=True)
    return Case(reverse("firm_download", args=[copy.pk]), {})


def firm(owner: Membership, **changes: str) -> Case:
    return Case(reverse("firm"), values_of(Cabinet.objects.get(), **changes))


MAIL = {"host": "mail.cabinet.example", "port": "587", "security": "starttls", "username": "x", "new_password": "y"}
SMS = {"sender": "CabAubry", "service": "1", "application_key": "k", "application_secret": "s", "consumer_key": "c"}
AR24 = {"token": "jeton", "private_key": "cle", "user_id": "51"}
STRIPE = {"secret_key": "sk_live_" + "a" * 24, "means": ["card"]}
CASES: list[tuple[str, Callable[[Membership], Case]]] = [
    ("password_change", lambda _: Case(reverse("password_change"), {"password": "lampe-verger-cuivre-nuage"})),
    ("passkey_add", lambda _: Case(reverse("passkey_add"), {})),
    ("passkey_remove", passkey_remove),
    ("change_application", lambda _: Case(reverse("change_application"), {})),
    ("remove_application", remove_application),
    ("renew_codes", lambda _: Case(reverse("renew_codes"), {})),
    ("firm", lambda owner: firm(owner, iban=OTHER_IBAN)),
    ("firm", lambda owner: firm(owner, bic="BNPAFRPP")),
    ("firm", lambda owner: firm(owner, account_holder="Quelqu’un d’autre")),
    ("iban_confirm", iban_confirm),
    ("team", lambda _: Case(reverse("team"), {"email": "deux@cabinet.example", "role": "owner"})),
    ("member", lambda _: Case(reverse("member", args=[make_member(role=Role.LAWYER).pk]), {"role": "owner"})),
    ("payment_account", lambda _: Case(reverse("payment_account", args=["stripe", "reel"]), STRIPE)),
    ("payment_account_switch", payment_account_switch),
    ("sms_account", lambda _: Case(reverse("sms_account", args=["ovh_sms"]), SMS)),
    ("letter_account", lambda _: Case(reverse("letter_account", args=["ar24"]), AR24)),
    ("mail_server", lambda _: Case(reverse("mail_server"), {**MAIL, "sender": "factures@cabinet.example"})),
    ("mailbox", lambda _: Case(reverse("mailbox"), {**MAIL, "folder": "INBOX", "security": "tls"})),
    ("firm_export", lambda _: Case(reverse("firm_export"), {})),
    ("deactivate_member", deactivate_member),
    ("reactivate_member", reactivate_member),
    ("firm_download", firm_download),
    ("firm_close", lambda _: Case(reverse("firm_close"), {"name": Cabinet.objects.get().name})),
    ("rights_erase", rights_erase),
    ("support_grant", support_grant),
]
EACH = pytest.mark.parametrize(("name", "make"), CASES, ids=[f"{at}-{row[0]}" for at, row in enumerate(CASES)])
BY_NAME: dict[str, Act] = {act.address: act for act in ACTS}


@pytest.fixture(autouse=True)
def _no_try_survives(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.SITE_URL = "https://quittance.test"
    cache.clear()
    yield
    cache.clear()


def fingerprint() -> dict[str, str]:
    """Return what every table the firm sees holds, those of no firm included."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names()) - UNCOUNTED):
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
            if cursor.fetchone()[0]:
                cursor.execute(f"SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM {table} t")
                found[table] = hashlib.sha256(str(cursor.fetchone()[0]).encode()).hexdigest()
    return found


def test_walks_every_declared_act() -> None:
    assert {name for name, _ in CASES} == set(BY_NAME)


def test_declares_addresses_that_exist() -> None:
    names = {entry.name for _, entry in PATTERNS}

    assert sorted(set(BY_NAME) - names) == []


@EACH
def test_a_wrong_password_does_nothing_and_is_noted(
    owner: Membership, browse: Browse, name: str, make: Callable[[Membership], Case]
) -> None:
    case, field = make(owner), BY_NAME[name].field
    browser = browse(owner)
    before = fingerprint()

    unsaid = browser.post(case.url, {**case.data, "sent": "yes"})
    refused = browser.post(case.url, {**case.data, field: "faux"})

    assert resolve(case.url).url_name == name
    assert (unsaid.status_code, refused.status_code) == (422, 422)
    assert (WRONG in unsaid.content.decode(), WRONG in refused.content.decode()) == (False, True)
    assert "faux" not in refused.content.decode()
    assert fingerprint() == before
    assert JournalEntry.objects.filter(event="password.refused", member_id=owner.pk).count() == 1


@EACH
def test_the_sixth_try_is_not_read_even_right(
    owner: Membership, browse: Browse, name: str, make: Callable[[Membership], Case]
) -> None:
    case, field = make(owner), BY_NAME[name].field
    browser = browse(owner)
    before = fingerprint()
    for _ in range(5):
        assert WRONG in browser.post(case.url, {**case.data, field: "faux"}).content.decode()

    locked = browser.post(case.url, {**case.data, field: PASSWORD})
    signing_in = browse().post("/connexion/", {"email": owner.user.email, "password": PASSWORD})

    assert (locked.status_code, LOCKED in locked.content.decode()) == (422, True)
    assert fingerprint() == before
    assert JournalEntry.objects.filter(event="password.refused").count() == 5
    assert JournalEntry.objects.filter(event="password.throttled").count() == 1
    # The tries are those of the sign-in: neither door gives five more.
    assert (signing_in.status_code, "réessayez dans" in signing_in.content.decode()) == (422, True)


@EACH
def test_the_right_password_opens_and_gives_the_tries_back(
    owner: Membership, browse: Browse, name: str, make: Callable[[Membership], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, field = make(owner), BY_NAME[name].field
    browser = browse(owner)
    for _ in range(4):
        browser.post(case.url, {**case.data, field: "faux"})

    done = browser.post(case.url, {**case.data, field: PASSWORD})

    assert done.status_code in (200, 302)
    assert JournalEntry.objects.filter(event="password.refused").count() == 4
    after = browse().post("/connexion/", {"email": owner.user.email, "password": "faux"})
    assert "ne vont pas ensemble" in after.content.decode()


def test_an_authenticator_alone_adds_no_passkey(owner: Membership, browse: Browse) -> None:
    """The page of the key is behind the page of the password: an answer sent without it is not looked at."""
    browser = browse(owner)

    refused = browser.post(reverse("passkey_add"), {"name": "x", "passkey": Authenticator().create('{"challenge":""}')})

    assert (refused.status_code, PasskeyDevice.objects.count(), HERE != "") == (422, 0, True)
