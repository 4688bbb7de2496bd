"""What a debtor may say: each form asks for an answer that a machine opening links does not give."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from cabinets.addresses import LONGEST_EMAIL, find_phone, normalise_email
from cabinets.errors import InputError
from invoices.models import Invoice
from invoices.money import show_euros
from payments.enums import DataRight, PaymentMeans, Preference, ProblemReason
from payments.errors import ProofError
from payments.portal.account import Line
from payments.services import proofs

LONGEST_MESSAGE = 1000
LONGEST_AGO = dt.timedelta(days=3 * 366)
TOO_LONG = "Le message dépasse 1 000 caractères : raccourcissez-le."
MEANS = (
    (PaymentMeans.TRANSFER, "Virement"),
    (PaymentMeans.CHEQUE, "Chèque"),
    (PaymentMeans.CARD, "Carte bancaire"),
    (PaymentMeans.CASH, "Espèces"),
    (PaymentMeans.OTHER, "Autre"),
)
REASONS = (
    (ProblemReason.AMOUNT, "Le montant ne me paraît pas exact"),
    (ProblemReason.SERVICE, "La prestation ne correspond pas à ce qui était convenu"),
    (ProblemReason.PAID, "La facture est déjà réglée"),
    (ProblemReason.RECIPIENT, "Je ne suis pas le bon destinataire"),
    (ProblemReason.OTHER, "Autre raison"),
)
WHY_NOT_ME = (
    ("unknown", "Je ne connais pas ce cabinet"),
    ("left", "Je ne m’occupe plus de ces factures"),
    ("other", "Cette facture concerne quelqu’un d’autre"),
)
EVERY_INVOICE = "all"
RIGHTS = (
    (DataRight.ACCESS, "Recevoir une copie de mes données"),
    (DataRight.RECTIFICATION, "Corriger une donnée inexacte"),
    (DataRight.ERASURE, "Effacer des données"),
    (DataRight.RESTRICTION, "Limiter leur utilisation"),
    (DataRight.PORTABILITY, "Les recevoir dans un format réutilisable"),
    (DataRight.OBJECTION, "M’opposer à leur utilisation"),
)
ANY_WAY = "any"
WAYS = (
    (ANY_WAY, "Comme le cabinet le souhaite"),
    (Preference.EMAIL, "De préférence par e-mail"),
    (Preference.LETTER, "De préférence par courrier"),
)


def named(line: Line) -> str:
    """Name an invoice among several."""
    return f"Facture {line.invoice.number} – {show_euros(line.owed_cents)}"


def message_field(label: str, *, hint: str = "") -> forms.CharField:
    """Return a text of a thousand characters at most, left empty at will."""
    return forms.CharField(
        label=label,
        help_text=hint,
        required=False,
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": TOO_LONG},
    )


class AlreadyPaidForm(forms.Form):
    """When and how what was paid; which invoices, when there are several."""

    invoices = forms.MultipleChoiceField(
        label="Quelles factures avez-vous payées ?",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Cochez au moins une facture.",
            "invalid_choice": "Une facture cochée n’est plus à régler : cochez celles que vous avez payées.",
        },
    )
    paid_on = forms.DateField(
        label="Date du paiement",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": "Indiquez la date de votre paiement.",
            "invalid": "Indiquez une date au format 24/11/2026.",
        },
    )
    means = forms.ChoiceField(
        label="Moyen utilisé",
        choices=MEANS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez le moyen de paiement utilisé.",
            "invalid_choice": "Choisissez un moyen de paiement de la liste.",
        },
    )
    message = message_field(
        "Une précision pour le cabinet", hint="Par exemple le nom du titulaire du compte ou le numéro du chèque."
    )
    proof = forms.FileField(
        label="Un justificatif",
        help_text="Ordre de virement, relevé, reçu : PDF ou photo, 5 Mo au plus. Le cabinet seul peut l’ouvrir.",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
    )

    def __init__(
        self, *args: Any, lines: Sequence[Line], today: dt.date, refused_file: str = "", **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.lines, self.today = {str(line.invoice.pk): line for line in lines}, today
        self.refused_file = refused_file
        self.fields["invoices"].choices = [(pk, named(line)) for pk, line in self.lines.items()]  # type: ignore[attr-defined]
        if len(self.lines) == 1:
            del self.fields["invoices"]

    def clean_paid_on(self) -> dt.date:
        """Refuse a day to come, and one too old to be this payment's."""
        day: dt.date = self.cleaned_data["paid_on"]
        if day > self.today:
            raise forms.ValidationError("Cette date n’est pas encore passée : indiquez le jour où vous avez payé.")
        if day < self.today - LONGEST_AGO:
            raise forms.ValidationError("Cette date remonte à plus de trois ans : vérifiez l’année.")
        return day

    def clean(self) -> dict[str, Any]:
        """Make the file harmless, once nothing else is to be corrected; refuse what does not open and is no proof."""
        cleaned = super().clean() or self.cleaned_data
        given: UploadedFile[Any] | None = cleaned.get("proof")
        if given is not None and self.refused_file:
            self.add_error("proof", self.refused_file)
        elif given is not None and not self.errors:
            try:
                cleaned["proof"] = proofs.clean(name=str(given.name or ""), data=given.read(proofs.BIGGEST + 1))
            except ProofError as refusal:
                self.add_error("proof", str(refusal))
        return cleaned

    def paid(self) -> list[Invoice]:
        """Return the invoices said to be paid."""
        chosen = self.cleaned_data.get("invoices", list(self.lines))
        return [self.lines[pk].invoice for pk in chosen]


