"""What came in."""

from payments.models.checkout import Checkout, CheckoutLine, ProviderAccount, ProviderNotice
from payments.models.link import DebtorRequest, LinkVisit, PaymentLink
from payments.models.payment import Allocation, Payment, Refund

__all__ = [
    "Allocation",
    "Checkout",
    "CheckoutLine",
    "DebtorRequest",
    "LinkVisit",
    "Payment",
    "PaymentLink",
    "ProviderAccount",
    "ProviderNotice",
    "Refund",
]
