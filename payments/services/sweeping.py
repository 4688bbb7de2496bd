"""What the clock hands to workers: the rows that are due, firm by firm, as the scheduler sees them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

SCHEDULER = "scheduler"
PER_SWEEP = 500


def by_firm(rows: QuerySet[Any]) -> dict[UUID, list[UUID]]:
    """Return the ids of these rows by firm, in their order; a sweep takes five hundred, the next one goes on."""
    found: dict[UUID, list[UUID]] = {}
    for cabinet_id, row_id in rows.values_list("cabinet_id", "pk")[:PER_SWEEP]:
        found.setdefault(cabinet_id, []).append(row_id)
    return found
