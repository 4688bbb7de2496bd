"""What came in."""

from payments.models.checkout import Checkout, CheckoutLine, ProviderAccount, ProviderNotice
from payments.models.link import DebtorRequest, LinkMessage, LinkVisit, PaymentLink, Proof
from payments.models.payment import Allocation, Payment

__all__ = [
    "Allocation",
    "Checkout",
    "CheckoutLine",
    "DebtorRequest",
    "LinkMessage",
    "LinkVisit",
    "Payment",
    "PaymentLink",
    "Proof",
    "ProviderAccount",
    "ProviderNotice",
]
