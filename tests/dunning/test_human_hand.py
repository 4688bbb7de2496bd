"""No sequence of human acts sends what a stop rule forbids: drawn at random, spoken to a real server."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from cabinets.models import Cabinet, Client, Membership
from cabinets.scoping import working_for
from dunning.enums import Code, ReminderState
from dunning.errors import DunningError
from dunning.models import MailServer, Reminder
from dunning.policy import decide, out_of_turn
from dunning.services import approving, by_hand, dispatch, rewriting
from dunning.services.composing import lines_of
from dunning.services.facts import load_facts
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement, standstill
from tests.factories.cabinets import make_cabinet, make_client, make_member
from tests.factories.dunning import make_case
from tests.factories.invoices import TODAY, make_invoice
from tests.mail_sink import SmtpSink

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
ACTS = 20
STOPS = [
    StopKind.DISPUTE, StopKind.HOLD, StopKind.PROMISE, StopKind.PLAN, StopKind.CLAIMED_PAID, StopKind.INSOLVENCY,
    StopKind.WRONG_RECIPIENT, StopKind.REPLIED, StopKind.MEDIATION, StopKind.PROTECTED_PERSON,
]  # fmt: skip


class Hand:
    """A person at work, who does whatever the draw says, in any order."""

    def __init__(self, firm: Cabinet, sink: SmtpSink, seed: int) -> None:
        self.firm, self.sink, self.draw = firm, sink, random.Random(seed)
        # How often the sender was tried with an approved message that a rule forbade.
        self.trials = 0
        with working_for(cabinet_id=firm.pk):
            self.owner, self.other = make_member(), make_member()
            client = make_client(needs_two_approvals=self.draw.random() > 0.7)
            invoice = make_invoice(client=client, due_on=TODAY - dt.timedelta(days=40))
            make_case(invoice=invoice, rank=3, last_step_on=TODAY - dt.timedelta(days=2))
            self.invoice_id = invoice.pk

    def acts(self) -> list[Callable[[], object]]:
        """Return what may be done, in any order."""
        return [
            *[self.prepare] * 4, *[self.approve] * 5, *[self.release] * 4, *[self.approve_then_stop] * 4,
            self.rewrite, self.take_back, self.pay, self.suspend, self.put_in_place,
        ]  # fmt: skip

    @property
    def person(self) -> Membership:
        """Return one of the two who work here."""
        return self.draw.choice([self.owner, self.other])

    def pending(self) -> Reminder | None:
        """Return the message in preparation."""
        states = [ReminderState.AWAITING_APPROVAL, ReminderState.APPROVED]
        return Reminder.objects.filter(state__in=states).first()

    def prepare(self) -> None:
        rank = self.draw.choice([1, 2, 3])
        by_hand.prepare(invoice_id=self.invoice_id, by=self.person, rank=rank, reason="Urgent")

    def approve(self) -> None:
        if found := self.pending():
            approving.approve(reminder_id=found.pk, by=self.person, vouches=True)

    def rewrite(self) -> None:
        if (found := self.pending()) and found.state == ReminderState.AWAITING_APPROVAL:
            words = rewriting.original_of(found, lines_of(found)[0], on=TODAY)
            body = f"{words.body}\n\nBien à vous."
            rewriting.rewrite(reminder_id=found.pk, by=self.person, subject=words.subject, body=body)

    def take_back(self) -> None:
        if found := self.pending():
            approving.take_back(reminder_id=found.pk, by=self.person)

    def stop(self) -> None:
        """A fact that stops; its cancellation is lost, as by a fault: the sender asks the rules itself."""
        standstill.declare(kind=self.draw.choice(STOPS), target=Invoice.objects.get())
        Reminder.objects.filter(state=ReminderState.CANCELLED, approved_by__isnull=False).update(
            state=ReminderState.APPROVED, cancel_code=""
        )

    def approve_then_stop(self) -> None:
        """A fact that arrives the second after the accord."""
        for person in (self.owner, self.other):
            if found := Reminder.objects.filter(state=ReminderState.AWAITING_APPROVAL).first():
                approving.approve(reminder_id=found.pk, by=person)
        self.stop()

    def release(self) -> None:
        for row in Standstill.objects.filter(released_at=None):
            standstill.release(standstill_id=row.pk)
        Cabinet.objects.update(suspended_at=None)
        Client.objects.update(email_refused_at=None)
        Invoice.objects.update(last_payment_at=None)

    def pay(self) -> None:
        if self.draw.random() > 0.8:
            settlement.settle(invoice_id=self.invoice_id, cents=20_000)

    def suspend(self) -> None:
        Cabinet.objects.update(suspended_at=self.firm.now())

    def put_in_place(self) -> None:
        Client.objects.update(email_refused_at=self.draw.choice([None, self.firm.now()]))

    def forbidden(self) -> Code | None:
        """Return the rule that forbids to speak now, the calendar aside."""
        step = Reminder.objects.select_related("step").order_by("-created_at").first()
        if step is None:
            return None
        facts = load_facts(
            invoice_ids=[self.invoice_id], on=TODAY, now=self.firm.now(), apart_from=step.pk, step=step.step
        )[self.invoice_id]
        code = decide(out_of_turn(facts), on=TODAY).code
        return None if code in {Code.SEND, Code.NEEDS_APPROVAL} else code

    def send(self) -> None:
        """Let everything that may leave leave, and hold the sender to the rules."""
        with working_for(cabinet_id=self.firm.pk):
            Reminder.objects.update(depart_at=self.firm.now())
            ids, rule = list(Reminder.objects.values_list("pk", flat=True)), self.forbidden()
            self.trials += rule is not None and Reminder.objects.filter(state=ReminderState.APPROVED).exists()
        before = len(self.sink.caught)
        dispatch.send_batch(cabinet_id=self.firm.pk, reminder_ids=ids)
        assert rule is None or len(self.sink.caught) == before, rule


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


def live(sink: SmtpSink, seed: int) -> Hand:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        MailServer(host="127.0.0.1", port=sink.port, security="none", sender=firm.email).save(force_insert=True)
    hand = Hand(firm, sink, seed)
    for _ in range(ACTS):
        with suppress(DunningError), working_for(cabinet_id=firm.pk):
            hand.draw.choice(hand.acts())()
        if hand.draw.random() > 0.4:
            hand.send()
    return hand


@pytest.mark.parametrize("seed", range(5))
def test_no_sequence_of_human_acts_sends_what_a_rule_forbids(sink: SmtpSink, seed: int) -> None:
    hand = live(sink, seed)

    with working_for(cabinet_id=hand.firm.pk):
        said = Reminder.objects.filter(state=ReminderState.ACCEPTED).select_related("approved_by", "seconded_by")
        # Whatever left was approved by a person, and by two different people where the client asks for two.
        assert all(one.approved_by_id is not None for one in said)
        if Client.objects.get().needs_two_approvals:
            assert all(one.seconded_by_id not in {None, one.approved_by_id} for one in said)
        assert len(sink.caught) == len(said)


def test_the_draws_are_worth_something(sink: SmtpSink) -> None:
    lives = [live(sink, seed) for seed in range(3)]

    assert sum(hand.trials for hand in lives) > 0
    assert len(sink.caught) > 0
