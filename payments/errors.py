"""What this app refuses; each error carries the French sentence shown to the person."""

from uuid import UUID


class PaymentError(Exception):
    """A refusal a person can read."""


class RequestError(PaymentError):
    """An answer to a debtor's request that the facts do not allow."""


class ProofError(PaymentError):
    """A file that cannot be kept, or read any more."""


class ReceiptError(PaymentError):
    """A payment that cannot be recorded as typed; names the field it is about when there is one."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class SurplusError(ReceiptError):
    """More was received than is owed, and nobody said what becomes of the rest."""


class CheckoutError(PaymentError):
    """An online payment that cannot begin."""


class PaidMeanwhileError(CheckoutError):
    """A sum that was just paid, or is on its way, by another page."""

    def __init__(self, checkout_id: UUID) -> None:
        super().__init__("Cette facture vient d’être payée, ou le paiement est en cours. Rien n’a été payé deux fois.")
        self.checkout_id = checkout_id


class ProviderError(PaymentError):
    """A provider that refused, failed or did not answer; nothing is known to have happened."""

    def __init__(self, sentence: str, *, is_refusal: bool = False) -> None:
        super().__init__(sentence)
        # A refusal is final (a wrong key, an amount too small); anything else may work a minute later.
        self.is_refusal = is_refusal


class NoticeError(PaymentError):
    """A notice that is nobody's: its signature is missing, wrong or too old."""


class AccountError(PaymentError):
    """An account with a provider that cannot be kept, or put to that use."""


class PlanError(PaymentError):
    """A payment plan that the law, the firm's limits or the facts do not allow."""


class BankError(PaymentError):
    """What a line or a file of the bank does not allow; nothing was changed."""


class FileRefusedError(BankError):
    """A bank file that cannot be taken in: nothing of it was kept."""


class AlreadyTakenError(BankError):
    """A bank file taken in before."""
