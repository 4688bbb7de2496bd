"""Tasks about what is owed: opened once, moved when their day changes, closed with what they were for."""

import datetime as dt
from uuid import UUID

from django.utils import timezone

from cabinets.enums import TaskKind, TaskState
from cabinets.models import Task
from cabinets.scoping import current_scope


def open_chore(
    kind: TaskKind, *, subject_id: UUID, client_id: UUID, due_on: dt.date, owner_id: UUID | None = None
) -> None:
    """Ask a person, once while the task is open; an open one takes the new day."""
    moved = Task.objects.filter(kind=kind, subject_id=subject_id, state=TaskState.OPEN)
    if not moved.update(due_on=due_on):
        Task.objects.bulk_create(
            [Task(kind=kind, subject_id=subject_id, client_id=client_id, due_on=due_on, owner_id=owner_id)],
            ignore_conflicts=True,
        )


def close_chores(*, subject_id: UUID, kind: TaskKind | None = None) -> int:
    """Close what was asked about a fact; return how many tasks were open."""
    asked = Task.objects.filter(subject_id=subject_id, state=TaskState.OPEN)
    if kind is not None:
        asked = asked.filter(kind=kind)
    return asked.update(state=TaskState.DONE, closed_at=timezone.now(), closed_by_id=current_scope().member_id)
