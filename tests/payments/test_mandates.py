"""A plan collected by its mandate: agreed, signed, presented once, taken back while it may, ended by anybody."""

import datetime as dt
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from cabinets.enums import ClientKind, Role, TaskKind, TaskState
from cabinets.errors import RightMissingError
from cabinets.models import Cabinet, JournalEntry, Membership, Task
from cabinets.scoping import acting_for, working_for
from invoices.enums import StopKind
from invoices.models import Standstill
from invoices.services import standstill
from payments.enums import CheckoutState, MandateEnd, MandateState, NoticeState, PaymentMeans, PaymentState, PlanState
from payments.errors import CheckoutError, ProviderError
from payments.models import Checkout, Mandate, Payment, PaymentPlan, ProviderAccount
from payments.providers.protocol import MandateStage, Stage
from payments.services import asking, debiting, mandates, notices, plan_following, plans, recording
from payments.services.links import link_for
from payments.services.plan_reading import view_of
from payments.services.recording import Receipt
from tests.factories.cabinets import make_client, make_member
from tests.factories.invoices import TODAY
from tests.payments.fake_provider import announcement
from tests.payments.online import Online, online_world

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

FIRST, SECOND = dt.date(2026, 12, 9), dt.date(2027, 1, 11)
HANDED_OVER = dt.date(2026, 12, 2)
GRACE_OVER = dt.date(2026, 12, 14)
OWED = 144_000


@dataclass
class Collected:
    """A debtor's plan of three dates, at a firm whose provider collects."""

    online: Online
    lawyer: Membership
    plan_id: UUID

    @property
    def cabinet(self) -> Cabinet:
        return self.online.cabinet

    def plan(self) -> PaymentPlan:
        with working_for(cabinet_id=self.cabinet.pk):
            found: PaymentPlan = PaymentPlan.objects.get(pk=self.plan_id)
            return found

    def consent(self) -> str:
        with working_for(cabinet_id=self.cabinet.pk):
            return mandates.consent_to(PaymentPlan.objects.get(pk=self.plan_id), cabinet=Cabinet.objects.get())

    def begin(self) -> Mandate:
        consent = self.consent()
        with acting_for(cabinet_id=self.cabinet.pk):
            return mandates.begin(link=self.online.link, plan_id=self.plan().pk, consent=consent)

    def ask(self, mandate: Mandate) -> bool:
        with acting_for(cabinet_id=self.cabinet.pk):
            return mandates.ask(mandate_id=mandate.pk)

    def sign(self) -> Mandate:
        mandate = self.begin()
        self.online.provider.move_mandate(MandateStage.SIGNED)
        assert self.ask(mandate)
        return self.read(mandate)

    def read(self, mandate: Mandate) -> Mandate:
        with working_for(cabinet_id=self.cabinet.pk):
            return Mandate.objects.select_related("account").get(pk=mandate.pk)

    def watch(self, on: dt.date) -> int:
        with at(on), acting_for(cabinet_id=self.cabinet.pk):
            return plan_following.watch(on=on)

    def debits(self) -> list[Checkout]:
        with working_for(cabinet_id=self.cabinet.pk):
            rows = Checkout.objects.filter(mandate__isnull=False).select_related("payment", "account")
            return list(rows.order_by("instalment__rank", "created_at"))

    def states(self) -> list[str]:
        return [str(debit.state) for debit in self.debits()]

    def sweep(self, on: dt.date = HANDED_OVER) -> None:
        """Ask about every debit and every mandate that is due, as the minute does."""
        with at(on):
            asking.ask_all(cabinet_id=self.cabinet.pk, checkout_ids=[one.pk for one in self.debits() if one.ask_at])
            with working_for(cabinet_id=self.cabinet.pk):
                ids = list(Mandate.objects.filter(ask_at__lte=timezone.now()).values_list("pk", flat=True))
            mandates.ask_all(cabinet_id=self.cabinet.pk, mandate_ids=ids)

    def charges(self) -> int:
        return sum(act == "charge" for act, _ in self.online.provider.calls)

    def stop(self, kind: StopKind) -> None:
        with working_for(cabinet_id=self.cabinet.pk):
            standstill.declare(kind=kind, target=self.online.invoices[0], reason="x", origin="test")

    def transfer(self, cents: int, on: dt.date) -> None:
        with at(on), working_for(cabinet_id=self.cabinet.pk):
            receipt = Receipt(
                client_id=self.online.link.client_id,
                invoice_ids=(self.online.invoices[0].pk,),
                cents=cents,
                received_on=on,
                means=PaymentMeans.TRANSFER,
            )
            recording.record_payment(receipt=receipt, on=on)

    def withdraw(self) -> bool:
        with working_for(cabinet_id=self.cabinet.pk):
            return mandates.withdraw(link=self.online.link, plan_id=self.plan().pk)

    def tasks(self) -> list[str]:
        with working_for(cabinet_id=self.cabinet.pk):
            return list(Task.objects.filter(state=TaskState.OPEN).values_list("kind", flat=True))

    def events(self) -> list[str]:
        with working_for(cabinet_id=self.cabinet.pk):
            return sorted(JournalEntry.objects.filter(event__startswith="mandate.").values_list("event", flat=True))


