"""Accessories, as other products got them wrong: forgotten, written on the invoice, applied to all, never removed."""

import datetime as dt

import pytest

from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Membership
from invoices.enums import ClaimKind
from invoices.models import AccessoryClaim, Invoice
from invoices.services import claims
from payments.services.recording import Receipt, record_payment
from tests.factories.cabinets import make_dossier
from tests.factories.invoices import make_invoice

D = dt.date
pytestmark = pytest.mark.usefixtures("cabinet")


def owe(kind: ClientKind = ClientKind.PROFESSIONAL) -> Invoice:
    invoice = make_invoice(dossier=make_dossier(kind=kind), due_on=D(2025, 3, 31), total_cents=120_000)
    return fresh(invoice)


def fresh(invoice: Invoice) -> Invoice:
    found: Invoice = Invoice.objects.select_related("dossier").get(pk=invoice.pk)
    return found


def pay(invoice: Invoice, cents: int, on: dt.date) -> Invoice:
    receipt = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=cents, received_on=on)
    record_payment(receipt=receipt, on=on)
    return fresh(invoice)


def test_f50_interest_is_still_due_once_the_principal_is_paid(cabinet: Cabinet) -> None:
    paid = pay(owe(), 120_000, D(2025, 4, 30))

    said = claims.statement_of(invoices=[paid], on=D(2026, 1, 15))[paid.pk]
    assert (said.principal_cents, said.interest_cents, said.indemnity_cents) == (0, 1297, 4000)
    assert dict(AccessoryClaim.objects.values_list("kind", "cents")) == {"interest": 1297, "indemnity": 4000}


def test_f62_what_lateness_costs_is_never_written_on_the_invoice(owner: Membership) -> None:
    invoice = owe()
    before = Invoice.objects.values().get()

    claims.ask(invoices=[invoice], on=D(2025, 4, 30))
    claims.waive(invoice_id=invoice.pk, kind=ClaimKind.INDEMNITY, by=owner, reason="Geste", on=D(2025, 4, 30))

    assert Invoice.objects.values().get() == before
    assert AccessoryClaim.objects.count() == 2


@pytest.mark.parametrize("kind", [ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL, ClientKind.UNKNOWN])
def test_f63_no_fee_is_applied_to_whom_none_applies(kind: ClientKind) -> None:
    invoice = owe(kind)

    said = claims.ask(invoices=[invoice], on=D(2026, 6, 30))[invoice.pk]

    assert (said.accessories_cents, said.total_cents) == (0, 120_000)
    assert not AccessoryClaim.objects.exists()


def test_f66_interest_once_asked_can_be_given_up_and_is_asked_no_more(owner: Membership) -> None:
    invoice = owe()
    claims.ask(invoices=[invoice], on=D(2025, 4, 30))

    claims.waive(invoice_id=invoice.pk, kind=ClaimKind.INTEREST, by=owner, reason="Accord trouvé", on=D(2025, 5, 5))

    said = claims.ask(invoices=[invoice], on=D(2026, 6, 30))[invoice.pk]
    row = AccessoryClaim.objects.get(kind=ClaimKind.INTEREST)
    assert (said.interest_cents, row.asked_cents, row.outstanding_cents) == (0, 1297, 0)
    assert (row.waived_by, row.waiver_reason) == (owner, "Accord trouvé")
