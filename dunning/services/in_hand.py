"""Put a message between the hands of a person: every rule asked again, its words written, a task opened."""

import datetime as dt
from uuid import UUID

from cabinets import journal
from cabinets.enums import TaskKind
from cabinets.scoping import tenant_atomic
from dunning.enums import ReminderState
from dunning.models import Reminder
from dunning.services import alerts, todo
from dunning.services.claiming import Writer, take

LEFT = "left"


def hand_over(*, reminder_id: UUID, write: Writer[None], kind: TaskKind) -> str:
    """Ask a person to carry one message; return the state it ends in, or "left" when it is not to be said now.

    What stops it is written down as for any departure. The task is the dossier's lawyer's, due the same day.
    """
    with tenant_atomic(durable=True):
        taken = take(reminder_id=reminder_id, write=write, into=ReminderState.IN_HAND, lease=None)
        if taken is None:
            return LEFT
        reminder = Reminder.objects.get(pk=reminder_id)
        ask(reminder, kind=kind, due_on=taken.cabinet.today())
        journal.record("reminder.in_hand", reminder, rank=reminder.rank, channel=reminder.channel)
    return ReminderState.IN_HAND.value


def ask(reminder: Reminder, *, kind: TaskKind, due_on: dt.date) -> None:
    """Open the task that carries a message, once while it is open."""
    todo.open_once(
        kind,
        client_id=reminder.client_id,
        subject_id=reminder.pk,
        owner_id=alerts.lawyer_of(reminder),
        due_on=due_on,
    )
