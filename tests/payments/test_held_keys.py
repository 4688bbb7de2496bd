"""Another live key for clients to pay by waits a day beside the one that serves, and every partner is told."""

import datetime as dt
import html
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.core import mail
from pytest_django.fixtures import Settings

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from cabinets.tasks import sweep_account_mails
from payments import tasks
from payments.enums import Mode, PaymentMeans
from payments.errors import AccountError, ProviderError
from payments.models import ProviderAccount
from payments.providers.protocol import AccountFacts
from payments.services import held_keys
from payments.services import provider_accounts as services
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_cabinet, make_member

Browse = Callable[[Membership | None], FirmBrowser]
PAGE = "/parametres/encaissement/"
OURS, THEIRS = "sk_live_0123456789", "sk_live_9876543210"
DAY, SECOND = dt.timedelta(hours=24), dt.timedelta(seconds=1)


def keep(by: Membership, key: str, *, provider: str = "payplug", mode: Mode = Mode.LIVE) -> ProviderAccount:
    profile = services.PROFILES[provider]
    means, name = profile.means[:1], profile.settings[0].name
    return services.keep(provider=provider, mode=mode, means=means, secrets={name: key}, by=by)


def served(by: Membership) -> ProviderAccount:
    """Put the firm's first live key in service."""
    account = keep(by, OURS)
    ProviderAccount.objects.filter(pk=account.pk).update(checked_at=NOW, label="Cabinet Aubry")
    return services.switch(account_id=account.pk, to=True, by=by)


