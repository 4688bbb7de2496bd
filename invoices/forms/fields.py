"""Amounts as people type them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from invoices.money import AmountError, parse_euros, show_amount, to_cents


class EurosField(forms.CharField):
    """An amount in euros; its clean value is integer cents. It refuses rather than guesses."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**options)

    def prepare_value(self, value: object) -> object:
        """Show cents as they are typed: 1 440,00."""
        return show_amount(value) if isinstance(value, int) else value

    def clean(self, value: object) -> int | None:
        """Return cents, or None for an empty field that may be."""
        if not (text := super().clean(value)):
            return None
        try:
            return to_cents(parse_euros(text))
        except AmountError as error:
            raise ValidationError(str(error), code="amount") from error
