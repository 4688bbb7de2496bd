"""Mail to every partner of a firm; one that does not leave keeps no other from being told."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from cabinets.enums import Role
from cabinets.models import Membership

logger = logging.getLogger(__name__)


def addresses() -> list[str]:
    """Return where the active partners of the firm acted for are written to."""
    owners = Membership.objects.filter(role=Role.OWNER, is_active=True).select_related("user").order_by("pk")
    return [owner.user.email for owner in owners]


def user_ids() -> list[UUID]:
    """Return the active partners of the firm acted for."""
    owners = Membership.objects.filter(role=Role.OWNER, is_active=True).order_by("pk")
    return list(owners.values_list("user_id", flat=True))


def tell(to: Sequence[str], *, subject: str, text: str) -> None:
    """Write to each of these addresses apart, outside any transaction; nothing leaves where no server is set."""
    for address in to if settings.EMAIL_HOST else ():
        try:
            EmailMessage(subject=subject, body=text, to=[address]).send()
        except OSError as error:
            logger.warning("partners.untold", extra={"error": type(error).__name__})
