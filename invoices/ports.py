"""What this floor needs of those above: the ladder, the days payments came in, the formal notices presented.

Each app registers the real one when it starts.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
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


class Received(NamedTuple):
    """What lowered an invoice's principal on a day."""

    on: dt.date
    cents: int


class Receipts(Protocol):
    """When the money of an invoice came in: interest is counted to the day."""

    def received(self, *, invoice_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Received]]:
        """Return the dated payments of these invoices, those taken back left out."""


_receipts: list[Receipts] = []


def register_receipts(receipts: Receipts) -> None:
    """Make these receipts the ones interest is counted from."""
    _receipts[:] = [receipts]


def receipts() -> Receipts:
    """Return the registered receipts."""
    if not _receipts:
        raise InvoiceError("Aucun registre des paiements n’est branché.")
    return _receipts[0]


class FormalNotices(Protocol):
    """When a formal notice was first presented: a consumer's interest runs from it (R13, R42)."""

    def presented(self, *, invoice_ids: Collection[UUID]) -> Mapping[UUID, dt.date]:
        """Return the first presentation of a formal notice that claimed each of these invoices."""


_notices: list[FormalNotices] = []


def register_notices(notices: FormalNotices) -> None:
    """Make these formal notices the ones interest is counted from."""
    _notices[:] = [notices]


def notices() -> FormalNotices:
    """Return the registered formal notices."""
    if not _notices:
        raise InvoiceError("Aucun registre des mises en demeure n’est branché.")
    return _notices[0]


class Balances(Protocol):
    """Who follows what is left of an invoice: a payment plan, a promise; told under the invoice's lock."""

    def moved(self, *, invoice_ids: Collection[UUID]) -> None:
        """Look again at what depends on these invoices, in the transaction that moved their balance."""


_balances: list[Balances] = []


def register_balances(balances: Balances) -> None:
    """Make these the ones that follow what is left of invoices."""
    _balances[:] = [balances]


def balances() -> Balances:
    """Return who follows what is left of invoices."""
    if not _balances:
        raise InvoiceError("Aucun suivi des échéanciers n’est branché.")
    return _balances[0]
