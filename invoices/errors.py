"""What this app refuses; each error carries the French sentence shown to the person."""


class InvoiceError(Exception):
    """A refusal a person can read."""


class OverpaidError(InvoiceError):
    """More would be settled than is owed."""
