"""What came in."""

from payments.models.link import DebtorRequest, LinkVisit, PaymentLink
from payments.models.payment import Allocation, Payment

__all__ = ["Allocation", "DebtorRequest", "LinkVisit", "Payment", "PaymentLink"]
