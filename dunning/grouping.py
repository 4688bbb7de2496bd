"""One message a debtor: which invoices it claims, which it mentions, and which wait their turn. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cabinets.enums import ClientKind
from dunning.enums import Channel, Tone


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invoice no rule holds back tonight."""

    invoice_id: UUID
    offset_days: int
    tone: Tone
    kind: ClientKind
    contact_id: UUID | None
    due_on: dt.date
    channel: Channel = Channel.EMAIL


@dataclass(frozen=True, slots=True)
class Group:
    """One message: the invoices it claims at the leading step, and those it only mentions."""

    claimed: tuple[Candidate, ...]
    mentioned: tuple[Candidate, ...]


def group(candidates: Sequence[Candidate]) -> tuple[Group | None, tuple[Candidate, ...]]:
    """Return the one message a debtor receives tonight, and the invoices left for another day.

    The highest step leads; a claim lawful for one client kind never reaches another kind or another addressee.
    """
    if not candidates:
        return None, ()
    lead = min(candidates, key=_order)
    same = [one for one in candidates if (one.kind, one.contact_id) == (lead.kind, lead.contact_id)]
    step = (lead.offset_days, lead.tone, lead.channel)
    claimed = tuple(one for one in same if (one.offset_days, one.tone, one.channel) == step)
    mentioned = tuple(one for one in same if one not in claimed)
    waiting = tuple(one for one in candidates if one not in same)
    return Group(claimed=claimed, mentioned=mentioned), waiting


def _order(one: Candidate) -> tuple[int, str, str, dt.date, str]:
    contact = "" if one.contact_id is None else str(one.contact_id)
    return (-one.offset_days, one.kind.value, contact, one.due_on, str(one.invoice_id))
