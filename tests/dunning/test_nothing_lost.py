"""What a fact that comes at the wrong moment must neither lose, nor say twice, nor say to somebody else."""

import datetime as dt
from contextlib import suppress
from uuid import UUID

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from cabinets.services import clients, dossiers
from dunning.channels.protocol import Outcome, Stage, Verdict
from dunning.enums import Code, ReminderState
from dunning.errors import TooLateError
from dunning.models import DunningCase, NightlyRun, Reminder, ReminderLine
from dunning.services import approving, nights, outcomes
from dunning.services.reading import queue
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement, standstill
from tests.dunning.test_two_nights import at_once
from tests.factories.cabinets import make_cabinet, make_client, make_contact, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


def night(cabinet: Cabinet, *, days: int = 0) -> None:
    now = cabinet.now() + dt.timedelta(days=days)
    nights.evaluate([nights.FirmNight(cabinet=cabinet, on=TODAY + dt.timedelta(days=days), now=now)])


def test_says_nothing_again_while_nobody_knows_whether_a_message_left() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        case = make_case()
        make_reminder(case, state=ReminderState.UNKNOWN, spoken_on=TODAY - dt.timedelta(days=8))
        (hold,) = standstill.declare(kind=StopKind.HOLD, target=case.invoice)
        standstill.release(standstill_id=hold.pk)

    night(cabinet, days=1)

    with working_for(cabinet_id=cabinet.pk):
        assert [row.state for row in Reminder.objects.all()] == ["unknown"]
        assert DunningCase.objects.get().next_action_on is None


def test_keeps_the_day_an_uncertain_message_left_when_a_person_finds_it_did() -> None:
    cabinet = make_cabinet()
    left_on = TODAY - dt.timedelta(days=3)
    left_at = cabinet.now() - dt.timedelta(days=3)
    with working_for(cabinet_id=cabinet.pk):
        reminder = make_reminder(state=ReminderState.UNKNOWN, spoken_on=left_on, spoken_at=left_at)
        found = approving.resolve_unknown(reminder_id=reminder.pk, by=make_member(), has_left=True)

        assert (found.state, found.spoken_on, found.spoken_at) == ("accepted", left_on, left_at)
        assert DunningCase.objects.get().last_step_on == left_on


def test_takes_back_what_was_to_be_said_to_a_contact_who_is_archived() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        client = make_client()
        contact = make_contact(client=client)
        invoice = make_invoice(dossier=make_dossier(client=client, billing_contact=contact))
        make_reminder(make_case(invoice=invoice), contact=contact)

        clients.archive_contact(contact_id=contact.pk)

        assert Reminder.objects.get().state == "cancelled"
        assert DunningCase.objects.get().next_action_on is not None


def test_looks_again_at_a_debt_the_credits_of_its_client_no_longer_cover() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        client = make_client()
        first = make_case(invoice=make_invoice(client=client, total_cents=50_000))
        settlement.give_client_credit(client_id=client.pk, cents=50_000)
    night(cabinet)
    with working_for(cabinet_id=cabinet.pk):
        assert DunningCase.objects.get().code == Code.CLIENT_IN_CREDIT
        make_invoice(client=client, total_cents=90_000)

    night(cabinet, days=1)

    with working_for(cabinet_id=cabinet.pk):
        assert DunningCase.objects.get(pk=first.pk).code in {Code.SEND, Code.NEEDS_APPROVAL}


def test_counts_what_a_colleague_bills_before_saying_that_credits_cover_the_debt() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        client = make_client(credit_cents=60_000)
        mine = make_invoice(client=client, total_cents=50_000)
        make_invoice(client=client, total_cents=90_000)
        lawyer = make_member(role=Role.LAWYER, sees_every_file=False)
        dossiers.assign(dossier_id=mine.dossier_id, member_id=lawyer.pk)
        reminder = make_reminder(make_case(invoice=mine), state=ReminderState.AWAITING_APPROVAL)
    with working_for(cabinet_id=cabinet.pk, member_id=lawyer.pk):
        assert approving.approve(reminder_id=reminder.pk, by=lawyer).state == "approved"
        assert Invoice.objects.count() == 1


def test_shows_the_text_that_will_leave_not_the_one_a_server_put_off() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        reminder = make_reminder(
            state=ReminderState.SENDING, generation=1, html="<p>Ancien</p>", subject="Ancien", recipient="a@b.example"
        )
        later = Outcome(verdict=Verdict.POSTPONED, stage=Stage.RECIPIENT, code=451, text="later")

        outcomes.record(reminder_id=reminder.pk, generation=1, outcome=later)

        kept = Reminder.objects.get()
        assert (kept.state, kept.html, kept.subject, kept.recipient) == ("planned", "", "", "")


def test_does_not_open_a_past_night_again() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        yesterday = TODAY - dt.timedelta(days=1)
        past = NightlyRun(on=yesterday, started_at=cabinet.now(), finished_at=cabinet.now(), is_abnormal=True)
        past.save(force_insert=True)
        case = make_case(code=Code.NIGHT_ABNORMAL)

        with pytest.raises(TooLateError):
            approving.confirm_night(night_id=past.pk, by=make_member())

        assert NightlyRun.objects.get().finished_at is not None
        assert DunningCase.objects.get(pk=case.pk).next_action_on == TODAY


def test_a_batch_says_that_a_first_accord_is_not_enough() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        reminder = make_reminder(
            make_case(invoice=make_invoice(client=make_client(needs_two_approvals=True))),
            state=ReminderState.AWAITING_APPROVAL,
            reasons=["two_people"],
        )

        done, refused = approving.approve_many(reminder_ids=[reminder.pk], by=make_member())

        assert (done, refused) == ([], [(reminder.pk, approving.FIRST_ACCORD)])


def test_skips_a_step_and_records_a_payment_at_the_same_moment_without_a_deadlock() -> None:
    cabinet = make_cabinet()
    for _ in range(6):
        with working_for(cabinet_id=cabinet.pk):
            reminder, member = make_reminder(state=ReminderState.AWAITING_APPROVAL), make_member()
            invoice_id = ReminderLine.objects.get(reminder=reminder).invoice_id

        def skip(reminder_id: UUID = reminder.pk, by: Membership = member) -> None:
            with working_for(cabinet_id=cabinet.pk), suppress(TooLateError):
                approving.skip(reminder_id=reminder_id, by=by, reason="Vu au téléphone")

        def pay(paid: UUID = invoice_id) -> None:
            with working_for(cabinet_id=cabinet.pk):
                settlement.settle(invoice_id=paid, cents=144_000)

        at_once(skip, pay)


def test_says_the_firms_own_day_of_what_stops_an_invoice() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        reminder = make_reminder(state=ReminderState.AWAITING_APPROVAL)
        line = ReminderLine.objects.select_related("invoice__dossier").get()
        standstill.declare(kind=StopKind.HOLD, target=line.invoice)
        half_past_midnight = dt.datetime.combine(TODAY, dt.time(0, 30), tzinfo=cabinet.zone)
        Standstill.objects.update(created_at=half_past_midnight)

        facts = queue.known(reminder, [line], cabinet)

        assert [fact.text for fact in facts if fact.icon == "circle-pause"] == ["Depuis le 24\u00a0novembre 2026"]
