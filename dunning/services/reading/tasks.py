"""The page of tasks: everything open, whose it is, by when, and the one act of each."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from cabinets.enums import TaskKind, TaskState
from cabinets.models import Membership, Task
from cabinets.sealing import open_together
from dunning.services import todo

SHOWN = 200
EVERY, MINE, LATE = "toutes", "moi", "retard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task, ready to be shown."""

    task: Task
    client: str
    about: str
    owner: str
    is_late: bool
    url: str
    act: str
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The tasks of one view, and how many each view holds."""

    rows: tuple[Row, ...]
    every: int
    mine: int
    late: int
    has_more: bool


def listed(*, view: str, member: Membership, on: dt.date) -> Listed:
    """Return what is open in one view, the most urgent first; six queries however many there are."""
    mine, late = Q(owner=member), Q(due_on__lt=on)
    opened = Task.objects.filter(state=TaskState.OPEN)
    counts = opened.aggregate(every=Count("pk"), mine=Count("pk", filter=mine), late=Count("pk", filter=late))
    chosen: QuerySet[Task] = opened.filter({MINE: mine, LATE: late}.get(view, Q()))
    found = list(chosen.select_related("client", "owner__user").order_by("due_on", "created_at", "pk")[: SHOWN + 1])
    shown = found[:SHOWN]
    return Listed(rows=tuple(rows(shown, on=on)), has_more=len(found) > SHOWN, **counts)


def rows(tasks: list[Task], *, on: dt.date) -> list[Row]:
    """Make these tasks ready to be shown, the names opened together."""
    open_together([task.client for task in tasks if task.client])
    subjects = todo.about(tasks)
    return [
        Row(
            task=task,
            client=task.client.display_name if task.client else "",
            about=subjects[task.pk].words,
            owner=task.owner.user.get_full_name() if task.owner else "",
            is_late=task.due_on < on,
            url=subjects[task.pk].url,
            act=todo.DOORS[TaskKind(task.kind)].act,
            by_hand=not todo.closed_by_an_act(task, on=on, is_request=subjects[task.pk].is_request),
        )
        for task in tasks
    ]
