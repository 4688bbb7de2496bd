"""What came back, as lines of a timeline and of a client's page."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from dunning.enums import InboundKind, InboundState, ReplyClass
from dunning.models import InboundMessage, ReminderLine
from dunning.presenting import Event, moment_words
from dunning.services.reading.said import Told
from invoices.models import Invoice

SHOWN = 20
LOOKS = {
    InboundKind.REPLY: ("info", "mail-open", "Réponse du client par e-mail"),
    InboundKind.BOUNCE: ("late", "mail-x", "Message revenu : adresse refusée"),
    InboundKind.SOFT_BOUNCE: ("neutral", "hourglass", "Remise retardée : le serveur essaie encore"),
    InboundKind.AUTOMATIC: ("neutral", "mail", "Réponse automatique"),
    InboundKind.UNREADABLE: ("wait", "circle-question-mark", "Message reçu, illisible"),
}
WAITS = {
    InboundState.TO_CLASSIFY: "À classer : les relances du client attendent.",
    InboundState.UNMATCHED: "À rattacher.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message received from this client."""

    message: InboundMessage
    title: str
    icon: str
    when: str
    outcome: str


def heard_from(*, client_id: UUID, zone: dt.tzinfo) -> tuple[Heard, ...]:
    """Return the last messages received from a client, the newest first."""
    rows = _light(InboundMessage.objects.filter(client=client_id)).order_by("-received_at")[:SHOWN]
    return tuple(
        Heard(
            message=row,
            title=LOOKS[InboundKind(row.kind)][2],
            icon=LOOKS[InboundKind(row.kind)][1],
            when=moment_words(row.received_at, zone),
            outcome=_outcome(row),
        )
        for row in rows
    )


def inbound_events(*, invoices: Sequence[Invoice], lines: Sequence[ReminderLine], zone: dt.tzinfo) -> Iterable[Told]:
    """Give what came back: an answer of a client, about each of their invoices, and what our own messages brought."""
    about = Q(reminder__in={line.reminder_id for line in lines}) | Q(
        client__in={one.client_id for one in invoices}, kind=InboundKind.REPLY
    )
    for row in _light(InboundMessage.objects.filter(about)):
        tone, icon, title = LOOKS[InboundKind(row.kind)]
        event = Event(
            at=row.received_at,
            tone=tone,
            icon=icon,
            title=title,
            when=moment_words(row.received_at, zone),
            text=_outcome(row),
            url=f"/reponses/{row.pk}/",
            link_label="Lire",
            source=row.pk,
        )
        concerned = {line.invoice_id for line in lines if line.reminder_id == row.reminder_id}
        if row.kind == InboundKind.REPLY:
            concerned |= {one.pk for one in invoices if one.client_id == row.client_id}
        yield from ((pk, event) for pk in concerned)


def _outcome(message: InboundMessage) -> str:
    if message.reply_class:
        return f"Classée : {ReplyClass(message.reply_class).label.lower()}."
    return WAITS.get(InboundState(message.state), "")


def _light(rows: QuerySet[InboundMessage]) -> QuerySet[InboundMessage]:
    return rows.defer("raw", "text", "subject", "sender", "note")
