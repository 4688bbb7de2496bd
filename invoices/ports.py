"""The ladder as this floor needs it: the reminders' app registers the real one when it starts."""

import datetime as dt
from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from invoices.errors import InvoiceError


class Ladder(Protocol):
    """What a fact does to reminders, in the transaction that writes the fact."""

    def enter(self, *, invoice_ids: Collection[UUID], on: dt.date) -> None:
        """Put these invoices on their firm's ladder; those already on it stay where they are."""

    def stop(self, *, invoice_ids: Collection[UUID], code: str) -> None:
        """Cancel what is planned, waiting or approved for these invoices, and ask the next night to look again."""

    def wake(self, *, invoice_ids: Collection[UUID]) -> None:
        """Ask the next night to look at these invoices again."""

    def leave(self, *, invoice_ids: Collection[UUID]) -> set[UUID]:
        """Take invoices off the ladder for good; return those that a night already wrote about, whose record stays."""

    def has_spoken(self, *, invoice_ids: Collection[UUID]) -> set[UUID]:
        """Return those of these invoices for which a message already left, or may have."""


_registered: list[Ladder] = []


def register(ladder: Ladder) -> None:
    """Make this ladder the one that facts reach."""
    _registered[:] = [ladder]


def ladder() -> Ladder:
    """Return the registered ladder."""
    if not _registered:
        raise InvoiceError("Aucun moteur de relance n’est branché.")
    return _registered[0]