def at(day: dt.date) -> time_machine.travel:
    return time_machine.travel(dt.datetime.combine(day, dt.time(10), tzinfo=dt.UTC), tick=False)


@contextmanager
def new_world() -> Iterator[Collected]:
    with online_world(settlements_declared_on=dt.date(2027, 12, 31)) as online:
        with working_for(cabinet_id=online.cabinet.pk):
            ProviderAccount.objects.filter(pk=online.account.pk).update(provider="gocardless")
            lawyer = make_member(role=Role.LAWYER, sees_every_file=True)
            plan = plans.propose(link=online.link, count=3, first_on=FIRST, today=TODAY)
            plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
        yield Collected(online, lawyer, plan.pk)


@pytest.fixture
def world(committed: None) -> Iterator[Collected]:
    with new_world() as found:
        yield found


def test_what_is_agreed_is_kept_word_for_word(world: Collected) -> None:
    mandate = world.begin()

    kept = world.read(mandate)
    assert kept.consent == world.consent()
    for words in ("480,00", "9 décembre 2026", "11 janvier 2027", "huit semaines", "J’autorise"):
        assert words in kept.consent.replace("\u202f", " ").replace("\u00a0", " ")
    assert (kept.state, kept.ref) == (MandateState.ASKED, f"brq_{mandate.pk}")
    assert kept.url.startswith("https://")
    assert world.events() == ["mandate.asked"]


def test_a_second_tap_gives_the_same_page(world: Collected) -> None:
    first, second = world.begin(), world.begin()

    assert first.pk == second.pk
    assert [act for act, _ in world.online.provider.calls] == ["authorise"]


def test_words_that_are_not_those_of_today_agree_to_nothing(world: Collected) -> None:
    with acting_for(cabinet_id=world.cabinet.pk), pytest.raises(CheckoutError, match="Rien n’a été demandé"):
        mandates.begin(link=world.online.link, plan_id=world.plan().pk, consent="J’autorise tout.")

    assert world.online.provider.calls == []
    assert world.events() == []


def test_nobody_agrees_to_anothers_plan(world: Collected) -> None:
    with working_for(cabinet_id=world.cabinet.pk):
        stranger = link_for(client=make_client(kind=ClientKind.CONSUMER))
    consent = world.consent()

    with acting_for(cabinet_id=world.cabinet.pk), pytest.raises(CheckoutError):
        mandates.begin(link=stranger, plan_id=world.plan().pk, consent=consent)
    mandate = world.sign()
    with working_for(cabinet_id=world.cabinet.pk):
        assert not mandates.withdraw(link=stranger, plan_id=world.plan().pk)

    assert world.read(mandate).state == MandateState.SIGNED


