"""The one word an invoice wears: computed here, from facts alone, for every screen."""

import datetime as dt
from collections.abc import Iterable
from typing import Protocol

from invoices.enums import InvoiceState, InvoiceStatus, StopKind


class Owed(Protocol):
    """What is read of an invoice."""

    state: str
    due_on: dt.date
    settled_cents: int

    @property
    def outstanding_cents(self) -> int: ...


class Stop(Protocol):
    """What is read of a fact that stops, already known to reach this invoice."""

    @property
    def kind(self) -> str: ...
    @property
    def until_on(self) -> dt.date | None: ...
    @property
    def released_at(self) -> dt.datetime | None: ...


_DECIDED = {
    InvoiceState.DRAFT: InvoiceStatus.DRAFT,
    InvoiceState.CANCELLED: InvoiceStatus.CANCELLED,
    InvoiceState.WRITTEN_OFF: InvoiceStatus.WRITTEN_OFF,
    InvoiceState.ARCHIVED: InvoiceStatus.ARCHIVED,
}
# In order: the first kind in force gives the word; any other stop is a suspension.
_WORDS = (
    ({StopKind.PAYMENT_IN_FLIGHT}, InvoiceStatus.IN_FLIGHT),
    ({StopKind.DISPUTE, StopKind.MEDIATION, StopKind.BATONNIER_SEISED}, InvoiceStatus.DISPUTED),
    ({StopKind.PLAN}, InvoiceStatus.PLAN),
)


def status_of(invoice: Owed, standstills: Iterable[Stop], on: dt.date) -> InvoiceStatus:
    """Say where an invoice is on this day: the firm's decision, then the money, then what stops it, then its date."""
    if (state := InvoiceState(invoice.state)) in _DECIDED:
        return _DECIDED[state]
    if invoice.outstanding_cents <= 0:
        return InvoiceStatus.PAID
    if kinds := {StopKind(stop.kind) for stop in standstills if in_force(stop, on)}:
        return next((word for some, word in _WORDS if some & kinds), InvoiceStatus.HELD)
    if invoice.settled_cents > 0:
        return InvoiceStatus.PART_PAID
    return InvoiceStatus.OVERDUE if invoice.due_on < on else InvoiceStatus.NOT_DUE


def in_force(stop: Stop, on: dt.date) -> bool:
    """Say whether a stop holds on this day: not lifted, and its last day not over."""
    return stop.released_at is None and (stop.until_on is None or stop.until_on >= on)
