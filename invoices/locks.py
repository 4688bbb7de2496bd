"""Locks on invoices: in primary-key order, on the rows alone, until the transaction ends."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from invoices.models import Invoice


def lock_invoices(ids: Iterable[UUID] | QuerySet[Any]) -> list[Invoice]:
    """Lock these invoices, named or found by a query, always in the same order, and nothing joined to them."""
    rows = Invoice.objects.filter(pk__in=ids if isinstance(ids, QuerySet) else list(ids)).order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))