def test_a_silent_provider_leaves_a_mandate_to_be_asked_for_again(world: Collected) -> None:
    world.online.provider.silent = 1
    with pytest.raises(ProviderError):
        world.begin()

    mandate = world.begin()

    assert world.read(mandate).ref == f"brq_{mandate.pk}"
    assert len(world.online.provider.mandates) == 1


def test_nothing_is_collected_before_the_mandate_is_signed(world: Collected) -> None:
    world.begin()

    world.watch(HANDED_OVER)

    assert world.debits() == []


def test_a_whole_plan_is_collected_and_its_mandate_ends_with_it(world: Collected) -> None:
    mandate = world.sign()
    assert (mandate.reference, mandate.signed_at is not None) == ("RUM-42", True)
    world.watch(HANDED_OVER - dt.timedelta(days=1))
    assert world.debits() == []

    for due_on, rank in ((FIRST, 1), (SECOND, 2), (dt.date(2027, 2, 9), 3)):
        world.watch(due_on)
        world.watch(due_on)
        world.sweep(due_on)
        debit = world.debits()[-1]
        held = world.online.provider.held[debit.ref]
        assert (len(world.debits()), debit.state, debit.cents) == (rank, CheckoutState.PROCESSING, 48_000)
        assert (held.order.charge_on, held.order.reference) == (due_on, str(debit.pk))
        assert world.online.invoice.outstanding_cents == OWED - 48_000 * (rank - 1)
        world.online.provider.move(Stage.SETTLED, ref=debit.ref)
        world.sweep(due_on)
        assert world.online.invoice.outstanding_cents == OWED - 48_000 * rank

    assert world.plan().state == PlanState.KEPT
    assert world.charges() == 3
    kept = world.read(mandate)
    assert (kept.state, kept.ended_by, kept.closed_at is not None) == (MandateState.ENDED, MandateEnd.PLAN, True)
    assert world.online.provider.mandates[mandate.ref].stage is MandateStage.ENDED
    assert world.events() == ["mandate.asked", "mandate.ended", "mandate.signed"]


