"""Keep the mailbox a firm's debtors answer to, try it, and read what is new in it: one message, one transaction."""

import datetime as dt
import logging
from collections import Counter
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.scoping import acting_for, tenant_atomic
from dunning.inbound.imap import ImapMailbox
from dunning.inbound.mailbox import Fetched, MailboxError, MailboxSettings, Mark, Security
from dunning.models import Mailbox
from dunning.services import receiving
from dunning.services.nights import SCHEDULER

logger = logging.getLogger(__name__)

AT_MOST = 200
# Said of a message another reading is taking in.
ELSEWHERE = "elsewhere"
# A mailbox read for the first time, or numbered anew, is read from a few days before.
BACK_DAYS = 3
_STATED = ("host", "port", "security", "username", "password", "folder", "takes_tokens", "is_enabled", "failure")


@transaction.atomic
def keep(*, mailbox: Mailbox, password: str) -> Mailbox:
    """Write the settings of a mailbox; another folder or another server is read from its beginning."""
    if password:
        mailbox.password = password
    mailbox.failure, mailbox.read_at = "", None
    before = Mailbox.objects.select_for_update(of=("self",)).filter(pk=mailbox.pk).first()
    if before is None:
        mailbox.save(force_insert=True)
    else:
        if _place(before) != _place(mailbox):
            mailbox.uid_validity, mailbox.last_uid = None, 0
        mailbox.save(update_fields=[*_STATED, "read_at", "uid_validity", "last_uid"])
    journal.record("mailbox.changed", mailbox)
    return mailbox


def mailboxes_to_read() -> list[UUID]:
    """Return the mailboxes that are read, as the scheduler sees them: ids only."""
    rows = Mailbox.all_cabinets.using(SCHEDULER).filter(is_enabled=True)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def read(*, mailbox_id: UUID) -> Counter[str]:
    """Read what is new in a firm's mailbox and count what it was; what fails is written where the settings show it."""
    cabinet_id = Mailbox.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=mailbox_id)
    tally: Counter[str] = Counter()
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            mailbox = _free(mailbox_id)
            password = mailbox.password if mailbox else ""
        if mailbox is None:
            return tally
        try:
            _read_new(mailbox, settings_of(mailbox, password), tally)
            failure = ""
        except (MailboxError, ValueError) as error:
            failure = str(error)[:200]
            logger.warning("mailbox.unreachable", extra={"mailbox_id": str(mailbox_id)})
        with tenant_atomic():
            known = {"failure": failure} if failure else {"failure": "", "read_at": timezone.now()}
            if _free(mailbox_id):
                Mailbox.objects.filter(pk=mailbox_id).update(**known)
    return tally


def settings_of(mailbox: Mailbox, password: str) -> MailboxSettings:
    """Return how to reach a mailbox; raise ValueError where its settings would betray the password."""
    return MailboxSettings(
        host=mailbox.host,
        port=mailbox.port,
        username=mailbox.username,
        secret=password,
        folder=mailbox.folder,
        security=Security(mailbox.security),
        timeout=settings.EMAIL_TIMEOUT,
        ca_file=settings.SMTP_CA_FILE,
    )


def take(*, mailbox_id: UUID, fetched: Fetched) -> str:
    """Receive one message and move the mark past it, together or not at all; return what it was.

    Nothing is done where another worker is at this mailbox: it will find the message, and nobody waits for it.
    """
    try:
        with tenant_atomic(durable=True):
            if not _pass(mailbox_id, fetched):
                return ELSEWHERE
            message = receiving.receive(raw=fetched.raw, received_at=fetched.received_at, uid=fetched.uid)
    except OperationalError:
        raise  # the database: the next reading finds the message again
    except Exception as error:
        # One message nobody foresaw must not keep the others out, nor be lost.
        logger.exception("inbound.failed", extra={"mailbox_id": str(mailbox_id), "error": type(error).__name__})
        with tenant_atomic(durable=True):
            if not _pass(mailbox_id, fetched):
                return ELSEWHERE
            message = receiving.keep_unread(raw=fetched.raw, received_at=fetched.received_at, uid=fetched.uid)
    return str(message.kind) if message else "known"


def _read_new(mailbox: Mailbox, how: MailboxSettings, tally: Counter[str]) -> None:
    since = (mailbox.read_at or timezone.now()).date() - dt.timedelta(days=BACK_DAYS)
    mark = Mark(uid_validity=mailbox.uid_validity or 0, last_uid=mailbox.last_uid)
    with ImapMailbox(how).open() as reading:
        for fetched in reading.after(mark, since=since, at_most=AT_MOST):
            kind = take(mailbox_id=mailbox.pk, fetched=fetched)
            if kind == ELSEWHERE:
                return
            tally[kind] += 1


def _pass(mailbox_id: UUID, fetched: Fetched) -> bool:
    """Move the mark past a message; False where another worker is at this mailbox."""
    mailbox = _free(mailbox_id)
    if mailbox is None:
        return False
    if mailbox.uid_validity != fetched.uid_validity or mailbox.last_uid < fetched.uid:
        mailbox.uid_validity, mailbox.last_uid = fetched.uid_validity, fetched.uid
        mailbox.save(update_fields=["uid_validity", "last_uid"])
    return True


def _free(mailbox_id: UUID) -> Mailbox | None:
    """Lock a mailbox and return it; None where another worker is at it, who must hold up no worker but itself."""
    rows = Mailbox.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return rows.filter(pk=mailbox_id).first()


def _place(mailbox: Mailbox) -> tuple[str, int, str, str]:
    return mailbox.host, mailbox.port, mailbox.username, mailbox.folder
