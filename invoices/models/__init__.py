"""What is owed."""

from invoices.models.batch import ImportBatch, ImportFault, ImportProfile
from invoices.models.document import Document
from invoices.models.invoice import CreditNote, Invoice
from invoices.models.rate import InterestRate
from invoices.models.standstill import Standstill

__all__ = [
    "CreditNote",
    "Document",
    "ImportBatch",
    "ImportFault",
    "ImportProfile",
    "InterestRate",
    "Invoice",
    "Standstill",
]