def test_a_debit_whose_answer_was_lost_is_taken_once(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.online.provider.loses_answer = True
    world.sweep()
    assert [(one.state, one.ref) for one in world.debits()] == [(CheckoutState.OPEN, "")]

    # Nobody else may pay these invoices meanwhile: it may have been taken.
    with pytest.raises(CheckoutError, match="déjà en cours"):
        world.online.begin(48_000)
    world.sweep()

    assert world.states() == [CheckoutState.PROCESSING]
    assert len(world.online.provider.held) == 1


@pytest.mark.parametrize("was_taken", [True, False])
def test_a_debit_asked_and_then_stopped_is_looked_for_before_anything_else(
    world: Collected,
    was_taken: bool,
) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    if was_taken:
        world.online.provider.loses_answer = True
    else:
        world.online.provider.silent = 1
    world.sweep()
    asked = world.charges()
    world.stop(StopKind.DISPUTE)

    world.sweep()

    assert world.states() == [CheckoutState.FAILED if was_taken else CheckoutState.EXPIRED]
    assert world.charges() == asked
    assert world.online.settled() == 0


def test_a_process_killed_after_it_said_it_would_ask_asks_once(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    [debit] = world.debits()
    with working_for(cabinet_id=world.cabinet.pk):
        assert debiting.question_of(debit, now=timezone.now()) is not None  # and nobody puts it
    assert world.states() == [CheckoutState.OPEN]

    world.sweep()

    assert world.states() == [CheckoutState.PROCESSING]
    assert world.charges() == 1


@pytest.mark.parametrize(
    "stop",
    [kind for kind in StopKind if kind not in {StopKind.PLAN, StopKind.PAYMENT_IN_FLIGHT}],
)
def test_no_stop_lets_a_debit_be_taken(world: Collected, stop: StopKind) -> None:
    world.sign()
    world.stop(stop)

    world.watch(HANDED_OVER)

    assert world.debits() == []


def test_what_stops_after_a_debit_was_written_forgets_it(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.stop(StopKind.DISPUTE)

    world.sweep()

    assert (world.states(), world.charges()) == ([CheckoutState.EXPIRED], 0)
    with working_for(cabinet_id=world.cabinet.pk):
        stop = Standstill.objects.get(kind=StopKind.DISPUTE, released_at=None)
        standstill.release(standstill_id=stop.pk)
    world.watch(HANDED_OVER)
    world.sweep()
    assert sorted(world.states()) == [CheckoutState.EXPIRED, CheckoutState.PROCESSING]


@pytest.mark.parametrize(
    ("is_handed_over", "ends"),
    [(False, CheckoutState.FAILED), (True, CheckoutState.PROCESSING)],
    ids=["not yet with the bank", "with the bank"],
)
def test_a_contested_invoice_has_its_debit_taken_back_where_it_still_can_be(
    world: Collected,
    is_handed_over: bool,
    ends: CheckoutState,
) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.sweep()
    world.online.provider.held[world.debits()[0].ref].is_handed_over = is_handed_over
    world.stop(StopKind.DISPUTE)

    world.sweep()

    assert world.states() == [ends]
    assert world.online.invoice.outstanding_cents == OWED


def test_nothing_is_collected_in_ignorance_of_the_payments_received(world: Collected) -> None:
    world.sign()
    with working_for(cabinet_id=world.cabinet.pk):
        Cabinet.objects.update(settlements_declared_on=HANDED_OVER - dt.timedelta(days=8))

    world.watch(HANDED_OVER)

    assert world.debits() == []


def test_an_instalment_paid_by_transfer_is_not_collected_as_well(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.sweep()
    world.transfer(48_000, HANDED_OVER)

    assert world.debits()[0].ask_at is not None
    world.sweep(HANDED_OVER + dt.timedelta(days=1))

    assert world.states() == [CheckoutState.FAILED]
    assert (world.online.settled(), world.online.invoice.outstanding_cents) == (48_000, OWED - 48_000)
    assert world.plan().state == PlanState.ACTIVE
    # What it pays next is the second date.
    world.watch(SECOND)
    world.sweep(SECOND)
    assert world.states() == [CheckoutState.FAILED, CheckoutState.PROCESSING]


def test_a_part_paid_by_transfer_leaves_the_rest_to_collect(world: Collected) -> None:
    world.sign()
    world.transfer(20_000, HANDED_OVER)

    world.watch(HANDED_OVER)
    world.sweep()

    assert [(one.state, one.cents) for one in world.debits()] == [(CheckoutState.PROCESSING, 28_000)]


def test_a_page_left_open_makes_a_debit_wait(world: Collected) -> None:
    world.sign()
    world.online.begin(48_000)

    world.watch(HANDED_OVER)

    assert world.debits() == []


def test_a_plan_waits_for_the_answer_of_the_bank_then_goes_to_a_person(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.sweep()
    world.watch(GRACE_OVER)
    assert world.plan().state == PlanState.ACTIVE

    world.online.provider.move(Stage.FAILED, ref=world.debits()[0].ref, failure="insufficient_funds")
    world.sweep(GRACE_OVER)
    world.watch(GRACE_OVER)

    assert world.plan().state == PlanState.BROKEN
    assert TaskKind.PLAN_REQUEST in world.tasks()
    assert (world.debits()[0].failure, world.charges()) == ("insufficient_funds", 1)
    # Refused once, it is never presented again by itself.
    with working_for(cabinet_id=world.cabinet.pk):
        plan_following.tolerate(
            plan_id=world.plan().pk, by=world.lawyer, until_on=dt.date(2026, 12, 21), today=GRACE_OVER
        )
    world.watch(GRACE_OVER)
    world.sweep(GRACE_OVER)
    assert world.charges() == 1


def test_a_debit_the_bank_gave_back_reopens_its_invoice(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.sweep()
    [debit] = world.debits()
    world.online.provider.move(Stage.SETTLED, ref=debit.ref)
    world.sweep(FIRST)
    assert world.online.invoice.outstanding_cents == OWED - 48_000

    world.online.provider.move(Stage.SETTLED, ref=debit.ref, disputed=48_000)
    world.sweep(FIRST + dt.timedelta(days=2))

    assert world.online.invoice.outstanding_cents == OWED
    assert TaskKind.PAYMENT_REVERSED in world.tasks()


def test_a_debtor_stops_it_at_once_and_the_provider_is_told_until_it_answers(world: Collected) -> None:
    mandate = world.sign()
    world.watch(HANDED_OVER)
    world.sweep()
    assert world.withdraw()
    assert not world.withdraw()
    assert (world.read(mandate).state, world.read(mandate).ended_by) == (MandateState.ENDED, MandateEnd.DEBTOR)

    world.online.provider.silent = 2
    world.sweep()
    assert world.read(mandate).closed_at is None
    world.sweep(HANDED_OVER + dt.timedelta(days=1))

    assert world.read(mandate).closed_at is not None
    assert world.online.provider.mandates[mandate.ref].stage is MandateStage.ENDED
    assert world.states() == [CheckoutState.FAILED]
    world.watch(SECOND)
    assert len(world.debits()) == 1


def test_the_firm_stops_it_with_the_right_to(world: Collected) -> None:
    mandate = world.sign()
    with working_for(cabinet_id=world.cabinet.pk):
        reader = make_member(role=Role.ACCOUNTANT)
        with pytest.raises(RightMissingError):
            mandates.stop(plan_id=world.plan().pk, by=reader)
    assert world.read(mandate).state == MandateState.SIGNED

    with working_for(cabinet_id=world.cabinet.pk):
        assert mandates.stop(plan_id=world.plan().pk, by=world.lawyer)

    assert world.read(mandate).ended_by == MandateEnd.FIRM
    world.watch(HANDED_OVER)
    assert world.debits() == []


def test_the_bank_ends_it(world: Collected) -> None:
    mandate = world.sign()
    world.online.provider.move_mandate(MandateStage.ENDED, failure="cancelled")

    assert world.ask(mandate)

    kept = world.read(mandate)
    assert (kept.state, kept.ended_by, kept.failure) == (MandateState.ENDED, MandateEnd.BANK, "cancelled")
    world.online.provider.move_mandate(MandateStage.SIGNED)
    assert not world.ask(mandate)
    assert world.read(mandate).state == MandateState.ENDED


def test_a_mandate_ended_meanwhile_is_a_refusal_and_not_a_doubt(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.online.provider.move_mandate(MandateStage.ENDED, failure="cancelled")

    world.sweep()

    assert [(one.state, one.failure) for one in world.debits()] == [(CheckoutState.FAILED, "mandate_is_inactive")]


def test_a_page_nobody_signed_on_is_closed_after_a_week(world: Collected) -> None:
    mandate = world.begin()

    with at(TODAY + dt.timedelta(days=8)):
        world.ask(mandate)

    kept = world.read(mandate)
    assert (kept.state, kept.ended_by) == (MandateState.ENDED, MandateEnd.NOBODY)
    assert ("end_mandate", mandate.ref) in world.online.provider.calls


def test_another_may_be_signed_once_one_is_over(world: Collected) -> None:
    first = world.sign()
    world.withdraw()

    second = world.sign()

    assert second.pk != first.pk
    assert world.read(first).state == MandateState.ENDED


def test_a_plan_that_is_ended_ends_its_mandate(world: Collected) -> None:
    mandate = world.sign()

    with working_for(cabinet_id=world.cabinet.pk):
        plans.cancel(plan_id=world.plan().pk, by=world.lawyer)

    assert (world.read(mandate).state, world.read(mandate).ended_by) == (MandateState.ENDED, MandateEnd.PLAN)


def test_a_notice_about_a_mandate_asks_the_provider_and_nobody_elses_changes_anything(world: Collected) -> None:
    mandate = world.begin()
    world.online.provider.move_mandate(MandateStage.SIGNED)
    told = [
        {"event_id": "EV1", "kind": "billing_requests.fulfilled", "ref": mandate.ref},
        {"event_id": "EV2", "kind": "mandates.active", "ref": f"md_{mandate.ref}"},
    ]
    found = []
    for notice in told:
        body, headers = announcement(notice, at=timezone.now())
        [notice_id] = notices.receive(
            account_id=world.online.account.pk, cabinet_id=world.cabinet.pk, body=body, headers=headers
        )
        found.append(notices.handle(cabinet_id=world.cabinet.pk, notice_id=notice_id))

    assert found == [NoticeState.APPLIED, NoticeState.IGNORED]
    assert world.read(mandate).state == MandateState.SIGNED


ACTS = ("watch", "withdraw", "transfer", "dispute", "settle")


@pytest.mark.parametrize("first", ACTS)
def test_whatever_the_order_nothing_is_taken_that_should_not_be(first: str) -> None:
    """A debit is taken only while nothing stops it, once, and what was taken in time is the only thing that stays."""
    for order in itertools.permutations(ACTS):
        if order[0] == first:
            with new_world() as world:
                assert _lived(world, order) == _expected(order), order


def _lived(world: Collected, order: tuple[str, ...]) -> tuple[int, int, int, int]:
    """Live these acts, the minute's sweep after each; return the debits asked, and the money that stays."""
    provider, day = world.online.provider, HANDED_OVER

    def settle() -> None:
        for held in provider.held.values():
            if held.stage is Stage.PROCESSING:
                held.stage = Stage.SETTLED

    acts: dict[str, Callable[[], object]] = {
        "watch": lambda: world.watch(day),
        "withdraw": world.withdraw,
        "transfer": lambda: world.transfer(48_000, day),
        "dispute": lambda: world.stop(StopKind.DISPUTE),
        "settle": settle,
    }
    world.sign()
    for act in (*order, "watch"):
        acts[act]()
        world.sweep(day)
    return world.charges(), provider.net(), world.online.settled(), world.online.invoice.outstanding_cents


def _expected(order: tuple[str, ...]) -> tuple[int, int, int, int]:
    watched, settled = order.index("watch"), order.index("settle")
    stopped = min(order.index("withdraw"), order.index("transfer"), order.index("dispute"))
    is_settled = watched < settled < stopped
    money = 48_000 + 48_000 * is_settled
    return int(watched < stopped), 48_000 * is_settled, money, OWED - money


def test_two_sweeps_at_once_take_it_once(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    [debit] = world.debits()
    ready = threading.Barrier(2)

    def sweep() -> None:
        try:
            ready.wait()
            asking.ask_all(cabinet_id=world.cabinet.pk, checkout_ids=[debit.pk])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    with at(HANDED_OVER):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert world.states() == [CheckoutState.PROCESSING]
    assert len(world.online.provider.held) == 1
    with working_for(cabinet_id=world.cabinet.pk):
        assert Payment.objects.filter(state=PaymentState.PROCESSING).count() == 1


def test_the_plan_shows_its_standing(world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.sweep()

    with working_for(cabinet_id=world.cabinet.pk):
        view = view_of(world.plan(), on=HANDED_OVER)
        assert [part.paid_cents for part in view.parts] == [0, 0, 0]
        [debit] = debiting.debits_of(world.plan())
        assert (debit.instalment.rank, debit.state) == (1, CheckoutState.PROCESSING)  # type: ignore[union-attr]
