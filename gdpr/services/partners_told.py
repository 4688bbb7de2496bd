"""Tell a firm's partners what the operator owes them: a mail each from the queue, and a line on their own page."""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from cabinets.enums import NotificationKind, Role
from cabinets.models import Membership
from cabinets.scoping import working_for
from cabinets.services import notifications
from dunning.enums import StaffMailKind
from dunning.models import StaffMail
from dunning.services import staff_mail
from gdpr.models import IncidentNotice, ProcessorNotice

SCHEDULER, OPERATOR = "scheduler", "operator"
AT_ONCE = 500
# What a queue that lost its worker leaves: past this, nobody looks again whether the mails left.
LOOKED_AT_FOR = dt.timedelta(days=30)
# What proves that a firm was told, the mails that told it, and what those mails are keyed by.
PROOFS = (
    (IncidentNotice, StaffMailKind.INCIDENT, "statement_ref"),
    (ProcessorNotice, StaffMailKind.PROCESSOR, "version_ref"),
)


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


def unmailed() -> list[UUID]:
    """Return the firms some of whose proofs have mails that may have left since, as the scheduler sees them."""
    found: set[UUID] = set()
    for proof, *_ in PROOFS:
        recent = proof.all_cabinets.using(SCHEDULER).filter(mailed_at=None, told_at__gte=looked_at_since())
        found.update(recent.order_by("cabinet_id").values_list("cabinet_id", flat=True).distinct()[:AT_ONCE])
    return sorted(found)


def note_mailed(*, cabinet_id: UUID) -> int:
    """Write in a firm's proofs when the last of their mails left; return how many were completed."""
    done = 0
    with working_for(cabinet_id=cabinet_id):
        for proof, kind, key in PROOFS:
            waiting = proof.objects.filter(mailed_at=None, told_at__gte=looked_at_since())
            for pk, ref in list(waiting.order_by("pk").values_list("pk", key)):
                if (at := _mailed_at(kind=kind, key=str(ref))) is not None:
                    done += proof.objects.filter(pk=pk, mailed_at=None).update(mailed_at=at)
    return done


def looked_at_since() -> dt.datetime:
    """Return the instant before which what was told is looked at no more."""
    return timezone.now() - LOOKED_AT_FOR


def link_to(path: str) -> str:
    """Return the address of one of the firm's pages."""
    return f"{settings.SITE_URL}{path}"


def _mailed_at(*, kind: StaffMailKind, key: str) -> dt.datetime | None:
    """Return when the last of these mails left; None while one has not."""
    sent = list(StaffMail.objects.filter(kind=kind, key=key).values_list("sent_at", flat=True))
    known = [at for at in sent if at is not None]
    return max(known) if known and len(known) == len(sent) else None
