"""What one night came to at one firm, read back from what it wrote: said, waiting, held and by which rule."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from cabinets.enums import Civility
from cabinets.models import Cabinet, Client
from dunning.enums import SPOKEN, Code, Reason, ReminderState
from dunning.models import Decision, NightlyRun, Reminder, ReminderLine

SAYS = frozenset({Code.SEND, Code.NEEDS_APPROVAL})
_SHORT = {Civility.MADAME: "Mme", Civility.MONSIEUR: "M.", Civility.MAITRE: "Me"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a night: to whom, at which step, for which invoices, and where it is."""

    client: str
    step: str
    numbers: tuple[str, ...]
    mentioned: tuple[str, ...]
    cents: int
    state: ReminderState
    # When it left, or when it is to leave.
    at: dt.datetime
    reasons: tuple[Reason, ...] = ()
    cancelled_by: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One firm's night."""

    slug: str
    firm: str
    on: dt.date
    zone_name: str
    examined: int = 0
    is_abnormal: bool = False
    said: tuple[Message, ...] = ()
    planned: tuple[Message, ...] = ()
    awaiting: tuple[Message, ...] = ()
    # Cancelled, refused by the server, or put aside since.
    dropped: tuple[Message, ...] = ()
    held: tuple[tuple[Code, int], ...] = ()
    # Of a night only rehearsed: the messages it would send, and those that would wait.
    would_send: int = 0
    would_ask: int = 0

    @property
    def said_cents(self) -> int:
        """Return what the messages that left claim."""
        return sum(message.cents for message in self.said)

    @property
    def awaiting_cents(self) -> int:
        """Return what the messages that wait claim."""
        return sum(message.cents for message in self.awaiting)


def read_night(*, cabinet: Cabinet, on: dt.date) -> Night:
    """Return a night of the firm acted for, as its rows tell it now."""
    run = NightlyRun.objects.filter(on=on).first()
    reminders = list(
        Reminder.objects.filter(on=on).select_related("client", "step").order_by("-rank", "depart_at", "pk")
    )
    messages = sorted(_messages(reminders), key=lambda message: (message.step, message.client, message.numbers))
    return Night(
        slug=cabinet.slug,
        firm=cabinet.name,
        on=on,
        zone_name=cabinet.zone_name,
        examined=run.due if run else 0,
        is_abnormal=bool(run and run.is_abnormal),
        said=_in(messages, SPOKEN),
        planned=_in(messages, (ReminderState.PLANNED, ReminderState.APPROVED)),
        awaiting=_in(messages, (ReminderState.AWAITING_APPROVAL,)),
        dropped=_in(
            messages,
            (ReminderState.CANCELLED, ReminderState.REJECTED, ReminderState.BOUNCED, ReminderState.DECLINED),
        ),
        held=held_by(Counter(_codes(on))),
    )


def held_by(cases: Counter[Code]) -> tuple[tuple[Code, int], ...]:
    """Return how many invoices each rule holds back, in the order in which the rules are read."""
    return tuple((code, cases[code]) for code in Code if cases[code] and code not in SAYS)


def client_shown(client: Client) -> str:
    """Return a company by its name and a person by their initials: enough to be recognised at the firm."""
    if client.company:
        return str(client.company)
    names = f"{client.first_name} {client.last_name}".replace("-", " ").split()
    initials = "\u00a0".join(f"{name[0]}." for name in names)
    return f"{_SHORT.get(Civility(client.civility), '')} {initials}".strip() or "Client sans nom"


def _codes(on: dt.date) -> Iterable[Code]:
    """Return the last answer for each invoice: an unusual night that was confirmed answers twice."""
    last: dict[UUID, Code] = {}
    for invoice_id, code in Decision.objects.filter(on=on).order_by("round").values_list("invoice_id", "code"):
        last[invoice_id] = Code(code)
    return last.values()


def _in(messages: Iterable[Message], states: Iterable[ReminderState]) -> tuple[Message, ...]:
    wanted = set(states)
    return tuple(message for message in messages if message.state in wanted)


def _messages(reminders: list[Reminder]) -> Iterable[Message]:
    lines: dict[UUID, list[ReminderLine]] = {}
    rows = ReminderLine.objects.filter(reminder__in=[reminder.pk for reminder in reminders]).select_related("invoice")
    for line in sorted(rows, key=lambda line: (line.invoice.due_on, line.invoice.number)):
        lines.setdefault(line.reminder_id, []).append(line)
    for reminder in reminders:
        mine = lines.get(reminder.pk, [])
        yield Message(
            client=client_shown(reminder.client),
            step=str(reminder.step),
            numbers=tuple(line.invoice.number for line in mine if line.is_claimed),
            mentioned=tuple(line.invoice.number for line in mine if not line.is_claimed),
            cents=reminder.total_cents,
            state=ReminderState(reminder.state),
            at=reminder.spoken_at or reminder.depart_at,
            reasons=tuple(Reason(reason) for reason in reminder.reasons),
            cancelled_by=Code(reminder.cancel_code) if reminder.cancel_code else None,
        )
