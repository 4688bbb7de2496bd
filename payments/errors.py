"""What this app refuses; each error carries the French sentence shown to the person."""


class PaymentError(Exception):
    """A refusal a person can read."""


class RequestError(PaymentError):
    """An answer to a debtor's request that the facts do not allow."""
