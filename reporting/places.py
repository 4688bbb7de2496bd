"""Where the dashboard leads: one address per thing, whichever app shows it."""

from uuid import UUID

from cabinets.enums import TaskKind
from cabinets.models import Task

APPROVALS = "/a-valider/"


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


def request(request_id: UUID) -> str:
    """Return the page where a client's request is answered."""
    return f"/demandes/{request_id}/"


# What a task is about is named by its kind: a request, an invoice, a reminder, a night.
_TO_INVOICE = {TaskKind.REVIEW_OLD_DEBT, TaskKind.PROVISION_END}
_TO_REQUEST = {TaskKind.ALREADY_PAID, TaskKind.DISPUTE, TaskKind.WRONG_RECIPIENT}


def of_task(task: Task) -> str:
    """Return the page where a task is done: its subject's, else its client's."""
    kind = TaskKind(task.kind)
    if task.subject_id and kind in _TO_INVOICE:
        return invoice(task.subject_id)
    if task.subject_id and kind in _TO_REQUEST:
        return request(task.subject_id)
    if task.subject_id and kind == TaskKind.UNKNOWN_OUTCOME:
        return approval(task.subject_id)
    return client(task.client_id) if task.client_id else APPROVALS
