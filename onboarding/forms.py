"""The express audit."""

from django import forms

from invoices.forms.fields import EurosField
from onboarding.enums import Who

LONGEST = 2000
HOUR = 60


class AuditForm(forms.Form):
    """How the firm chases its fees today; every answer may be left out."""

    dso_days = forms.IntegerField(
        label="Combien de jours entre la facture et le règlement, en moyenne ?",
        required=False,
        min_value=0,
        max_value=999,
    )
    unpaid_percent = forms.IntegerField(
        label="Part des factures encore impayées un mois après l’échéance (%)",
        required=False,
        min_value=0,
        max_value=100,
        error_messages={"max_value": "Une part va de 0 à 100 %%."},
    )
    hours = forms.DecimalField(
        label="Heures passées chaque semaine à suivre et relancer",
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        localize=True,
    )
    first_reminder_days = forms.IntegerField(
        label="Le premier rappel part combien de jours après l’échéance ?", required=False, min_value=0, max_value=999
    )
    who = forms.ChoiceField(label="Qui relance ?", choices=[("", "Choisissez"), *Who.choices], required=False)
    tools = forms.CharField(
        label="Avec quels outils ?",
        required=False,
        max_length=LONGEST,
        help_text="Tableur, logiciel de gestion, messagerie…",
    )
    frictions = forms.CharField(
        label="Ce qui bloque",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="La gêne de relancer, les oublis, les factures contestées… Rien du fond des dossiers.",
    )

    def answers(self) -> dict[str, object]:
        """Return what is kept: hours become minutes."""
        given = dict(self.cleaned_data)
        hours = given.pop("hours")
        return given | {"weekly_minutes": None if hours is None else round(hours * HOUR)}


class HourForm(forms.Form):
    """What an hour of the firm is worth; the calculator's example where nothing is said."""

    taux = EurosField(label="Valeur d’une heure", initial="150,00")

    def clean_taux(self) -> int:
        """Refuse a negative amount."""
        cents: int = self.cleaned_data["taux"]
        if cents < 0:
            raise forms.ValidationError("Indiquez un montant positif, ou zéro.")
        return cents