def key_of(account: ProviderAccount) -> str | None:
    found: str | None = json.loads(ProviderAccount.objects.get(pk=account.pk).secrets).get("secret_key")
    return found


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Keep the trial from running, and remember what it was asked."""
    asked = Mock()
    monkeypatch.setattr(tasks.check_provider_account, "delay", asked)
    return asked


def test_the_first_live_key_waits_for_nothing(cabinet: Cabinet, owner: Membership) -> None:
    first = keep(owner, THEIRS)
    corrected = keep(owner, OURS)
    account = served(owner)

    assert (first.pk, corrected.pk, held_keys.of(corrected)) == (account.pk, account.pk, None)
    assert (key_of(account), account.is_enabled) == (OURS, True)


def test_another_live_key_waits_a_day_beside_the_one_that_serves(cabinet: Cabinet, owner: Membership) -> None:
    account = served(owner)

    kept = keep(owner, THEIRS)

    held = held_keys.of(kept)
    assert held is not None
    assert (held.keys, held.until, held.by) == ({"secret_key": THEIRS}, NOW + DAY, str(owner.user))
    assert (kept.is_enabled, kept.checked_at, kept.label, key_of(account)) == (True, NOW, "Cabinet Aubry", OURS)
    assert JournalEntry.objects.filter(event="provider_account.key_held").count() == 1
    with time_machine.travel(NOW + DAY - SECOND, tick=False):
        with pytest.raises(AccountError, match="fini d’attendre"):
            services.take(account_id=account.pk, by=owner)
        assert (key_of(account), ProviderAccount.objects.get().is_enabled) == (OURS, True)
    with time_machine.travel(NOW + DAY, tick=False):
        taken = services.take(account_id=account.pk, by=owner)
    assert (key_of(account), held_keys.of(taken)) == (THEIRS, None)
    assert (taken.is_enabled, taken.checked_at, taken.label) == (False, None, "")


def test_a_test_key_and_a_key_already_known_wait_for_nothing(cabinet: Cabinet, owner: Membership) -> None:
    served(owner)

    again, test = keep(owner, OURS), keep(owner, "sk_test_0123456789", mode=Mode.TEST)

    assert (held_keys.of(again), held_keys.of(test), again.is_enabled) == (None, None, True)


def test_neither_another_provider_nor_a_stop_first_goes_round_the_wait(cabinet: Cabinet, owner: Membership) -> None:
    account = served(owner)
    services.switch(account_id=account.pk, to=False, by=owner)

    same, other = keep(owner, THEIRS), keep(owner, "live_abcdefghijklmnop", provider="gocardless")

    assert [held is not None for held in (held_keys.of(same), held_keys.of(other))] == [True, True]
    assert key_of(account) == OURS
    assert "access_token" not in held_keys.without(other)
    with pytest.raises(AccountError, match="pas encore répondu"):
        services.switch(account_id=other.pk, to=True, by=owner)


def test_what_is_typed_meanwhile_joins_the_key_that_waits_and_another_key_starts_its_day(
    cabinet: Cabinet, owner: Membership
) -> None:
    served(owner)
    means, secret = [PaymentMeans.DEBIT], {"access_token": "", "webhook_secret": "secret-signature-1"}
    keep(owner, "live_abcdefghijklmnop", provider="gocardless")
    with time_machine.travel(NOW + DAY / 2, tick=False):
        one = services.keep(provider="gocardless", mode=Mode.LIVE, means=means, secrets=secret, by=owner)
        joined = held_keys.of(one)
        restarted = held_keys.of(keep(owner, "live_zyxwvutsrqponmlk", provider="gocardless"))

    assert (joined and joined.keys, joined and joined.until) == (
        {"access_token": "live_abcdefghijklmnop", "webhook_secret": "secret-signature-1"}, NOW + DAY,
    )  # fmt: skip
    assert (restarted and restarted.keys, restarted and restarted.until) == (
        {"access_token": "live_zyxwvutsrqponmlk"}, NOW + DAY * 3 / 2,
    )  # fmt: skip


def test_the_page_says_what_waits_and_a_partner_refuses_it(
    cabinet: Cabinet, owner: Membership, browse: Browse, later: Mock
) -> None:
    account = served(owner)
    admin, partner = browse(make_member(role=Role.ADMIN)), browse(make_member(role=Role.OWNER))
    form = {"secret_key": THEIRS, "means": ["card"], "password": PASSWORD}

    saved = text_of(admin.post(f"{PAGE}payplug/reel/", form, follow=True))
    early = text_of(admin.post(f"{PAGE}payplug/reel/cle/", {"vers": "prendre"}, follow=True))

    assert "cette clé attend vingt-quatre heures" in saved
    assert "elle ne sert pas avant le 25 novembre 2026 à 10 h 30" in saved
    assert ("Refuser cette clé" in saved, "Prendre cette clé" in saved, THEIRS in saved) == (True, False, False)
    assert "fini d’attendre" in early
    assert "La clé est refusée" in text_of(partner.post(f"{PAGE}payplug/reel/cle/", {"vers": "refus"}, follow=True))
    assert (held_keys.of(ProviderAccount.objects.get()), key_of(account)) == (None, OURS)
    assert ProviderAccount.objects.get().is_enabled
    assert "n’attend plus" in text_of(partner.post(f"{PAGE}payplug/reel/cle/", {"vers": "refus"}, follow=True))


def test_a_key_whose_day_is_over_is_taken_tried_and_put_in_service_by_a_person(
    cabinet: Cabinet, owner: Membership, browse: Browse, later: Mock, django_capture_on_commit_callbacks: Any
) -> None:
    account = served(owner)
    with time_machine.travel(NOW - DAY, tick=False):
        keep(owner, THEIRS)
    browser = browse(owner)
    later.reset_mock()

    shown = text_of(browser.get(PAGE))
    with django_capture_on_commit_callbacks(execute=True):
        taken = text_of(browser.post(f"{PAGE}payplug/reel/cle/", {"vers": "prendre"}, follow=True))

    assert ("Prendre cette clé" in shown, "mettez ensuite le compte en service" in taken) == (True, True)
    assert (key_of(account), later.call_args.args) == (THEIRS, (str(account.pk),))


class Trial:
    """A provider that answers a connection test, or refuses it."""

    def __init__(self, answer: AccountFacts | ProviderError) -> None:
        self.answer = answer

    def check(self) -> AccountFacts:
        if isinstance(self.answer, ProviderError):
            raise self.answer
        return self.answer


@pytest.fixture
def firm(committed: None, settings: Settings) -> Cabinet:
    settings.EMAIL_HOST = "smtp.quittance.example"
    return make_cabinet()


@pytest.mark.committed
@pytest.mark.parametrize(
    ("answer", "label", "failure"),
    [
        (AccountFacts(label="Autre", is_live=True, means=frozenset(), warnings=()), "Autre", ""),
        (ProviderError("Clé refusée par PayPlug.", is_refusal=True), "", "Clé refusée par PayPlug."),
    ],
    ids=["answers", "refuses"],
)
def test_the_key_that_waits_is_tried_and_nothing_else_moves(
    firm: Cabinet, monkeypatch: pytest.MonkeyPatch, answer: AccountFacts | ProviderError, label: str, failure: str
) -> None:
    with working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER)
        account = served(owner)
        keep(owner, THEIRS)
    tried: list[str] = []

    def client_of(one: ProviderAccount) -> Trial:
        tried.append(json.loads(one.secrets)["secret_key"])
        return Trial(answer)

    monkeypatch.setattr(services, "client_of", client_of)
    tasks.check_provider_account(str(account.pk))

    with working_for(cabinet_id=firm.pk):
        now = ProviderAccount.objects.get()
        held = held_keys.of(now)
        assert held is not None
        assert (tried, held.label, held.failure, held.keys["secret_key"]) == ([THEIRS], label, failure, THEIRS)
        assert (now.is_enabled, now.label, now.failure, key_of(now)) == (True, "Cabinet Aubry", "", OURS)


@pytest.mark.committed
def test_every_partner_is_told_of_another_live_key_and_of_a_live_account_in_service(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        claire, paul, admin = (make_member(role=role) for role in (Role.OWNER, Role.OWNER, Role.ADMIN))
    with working_for(cabinet_id=firm.pk, member_id=admin.pk):
        account = keep(admin, OURS)
        ProviderAccount.objects.update(checked_at=NOW)
    sweep_account_mails()
    first = [(message.to, message.body) for message in mail.outbox]
    with working_for(cabinet_id=firm.pk, member_id=admin.pk):
        services.switch(account_id=account.pk, to=True, by=admin)
    sweep_account_mails()
    in_service = [message.body for message in mail.outbox[2:]]
    with working_for(cabinet_id=firm.pk, member_id=admin.pk):
        keep(admin, THEIRS)
        services.switch(account_id=account.pk, to=False, by=admin)
        Membership.objects.filter(pk=paul.pk).update(is_active=False)
    sweep_account_mails()
    held = {message.to[0]: message.body for message in mail.outbox[4:]}

    assert sorted(to for to, _ in first) == sorted([[claire.user.email], [paul.user.email]])
    assert f"{admin.user} a enregistré une autre clé PayPlug" in first[0][1]
    assert "Elle ne sert qu’une fois essayée" in first[0][1]
    assert len(in_service) == 2
    assert f"{admin.user} a mis en service le compte réel PayPlug du cabinet ({firm.name})" in in_service[0]
    assert set(held) == {claire.user.email, paul.user.email}
    assert "Elle attend jusqu’au 25 novembre 2026 à 10\u00a0h\u00a030" in held[claire.user.email]
    assert "Refusez cette clé ici" in held[claire.user.email]
    assert ("/parametres/encaissement/" in held[paul.user.email], "chacun peut encore" in held[paul.user.email]) == (
        False, True,
    )  # fmt: skip
    assert THEIRS not in str(held)


@pytest.mark.committed
def test_a_test_account_is_told_to_nobody(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER)
        account = keep(owner, "sk_test_0123456789", mode=Mode.TEST)
        ProviderAccount.objects.update(checked_at=NOW)
        services.switch(account_id=account.pk, to=True, by=owner)

    sweep_account_mails()

    assert mail.outbox == []
