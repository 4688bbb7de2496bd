"""Speaking over a real SMTP server: claim, commit, speak, record."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest

from cabinets.models import Cabinet, Task
from cabinets.scoping import working_for
from dunning.enums import Code, ReminderState
from dunning.models import DunningCase, MailServer, Reminder, ReminderLine
from dunning.services import dispatch
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import settlement, standstill
from tests.factories.cabinets import make_cabinet, make_client
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.mail_sink import Drop, Reply, SmtpSink

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def firm(sink: SmtpSink, committed: None) -> Cabinet:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        MailServer(host="127.0.0.1", port=sink.port, security="none", sender=cabinet.email).save(force_insert=True)
    return cabinet


def send(cabinet: Cabinet, *reminders: Reminder) -> Counter[str]:
    return dispatch.send_batch(cabinet_id=cabinet.pk, reminder_ids=[reminder.pk for reminder in reminders])


def test_sends_a_reminder_and_dates_the_next_step(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder(make_case(invoice=make_invoice(due_on=TODAY - dt.timedelta(days=3))))

    assert send(firm, reminder) == Counter({"accepted": 1})

    with working_for(cabinet_id=firm.pk):
        sent = Reminder.objects.get()
        case = DunningCase.objects.get()
        assert (sent.state, sent.spoken_on, sent.message_id) == (
            "accepted",
            TODAY,
            f"<{sent.pk}@{firm.email.split('@')[1]}>",
        )
        assert sent.subject.startswith("Facture F-2026-")
        assert (case.next_rank, case.last_step_on, case.next_action_on) == (2, TODAY, TODAY + dt.timedelta(days=7))
    assert list(sink.message_ids.values()) == [1]


def test_sends_nothing_twice(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()

    send(firm, reminder)
    assert send(firm, reminder) == Counter({"left": 1})

    assert sum(sink.message_ids.values()) == 1


def test_says_nothing_about_an_invoice_paid_meanwhile(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()
        Invoice.objects.update(settled_cents=144_000)

    assert send(firm, reminder) == Counter({"left": 1})

    with working_for(cabinet_id=firm.pk):
        assert (Reminder.objects.get().state, Reminder.objects.get().cancel_code) == ("cancelled", Code.PAID)
        assert list(ReminderLine.objects.values_list("counts", flat=True)) == [False]
    assert sink.caught == []


def test_cancels_what_was_planned_the_second_a_payment_is_recorded(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()
        settlement.settle(invoice_id=Invoice.objects.get().pk, cents=144_000)
        assert Reminder.objects.get().cancel_code == Code.PAID

    send(firm, reminder)

    assert sink.caught == []


def test_stops_every_invoice_of_a_client_who_disputes_one(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        first, second = make_invoice(client=client), make_invoice(client=client)
        reminder = make_reminder(make_case(invoice=first))
        make_case(invoice=second)
        standstill.declare(kind=StopKind.DISPUTE, target=second)
        assert Reminder.objects.get().cancel_code == Code.DISPUTE

    send(firm, reminder)

    assert sink.caught == []


def test_asks_a_person_again_when_an_approved_amount_has_changed(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder(state=ReminderState.APPROVED, approved_at=firm.now())
        Invoice.objects.update(credited_cents=44_000)

    send(firm, reminder)

    with working_for(cabinet_id=firm.pk):
        back = Reminder.objects.get()
        assert (back.state, back.reasons, back.total_cents, back.approved_at) == (
            "awaiting_approval", ["changed"], 100_000, None,
        )  # fmt: skip
    assert sink.caught == []


def test_waits_for_the_window_of_the_debtor(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder(make_case(invoice=make_invoice(client=make_client(territory="martinique"))))

    send(firm, reminder)  # 10:30 in Paris is 05:30 in Fort-de-France

    with working_for(cabinet_id=firm.pk):
        moved = Reminder.objects.get()
        assert (moved.state, moved.depart_at) == ("planned", dt.datetime(2026, 11, 24, 13, tzinfo=dt.UTC))
    assert sink.caught == []


def test_keeps_to_the_firms_daily_cap(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        Cabinet.objects.update(daily_cap=1)
        first, second = make_reminder(), make_reminder()

    send(firm, first, second)

    with working_for(cabinet_id=firm.pk):
        later = Reminder.objects.get(pk=second.pk)
        assert (later.state, later.depart_at) == ("planned", dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC))
    assert len(sink.caught) == 1


def test_says_nothing_while_everything_is_suspended(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()
        Cabinet.objects.update(suspended_at=firm.now())

    send(firm, reminder)

    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().cancel_code == Code.KILL_SWITCH
    assert sink.caught == []


def test_marks_an_address_the_server_refuses_and_asks_for_another(firm: Cabinet, sink: SmtpSink) -> None:
    sink.on("RCPT", Reply("550 5.1.1 no such user"))
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()

    assert send(firm, reminder) == Counter({"rejected": 1})

    with working_for(cabinet_id=firm.pk):
        refused = Reminder.objects.get()
        assert (refused.state, refused.provider_code, refused.spoken_on) == ("rejected", "550", None)
        assert refused.client.email_refused_at is not None
        assert [task.kind for task in Task.objects.all()] == ["rejected_address"]
        assert DunningCase.objects.get().next_rank == 1


def test_tries_again_later_what_the_server_postpones(firm: Cabinet, sink: SmtpSink) -> None:
    sink.on("RCPT", Reply("451 4.3.0 later"))
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()

    assert send(firm, reminder) == Counter({"planned": 1})

    with working_for(cabinet_id=firm.pk):
        later = Reminder.objects.get()
        assert (later.state, later.depart_at, later.attempts) == (
            "planned", dt.datetime(2026, 11, 24, 9, 45, tzinfo=dt.UTC), 1,
        )  # fmt: skip


def test_shows_a_person_a_message_that_may_have_left(firm: Cabinet, sink: SmtpSink) -> None:
    sink.on("END", Drop())
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()

    assert send(firm, reminder) == Counter({"unknown": 1})

    with working_for(cabinet_id=firm.pk):
        assert [task.kind for task in Task.objects.all()] == ["unknown_outcome"]
        assert DunningCase.objects.get().next_action_on is None


def test_leaves_everything_in_place_without_a_server(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()
        MailServer.objects.all().delete()

    assert send(firm, reminder) == Counter({"no_server": 1})

    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().state == "planned"


def test_turns_a_claim_nobody_recorded_into_a_question(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder(
            state=ReminderState.SENDING, generation=1, lease_until=firm.now() - dt.timedelta(minutes=1)
        )

    expired = dispatch.expired_claims(now=firm.now())
    dispatch.settle_expired(cabinet_id=firm.pk, reminder_ids=expired[firm.pk], now=firm.now())

    assert expired == {firm.pk: [reminder.pk]}
    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().state == "unknown"
        assert Task.objects.count() == 1


def test_finds_what_is_due_as_the_scheduler(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        due = make_reminder()
        make_reminder(depart_at=firm.now() + dt.timedelta(hours=1))
        make_reminder(state=ReminderState.AWAITING_APPROVAL)

    assert dispatch.due_reminders(now=firm.now()) == {firm.pk: [due.pk]}


def test_gives_each_firm_its_share_of_a_sweep(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        stuck = [make_reminder(depart_at=firm.now() - dt.timedelta(days=3, minutes=n)) for n in range(3)]
    other = make_cabinet()
    with working_for(cabinet_id=other.pk):
        fresh = make_reminder()

    found = dispatch.due_reminders(now=firm.now(), per_firm=2, at_most=3)

    assert found == {firm.pk: [stuck[2].pk, stuck[1].pk], other.pk: [fresh.pk]}
