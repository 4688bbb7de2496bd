"""Forms of personal data: lengths, requests, answers."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms

from cabinets.forms.fields import DayField
from cabinets.forms.sign_in import ConfirmPasswordForm
from cabinets.models import Client, Contact
from cabinets.services.archive import LONGEST_REASON
from gdpr.enums import Attested, Claim, IdentityProof, RequestOrigin, RightsState, Risk
from gdpr.models import RetentionSettings
from gdpr.terms import ARCHIVE_MONTHS, LEAST_ACCOUNTING_YEARS

LONGEST = 4000
MOST_YEARS = 30
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


class RetentionForm(forms.Form):
    """The lengths a firm chooses, and whether the nights apply them."""

    accounting_years = forms.IntegerField(
        label="Années de conservation des pièces comptables",
        min_value=LEAST_ACCOUNTING_YEARS,
        max_value=MOST_YEARS,
        help_text="Dix ans pour une société commerciale et pour la CNIL ; six ans au moins pour l’impôt.",
        error_messages={
            "required": "Indiquez un nombre d’années.",
            "invalid": "Indiquez un nombre d’années en chiffres.",
            "min_value": "La loi demande six ans au moins (LPF, art. L. 102 B).",
            "max_value": "Trente ans est le plus long délai possible ici.",
        },
    )
    fiscal_month = forms.TypedChoiceField(
        label="L’exercice finit en", coerce=int, choices=[(rank, name) for rank, name in enumerate(MONTHS, start=1)]
    )
    archive_months = forms.TypedChoiceField(
        label="Mettre en archive un client qui ne doit plus rien après",
        coerce=int,
        choices=[(months, f"{months} mois sans mouvement") for months in ARCHIVE_MONTHS],
        help_text="Ses données restent gardées, mais ne se lisent plus qu’une heure à la fois, avec un motif. Une "
        "nouvelle facture, un paiement ou un message l’en sort.",
    )
    purges = forms.BooleanField(
        label="Effacer chaque nuit ce dont le délai est passé",
        required=False,
        help_text="Tant que la case n’est pas cochée, rien n’est effacé seul, hors les copies remises aux personnes il "
        "y a plus de trois mois : la liste à côté dit ce qui le serait.",
    )

    def __init__(self, data: Any = None, *, instance: RetentionSettings) -> None:
        names = ("accounting_years", "fiscal_month", "archive_months", "purges")
        super().__init__(data, initial={name: getattr(instance, name) for name in names})

    @property
    def sure_of(self) -> str:
        """Say what a person who was told what goes is sure of: other lengths are told again."""
        return f"{self.cleaned_data['accounting_years']}/{self.cleaned_data['fiscal_month']}"

    def is_sure(self) -> bool:
        """Say whether the box beside what these very lengths take was ticked."""
        return bool(self.data.get("sure") == self.sure_of)


class OpeningForm(forms.Form):
    """Why an archive is opened."""

    reason = forms.CharField(
        label="Motif",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Par exemple : contrôle fiscal, question de l’expert-comptable. Il est gardé avec votre nom. Pour "
        "préparer un dossier au bâtonnier ou répondre à une contestation, sortez plutôt le client de l’archive.",
        error_messages={"required": "Écrivez pourquoi l’archive est ouverte : le motif est gardé."},
    )


def _person(value: str) -> tuple[UUID, UUID | None]:
    client, _, contact = value.partition("_")
    return UUID(client), UUID(contact) if contact else None


def _people(clients: Sequence[Client], contacts: Mapping[UUID, Sequence[Contact]]) -> Iterator[tuple[str, str]]:
    """Yield each client, then the people reached for them."""
    for client in clients:
        yield str(client.pk), client.display_name
        for one in contacts.get(client.pk, ()):
            yield f"{client.pk}_{one.pk}", f"{one.display_name}, joint pour {client.display_name}"


class RequestForm(forms.Form):
    """A request that did not come from the client's page."""

    person = forms.TypedChoiceField(
        label="Personne qui demande",
        coerce=_person,
        help_text="Le client, ou la personne jointe pour lui : chacun ne reçoit que ce qui le concerne.",
        error_messages={"required": "Choisissez la personne.", "invalid_choice": "Choisissez une personne connue."},
    )
    claim = forms.ChoiceField(label="Droit demandé", choices=Claim.choices)
    origin = forms.ChoiceField(
        label="Reçue par", choices=[one for one in RequestOrigin.choices if one[0] != RequestOrigin.LINK]
    )
    received_on = DayField(label="Reçue le", error_messages={"required": "Indiquez le jour où elle est arrivée."})
    words = forms.CharField(
        label="Ce qui est demandé",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="En quelques mots. N’y mettez rien du fond du dossier.",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        clients: Sequence[Client],
        contacts: Mapping[UUID, Sequence[Contact]],
        today: dt.date,
        chosen: str = "",
    ) -> None:
        super().__init__(data, initial={"received_on": today, "person": chosen})
        self.today = today
        known: Any = self.fields["person"]
        known.choices = [("", "Choisissez"), *_people(clients, contacts)]

    def clean_received_on(self) -> dt.date:
        """Refuse a day to come: its month would end too late."""
        day: dt.date = self.cleaned_data["received_on"]
        if day > self.today:
            raise forms.ValidationError("Ce jour n’est pas encore venu.")
        return day


