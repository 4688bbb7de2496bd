"""The set-based night answers what the policy answers, on firms drawn at random; twice changes nothing."""

import datetime as dt
from collections import Counter
from uuid import UUID

import pytest
from django.db import connections

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.models import Cabinet, Notification, Task
from cabinets.scoping import tenant_atomic, working_for
from dunning.enums import Channel, Code, Reason, ReminderState
from dunning.grouping import Candidate, group
from dunning.models import Decision, DunningCase, NightlyRun, Reminder, ReminderLine, Step
from dunning.policy import Verdict, decide
from dunning.reach import best_way
from dunning.services import nights
from dunning.services.facts import addressee_in, load_facts, reach_of
from invoices.enums import InvoiceKind, StopKind
from invoices.models import Standstill
from tests.dunning.worlds import draw_firm
from tests.factories.cabinets import make_cabinet, make_client, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

SEEDS = range(8)
Expected = dict[UUID, tuple[Code, tuple[Reason, ...]]]


def expected_of(cabinet: Cabinet) -> tuple[Expected, int]:
    """Judge every due case with the policy and the grouping, one by one."""
    cases = list(
        DunningCase.objects.filter(next_action_on__lte=TODAY).select_related("invoice__dossier__billing_contact")
    )
    facts = load_facts(invoice_ids=[case.invoice_id for case in cases], on=TODAY, now=cabinet.now())
    verdicts = {case.invoice_id: decide(facts[case.invoice_id], on=TODAY) for case in cases}
    answer: Expected = {invoice_id: (verdict.code, ()) for invoice_id, verdict in verdicts.items()}
    messages = 0
    for client_id in {case.client_id for case in cases}:
        mine = [case for case in cases if case.client_id == client_id and is_candidate(verdicts[case.invoice_id])]
        said, waiting = group([candidate_of(case, facts[case.invoice_id]) for case in mine])
        if said is None:
            continue
        messages += 1
        asked = any(verdicts[one.invoice_id].reasons for one in said.claimed)
        for one in said.claimed:
            code = Code.NEEDS_APPROVAL if asked else Code.SEND
            answer[one.invoice_id] = (code, tuple(sorted(verdicts[one.invoice_id].reasons)))
        for one in (*said.mentioned, *waiting):
            answer[one.invoice_id] = (Code.CONTACT_CAP, tuple(sorted(verdicts[one.invoice_id].reasons)))
    return answer, messages


def is_candidate(verdict: Verdict) -> bool:
    return verdict.code in {Code.SEND, Code.NEEDS_APPROVAL}


def candidate_of(case: DunningCase, facts: object) -> Candidate:
    contact = case.invoice.dossier.billing_contact
    return Candidate(
        invoice_id=case.invoice_id,
        offset_days=facts.step.offset_days,  # type: ignore[attr-defined]
        tone=facts.step.tone,  # type: ignore[attr-defined]
        kind=facts.kind,  # type: ignore[attr-defined]
        contact_id=contact.pk if contact is not None and not contact.is_archived else None,
        due_on=case.invoice.due_on,
        channel=channel_of(case, facts),
    )


def channel_of(case: DunningCase, facts: object) -> Channel:
    step = Step.objects.get(version=case.version_id, rank=case.next_rank)
    return best_way(
        reach_of(case.client, addressee_in(case), has_sms=True),
        channel=Channel(step.channel),
        companions=[Channel(one) for one in step.companions],
        tone=facts.step.tone,  # type: ignore[attr-defined]
    )[0]


def tonight(*cabinets: Cabinet) -> list[nights.FirmNight]:
    return [nights.FirmNight(cabinet=cabinet, on=TODAY, now=cabinet.now()) for cabinet in cabinets]


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("seed", SEEDS)
def test_decides_as_the_policy_does_on_every_drawn_firm(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nights, "ORDINARY_NIGHT", 10_000)
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        draw_firm(cabinet, seed=seed, clients=60)
    with working_for(cabinet_id=cabinet.pk):
        expected, messages = expected_of(cabinet)

    tally = nights.evaluate(tonight(cabinet))[cabinet.pk]

    with working_for(cabinet_id=cabinet.pk):
        decided = {
            row.invoice_id: (Code(row.code), tuple(sorted(row.facts.get("reasons", ()))))
            for row in Decision.objects.filter(on=TODAY)
        }
        assert decided == expected
        assert tally.cases == Counter(code for code, _ in expected.values())
        assert Reminder.objects.filter(on=TODAY).count() == messages


