"""Which dates a debtor proposes: how many, from when; seen computed before they are sent."""

import datetime as dt
from typing import Any

from django import forms

from cabinets.forms.fields import DayField
from payments.plans import FEWEST, Limits
from payments.portal.forms import message_field


class PlanForm(forms.Form):
    """How many instalments, and the day of the first: what the dates are computed from."""

    versements = forms.TypedChoiceField(
        label="En combien de versements ?",
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez le nombre de versements.",
            "invalid_choice": "Choisissez un nombre de la liste.",
        },
    )
    premier = DayField(
        label="Premier versement le",
        error_messages={
            "required": "Indiquez le jour du premier versement.",
            "invalid": "Indiquez une date au format 24/11/2026.",
        },
    )

    def __init__(self, *args: Any, limits: Limits, today: dt.date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.limits, self.today = limits, today
        counts = [(count, f"{count} versements") for count in range(FEWEST, limits.most + 1)]
        self.fields["versements"].choices = counts  # type: ignore[attr-defined]
        first, last = self.bounds
        self.fields["premier"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}
        self.fields[
            "premier"
        ].help_text = f"Dans les {limits.first_within_days} jours. Les suivants viennent de mois en mois."

    @property
    def bounds(self) -> tuple[dt.date, dt.date]:
        """Return the first and the last day the first instalment may have."""
        return self.today + dt.timedelta(days=1), self.today + dt.timedelta(days=self.limits.first_within_days)

    def clean_premier(self) -> dt.date:
        """Refuse a day that is over, or too far."""
        day: dt.date = self.cleaned_data["premier"]
        first, last = self.bounds
        if not first <= day <= last:
            raise forms.ValidationError(f"Choisissez un jour entre le {first:%d/%m/%Y} et le {last:%d/%m/%Y}.")
        return day


class SendPlanForm(PlanForm):
    """The same, sent: with what was read, and a word for the firm."""

    montant = forms.IntegerField(widget=forms.HiddenInput, error_messages={"required": "", "invalid": ""})
    message = message_field("Un mot pour le cabinet")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["versements"].widget = forms.HiddenInput()
        self.fields["premier"].widget = forms.HiddenInput()
