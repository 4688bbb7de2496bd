"""How messages leave: the firm's mode, its hours and its limits, and the mode one client has of its own."""

from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.enums import Right, SendingMode
from cabinets.models import Cabinet, Client, Membership
from cabinets.permissions import ensure


@transaction.atomic
def save_sending(*, cabinet: Cabinet, changes: list[str], by: Membership) -> None:
    """Keep these columns and journal their names; the new mode itself is no secret and is written."""
    ensure(by, Right.MANAGE_FIRM)
    if not changes:
        return
    cabinet.save(update_fields=changes)
    if "sending_mode" in changes:
        journal.record("cabinet.mode_changed", cabinet, mode=cabinet.sending_mode)
    if others := [name for name in changes if name != "sending_mode"]:
        journal.record("cabinet.sending_changed", cabinet, fields=others)


@transaction.atomic
def choose_mode(*, client_id: UUID, mode: str, by: Membership) -> bool:
    """Give a client a mode of its own, or the firm's again with ""; False when it was chosen already."""
    ensure(by, Right.MANAGE_FIRM)
    chosen = SendingMode(mode).value if mode else ""
    if Client.objects.filter(pk=client_id).exclude(sending_mode=chosen).update(sending_mode=chosen) != 1:
        return False
    journal.record("client.mode_changed", Client.objects.only("pk").get(pk=client_id), mode=chosen or "firm")
    return True
