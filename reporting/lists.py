"""The short lists of the dashboard: rows ready to be shown, with the names opened together."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from cabinets.enums import TaskKind, TaskState
from cabinets.models import Task
from cabinets.sealing import open_together
from dunning.enums import PENDING, Channel, ReminderState, Tone
from dunning.models import Reminder, ReminderLine
from dunning.services.reading import tasks as reading
from invoices.enums import InvoiceStatus
from invoices.models import Invoice
from invoices.services.statuses import statuses
from payments.enums import PaymentMeans, PaymentState
from payments.models import Allocation, Payment
from reporting import places

SHOWN = 5
SENDINGS_SHOWN = 4
PAYMENTS_SHOWN = 4
TASKS_SHOWN = 6
NAMES = ("client__civility", "client__first_name", "client__last_name", "client__company", "client__cabinet")


@dataclass(frozen=True, slots=True)
class Sending:
    """A reminder that leaves soon, or would if somebody agreed."""

    depart_at: dt.datetime
    channel: Channel
    client: str
    url: str
    offset_days: int
    tone: str
    subject: str
    cents: int
    awaits: bool

    @property
    def status(self) -> str:
        """Return the word of its badge."""
        return ReminderState.AWAITING_APPROVAL.label if self.awaits else "Automatique"


@dataclass(frozen=True, slots=True)
class Said:
    """What is prepared, or was last said, about an invoice."""

    state: ReminderState
    offset_days: int
    tone: Tone
    spoken_on: dt.date | None

    @property
    def pending(self) -> bool:
        """Say whether the message is still to leave."""
        return self.state in PENDING

    @property
    def awaits(self) -> bool:
        """Say whether a person must agree first."""
        return self.state == ReminderState.AWAITING_APPROVAL

    @property
    def is_formal(self) -> bool:
        """Say whether it is a formal notice."""
        return self.tone == Tone.FORMAL

    @property
    def uncertain(self) -> bool:
        """Say whether nobody knows if it left."""
        return self.state == ReminderState.UNKNOWN

    @property
    def words(self) -> str:
        """Return what the badge says."""
        step = f"J{self.offset_days:+d}"
        if self.awaits:
            return f"{self.tone.label} à valider"
        if self.pending:
            return f"{step} prévue"
        if self.uncertain:
            return f"{step}, issue incertaine"
        return f"{step} partie le {self.spoken_on:%d/%m}" if self.spoken_on else f"{step} non partie"


@dataclass(frozen=True, slots=True)
class Unpaid:
    """One of the largest late invoices."""

    client: str
    number: str
    url: str
    days_late: int
    cents: int
    status: InvoiceStatus
    said: Said | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment that came in this month."""

    client: str
    url: str
    means: str
    received_on: dt.date
    cents: int


@dataclass(frozen=True, slots=True)
class ToDo:
    """A task and the one place where it is done."""

    pk: UUID
    label: str
    client: str
    due_on: dt.date
    is_late: bool
    url: str
    act: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Lists:
    """The four lists of one page."""

    sendings: list[Sending]
    unpaid: list[Unpaid]
    receipts: list[Receipt]
    to_do: list[ToDo]

    @property
    def names(self) -> int:
        """Count the names read, for the journal."""
        shown: list[Iterable[Any]] = [self.sendings, self.unpaid, self.receipts, self.to_do]
        return sum(bool(row.client) for rows in shown for row in rows)


def lists(*, now: dt.datetime, on: dt.date, sees_all: bool) -> Lists:
    """Return what the person sees of each list, the keys of every name asked for in one question."""
    planned, late = list(_sendings(now)), list(_unpaid(on))
    paid, tasks = list(_receipts(on, sees_all=sees_all)), list(_to_do())
    open_together(row.client for row in (*planned, *late, *paid, *tasks) if row.client)
    words = statuses(late, on=on)
    return Lists(
        sendings=[_sending(row) for row in planned],
        unpaid=[_debt(row, words[row.pk], on) for row in late],
        receipts=[_receipt(row) for row in paid],
        to_do=[_task(row) for row in reading.rows(tasks, on=on)],
    )


