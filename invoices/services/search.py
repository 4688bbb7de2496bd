"""Search the firm from one field: clients, invoice numbers, amounts; what the person may see, and nothing else."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import F, Q

from cabinets.sealing import open_together
from cabinets.services.search import FoundClient, find_clients
from invoices.enums import InvoiceStatus
from invoices.models import Invoice
from invoices.money import cents_asked
from invoices.services.entering import number_key
from invoices.services.statuses import statuses

MOST = 20
SHORTEST_NUMBER = 2


@dataclass(frozen=True, slots=True)
class FoundInvoice:
    """An invoice that answers a search."""

    invoice: Invoice
    client_name: str
    status: InvoiceStatus


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found, at most twenty of each."""

    text: str
    clients: tuple[FoundClient, ...] = ()
    invoices: tuple[FoundInvoice, ...] = ()

    @property
    def count(self) -> int:
        """Return how many answers there are."""
        return len(self.clients) + len(self.invoices)


def search(text: str, *, on: dt.date) -> Results:
    """Return the clients of this name, address or telephone, and the invoices of this number or amount."""
    wanted = " ".join(text.split())
    if not wanted:
        return Results("")
    return Results(wanted, tuple(find_clients(wanted, limit=MOST)), tuple(_invoices(wanted, on)))


def _invoices(wanted: str, on: dt.date) -> list[FoundInvoice]:
    if (asked := _asked(wanted)) is None:
        return []
    found = Invoice.objects.with_outstanding().filter(asked).select_related("client")
    rows = list(found.order_by("-issued_on", "number_key")[:MOST])
    open_together(row.client for row in rows)
    words = statuses(rows, on=on)
    return [FoundInvoice(row, row.client.display_name, words[row.pk]) for row in rows]


def _asked(wanted: str) -> Q | None:
    number, cents = number_key(wanted), cents_asked(wanted)
    by_number = Q(number_key__contains=number) if len(number) >= SHORTEST_NUMBER else None
    by_amount = Q(total_cents=cents) | Q(owed_cents=cents) & Q(owed_cents__lt=F("total_cents")) if cents else None
    if by_number and by_amount:
        return by_number | by_amount
    return by_number or by_amount
