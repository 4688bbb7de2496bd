"""Which facts reach which invoices: on the invoice, its dossier, its client, its lawyer, or the whole firm."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from cabinets.models import Cabinet
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill

_Target = tuple[UUID | None, UUID | None, UUID | None]


def earliest_stops(*, invoices: Sequence[Invoice], kinds: Collection[StopKind]) -> dict[UUID, dict[StopKind, dt.date]]:
    """Return, by invoice, the day the first fact of each kind still in force began; dossiers come with the invoices."""
    reach = (
        Q(invoice__in=[row.pk for row in invoices])
        | Q(dossier__in={row.dossier_id for row in invoices})
        | Q(client__in={row.client_id for row in invoices})
    )
    rows = Standstill.objects.filter(reach, kind__in=kinds, released_at=None).values_list(
        "invoice_id", "dossier_id", "client_id", "kind", "started_on", "created_at"
    )
    known: dict[_Target, dict[StopKind, dt.date]] = {}
    zone: ZoneInfo | None = None
    for invoice_id, dossier_id, client_id, kind, started_on, created_at in rows:
        if started_on is None:
            zone = zone or Cabinet.objects.get().zone
        day = started_on or created_at.astimezone(zone).date()
        days = known.setdefault((invoice_id, dossier_id, client_id), {})
        days[StopKind(kind)] = min(days.get(StopKind(kind), day), day)
    return {row.pk: _first(known, row) for row in invoices}


def _first(known: dict[_Target, dict[StopKind, dt.date]], invoice: Invoice) -> dict[StopKind, dt.date]:
    first: dict[StopKind, dt.date] = {}
    for target in ((invoice.pk, None, None), (None, invoice.dossier_id, None), (None, None, invoice.client_id)):
        for kind, day in known.get(target, {}).items():
            first[kind] = min(first.get(kind, day), day)
    return first
