"""Close the journal's finished months: one head per month and firm, which no longer matches once a line changes."""

import datetime as dt
import hashlib
import json

from django.db import transaction

from cabinets.models import JournalEntry, JournalSeal
from cabinets.segments import KEPT_MONTHS, first_of_month

COLUMNS = (
    "id", "at", "event", "member_id", "subject_type", "subject_id", "address", "agent", "request_id", "facts",
)  # fmt: skip


def head_of(month: dt.date) -> tuple[int, bytes]:
    """Return how many lines the firm's month holds, and the hash that chains them in order."""
    start, end = (dt.datetime.combine(first_of_month(month, plus=plus), dt.time(), tzinfo=dt.UTC) for plus in (0, 1))
    lines, head = 0, hashlib.sha256(f"journal|{start:%Y-%m}".encode()).digest()
    rows = JournalEntry.objects.filter(at__gte=start, at__lt=end).order_by("id").values_list(*COLUMNS)
    for row in rows.iterator(chunk_size=2000):
        written = json.dumps(row, default=str, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256(head + written.encode()).digest()
        lines += 1
    return lines, head


@transaction.atomic
def seal_finished_months(*, on: dt.date) -> list[dt.date]:
    """Seal every finished month of the firm acted for that has lines and no seal; return them."""
    first = JournalEntry.objects.order_by("at").values_list("at", flat=True).first()
    if first is None:
        return []
    sealed = set(JournalSeal.objects.values_list("month", flat=True))
    months, month = [], first_of_month(first.astimezone(dt.UTC).date())
    while month < first_of_month(on):
        lines, head = head_of(month) if month not in sealed else (0, b"")
        if lines:
            JournalSeal(month=month, lines=lines, head=head).save(force_insert=True)
            months.append(month)
        month = first_of_month(month, plus=1)
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
