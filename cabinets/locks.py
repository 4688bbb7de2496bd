"""Locks of the floor: always in pk order, on the rows alone."""

from cabinets.enums import Role
from cabinets.models import Membership


def lock_active_owners() -> list[Membership]:
    """Lock the firm's active partners: whoever removes one counts the others while nobody else can."""
    rows = Membership.objects.filter(role=Role.OWNER, is_active=True).order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))
