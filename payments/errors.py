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


class PlanError(PaymentError):
    """A payment plan that the law, the firm's limits or the facts do not allow."""
