"""A firm's chain of evidence: appended in the transaction that records a fact, verified link by link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from cabinets.errors import SealBrokenError
from cabinets.scoping import current_cabinet_id, whole_firm
from dunning.evidence import GENESIS, Link, digest_of
from dunning.models import EvidenceEntry, Reminder
from payments.models import PlanMessage

CHUNK = 2000
PLAN_MESSAGE = PlanMessage._meta.label_lower
# The parts of a message, sealed beside it, that a link remembers by their digest.
PARTS = ("subject", "text", "html", "recipient")
Facts = Mapping[str, str | int | bool | None]


# What the law lets go of leaves its link.
EMPTIED = "messages.emptied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found: how many links hold, the first that does not, and why."""

    links: int
    head: bytes
    broken_at: int | None = None
    why: str = ""
    altered: tuple[UUID, ...] = ()
    erased: int = 0

    @property
    def holds(self) -> bool:
        """Say whether every link holds the one before, and every content its digest."""
        return self.broken_at is None and not self.altered


@dataclass(slots=True)
class _Walk:
    links: int = 0
    head: bytes = GENESIS
    altered: list[UUID] = field(default_factory=list)
    erased: int = 0
    emptied: frozenset[UUID | None] = frozenset()


def append(
    event: str,
    *,
    reminder: Reminder | None = None,
    subject: models.Model | None = None,
    client_id: UUID | None = None,
    digests: Mapping[str, str] | None = None,
    facts: Facts | None = None,
) -> EvidenceEntry:
    """Add a link to the firm's chain, in the caller's transaction or not at all.

    The chain's lock is taken last, after every row the caller locks, and held until its transaction ends: two writers
    of a firm pass one after the other.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a link is written with the fact it proves, never alone")
    cabinet_id = current_cabinet_id()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"evidence:{cabinet_id}"])
    last = EvidenceEntry.objects.order_by("-seq").values_list("seq", "hash").first()
    seq, previous = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
    entry = EvidenceEntry(
        seq=seq,
        at=timezone.now(),
        event=event,
        reminder_id=None if reminder is None else reminder.pk,
        client_id=client_id or (None if reminder is None else reminder.client_id),
        subject_type="" if subject is None else subject._meta.label_lower,
        subject_id=subject.pk if subject is not None and isinstance(subject.pk, UUID) else None,
        facts=dict(facts or {}),
        digests=dict(digests or {}),
        previous=previous,
    )
    entry.hash = link_of(entry).hash
    entry.save(force_insert=True)
    return entry


def append_emptied(*, client_id: UUID, messages: int) -> EvidenceEntry:
    """Add the link that says a client's messages were emptied, their time being over."""
    return append(EMPTIED, client_id=client_id, facts={"messages": messages})


def append_message(event: str, reminder: Reminder, **facts: str | int | bool | None) -> EvidenceEntry:
    """Add what became of a message, with the digests of its very words, and who it was for."""
    told = {
        "channel": reminder.channel,
        "rank": reminder.rank,
        "message_id": reminder.message_id,
        "sent_from": reminder.sent_from,
        "text_ref": reminder.text_ref,
        "route": reminder.route,
        "provider_ref": reminder.provider_ref,
        "provider_code": reminder.provider_code,
        "spoken_at": None if reminder.spoken_at is None else reminder.spoken_at.isoformat(),
        **facts,
    }
    return append(
        event,
        reminder=reminder,
        digests=digests_of(reminder),
        facts={name: value for name, value in told.items() if value not in {None, ""}},
    )


def append_plan_message(event: str, message: PlanMessage) -> EvidenceEntry:
    """Add what became of a message about a payment plan, with the digests of its very words, and who it was for."""
    told = {
        "kind": message.kind,
        "message_id": message.message_id,
        "text_ref": message.text_ref,
        "plan": str(message.plan_id),
        "instalment": None if message.instalment_id is None else str(message.instalment_id),
        "spoken_at": None if message.spoken_at is None else message.spoken_at.isoformat(),
    }
    return append(
        event,
        subject=message,
        client_id=message.client_id,
        digests=digests_of(message),
        facts={name: value for name, value in told.items() if value},
    )


def digests_of(message: Reminder | PlanMessage) -> dict[str, str]:
    """Return the digest of each part of a message as it is kept."""
    parts = {name: getattr(message, name) or "" for name in PARTS}
    return {name: digest_of(text) for name, text in parts.items() if text}


def link_of(entry: EvidenceEntry) -> Link:
    """Return an entry as its hash sees it."""
    return Link(
        cabinet_id=entry.cabinet_id,
        seq=entry.seq,
        at=entry.at,
        event=entry.event,
        reminder_id=entry.reminder_id,
        client_id=entry.client_id,
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        facts=entry.facts,
        digests=entry.digests,
        previous=bytes(entry.previous),
    )


def verify(*, with_contents: bool = True) -> Verdict:
    """Walk the chain of the firm acted for from its first link; stop at the first that does not hold.

    With the contents, each message still kept is hashed again; what was erased with its client's key, or emptied as a
    later link says, is counted and is no fault.
    """
    # What is in the archive is hashed again like the rest: the verdict says nothing of what was read.
    with whole_firm():
        told = EvidenceEntry.objects.filter(event=EMPTIED).values_list("client_id", flat=True)
        walk = _Walk(emptied=frozenset(told) if with_contents else frozenset())
        for entry, message in _entries():
            if why := _fault(entry, walk):
                return Verdict(links=walk.links, head=walk.head, broken_at=entry.seq, why=why)
            walk.links, walk.head = walk.links + 1, bytes(entry.hash)
            if with_contents:
                _check_content(entry, message, walk)
        return Verdict(links=walk.links, head=walk.head, altered=tuple(walk.altered), erased=walk.erased)


def _entries() -> Iterator[tuple[EvidenceEntry, Reminder | PlanMessage | None]]:
    """Yield each link with the message it tells of, when it is kept, in one query more for a whole chunk."""
    rows = EvidenceEntry.objects.select_related("reminder").order_by("seq").iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        ids = [entry.subject_id for entry in chunk if entry.subject_type == PLAN_MESSAGE]
        told = PlanMessage.objects.in_bulk(ids) if ids else {}
        yield from ((entry, entry.reminder or told.get(entry.subject_id)) for entry in chunk)


def _fault(entry: EvidenceEntry, walk: _Walk) -> str:
    if entry.seq != walk.links + 1:
        return f"il manque le maillon n° {walk.links + 1}"
    if bytes(entry.previous) != walk.head:
        return "il ne tient pas au maillon précédent"
    if bytes(entry.hash) != link_of(entry).hash:
        return "son contenu a été modifié"
    return ""


def _check_content(entry: EvidenceEntry, message: Reminder | PlanMessage | None, walk: _Walk) -> None:
    if message is None or not any(name in entry.digests for name in PARTS):
        return
    try:
        kept = digests_of(message)
    except SealBrokenError:
        walk.erased += 1
        return
    if not kept and entry.client_id in walk.emptied:
        walk.erased += 1
        return
    told = {name: digest for name, digest in entry.digests.items() if name in PARTS}
    if any(kept.get(name) != digest for name, digest in told.items()):
        walk.altered.append(message.pk)
