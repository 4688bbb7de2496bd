"""« Mode d’envoi »: what leaves without a person, when and how fast, and what no message may hold."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms

from cabinets.enums import SendingMode
from cabinets.models import Cabinet, Client

WEEKDAYS = [("1", "Lundi"), ("2", "Mardi"), ("3", "Mercredi"), ("4", "Jeudi"), ("5", "Vendredi")]
SPACES = str.maketrans("", "", " \u00a0\u202f€")
LARGEST_CENTS = 10**11
LONGEST_WORD, MOST_WORDS = 60, 200
CITATION = re.compile(r"(?:articles? )?\d+(?:-\d+)?(?:(?:,| et| à) \d+(?:-\d+)?)*(?: et suivants)?")

RHYTHM = ("weekdays", "daily_cap", "grace_hours", "hearing_days")
SECRECY = ("sms_amount_to_consumers", "matter_words", "batonnier_articles")
INSURER = ("insurer_name", "insurer_email", "insurance_policy")

# What each mode lets leave, as written beside its choice: an icon, a sentence.
MODES = {
    SendingMode.APPROVE_ALL: ("user-round-check", "Chaque message attend l’accord d’une personne."),
    SendingMode.APPROVE_FROM_FIRM: (
        "clipboard-check",
        "Les rappels courtois partent seuls ; dès la relance ferme, une personne relit.",
    ),
    SendingMode.AUTOMATIC: (
        "send",
        "Les rappels et la relance ferme partent seuls, sauf si une règle demande un accord.",
    ),
}


class SendingForm(forms.ModelForm[Cabinet]):
    """How a firm lets its messages leave; a formal notice waits for a lawyer whatever is chosen here."""

    weekdays = forms.MultipleChoiceField(
        label="Jours d’envoi",
        choices=WEEKDAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un jour d’envoi, du lundi au vendredi."},
    )
    threshold = forms.CharField(
        label="Seuil de validation",
        help_text="En euros. Au-dessus, toute relance à partir de J+30 attend un accord.",
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"required": "Saisissez un montant en euros, par exemple 5 000 ou 1 250,50."},
    )

    class Meta:
        model = Cabinet
        fields = (
            "sending_mode",
            "opens_at",
            "closes_at",
            *RHYTHM,
            "late_entry_days",
            "allocation_rule",
            *SECRECY,
            *INSURER,
        )
        labels: ClassVar[dict[str, str]] = {
            "sending_mode": "Ce qui part sans vous",
            "opens_at": "Premier envoi",
            "closes_at": "Dernier envoi",
            "grace_hours": "Attente après un paiement (heures)",
            "hearing_days": "Silence autour d’une audience (jours)",
            "daily_cap": "Messages par jour, au plus",
            "allocation_rule": "Un paiement partiel règle",
            "late_entry_days": "Une dette est ancienne après (jours)",
            "sms_amount_to_consumers": "Écrire le montant dans les SMS aux particuliers",
            "insurer_name": "Assureur",
            "insurer_email": "E-mail de l’assureur",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "opens_at": "Entre 8 h et 20 h, à l’heure de votre client.",
            "allocation_rule": "Tant que le client n’est pas mis en demeure ; ensuite, la loi impute d’abord sur les"
            " pénalités.",
            "closes_at": "À cette heure, plus rien ne part.",
            "late_entry_days": "À l’import, une facture plus en retard attend la décision d’une personne.",
            "sms_amount_to_consumers": "Sinon le SMS renvoie à la page de règlement, sans montant.",
            "matter_words": "Un par ligne : noms d’affaires, de parties, de juridictions. Un texte qui en contient un"
            " est refusé.",
            "batonnier_articles": "Telle qu’elle est citée, par exemple « articles 174 et suivants ».",
            "insurer_name": "Pour le projet d’information que vous relisez et envoyez vous-même.",
        }
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "sending_mode": forms.RadioSelect(),
            "opens_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "closes_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "matter_words": forms.Textarea(attrs={"rows": 5}),
        }
        error_messages: ClassVar[dict[str, dict[str, str]]] = {
            "sending_mode": {"required": "Choisissez un mode d’envoi."},
            "insurer_email": {"invalid": "Cette adresse n’est pas valable, par exemple sinistres@assureur.fr."},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        euros, cents = divmod(self.instance.approval_threshold_cents, 100)
        self.initial["threshold"] = f"{euros:,},{cents:02}".replace(",", "\u00a0", f"{euros:,}".count(","))
        self.initial["weekdays"] = list(self.instance.weekdays)

    def clean_threshold(self) -> int:
        """Read an amount in euros as cents; refuse what is not one."""
        text = self.cleaned_data["threshold"].translate(SPACES).replace(",", ".")
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not re.fullmatch(r"\d{1,10}(\.\d{1,2})?", text) or not 0 < amount * 100 < LARGEST_CENTS:
            raise forms.ValidationError("Saisissez un montant en euros, par exemple 5 000 ou 1 250,50.")
        return int(amount * 100)

    def clean_weekdays(self) -> str:
        """Keep the days in order."""
        return "".join(sorted(self.cleaned_data["weekdays"]))

    def clean_matter_words(self) -> str:
        """Keep one word or name a line, each once; a line as long as a sentence is no word."""
        lines = [" ".join(line.split()) for line in self.cleaned_data["matter_words"].splitlines()]
        words = list(dict.fromkeys(line for line in lines if line))
        if long := [word for word in words if len(word) > LONGEST_WORD]:
            raise forms.ValidationError(
                f"« {long[0][:LONGEST_WORD]}… » est trop long : écrivez un mot ou un nom par ligne."
            )
        if len(words) > MOST_WORDS:
            raise forms.ValidationError(f"La liste compte {len(words)} mots : gardez-en {MOST_WORDS} au plus.")
        return "\n".join(words)

    def clean_batonnier_articles(self) -> str:
        """Refuse a citation that names no article: it is printed in the messages as it is."""
        citation = " ".join(self.cleaned_data["batonnier_articles"].split())
        if not CITATION.fullmatch(citation):
            raise forms.ValidationError("Écrivez la citation seule, par exemple « articles 174 et suivants ».")
        return citation

    def _post_clean(self) -> None:
        # The amount is typed in euros and kept in cents: it takes part in the model's constraints.
        if "threshold" in self.cleaned_data:
            self.instance.approval_threshold_cents = self.cleaned_data["threshold"]
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, absent from the stubs

    @property
    def changes(self) -> list[str]:
        """Return the columns whose value is no longer the database's."""
        before = Cabinet.objects.get(pk=self.instance.pk)
        names = (*self.Meta.fields, "approval_threshold_cents")
        return [name for name in names if getattr(self.instance, name) != getattr(before, name)]


class ClientModeForm(forms.ModelForm[Client]):
    """The mode of one client, or the firm's."""

    class Meta:
        model = Client
        fields = ("sending_mode",)
        widgets: ClassVar[dict[str, forms.Widget]] = {"sending_mode": forms.RadioSelect()}

    def __init__(self, *args: Any, firm_mode: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["sending_mode"]
        field.label = "Pour ce client"
        field.choices = [  # type: ignore[attr-defined]  # a ChoiceField, which the stubs do not know
            ("", f"Comme le cabinet ({SendingMode(firm_mode).label.lower()})"),
            *SendingMode.choices,
        ]
