"""A firm that is paid online: its client, an invoice, its link, its account at a provider in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from cabinets.models import Cabinet, Client
from cabinets.scoping import acting_for, working_for
from invoices.models import Invoice
from payments.enums import PaymentMeans, PaymentState
from payments.models import Checkout, Payment, PaymentLink, ProviderAccount
from payments.services import applying, asking, checkouts, roads
from payments.services.links import link_for
from tests.factories.cabinets import make_cabinet, make_client, make_dossier
from tests.factories.invoices import make_invoice
from tests.payments.fake_provider import FakeProvider, make_account


@dataclass
class Online:
    """What a test of online payments stands on; every act is committed, as in life."""

    cabinet: Cabinet
    account: ProviderAccount
    provider: FakeProvider
    link: PaymentLink
    invoices: list[Invoice]

    @property
    def invoice(self) -> Invoice:
        """Return the invoice, as it is now."""
        return self.now(self.invoices[0])

    def now(self, invoice: Invoice) -> Invoice:
        """Read an invoice again."""
        with working_for(cabinet_id=self.cabinet.pk):
            found: Invoice = Invoice.objects.get(pk=invoice.pk)
            return found

    def begin(
        self,
        *cents: int,
        means: PaymentMeans = PaymentMeans.CARD,
        form_id: UUID | None = None,
        invoices: list[Invoice] | None = None,
    ) -> Checkout:
        """Begin to pay the invoices, in full when no amount is given."""
        chosen = self.invoices if invoices is None else invoices
        shares = dict(zip([row.pk for row in chosen], cents or [row.outstanding_cents for row in chosen], strict=True))
        with acting_for(cabinet_id=self.cabinet.pk):
            return checkouts.begin(
                link=self.link, shares=shares, means=means, account=self.account, form_id=form_id or uuid4()
            )

    def ask(self, checkout: Checkout) -> bool:
        """Ask the provider, and apply its answer."""
        with acting_for(cabinet_id=self.cabinet.pk):
            return asking.ask(checkout_id=checkout.pk)

    def apply(self, checkout: Checkout) -> bool:
        """Apply what the provider would answer now."""
        with working_for(cabinet_id=self.cabinet.pk):
            snapshot = self.provider.snapshot(checkout.ref)
            return applying.apply(checkout_id=checkout.pk, snapshot=snapshot, asked_at=timezone.now())

    def read(self, checkout: Checkout) -> Checkout:
        """Read a checkout again, with its payment."""
        with working_for(cabinet_id=self.cabinet.pk):
            return Checkout.objects.select_related("payment", "account").get(pk=checkout.pk)

    def settled(self) -> int:
        """Return the money in."""
        with working_for(cabinet_id=self.cabinet.pk):
            return sum(Payment.objects.filter(state=PaymentState.SETTLED).values_list("cents", flat=True))

    def credit(self) -> int:
        """Return the client's credit."""
        with working_for(cabinet_id=self.cabinet.pk):
            return int(Client.objects.values_list("credit_cents", flat=True).get(pk=self.link.client_id))


@contextmanager
def online_world(*, invoices: int = 1, provider: FakeProvider | None = None, **facts: Any) -> Iterator[Online]:
    """Make a firm paid online, through a provider that is registered until the block ends."""
    before = list(roads._roads)
    fake = provider or FakeProvider()
    roads.register(lambda account: fake)
    try:
        cabinet = make_cabinet(**facts)
        account = make_account(cabinet)
        with working_for(cabinet_id=cabinet.pk):
            client = make_client(company="Menuiserie Leclerc", email="sophie@leclerc.example")
            dossier = make_dossier(client=client, title="Divorce Leclerc")
            rows = [make_invoice(dossier=dossier, number=f"F-2026-04{number:02}") for number in range(invoices)]
            link = link_for(client=client)
        yield Online(cabinet, account, fake, link, rows)
    finally:
        roads._roads[:] = before
