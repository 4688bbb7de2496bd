"""Two beats, two nights, twelve senders, ten drainers at once: each thing is done once."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar
from uuid import UUID

import pytest
from django.db import connections

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning import tasks
from dunning.models import Decision, DunningCase, MailServer, NightlyRun, Reminder, ReminderLine
from dunning.services import dispatch, nights
from invoices.models import Invoice
from invoices.services import settlement
from tests.conftest import NOW
from tests.dunning.worlds import draw_firm
from tests.factories.cabinets import make_cabinet
from tests.factories.dunning import make_reminder
from tests.factories.invoices import TODAY
from tests.mail_sink import SmtpSink

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def firm(sink: SmtpSink, committed: None) -> Cabinet:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        MailServer(host=sink.host, port=sink.port, security="none", sender=cabinet.email).save(force_insert=True)
    return cabinet


T = TypeVar("T")


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Do these at the same moment, each in a thread with connections of its own; raise what any of them raised."""
    barrier = threading.Barrier(len(acts))
    answers: list[T] = []
    errors: list[Exception] = []

    def run(act: Callable[[], T]) -> None:
        barrier.wait(timeout=30)
        try:
            answers.append(act())
        except Exception as error:  # noqa: BLE001 - raised again by whoever started the thread
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    if errors:
        raise ExceptionGroup("some threads failed", errors)
    return answers


def plan(firm: Cabinet, count: int) -> list[UUID]:
    with working_for(cabinet_id=firm.pk):
        return [make_reminder().pk for _ in range(count)]


def states(firm: Cabinet) -> Counter[str]:
    with working_for(cabinet_id=firm.pk):
        return Counter(Reminder.objects.values_list("state", flat=True))


def test_decides_each_case_once_when_six_nights_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nights, "ORDINARY_NIGHT", 10_000)
    firms = [make_cabinet(), make_cabinet()]
    for seed, cabinet in enumerate(firms):
        with working_for(cabinet_id=cabinet.pk):
            draw_firm(cabinet, seed=seed, clients=25)
    tonight = [nights.FirmNight(cabinet=cabinet, on=TODAY, now=NOW) for cabinet in firms]

    tallies = at_once(*[partial(nights.evaluate, tonight)] * 6)

    for cabinet in firms:
        with working_for(cabinet_id=cabinet.pk):
            decided = Decision.objects.count()
            run = NightlyRun.objects.get(on=TODAY)
            assert sum(sum(one[cabinet.pk].cases.values()) for one in tallies if one) == decided == run.due
            assert DunningCase.objects.filter(next_action_on__lte=TODAY).count() == 0
            claimed = ReminderLine.objects.filter(is_claimed=True, reminder__night=run)
            assert claimed.count() == claimed.values("invoice").distinct().count()
            planned = Reminder.objects.filter(night=run)
            assert planned.count() == planned.values("client").distinct().count() == run.planned + run.awaiting


def test_sends_one_message_for_one_reminder_to_twelve_senders(firm: Cabinet, sink: SmtpSink) -> None:
    (only,) = plan(firm, 1)

    tallies = at_once(*[partial(dispatch.send_batch, cabinet_id=firm.pk, reminder_ids=[only])] * 12)

    assert sum(tallies, Counter()) == Counter({"accepted": 1, "left": 11})
    assert list(sink.message_ids.values()) == [1]


def test_empties_the_table_once_with_ten_drainers_while_payments_arrive(firm: Cabinet, sink: SmtpSink) -> None:
    ids = plan(firm, 40)
    draw = random.Random(4)
    with working_for(cabinet_id=firm.pk):
        invoices = list(Invoice.objects.order_by("number").values_list("pk", flat=True))

    def pay() -> Counter[str]:
        for invoice_id in draw.sample(invoices, 20):
            with working_for(cabinet_id=firm.pk):
                settlement.settle(invoice_id=invoice_id, cents=144_000)
        return Counter()

    drainers = [
        partial(dispatch.send_batch, cabinet_id=firm.pk, reminder_ids=draw.sample(ids, len(ids))) for _ in range(10)
    ]
    tally = sum(at_once(pay, *drainers), Counter())

    sent = states(firm)
    assert set(sent) <= {"accepted", "cancelled"}
    assert sent.total() == 40
    assert tally["accepted"] == sent["accepted"] == len(sink.caught)
    assert set(tally) <= {"accepted", "left"}
    assert max(sink.message_ids.values(), default=1) == 1


def test_keeps_to_the_daily_cap_with_twelve_senders_at_once(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        Cabinet.objects.update(daily_cap=5)
    senders = [partial(dispatch.send_batch, cabinet_id=firm.pk, reminder_ids=[one]) for one in plan(firm, 12)]

    tally = sum(at_once(*senders), Counter())

    assert tally == Counter({"accepted": 5, "left": 7})
    assert len(sink.caught) == 5


def test_doubles_nothing_when_two_beats_tick_together(
    firm: Cabinet, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_for(cabinet_id=firm.pk):
        draw_firm(firm, seed=7, clients=12, calm=0.99)
    queued: list[list[str]] = []
    monkeypatch.setattr(nights, "ORDINARY_NIGHT", 10_000)
    monkeypatch.setattr(tasks.send_reminders, "delay", queued.append)

    at_once(tasks.evaluate_nights, tasks.evaluate_nights)
    at_once(tasks.sweep, tasks.sweep)
    at_once(*[partial(tasks.send_reminders, batch) for batch in queued])
    at_once(tasks.sweep, tasks.sweep)

    with working_for(cabinet_id=firm.pk):
        left = Reminder.objects.filter(on=TODAY, state="accepted")
        assert left.count() == len(sink.caught) > 0
        assert NightlyRun.objects.filter(on=TODAY).count() == 1
    assert len(queued) == 2
    assert max(sink.message_ids.values()) == 1


def test_records_a_payment_and_sends_at_the_same_moment_without_a_deadlock(firm: Cabinet, sink: SmtpSink) -> None:
    for _ in range(8):
        (reminder,) = plan(firm, 1)
        with working_for(cabinet_id=firm.pk):
            invoice = ReminderLine.objects.get(reminder=reminder).invoice_id

        def pay(invoice_id: UUID = invoice) -> Counter[str]:
            with working_for(cabinet_id=firm.pk):
                settlement.settle(invoice_id=invoice_id, cents=144_000)
            return Counter()

        at_once(pay, partial(dispatch.send_batch, cabinet_id=firm.pk, reminder_ids=[reminder]))

    found = states(firm)
    assert found["accepted"] == len(sink.caught)
    assert found["accepted"] + found["cancelled"] == 8
