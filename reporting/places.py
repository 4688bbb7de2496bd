"""Where the dashboard leads: one address per thing, whichever app shows it."""

from uuid import UUID


def aged(rank: int) -> str:
    """Return the list of the invoices of one age."""
    return f"/factures/?age={rank}"


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