class IdentityForm(forms.Form):
    """How the person was recognised."""

    identity = forms.ChoiceField(
        label="La personne a été reconnue", choices=IdentityProof.choices, widget=forms.RadioSelect
    )


class ExtensionForm(forms.Form):
    """Why two months more are needed."""

    reason = forms.CharField(
        label="Motif",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Demande complexe, ou nombreuses demandes. La personne le lit sur sa page, ou l’apprend de vous.",
        error_messages={"required": "Écrivez le motif que lira la personne."},
    )


class AnswerForm(forms.Form):
    """What was done of a request, and the words the person is given."""

    state = forms.ChoiceField(
        label="Suite donnée", choices=[one for one in RightsState.choices if one[0] != RightsState.OPEN]
    )
    text = forms.CharField(
        label="Réponse",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": "Écrivez la réponse donnée à la personne."},
    )


class AttestationForm(forms.Form):
    """What a person vouches for, since when, and where to read the proof."""

    on = DayField(label="Depuis le", error_messages={"required": "Indiquez le jour."})
    note = forms.CharField(label="Où le lire", required=False, max_length=500)

    def __init__(self, data: Any = None, *, kind: Attested, today: dt.date) -> None:
        super().__init__(data, initial={"on": today})
        if kind == Attested.PRIVACY:
            self.fields["note"].label = "Adresse de la page du cabinet"
        elif kind == Attested.AUDIT:
            self.fields["note"].label = "Nom du rapport, ou qui a vérifié"
        else:
            self.fields["note"].label = "Formation suivie (facultatif)"


class MomentField(forms.DateTimeField):
    """An instant of the firm, to the minute."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        formats = ["%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M"]
        errors = {"required": "Indiquez le jour et l’heure.", "invalid": "Indiquez un instant, comme 24/11/2026 09:30."}
        super().__init__(widget=widget, input_formats=formats, error_messages=errors, **options)


class _InZone(forms.Form):
    """A form whose instants are those of the firm's clock."""

    moment = "at"

    def __init__(self, data: Any = None, *, zone: ZoneInfo, now: dt.datetime) -> None:
        super().__init__(data, initial={self.moment: now.astimezone(zone).replace(tzinfo=None)})
        self.zone = zone

    def _placed(self, name: str) -> dt.datetime:
        typed: dt.datetime = self.cleaned_data[name]
        return typed.replace(tzinfo=self.zone)


class _BreachWords(forms.Form):
    """What is known of a breach, at first and later."""

    what = forms.CharField(
        label="Ce qui s’est passé",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Dites ce qui s’est passé, même en peu de mots."},
    )
    whose = forms.CharField(
        label="Personnes et données touchées",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Combien de personnes, quelles sortes de données. Pas encore connues\u00a0? Cela se complète dans"
        " «\u00a0Évaluer\u00a0», avant de clore.",
    )


class BreachForm(_BreachWords, _InZone):
    """A breach as it is known at first."""

    moment = "known_at"
    known_at = MomentField(label="Connue le")
    field_order = ("known_at", "what", "whose")

    def clean_known_at(self) -> dt.datetime:
        """Place the instant in the firm's zone."""
        return self._placed("known_at")


class RiskForm(_BreachWords):
    """What is known of a breach by now, what it may do to people, and what was done."""

    risk = forms.ChoiceField(label="Risque pour les personnes", choices=Risk.choices)
    consequences = forms.CharField(
        label="Conséquences probables", required=False, max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 3})
    )
    measures = forms.CharField(
        label="Mesures prises", required=False, max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 3})
    )


class MomentForm(_InZone):
    """When the authority was notified, and why so late when it was."""

    at = MomentField(label="Notifiée le")
    late_reason = forms.CharField(
        label="Motif du retard, au-delà de 72 heures",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_at(self) -> dt.datetime:
        """Place the instant in the firm's zone."""
        return self._placed("at")


class PeopleToldForm(_InZone):
    """When the people concerned were told."""

    moment = "told_at"
    told_at = MomentField(label="Prévenues le")

    def clean_told_at(self) -> dt.datetime:
        """Place the instant in the firm's zone."""
        return self._placed("told_at")


class ObjectionForm(forms.Form):
    """Why a firm objects to a company."""

    reason = forms.CharField(
        label="Motif",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="L’exploitant le lit et y répond. N’y mettez rien d’un dossier.",
        error_messages={"required": "Écrivez le motif : l’exploitant y répond. Rien n’a été transmis."},
    )


class ClosingForm(ConfirmPasswordForm):
    """The firm's name, typed, and the password of who closes it."""

    name = forms.CharField(
        label="Nom du cabinet",
        max_length=120,
        help_text="Tapez-le en entier, tel qu’il est écrit dans le titre.",
        error_messages={"required": "Tapez le nom du cabinet. Rien n’a été clos."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "current")


class ErasureForm(ConfirmPasswordForm):
    """What is erased does not come back: a box ticked, and the password of who erases."""

    certain = forms.BooleanField(
        label="J’ai lu ce qui sera effacé : cela ne se reprend pas.",
        error_messages={"required": "Cochez la case pour confirmer. Rien n’a été effacé."},
    )
    field_order = ("certain", "current")
