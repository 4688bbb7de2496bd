"""What the tests of payments stand on: a ladder that records what it is told."""

import datetime as dt
from collections.abc import Collection, Iterator
from uuid import UUID

import pytest

from cabinets.models import Cabinet, Client
from invoices import ports
from invoices.models import Invoice
from payments.models import PaymentLink
from payments.services import links
from tests.factories.cabinets import make_client, make_dossier
from tests.factories.invoices import make_invoice


class RecordingLadder:
    """Keeps what facts told it, in order."""

    def __init__(self) -> None:
        self.stopped: list[tuple[str, set[UUID]]] = []
        self.woken: list[set[UUID]] = []

    def enter(self, *, invoice_ids: Collection[UUID], on: dt.date) -> None:
        """Take nothing: no test of this folder enters an invoice."""

    def stop(self, *, invoice_ids: Collection[UUID], code: str) -> None:
        """Keep the code and the invoices."""
        self.stopped.append((code, set(invoice_ids)))

    def wake(self, *, invoice_ids: Collection[UUID]) -> None:
        """Keep the invoices."""
        self.woken.append(set(invoice_ids))

    def has_spoken(self, *, invoice_ids: Collection[UUID]) -> set[UUID]:
        """Answer that nothing left."""
        return set()


@pytest.fixture(autouse=True)
def ladder() -> Iterator[RecordingLadder]:
    """Put a recording ladder in place of the reminders' own."""
    before = list(ports._registered)
    recording = RecordingLadder()
    ports.register(recording)
    yield recording
    ports._registered[:] = before


@pytest.fixture
def client(cabinet: Cabinet) -> Client:
    """Return a client of the firm."""
    return make_client(company="Menuiserie Leclerc", email="sophie@leclerc.example")


@pytest.fixture
def invoice(client: Client) -> Invoice:
    """Return an invoice of 1 440,00 €, ten days late."""
    return make_invoice(dossier=make_dossier(client=client, title="Divorce Leclerc"), number="F-2026-0412")


@pytest.fixture
def link(invoice: Invoice) -> PaymentLink:
    """Return the link of the invoice's client."""
    return links.link_for(client=Client.objects.get(pk=invoice.client_id))
