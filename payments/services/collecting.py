"""What a provider collects becomes a payment: on its way, in, refused, taken back in whole or in part."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Sum

from cabinets import journal
from invoices.locks import lock_invoices
from invoices.models import Invoice
from invoices.services import settlement
from payments.enums import PaymentMeans, PaymentState
from payments.models import Allocation, Checkout, CheckoutLine, Payment
from payments.services.recording import (
    RECEIVING,
    Debt,
    Receipt,
    Share,
    in_order,
    order_told,
    reverse_payment,
    settle_share,
    spread,
)


def expect(checkout: Checkout, *, cents: int, means: PaymentMeans, on: dt.date) -> Payment:
    """Record money that is on its way: it lowers nothing yet."""
    payment = _new(checkout, cents=cents, means=means, on=on, state=PaymentState.PROCESSING)
    left = cents
    for invoice_id, part in _lines(checkout):
        if share := min(part, left):
            Allocation(payment=payment, invoice_id=invoice_id, cents=share).save(force_insert=True)
            left -= share
    journal.record("payment.expected", payment, checkout=str(checkout.pk))
    return payment


def collect(checkout: Checkout, *, cents: int, means: PaymentMeans, received_on: dt.date, on: dt.date) -> Payment:
    """Settle the invoices of a checkout with what came in; what exceeds them is kept as the client's credit.

    A payment that was on its way becomes the one that is in.
    """
    invoices = [row for row in lock_invoices([pk for pk, _ in _lines(checkout)]) if row.state in RECEIVING]
    shares = _shares(checkout, invoices, cents=cents, received_on=received_on)
    payment = checkout.payment
    if payment is not None and payment.state == PaymentState.PROCESSING:
        Allocation.objects.filter(payment=payment).delete()
        payment.state, payment.cents, payment.means, payment.received_on = (
            PaymentState.SETTLED,
            cents,
            means,
            received_on,
        )
        payment.save(update_fields=["state", "cents", "means", "received_on"])
    else:
        payment = _new(checkout, cents=cents, means=means, on=received_on, state=PaymentState.SETTLED)
    for share in shares:
        settle_share(payment, share, on=on)
    if rest := cents - sum(share.total_cents for share in shares):
        settlement.give_client_credit(client_id=checkout.client_id, cents=rest)
    journal.record(
        "payment.collected",
        payment,
        checkout=str(checkout.pk),
        order=order_told(shares),
        invoices=[str(share.invoice_id) for share in shares],
    )
    return payment


def give_up(payment: Payment) -> None:
    """Note that money on its way did not come."""
    payment.state = PaymentState.FAILED
    payment.save(update_fields=["state"])
    journal.record("payment.failed", payment)


def take_back(checkout: Checkout, payment: Payment, *, left: int, on: dt.date) -> Payment:
    """Reverse what left the firm again and, when a part stayed, record that part on the day it first came in."""
    taken = reverse_payment(payment_id=payment.pk, is_forced=True)
    if not left:
        return taken
    checkout.payment = taken
    return collect(checkout, cents=left, means=PaymentMeans(taken.means), received_on=taken.received_on, on=on)


def surplus_of(payment: Payment) -> int:
    """Return what of a settled payment no invoice took."""
    if payment.state != PaymentState.SETTLED:
        return 0
    parts = Allocation.objects.filter(payment=payment).aggregate(a=Sum("cents"), b=Sum("accessory_cents"))
    return payment.cents - (parts["a"] or 0) - (parts["b"] or 0)


def _lines(checkout: Checkout) -> list[tuple[UUID, int]]:
    lines = CheckoutLine.objects.filter(checkout=checkout).order_by("invoice__due_on", "invoice__number_key")
    return list(lines.values_list("invoice_id", "cents"))


def _shares(checkout: Checkout, invoices: Sequence[Invoice], *, cents: int, received_on: dt.date) -> list[Share]:
    asked = dict(_lines(checkout))
    owed = {row.pk: max(row.outstanding_cents, 0) for row in invoices}
    if any(asked[pk] < owed_cents for pk, owed_cents in owed.items()) and len(asked) == 1:
        # A part: the firm's order says whether interest comes first (R16).
        receipt = Receipt(client_id=checkout.client_id, invoice_ids=tuple(owed), cents=cents, received_on=received_on)
        return in_order(receipt, invoices)
    # The firm named the sums itself: they pay what they were asked for, and no more of it.
    ordered = sorted(invoices, key=lambda row: (row.due_on, row.number_key))
    return spread(cents, [Debt(row.pk, min(asked[row.pk], owed[row.pk])) for row in ordered])


def _new(checkout: Checkout, *, cents: int, means: PaymentMeans, on: dt.date, state: PaymentState) -> Payment:
    before = checkout.payment
    payment = Payment(
        client_id=checkout.client_id,
        received_on=on,
        cents=cents,
        means=means,
        state=state,
        # The first of them all: one look finds every payment of a checkout.
        follows_id=None if before is None else before.follows_id or before.pk,
    )
    payment.save(force_insert=True)
    return payment
