"""The status of a list of invoices, in two queries whatever its length."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from cabinets.models import Dossier
from invoices.enums import InvoiceStatus
from invoices.models import Invoice, Standstill
from invoices.status import status_of

_TARGETS = ("invoice_id", "dossier_id", "client_id", "lawyer_id")


class StopRow(NamedTuple):
    """A stop not lifted, as far as a status needs it."""

    kind: str
    until_on: dt.date | None
    released_at: dt.datetime | None


def statuses(invoices: Sequence[Invoice], *, on: dt.date) -> dict[UUID, InvoiceStatus]:
    """Return the one word of each of these invoices on this day, by invoice."""
    if not invoices:
        return {}
    lawyers = dict(Dossier.objects.filter(pk__in={row.dossier_id for row in invoices}).values_list("pk", "lawyer_id"))
    stops = _stops(invoices, lawyers)
    return {row.pk: status_of(row, _reaching(row, stops, lawyers), on) for row in invoices}


def _stops(invoices: Sequence[Invoice], lawyers: Mapping[UUID, UUID | None]) -> dict[Any, list[StopRow]]:
    reach = (
        Q(invoice__in=[row.pk for row in invoices])
        | Q(dossier__in=list(lawyers))
        | Q(client__in={row.client_id for row in invoices})
        | Q(lawyer__in={pk for pk in lawyers.values() if pk})
        | Q(invoice=None, dossier=None, client=None, lawyer=None)
    )
    found: dict[Any, list[StopRow]] = defaultdict(list)
    rows = Standstill.objects.filter(reach, released_at=None)
    for *targets, kind, until_on in rows.values_list(*_TARGETS, "kind", "until_on"):
        found[next((target for target in targets if target), None)].append(StopRow(kind, until_on, None))
    return found


def _reaching(invoice: Invoice, stops: dict[Any, list[StopRow]], lawyers: Mapping[UUID, UUID | None]) -> list[StopRow]:
    lawyer = lawyers.get(invoice.dossier_id)
    targets = [invoice.pk, invoice.dossier_id, invoice.client_id, None, *([lawyer] if lawyer else [])]
    return [stop for target in targets for stop in stops.get(target, [])]
