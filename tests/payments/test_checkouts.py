"""Beginning to pay online: what is refused, one page per debt, silence and closing."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from invoices.enums import InvoiceState, StopKind
from invoices.models import Invoice
from invoices.services import settlement, standstill
from payments.enums import CheckoutState, Mode, PaymentMeans
from payments.errors import CheckoutError, PaidMeanwhileError, ProviderError
from payments.models import Checkout, Payment, ProviderAccount
from payments.providers.protocol import Order, Stage
from tests.payments.fake_provider import hook_of
from tests.payments.online import Online, online_world

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@pytest.fixture
def online(committed: None) -> Iterator[Online]:
    with online_world() as world:
        yield world


@pytest.fixture
def two(committed: None) -> Iterator[Online]:
    with online_world(invoices=2) as world:
        yield world


def test_opens_a_page_that_names_nobody_and_lowers_nothing(online: Online) -> None:
    checkout = online.begin()

    order = online.provider.held[checkout.ref].order
    assert (checkout.state, checkout.url) == (CheckoutState.OPEN, f"https://pay.fake.example/{checkout.ref}")
    assert (order.reference, order.cents, order.label, order.email) == (
        str(checkout.pk), 144_000, "Facture F-2026-0400", "",
    )  # fmt: skip
    assert order.return_url.endswith(f"/retour/{checkout.pk}/")
    assert order.notice_url.endswith(f"/retours/paiement/{hook_of(online.cabinet)}/")
    assert (online.invoice.settled_cents, online.settled()) == (0, 0)


def test_gives_the_same_page_to_a_double_tap_and_to_a_second_tab(online: Online) -> None:
    form_id = uuid4()

    first, again = online.begin(form_id=form_id), online.begin(form_id=form_id)
    other_tab = online.begin()

    assert {first.pk, again.pk, other_tab.pk} == {form_id}
    assert {first.url, again.url, other_tab.url} == {first.url}
    assert online.provider.calls == [("open", str(form_id))]


def test_closes_the_page_of_another_amount_before_it_opens_one(two: Online) -> None:
    first = two.begin(invoices=two.invoices[:1])

    both = two.begin()

    assert two.read(first).state == CheckoutState.EXPIRED
    assert (both.state, both.cents) == (CheckoutState.OPEN, 288_000)
    assert [act for act, _ in two.provider.calls] == ["open", "close", "open"]


def test_tells_a_debtor_whose_first_page_was_paid_while_it_closed(two: Online) -> None:
    first = two.begin(invoices=two.invoices[:1])
    two.provider.before_close = lambda ref: two.provider.move(Stage.SETTLED, ref=ref)

    with pytest.raises(PaidMeanwhileError) as told:
        two.begin()

    assert told.value.checkout_id == first.pk
    assert two.read(first).state == CheckoutState.PAID
    assert [two.now(row).settled_cents for row in two.invoices] == [144_000, 0]
    assert len(two.provider.held) == 1


def test_opens_no_second_page_while_the_first_cannot_be_closed(two: Online) -> None:
    two.begin(invoices=two.invoices[:1])
    two.provider.silent = 1

    with pytest.raises(ProviderError):
        two.begin()

    assert len(two.provider.held) == 1


def test_records_nothing_paid_when_the_provider_is_silent_and_opens_the_same_order_later(online: Online) -> None:
    form_id = uuid4()
    online.provider.silent = 1

    with pytest.raises(ProviderError):
        online.begin(form_id=form_id)

    with working_for(cabinet_id=online.cabinet.pk):
        assert [row.state for row in Checkout.objects.all()] == [CheckoutState.OPENING]
        assert not Payment.objects.exists()
    assert online.begin().pk == form_id


def test_ends_a_checkout_the_provider_refuses(online: Online) -> None:
    online.provider.refuses = True

    with pytest.raises(ProviderError):
        online.begin()
    online.provider.refuses = False

    assert online.begin().state == CheckoutState.OPEN
    with working_for(cabinet_id=online.cabinet.pk):
        assert sorted(Checkout.objects.values_list("state", flat=True)) == ["failed", "open"]


def settle_all(online: Online) -> None:
    settlement.settle(invoice_id=online.invoices[0].pk, cents=144_000)


def settle_part(online: Online) -> None:
    settlement.settle(invoice_id=online.invoices[0].pk, cents=44_000)


def cancel(online: Online) -> None:
    Invoice.objects.update(state=InvoiceState.CANCELLED)


def stop(kind: StopKind) -> Any:
    return lambda online: standstill.declare(kind=kind, target=Invoice.objects.get())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (settle_all, "n’attend plus de paiement"),
        (settle_part, "Il reste 1"),
        (cancel, "n’attend plus de paiement"),
        (stop(StopKind.CLAIMED_PAID), "le cabinet vérifie"),
        (stop(StopKind.PAYMENT_IN_FLIGHT), "déjà en cours"),
        (stop(StopKind.INSOLVENCY), "procédure particulière"),
        (stop(StopKind.OVER_INDEBTEDNESS), "procédure particulière"),
    ],
)
def test_refuses_what_may_not_be_paid_now(online: Online, change: Any, sentence: str) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        change(online)

    with pytest.raises(CheckoutError, match=sentence):
        online.begin(144_000)

    with working_for(cabinet_id=online.cabinet.pk):
        assert not Checkout.objects.exists()
    assert online.provider.calls == []


def test_lets_a_debtor_pay_what_is_disputed(online: Online) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        standstill.declare(kind=StopKind.DISPUTE, target=Invoice.objects.get())

    assert online.begin().state == CheckoutState.OPEN


def test_refuses_a_second_payment_while_one_is_on_its_way(online: Online) -> None:
    first = online.begin()
    online.provider.move(Stage.PROCESSING)
    online.ask(first)

    with pytest.raises(CheckoutError, match="déjà en cours"):
        online.begin(144_000)


def test_takes_a_part_only_where_the_firm_allows_it(online: Online) -> None:
    with pytest.raises(CheckoutError, match="en une fois"):
        online.begin(50_000)
    with working_for(cabinet_id=online.cabinet.pk):
        Cabinet.objects.update(allows_part_payments=True)

    assert online.begin(50_000).cents == 50_000


@pytest.mark.parametrize("cents", [0, -1, 99])
def test_refuses_less_than_a_euro(online: Online, cents: int) -> None:
    with pytest.raises(CheckoutError, match="un euro"):
        online.begin(cents)


def test_refuses_an_invoice_the_link_does_not_open(online: Online) -> None:
    with online_world() as other, pytest.raises(CheckoutError, match="plus dans cet espace"):
        online.begin(144_000, invoices=other.invoices)


def test_refuses_the_form_of_another_link(two: Online) -> None:
    form_id = uuid4()
    two.begin(form_id=form_id)
    with working_for(cabinet_id=two.cabinet.pk):
        Checkout.objects.update(link=None)

    with pytest.raises(CheckoutError, match="déjà servi"):
        two.begin(form_id=form_id)


@pytest.mark.parametrize(
    ("mode", "facts", "opens"),
    [
        (Mode.LIVE, {}, True),
        (Mode.TEST, {}, False),
        (Mode.TEST, {"activated_on": None}, True),
        (Mode.TEST, {"is_demo": True}, True),
        (Mode.LIVE, {"is_demo": True}, False),
    ],
)
def test_takes_real_money_in_no_demonstration_and_tests_nothing_in_a_live_firm(
    committed: None, mode: Mode, facts: dict[str, Any], opens: bool
) -> None:
    with online_world(**facts) as online:
        with working_for(cabinet_id=online.cabinet.pk):
            ProviderAccount.objects.update(mode=mode)
            online.account.refresh_from_db()
        try:
            online.begin()
        except CheckoutError:
            assert not opens
        else:
            assert opens


def test_two_tabs_paying_at_once_open_one_page(online: Online) -> None:
    refs, refused, gate = set(), [], threading.Barrier(4)

    def pay() -> None:
        gate.wait()
        try:
            refs.add(online.begin().ref)
        except CheckoutError as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=pay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(refs), refused) == (1, [])
    assert len(online.provider.held) == 1
    with working_for(cabinet_id=online.cabinet.pk):
        assert Checkout.objects.count() == 1


def test_shows_nobody_a_page_given_up_while_it_was_asked_for(two: Online) -> None:
    others: list[Checkout] = []

    def meanwhile(order: Order) -> None:
        two.provider.before_open = None
        others.append(two.begin())

    two.provider.before_open = meanwhile
    with pytest.raises(CheckoutError, match="autre fenêtre"):
        two.begin(invoices=two.invoices[:1])

    stages = {ref: held.stage for ref, held in two.provider.held.items()}
    assert stages.pop(others[0].ref) is Stage.OPEN
    assert list(stages.values()) == [Stage.EXPIRED]


def test_means_that_are_not_offered_open_nothing(online: Online) -> None:
    with pytest.raises(CheckoutError, match="plus proposé"):
        online.begin(means=PaymentMeans.TRANSFER)
