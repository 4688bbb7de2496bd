"""A ladder that does nothing and remembers everything it is told."""

import datetime as dt
from collections.abc import Collection
from uuid import UUID


class RecordingLadder:
    """Answers `invoices.ports.Ladder`; `calls` is what it was told.

    `spoken` is what it pretends was said, `on_record` what it pretends a night wrote about.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[UUID], str]] = []
        self.spoken: set[UUID] = set()
        self.on_record: set[UUID] = set()

    def enter(self, *, invoice_ids: Collection[UUID], on: dt.date) -> None:
        """Remember an entry."""
        self.calls.append(("enter", sorted(invoice_ids), on.isoformat()))

    def stop(self, *, invoice_ids: Collection[UUID], code: str) -> None:
        """Remember a stop."""
        self.calls.append(("stop", sorted(invoice_ids), code))

    def wake(self, *, invoice_ids: Collection[UUID]) -> None:
        """Remember an awakening."""
        self.calls.append(("wake", sorted(invoice_ids), ""))

    def leave(self, *, invoice_ids: Collection[UUID]) -> set[UUID]:
        """Remember a departure; return what the test says a night wrote about."""
        self.calls.append(("leave", sorted(invoice_ids), ""))
        return self.on_record & set(invoice_ids)

    def has_spoken(self, *, invoice_ids: Collection[UUID]) -> set[UUID]:
        """Return what the test says was spoken of."""
        return self.spoken & set(invoice_ids)

    @property
    def stopped(self) -> list[tuple[str, set[UUID]]]:
        """Return each stop: its code, the invoices."""
        return [(code, set(ids)) for act, ids, code in self.calls if act == "stop"]

    @property
    def woken(self) -> list[set[UUID]]:
        """Return the invoices of each awakening."""
        return [set(ids) for act, ids, _ in self.calls if act == "wake"]
