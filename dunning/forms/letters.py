"""Accounts with providers of letters, their one-time code, consents and transfers, as a person types them."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest

from cabinets.enums import TransferBasis
from cabinets.forms.sign_in import PasswordAskedForm, password_again
from cabinets.models import Contact
from dunning.channels.letters import Profile
from dunning.forms.approvals import Day
from dunning.models import ChannelAccount
from dunning.services.consents import SCOPES
from invoices.models import Document

_THOUSAND = 1000


class LetterAccountForm(PasswordAskedForm, forms.Form):
    """What a provider's contract gives; an empty secret keeps the one that is known."""

    unit_price = forms.DecimalField(
        label="Prix d’une lettre, hors taxes (€)",
        required=False,
        min_value=Decimal(0),
        max_digits=7,
        decimal_places=3,
        localize=True,
        help_text="Celui de votre contrat. Il est montré avant un envoi ; vide, aucun prix n’est annoncé.",
    )

    def __init__(
        self, *args: Any, profile: Profile, account: ChannelAccount | None, request: HttpRequest, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._profile, self.request = profile, request
        price = account.unit_price_thousandths if account else None
        self.fields["unit_price"].initial = None if price is None else Decimal(price) / _THOUSAND
        own: dict[str, forms.Field] = {}
        for field in profile.fields:
            is_kept = field.is_secret and account is not None
            own[field.name] = forms.CharField(
                label=field.label,
                required=field.is_required and not is_kept,
                max_length=500,
                help_text="Vide : la valeur enregistrée est gardée. Elle est chiffrée et ne s’affiche jamais."
                if is_kept
                else field.help_text,
                initial="" if field.is_secret or account is None else account.options.get(field.name, ""),
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}) if field.is_secret else forms.TextInput(),
                error_messages={"required": f"Indiquez : {field.label}."},
            )
        password = password_again("Demandé seulement quand une clé change : vos lettres partent de ce compte.")
        self.fields = {**own, **self.fields, "password": password}

    def clean(self) -> dict[str, Any]:
        """Refuse another key without the person's password."""
        values = super().clean() or {}
        if any(values.get(one.name) for one in self._profile.fields if one.is_secret):
            why = "Vous changez une clé de ce prestataire : saisissez votre mot de passe. Rien n’a été enregistré."
            self.ask_password(values.get("password", ""), why=why)
        return values

    @property
    def options(self) -> dict[str, str]:
        """Return what is no secret."""
        return {one.name: self.cleaned_data[one.name] for one in self._profile.fields if not one.is_secret}

    @property
    def secrets(self) -> dict[str, str]:
        """Return the secrets that were typed."""
        return {one.name: self.cleaned_data[one.name] for one in self._profile.fields if one.is_secret}

    @property
    def price(self) -> int | None:
        """Return the price in thousandths of a euro."""
        found = self.cleaned_data["unit_price"]
        return None if found is None else int(found * _THOUSAND)


class CodeForm(forms.Form):
    """The code a sender's own generator shows now."""

    code = forms.RegexField(
        r"\A\d{6}\Z",
        label="Code à usage unique",
        help_text="Les six chiffres que montre le générateur de l’expéditeur.",
        widget=forms.TextInput(
            attrs={"class": "code-input", "inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "6"}
        ),
        error_messages={"required": "Saisissez les six chiffres du code.", "invalid": "Le code compte six chiffres."},
    )


class ConsentForm(forms.Form):
    """A consent to electronic registered letters, as it was given."""

    contact: "forms.ModelChoiceField[Contact]" = forms.ModelChoiceField(
        None,
        label="Qui consent",
        required=False,
        empty_label="Le client lui-même",
    )
    email = forms.EmailField(
        label="Adresse e-mail du consentement",
        help_text="Celle que le document nomme. Une autre adresse demande un nouveau consentement.",
        error_messages={"required": "Indiquez l’adresse que nomme le consentement.", "invalid": "Adresse non valable."},
    )
    given_on = Day(label="Donné le")
    scope = forms.ChoiceField(label="Portée", choices=[(one, one) for one in SCOPES])
    proof: "forms.ModelChoiceField[Document]" = forms.ModelChoiceField(
        None,
        label="Document qui le prouve",
        required=False,
        empty_label="Aucun pour l’instant",
        help_text="Un document déjà déposé sur une facture ou un dossier de ce client.",
    )

    def __init__(
        self,
        *args: Any,
        today: dt.date,
        contacts: Sequence[Contact],
        documents: Sequence[Document],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._today = today
        known = Contact.objects.filter(pk__in=[row.pk for row in contacts])
        self.fields["contact"].queryset = known  # type: ignore[attr-defined]
        kept = Document.objects.filter(pk__in=[row.pk for row in documents])
        self.fields["proof"].queryset = kept  # type: ignore[attr-defined]
        self.fields["contact"].label_from_instance = _person  # type: ignore[attr-defined]
        self.fields["proof"].label_from_instance = _file  # type: ignore[attr-defined]

    def clean_given_on(self) -> dt.date:
        """Refuse a day to come."""
        given_on: dt.date = self.cleaned_data["given_on"]
        if given_on > self._today:
            raise forms.ValidationError("La date du consentement est dans l’avenir.")
        return given_on


class TransferForm(forms.Form):
    """What allows a provider outside the European Union to receive data."""

    provider = forms.ChoiceField(label="Prestataire")
    country = forms.RegexField(
        r"\A[A-Za-z]{2}\Z",
        label="Pays",
        help_text="Deux lettres, par exemple US.",
        error_messages={"required": "Indiquez le pays.", "invalid": "Le pays s’écrit en deux lettres."},
    )
    basis = forms.ChoiceField(label="Fondement", choices=TransferBasis.choices)
    reference = forms.CharField(
        label="Référence",
        max_length=200,
        help_text="L’entrée du registre du Data Privacy Framework, ou la date des clauses signées.",
        error_messages={"required": "Indiquez la référence qui permet de retrouver ce fondement."},
    )
    data_sent = forms.CharField(
        label="Données transmises",
        max_length=300,
        help_text="Le moins possible : référence de la facture, montant, numéro de téléphone.",
        error_messages={"required": "Dites quelles données sont transmises."},
    )
    assessed_on = Day(label="Examiné le")

    def __init__(self, *args: Any, providers: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = list(providers)  # type: ignore[attr-defined]

    def clean_country(self) -> str:
        """Write the country in capitals."""
        return str(self.cleaned_data["country"]).upper()


def _person(contact: Contact) -> str:
    return " ".join(part for part in (contact.first_name, contact.last_name) if part) or contact.email


def _file(document: Document) -> str:
    name: str = document.file_name
    return name
