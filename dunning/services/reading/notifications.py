"""What one person is told of, the latest first, each with the page where it is settled."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from cabinets.enums import NotificationKind, TaskKind
from cabinets.models import Membership, Notification, Task
from cabinets.sealing import open_together
from dunning.presenting import moment_words
from dunning.services.todo import about

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A notification as shown."""

    notification: Notification
    title: str
    words: str
    client: str
    when: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Fifty notifications at most, how many are unread in all, and where the next ones begin."""

    rows: tuple[Row, ...]
    unread: int
    after: str


def listed(*, member: Membership, zone: dt.tzinfo, only_unread: bool, after: str = "") -> Listed:
    """Return the notifications of a person, among the clients they still see."""
    mine = Notification.objects.filter(member=member)
    unread = mine.filter(read_at=None)
    shown = _after(unread if only_unread else mine, after)
    found = list(shown.select_related("client").order_by("-created_at", "-pk")[: PAGE + 1])
    rows = found[:PAGE]
    last = rows[-1] if len(found) > PAGE else None
    return Listed(
        rows=_rows(rows, zone),
        unread=unread.count(),
        after=f"{last.created_at.isoformat()}_{last.pk}" if last else "",
    )


def _rows(found: list[Notification], zone: dt.tzinfo) -> tuple[Row, ...]:
    open_together(one.client for one in found if one.client is not None)
    # A task is where what happened is settled: an unsaved one leads to the same page, in the same words.
    asked = [
        Task(pk=one.pk, kind=TaskKind(one.task_kind), client_id=one.client_id, subject_id=one.subject_id)
        for one in found
        if one.task_kind
    ]
    places = about(asked)
    rows = []
    for one in found:
        place = places.get(one.pk)
        kind = NotificationKind(one.kind)
        words = [TaskKind(one.task_kind).label] if kind == NotificationKind.ASSIGNED else []
        words += [place.words] if place and place.words else []
        rows.append(
            Row(
                notification=one,
                title=kind.label,
                words=" · ".join(words),
                client=one.client.display_name if one.client else "",
                when=moment_words(one.created_at, zone),
                url=place.url if place else _elsewhere(one),
            )
        )
    return tuple(rows)


def _elsewhere(one: Notification) -> str:
    """Return where what no task announces is settled."""
    if one.kind == NotificationKind.INCIDENT:
        return f"/rgpd/violations/{one.subject_id}/"
    if one.kind in {NotificationKind.PROCESSOR, NotificationKind.PROCESSOR_MOVED, NotificationKind.PROCESSOR_ANSWER}:
        return "/rgpd/sous-traitants/"
    if one.kind == NotificationKind.AUDIT:
        return "/rgpd/"
    return f"/clients/{one.client_id}/#notes"


def _after(rows: QuerySet[Notification], cursor: str) -> QuerySet[Notification]:
    moment, _, last = cursor.partition("_")
    try:
        at, pk = dt.datetime.fromisoformat(moment), UUID(last)
    except ValueError:
        return rows
    if at.tzinfo is None:
        return rows
    return rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
