"""The calculator's form, where a missing assumption takes the example's, and the wish to be shown the product."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.mail import EmailMessage
from django.core.validators import MaxValueValidator, MinValueValidator

from invoices.forms.fields import EurosField
from reporting.roi import Assumptions

LONGEST_DELAY = 365
# A shared address carries what was changed; the rest is the example.
EXAMPLE: Mapping[str, str] = {
    "ca": "300 000",
    "delai_avant": "48",
    "delai_apres": "32",
    "heures_avant": "1,5",
    "heures_apres": "0,125",
    "semaines": "48",
    "taux": "150",
    "pertes_avant": "5",
    "pertes_apres": "2,5",
    "cout_bas": "2 400",
    "cout_haut": "4 800",
    "prudence": "50",
    "montee": "90",
}


class FigureField(forms.DecimalField):
    """A figure typed with a comma or a point, between nothing and a ceiling."""

    def __init__(self, *, label: str, ceiling: int, help_text: str = "") -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            localize=True,
            max_digits=8,
            decimal_places=3,
            validators=[
                MinValueValidator(0, "Indiquez un nombre positif, ou zéro."),
                MaxValueValidator(ceiling, f"Indiquez un nombre d’au plus {ceiling}."),
            ],
            error_messages={"invalid": "Indiquez un nombre, par exemple 1,5."},
        )
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}


class PlainEurosField(EurosField):
    """An amount of euros that is not negative."""

    def clean(self, value: object) -> int | None:
        """Return cents; refuse a negative amount."""
        cents = super().clean(value)
        if cents is not None and cents < 0:
            raise forms.ValidationError("Indiquez un montant positif, ou zéro.", code="negative")
        return cents


class CalculatorForm(forms.Form):
    """What a firm knows or assumes about itself."""

    ca = PlainEurosField(label="Chiffre d’affaires annuel", help_text="En euros, TTC : le délai se mesure en TTC.")
    delai_avant = FigureField(label="Délai de paiement actuel (jours)", ceiling=LONGEST_DELAY)
    delai_apres = FigureField(label="Délai visé (jours)", ceiling=LONGEST_DELAY)
    heures_avant = FigureField(label="Heures de relance par semaine, aujourd’hui", ceiling=168)
    heures_apres = FigureField(label="Heures par semaine, ensuite", ceiling=168)
    semaines = forms.IntegerField(label="Semaines travaillées par an", min_value=1, max_value=52)
    taux = PlainEurosField(label="Valeur d’une heure", help_text="Ce qu’elle rapporte si elle est facturée.")
    pertes_avant = FigureField(label="Factures jamais payées, aujourd’hui (%)", ceiling=100)
    pertes_apres = FigureField(label="Factures jamais payées, ensuite (%)", ceiling=100)
    cout_bas = PlainEurosField(label="Coût annuel de l’outil, au plus bas")
    cout_haut = PlainEurosField(label="Coût annuel de l’outil, au plus haut")
    prudence = FigureField(
        label="Part de l’effet obtenue, par prudence (%)", ceiling=100, help_text="Le bas de la fourchette."
    )
    montee = forms.IntegerField(
        label="Jours avant le plein effet",
        min_value=0,
        max_value=LONGEST_DELAY,
        help_text="D’ici là, l’effet grandit en ligne droite.",
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a price range written upside down."""
        given = super().clean() or self.cleaned_data
        low, high = given.get("cout_bas"), given.get("cout_haut")
        if low is not None and high is not None and low > high:
            self.add_error("cout_haut", "Le coût le plus haut ne peut pas être inférieur au plus bas.")
        return given

    def assumptions(self) -> Assumptions:
        """Return what a valid form says, in the words of the calculation."""
        given = self.cleaned_data
        return Assumptions(
            revenue_cents=given["ca"],
            dso_before=given["delai_avant"],
            dso_after=given["delai_apres"],
            hours_before=given["heures_avant"],
            hours_after=given["heures_apres"],
            weeks=given["semaines"],
            hourly_cents=given["taux"],
            losses_before=given["pertes_avant"],
            losses_after=given["pertes_apres"],
            cost_low_cents=given["cout_bas"],
            cost_high_cents=given["cout_haut"],
            prudence=Decimal(given["prudence"]),
            ramp_days=given["montee"],
        )


class DemonstrationForm(forms.Form):
    """Who wants to be shown the product."""

    name = forms.CharField(
        label="Votre nom",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Indiquez votre nom."},
    )
    firm = forms.CharField(
        label="Cabinet",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": "Indiquez le nom de votre cabinet."},
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=200,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": "Indiquez une adresse où vous répondre.",
            "invalid": "Cette adresse n’est pas complète : nom@domaine.fr.",
        },
    )
    words = forms.CharField(
        label="Ce que vous aimeriez voir",
        max_length=1_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    # A field no reader sees: what fills it is no person.
    site = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def is_robot(self) -> bool:
        """Say whether the hidden field was filled in."""
        return bool(self.cleaned_data.get("site"))

    def send(self, *, to: str) -> None:
        """Send the wish to the operator; OSError when the mail server does not take it."""
        told = self.cleaned_data
        # One line each: what a visitor types makes no header of its own.
        firm = " ".join(told["firm"].split())
        EmailMessage(
            subject=f"Demande de démonstration : {firm}",
            body=f"{told['name']}\n{told['firm']}\n{told['email']}\n\n{told['words']}\n",
            to=[to],
            reply_to=[told["email"]],
        ).send()
