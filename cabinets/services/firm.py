"""The firm itself: its settings, the switch that silences it, the day its payments are known through."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.models import Cabinet, Membership


@transaction.atomic
def save_settings(*, cabinet: Cabinet, changes: list[str]) -> None:
    """Keep these columns and journal their names; a new IBAN has a line of its own."""
    if not changes:
        return
    cabinet.save(update_fields=changes)
    journal.record("cabinet.changed", cabinet, fields=[name for name in changes if name != "iban"])
    if "iban" in changes:
        journal.record("cabinet.iban_changed", cabinet)


@transaction.atomic
def suspend_all(*, cabinet: Cabinet, by: Membership, at: dt.datetime) -> bool:
    """Let nothing leave any more; False when everything was suspended already."""
    running = Cabinet.objects.filter(pk=cabinet.pk, suspended_at__isnull=True)
    if running.update(suspended_at=at, suspended_by=by) != 1:
        return False
    journal.record("cabinet.suspended", cabinet)
    return True


@transaction.atomic
def resume_all(*, cabinet: Cabinet) -> bool:
    """Let messages leave again; False when nothing was suspended."""
    suspended = Cabinet.objects.filter(pk=cabinet.pk, suspended_at__isnull=False)
    if suspended.update(suspended_at=None, suspended_by=None) != 1:
        return False
    journal.record("cabinet.resumed", cabinet)
    return True


@transaction.atomic
def declare_settlements(*, cabinet: Cabinet, through_on: dt.date, today: dt.date) -> None:
    """Note that every payment received until a day is recorded here."""
    cabinet.settled_through_on, cabinet.settlements_declared_on = through_on, today
    cabinet.save(update_fields=["settled_through_on", "settlements_declared_on"])
    journal.record("cabinet.settlements_declared", cabinet, through_on=through_on.isoformat())


def every_firm(*, demo_only: bool = False) -> list[tuple[UUID, str]]:
    """Return the id and the name in addresses of every firm, as the scheduler sees them."""
    rows = Cabinet.objects.using("scheduler").order_by("slug")
    return list((rows.filter(is_demo=True) if demo_only else rows).values_list("pk", "slug"))
