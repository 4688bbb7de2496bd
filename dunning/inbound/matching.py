"""Whose message is it? By the reminder it answers, else by its sender; two possible clients are both held."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dunning.inbound.parsing import Incoming

_OURS = re.compile(r"<([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})@[^<>\s]+>")


class How(StrEnum):
    """What told whose message it is."""

    REFERENCE = "reference"
    """It answers a reminder of ours."""
    SENDER = "sender"
    """It comes from the address of one client."""
    AMBIGUOUS = "ambiguous"
    """It may be several clients': each is held."""
    NOBODY = "nobody"
    """Nothing tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the firm knows: the client of each of its reminders, and the clients who use an address."""

    reminders: Mapping[UUID, UUID]
    senders: Mapping[str, frozenset[UUID]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Whose message it is: the clients, and the reminder it answers where one is named."""

    how: How
    client_ids: frozenset[UUID] = frozenset()
    reminder_id: UUID | None = None


def named_reminders(incoming: Incoming, *, marked: tuple[UUID, ...] = ()) -> tuple[UUID, ...]:
    """Return the reminders a message may answer, the likeliest first.

    The message it answers, then the mark of the address it was sent to, then the thread from its end. Anybody can write
    these ids: the firm's own rows decide.
    """
    if incoming.bounce is not None:
        # The message that came back and no other: an answer somebody wrote by hand may bounce in the same thread.
        carried = incoming.bounce.original_message_id
        return tuple(_ours(*((carried,) if carried else incoming.in_reply_to)))
    named = [*_ours(*incoming.in_reply_to), *marked, *reversed(_ours(*incoming.references))]
    return tuple(dict.fromkeys(named))


def match(incoming: Incoming, known: Known, *, marked: tuple[UUID, ...] = ()) -> Match:
    """Say whose message it is. A message about a client is never discarded, and never given to one of two by chance."""
    answered = [one for one in named_reminders(incoming, marked=marked) if one in known.reminders]
    if answered:
        clients = frozenset(known.reminders[one] for one in answered)
        how = How.REFERENCE if len(clients) == 1 else How.AMBIGUOUS
        return Match(how=how, client_ids=clients, reminder_id=answered[0])
    clients = known.senders.get(incoming.sender, frozenset())
    if not clients:
        return Match(how=How.NOBODY)
    return Match(how=How.SENDER if len(clients) == 1 else How.AMBIGUOUS, client_ids=clients)


def _ours(*identifiers: str) -> list[UUID]:
    return [UUID(found[1]) for identifier in identifiers if (found := _OURS.fullmatch(identifier))]
