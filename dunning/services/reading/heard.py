"""What came back, as lines of a timeline and of a client's page."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from dunning.enums import InboundKind, InboundState, ReplyClass
from dunning.models import InboundMessage
from dunning.presenting import Event, moment_words
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


def inbound_events(*, invoice: Invoice, reminder_ids: Sequence[UUID], zone: dt.tzinfo) -> Iterable[Event]:
    """Give what came back about an invoice: an answer of its client, and what its own messages brought back."""
    about = Q(reminder__in=reminder_ids) | Q(client=invoice.client_id, kind=InboundKind.REPLY)
    for row in _light(InboundMessage.objects.filter(about)):
        tone, icon, title = LOOKS[InboundKind(row.kind)]
        yield Event(
            at=row.received_at,
            tone=tone,
            icon=icon,
            title=title,
            when=moment_words(row.received_at, zone),
            text=_outcome(row),
            url=f"/reponses/{row.pk}/",
            link_label="Lire",
        )


def _outcome(message: InboundMessage) -> str:
    if message.reply_class:
        return f"Classée : {ReplyClass(message.reply_class).label.lower()}."
    return WAITS.get(InboundState(message.state), "")


def _light(rows: QuerySet[InboundMessage]) -> QuerySet[InboundMessage]:
    return rows.defer("raw", "text", "subject", "sender", "note")
