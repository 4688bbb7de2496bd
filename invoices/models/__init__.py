"""What is owed."""

from invoices.models.batch import ImportBatch, ImportCorrection, ImportFault, ImportProfile
from invoices.models.claims import AccessoryClaim
from invoices.models.document import Document
from invoices.models.facts import InsolvencyCheck, LimitationEvent
from invoices.models.invoice import CreditNote, Invoice
from invoices.models.rate import InterestRate
from invoices.models.standstill import Standstill

__all__ = [
    "AccessoryClaim",
    "CreditNote",
    "Document",
    "ImportBatch",
    "ImportCorrection",
    "ImportFault",
    "ImportProfile",
    "InsolvencyCheck",
    "InterestRate",
    "Invoice",
    "LimitationEvent",
    "Standstill",
]
