"""Ask for mails about an account: a row per person, in the transaction of what it tells; they leave afterwards."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from cabinets.enums import AccountMailKind
from cabinets.models import AccountMail, Membership, User
from cabinets.scoping import CabinetOwned, working_for

SCHEDULER = "scheduler"


def ask(
    kind: AccountMailKind, *, users: Iterable[UUID], subject_id: UUID | None = None, using: str = "default"
) -> None:
    """Have each of these people told, through the role that writes what it tells; nothing where no server is set."""
    if settings.EMAIL_HOST:
        AccountMail.objects.using(using).bulk_create(
            AccountMail(user_id=user, kind=kind, subject_id=subject_id) for user in dict.fromkeys(users)
        )


def tell(kind: AccountMailKind, *, user: User) -> None:
    """Have a person told of a change of their own account."""
    ask(kind, users=[user.pk])


def firm_of(model: type[CabinetOwned], *, subject_id: UUID) -> UUID | None:
    """Return the firm of what a mail tells of, before any is acted for; None when it is no more."""
    places = model.all_cabinets.using(SCHEDULER).filter(pk=subject_id)
    return places.values_list("cabinet_id", flat=True).first()


@contextmanager
def read_by(model: type[CabinetOwned], *, subject_id: UUID, user_id: UUID) -> Iterator[Membership | None]:
    """Act for the firm of what a mail tells of, and yield who reads it there, let go since or not; None for nobody."""
    cabinet_id = firm_of(model, subject_id=subject_id)
    if cabinet_id is None:
        yield None
        return
    with working_for(cabinet_id=cabinet_id):
        yield Membership.objects.filter(user_id=user_id).first()
