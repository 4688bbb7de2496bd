"""What came in."""

from payments.models.account import ProviderAccount
from payments.models.bank import (
    BankAccount,
    BankFeed,
    BankFile,
    BankGuess,
    BankLine,
    BankMatch,
    BankStatement,
)
from payments.models.checkout import Checkout, CheckoutLine, ProviderNotice
from payments.models.link import DebtorRequest, LinkMessage, LinkVisit, PaymentLink, Proof
from payments.models.mandate import Mandate
from payments.models.payment import Allocation, Payment, Refund
from payments.models.plan import Instalment, PaymentPlan, PlanLine, PlanSettings
from payments.models.plan_message import PlanMessage
from payments.models.promise import PromiseOutcome

__all__ = [
    "Allocation", "BankAccount", "BankFeed", "BankFile", "BankGuess", "BankLine", "BankMatch", "BankStatement",
    "Checkout", "CheckoutLine", "DebtorRequest", "Instalment", "LinkMessage", "LinkVisit", "Mandate", "Payment",
    "PaymentLink", "PaymentPlan", "PlanLine", "PlanMessage", "PlanSettings", "PromiseOutcome", "Proof",
    "ProviderAccount", "ProviderNotice", "Refund",
]  # fmt: skip
