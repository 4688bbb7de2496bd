"""Forms of the facts that stop: a few days, a reason that stays at the firm."""

from typing import Any

from django import forms

from cabinets.forms.fields import DayField
from invoices.enums import Grounds
from invoices.forms.fields import EurosField
from invoices.law.limitation import Nature
from invoices.services.limitation import NATURE_WORDS

LONGEST_REASON = 500
_DISPUTED = (Grounds.AMOUNT, Grounds.SERVICE, Grounds.AGREEMENT, Grounds.ALREADY_PAID, Grounds.OTHER)
_PROCEEDINGS = (Grounds.SAFEGUARD, Grounds.RECOVERY, Grounds.LIQUIDATION)
_PROTECTED = (Grounds.DEATH, Grounds.GUARDIANSHIP, Grounds.MINOR)


def reason_field(label: str = "Ce que vous savez", *, required: bool = False) -> forms.CharField:
    """Return the field that keeps the words of a fact; they stay at the firm."""
    return forms.CharField(
        label=label,
        max_length=LONGEST_REASON,
        required=required,
        help_text="Reste au cabinet : le client ne le lit pas.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Dites-le en quelques mots."},
    )


def _choices(*grounds: Grounds) -> list[tuple[str, str]]:
    return [(one.value, one.label) for one in grounds]


class FactForm(forms.Form):
    """A fact; `today` bounds its days and is what most of them are by default."""

    def __init__(self, *args: Any, today: Any, owed_cents: int = 0, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today, self.owed_cents = today, owed_cents
        for name in ("on", "judged_on", "admitted_on", "agreed_on", "seised_on", "since"):
            if name in self.fields:
                self.fields[name].widget.attrs["max"] = today.isoformat()


class DisputeForm(FactForm):
    """What the client contests."""

    grounds = forms.TypedChoiceField(
        label="Ce qui est contesté",
        coerce=Grounds,
        choices=_choices(*_DISPUTED),
        widget=forms.RadioSelect,
        error_messages={"required": "Dites ce qui est contesté."},
    )
    on = DayField(label="Depuis le", help_text="Le jour où le client l’a dit : le délai de réponse part de là.")
    reason = reason_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["on"].initial = self.today


class PromiseForm(FactForm):
    """What the client promised."""

    until_on = DayField(label="Promis pour le")
    cents = EurosField(label="Montant promis")
    reason = reason_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["until_on"].widget.attrs["min"] = self.today.isoformat()
        self.fields["cents"].initial = self.owed_cents


class InsolvencyForm(FactForm):
    """A collective proceeding."""

    grounds = forms.TypedChoiceField(
        label="Procédure",
        coerce=Grounds,
        choices=_choices(*_PROCEEDINGS),
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez la procédure."},
    )
    judged_on = DayField(label="Jugement d’ouverture du")
    published_on = DayField(
        label="Publié au BODACC le",
        required=False,
        help_text="Le délai de déclaration part de là. Sans cette date, il est compté depuis le jugement.",
    )
    mandataire = reason_field("Mandataire judiciaire")


class OverIndebtednessForm(FactForm):
    """An over-indebtedness that was admitted."""

    admitted_on = DayField(label="Recevabilité du")
    reason = reason_field()


class ProtectionForm(FactForm):
    """A death, a guardianship, a minor."""

    grounds = forms.TypedChoiceField(
        label="Ce que vous avez appris",
        coerce=Grounds,
        choices=_choices(*_PROTECTED),
        widget=forms.RadioSelect,
        error_messages={"required": "Dites ce que vous avez appris."},
    )
    since = DayField(label="Depuis le", required=False)
    reason = reason_field()


class MediationForm(FactForm):
    """A mediation both agreed to."""

    agreed_on = DayField(label="Convenue le")
    reason = reason_field()


class BatonnierForm(FactForm):
    """A request to the bâtonnier."""

    seised_on = DayField(label="Saisi le", help_text="Le jour où il a reçu la demande recommandée, ou remise en main.")
    is_by_firm = forms.TypedChoiceField(
        label="Saisi par",
        coerce=lambda value: value == "firm",
        choices=[("firm", "Le cabinet"), ("client", "Le client")],
        widget=forms.RadioSelect,
        error_messages={"required": "Dites qui l’a saisi."},
    )
    reason = reason_field()


class BatonnierFollowForm(FactForm):
    """What the bâtonnier did since."""

    extended_months = forms.TypedChoiceField(
        label="Prolongation de son délai",
        coerce=int,
        choices=[(0, "Aucune"), (1, "1 mois"), (2, "2 mois"), (3, "3 mois"), (4, "4 mois")],
        initial=0,
    )
    notified_on = DayField(label="Décision notifiée le", required=False)


class CheckForm(FactForm):
    """The day a lawyer looked for a proceeding by hand."""

    on = DayField(label="Vérifié à la main le")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["on"].initial = self.today


class WaiverForm(forms.Form):
    """Why an accessory is given up."""

    reason = reason_field("Pourquoi ?", required=True)


class LimitationForm(FactForm):
    """What moves the limitation of a dossier's fees."""

    nature = forms.TypedChoiceField(
        label="Ce qui s’est passé",
        coerce=Nature,
        choices=[(nature.value, words) for nature, words in NATURE_WORDS.items()],
        error_messages={"required": "Choisissez ce qui s’est passé."},
    )
    on = DayField(label="Le")
    until_on = DayField(label="Jusqu’au", required=False, help_text="Pour une médiation qui a pris fin.")
    note = reason_field()
