"""What this app refuses; each error carries the French sentence shown to the person."""


class InvoiceError(Exception):
    """A refusal a person can read."""


class OverpaidError(InvoiceError):
    """More would be settled than is owed."""


class EntryError(InvoiceError):
    """What was typed cannot be kept; says which field it is and what to write instead."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class AlreadySaidError(InvoiceError):
    """A fact the debtor was already told does not change any more."""


class DocumentError(InvoiceError):
    """A file that cannot be kept."""
