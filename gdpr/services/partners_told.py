"""Tell a firm's partners what the operator owes them: a mail each from the queue, and a line on their own page."""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from cabinets.enums import NotificationKind, Role
from cabinets.models import Membership
from cabinets.services import notifications
from dunning.enums import StaffMailKind
from dunning.models import StaffMail
from dunning.services import staff_mail

SCHEDULER, OPERATOR = "scheduler", "operator"
AT_ONCE = 500
# What a queue that lost its worker leaves: past this, nobody looks again whether the mails left.
LOOKED_AT_FOR = dt.timedelta(days=30)


def tell(
    *, kind: StaffMailKind, key: str, subject: str, text: str, news: NotificationKind, subject_id: UUID
) -> list[str]:
    """Ask for one mail to each partner of the firm acted for, and notify them; return who, in words to keep.

    In the caller's transaction: told whole or not at all, and never twice under the same key.
    """
    partners = list(Membership.objects.filter(role=Role.OWNER, is_active=True).select_related("user").order_by("pk"))
    for partner in partners:
        staff_mail.queue(kind=kind, member=partner, key=key, subject=subject, html="", text=text)
    notifications.tell(news, member_ids=[one.pk for one in partners], client_id=None, subject_id=subject_id)
    return [f"{one.user.get_full_name()} <{one.user.email}>" for one in partners]


def mailed_at(*, kind: StaffMailKind, key: str) -> dt.datetime | None:
    """Return when the last of these mails left; None while one has not."""
    sent = list(StaffMail.objects.filter(kind=kind, key=key).values_list("sent_at", flat=True))
    known = [at for at in sent if at is not None]
    return max(known) if known and len(known) == len(sent) else None


def looked_at_since() -> dt.datetime:
    """Return the instant before which what was told is looked at no more."""
    return timezone.now() - LOOKED_AT_FOR


def link_to(path: str) -> str:
    """Return the address of one of the firm's pages."""
    return f"{settings.SITE_URL}{path}"
