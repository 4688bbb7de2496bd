"""How what a checkout pays is named, on a receipt and at the provider: invoice numbers, and nothing of the matter."""

from collections.abc import Sequence

from payments.models import Checkout, CheckoutLine

LONGEST_LABEL = 100


def numbers_of(checkout: Checkout) -> list[str]:
    """Return the numbers of the invoices a checkout pays, the oldest due first."""
    lines = CheckoutLine.objects.filter(checkout=checkout).order_by("invoice__due_on", "invoice__number_key")
    return list(lines.values_list("invoice__number", flat=True))


def label_of(numbers: Sequence[str], *, before: str = "") -> str:
    """Return these numbers as a provider shows them; how many there are where they would be cut."""
    label = before + ("Facture " if len(numbers) == 1 else "Factures ") + ", ".join(numbers)
    return label if len(label) <= LONGEST_LABEL else f"{before}{len(numbers)} factures"
