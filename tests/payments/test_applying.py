"""What a provider says becomes what the firm is owed: by table, then in every order, doubled, lost and replayed."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from cabinets.enums import TaskState
from cabinets.models import Cabinet, Task
from cabinets.scoping import working_for
from invoices.enums import InvoiceState, StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement
from payments.enums import CheckoutState, Mode, PaymentState
from payments.errors import ReceiptError
from payments.models import Allocation, Payment, ProviderAccount
from payments.providers.protocol import Snapshot, Stage
from payments.services import applying, recording
from payments.services.recording import Receipt
from tests.conftest import NOW
from tests.factories.ladder import RecordingLadder
from tests.payments.online import Online, online_world

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

State = CheckoutState
SETTLED, PROCESSING, FAILED = Stage.SETTLED, Stage.PROCESSING, Stage.FAILED


@pytest.fixture
def online(committed: None) -> Iterator[Online]:
    with online_world() as world:
        yield world


def stops(online: Online, kind: StopKind) -> int:
    with working_for(cabinet_id=online.cabinet.pk):
        return Standstill.objects.filter(kind=kind, released_at=None, invoice=online.invoices[0]).count()


def tasks(online: Online) -> list[str]:
    with working_for(cabinet_id=online.cabinet.pk):
        return sorted(Task.objects.filter(state=TaskState.OPEN).values_list("kind", flat=True))


def payments(online: Online) -> list[tuple[str, int]]:
    with working_for(cabinet_id=online.cabinet.pk):
        return sorted(Payment.objects.values_list("state", "cents"))


# What the provider says, in order → the checkout, what is settled, the payments, in flight, held, tasks.
TABLE: list[tuple[list[tuple[Any, ...]], tuple[Any, ...]]] = [
    ([(Stage.OPEN,)], (State.OPEN, 0, [], 0, 0, [])),
    ([(SETTLED,)], (State.PAID, 144_000, [("settled", 144_000)], 0, 0, [])),
    ([(PROCESSING,)], (State.PROCESSING, 0, [("processing", 144_000)], 1, 0, [])),
    ([(PROCESSING,), (SETTLED,)], (State.PAID, 144_000, [("settled", 144_000)], 0, 0, [])),
    ([(PROCESSING,), (FAILED,)], (State.FAILED, 0, [("failed", 144_000)], 0, 0, [])),
    ([(PROCESSING,), (Stage.OPEN,)], (State.OPEN, 0, [("failed", 144_000)], 0, 0, [])),
    ([(FAILED,)], (State.FAILED, 0, [], 0, 0, [])),
    ([(Stage.EXPIRED,)], (State.EXPIRED, 0, [], 0, 0, [])),
    ([(Stage.EXPIRED,), (SETTLED,)], (State.PAID, 144_000, [("settled", 144_000)], 0, 0, [])),
    (
        [(PROCESSING,), (FAILED,), (PROCESSING,), (SETTLED,)],
        (State.PAID, 144_000, [("failed", 144_000), ("settled", 144_000)], 0, 0, []),
    ),
    (
        [(SETTLED,), (SETTLED, 144_000)],
        (State.REVERSED, 0, [("reversed", 144_000)], 0, 1, ["payment_reversed"]),
    ),
    (
        [(SETTLED,), (SETTLED, 44_000)],
        (State.PAID, 100_000, [("reversed", 144_000), ("settled", 100_000)], 0, 1, ["payment_reversed"]),
    ),
    (
        [(SETTLED,), (SETTLED, 0, 144_000)],
        (State.REVERSED, 0, [("reversed", 144_000)], 0, 1, ["payment_reversed"]),
    ),
    # A dispute that is won: the money is back, and a person still looks.
    (
        [(SETTLED,), (SETTLED, 0, 144_000), (SETTLED,)],
        (State.PAID, 144_000, [("reversed", 144_000), ("settled", 144_000)], 0, 1, ["payment_reversed"]),
    ),
    # The late return of a debit.
    ([(SETTLED,), (FAILED,)], (State.REVERSED, 0, [("reversed", 144_000)], 0, 1, ["payment_reversed"])),
    # Refunded before we heard of the payment at all: the same rows as when every news came.
    (
        [(SETTLED, 144_000)],
        (State.REVERSED, 0, [("reversed", 144_000)], 0, 1, ["payment_reversed"]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("news", "expected"), TABLE)
def test_becomes_what_the_provider_says(online: Online, news: list[tuple[Any, ...]], expected: tuple[Any, ...]) -> None:
    checkout = online.begin()

    for stage, *lost in news:
        refunded, disputed = (*lost, 0, 0)[:2]
        online.provider.move(stage, refunded=refunded, disputed=disputed)
        online.apply(checkout)
        assert online.apply(checkout) is False

    flying, held = stops(online, StopKind.PAYMENT_IN_FLIGHT), stops(online, StopKind.HOLD)
    state, settled = online.read(checkout).state, online.invoice.settled_cents
    assert (state, settled, payments(online), flying, held, tasks(online)) == expected
    assert online.settled() == online.provider.net() == settled


def test_stops_and_wakes_the_ladder_with_the_money(online: Online, ladder: RecordingLadder) -> None:
    checkout, mine = online.begin(), {online.invoices[0].pk}
    ladder.calls.clear()

    online.provider.move(PROCESSING)
    online.apply(checkout)
    assert ladder.stopped == [("PAYMENT_IN_FLIGHT", mine)]

    online.provider.move(FAILED, failure="insufficient_funds")
    online.apply(checkout)
    assert (ladder.woken, online.read(checkout).failure) == ([mine], "insufficient_funds")

    online.provider.move(SETTLED)
    online.apply(checkout)
    assert ladder.stopped[-1] == ("PAID", mine)

    online.provider.move(SETTLED, refunded=144_000)
    online.apply(checkout)
    assert ladder.stopped[-1] == ("HOLD", mine)


def test_an_answer_older_than_the_last_one_changes_nothing(online: Online) -> None:
    checkout = online.begin()
    online.provider.move(SETTLED)
    old = Snapshot(ref=checkout.ref, stage=PROCESSING, cents=144_000)
    online.apply(checkout)

    with working_for(cabinet_id=online.cabinet.pk):
        asked_at = timezone.now() - dt.timedelta(seconds=1)
        assert applying.apply(checkout_id=checkout.pk, snapshot=old, asked_at=asked_at) is False

    assert online.read(checkout).state == State.PAID


def pay_elsewhere(online: Online) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        invoice = online.invoices[0]
        receipt = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=144_000, received_on=NOW.date())
        recording.record_payment(receipt=receipt, on=NOW.date())


def test_keeps_what_was_paid_twice_as_a_credit_and_tells_a_person(online: Online) -> None:
    checkout = online.begin()
    pay_elsewhere(online)
    online.provider.move(SETTLED)

    online.ask(checkout)

    assert (online.invoice.settled_cents, online.credit(), tasks(online)) == (144_000, 144_000, ["double_payment"])


def test_forgets_the_credit_and_the_task_when_the_firm_refunds_it(online: Online) -> None:
    checkout = online.begin()
    pay_elsewhere(online)
    online.provider.move(SETTLED)
    online.ask(checkout)

    online.provider.move(SETTLED, refunded=144_000)
    online.ask(checkout)

    assert (online.invoice.settled_cents, online.credit(), tasks(online)) == (144_000, 0, [])
    assert stops(online, StopKind.HOLD) == 0


def test_takes_back_what_is_left_of_a_credit_that_was_used(online: Online) -> None:
    checkout = online.begin()
    pay_elsewhere(online)
    online.provider.move(SETTLED)
    online.ask(checkout)
    with working_for(cabinet_id=online.cabinet.pk):
        settlement.give_client_credit(client_id=online.link.client_id, cents=-100_000)

    online.provider.move(SETTLED, disputed=144_000)
    online.ask(checkout)

    assert (online.credit(), online.read(checkout).state) == (0, State.REVERSED)


def test_money_for_an_invoice_closed_meanwhile_is_the_clients_credit(online: Online) -> None:
    checkout = online.begin()
    with working_for(cabinet_id=online.cabinet.pk):
        Invoice.objects.update(state=InvoiceState.CANCELLED)
    online.provider.move(SETTLED)

    online.apply(checkout)

    assert (online.credit(), tasks(online)) == (144_000, ["double_payment"])


def test_pays_each_invoice_what_was_asked_of_it(committed: None) -> None:
    with online_world(invoices=3) as online:
        checkout = online.begin()
        with working_for(cabinet_id=online.cabinet.pk):
            settlement.settle(invoice_id=online.invoices[1].pk, cents=144_000)
        online.provider.move(SETTLED)

        online.apply(checkout)

        assert [online.now(row).settled_cents for row in online.invoices] == [144_000] * 3
        assert online.credit() == 144_000


def test_a_part_lowers_the_debt_by_that_part(online: Online) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        Cabinet.objects.update(allows_part_payments=True)
    checkout = online.begin(50_000)
    online.provider.move(SETTLED)

    online.apply(checkout)

    assert (online.invoice.outstanding_cents, online.credit()) == (94_000, 0)


@pytest.mark.parametrize("demo", [True, False])
def test_a_test_settles_nothing_but_in_a_demonstration(committed: None, demo: bool) -> None:
    facts = {"is_demo": True} if demo else {"activated_on": None}
    with online_world(**facts) as online:
        with working_for(cabinet_id=online.cabinet.pk):
            ProviderAccount.objects.update(mode=Mode.TEST)
            online.account.refresh_from_db()
        checkout = online.begin()
        for stage in (PROCESSING, SETTLED):
            online.provider.move(stage)
            online.apply(checkout)
            assert stops(online, StopKind.PAYMENT_IN_FLIGHT) == (1 if demo and stage is PROCESSING else 0)

        assert online.read(checkout).state == State.PAID
        assert online.invoice.settled_cents == (144_000 if demo else 0)


def test_refuses_to_take_back_by_hand_what_the_provider_holds(online: Online) -> None:
    checkout = online.begin()
    online.provider.move(SETTLED)
    online.apply(checkout)

    with working_for(cabinet_id=online.cabinet.pk), pytest.raises(ReceiptError, match="remboursez-le"):
        recording.reverse_payment(payment_id=Payment.objects.get().pk)

    assert online.invoice.settled_cents == 144_000


def test_holds_until_the_last_of_two_payments_on_their_way_has_ended(committed: None) -> None:
    with online_world(invoices=2) as online:
        first = online.begin(invoices=online.invoices[:1])
        one = first.ref
        online.provider.move(Stage.EXPIRED, ref=one)
        online.apply(first)
        both = online.begin()
        for checkout in (first, both):
            online.provider.move(PROCESSING, ref=checkout.ref)
            online.apply(checkout)

        online.provider.move(FAILED, ref=one)
        online.apply(first)
        assert stops(online, StopKind.PAYMENT_IN_FLIGHT) == 1

        online.provider.move(FAILED, ref=both.ref)
        online.apply(both)
        assert stops(online, StopKind.PAYMENT_IN_FLIGHT) == 0


# A series of six: what the provider's truth is after each.
SERIES = [
    (PROCESSING, 0, 0),
    (FAILED, 0, 0),
    (PROCESSING, 0, 0),
    (SETTLED, 0, 0),
    (SETTLED, 44_000, 0),
    (SETTLED, 44_000, 50_000),
]


def final(online: Online) -> tuple[Any, ...]:
    with working_for(cabinet_id=online.cabinet.pk):
        parts = sorted(
            Allocation.objects.filter(payment__state=PaymentState.SETTLED).values_list("invoice__number", "cents")
        )
    flying, held = stops(online, StopKind.PAYMENT_IN_FLIGHT), stops(online, StopKind.HOLD)
    money = (online.invoice.settled_cents, online.settled(), online.credit())
    return (*money, tuple(parts), flying, held, tuple(tasks(online)))


END = (50_000, 50_000, 0, (("F-2026-0400", 50_000),), 0, 1, ("payment_reversed",))


def test_ends_the_same_in_every_order_however_often_and_whatever_was_lost(online: Online) -> None:
    """Walk every order of the six answers, each missing, doubled or late.

    What was applied so far is all that matters, so the 720 orders and their repetitions are walks through 64 states:
    from each of them, each of the six answers is given once.
    """
    checkout, answers = online.begin(), []
    for moment, (stage, refunded, disputed) in enumerate(SERIES):
        online.provider.move(stage, refunded=refunded, disputed=disputed)
        answers.append((NOW + dt.timedelta(seconds=moment), online.provider.snapshot(checkout.ref)))
    ends: set[tuple[Any, ...]] = set()

    def walk(heard: tuple[int, ...]) -> None:
        for moment, (asked_at, snapshot) in enumerate(answers):
            with undone(online):
                changed = applying.apply(checkout_id=checkout.pk, snapshot=snapshot, asked_at=asked_at)
                if heard and moment <= heard[-1]:
                    assert changed is False
                else:
                    walk((*heard, moment))
        if heard and heard[-1] == len(answers) - 1:
            ends.add(final(online))

    walk(())

    assert ends == {END}


def test_an_announcement_of_last_month_changes_nothing(online: Online) -> None:
    checkout = online.begin()
    online.provider.move(SETTLED, refunded=44_000, disputed=50_000)
    online.apply(checkout)

    with time_machine.travel(NOW + dt.timedelta(days=30), tick=False):
        assert [online.apply(checkout) for _ in range(5)] == [False] * 5

    assert final(online) == END


@contextmanager
def undone(online: Online) -> Iterator[None]:
    """Let what a block writes be as if it had never been."""
    with working_for(cabinet_id=online.cabinet.pk), transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_a_stale_open_page_takes_no_settled_money_back(online: Online) -> None:
    checkout = online.begin()
    online.provider.move(SETTLED)
    online.apply(checkout)

    for stage in (Stage.OPEN, Stage.EXPIRED):
        online.provider.move(stage)
        assert online.apply(checkout) is False

    assert (online.read(checkout).state, online.settled()) == (State.PAID, 144_000)
