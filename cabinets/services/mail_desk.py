"""Send the mails about accounts: claimed, written from what is true now, said again until the server takes them."""

import datetime as dt
import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets import ports
from cabinets.enums import AccountMailKind
from cabinets.models import AccountMail

logger = logging.getLogger(__name__)
BATCH = 200
# Two days, one try every four hours at the end: then the mail would tell of another time.
TRIES = 18
LONGEST_WAIT = dt.timedelta(hours=4)


def sweep() -> int:
    """Every twenty seconds: send what is due; return how many left."""
    due = AccountMail.objects.filter(next_at__lte=timezone.now()).order_by("next_at", "pk")
    return sum(send(mail_id=pk) for pk in list(due.values_list("pk", flat=True)[:BATCH]))


def send(*, mail_id: int) -> bool:
    """Send one mail; a server that does not take it is asked again later, and nobody waits for it meanwhile."""
    row = _claimed(mail_id)
    if row is None:
        return False
    text = _text(row)
    left = text is not None and _left(row, text)
    if text is not None and not left and row.tries < TRIES:
        return False
    AccountMail.objects.filter(pk=row.pk).delete()
    return left


def _left(row: AccountMail, text: str) -> bool:
    try:
        EmailMessage(subject=AccountMailKind(row.kind).label, body=text, to=[row.user.email]).send()
    except OSError as error:
        told = {"mail_id": row.pk, "error": type(error).__name__, "tries": row.tries}
        logger.warning("account_mail.not_sent", extra=told)
        return False
    return True


def _claimed(mail_id: int) -> AccountMail | None:
    """Take a mail and put its next try off, in one update: another worker finds it no longer due."""
    now = timezone.now()
    tries = AccountMail.objects.filter(pk=mail_id).values_list("tries", flat=True).first()
    if tries is None:
        return None
    wait = min(dt.timedelta(minutes=2**tries), LONGEST_WAIT)
    due = AccountMail.objects.filter(pk=mail_id, tries=tries, next_at__lte=now)
    if not due.update(tries=F("tries") + 1, next_at=now + wait):
        return None
    return AccountMail.objects.select_related("user").get(pk=mail_id)


def _text(row: AccountMail) -> str | None:
    """Return what a mail says; None when there is nobody left to tell, or nothing left to tell of."""
    if not row.user.is_active:
        return None
    kind = AccountMailKind(row.kind)
    if (told := ports.writer_of(kind)) is not None:
        subject_id = row.subject_id
        return None if subject_id is None else told(kind=kind, subject_id=subject_id, user_id=row.user_id)
    context = {"person": row.user, "kind": kind, "at": row.created_at, "site_url": settings.SITE_URL}
    return render_to_string("cabinets/mail_account.txt", context)
