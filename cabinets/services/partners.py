"""Who the partners of a firm are and lately were, and mail to each; one that does not leave keeps no other untold."""

import datetime as dt
import logging
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet

from cabinets.enums import Role
from cabinets.models import JournalEntry, Membership

logger = logging.getLogger(__name__)
# The journal keeps who was a partner, whoever decided otherwise: no row of a member is believed about its past.
LEFT = ("person.deactivated", "person.role_changed", "person.changed_by_operator")
CAME = ("person.joined", "person.reactivated", "person.role_changed", "person.changed_by_operator")


def addresses() -> list[str]:
    """Return where the active partners of the firm acted for are written to."""
    owners = Membership.objects.filter(role=Role.OWNER, is_active=True).select_related("user").order_by("pk")
    return [owner.user.email for owner in owners]


def user_ids() -> list[UUID]:
    """Return the active partners of the firm acted for."""
    owners = Membership.objects.filter(role=Role.OWNER, is_active=True).order_by("pk")
    return list(owners.values_list("user_id", flat=True))


def since(instant: dt.datetime) -> QuerySet[Membership]:
    """Return who is an active partner of the firm acted for, or was one at any time since then."""
    gone = JournalEntry.objects.filter(event__in=LEFT, at__gt=instant, facts__role_before=Role.OWNER)
    active = Q(role=Role.OWNER, is_active=True)
    return Membership.objects.filter(active | Q(pk__in=list(gone.values_list("subject_id", flat=True)))).order_by("pk")


def became_one_since(instant: dt.datetime, *, member: Membership) -> bool:
    """Say whether a partner was made one, or one again, since then."""
    lines = JournalEntry.objects.filter(event__in=CAME, at__gt=instant, subject_id=member.pk)
    return lines.filter(Q(facts__role=Role.OWNER) | Q(facts__role_after=Role.OWNER)).exists()


def last_line(*, subject_id: UUID, events: Sequence[str]) -> JournalEntry | None:
    """Return the last line of the journal that says one of these of something."""
    return JournalEntry.objects.filter(event__in=events, subject_id=subject_id).order_by("-at", "-pk").first()


def author_of(line: JournalEntry | None) -> str:
    """Name who a line is of; nobody when the product or the operator acted."""
    if line is None or line.member_id is None:
        return ""
    by = Membership.objects.select_related("user").filter(pk=line.member_id).first()
    return "" if by is None else str(by.user)


def tell(to: Sequence[str], *, subject: str, text: str) -> None:
    """Write to each of these addresses apart, outside any transaction; nothing leaves where no server is set."""
    for address in to if settings.EMAIL_HOST else ():
        try:
            EmailMessage(subject=subject, body=text, to=[address]).send()
        except OSError as error:
            logger.warning("partners.untold", extra={"error": type(error).__name__})
