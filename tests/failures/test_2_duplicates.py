"""Duplicates and races (failures F12–F24)."""

import datetime as dt
import itertools

import pytest
import time_machine
from django.db import IntegrityError, connections, transaction

from cabinets.models import Cabinet, Task
from cabinets.scoping import working_for
from dunning.enums import Code, ReminderState
from dunning.models import DunningCase, Reminder, ReminderLine
from dunning.services import approving, dispatch, nights, outcomes
from tests.factories.cabinets import make_member
from tests.factories.dunning import make_reminder
from tests.factories.invoices import TODAY
from tests.failures.conftest import Mailbox
from tests.failures.days import MORNING, NIGHT, at, case_of, days, declare, depart, live, night, owe
from tests.mail_sink import CONNECT, END, RCPT, Drop, Reply

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


def test_f12_sends_no_identical_reminder_twice(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        for _ in range(3):
            owe()

    for _ in range(9):
        night(firm)
        depart(firm)

    assert sorted(mailbox.message_ids.values()) == [1, 1, 1]
    assert len({one.recipients for one in mailbox.caught}) == 3


def test_f14_a_second_evaluation_that_overlaps_the_first_decides_nothing(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        owe()
    moment = at(firm, TODAY, NIGHT)
    seen: list[object] = []

    def meanwhile(done: int, total: int) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [nights._NIGHT_LOCK])
            seen.append(cursor.fetchone()[0])

    with time_machine.travel(moment, tick=False):
        nights.evaluate(nights.firms_due(now=moment), progress=meanwhile)

    assert seen == [False]


@pytest.mark.parametrize("stage", [RCPT, END])
def test_f15_a_message_the_server_puts_off_leaves_the_same_day(firm: Cabinet, mailbox: Mailbox, stage: str) -> None:
    mailbox.on(stage, Reply("451 4.3.0 later"))
    with working_for(cabinet_id=firm.pk):
        owe()
    night(firm)

    assert depart(firm) == {"planned": 1}
    assert depart(firm, time=dt.time(10, 14)) == {}
    assert depart(firm, time=dt.time(10, 15)) == {"accepted": 1}
    assert len(mailbox.caught) == 1


def test_f15_a_server_that_does_not_answer_takes_no_reminder_away(firm: Cabinet, mailbox: Mailbox) -> None:
    mailbox.on(CONNECT, Drop())
    with working_for(cabinet_id=firm.pk):
        owe()
    night(firm)

    assert depart(firm) == {"unreachable": 1}
    assert depart(firm, time=dt.time(10, 1)) == {"accepted": 1}


def test_f16_a_message_that_left_and_was_not_recorded_is_never_sent_again(
    firm: Cabinet, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_for(cabinet_id=firm.pk):
        owe()
    night(firm)

    def fail(**facts: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(outcomes, "record", fail)
        assert depart(firm) == {"failed": 1}
    for hour in range(11, 18):
        assert depart(firm, time=dt.time(hour)) == {}
    expire(firm)

    assert list(mailbox.message_ids.values()) == [1]
    with working_for(cabinet_id=firm.pk):
        assert [task.kind for task in Task.objects.all()] == ["unknown_outcome"]


def expire(firm: Cabinet) -> None:
    later = at(firm, TODAY, dt.time(18))
    with time_machine.travel(later, tick=False):
        for cabinet_id, ids in dispatch.expired_claims(now=later).items():
            dispatch.settle_expired(cabinet_id=cabinet_id, reminder_ids=ids, now=later)


def test_f17_a_person_who_finds_that_nothing_left_has_it_sent_for_real(firm: Cabinet, mailbox: Mailbox) -> None:
    mailbox.on(END, Drop())
    with working_for(cabinet_id=firm.pk):
        owe()
    live(firm)
    assert mailbox.caught == []

    with working_for(cabinet_id=firm.pk):
        doubtful = Reminder.objects.get(state=ReminderState.UNKNOWN)
        approving.resolve_unknown(reminder_id=doubtful.pk, by=make_member(), has_left=False)
    live(firm, start=TODAY + days(1))

    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get(state=ReminderState.ACCEPTED).rank == doubtful.rank
    assert len(mailbox.caught) == 1


def test_f18_the_database_refuses_the_same_step_of_an_invoice_twice(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder(state=ReminderState.ACCEPTED, spoken_on=TODAY)
        line = ReminderLine.objects.get()
        with pytest.raises(IntegrityError, match="one_step_once"), transaction.atomic():
            ReminderLine(
                reminder=reminder,
                case_id=line.case_id,
                invoice_id=line.invoice_id,
                rank=1,
                is_claimed=True,
                owed_cents=1,
            ).save(force_insert=True)


def test_f18_the_database_refuses_two_reminders_in_preparation_for_one_debtor(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        make_reminder()
        case = DunningCase.objects.get()
        with pytest.raises(IntegrityError, match="one_pending_reminder_per_debtor"), transaction.atomic():
            make_reminder(case)


def test_f19_a_finished_ladder_says_nothing_more(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=60)
        DunningCase.objects.update(next_rank=5, next_action_on=TODAY)

    for minutes in range(0, 60, 15):
        night(firm)
        depart(firm, time=dt.time(10, minutes))
    live(firm, start=TODAY + days(1), count=10)

    assert mailbox.caught == []
    with working_for(cabinet_id=firm.pk):
        assert (case_of(invoice.pk).code, case_of(invoice.pk).next_action_on) == (Code.LADDER_DONE, None)


def test_f20_each_reminder_counts_its_own_attempts(firm: Cabinet, mailbox: Mailbox) -> None:
    mailbox.on(RCPT, Reply("451 later"), None, Reply("451 later"), None)
    with working_for(cabinet_id=firm.pk):
        owe()
        owe()
    night(firm)
    for minutes in (0, 15, 45):
        depart(firm, time=dt.time(10, minutes))

    with working_for(cabinet_id=firm.pk):
        assert sorted(Reminder.objects.values_list("state", "attempts")) == [("accepted", 1), ("accepted", 3)]


def test_f22_a_debtor_who_never_answers_hears_from_the_firm_a_few_times_and_no_more(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(late=3)

    live(firm, count=60)

    assert len(mailbox.caught) == 3
    with working_for(cabinet_id=firm.pk):
        assert sorted(Reminder.objects.values_list("rank", "state")) == [
            (1, "accepted"), (2, "accepted"), (3, "accepted"), (4, "awaiting_approval"),
        ]  # fmt: skip


def test_f22_one_debtor_of_many_invoices_is_contacted_four_times_in_thirty_days_at_most(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        first = owe(late=3)
    for number in range(30):
        day = TODAY + days(number)
        with working_for(cabinet_id=firm.pk):
            owe(late=3, on=day, dossier=first.dossier)
        live(firm, start=day)

    with working_for(cabinet_id=firm.pk):
        spoken = sorted(day for day in Reminder.objects.values_list("spoken_on", flat=True) if day)
    assert len(mailbox.caught) == len(spoken) == 4
    assert min(later - earlier for earlier, later in itertools.pairwise(spoken)) >= days(7)


def test_f23_the_second_step_keeps_its_distance_from_the_first_that_really_left(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=9)

    live(firm, count=7)
    assert len(mailbox.caught) == 1
    live(firm, start=TODAY + days(7))

    with working_for(cabinet_id=firm.pk):
        gone = Reminder.objects.order_by("rank").values_list("rank", "spoken_on")
        assert list(gone) == [(1, TODAY), (2, TODAY + days(7))]
        assert case_of(invoice.pk).next_rank == 3


def test_f23_an_hour_later_or_a_day_later_is_no_reason_to_repeat(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe()
    live(firm)
    declare(firm, TODAY + days(1))
    night(firm, on=TODAY + days(1))

    assert depart(firm, on=TODAY + days(1), time=MORNING) == {}
    assert len(mailbox.caught) == 1
