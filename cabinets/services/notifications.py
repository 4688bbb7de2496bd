"""Tell people of what awaits them: written where the fact is, in its transaction, for who sees its client."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cabinets.enums import RIGHTS, NotificationKind, Right, Role, TaskKind
from cabinets.models import Assignment, Membership, Notification
from cabinets.scoping import current_scope, whole_firm

# Tasks that are news; the others wait on the list of tasks.
OF_TASK = {
    TaskKind.ALREADY_PAID: NotificationKind.REQUEST,
    TaskKind.DISPUTE: NotificationKind.REQUEST,
    TaskKind.WRONG_RECIPIENT: NotificationKind.REQUEST,
    TaskKind.CHANNEL_CHOICE: NotificationKind.REQUEST,
    TaskKind.DATA_REQUEST: NotificationKind.REQUEST,
    TaskKind.CLASSIFY_REPLY: NotificationKind.REPLY,
    TaskKind.UNMATCHED_REPLY: NotificationKind.REPLY,
    TaskKind.PLAN_REQUEST: NotificationKind.PLAN,
    TaskKind.PAYMENT_REVERSED: NotificationKind.PAYMENT_REVERSED,
    TaskKind.REJECTED_ADDRESS: NotificationKind.ADDRESS,
    TaskKind.ABNORMAL_NIGHT: NotificationKind.NIGHT,
}
ACTING_ROLES = tuple(role for role in Role if Right.EDIT_CLIENTS in RIGHTS[role])


def who_sees(client_id: UUID | None) -> QuerySet[Membership]:
    """Return the active people of the firm who see this client; with no client, those who see every file."""
    people = Membership.objects.filter(is_active=True).select_related("user").order_by("user__last_name", "pk")
    if client_id is None:
        return people.filter(sees_every_file=True)
    mine = Assignment.objects.filter(dossier__client=client_id).values("member")
    return people.filter(Q(sees_every_file=True) | Q(pk__in=mine))


def tell(
    kind: NotificationKind,
    *,
    member_ids: Iterable[UUID],
    client_id: UUID | None,
    subject_id: UUID,
    task_kind: TaskKind | None = None,
) -> None:
    """Tell these people once while they have not read it; nobody is told of their own act."""
    rows = [
        Notification(
            member_id=member_id, kind=kind, task_kind=task_kind or "", client_id=client_id, subject_id=subject_id
        )
        for member_id in member_ids
        if member_id != current_scope().member_id
    ]
    with transaction.atomic(), whole_firm():
        Notification.objects.bulk_create(rows, ignore_conflicts=True)


def tell_of_task(kind: TaskKind, *, client_id: UUID | None, subject_id: UUID, owner_id: UUID | None) -> None:
    """Tell a task's owner that it is there, or else whoever sees its client and may act."""
    if (news := OF_TASK.get(kind)) is None:
        return
    with transaction.atomic(), whole_firm():
        people = who_sees(client_id).filter(role__in=ACTING_ROLES)
        told = people.filter(pk=owner_id) if owner_id is not None else people
        member_ids = list(told.values_list("pk", flat=True)) or list(people.values_list("pk", flat=True))
    tell(news, member_ids=member_ids, client_id=client_id, subject_id=subject_id, task_kind=kind)


def mark_read(*, by: Membership, notification_id: UUID | None = None) -> int:
    """Mark one notification of a person as read, or all of them; return how many were not yet."""
    mine = Notification.objects.filter(member=by, read_at=None)
    if notification_id is not None:
        mine = mine.filter(pk=notification_id)
    return mine.update(read_at=timezone.now())
