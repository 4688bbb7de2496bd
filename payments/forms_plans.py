"""Forms of payment plans: what the firm allows, proposes and answers."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms

from cabinets.forms.fields import DayField
from invoices.forms.fields import EurosField
from invoices.models import Invoice
from invoices.money import show_euros
from payments.models import PlanSettings
from payments.plans import FEWEST, MOST, MOST_BY_HAND

LONGEST_ANSWER = 2000
FAR_DAYS = 60


class DatesForm(forms.Form):
    """How many instalments, and the day of the first."""

    count = forms.TypedChoiceField(
        label="Nombre de versements",
        coerce=int,
        choices=[(count, f"{count} versements") for count in range(FEWEST, MOST_BY_HAND + 1)],
        error_messages={"required": "Choisissez le nombre de versements."},
    )
    first_on = DayField(
        label="Premier versement le",
        help_text="Les suivants viennent de mois en mois, un jour ouvré bancaire.",
        error_messages={
            "required": "Indiquez le jour du premier versement.",
            "invalid": "Indiquez une date au format 24/11/2026.",
        },
    )

    def __init__(self, *args: Any, today: dt.date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today

    def clean_first_on(self) -> dt.date:
        """Refuse a day that is over, or so far that nobody waits for it."""
        day: dt.date = self.cleaned_data["first_on"]
        last = self.today + dt.timedelta(days=FAR_DAYS)
        if not self.today < day <= last:
            raise forms.ValidationError(f"Choisissez un jour entre demain et le {last:%d/%m/%Y}.")
        return day


class OfferForm(DatesForm):
    """The same, for chosen invoices of a client."""

    invoices = forms.MultipleChoiceField(
        label="Factures",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Cochez au moins une facture.",
            "invalid_choice": "Une facture cochée ne peut plus être payée en plusieurs fois.",
        },
    )
    field_order = ("invoices", "count", "first_on")

    def __init__(self, *args: Any, invoices: Sequence[Invoice], **options: Any) -> None:
        super().__init__(*args, **options)
        self.rows = {str(one.pk): one for one in invoices}
        self.fields["invoices"].choices = [  # type: ignore[attr-defined]
            (pk, f"{one.number} – {show_euros(one.outstanding_cents)}") for pk, one in self.rows.items()
        ]

    def chosen(self) -> list[Invoice]:
        """Return the invoices ticked."""
        return [self.rows[pk] for pk in self.cleaned_data["invoices"]]


class RefuseForm(forms.Form):
    """The answer a debtor reads when their dates are refused."""

    answer = forms.CharField(
        label="Réponse lue par le client",
        help_text="Elle part par e-mail et paraît sur sa page. N’y nommez ni l’affaire ni une autre personne.",
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": "Écrivez la réponse que lira votre client.",
            "max_length": "La réponse dépasse 2 000 caractères : raccourcissez-la.",
        },
    )


class ToleranceForm(forms.Form):
    """Until when a missed instalment is waited for."""

    until_on = DayField(
        label="Attendre jusqu’au",
        error_messages={
            "required": "Indiquez jusqu’à quel jour attendre.",
            "invalid": "Indiquez une date au format 24/11/2026.",
        },
    )


class WrittenForm(forms.Form):
    """The day a debtor accepted by letter or e-mail."""

    agreed_on = DayField(
        label="Accord écrit du client, le",
        help_text="La date de sa lettre ou de son e-mail. Elle interrompt la prescription : gardez la pièce.",
        error_messages={
            "required": "Indiquez le jour de son accord.",
            "invalid": "Indiquez une date au format 24/11/2026.",
        },
    )


class PlanSettingsForm(forms.ModelForm[PlanSettings]):
    """What a firm lets a debtor propose."""

    smallest = EurosField(label="À partir de", help_text="Au-dessous, la dette se paie en une fois.")
    instalment = EurosField(label="Versement au moins")
    most_instalments = forms.TypedChoiceField(
        label="Nombre de versements au plus",
        coerce=int,
        choices=[(count, str(count)) for count in range(FEWEST, MOST + 1)],
    )

    class Meta:
        model = PlanSettings
        fields = (
            "is_offered",
            "most_instalments",
            "longest_months",
            "first_within_days",
            "remind_days",
            "accepts_alone",
        )
        labels: ClassVar[dict[str, str]] = {
            "is_offered": "Proposer le paiement en plusieurs fois sur la page du client",
            "longest_months": "Durée au plus, en mois",
            "first_within_days": "Délai du premier versement, en jours",
            "remind_days": "Rappel avant chaque date, en jours",
            "accepts_alone": "Accepter sans moi ce qui respecte ces limites",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "longest_months": "Pour un particulier, trois mois au plus quel que soit ce réglage.",
            "accepts_alone": "Sinon chaque proposition attend une personne du cabinet, relances suspendues.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        bounds = {"longest_months": (1, 12), "first_within_days": (1, 60), "remind_days": (1, 14)}
        for name, (low, high) in bounds.items():
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                min_value=low,
                max_value=high,
                error_messages={
                    "required": "Indiquez un nombre.",
                    "invalid": "Indiquez un nombre entier.",
                    "min_value": f"Indiquez un nombre entre {low} et {high}.",
                    "max_value": f"Indiquez un nombre entre {low} et {high}.",
                },
            )
        self.fields["smallest"].initial = self.instance.smallest_cents
        self.fields["instalment"].initial = self.instance.instalment_cents

    def clean(self) -> dict[str, Any]:
        """Refuse an instalment larger than half of the smallest debt that may be split."""
        given = super().clean() or self.cleaned_data
        smallest, part = given.get("smallest"), given.get("instalment")
        if smallest and part and FEWEST * part > smallest:
            self.add_error("instalment", "Deux versements dépassent le montant à partir duquel répartir : baissez-le.")
        return given

    def values(self) -> dict[str, int | bool]:
        """Return what is kept."""
        given = dict(self.cleaned_data)
        return {
            "smallest_cents": given.pop("smallest"),
            "instalment_cents": given.pop("instalment"),
            **given,
        }
