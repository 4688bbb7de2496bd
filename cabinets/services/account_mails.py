"""Ask for mails about an account: a row per person, in the transaction of what it tells; they leave afterwards."""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from cabinets.enums import AccountMailKind
from cabinets.models import AccountMail, User


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
