"""The link of the morning mail that holds a departure back: signed, dead once the message has left, sending nothing."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing

from cabinets import journal
from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from dunning.enums import ReminderState
from dunning.errors import DunningError
from dunning.models import Reminder
from dunning.services import approving

SALT = "dunning.veto"
# Longer than a working day and its evening: a departure moved to another day has another mail.
LIVES = dt.timedelta(hours=20)
HOLD_DAYS = 7
LEAVING = (ReminderState.PLANNED, ReminderState.APPROVED)


@dataclass(frozen=True, slots=True)
class Place:
    """What a link names: a firm, a person, a message."""

    cabinet_id: UUID
    member_id: UUID
    reminder_id: UUID


@dataclass(frozen=True, slots=True)
class Veto:
    """A departure that may still be held back."""

    reminder: Reminder
    cabinet: Cabinet
    member: Membership


def link_of(*, reminder: Reminder, member: Membership) -> str:
    """Return the address that lets one person hold one departure back, without signing in."""
    token = signing.dumps([member.cabinet_id.hex, member.pk.hex, reminder.pk.hex], salt=SALT)
    return f"{settings.SITE_URL}/veto/{token}/"


def place_of(token: str) -> Place | None:
    """Return what a link names; nothing for one nobody signed, or that is too old."""
    try:
        cabinet_id, member_id, reminder_id = signing.loads(token, salt=SALT, max_age=LIVES)
    except (signing.BadSignature, ValueError):
        return None
    return Place(UUID(cabinet_id), UUID(member_id), UUID(reminder_id))


def open_veto(place: Place) -> Veto | None:
    """Return the departure a link may hold back; nothing once it left or was stopped, or when the person is gone.

    Call it while working for the firm and the person the link names: it shows what they see, and no more.
    """
    members = Membership.objects.select_related("user").filter(is_active=True, user__is_active=True)
    member = members.filter(pk=place.member_id).first()
    rows = Reminder.objects.select_related("step", "client").filter(pk=place.reminder_id, state__in=LEAVING)
    reminder = rows.first()
    if member is None or reminder is None:
        return None
    return Veto(reminder=reminder, cabinet=Cabinet.objects.get(), member=member)


def use(*, place: Place, until_released: bool, reason: str = "") -> bool:
    """Hold a departure and its invoices back, seven days or until somebody frees them; False when it is too late."""
    with working_for(cabinet_id=place.cabinet_id, member_id=place.member_id):
        veto = open_veto(place)
        if veto is None:
            return False
        until_on = None if until_released else veto.cabinet.today() + dt.timedelta(days=HOLD_DAYS)
        try:
            approving.hold(
                reminder_id=veto.reminder.pk,
                by=veto.member,
                reason=reason.strip() or "Retenue depuis l’e-mail du matin",
                until_on=until_on,
            )
        except DunningError:  # it left, or a fact stopped it, between the two looks
            return False
        journal.record("reminder.vetoed", veto.reminder, rank=veto.reminder.rank)
    return True