class ProblemForm(forms.Form):
    """Why the debtor does not pay, and about which invoice when there are several."""

    invoice = forms.ChoiceField(
        label="Facture concernée",
        error_messages={
            "required": "Choisissez la facture concernée.",
            "invalid_choice": "Cette facture n’est plus à régler : choisissez-en une autre.",
        },
    )
    reason = forms.ChoiceField(
        label="Que se passe-t-il ?",
        choices=REASONS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez ce qui correspond le mieux à votre situation.",
            "invalid_choice": "Choisissez une raison de la liste.",
        },
    )
    message = message_field("Votre message au cabinet", hint="1 000 caractères au plus.")

    def __init__(self, *args: Any, lines: Sequence[Line], **options: Any) -> None:
        super().__init__(*args, **options)
        self.lines = {str(line.invoice.pk): line for line in lines}
        choices = [(EVERY_INVOICE, "Toutes mes factures"), *((pk, named(line)) for pk, line in self.lines.items())]
        self.fields["invoice"].choices = choices  # type: ignore[attr-defined]
        if len(self.lines) == 1:
            del self.fields["invoice"]

    def clean(self) -> dict[str, Any]:
        """Ask for words when the reason alone says nothing."""
        facts = super().clean() or {}
        if facts.get("reason") == ProblemReason.OTHER and "message" in facts and not facts["message"].strip():
            self.add_error("message", "Décrivez le problème en quelques mots.")
        return facts

    def about(self) -> Invoice | None:
        """Return the invoice the problem is about; None for all of them."""
        chosen = self.cleaned_data.get("invoice", next(iter(self.lines)))
        return None if chosen == EVERY_INVOICE else self.lines[chosen].invoice


class WrongRecipientForm(forms.Form):
    """Why the message is not for its reader."""

    why = forms.ChoiceField(
        label="Pourquoi cette facture n’est-elle pas pour vous ?",
        choices=WHY_NOT_ME,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez la réponse qui convient.",
            "invalid_choice": "Choisissez une réponse de la liste.",
        },
    )
    message = message_field("À qui le cabinet peut-il s’adresser ?")

    def told(self) -> str:
        """Return what the firm reads: the reason in words, then the message."""
        why = dict(WHY_NOT_ME)[self.cleaned_data["why"]]
        return "\n\n".join(part for part in (f"{why}.", self.cleaned_data["message"].strip()) if part)


