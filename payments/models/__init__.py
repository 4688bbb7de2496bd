"""What came in."""

from payments.models.bank import (
    BankAccount,
    BankFeed,
    BankFile,
    BankGuess,
    BankLine,
    BankMatch,
    BankStatement,
)
from payments.models.link import DebtorRequest, LinkVisit, PaymentLink
from payments.models.payment import Allocation, Payment

__all__ = [
    "Allocation",
    "BankAccount",
    "BankFeed",
    "BankFile",
    "BankGuess",
    "BankLine",
    "BankMatch",
    "BankStatement",
    "DebtorRequest",
    "LinkVisit",
    "Payment",
    "PaymentLink",
]
