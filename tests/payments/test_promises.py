"""Promises: kept when the money came by their day, broken once their grace is over, judged once."""

import datetime as dt

import pytest

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.models import Cabinet, Membership, Task
from cabinets.scoping import working_for
from invoices.models import Invoice, Standstill
from invoices.services import facts, settlement, standstill
from payments.enums import PromiseResult
from payments.models import PromiseOutcome
from payments.services import promises, recording
from tests.factories.cabinets import make_member, outside_any_firm
from tests.factories.invoices import TODAY
from tests.factories.payments import make_payment

# A Friday: its grace is over on the Tuesday.
DAY, GRACE = dt.date(2026, 12, 4), dt.date(2026, 12, 8)


@pytest.fixture
def lawyer(cabinet: Cabinet) -> Membership:
    return make_member(role=Role.LAWYER, sees_every_file=True)


def promise(invoice: Invoice, lawyer: Membership, *, cents: int = 50_000, until_on: dt.date = DAY) -> Standstill:
    [stop] = facts.promise(invoice=invoice, by=lawyer, until_on=until_on, cents=cents, on=TODAY)
    return stop


def results() -> list[tuple[str, dt.date]]:
    return list(PromiseOutcome.objects.values_list("result", "judged_on"))


def asked() -> list[str]:
    return list(Task.objects.filter(state=TaskState.OPEN).values_list("kind", flat=True))


def test_is_kept_as_soon_as_its_money_is_there(invoice: Invoice, lawyer: Membership) -> None:
    stop = promise(invoice, lawyer)
    make_payment(invoice=invoice, on=TODAY, cents=49_999)
    assert (results(), asked()) == ([], [TaskKind.PROMISE_OVER])

    make_payment(invoice=invoice, on=TODAY, cents=1)
    invoice.refresh_from_db()
    settlement.settle(invoice_id=invoice.pk, cents=1)

    outcome = PromiseOutcome.objects.get()
    assert (outcome.standstill_id, outcome.invoice_id, outcome.promised_on) == (stop.pk, invoice.pk, DAY)
    assert (outcome.result, outcome.judged_on) == (PromiseResult.KEPT, TODAY)
    assert asked() == []


def test_is_kept_when_nothing_is_left_whatever_the_road(invoice: Invoice, lawyer: Membership) -> None:
    promise(invoice, lawyer)

    settlement.settle(invoice_id=invoice.pk, cents=144_000)

    assert results() == [(PromiseResult.KEPT, TODAY)]


def test_is_broken_once_its_grace_is_over_and_a_person_is_asked(invoice: Invoice, lawyer: Membership) -> None:
    promise(invoice, lawyer)
    Task.objects.update(state=TaskState.DONE)

    assert promises.judge(on=GRACE) == 0
    assert promises.judge(on=GRACE + dt.timedelta(days=1)) == 1
    assert promises.judge(on=GRACE + dt.timedelta(days=1)) == 0

    assert results() == [(PromiseResult.BROKEN, GRACE + dt.timedelta(days=1))]
    assert asked() == [TaskKind.PROMISE_OVER]


@pytest.mark.parametrize(
    ("received_on", "result"),
    [(GRACE, PromiseResult.KEPT), (GRACE + dt.timedelta(days=1), PromiseResult.BROKEN)],
)
def test_counts_the_day_the_money_was_received(
    invoice: Invoice, lawyer: Membership, received_on: dt.date, result: PromiseResult
) -> None:
    promise(invoice, lawyer)
    make_payment(invoice=invoice, on=received_on, cents=50_000)

    promises.judge(on=GRACE + dt.timedelta(days=5))

    assert [found for found, _ in results()] == [result]


def test_a_payment_taken_back_takes_the_word_back(invoice: Invoice, lawyer: Membership) -> None:
    promise(invoice, lawyer)
    payment = make_payment(invoice=invoice, on=TODAY, cents=144_000)
    assert [result for result, _ in results()] == [PromiseResult.KEPT]

    recording.reverse_payment(payment_id=payment.pk)
    assert results() == []
    promises.judge(on=GRACE + dt.timedelta(days=1))

    assert [result for result, _ in results()] == [PromiseResult.BROKEN]


def test_a_promise_replaced_by_another_is_not_judged(invoice: Invoice, lawyer: Membership) -> None:
    promise(invoice, lawyer)
    later = promise(invoice, lawyer, until_on=dt.date(2026, 12, 18))

    promises.judge(on=dt.date(2027, 1, 5))

    assert list(PromiseOutcome.objects.values_list("standstill", "result")) == [(later.pk, PromiseResult.BROKEN)]


def test_a_promise_lifted_before_its_day_is_not_judged(invoice: Invoice, lawyer: Membership) -> None:
    standstill.release(standstill_id=promise(invoice, lawyer).pk)

    assert promises.judge(on=dt.date(2027, 1, 5)) == 0


def test_the_figures_of_a_period(invoice: Invoice, lawyer: Membership, other_cabinet: Cabinet) -> None:
    promise(invoice, lawyer)
    promises.judge(on=dt.date(2027, 1, 5))

    counts = promises.promise_counts(since=DAY, until=DAY)
    before = promises.promise_counts(since=TODAY, until=DAY - dt.timedelta(days=1))
    client = promises.promise_counts(since=DAY, until=DAY, client=invoice.dossier.client)

    assert (counts.kept, counts.broken, counts.judged) == (0, 1, 1)
    assert before.judged == 0
    assert client.broken == 1
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        assert promises.promise_counts(since=DAY, until=DAY).judged == 0
