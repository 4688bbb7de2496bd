"""What the tests of payments stand on: a ladder that records what it is told."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from cabinets.models import Cabinet, Client
from invoices import ports
from invoices.models import Invoice
from payments import ports as payment_ports
from payments.models import PaymentLink
from payments.services import links
from tests.factories.cabinets import make_client, make_dossier
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder


@pytest.fixture(autouse=True)
def ladder() -> Iterator[RecordingLadder]:
    """Put a recording ladder in place of the reminders' own."""
    before = list(ports._registered)
    recording = RecordingLadder()
    ports.register(recording)
    yield recording
    ports._registered[:] = before


class RecordingCourier:
    """Keeps what it was asked to carry, and carries nothing."""

    def __init__(self) -> None:
        self.hurried: list[UUID] = []

    def hurry(self, *, message_id: UUID) -> None:
        """Keep the id."""
        self.hurried.append(message_id)


@pytest.fixture(autouse=True)
def courier() -> Iterator[RecordingCourier]:
    """Put a recording courier in place of the worker."""
    before = list(payment_ports._registered)
    recording = RecordingCourier()
    payment_ports.register(recording)
    yield recording
    payment_ports._registered[:] = before


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
