"""Plans agreed: what a proposal stops, what an acceptance starts, what money, the night and a person change."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from cabinets.enums import ClientKind, LegalAid, Role, TaskKind, TaskState
from cabinets.errors import RightMissingError
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from cabinets.scoping import working_for
from invoices.enums import LimitationEffect, StopKind
from invoices.law.limitation import Nature
from invoices.models import Invoice, LimitationEvent, Standstill
from invoices.services import settlement, standstill
from invoices.services.editing import write_off
from payments.enums import MailState, PaymentState, PlanMail, PlanOrigin, PlanState
from payments.errors import PlanError
from payments.models import (
    Allocation,
    Instalment,
    Payment,
    PaymentLink,
    PaymentPlan,
    PlanLine,
    PlanMessage,
    PlanSettings,
)
from payments.services import links, plan_following, plan_terms, plans, recording
from payments.services.plan_reading import next_due, view_of
from payments.services.recording import Receipt
from tests.factories.cabinets import assign, make_client, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder
from tests.factories.payments import make_payment

FIRST = dt.date(2026, 12, 1)
SECOND, THIRD = dt.date(2027, 1, 4), dt.date(2027, 2, 1)
LAST_DAY = dt.date(2027, 2, 3)


@pytest.fixture
def client(cabinet: Cabinet) -> Client:
    return make_client(kind=ClientKind.CONSUMER, company="", last_name="Martin", email="jeanne@martin.example")


@pytest.fixture
def lawyer(cabinet: Cabinet) -> Membership:
    return make_member(role=Role.LAWYER, sees_every_file=True)


@pytest.fixture
def invoice(client: Client) -> Invoice:
    dossier = make_dossier(client=client, kind=ClientKind.CONSUMER)
    return make_invoice(dossier=dossier, number="F-2026-0412")


def propose(link: PaymentLink, *, count: int = 3, first_on: dt.date = FIRST, today: dt.date = TODAY) -> PaymentPlan:
    return plans.propose(link=link, count=count, first_on=first_on, today=today)


def agreed(link: PaymentLink, lawyer: Membership) -> PaymentPlan:
    return plans.accept(plan_id=propose(link).pk, by=lawyer, today=TODAY)


def stops(invoice: Invoice) -> list[tuple[str, dt.date | None]]:
    rows = Standstill.objects.filter(invoice=invoice, released_at=None).order_by("created_at", "pk")
    return list(rows.values_list("kind", "until_on"))


def state(plan: PaymentPlan) -> str:
    return PaymentPlan.objects.values_list("state", flat=True).get(pk=plan.pk)


def asked() -> list[tuple[str, object]]:
    rows = Task.objects.filter(state=TaskState.OPEN).order_by("created_at")
    return list(rows.values_list("kind", "subject_id"))


def said(plan: PaymentPlan) -> list[tuple[str, str]]:
    return list(PlanMessage.objects.filter(plan=plan).order_by("created_at").values_list("kind", "state"))


def watch(on: dt.date) -> int:
    return plan_following.watch(on=on)


def test_a_proposal_holds_the_ladder_and_asks_a_person(
    link: PaymentLink, invoice: Invoice, ladder: RecordingLadder
) -> None:
    plan = propose(link)

    assert (plan.state, plan.origin, plan.total_cents, plan.proposed_on) == ("proposed", "debtor", 144_000, TODAY)
    assert list(Instalment.objects.order_by("rank").values_list("rank", "due_on", "cents")) == [
        (1, FIRST, 48_000),
        (2, SECOND, 48_000),
        (3, THIRD, 48_000),
    ]
    assert list(PlanLine.objects.values_list("invoice", "owed_cents")) == [(invoice.pk, 144_000)]
    assert stops(invoice) == [("hold", None)]
    assert ladder.stopped == [("HOLD", {invoice.pk})]
    assert asked() == [(TaskKind.PLAN_REQUEST, plan.pk)]
    assert said(plan) == []
    assert not LimitationEvent.objects.exists()


def test_proposing_twice_is_proposing_once(link: PaymentLink) -> None:
    assert propose(link).pk == propose(link, count=2).pk
    assert PaymentPlan.objects.count() == 1
    assert len(asked()) == 1


def test_acceptance_puts_the_plan_in_the_place_of_the_ladder(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = agreed(link, lawyer)

    assert (plan.state, plan.agreed_on, plan.accepted_by, plan.ends_on) == ("active", TODAY, lawyer, LAST_DAY)
    assert stops(invoice) == [("plan", LAST_DAY)]
    assert asked() == []
    assert said(plan) == [(PlanMail.CONFIRMED, MailState.WAITING)]
    assert list(JournalEntry.objects.filter(event__startswith="paymentplan").values_list("event", flat=True)) == [
        "paymentplan.proposed",
        "paymentplan.accepted",
    ]


def test_acceptance_interrupts_limitation_on_the_day_the_client_said_it(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = propose(link)
    later = TODAY + dt.timedelta(days=3)

    plans.accept(plan_id=plan.pk, by=lawyer, today=later)
    plans.accept(plan_id=plan.pk, by=lawyer, today=later)

    event = LimitationEvent.objects.get()
    assert (event.dossier_id, event.on, event.until_on) == (invoice.dossier_id, TODAY, None)
    assert (event.nature, event.effect, event.recorded_by) == (
        Nature.PLAN_ACCEPTED.value,
        LimitationEffect.INTERRUPT,
        lawyer,
    )
    assert len(said(plan)) == 1
    assert stops(invoice) == [("plan", LAST_DAY)]


def test_the_firm_may_let_what_is_within_its_limits_be_accepted_alone(
    link: PaymentLink, invoice: Invoice, owner: Membership
) -> None:
    plan_terms.save_settings(by=owner, accepts_alone=True)

    plan = propose(link)

    assert (plan.state, plan.agreed_on, plan.accepted_by) == (PlanState.ACTIVE, TODAY, None)
    assert stops(invoice) == [("plan", LAST_DAY)]
    assert asked() == []
    assert LimitationEvent.objects.count() == 1


@pytest.mark.parametrize("role", [Role.ACCOUNTANT])
def test_who_may_not_decide_changes_nothing(link: PaymentLink, role: Role) -> None:
    plan, member = propose(link), make_member(role=role)

    acts: tuple[Callable[[], object], ...] = (
        lambda: plans.accept(plan_id=plan.pk, by=member, today=TODAY),
        lambda: plans.refuse(plan_id=plan.pk, by=member, text="Non."),
        lambda: plans.cancel(plan_id=plan.pk, by=member),
        lambda: plans.counter(plan_id=plan.pk, by=member, count=2, first_on=FIRST, today=TODAY),
    )
    for act in acts:
        with pytest.raises(RightMissingError):
            act()
    assert state(plan) == PlanState.PROPOSED


def test_only_a_lawyer_notes_a_written_agreement(link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    assistant = make_member(role=Role.ASSISTANT, sees_every_file=True)
    plan = offer(invoice, assistant)

    with pytest.raises(RightMissingError):
        plans.accept_in_writing(plan_id=plan.pk, by=assistant, agreed_on=TODAY, today=TODAY)
    with pytest.raises(PlanError, match="n’est pas à venir"):
        plans.accept_in_writing(plan_id=plan.pk, by=lawyer, agreed_on=TODAY + dt.timedelta(days=1), today=TODAY)
    plans.accept_in_writing(plan_id=plan.pk, by=lawyer, agreed_on=TODAY, today=TODAY)

    assert state(plan) == PlanState.ACTIVE
    assert LimitationEvent.objects.get().recorded_by == lawyer


def offer(invoice: Invoice, by: Membership, *, count: int = 3, first_on: dt.date = FIRST) -> PaymentPlan:
    return plans.offer(
        by=by,
        client=invoice.client,
        invoice_ids=[invoice.pk],
        count=count,
        first_on=first_on,
        today=TODAY,
    )


def test_the_firms_offer_waits_for_the_debtor_until_its_eve(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = offer(invoice, lawyer)

    assert (plan.state, plan.origin) == (PlanState.PROPOSED, PlanOrigin.FIRM)
    assert stops(invoice) == [("hold", dt.date(2026, 11, 30))]
    assert said(plan) == [(PlanMail.OFFER, MailState.WAITING)]
    assert asked() == []
    with pytest.raises(PlanError, match="l’autre partie"):
        plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)

    tomorrow = TODAY + dt.timedelta(days=1)
    plans.accept_offer(link=link, plan_id=plan.pk, today=tomorrow)
    plans.accept_offer(link=link, plan_id=plan.pk, today=tomorrow)

    assert state(plan) == PlanState.ACTIVE
    assert stops(invoice) == [("plan", LAST_DAY)]
    assert said(plan) == [(PlanMail.OFFER, MailState.CANCELLED), (PlanMail.CONFIRMED, MailState.WAITING)]
    assert LimitationEvent.objects.get().on == tomorrow


def test_an_offer_nobody_accepts_ends_on_its_first_date(invoice: Invoice, lawyer: Membership) -> None:
    plan = offer(invoice, lawyer)

    assert watch(dt.date(2026, 11, 30)) == 0
    assert watch(FIRST) == 1

    assert state(plan) == PlanState.CANCELLED
    assert said(plan) == [(PlanMail.OFFER, MailState.CANCELLED)]


def test_another_debtors_link_accepts_nothing(invoice: Invoice, lawyer: Membership) -> None:
    plan = offer(invoice, lawyer)
    stranger = make_invoice(client=make_client())

    with pytest.raises(PaymentPlan.DoesNotExist):
        plans.accept_offer(link=links.link_for(client=stranger.dossier.client), plan_id=plan.pk, today=TODAY)
    assert state(plan) == PlanState.PROPOSED


def test_a_refusal_says_why_and_lets_the_ladder_go_on(
    link: PaymentLink, invoice: Invoice, lawyer: Membership, ladder: RecordingLadder
) -> None:
    plan = propose(link)
    with pytest.raises(PlanError, match="Écrivez la réponse"):
        plans.refuse(plan_id=plan.pk, by=lawyer, text="  ")

    plans.refuse(plan_id=plan.pk, by=lawyer, text="Deux versements au plus.")
    plans.refuse(plan_id=plan.pk, by=lawyer, text="Autre chose.")

    plan.refresh_from_db()
    assert (plan.state, plan.answer) == (PlanState.REFUSED, "Deux versements au plus.")
    assert stops(invoice) == []
    assert {invoice.pk} in ladder.woken
    assert asked() == []
    assert said(plan) == [(PlanMail.REFUSED, MailState.WAITING)]
    with pytest.raises(PlanError, match="n’est plus proposé"):
        plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)


def test_other_dates_take_the_place_of_those_proposed(link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    first = propose(link)

    other = plans.counter(plan_id=first.pk, by=lawyer, count=2, first_on=FIRST, today=TODAY)

    assert (state(first), state(other)) == (PlanState.CANCELLED, PlanState.PROPOSED)
    assert (other.replaces_id, other.origin) == (first.pk, PlanOrigin.FIRM)
    assert stops(invoice) == [("hold", dt.date(2026, 11, 30))]
    assert asked() == []


@pytest.mark.parametrize(
    "kind",
    [
        StopKind.DISPUTE,
        StopKind.CLAIMED_PAID,
        StopKind.PAYMENT_IN_FLIGHT,
        StopKind.INSOLVENCY,
        StopKind.OVER_INDEBTEDNESS,
        StopKind.PROTECTED_PERSON,
        StopKind.MEDIATION,
        StopKind.BATONNIER_SEISED,
        StopKind.WRONG_RECIPIENT,
    ],
)
def test_nothing_is_split_that_somebody_else_holds(
    link: PaymentLink, invoice: Invoice, lawyer: Membership, kind: StopKind
) -> None:
    waiting = propose(link)
    client_wide = {StopKind.INSOLVENCY, StopKind.OVER_INDEBTEDNESS, StopKind.WRONG_RECIPIENT}
    standstill.declare(kind=kind, target=invoice.client if kind in client_wide else invoice)

    with pytest.raises(PlanError, match="a changé"):
        plans.accept(plan_id=waiting.pk, by=lawyer, today=TODAY)
    PaymentPlan.objects.filter(pk=waiting.pk).update(state=PlanState.REFUSED)
    with pytest.raises(PlanError):
        propose(link)
    with pytest.raises(PlanError):
        offer(invoice, lawyer)
    assert state(waiting) == PlanState.REFUSED


def test_t76_nothing_is_agreed_with_a_consumer_before_the_due_date(lawyer: Membership, client: Client) -> None:
    invoice = make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER), due_on=TODAY)
    link = links.link_for(client=client)

    with pytest.raises(PlanError):
        propose(link)
    with pytest.raises(PlanError):
        offer(invoice, lawyer)
    assert not PaymentPlan.objects.exists()


def test_a_professional_may_be_offered_dates_before_the_due_date_and_for_longer(lawyer: Membership) -> None:
    client = make_client(kind=ClientKind.PROFESSIONAL)
    invoice = make_invoice(
        dossier=make_dossier(client=client, kind=ClientKind.PROFESSIONAL), due_on=TODAY + dt.timedelta(days=5)
    )

    plan = offer(invoice, lawyer, count=6)

    assert Instalment.objects.filter(plan=plan).count() == 6


@pytest.mark.parametrize(
    "facts",
    [
        {"legal_aid": LegalAid.TOTAL},
        {"legal_aid": LegalAid.PARTIAL},
        {"mandate_ended_on": TODAY - dt.timedelta(days=731)},
    ],
)
def test_nothing_is_split_that_may_not_be_asked(client: Client, facts: dict[str, Any]) -> None:
    make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER, **facts))

    with pytest.raises(PlanError):
        propose(links.link_for(client=client))


def test_a_plan_covers_what_its_addressee_is_billed_and_nothing_else(client: Client, invoice: Invoice) -> None:
    contact = make_contact(client=client)
    other = make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER, billing_contact=contact))
    mine = make_invoice(dossier=invoice.dossier)

    plan = propose(links.link_for(client=client))
    theirs = propose(links.link_for(client=client, contact=contact))

    def covered(one: PaymentPlan) -> set[object]:
        return set(PlanLine.objects.filter(plan=one).values_list("invoice", flat=True))

    assert covered(plan) == {invoice.pk, mine.pk}
    assert covered(theirs) == {other.pk}


def test_what_came_before_the_answer_lowers_the_instalments(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = propose(link)
    make_payment(invoice=invoice, on=TODAY, cents=44_000)

    plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)

    plan.refresh_from_db()
    assert plan.total_cents == 100_000
    assert list(Instalment.objects.order_by("rank").values_list("cents", flat=True)) == [33_334, 33_333, 33_333]
    assert view_of(plan, on=TODAY).paid_cents == 0


def test_what_is_owed_again_before_the_answer_is_proposed_again(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    payment = make_payment(invoice=invoice, on=TODAY, cents=44_000)
    plan = propose(link)
    recording.reverse_payment(payment_id=payment.pk)

    with pytest.raises(PlanError, match="a changé"):
        plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
    assert state(plan) == PlanState.PROPOSED
    assert stops(invoice) == [("hold", None)]


def test_dates_that_are_over_are_not_accepted(link: PaymentLink, lawyer: Membership) -> None:
    plan = propose(link)

    with pytest.raises(PlanError, match="première date est passée"):
        plans.accept(plan_id=plan.pk, by=lawyer, today=FIRST)


# Every road by which money comes and goes.


def by_hand(invoice: Invoice, cents: int) -> None:
    receipt = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=cents, received_on=TODAY)
    recording.record_payment(receipt=receipt, on=TODAY)


def by_import(invoice: Invoice, cents: int) -> None:
    settlement.settle(invoice_id=invoice.pk, cents=cents)


def by_credit_note(invoice: Invoice, cents: int) -> None:
    settlement.credit(invoice_id=invoice.pk, cents=cents)


ROADS = [by_hand, by_import, by_credit_note]


@pytest.mark.parametrize("road", ROADS)
def test_money_pays_the_instalments_in_order_whatever_its_road(
    link: PaymentLink, invoice: Invoice, lawyer: Membership, road: Callable[[Invoice, int], None]
) -> None:
    plan = agreed(link, lawyer)

    road(invoice, 60_000)

    view = view_of(plan, on=FIRST)
    assert [part.paid_cents for part in view.parts] == [48_000, 12_000, 0]
    assert [part.state for part in view.parts] == ["paid", "due", "due"]
    due = next_due(link, FIRST)
    assert due is not None
    assert (due.rank, due.count, due.due_on, due.cents, due.invoice_ids) == (2, 3, SECOND, 36_000, (invoice.pk,))
    assert state(plan) == PlanState.ACTIVE


@pytest.mark.parametrize("road", ROADS)
def test_a_plan_paid_in_full_is_kept_and_frees_its_invoices(
    link: PaymentLink, invoice: Invoice, lawyer: Membership, road: Callable[[Invoice, int], None]
) -> None:
    plan = agreed(link, lawyer)

    road(invoice, 48_000)
    road(invoice, 96_000)

    assert state(plan) == PlanState.KEPT
    assert stops(invoice) == []
    assert next_due(link, FIRST) is None


def test_a_payment_taken_back_is_owed_again_in_the_plan(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = agreed(link, lawyer)
    payment = make_payment(invoice=invoice, on=TODAY, cents=144_000)
    assert state(plan) == PlanState.KEPT

    recording.reverse_payment(payment_id=payment.pk)

    assert state(plan) == PlanState.ACTIVE
    assert stops(invoice) == [("plan", LAST_DAY)]
    assert view_of(plan, on=TODAY).paid_cents == 0


def test_a_payment_taken_back_once_the_dates_are_over_goes_to_a_person(
    link: PaymentLink, invoice: Invoice, lawyer: Membership, ladder: RecordingLadder
) -> None:
    plan = agreed(link, lawyer)
    payment = make_payment(invoice=invoice, on=TODAY, cents=144_000)

    with time_machine.travel(dt.datetime(2027, 3, 1, 9, tzinfo=dt.UTC), tick=False):
        recording.reverse_payment(payment_id=payment.pk)

    assert state(plan) == PlanState.BROKEN
    assert stops(invoice) == [("hold", None)]
    assert asked() == [(TaskKind.PLAN_REQUEST, plan.pk)]


def test_what_is_given_up_ends_the_plan_without_a_promise_kept(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = agreed(link, lawyer)

    write_off(invoice_id=invoice.pk, reason="Geste")

    assert state(plan) == PlanState.CANCELLED
    assert stops(invoice) == []


def test_a_payment_on_its_way_pays_nothing_yet(link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    plan = agreed(link, lawyer)
    payment = Payment(client_id=invoice.client_id, received_on=TODAY, cents=48_000, state=PaymentState.PROCESSING)
    payment.save(force_insert=True)
    Allocation(payment=payment, invoice=invoice, cents=48_000).save(force_insert=True)

    assert view_of(plan, on=TODAY).paid_cents == 0


# The night.


def test_each_instalment_is_reminded_once_three_days_before_and_never_after(
    link: PaymentLink, lawyer: Membership
) -> None:
    plan = agreed(link, lawyer)

    # Three days before is a Saturday: the Friday.
    found = {day: watch(dt.date(2026, 11, day)) for day in (26, 27, 28, 29, 30)}

    assert found == {26: 0, 27: 1, 28: 0, 29: 0, 30: 0}
    assert [watch(dt.date(2026, 12, day)) for day in (1, 2, 3)] == [0, 0, 0]
    reminders = PlanMessage.objects.filter(plan=plan, kind=PlanMail.REMINDER)
    assert list(reminders.values_list("instalment__rank", flat=True)) == [1]


def test_an_instalment_already_paid_is_not_reminded(link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    agreed(link, lawyer)
    by_import(invoice, 48_000)

    assert watch(dt.date(2026, 11, 28)) == 0


def test_a_missed_instalment_goes_to_a_person_and_never_to_the_ladder(
    link: PaymentLink, invoice: Invoice, lawyer: Membership, ladder: RecordingLadder
) -> None:
    plan = agreed(link, lawyer)
    Task.objects.all().delete()

    assert watch(dt.date(2026, 12, 3)) == 0
    assert (state(plan), stops(invoice)) == (PlanState.ACTIVE, [("plan", LAST_DAY)])
    assert watch(dt.date(2026, 12, 4)) == 1
    assert watch(dt.date(2026, 12, 4)) == 0

    assert state(plan) == PlanState.BROKEN
    assert stops(invoice) == [("hold", None)]
    assert asked() == [(TaskKind.PLAN_REQUEST, plan.pk)]
    assert [bool(missed) for missed in Instalment.objects.order_by("rank").values_list("missed_at", flat=True)] == [
        True,
        False,
        False,
    ]


def broken(link: PaymentLink, lawyer: Membership) -> PaymentPlan:
    plan = agreed(link, lawyer)
    watch(dt.date(2026, 12, 4))
    return plan


def test_a_missed_instalment_is_asked_of_its_debtor_and_not_the_whole_debt(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = broken(link, lawyer)

    due = next_due(link, dt.date(2026, 12, 4))
    assert due is not None
    assert (due.plan_id, due.rank, due.cents) == (plan.pk, 1, 48_000)
    plans.cancel(plan_id=plan.pk, by=lawyer)
    assert next_due(link, dt.date(2026, 12, 4)) is None


def test_a_person_may_wait_a_few_days_more(link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    plan = broken(link, lawyer)
    today, until = dt.date(2026, 12, 4), dt.date(2026, 12, 10)

    plan_following.tolerate(plan_id=plan.pk, by=lawyer, until_on=until, today=today)

    assert state(plan) == PlanState.ACTIVE
    assert stops(invoice) == [("plan", LAST_DAY)]
    assert asked() == []
    assert watch(dt.date(2026, 12, 14)) == 0
    assert watch(dt.date(2026, 12, 15)) == 1
    assert state(plan) == PlanState.BROKEN
    assert asked() == [(TaskKind.PLAN_REQUEST, plan.pk)]


def test_a_person_may_agree_on_new_dates(link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    plan = broken(link, lawyer)
    by_import(invoice, 10_000)
    today = dt.date(2026, 12, 4)

    other = plans.counter(plan_id=plan.pk, by=lawyer, count=2, first_on=dt.date(2026, 12, 15), today=today)

    assert stops(invoice) == [("hold", None)]
    assert (state(plan), other.total_cents) == (PlanState.BROKEN, 134_000)
    plans.accept_offer(link=link, plan_id=other.pk, today=today)
    plan.refresh_from_db()
    assert (state(other), plan.closed_at is None) == (PlanState.ACTIVE, False)
    assert [kind for kind, _ in stops(invoice)] == ["plan"]
    assert asked() == []


def test_new_dates_nobody_accepts_leave_the_decision_to_the_person(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = broken(link, lawyer)
    plans.counter(plan_id=plan.pk, by=lawyer, count=2, first_on=dt.date(2026, 12, 15), today=dt.date(2026, 12, 4))

    watch(dt.date(2026, 12, 15))

    plan.refresh_from_db()
    assert plan.is_waiting
    assert stops(invoice) == [("hold", None)]
    assert asked() == [(TaskKind.PLAN_REQUEST, plan.pk)]


def test_a_person_may_end_it_and_the_ladder_goes_on(
    link: PaymentLink, invoice: Invoice, lawyer: Membership, ladder: RecordingLadder
) -> None:
    plan = broken(link, lawyer)
    ladder.calls.clear()

    plans.cancel(plan_id=plan.pk, by=lawyer)
    plans.cancel(plan_id=plan.pk, by=lawyer)

    assert state(plan) == PlanState.BROKEN
    assert stops(invoice) == []
    assert ladder.woken == [{invoice.pk}]
    assert asked() == []


def test_money_that_pays_everything_closes_a_broken_plan(
    link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = broken(link, lawyer)

    by_import(invoice, 144_000)

    plan.refresh_from_db()
    assert (plan.state, plan.is_waiting) == (PlanState.BROKEN, False)
    assert stops(invoice) == []
    assert asked() == []


def test_the_firms_own_hold_survives_the_plan(link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    standstill.declare(kind=StopKind.HOLD, target=invoice, reason="Attendre l’associé")
    plan = agreed(link, lawyer)

    plans.cancel(plan_id=plan.pk, by=lawyer)

    assert stops(invoice) == [("hold", None)]


def test_another_firm_sees_no_plan(link: PaymentLink, lawyer: Membership, other_cabinet: Cabinet) -> None:
    agreed(link, lawyer)

    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        for model in (PaymentPlan, Instalment, PlanLine, PlanMessage, PlanSettings):
            assert not model.objects.exists()


def test_a_colleague_sees_a_plan_only_with_every_dossier_it_covers(
    cabinet: Cabinet, client: Client, invoice: Invoice
) -> None:
    other = make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER))
    propose(links.link_for(client=client))
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=invoice.dossier, member=assistant)

    def seen() -> tuple[int, int]:
        with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
            return PaymentPlan.objects.count(), Instalment.objects.count()

    assert seen() == (0, 0)
    assign(dossier=other.dossier, member=assistant)
    assert seen() == (1, 3)