FRESHNESS = [
    pytest.param(1, None, False, id="declared yesterday"),
    pytest.param(7, None, False, id="declared seven days ago"),
    pytest.param(8, None, True, id="declared too long ago"),
    pytest.param(None, None, True, id="never declared"),
    pytest.param(None, 0, False, id="the bank answers for today"),
    pytest.param(30, 1, False, id="the bank answers for tomorrow"),
    pytest.param(None, -1, True, id="the bank stopped"),
    pytest.param(1, -1, False, id="the bank stopped, a person declared yesterday"),
    pytest.param(2, -1, True, id="the bank stopped, a person declared too long ago"),
]


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("declared", "fresh", "is_stale"), FRESHNESS)
def test_knows_as_the_policy_does_whether_payments_are_known(
    declared: int | None, fresh: int | None, is_stale: bool
) -> None:
    cabinet = make_cabinet(
        settlements_declared_on=None if declared is None else TODAY - dt.timedelta(days=declared),
        feed_fresh_until_on=None if fresh is None else TODAY + dt.timedelta(days=fresh),
    )
    with working_for(cabinet_id=cabinet.pk):
        make_case()
        make_case()
        expected, _ = expected_of(cabinet)

    nights.evaluate(tonight(cabinet))

    with working_for(cabinet_id=cabinet.pk):
        assert {row.invoice_id: Code(row.code) for row in Decision.objects.filter(on=TODAY)} == {
            pk: code for pk, (code, _) in expected.items()
        }
        assert ({code for code, _ in expected.values()} == {Code.STALE_SOURCE}) is is_stale


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_changes_nothing_when_it_runs_twice() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        draw_firm(cabinet, seed=99, clients=12)
    nights.evaluate(tonight(cabinet))
    first = snapshot(cabinet)

    again = nights.evaluate(tonight(cabinet))

    assert sum(again[cabinet.pk].cases.values()) == 0
    assert snapshot(cabinet) == first


def snapshot(cabinet: Cabinet) -> tuple[int, int, int, list[object]]:
    with working_for(cabinet_id=cabinet.pk):
        cases = list(DunningCase.objects.order_by("pk").values_list("pk", "next_action_on", "code"))
        return Decision.objects.count(), Reminder.objects.count(), ReminderLine.objects.count(), list(cases)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_plans_nothing_while_another_night_is_running() -> None:
    cabinet = make_cabinet()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [nights._NIGHT_LOCK])
        try:
            assert nights.evaluate(tonight(cabinet)) == {}
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [nights._NIGHT_LOCK])


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_claims_the_invoices_at_the_highest_step_and_mentions_the_others() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        client = make_client()
        first = make_invoice(client=client, due_on=TODAY - dt.timedelta(days=12))
        second = make_invoice(dossier=first.dossier, due_on=TODAY - dt.timedelta(days=4), total_cents=10_000)
        make_case(invoice=first, rank=2)
        make_case(invoice=second)

    nights.evaluate(tonight(cabinet))

    with working_for(cabinet_id=cabinet.pk):
        reminder = Reminder.objects.get()
        lines = ReminderLine.objects.values_list("invoice_id", "is_claimed", "owed_cents", "rank")
        assert (reminder.state, reminder.rank, reminder.total_cents) == (ReminderState.PLANNED, 2, 144_000)
        assert set(lines) == {(first.pk, True, 144_000, 2), (second.pk, False, 10_000, 1)}
        case = DunningCase.objects.get(invoice=second)
        assert (case.code, case.next_action_on) == (Code.CONTACT_CAP, TODAY + dt.timedelta(days=7))


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_makes_an_unusual_night_wait_for_a_person() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        partner = make_member(role=Role.OWNER)
        make_member(role=Role.ACCOUNTANT)
        make_member(role=Role.ASSISTANT)
        for _ in range(21):
            make_case(invoice=make_invoice(due_on=TODAY - dt.timedelta(days=4)))

    tally = nights.evaluate(tonight(cabinet))[cabinet.pk]

    with working_for(cabinet_id=cabinet.pk):
        assert tally.cases == Counter({Code.NIGHT_ABNORMAL: 21})
        assert Reminder.objects.count() == 0
        assert NightlyRun.objects.get().is_abnormal is True
        told = Notification.objects.values_list("member", "kind", "task_kind", "subject_id")
        assert list(told) == [(partner.pk, "night", "abnormal_night", NightlyRun.objects.get().pk)]


