"""What this app refuses; each error carries the French sentence shown to the person."""


class PaymentError(Exception):
    """A refusal a person can read."""


class RequestError(PaymentError):
    """An answer to a debtor's request that the facts do not allow."""


class ReceiptError(PaymentError):
    """A payment that cannot be recorded as typed; names the field it is about when there is one."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class SurplusError(ReceiptError):
    """More was received than is owed, and nobody said what becomes of the rest."""


class BankError(PaymentError):
    """What a line or a file of the bank does not allow; nothing was changed."""


class FileRefusedError(BankError):
    """A bank file that cannot be taken in: nothing of it was kept."""


class AlreadyTakenError(BankError):
    """A bank file taken in before."""
