"""Say that a task is done, when nothing else says it."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, Membership, Task
from reporting.errors import TaskError

# These close by themselves, with the act that settles them: a mark would hide what is still to be decided.
CLOSED_BY_AN_ACT = {
    TaskKind.ALREADY_PAID: "en répondant à la demande du client",
    TaskKind.DISPUTE: "en répondant à la demande du client",
    TaskKind.WRONG_RECIPIENT: "en répondant à la demande du client",
    TaskKind.UNKNOWN_OUTCOME: "en disant si le message est parti",
    TaskKind.ABNORMAL_NIGHT: "en confirmant la nuit",
}


def closed_by_an_act(task: Task, *, on: dt.date) -> str:
    """Return the act that closes a task; nothing for one a person marks as done, as an unusual night that is over."""
    if task.kind == TaskKind.ABNORMAL_NIGHT and task.due_on < on:
        return ""
    return CLOSED_BY_AN_ACT.get(TaskKind(task.kind), "")


@transaction.atomic
def finish(*, task_id: UUID, by: Membership) -> Task:
    """Mark a task as done; marking it again changes nothing.

    Raise TaskError, and change nothing, for a task that only its own act closes.
    """
    task = Task.objects.get(pk=task_id)
    kind = TaskKind(task.kind)
    if how := closed_by_an_act(task, on=Cabinet.objects.get().today()):
        raise TaskError(f"« {kind.label} » n’a pas été marquée comme faite : elle se termine {how}.")
    done = Task.objects.filter(pk=task_id, state=TaskState.OPEN).update(
        state=TaskState.DONE, closed_at=timezone.now(), closed_by=by
    )
    if done:
        journal.record("task.done", task, kind=kind.value)
    return task
