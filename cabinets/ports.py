"""What the floor tells those above it: the invoices' app registers who listens when it starts."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cabinets.enums import AccountMailKind


class Follower(Protocol):
    """What a change of a client or of a dossier does to what was to be said about them, in the same transaction."""

    def stop(self, *, client_id: UUID, dossier_id: UUID | None = None, code: str) -> None:
        """Cancel what was to be said to this client (or about this dossier alone), by this rule of the night."""

    def wake(self, *, client_id: UUID, dossier_id: UUID | None = None) -> None:
        """Ask the next night to look at this client's invoices (or at this dossier's alone) again."""


_registered: list[Follower] = []


def register(follower: Follower) -> None:
    """Make this follower the one that changes reach."""
    _registered[:] = [follower]


def follower() -> Follower:
    """Return the registered follower."""
    if not _registered:
        raise RuntimeError("no app follows clients and dossiers: invoices is not installed")
    return _registered[0]


class Archivist(Protocol):
    """Keeps the intermediate archive."""

    def give_back(self, client_ids: Collection[UUID]) -> int:
        """Return clients to daily use, because something new is written about them; return how many were archived."""


_archivists: list[Archivist] = []


def register_archivist(keeping: Archivist) -> None:
    """Make this archivist the one who gives clients back."""
    _archivists[:] = [keeping]


def archivist() -> Archivist:
    """Return the registered archivist."""
    if not _archivists:
        raise RuntimeError("nobody keeps the archive: cabinets is not ready")
    return _archivists[0]


class Writer(Protocol):
    """Writes the mails of account that tell of something its app holds."""

    def __call__(self, *, kind: AccountMailKind, subject_id: UUID, user_id: UUID) -> str | None:
        """Return what a person reads, at the moment it leaves; None when nothing is theirs to read."""


_writers: dict[str, Writer] = {}


def register_writer(start: str, writing: Writer) -> None:
    """Make this writer the one of the kinds whose name starts so."""
    _writers[start] = writing


def writer_of(kind: AccountMailKind) -> Writer | None:
    """Return who writes a kind of mail; nobody for what is about a person's own account."""
    return next((writing for start, writing in _writers.items() if kind.startswith(start)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTold:
    """What a person vouched for of their own training."""

    on: dt.date | None
    again_on: dt.date | None
    is_due: bool


class Trainer(Protocol):
    """Knows who vouched for having read the rules on personal data."""

    def training_of(self, *, member_id: UUID, on: dt.date) -> TrainingTold:
        """Return when this person last did, as of a day."""


_trainers: list[Trainer] = []


def register_trainer(knowing: Trainer) -> None:
    """Make this trainer the one that knows."""
    _trainers[:] = [knowing]


def trainer() -> Trainer:
    """Return the registered trainer."""
    if not _trainers:
        raise RuntimeError("nobody knows who was trained: gdpr is not installed")
    return _trainers[0]


class Meter(Protocol):
    """Counts what the firm's offer is sold by."""

    def followed(self, *, since: dt.date) -> int:
        """Return how many invoices were still to pay on at least a day since this one, of the whole firm."""


_meters: list[Meter] = []


def register_meter(counting: Meter) -> None:
    """Make this meter the one that counts."""
    _meters[:] = [counting]


def meter() -> Meter:
    """Return the registered meter."""
    if not _meters:
        raise RuntimeError("no app counts invoices: invoices is not installed")
    return _meters[0]
