"""Close the journal's finished months: one head per month and firm, which no longer matches once a line changes."""

import datetime as dt
import hashlib
import json

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cabinets.models import Cabinet, JournalEntry, JournalSeal
from cabinets.segments import KEPT_MONTHS, first_of_month

COLUMNS = (
    "id", "at", "event", "member_id", "subject_type", "subject_id", "address", "agent", "request_id", "facts",
)  # fmt: skip
# The longest act that may be under way at midnight: a line bears the instant it was written, and is read at the end.
SETTLES = dt.timedelta(hours=4)


def sealing_day(cabinet: Cabinet) -> dt.date:
    """Return the day by which the months of a firm are finished: UTC's, as segments are cut, once midnight settled.

    A demonstration that stayed behind still writes on its own day.
    """
    return (min(timezone.now(), cabinet.now()) - SETTLES).astimezone(dt.UTC).date()


def head_of(month: dt.date) -> tuple[int, bytes]:
    """Return how many lines the firm's month holds, and the hash that chains them in order."""
    lines, head = 0, hashlib.sha256(f"journal|{month:%Y-%m}".encode()).digest()
    for row in _lines_of(month).order_by("id").values_list(*COLUMNS).iterator(chunk_size=2000):
        written = json.dumps(row, default=str, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256(head + written.encode()).digest()
        lines += 1
    return lines, head


def _lines_of(month: dt.date) -> QuerySet[JournalEntry]:
    start, end = (dt.datetime.combine(first_of_month(month, plus=plus), dt.time(), tzinfo=dt.UTC) for plus in (0, 1))
    return JournalEntry.objects.filter(at__gte=start, at__lt=end)


def unsealed_months(*, on: dt.date) -> list[dt.date]:
    """Return the finished months of the firm acted for that have lines and no seal."""
    first = JournalEntry.objects.order_by("at").values_list("at", flat=True).first()
    if first is None:
        return []
    sealed = set(JournalSeal.objects.values_list("month", flat=True))
    months, month = [], first_of_month(first.astimezone(dt.UTC).date())
    while month < first_of_month(on):
        if month not in sealed and _lines_of(month).exists():
            months.append(month)
        month = first_of_month(month, plus=1)
    return months


@transaction.atomic
def seal_finished_months(*, on: dt.date) -> list[dt.date]:
    """Seal every finished month of the firm acted for that has lines and no seal; return them."""
    months = unsealed_months(on=on)
    for month in months:
        lines, head = head_of(month)
        JournalSeal(month=month, lines=lines, head=head).save(force_insert=True)
    return months


def months_that_differ(*, on: dt.date) -> list[dt.date]:
    """Return the sealed months of the firm acted for whose lines are no longer those that were sealed."""
    oldest = first_of_month(on, plus=-KEPT_MONTHS)
    different = []
    for seal in JournalSeal.objects.order_by("month"):
        lines, head = head_of(seal.month)
        # Dropped whole when its time was over: nothing was altered.
        if lines == 0 and seal.month < oldest:
            continue
        if (lines, head) != (seal.lines, bytes(seal.head)):
            different.append(seal.month)
    return different