@pytest.mark.parametrize(
    ("messages", "usual", "open_cases", "answer"),
    [
        (20, [], 20, False),
        (21, [], 1000, True),
        (21, [10, 10, 10], 1000, False),
        (31, [10, 10, 10], 1000, True),
        (30, [10, 10, 10], 119, True),
        (30, [10, 10, 10], 120, False),
    ],
)
def test_knows_an_abnormal_night(messages: int, usual: list[int], open_cases: int, answer: bool) -> None:
    assert nights.is_abnormal(messages=messages, usual=usual, open_cases=open_cases) is answer


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_previews_a_night_and_writes_nothing() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        make_case()
        before = snapshot(cabinet)

    tally = nights.preview(tonight(cabinet)[0])

    assert tally.cases == Counter({Code.SEND: 1})
    assert snapshot(cabinet) == before


def test_refuses_to_widen_outside_a_transaction(cabinet: Cabinet) -> None:
    with tenant_atomic():
        assert load_facts(invoice_ids=[], on=TODAY, now=cabinet.now()) == {}


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_alerts_once_when_two_days_pass_without_an_answer() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        silent = make_reminder(make_case(rank=2), state=ReminderState.ACCEPTED, spoken_on=TODAY - dt.timedelta(days=2))
        make_reminder(make_case(rank=2), state=ReminderState.ACCEPTED, spoken_on=TODAY - dt.timedelta(days=1))
        answered = make_reminder(
            make_case(rank=2), state=ReminderState.ACCEPTED, spoken_on=TODAY - dt.timedelta(days=3)
        )
        Standstill(kind=StopKind.REPLIED, client=answered.client).save(force_insert=True)

    nights.evaluate(tonight(cabinet))
    with working_for(cabinet_id=cabinet.pk):
        assert list(Task.objects.values_list("kind", "subject_id")) == [(TaskKind.NO_ANSWER, silent.pk)]
        Task.objects.update(state=TaskState.DONE)
        NightlyRun.objects.update(finished_at=None)

    nights.evaluate(tonight(cabinet))
    with working_for(cabinet_id=cabinet.pk):
        assert Task.objects.count() == 1


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_hands_an_unpaid_provision_to_a_person_after_the_second_step() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        case = make_case(invoice=make_invoice(kind=InvoiceKind.PROVISION), rank=3)

    nights.evaluate(tonight(cabinet))

    with working_for(cabinet_id=cabinet.pk):
        assert Decision.objects.get().code == Code.PROVISION_END
        assert list(Task.objects.values_list("kind", "subject_id")) == [(TaskKind.PROVISION_END, case.invoice_id)]


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_foresees_the_coming_night_of_a_firm_that_is_not_live_and_writes_nothing() -> None:
    cabinet = make_cabinet(activated_on=None, settlements_declared_on=None)
    with working_for(cabinet_id=cabinet.pk):
        leaving, paid = make_case(), make_case(invoice=make_invoice(settled_cents=144_000))
        before = snapshot(cabinet)
        night = nights.next_night(cabinet)

    seen = {row.invoice_id: row for row in nights.foresee(night)}

    assert (night.on, snapshot(cabinet)) == (TODAY, before)
    assert {invoice: row.code for invoice, row in seen.items()} == {
        leaving.invoice_id: Code.SEND,
        paid.invoice_id: Code.PAID,
    }
    assert seen[leaving.invoice_id].depart_at == cabinet.now()
    assert (seen[leaving.invoice_id].is_claimed, seen[paid.invoice_id].is_claimed) == (True, False)
