"""Where the dashboard leads: one address per thing, whichever app shows it."""

from typing import Protocol
from urllib.parse import urlencode
from uuid import UUID


class About(Protocol):
    """Which dossiers a figure is about (`figures.Cut`)."""

    @property
    def lawyer(self) -> UUID | None:
        """Return the lawyer in charge."""

    @property
    def kind(self) -> str:
        """Return what the client is."""

    @property
    def area(self) -> str:
        """Return the practice area."""


def report(slug: str) -> str:
    """Return a report."""
    return f"/rapports/{slug}/"


def invoices(cut: About | None = None, **filters: str) -> str:
    """Return the list of the invoices of a cut, narrowed further."""
    if cut is not None:
        filters |= {"avocat": str(cut.lawyer or ""), "qualite": cut.kind, "domaine": cut.area}
    return "/factures/?" + urlencode({name: value for name, value in filters.items() if value})


def aged(rank: int, cut: About | None = None) -> str:
    """Return the list of the invoices of one age."""
    return invoices(cut, age=str(rank))


def overdue(cut: About) -> str:
    """Return the list of the late invoices."""
    return invoices(cut, etat="echue")


def lost(cut: About) -> str:
    """Return the list of the invoices given up."""
    return invoices(cut, etat="irrecouvrable")


def invoice(invoice_id: UUID) -> str:
    """Return the page of an invoice."""
    return f"/factures/{invoice_id}/"


def client(client_id: UUID) -> str:
    """Return the page of a client."""
    return f"/clients/{client_id}/"


def approval(reminder_id: UUID) -> str:
    """Return the page where a reminder is read and decided."""
    return f"/a-valider/{reminder_id}/"


def message(reminder_id: UUID) -> str:
    """Return the page that shows a message, left or to leave."""
    return f"/relances/{reminder_id}/"
