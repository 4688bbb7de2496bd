"""The firm itself: its settings, the switch that silences it, the day its payments are known through."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from cabinets import journal
from cabinets.enums import SettlementSource
from cabinets.models import Cabinet, Membership
from cabinets.scoping import current_cabinet_id


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
    cabinet.settlements_source = SettlementSource.DECLARED
    cabinet.save(update_fields=["settled_through_on", "settlements_declared_on", "settlements_source"])
    journal.record("cabinet.settlements_declared", cabinet, through_on=through_on.isoformat())


@transaction.atomic
def learn_settlements(*, through_on: dt.date, source: SettlementSource, fresh_until_on: dt.date | None = None) -> bool:
    """Note what the bank's statements prove: payments are known through a day, as if a person had said so that day.

    Nothing goes back: an older statement changes nothing, and False says so. With a feed, `fresh_until_on` is the last
    day it answers for.
    """
    cabinet = Cabinet.objects.filter(pk=current_cabinet_id())
    earlier = Q(settled_through_on=None) | Q(settled_through_on__lt=through_on)
    moved = cabinet.filter(earlier).update(settled_through_on=through_on, settlements_source=source)
    declared = Q(settlements_declared_on=None) | Q(settlements_declared_on__lt=through_on)
    cabinet.filter(declared).update(settlements_declared_on=through_on)
    if fresh_until_on is not None:
        cabinet.filter(Q(feed_fresh_until_on__lt=fresh_until_on)).update(feed_fresh_until_on=fresh_until_on)
    if moved:
        journal.record(
            "cabinet.settlements_learned", cabinet.get(), through_on=through_on.isoformat(), source=source.value
        )
    return bool(moved)


@transaction.atomic
def rely_on_feed(*, fresh_until_on: dt.date | None) -> None:
    """Let the bank's deposits answer for the payments through a day; None: a person declares them again."""
    Cabinet.objects.filter(pk=current_cabinet_id()).update(feed_fresh_until_on=fresh_until_on)


def every_firm(*, demo_only: bool = False) -> list[tuple[UUID, str]]:
    """Return the id and the name in addresses of every firm, as the scheduler sees them."""
    rows = Cabinet.objects.using("scheduler").order_by("slug")
    return list((rows.filter(is_demo=True) if demo_only else rows).values_list("pk", "slug"))