class CheckForm(forms.Form):
    """One fact its addressee knows, before a sensitive invoice is shown."""

    answer = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "Indiquez l’information demandée.",
            "max_length": "Cette réponse est trop longue : vérifiez-la.",
        },
    )

    def __init__(self, *args: Any, postcode: str, numbers: Sequence[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.expected = {plain(postcode)} if postcode else {plain(number) for number in numbers}
        self.fields["answer"].label = (
            "Code postal de l’adresse de facturation" if postcode else "Numéro d’une facture reçue"
        )

    def clean_answer(self) -> str:
        """Refuse what is not the known fact."""
        told = plain(self.cleaned_data["answer"])
        if told not in self.expected:
            raise forms.ValidationError("Cette réponse ne correspond pas à ce que connaît le cabinet : vérifiez-la.")
        return told


class DataForm(forms.Form):
    """Which right is used, and what about."""

    right = forms.ChoiceField(
        label="Votre demande",
        choices=RIGHTS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez ce que vous demandez.",
            "invalid_choice": "Choisissez une demande de la liste.",
        },
    )
    message = message_field("Précisez votre demande", hint="Par exemple la donnée à corriger.")

    def clean(self) -> dict[str, Any]:
        """Ask for words when a correction says nothing of what is to be corrected."""
        facts = super().clean() or {}
        if facts.get("right") == DataRight.RECTIFICATION and "message" in facts and not facts["message"].strip():
            self.add_error("message", "Écrivez ce qui est à corriger, et comment.")
        return facts


class ChannelForm(forms.Form):
    """How the debtor is written to: what is shown is what is in force, so that sending it as it is changes nothing."""

    refuses_sms = forms.BooleanField(label="Je ne veux plus recevoir de SMS", required=False)
    preference = forms.ChoiceField(
        label="Rappels et courriers",
        choices=WAYS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez une préférence.",
            "invalid_choice": "Choisissez une préférence de la liste.",
        },
    )

    def __init__(self, *args: Any, gets_sms: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not gets_sms:
            del self.fields["refuses_sms"]

    def preferred(self) -> Preference | None:
        """Return the way preferred, if any."""
        chosen = self.cleaned_data["preference"]
        return None if chosen == ANY_WAY else Preference(chosen)


class AskCodeForm(forms.Form):
    """The box a machine that opens links does not tick."""

    is_addressee = forms.BooleanField(
        label="Je suis le destinataire de ces factures",
        error_messages={"required": "Cochez cette case pour recevoir le code."},
    )


class CodeForm(forms.Form):
    """Six digits."""

    code = forms.CharField(
        label="Code reçu",
        help_text="Six chiffres.",
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={
            "required": "Indiquez le code reçu.",
            "max_length": "Le code a six chiffres : vérifiez-le.",
        },
    )


class RenewalForm(forms.Form):
    """Where the messages of the firm arrive: typed, so that no machine that opens links asks for one."""

    FIELD = "address"

    address = forms.CharField(
        label="Adresse e-mail ou mobile où le cabinet vous écrit",
        help_text="Le nouveau lien n’arrive qu’à l’adresse que le cabinet connaît.",
        max_length=LONGEST_EMAIL,
        widget=forms.TextInput(attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={
            "required": "Indiquez l’adresse e-mail ou le mobile où vous recevez les messages du cabinet.",
            "max_length": "Cette adresse est trop longue : vérifiez-la.",
        },
    )

    def clean_address(self) -> str:
        """Refuse what is neither an address nor a number."""
        text: str = self.cleaned_data["address"]
        try:
            if "@" in text:
                return normalise_email(text)
        except InputError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        number = find_phone(text)
        if number is None:
            raise forms.ValidationError("Écrivez une adresse e-mail (nom@domaine.fr) ou un numéro (06 12 34 56 78).")
        return number


def plain(text: str) -> str:
    """Return a fact as it is compared: upper case, without blanks."""
    return "".join(text.upper().split())
