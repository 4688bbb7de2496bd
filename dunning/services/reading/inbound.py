"""Réponses: what came back, view by view, and one message beside all that helps to classify it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.db.models import Case, Count, Q, QuerySet, When

from cabinets.models import Cabinet, Client, Membership
from cabinets.sealing import open_together
from dunning.enums import InboundKind, InboundState
from dunning.inbound.bounces import Bounce
from dunning.inbound.parsing import Attachment, Incoming, parse
from dunning.models import InboundMessage, Reminder, ReminderLine
from dunning.presenting import late_words, moment_words, step_words
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill

PAGE = 50
TO_CLASSIFY, UNMATCHED, BOUNCES, AUTOMATIC, DONE = "a-classer", "a-rattacher", "retours", "automatiques", "traitees"
_BACK = (InboundKind.BOUNCE, InboundKind.SOFT_BOUNCE)
VIEWS: Mapping[str, tuple[str, Q]] = {
    TO_CLASSIFY: ("À classer", Q(state=InboundState.TO_CLASSIFY)),
    UNMATCHED: ("À rattacher", Q(state=InboundState.UNMATCHED)),
    BOUNCES: ("Adresses refusées", Q(state=InboundState.LOGGED, kind__in=_BACK)),
    AUTOMATIC: ("Automatiques", Q(state=InboundState.LOGGED, kind=InboundKind.AUTOMATIC)),
    DONE: ("Traitées", Q(state__in=[InboundState.CLASSIFIED, InboundState.UNRELATED])),
}
# Read first what waits longest; what is over, the newest first.
_OLDEST_FIRST = (TO_CLASSIFY, UNMATCHED)
# What a refusal most often means, by the class of its code (RFC 3463), and how it is mended.
_MENDS = (
    ("5.1", "Cette adresse n’existe pas, ou plus. Demandez la bonne au client, puis corrigez sa fiche."),
    ("5.2.2", "Sa boîte est pleine. Appelez le client, ou demandez-lui une autre adresse."),
    ("5.2", "Sa boîte ne reçoit plus rien. Demandez une autre adresse au client."),
    ("5.7", "Son serveur refuse vos messages. Vérifiez le réglage de votre domaine, puis écrivez autrement."),
    ("4.", "Son serveur n’a pas répondu pendant plusieurs jours. Vérifiez l’adresse auprès du client."),
)
_MEND = "Vérifiez l’adresse auprès du client, puis corrigez sa fiche."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One message of a list."""

    message: InboundMessage
    name: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of a view, and how many messages each view holds."""

    rows: tuple[Row, ...]
    counts: Mapping[str, int]
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An open invoice of the client, and whether the message most likely speaks of it."""

    invoice: Invoice
    late: str
    is_likely: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """One message as its page shows it."""

    message: InboundMessage
    name: str
    when: str
    said: str
    whole: str
    attachments: tuple[Attachment, ...]
    owed: tuple[Owed, ...]
    reminder: Reminder | None
    step: str
    written_on: str
    stops: tuple[str, ...]
    candidates: tuple[Client, ...]
    bounce: Bounce | None
    mend: str
    mailto: str
    before: InboundMessage | None
    after: InboundMessage | None

    @property
    def waits_for_a_class(self) -> bool:
        """Say whether somebody must still say what it says."""
        return self.message.state == InboundState.TO_CLASSIFY

    @property
    def waits_for_a_client(self) -> bool:
        """Say whether somebody must still say whose it is."""
        return self.message.state == InboundState.UNMATCHED


