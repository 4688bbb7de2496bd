"""Missed, skipped or wrongly levelled (failures F25–F38)."""

import datetime as dt

import pytest

from cabinets.enums import ClientKind, Role, TaskKind
from cabinets.models import Cabinet, Task
from cabinets.scoping import working_for
from dunning.channels.protocol import Outgoing
from dunning.enums import Code, Entry, Reason, ReminderState, Tone
from dunning.models import Decision, DunningCase, FailedJob, Reminder, ReminderLine, Scenario, ScenarioVersion, Step
from dunning.rungs import Rung
from dunning.services import approving, composing, dispatch
from dunning.services.claiming import Checked, Words
from dunning.services.scenarios import default_scenario, publish
from invoices.enums import StopKind
from invoices.errors import AlreadySaidError
from invoices.services import editing, settlement, standstill
from invoices.services.entering import InvoiceFacts, enter_invoice
from payments.enums import PlanState
from payments.models import Instalment, PaymentPlan
from payments.services import links, plans
from templates_lib.rendering import day_words
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY
from tests.failures.conftest import Mailbox
from tests.failures.days import case_of, days, depart, live, night, owe

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


def test_f25_a_night_that_did_not_run_is_caught_up_one_step_at_a_time(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(late=0, on=TODAY - days(12))

    live(firm)  # twelve days late, and no night until now
    with working_for(cabinet_id=firm.pk):
        assert list(Reminder.objects.values_list("rank", "state")) == [(1, ReminderState.ACCEPTED)]
    live(firm, start=TODAY + days(1), count=6)
    assert len(mailbox.caught) == 1
    live(firm, start=TODAY + days(7))

    with working_for(cabinet_id=firm.pk):
        assert sorted(Reminder.objects.values_list("rank", "spoken_on")) == [(1, TODAY), (2, TODAY + days(7))]


def test_f26_says_nothing_before_the_due_date_nor_before_the_third_day_after_it(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(late=-5)

    live(firm, count=8)
    assert mailbox.caught == []
    live(firm, start=TODAY + days(8))

    assert len(mailbox.caught) == 1


def test_f27_one_reminder_that_cannot_be_written_does_not_hold_back_the_others(
    firm: Cabinet, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_for(cabinet_id=firm.pk):
        for _ in range(3):
            owe()
    night(firm)
    with working_for(cabinet_id=firm.pk):
        broken = dispatch.due_reminders(now=firm.now())[firm.pk][0]
    write = composing.write_email

    def fail(checked: Checked, *, sender: composing.Sender) -> Words[Outgoing]:
        if checked.reminder.pk == broken:
            raise RuntimeError("a fault nobody foresaw")
        return write(checked, sender=sender)

    with monkeypatch.context() as faulty:
        faulty.setattr(dispatch, "write_email", fail)
        assert depart(firm) == {"failed": 1, "accepted": 2}

    assert list(FailedJob.objects.using("operator").values_list("name", "subject_id", "error")) == [
        ("dunning.send", broken, "RuntimeError")
    ]
    assert depart(firm, time=dt.time(10, 30)) == {"accepted": 1}
    assert len(mailbox.caught) == 3


def test_f29_an_older_invoice_that_appears_does_not_restart_the_ladder_of_the_others(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        known = owe(late=3)
    live(firm, count=6)
    with working_for(cabinet_id=firm.pk):
        older = owe(late=9, on=TODAY + days(6), dossier=known.dossier)
    live(firm, start=TODAY + days(6), count=2)

    with working_for(cabinet_id=firm.pk):
        assert (case_of(known.pk).next_rank, case_of(older.pk).next_rank) == (3, 1)
        said = set(ReminderLine.objects.filter(reminder__rank=2).values_list("invoice", "is_claimed"))
        assert said == {(known.pk, True), (older.pk, False)}


def test_f29_paying_the_oldest_invoice_leaves_the_others_where_they_were(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        oldest = owe(late=9)
        other = owe(late=5, dossier=oldest.dossier)
    live(firm)
    with working_for(cabinet_id=firm.pk):
        settlement.settle(invoice_id=oldest.pk, cents=144_000)

        assert (case_of(other.pk).next_rank, case_of(other.pk).last_step_on) == (2, TODAY)


def test_f30_an_old_debt_meets_the_first_text_after_an_accord_then_the_scenarios_own_gaps(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=60)
    live(firm)
    with working_for(cabinet_id=firm.pk):
        waiting = Reminder.objects.get()
        assert (waiting.rank, waiting.state, waiting.reasons) == (
            1, ReminderState.AWAITING_APPROVAL, [Reason.LATE_ENTRY],
        )  # fmt: skip
        approving.approve(reminder_id=waiting.pk, by=make_member())
    depart(firm, time=dt.time(11))
    live(firm, start=TODAY + days(1), count=27)

    with working_for(cabinet_id=firm.pk):
        assert sorted(Reminder.objects.values_list("rank", "on", "state")) == [
            (1, TODAY, "accepted"),
            (2, TODAY + days(7), "accepted"),
            (3, TODAY + days(27), "accepted"),
        ]
        assert case_of(invoice.pk).entry == Entry.LATE
    assert len(mailbox.caught) == 3


@pytest.mark.parametrize("late", [91, 400, 1500])
def test_f31_a_debt_of_several_months_or_years_is_paused_for_a_person(
    firm: Cabinet, mailbox: Mailbox, late: int
) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=late)

    live(firm, count=3)

    assert mailbox.caught == []
    with working_for(cabinet_id=firm.pk):
        assert case_of(invoice.pk).code in {Code.HOLD, Code.PRESCRIBED}
        assert list(Task.objects.values_list("kind", "subject_id")) == [("review_old_debt", invoice.pk)]


def test_f32_an_invoice_reminded_alone_does_not_silence_the_others(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        first = owe(late=9)
        second = owe(late=1, dossier=first.dossier)

    live(firm, count=15)

    with working_for(cabinet_id=firm.pk):
        said = ReminderLine.objects.order_by("reminder__spoken_on", "rank")
        assert list(said.values_list("reminder__spoken_on", "invoice_id", "rank", "is_claimed")) == [
            (TODAY, first.pk, 1, True),
            (TODAY + days(7), second.pk, 1, False),
            (TODAY + days(7), first.pk, 2, True),
            (TODAY + days(14), second.pk, 1, True),
        ]
    assert [second.number in text for text in mailbox.texts] == [False, True, True]


def test_f34_an_invoice_under_a_payment_plan_is_not_chased_on_its_own_due_date(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        standstill.declare(kind=StopKind.PLAN, target=owe(), until_on=TODAY + days(20))

    live(firm, count=20)

    assert mailbox.caught == []


def test_f33_and_f34_each_instalment_is_reminded_before_its_own_date_and_the_invoice_never(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        consumer = make_client(kind=ClientKind.CONSUMER)
        invoice = owe(dossier=make_dossier(client=consumer, kind=ClientKind.CONSUMER))
        link, lawyer = links.link_for(client=invoice.dossier.client), make_member(role=Role.LAWYER)
        plan = plans.propose(link=link, count=3, first_on=dt.date(2026, 12, 1), today=TODAY)
        plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
        dates = list(Instalment.objects.order_by("rank").values_list("due_on", flat=True))
    said: list[tuple[dt.date, str]] = []
    for number in range(75):
        day = TODAY + days(number)
        if day in dates:
            with working_for(cabinet_id=firm.pk):
                settlement.settle(invoice_id=invoice.pk, cents=48_000)
        live(firm, start=day)
        said += [(day, str(letter["Subject"]).replace("\xa0", " ")) for letter in mailbox.letters[len(said) :]]

    assert dates == [dt.date(2026, 12, 1), dt.date(2027, 1, 4), dt.date(2027, 2, 1)]
    assert said == [
        (TODAY + days(1), "Échéancier – confirmation"),
        # Three days before the first is a Saturday, and before the second a public holiday.
        (dt.date(2026, 11, 27), "Versement du 1er décembre 2026"),
        (dt.date(2026, 12, 31), "Versement du 4 janvier 2027"),
        (dt.date(2027, 1, 29), "Versement du 1er février 2027"),
    ]
    with working_for(cabinet_id=firm.pk):
        assert PaymentPlan.objects.get().state == PlanState.KEPT
        assert not Reminder.objects.exists()


def test_f34_a_missed_instalment_is_a_persons_and_the_ladder_says_nothing(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        consumer = make_client(kind=ClientKind.CONSUMER)
        invoice = owe(dossier=make_dossier(client=consumer, kind=ClientKind.CONSUMER))
        link, lawyer = links.link_for(client=invoice.dossier.client), make_member(role=Role.LAWYER)
        plan = plans.propose(link=link, count=3, first_on=dt.date(2026, 12, 1), today=TODAY)
        plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)

    live(firm, count=90)

    with working_for(cabinet_id=firm.pk):
        assert PaymentPlan.objects.get().state == PlanState.BROKEN
        assert list(Task.objects.filter(state="open").values_list("kind", "subject_id")) == [
            (TaskKind.PLAN_REQUEST, plan.pk)
        ]
        assert not Reminder.objects.exists()
        plans.cancel(plan_id=plan.pk, by=lawyer)
    assert [str(letter["Subject"]).replace("\xa0", " ") for letter in mailbox.letters] == [
        "Échéancier – confirmation",
        "Versement du 1er décembre 2026",
    ]
    # From where it was: the first step, and not the ninetieth day's.
    live(firm, start=TODAY + days(90), count=2)
    with working_for(cabinet_id=firm.pk):
        assert list(Reminder.objects.values_list("rank", flat=True)) == [1]


def test_f35_steps_count_from_the_date_the_client_was_told(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=3)

    live(firm)

    assert [day_words(invoice.due_on).replace("\xa0", " ") in text for text in mailbox.texts] == [True]
    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().on == invoice.due_on + days(3)


def test_f36_an_invoice_the_product_never_sent_is_reminded_all_the_same(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        facts = InvoiceFacts(
            dossier_id=make_dossier().pk,
            number="PAPIER-7",
            issued_on=TODAY - days(34),
            due_on=TODAY - days(4),
            total_cents=90_000,
        )
        enter_invoice(facts=facts, on=TODAY)

    live(firm)

    assert ["PAPIER-7" in text for text in mailbox.texts] == [True]


def test_f37_a_ladder_has_as_many_steps_as_a_firm_wants(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        assert Step.objects.filter(version=default_scenario()).count() == 4
        scenario = Scenario(name="Longue")
        scenario.save(force_insert=True)
        ladder = [Rung(offset_days=10 * rank, tone=Tone.COURTEOUS) for rank in range(1, 10)]

        version: ScenarioVersion = publish(scenario=scenario, ladder=ladder)

        offsets = Step.objects.filter(version=version).order_by("rank").values_list("offset_days", flat=True)
        assert list(offsets) == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_f38_an_invoice_that_may_no_longer_be_edited_is_still_reminded(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=3)
    live(firm)
    with working_for(cabinet_id=firm.pk), pytest.raises(AlreadySaidError):
        editing.edit_invoice(
            invoice_id=invoice.pk,
            facts=InvoiceFacts(
                dossier_id=invoice.dossier_id,
                number=invoice.number,
                issued_on=invoice.issued_on,
                due_on=invoice.due_on,
                total_cents=1,
            ),
        )
    live(firm, start=TODAY + days(1), count=7)

    assert len(mailbox.caught) == 2


def test_f38_every_case_due_has_a_decision(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        for late in (3, 5, 9):
            owe(late=late, client=client)

    night(firm)

    with working_for(cabinet_id=firm.pk):
        assert Decision.objects.count() == DunningCase.objects.count() == 3
