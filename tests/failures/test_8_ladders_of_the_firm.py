"""Ladders a firm writes itself: nothing early, nothing twice, nothing lost (failures F26, F30, F32, F37, F74, F75)."""

import pytest

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.enums import ReminderState, Tone
from dunning.errors import ScenarioError
from dunning.models import Reminder, ReminderLine, Scenario, ScenarioVersion, Step
from dunning.rungs import EXPRESS_LADDER, MOST_RUNGS, Rung
from dunning.services import migrating, scenario_editing
from dunning.services.scenarios import default_scenario, publish
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY
from tests.failures.conftest import Mailbox
from tests.failures.days import case_of, days, live, night, owe

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

GENTLE = (
    Rung(offset_days=5, tone=Tone.COURTEOUS),
    Rung(offset_days=15, tone=Tone.COURTEOUS),
    Rung(offset_days=30, tone=Tone.SOLUTIONS),
)


@pytest.mark.parametrize("tone", [tone for tone in Tone if tone != Tone.NOTICE])
def test_f26_no_step_but_a_notice_may_be_set_before_the_due_date(firm: Cabinet, tone: Tone) -> None:
    with working_for(cabinet_id=firm.pk):
        rungs = (Rung(offset_days=-60 if tone == Tone.COURTEOUS else -7, tone=tone), *EXPRESS_LADDER)

        with pytest.raises(ScenarioError):
            scenario_editing.create(name="Inversé", rungs=rungs, by=make_member())

        assert Scenario.objects.count() == 0


def test_f30_a_case_moved_to_a_shorter_ladder_does_not_run_through_its_levels(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=3)
    live(firm)
    with working_for(cabinet_id=firm.pk):
        version = publish(scenario=default_scenario().scenario, ladder=GENTLE)
        migrating.move(case_ids=[case_of(invoice.pk).pk], to=version, by=make_member())

    live(firm, start=TODAY + days(1), count=27)

    with working_for(cabinet_id=firm.pk):
        said = Reminder.objects.filter(state=ReminderState.ACCEPTED).order_by("spoken_on")
        assert list(said.values_list("spoken_on", "step__offset_days")) == [
            (TODAY, 3),
            (TODAY + days(13), 15),  # 7 December, the Monday that follows J+15
            (TODAY + days(27), 30),
        ]
    assert len(mailbox.caught) == 3


def test_f32_two_files_of_one_client_each_follow_their_own_ladder(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        usual, own = make_dossier(client=client), make_dossier(client=client)
        gentle = scenario_editing.create(name="Doux", rungs=GENTLE, by=make_member())
        scenario_editing.choose(dossier=own, scenario_id=gentle.pk, by=make_member())
        first, second = owe(late=3, dossier=usual), owe(late=3, dossier=own)

    live(firm, count=15)

    with working_for(cabinet_id=firm.pk):
        claimed = ReminderLine.objects.filter(is_claimed=True).order_by("reminder__spoken_on")
        assert list(claimed.values_list("invoice_id", "reminder__spoken_on", "reminder__step__offset_days")) == [
            (first.pk, TODAY, 3),
            (first.pk, TODAY + days(7), 10),
            (second.pk, TODAY + days(14), 5),
        ]
    assert [second.number in text for text in mailbox.texts] == [False, True, True]


@pytest.mark.parametrize(("count", "is_kept"), [(1, True), (MOST_RUNGS, True), (MOST_RUNGS + 1, False)])
def test_f37_a_firm_writes_from_one_step_to_twelve(firm: Cabinet, count: int, is_kept: bool) -> None:
    with working_for(cabinet_id=firm.pk):
        rungs = tuple(Rung(offset_days=10 * rank, tone=Tone.COURTEOUS) for rank in range(1, count + 1))

        if is_kept:
            scenario_editing.create(name="À nous", rungs=rungs, by=make_member())
        else:
            with pytest.raises(ScenarioError, match="12 étapes au plus"):
                scenario_editing.create(name="À nous", rungs=rungs, by=make_member())

        assert Step.objects.count() == (count if is_kept else 0)


def test_f74_a_ladder_changes_once_reminders_have_started_and_cases_follow_when_somebody_says_so(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        kept, moved = owe(late=3), owe(late=3)
    live(firm)
    with working_for(cabinet_id=firm.pk):
        version = publish(scenario=default_scenario().scenario, ladder=GENTLE)
        migrating.move(case_ids=[case_of(moved.pk).pk], to=version, by=make_member())

    live(firm, start=TODAY + days(1), count=13)

    with working_for(cabinet_id=firm.pk):
        said = {
            invoice.pk: list(
                ReminderLine.objects.filter(invoice=invoice, is_claimed=True)
                .order_by("reminder__spoken_on")
                .values_list("reminder__step__offset_days", flat=True)
            )
            for invoice in (kept, moved)
        }
        assert said == {kept.pk: [3, 10], moved.pk: [3, 15]}
        assert ScenarioVersion.objects.count() == 2


@pytest.mark.parametrize("late", [30, 60])
def test_f75_the_formal_notice_of_a_short_ladder_is_met_too(firm: Cabinet, late: int) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=late, client=make_client(has_postal=True))
        version = publish(scenario=default_scenario().scenario, ladder=EXPRESS_LADDER)
        case = case_of(invoice.pk)
        case.next_rank, case.last_step_on = 4, TODAY - days(15)
        case.save(update_fields=["next_rank", "last_step_on"])
        migrating.move(case_ids=[case.pk], to=version, by=make_member())

    night(firm)

    with working_for(cabinet_id=firm.pk):
        waiting = Reminder.objects.select_related("step").get()
        assert (waiting.state, waiting.step.tone, waiting.step.offset_days) == (
            ReminderState.AWAITING_APPROVAL, Tone.FORMAL, 30,
        )  # fmt: skip
