"""Locks on invoices: in primary-key order, on the rows alone, until the transaction ends."""

from collections.abc import Iterable
from uuid import UUID

from invoices.models import Invoice


def lock_invoices(ids: Iterable[UUID]) -> list[Invoice]:
    """Lock these invoices, always in the same order, and nothing joined to them."""
    rows = Invoice.objects.filter(pk__in=list(ids)).order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))
