"""What came of a call."""

import datetime as dt
from typing import Any

from django import forms

from dunning.enums import CallResult
from dunning.forms.approvals import LONGEST_REASON, Day
from dunning.presenting import CALL_MEANS


class CallForm(forms.Form):
    """One of seven outcomes, the day of a promise, and a note that stays at the firm."""

    result = forms.ChoiceField(
        label="Issue de l’appel",
        choices=[(result.value, f"{result.label} : {CALL_MEANS[result]}") for result in CallResult],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez l’issue de l’appel."},
    )
    promised_on = Day(label="Jour promis", required=False, help_text="Seulement pour une promesse de paiement.")
    note = forms.CharField(
        label="Ce qui a été dit",
        required=False,
        max_length=LONGEST_REASON,
        help_text="Reste au cabinet : le client ne le lit pas.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["promised_on"].widget.attrs["min"] = today.isoformat()

    def clean_result(self) -> CallResult:
        """Read the outcome."""
        return CallResult(self.cleaned_data["result"])

    def clean(self) -> dict[str, Any]:
        """Ask for the day of a promise; forget a day nobody promised."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("result") != CallResult.PROMISED:
            values["promised_on"] = None
        elif not values.get("promised_on") and "promised_on" not in self.errors:
            self.add_error("promised_on", "Indiquez le jour promis.")
        return values