def _sendings(now: dt.datetime) -> QuerySet[Any]:
    """Ask for the next reminders to leave; what waits since before is in À valider."""
    claimed = ReminderLine.objects.filter(reminder=OuterRef("pk"), is_claimed=True).order_by()
    leaving = Q(state__in=[ReminderState.PLANNED, ReminderState.APPROVED])
    return (
        Reminder.objects.filter(leaving | Q(state=ReminderState.AWAITING_APPROVAL, depart_at__gte=now))
        .select_related("client", "step")
        .only("state", "depart_at", "channel", "total_cents", "step__offset_days", "step__tone", *NAMES)
        .annotate(
            invoices=Subquery(claimed.values("reminder").annotate(n=Count("pk")).values("n")),
            number=Subquery(claimed.order_by("invoice__due_on").values("invoice__number")[:1]),
        )
        .order_by("depart_at", "pk")[:SENDINGS_SHOWN]
    )


def _unpaid(on: dt.date) -> QuerySet[Any]:
    """Ask for the largest late debts, and for the last step prepared or said of each."""
    last = ReminderLine.objects.filter(invoice=OuterRef("pk"), is_claimed=True, counts=True).order_by("-rank")
    # Chosen first, joined after: a sort that carries every client's columns costs as much as the figures.
    largest = Invoice.objects.overdue(on=on).with_outstanding().order_by("-owed_cents", "due_on", "pk")[:SHOWN]
    rows: QuerySet[Any] = (
        Invoice.objects.with_outstanding()
        .filter(pk__in=largest.values("pk"))
        .select_related("client")
        .defer("note")
        .annotate(
            said_state=Subquery(last.values("reminder__state")[:1]),
            said_offset=Subquery(last.values("reminder__step__offset_days")[:1]),
            said_tone=Subquery(last.values("reminder__step__tone")[:1]),
            said_on=Subquery(last.values("reminder__spoken_on")[:1]),
        )
        .order_by("-owed_cents", "due_on", "pk")
    )
    return rows


def _receipts(on: dt.date, *, sees_all: bool) -> QuerySet[Any]:
    """Ask for the last payments of the month; who sees some files only reads what pays their invoices."""
    parts = Allocation.objects.filter(payment=OuterRef("pk")).order_by().values("payment")
    mine = Subquery(parts.annotate(n=Sum(F("cents") + F("accessory_cents"))).values("n"))
    return (
        Payment.objects.filter(state=PaymentState.SETTLED, received_on__gte=on.replace(day=1), received_on__lte=on)
        .exclude(means=PaymentMeans.CREDIT)
        .select_related("client")
        .only("received_on", "means", "cents", *NAMES)
        .annotate(mine=F("cents") if sees_all else mine)
        .filter(mine__gt=0)
        .order_by("-received_on", "-recorded_at", "pk")[:PAYMENTS_SHOWN]
    )


def _to_do() -> QuerySet[Any]:
    """Ask for the open tasks, the most urgent first."""
    rows = Task.objects.filter(state=TaskState.OPEN).select_related("client", "owner__user")
    return rows.order_by("due_on", "created_at", "pk")[:TASKS_SHOWN]


def _sending(row: Any) -> Sending:
    awaits = row.state == ReminderState.AWAITING_APPROVAL
    return Sending(
        depart_at=row.depart_at,
        channel=Channel(row.channel),
        client=row.client.display_name,
        url=places.approval(row.pk) if awaits else places.message(row.pk),
        offset_days=row.step.offset_days,
        tone=Tone(row.step.tone).label.lower(),
        subject=row.number if row.invoices == 1 else f"{row.invoices} factures",
        cents=row.total_cents,
        awaits=awaits,
    )


def _debt(row: Any, status: InvoiceStatus, on: dt.date) -> Unpaid:
    return Unpaid(
        client=row.client.display_name,
        number=row.number,
        url=places.invoice(row.pk),
        days_late=row.days_late(on=on),
        cents=row.outstanding_cents,
        status=status,
        said=_said(row),
    )


def _said(row: Any) -> Said | None:
    if row.said_state is None:
        return None
    return Said(ReminderState(row.said_state), row.said_offset, Tone(row.said_tone), row.said_on)


def _receipt(row: Any) -> Receipt:
    return Receipt(
        client=row.client.display_name,
        url=places.client(row.client_id),
        means=PaymentMeans(row.means).label,
        received_on=row.received_on,
        cents=row.mine,
    )


def _task(row: reading.Row) -> ToDo:
    return ToDo(
        pk=row.task.pk,
        label=TaskKind(row.task.kind).label,
        client=row.client,
        due_on=row.task.due_on,
        is_late=row.is_late,
        url=row.url,
        act=row.act,
        by_hand=row.by_hand,
    )
