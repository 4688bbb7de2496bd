"""The mark a reply brings back, under the installation's key."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from cabinets.scoping import current_cabinet_id
from dunning.inbound.tokens import marked_address, read_marks
from dunning.models import Reminder


def reply_address(*, address: str, reminder: Reminder) -> str:
    """Return the address a debtor answers to, with the mark that names the reminder."""
    return marked_address(address, reminder_id=reminder.pk, cabinet_id=reminder.cabinet_id, key=_key())


def marked_reminders(addresses: Iterable[str]) -> tuple[UUID, ...]:
    """Return the reminders of the firm acted for that these addresses name."""
    return read_marks(addresses, cabinet_id=current_cabinet_id(), key=_key())


def _key() -> bytes:
    return hashlib.sha256(b"reply-mark|" + settings.LINK_KEY.encode()).digest()
