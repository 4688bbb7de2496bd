"""The firm's pages of online payments: one payment, the announcements, the setting, the task that ends there."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.models import Cabinet, Client, Membership, Task
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from payments.enums import CheckoutState, Mode, NoticeState
from payments.models import Checkout, CheckoutLine, Payment, ProviderAccount, ProviderNotice
from payments.providers.protocol import Snapshot, Stage
from payments.services import applying, reading_online
from payments.services.links import link_for
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_member
from tests.factories.payments import make_payment
from tests.payments.test_portal import read

Browse = Callable[[Membership | None], FirmBrowser]
ANNOUNCEMENTS = "/parametres/encaissement/annonces/"


@pytest.fixture
def account(cabinet: Cabinet) -> ProviderAccount:
    row = ProviderAccount(provider="stripe", mode=Mode.LIVE, is_enabled=True, means=["card"], hook_hash=b"hook")
    row.save(force_insert=True)
    return row


@pytest.fixture
def checkout(account: ProviderAccount, invoice: Invoice) -> Checkout:
    """Return a checkout of the invoice, its page open."""
    client = Client.objects.get(pk=invoice.client_id)
    row = Checkout(
        account=account, link=link_for(client=client), client=client, means="card", cents=144_000, ref="cs_1"
    )
    row.state = CheckoutState.OPEN
    row.save(force_insert=True)
    CheckoutLine(checkout=row, invoice=invoice, cents=144_000).save(force_insert=True)
    return row


def say(checkout: Checkout, stage: Stage, **facts: int) -> Payment:
    snapshot = Snapshot(ref="cs_1", stage=stage, cents=144_000, payment_ref="pi_1", **facts)  # type: ignore[arg-type]
    applying.apply(checkout_id=checkout.pk, snapshot=snapshot, asked_at=timezone.now())
    checkout.refresh_from_db()
    assert checkout.payment is not None
    return checkout.payment


def make_notice(account: ProviderAccount, number: int, **facts: object) -> ProviderNotice:
    row = ProviderNotice(
        **{
            "account": account,
            "event_id": f"evt_{number}",
            "kind": "checkout.session.completed",
            "received_at": NOW - dt.timedelta(minutes=number),
            **facts,
        }
    )
    row.save(force_insert=True)
    return row


def test_shows_a_payment_with_its_provider_and_its_story(checkout: Checkout, owner: Membership, browse: Browse) -> None:
    payment = say(checkout, Stage.SETTLED)

    said = read(browse(owner).get(f"/paiements/{payment.pk}/"))

    for words in ("Encaissé", "Carte", "F-2026-0412", "Stripe", "cs_1", "pi_1", "Paiement en ligne encaissé"):
        assert words in said
    assert "Annuler le paiement" not in said
    assert f"/paiements/{payment.pk}/annuler/" not in browse(owner).get("/paiements/").content.decode()
    assert "Essai" not in said


def test_marks_a_test_and_shows_a_payment_typed_by_hand_without_provider(
    checkout: Checkout, invoice: Invoice, owner: Membership, browse: Browse
) -> None:
    Cabinet.objects.update(is_demo=True)
    ProviderAccount.objects.update(mode=Mode.TEST)
    tested = say(checkout, Stage.PROCESSING)
    typed = make_payment(invoice=invoice, on=NOW.date(), cents=1_000)
    browser = browse(owner)

    assert "aucun argent n’a été déplacé" in read(browser.get(f"/paiements/{tested.pk}/"))
    by_hand = read(browser.get(f"/paiements/{typed.pk}/"))
    assert ("Stripe" in by_hand, "Annuler le paiement" in by_hand) == (False, True)


def test_a_loss_is_looked_at_then_the_reminders_go_on(checkout: Checkout, owner: Membership, browse: Browse) -> None:
    first = say(checkout, Stage.SETTLED)
    rest = say(checkout, Stage.SETTLED, refunded_cents=44_000)
    browser = browse(owner)
    for payment in (first, rest):
        assert "J’ai regardé" in read(browser.get(f"/paiements/{payment.pk}/"))
    assert Standstill.objects.filter(kind=StopKind.HOLD, released_at=None).count() == 1

    answer = browser.post(f"/paiements/{first.pk}/examine/", follow=True)

    assert "reprennent à leur tour" in read(answer)
    assert not Standstill.objects.filter(kind=StopKind.HOLD, released_at=None).exists()
    (task,) = Task.objects.filter(kind=TaskKind.PAYMENT_REVERSED)
    assert (task.subject_id, task.state) == (first.pk, TaskState.DONE)
    assert "J’ai regardé" not in read(browser.get(f"/paiements/{rest.pk}/"))


def test_lists_announcements_by_state_and_replays_one(
    account: ProviderAccount, owner: Membership, browse: Browse
) -> None:
    make_notice(account, 1, state=NoticeState.APPLIED)
    dead = make_notice(account, 2, state=NoticeState.DEAD, failure="Pas de réponse.", tries=10)
    make_notice(account, 3)
    browser = browse(owner)
    assert [one for one in ("evt_1", "evt_2", "evt_3") if one in read(browser.get(ANNOUNCEMENTS))] == [
        "evt_1", "evt_2", "evt_3",
    ]  # fmt: skip
    failed = read(browser.get(f"{ANNOUNCEMENTS}?etat=en-echec"))
    assert ("evt_2" in failed, "Pas de réponse." in failed, "evt_1" in failed) == (True, True, False)
    assert "1 annonce de prestataire en échec" in read(browser.get("/paiements/"))

    answer = browser.post(f"{ANNOUNCEMENTS}{dead.pk}/rejouer/", follow=True)

    dead.refresh_from_db()
    assert "rejouée dans la minute" in read(answer)
    assert (dead.state, dead.tries, dead.due_at) == (NoticeState.RECEIVED, 0, NOW)
    assert "en échec" not in read(browser.get("/paiements/"))


def test_turns_pages_and_costs_the_same_for_five_rows_as_for_one(
    account: ProviderAccount, owner: Membership, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browse(owner)
    make_notice(account, 1)
    browser.get(ANNOUNCEMENTS)
    with CaptureQueriesContext(connection) as one:
        browser.get(ANNOUNCEMENTS)
    for number in range(2, 6):
        make_notice(account, number)
    with CaptureQueriesContext(connection) as five:
        browser.get(ANNOUNCEMENTS)
    assert len(five) == len(one)

    monkeypatch.setattr(reading_online, "PAGE", 3)
    first = reading_online.notice_page(state=None)
    second = reading_online.notice_page(state=None, after=first.after)
    assert [len(first.rows), len(second.rows), second.after] == [3, 2, ""]
    assert len({row.pk for row in (*first.rows, *second.rows)}) == 5


@pytest.mark.parametrize("after", ["x", "2026-11-24T09:30:00_x", "2026-11-24T09:30:00_" + "0" * 32, "_"])
def test_a_broken_cursor_begins_again(account: ProviderAccount, owner: Membership, browse: Browse, after: str) -> None:
    make_notice(account, 1)

    assert "evt_1" in read(browse(owner).get(ANNOUNCEMENTS, {"apres": after}))


def test_keeps_whether_a_part_may_be_paid(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    for sent, kept in (({"allows": "on"}, True), ({}, False)):
        browser.post("/parametres/encaissement/partiel/", sent)
        assert Cabinet.objects.get(pk=cabinet.pk).allows_part_payments is kept


@pytest.mark.parametrize("address", [ANNOUNCEMENTS, "/parametres/encaissement/partiel/"])
def test_only_who_manages_the_firm_opens_the_settings(account: ProviderAccount, browse: Browse, address: str) -> None:
    assert browse(make_member(role=Role.ASSISTANT)).get(address).status_code == 403


def test_refuses_to_take_an_online_payment_back_by_hand(checkout: Checkout, owner: Membership, browse: Browse) -> None:
    payment = say(checkout, Stage.SETTLED)

    answer = browse(owner).post(f"/paiements/{payment.pk}/annuler/", follow=True)

    payment.refresh_from_db()
    assert ("remboursez-le chez le prestataire" in read(answer), payment.state) == (True, "settled")
