"""What this floor needs of those above: who carries the messages debtors ask for, and who says what is kept of them."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cabinets.models import Cabinet
from payments.errors import PaymentError


class Courier(Protocol):
    """Carries what a link's reader asked for, by the firm's own server and text messages."""

    def hurry(self, *, message_id: UUID) -> None:
        """Carry this message now rather than at the next sweep; losing the call loses a minute."""


_registered: list[Courier] = []


def register(courier: Courier) -> None:
    """Make this courier the one that carries."""
    _registered[:] = [courier]


def courier() -> Courier:
    """Return the registered courier."""
    if not _registered:
        raise PaymentError("Aucun service d’envoi n’est branché. Rien n’est parti.")
    return _registered[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class UseTold:
    """One use of a person's data, as the person reads it."""

    name: str
    text: str
    basis: str
    interest: str
    """The interest pursued, where the use rests on one; empty otherwise."""
    recipients: tuple[str, ...]
    lengths: tuple[str, ...]
    rights: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationTold:
    """What a firm tells the people whose data it uses (GDPR art. 13 and 14)."""

    controller: str
    dpo: str
    uses: tuple[UseTold, ...]
    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    transfers: tuple[str, ...]
    unplaced: tuple[str, ...]
    """Who receives data in a country that nobody recorded."""
    has_consent: bool
    is_contact: bool
    """Whether it is told to somebody reached for the client, whom no contract binds."""


class Informer(Protocol):
    """Says what a firm does with people's data, from the register itself."""

    def information(self, cabinet: Cabinet, *, is_contact: bool) -> InformationTold:
        """Return it for the firm acted for, as its client reads it or whoever is reached for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTold:
    """A copy of a person's data that waits for them."""

    asked_id: UUID
    size: int
    made_on: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayTold:
    """Why the answer about a person's data takes longer, since when and until when."""

    asked_id: UUID
    said_on: dt.date
    due_on: dt.date
    reason: str


class Copies(Protocol):
    """Keeps what became of what people asked about their data from their page, and the copies made for them."""

    def delays(self, asked_ids: Collection[UUID]) -> list[DelayTold]:
        """Return those of these requests whose answer was put off."""

    def waiting(self, asked_ids: Collection[UUID]) -> list[CopyTold]:
        """Return those of these requests, the latest first; none once its answer is old."""

    def read(self, asked_id: UUID) -> bytes | None:
        """Return one to hand over, and keep the trace of it; None when it no longer waits."""


_copies: list[Copies] = []


def register_copies(copies: Copies) -> None:
    """Make this the one that keeps them."""
    _copies[:] = [copies]


def copies() -> Copies:
    """Return the one registered."""
    if not _copies:
        raise PaymentError("Aucun registre des demandes n’est branché.")
    return _copies[0]


_informers: list[Informer] = []


def register_informer(informer: Informer) -> None:
    """Make this informer the one that says it."""
    _informers[:] = [informer]


def informer() -> Informer:
    """Return the registered informer."""
    if not _informers:
        raise PaymentError("Aucun registre des traitements n’est branché.")
    return _informers[0]
