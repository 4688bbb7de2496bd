"""Accounts at payment providers: keys sealed and never mixed, tried in the background, in service when they may."""

import datetime as dt
import html
import json
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.conf import LazySettings

from cabinets.enums import Role, TransferBasis
from cabinets.errors import RightMissingError, UncoveredTransferError
from cabinets.models import Cabinet, JournalEntry, Membership, TransferRecord
from cabinets.scoping import working_for
from dunning.services.transfers import revoke
from payments import tasks
from payments.enums import Mode, PaymentMeans, Provider
from payments.errors import AccountError, ProviderError
from payments.models import ProviderAccount
from payments.providers.gocardless import GoCardlessProvider
from payments.providers.protocol import AccountFacts
from payments.services import provider_accounts as services
from payments.services import roads
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_cabinet, make_member

Browse = Callable[[Membership | None], FirmBrowser]
PAGE = "/parametres/encaissement/"
TEST_KEY, LIVE_KEY, WEBHOOK = "rk_test_51Abcdefgh", "sk_live_51Abcdefgh", "whsec_abcdefgh1234"


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Keep the trial from running, and remember what it was asked."""
    asked = Mock()
    monkeypatch.setattr(tasks.check_provider_account, "delay", asked)
    return asked


def keep(by: Membership, **facts: Any) -> ProviderAccount:
    given: dict[str, Any] = {
        "provider": "stripe",
        "mode": Mode.TEST,
        "means": [PaymentMeans.CARD],
        "secrets": {"secret_key": TEST_KEY, "webhook_secret": WEBHOOK},
    }
    return services.keep(**{**given, **facts}, by=by)


def tried(account: ProviderAccount, **facts: Any) -> ProviderAccount:
    ProviderAccount.objects.filter(pk=account.pk).update(**{"checked_at": NOW, **facts})
    account.refresh_from_db()
    return account


def cover_stripe(by: Membership) -> TransferRecord:
    record = TransferRecord(
        provider="stripe",
        country="US",
        basis=TransferBasis.DPF,
        reference="x",
        data_sent="x",
        assessed_on=dt.date(2026, 11, 2),
        recorded_by=by,
    )
    record.save(force_insert=True)
    return record


def test_knows_every_provider_of_the_tables() -> None:
    assert set(services.PROFILES) == set(Provider.values)
    assert all(profile.settings[0].is_asked_first for profile in services.PROFILES.values())


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.LAWYER, 403), (Role.ASSISTANT, 403), (Role.ACCOUNTANT, 403)],
)
@pytest.mark.parametrize("address", [PAGE, f"{PAGE}stripe/essai/", f"{PAGE}gocardless/reel/"])
def test_opens_to_those_who_manage_the_firm(
    cabinet: Cabinet, browse: Browse, role: Role, status: int, address: str
) -> None:
    assert browse(make_member(role=role)).get(address).status_code == status


@pytest.mark.parametrize("address", ["inconnu/essai/", "stripe/autre/"])
def test_knows_no_other_provider_nor_mode(cabinet: Cabinet, owner: Membership, browse: Browse, address: str) -> None:
    assert browse(owner).get(f"{PAGE}{address}").status_code == 404
    assert browse(owner).post(f"{PAGE}{address}service/").status_code == 404


def test_says_of_each_provider_what_it_proves_and_how_far_it_was_proven(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    page = text_of(browse(owner).get(PAGE))

    for profile in services.PROFILES.values():
        assert profile.label in page
        assert profile.proves.replace("\u00a0", " ") in page
        assert profile.proven in page
    assert ("documentation seule" in page, "client officiel + contrat officiel" in page) == (True, True)
    assert "Aucun prestataire, aucun contrat, aucun frais" in page


def test_keeps_keys_sealed_gives_the_address_to_declare_and_tries_them(
    cabinet: Cabinet, owner: Membership, browse: Browse, later: Mock, django_capture_on_commit_callbacks: Any
) -> None:
    browser = browse(owner)
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(f"{PAGE}stripe/essai/", {"secret_key": TEST_KEY, "means": ["card", "debit"]})

    kept = ProviderAccount.objects.get()
    assert answer.status_code == 302
    assert (kept.mode, kept.is_enabled, kept.means, later.call_args.args) == (
        Mode.TEST, False, ["card", "debit"], (str(kept.pk),),
    )  # fmt: skip
    hook = roads.notice_url(kept)
    token = hook.removeprefix("http://127.0.0.1:8000/retours/paiement/").removesuffix("/")
    assert (len(token) >= 43, bytes(kept.hook_hash)) == (True, roads.hook_digest(token))
    page = text_of(browser.get(PAGE))
    assert (hook in page, TEST_KEY in page, "Il manque le secret de signature" in page) == (True, False, True)
    assert TEST_KEY not in text_of(browser.get(f"{PAGE}stripe/essai/"))
    line = JournalEntry.objects.get(event="provider_account.changed")
    assert TEST_KEY not in json.dumps(line.facts)


def test_an_empty_key_keeps_the_one_known_and_the_address(cabinet: Cabinet, owner: Membership) -> None:
    before = tried(keep(owner), is_enabled=True)

    after = keep(owner, means=[PaymentMeans.DEBIT], secrets={"secret_key": "", "webhook_secret": ""})

    assert (after.pk, after.means, after.is_enabled, after.checked_at) == (before.pk, ["debit"], True, NOW)
    assert roads.notice_url(after) == roads.notice_url(before)
    assert json.loads(after.secrets)["secret_key"] == TEST_KEY


def test_another_key_takes_the_account_out_of_service_until_it_is_tried(cabinet: Cabinet, owner: Membership) -> None:
    tried(keep(owner), is_enabled=True, label="Cabinet Aubry", options={"means": ["card"]})

    after = keep(owner, secrets={"secret_key": "sk_test_another1"})

    assert (after.is_enabled, after.checked_at, after.label, after.options) == (False, None, "", {})


@pytest.mark.parametrize(
    ("mode", "provider", "secrets", "said"),
    [
        (Mode.TEST, "stripe", {"secret_key": LIVE_KEY}, "ne se mélangent pas"),
        (Mode.LIVE, "stripe", {"secret_key": TEST_KEY}, "ne se mélangent pas"),
        (Mode.LIVE, "payplug", {"secret_key": "sk_test_0123456789"}, "ne se mélangent pas"),
        (Mode.LIVE, "gocardless", {"access_token": "sandbox_0123456789"}, "ne se mélangent pas"),
        (Mode.LIVE, "stripe", {"secret_key": "pk_live_0123456789"}, "Ce n’est pas une clé"),
        (Mode.TEST, "stripe", {"secret_key": ""}, "Il manque la clé"),
    ],
)
def test_refuses_a_key_of_the_other_mode_or_of_nobody(
    cabinet: Cabinet, owner: Membership, mode: Mode, provider: str, secrets: Mapping[str, str], said: str
) -> None:
    means = services.PROFILES[provider].means
    with pytest.raises(AccountError, match=said):
        keep(owner, mode=mode, provider=provider, secrets=secrets, means=means)

    assert ProviderAccount.objects.count() == 0


@pytest.mark.parametrize("means", [[], [PaymentMeans.CARD]])
def test_offers_only_the_means_a_provider_has(cabinet: Cabinet, owner: Membership, means: list[PaymentMeans]) -> None:
    with pytest.raises(AccountError, match="au moins un moyen"):
        keep(owner, provider="gocardless", means=means, secrets={"access_token": "sandbox_0123456789"})

    assert ProviderAccount.objects.count() == 0


@pytest.mark.parametrize(("password", "status"), [("", 422), ("faux", 422), (PASSWORD, 302)])
def test_a_live_key_takes_the_person_s_password(
    cabinet: Cabinet, owner: Membership, browse: Browse, later: Mock, password: str, status: int
) -> None:
    given = {"secret_key": LIVE_KEY, "means": ["card"], "password": password}

    answer = browse(owner).post(f"{PAGE}stripe/reel/", given)

    assert (answer.status_code, ProviderAccount.objects.count()) == (status, int(status == 302))
    assert LIVE_KEY not in text_of(answer)


def test_other_means_of_a_live_account_take_no_password(
    cabinet: Cabinet, owner: Membership, browse: Browse, later: Mock
) -> None:
    keep(owner, mode=Mode.LIVE, secrets={"secret_key": LIVE_KEY})

    answer = browse(owner).post(f"{PAGE}stripe/reel/", {"means": ["debit"]})

    assert (answer.status_code, ProviderAccount.objects.get().means) == (302, ["debit"])


@pytest.mark.parametrize(
    ("provider", "field", "typed", "said"),
    [
        ("stripe", "secret_key", "pk_test_0123456789", "Ce n’est pas une clé secrète de Stripe"),
        ("payplug", "secret_key", "rk_test_0123456789", "Ce n’est pas une clé secrète de PayPlug"),
        ("gocardless", "access_token", "sk_test_0123456789", "Ce n’est pas un jeton de GoCardless"),
        ("stripe", "secret_key", "", "Indiquez"),
    ],
)
def test_says_which_field_is_no_key(
    cabinet: Cabinet, owner: Membership, browse: Browse, provider: str, field: str, typed: str, said: str
) -> None:
    means = [one.value for one in services.PROFILES[provider].means]

    answer = browse(owner).post(f"{PAGE}{provider}/essai/", {field: typed, "means": means})

    assert (answer.status_code, ProviderAccount.objects.count()) == (422, 0)
    assert said in text_of(answer)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"checked_at": None}, "n’a pas encore répondu"),
        ({"failure": "Clé refusée par PayPlug."}, "n’a pas encore répondu"),
        ({}, ""),
    ],
)
def test_goes_into_service_only_once_it_answered(
    cabinet: Cabinet, owner: Membership, browse: Browse, facts: dict[str, Any], said: str
) -> None:
    tried(keep(owner, provider="payplug", secrets={"secret_key": "sk_test_0123456789"}), **facts)

    browser, address = browse(owner), f"{PAGE}payplug/essai/service/"

    asked = browser.get(address)
    unproved = browser.post(address, {"vers": "service"})
    assert ("Mettre PayPlug en service ?" in text_of(asked), unproved.status_code) == (True, 422)
    assert ProviderAccount.objects.get().is_enabled is False
    answer = browser.post(address, {"current": PASSWORD}, follow=True)

    assert ProviderAccount.objects.get().is_enabled is (not said)
    assert said in text_of(answer)


def test_waits_for_the_secret_that_signs_its_notices(cabinet: Cabinet, owner: Membership) -> None:
    cover_stripe(owner)
    account = tried(keep(owner, secrets={"secret_key": TEST_KEY}))

    with pytest.raises(AccountError, match="secret de signature"):
        services.switch(account_id=account.pk, to=True, by=owner)

    assert ProviderAccount.objects.get().is_enabled is False


def test_stripe_waits_for_its_transfer_record_and_stops_with_it(cabinet: Cabinet, owner: Membership) -> None:
    """T66."""
    account = tried(keep(owner))
    with pytest.raises(UncoveredTransferError, match="hors de l’Union"):
        services.switch(account_id=account.pk, to=True, by=owner)
    record = cover_stripe(owner)

    assert services.switch(account_id=account.pk, to=True, by=owner).is_enabled
    assert [one.pk for one in revoke(record_id=record.pk, by=owner)] == [account.pk]
    assert ProviderAccount.objects.get().is_enabled is False


def test_one_mode_is_in_service_at_a_time(cabinet: Cabinet, owner: Membership) -> None:
    test = tried(keep(owner, provider="payplug", secrets={"secret_key": "sk_test_0123456789"}))
    live = tried(keep(owner, provider="payplug", mode=Mode.LIVE, secrets={"secret_key": "sk_live_0123456789"}))
    services.switch(account_id=test.pk, to=True, by=owner)

    services.switch(account_id=live.pk, to=True, by=owner)

    assert {means: row.pk for means, row in roads.offers(cabinet).items()} == {PaymentMeans.CARD: live.pk}


def test_only_who_manages_the_firm_changes_or_switches(cabinet: Cabinet, owner: Membership) -> None:
    account, lawyer = tried(keep(owner)), make_member(role=Role.LAWYER)

    with pytest.raises(RightMissingError):
        keep(lawyer)
    with pytest.raises(RightMissingError):
        services.switch(account_id=account.pk, to=True, by=lawyer)


def test_a_new_signing_secret_leaves_the_former_good_for_three_days(cabinet: Cabinet, owner: Membership) -> None:
    keep(owner)
    keep(owner, secrets={"webhook_secret": "whsec_another12345"})
    keys = json.loads(ProviderAccount.objects.get().secrets)

    with time_machine.travel(NOW + dt.timedelta(days=3, seconds=-1), tick=False):
        assert services._webhook_secrets(keys) == ["whsec_another12345", WEBHOOK]
    with time_machine.travel(NOW + dt.timedelta(days=3, seconds=1), tick=False):
        assert services._webhook_secrets(keys) == ["whsec_another12345"]


class Trial:
    """A provider that answers a connection test, or refuses it."""

    def __init__(self, answer: AccountFacts | ProviderError) -> None:
        self.answer = answer

    def check(self) -> AccountFacts:
        if isinstance(self.answer, ProviderError):
            raise self.answer
        return self.answer


FACTS = AccountFacts(
    label="Cabinet Aubry", is_live=False, means=frozenset({PaymentMeans.CARD}), warnings=("Rien n’est encore viré.",)
)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("answer", "label", "failure"),
    [
        (FACTS, "Cabinet Aubry", ""),
        (ProviderError("Clé refusée par Stripe.", is_refusal=True), "", "Clé refusée par Stripe."),
    ],
    ids=["answers", "refuses"],
)
def test_the_trial_writes_what_was_answered(
    monkeypatch: pytest.MonkeyPatch, browse: Browse, answer: AccountFacts | ProviderError, label: str, failure: str
) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER)
        account = keep(owner, means=[PaymentMeans.CARD, PaymentMeans.DEBIT])
    monkeypatch.setattr(services, "client_of", lambda _: Trial(answer))

    tasks.check_provider_account(str(account.pk))

    with working_for(cabinet_id=firm.pk):
        kept = ProviderAccount.objects.get()
        assert (kept.label, kept.failure, kept.checked_at) == (label, failure, NOW)
    page = text_of(browse(owner).get(PAGE))
    assert (failure or "Rien n’est encore viré.") in page
    assert ("pas ouvert chez Stripe : Prélèvement" in page) is (not failure)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_a_demonstration_calls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    firm = make_cabinet(is_demo=True)
    with working_for(cabinet_id=firm.pk):
        account = keep(make_member(role=Role.OWNER))
    trial = Mock()
    monkeypatch.setattr(services, "client_of", lambda _: trial)

    services.check(account_id=account.pk)

    with working_for(cabinet_id=firm.pk):
        assert (ProviderAccount.objects.get().failure, trial.check.call_count) == (services.DEMO, 0)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_a_trial_says_nothing_of_keys_kept_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER)
        account = keep(owner)

    class Slow(Trial):
        def check(self) -> AccountFacts:
            with working_for(cabinet_id=firm.pk):
                keep(owner, secrets={"secret_key": "sk_test_another1"})
            return super().check()

    monkeypatch.setattr(services, "client_of", lambda _: Slow(FACTS))

    services.check(account_id=account.pk)

    with working_for(cabinet_id=firm.pk):
        assert ProviderAccount.objects.get().checked_at is None


def test_speaks_to_each_provider_with_its_keys(cabinet: Cabinet, owner: Membership, settings: LazySettings) -> None:
    settings.PAYMENT_BASE_URLS = {"gocardless": "http://127.0.0.1:9"}
    stripe = keep(owner)
    gocardless = keep(
        owner, provider="gocardless", means=[PaymentMeans.DEBIT], secrets={"access_token": "sandbox_0123456789"}
    )

    assert [services.client_of(one).slug for one in (stripe, gocardless)] == ["stripe", "gocardless"]
    with pytest.raises(ProviderError, match="ne prélève pas par mandat"):
        roads.collector_of(stripe)
    assert isinstance(roads.collector_of(gocardless), GoCardlessProvider)
    with pytest.raises(ProviderError, match="GoCardless n’a pas répondu"):
        services.client_of(gocardless).check()


def test_the_page_costs_the_same_whatever_is_set(
    cabinet: Cabinet, owner: Membership, browse: Browse, django_assert_max_num_queries: Any
) -> None:
    browser = browse(owner)
    with django_assert_max_num_queries(100) as empty:
        browser.get(PAGE)
    for provider, mode, key in (
        ("stripe", Mode.TEST, TEST_KEY),
        ("stripe", Mode.LIVE, LIVE_KEY),
        ("payplug", Mode.TEST, "sk_test_0123456789"),
        ("payplug", Mode.LIVE, "sk_live_0123456789"),
    ):
        keep(owner, provider=provider, mode=mode, secrets={"secret_key": key})

    with django_assert_max_num_queries(len(empty.captured_queries)):
        browser.get(PAGE)
