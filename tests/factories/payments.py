"""Payments for tests, received on the day one wants."""

import datetime as dt

from invoices.models import Invoice
from invoices.services import settlement
from payments.enums import PaymentMeans
from payments.models import Allocation, Payment


def make_payment(*, invoice: Invoice, on: dt.date, cents: int | None = None, surplus: int = 0) -> Payment:
    """Make a payment of one invoice, in full when no amount is given; `surplus` pays nothing."""
    part = invoice.outstanding_cents if cents is None else cents
    payment = Payment(client_id=invoice.client_id, received_on=on, cents=part + surplus, means=PaymentMeans.TRANSFER)
    payment.save(force_insert=True)
    if part:
        Allocation(payment=payment, invoice=invoice, cents=part).save(force_insert=True)
        settlement.settle(invoice_id=invoice.pk, cents=part)
        invoice.refresh_from_db()
    return payment
