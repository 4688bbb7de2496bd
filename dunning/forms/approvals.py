"""What a person types when a message does not leave as it is."""

import datetime as dt
from typing import Any

from django import forms

LONGEST_REASON = 500


class Day(forms.DateField):
    """A day, picked or typed as 24/11/2026."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{
                "widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                "input_formats": ["%Y-%m-%d", "%d/%m/%Y"],
                "error_messages": {
                    "required": "Indiquez une date au format 24/11/2026.",
                    "invalid": "Indiquez une date au format 24/11/2026.",
                },
                **options,
            }
        )


def reason_field(*, help_text: str = "") -> forms.CharField:
    """Return the field that asks why; the words stay at the firm."""
    return forms.CharField(
        label="Pourquoi ?",
        max_length=LONGEST_REASON,
        help_text=help_text or "Reste au cabinet : le client ne le lit pas.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Dites pourquoi, en quelques mots."},
    )


class PostponeForm(forms.Form):
    """Another day for a departure."""

    to = Day(label="Nouveau jour de départ", help_text="À l’ouverture des envois ce jour-là, ou le jour ouvré suivant.")

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["to"].widget.attrs["min"] = (today + dt.timedelta(days=1)).isoformat()

    def clean_to(self) -> dt.date:
        """Refuse a day that is not to come."""
        day: dt.date = self.cleaned_data["to"]
        if day <= self.today:
            raise forms.ValidationError("Choisissez un jour à venir.")
        return day


class UntilForm(forms.Form):
    """A suspension: until when, and why."""

    until_on = Day(
        label="Jusqu’au",
        required=False,
        help_text="Ce jour compris. Sans date, une personne reprend les relances elle-même.",
    )
    reason = reason_field()

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["until_on"].widget.attrs["min"] = today.isoformat()

    def clean_until_on(self) -> dt.date | None:
        """Refuse a last day that is over."""
        day: dt.date | None = self.cleaned_data["until_on"]
        if day is not None and day < self.today:
            raise forms.ValidationError("Cette date est passée : choisissez un jour à venir.")
        return day


class DeclineForm(UntilForm):
    """Why a message is not sent, and what becomes of the invoices it claims."""

    SKIP, HOLD = "skip", "hold"

    how = forms.ChoiceField(
        label="Et ensuite ?",
        choices=[
            (SKIP, "Passer cette étape : la suivante viendra à sa date"),
            (HOLD, "Suspendre les relances des factures réclamées"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez la suite."},
    )
    field_order = ["how", "until_on", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until_on"].label = "Suspendre jusqu’au"


class ReasonForm(forms.Form):
    """Why, and nothing else."""

    reason = reason_field()
