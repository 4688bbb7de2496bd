"""Tasks about what is owed: opened once, moved when their day changes, closed with what they were for."""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, Task
from cabinets.scoping import current_scope
from cabinets.services.notifications import tell_of_task
from invoices.enums import StopKind
from invoices.law.limitation import Nature
from invoices.models import LimitationEvent, Standstill

# Asked about the invoice itself: where the answer is given.
_ASKED_OF_INVOICE = {
    StopKind.DISPUTE: TaskKind.DISPUTE,
    StopKind.CLAIMED_PAID: TaskKind.DISPUTE,
    StopKind.PROMISE: TaskKind.PROMISE_OVER,
}


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
        tell_of_task(kind, client_id=client_id, subject_id=subject_id, owner_id=owner_id)


def close_chores(*, subject_id: UUID, kind: TaskKind | None = None) -> int:
    """Close what was asked about a fact; return how many tasks were open."""
    asked = Task.objects.filter(subject_id=subject_id, state=TaskState.OPEN)
    if kind is not None:
        asked = asked.filter(kind=kind)
    return asked.update(state=TaskState.DONE, closed_at=timezone.now(), closed_by_id=current_scope().member_id)


def close_all(*, subject_ids: Collection[UUID]) -> int:
    """Close what was asked about many facts; return how many tasks were open."""
    asked = Task.objects.filter(subject_id__in=subject_ids, state=TaskState.OPEN)
    return asked.update(state=TaskState.DONE, closed_at=timezone.now(), closed_by_id=current_scope().member_id)


def close_what_asked(stop: Standstill) -> None:
    """Close the tasks a fact opened, now that it is lifted; a mediation's suspension of limitation ends with it."""
    close_chores(subject_id=stop.pk)
    kind = StopKind(stop.kind)
    if stop.invoice_id is not None and kind in _ASKED_OF_INVOICE:
        close_chores(subject_id=stop.invoice_id, kind=_ASKED_OF_INVOICE[kind])
    if stop.invoice is not None and kind == StopKind.MEDIATION:
        running = LimitationEvent.objects.filter(dossier=stop.invoice.dossier_id, nature=Nature.MEDIATION.value)
        running.filter(until_on=None).update(until_on=Cabinet.objects.get().today())
