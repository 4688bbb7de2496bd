"""No sequence of days and events lets a word reach a debtor whom a fact protects: a model of its own is the witness."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import pytest
import time_machine

from cabinets.enums import ClientKind, Role
from cabinets.models import Cabinet, Client, Membership
from cabinets.scoping import working_for
from dunning.enums import ReminderState
from dunning.errors import DunningError
from dunning.models import Reminder
from dunning.services import approving
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement, standstill
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY
from tests.failures.conftest import Mailbox, firm, mailbox
from tests.failures.days import at, days, declare, depart, night, owe

pytestmark = [pytest.mark.committed]
__all__ = ["firm", "mailbox"]

SEEDS = range(6)
DAYS = 55
CLIENTS = 7
OPEN_ENDED = (
    StopKind.DISPUTE,
    StopKind.CLAIMED_PAID,
    StopKind.INSOLVENCY,
    StopKind.OVER_INDEBTEDNESS,
    StopKind.PROTECTED_PERSON,
    StopKind.MEDIATION,
    StopKind.BATONNIER_SEISED,
    StopKind.REPLIED,
    StopKind.PAYMENT_IN_FLIGHT,
    StopKind.WRONG_RECIPIENT,
    StopKind.PLAN,
)


@dataclass
class Witness:
    """What happened, told apart from the product's own tables: who may not hear from the firm, and since when."""

    numbers: dict[UUID, str] = field(default_factory=dict)
    owner: dict[UUID, UUID] = field(default_factory=dict)
    paid: set[UUID] = field(default_factory=set)
    stopped: dict[UUID, set[UUID]] = field(default_factory=dict)
    until: dict[UUID, dt.date] = field(default_factory=dict)
    is_suspended: bool = False
    spoken: dict[UUID, list[dt.date]] = field(default_factory=dict)

    def may_hear(self, invoice_id: UUID, on: dt.date) -> bool:
        """Say whether a message may claim this invoice on this day."""
        holds = self.stopped.get(invoice_id, set())
        return not (self.is_suspended or invoice_id in self.paid or holds or self.until.get(invoice_id, on) > on)


@dataclass
class Life:
    """A firm, its partner, its witness and its dice."""

    cabinet: Cabinet
    lawyer: Membership
    witness: Witness
    dice: random.Random
    mailbox: Mailbox
    read: int = 0

    def invoices(self) -> list[UUID]:
        """Return every invoice, in the order they were entered."""
        return list(self.witness.numbers)


def begin(cabinet: Cabinet, box: Mailbox, seed: int) -> Life:
    with working_for(cabinet_id=cabinet.pk):
        life = Life(cabinet, make_member(role=Role.OWNER), Witness(), random.Random(seed), box)
        for _ in range(CLIENTS):
            kind = life.dice.choice([ClientKind.PROFESSIONAL, ClientKind.CONSUMER, ClientKind.PUBLIC])
            client = make_client(kind=kind, is_strategic=life.dice.random() < 0.2)
            dossier = make_dossier(client=client)
            for _ in range(life.dice.randint(1, 2)):
                invoice = owe(late=life.dice.randint(-3, 8), dossier=dossier)
                life.witness.numbers[invoice.pk], life.witness.owner[invoice.pk] = invoice.number, client.pk
    return life


def act(life: Life, day: dt.date) -> None:
    """Let one thing happen, at any moment of the day."""
    invoice_id = life.dice.choice(life.invoices())
    deed = life.dice.choice([stop, stop, lift, pay, promise, suspend, approve, approve, approve])
    with working_for(cabinet_id=life.cabinet.pk, member_id=life.lawyer.pk):
        deed(life, invoice_id, day)


def stop(life: Life, invoice_id: UUID, day: dt.date) -> None:
    kind = life.dice.choice(OPEN_ENDED)
    by_client = life.dice.random() < 0.3
    invoice = Invoice.objects.get(pk=invoice_id)
    target: Invoice | Client = invoice.client if by_client else invoice
    for row in standstill.declare(kind=kind, target=target):
        for reached in reach_of(life, row):
            life.witness.stopped.setdefault(reached, set()).add(row.pk)


def reach_of(life: Life, row: Standstill) -> Iterator[UUID]:
    """Yield the invoices a row protects: its own, or every one of its client."""
    for one, owner in life.witness.owner.items():
        if one == row.invoice_id or owner == row.client_id:
            yield one


def lift(life: Life, invoice_id: UUID, day: dt.date) -> None:
    for row_id in sorted(life.witness.stopped.get(invoice_id, set()))[:1]:
        standstill.release(standstill_id=row_id)
        for held in life.witness.stopped.values():
            held.discard(row_id)


def pay(life: Life, invoice_id: UUID, day: dt.date) -> None:
    if life.dice.random() < 0.5 or invoice_id in life.witness.paid:
        return
    owed = Invoice.objects.get(pk=invoice_id).outstanding_cents
    settlement.settle(invoice_id=invoice_id, cents=owed)
    life.witness.paid.add(invoice_id)


def promise(life: Life, invoice_id: UUID, day: dt.date) -> None:
    last = day + days(life.dice.randint(1, 12))
    standstill.declare(kind=StopKind.PROMISE, target=Invoice.objects.get(pk=invoice_id), until_on=last)
    life.witness.until[invoice_id] = max(life.witness.until.get(invoice_id, last), last + days(1))


def suspend(life: Life, invoice_id: UUID, day: dt.date) -> None:
    life.witness.is_suspended = not life.witness.is_suspended and life.dice.random() < 0.4
    Cabinet.objects.update(suspended_at=life.cabinet.now() if life.witness.is_suspended else None)


def approve(life: Life, invoice_id: UUID, day: dt.date) -> None:
    waiting = Reminder.objects.filter(state=ReminderState.AWAITING_APPROVAL).order_by("depart_at", "pk").first()
    if waiting is not None:
        with suppress(DunningError):
            approving.approve(reminder_id=waiting.pk, by=life.lawyer)


def listen(life: Life, day: dt.date, asked: Counter[str]) -> None:
    """Read what arrived, and hold each message against the witness."""
    for text in life.mailbox.texts[life.read :]:
        heard = [one for one, number in life.witness.numbers.items() if number in text]
        assert heard, "a message names an invoice"
        for invoice_id in heard:
            assert life.witness.may_hear(invoice_id, day), (life.witness.numbers[invoice_id], day, text)
            said = life.witness.spoken.setdefault(life.witness.owner[invoice_id], [])
            assert day in said or not said or (day - said[-1]).days >= 7, "one contact in seven days"
            if day not in said:
                said.append(day)
        asked["said"] += 1
    life.read = len(life.mailbox.caught)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_word_reaches_whom_a_fact_protects(firm: Cabinet, mailbox: Mailbox, seed: int) -> None:
    life, asked = begin(firm, mailbox, seed), Counter[str]()

    for number in range(DAYS):
        day = TODAY + days(number)
        declare(firm, day)
        night(firm, on=day)
        with time_machine.travel(at(firm, day, dt.time(9, 30)), tick=False):
            act(life, day)
        depart(firm, on=day)
        listen(life, day, asked)
        with time_machine.travel(at(firm, day, dt.time(11)), tick=False):
            act(life, day)
        depart(firm, on=day, time=dt.time(15))
        listen(life, day, asked)

    assert asked["said"] > CLIENTS
    with working_for(cabinet_id=firm.pk):
        left = Reminder.objects.filter(state__in=[ReminderState.UNKNOWN, ReminderState.SENDING])
        assert left.count() == 0