def listed(*, view: str, page: int, cabinet: Cabinet) -> Listed:
    """Return fifty messages of one view and what each view counts; three queries however many there are."""
    every = InboundMessage.objects.all()
    counts = every.aggregate(**{_name(key): Count("pk", filter=told[1]) for key, told in VIEWS.items()})
    order = "received_at" if view in _OLDEST_FIRST else "-received_at"
    pages = max(-(-counts[_name(view)] // PAGE), 1)
    page = min(max(page, 1), pages)
    found = every.filter(VIEWS[view][1]).defer("text", "raw", "note").select_related("client")
    rows = open_together(found.order_by(order, "pk")[(page - 1) * PAGE : page * PAGE])
    open_together([row.client for row in rows if row.client])
    return Listed(
        rows=tuple(
            Row(
                message=row,
                name=row.client.display_name if row.client else row.sender or "Expéditeur illisible",
                when=moment_words(row.received_at, cabinet.zone),
            )
            for row in rows
        ),
        counts={key: counts[_name(key)] for key in VIEWS},
        page=page,
        pages=pages,
    )


def page_of(*, message: InboundMessage, cabinet: Cabinet, member: Membership) -> MessagePage:
    """Return one message, and everything known that helps to classify it."""
    incoming, reminder = parse(message.raw.encode("latin-1")), message.reminder
    before, after = _around(message)
    bounce = incoming.bounce if message.kind in _BACK else None
    return MessagePage(
        message=message,
        name=message.client.display_name if message.client else "",
        when=moment_words(message.received_at, cabinet.zone),
        said=incoming.said or message.text,
        whole=message.text,
        attachments=incoming.attachments,
        owed=tuple(_owed(message, cabinet.today())),
        reminder=reminder,
        step=step_words(reminder.step) if reminder else "",
        written_on=moment_words(reminder.spoken_at, cabinet.zone) if reminder and reminder.spoken_at else "",
        stops=tuple(_stops(message)),
        candidates=tuple(open_together(Client.objects.filter(pk__in=message.candidate_ids).order_by("pk"))),
        bounce=bounce,
        mend=_mend(bounce),
        mailto=_mailto(incoming) if message.kind == InboundKind.REPLY else "",
        before=before,
        after=after,
    )


def following(message: InboundMessage) -> InboundMessage | None:
    """Return the message to classify after this one, else the oldest that waits."""
    waiting = InboundMessage.objects.filter(state=InboundState.TO_CLASSIFY).exclude(pk=message.pk)
    return waiting.order_by(_later(message), "received_at", "pk").first()


def _name(view: str) -> str:
    return view.replace("-", "_")


def _later(message: InboundMessage) -> Case:
    return Case(When(received_at__gte=message.received_at, then=0), default=1)


def _around(message: InboundMessage) -> tuple[InboundMessage | None, InboundMessage | None]:
    """Return the neighbours of a message among those that wait for the same thing."""
    same: QuerySet[InboundMessage] = InboundMessage.objects.filter(state=message.state).only("id", "cabinet_id")
    at, pk = message.received_at, message.pk
    before = same.filter(Q(received_at__lt=at) | Q(received_at=at, pk__lt=pk)).order_by("-received_at", "-pk").first()
    after = same.filter(Q(received_at__gt=at) | Q(received_at=at, pk__gt=pk)).order_by("received_at", "pk").first()
    return before, after


def _owed(message: InboundMessage, on: dt.date) -> Sequence[Owed]:
    if message.client_id is None:
        return []
    named = set(ReminderLine.objects.filter(reminder=message.reminder_id).values_list("invoice", flat=True))
    found = Invoice.objects.open().filter(client=message.client_id).select_related("dossier").order_by("due_on", "pk")
    text = f"{message.subject} {message.text}".casefold()
    rows = list(found)
    likely = {row.pk for row in rows if row.pk in named or row.number.casefold() in text}
    return [
        Owed(
            invoice=row,
            late=late_words(due_on=row.due_on, on=on),
            is_likely=row.pk in likely if likely else True,
        )
        for row in rows
    ]


def _stops(message: InboundMessage) -> list[str]:
    if message.client_id is None:
        return []
    reach = Q(client=message.client_id) | Q(invoice__client=message.client_id)
    kinds = Standstill.objects.filter(reach, released_at=None).order_by("kind").values_list("kind", flat=True)
    return [StopKind(kind).label for kind in dict.fromkeys(kinds)]


def _mend(bounce: Bounce | None) -> str:
    if bounce is None:
        return ""
    status = bounce.worst.status
    return next((words for start, words in _MENDS if status.startswith(start)), _MEND)


def _mailto(incoming: Incoming) -> str:
    if not incoming.sender:
        return ""
    subject = incoming.subject if incoming.subject.lower().startswith("re") else f"Re: {incoming.subject}"
    return f"mailto:{quote(incoming.sender)}?subject={quote(subject)}"
