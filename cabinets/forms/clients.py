"""Forms of a client and of the people reached there."""

from dataclasses import asdict
from typing import Any
from uuid import uuid4

from django import forms

from cabinets.addresses import show_phone
from cabinets.enums import Civility, ClientKind, ContactRole, Language
from cabinets.models import Client, Contact
from cabinets.services.clients import ClientFacts, ContactFacts

_LONG = forms.Textarea(attrs={"rows": 3})


class ClientForm(forms.Form):
    """What a person says of a client; `form_id` makes one client of a form sent twice."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4, required=False)
    company = forms.CharField(label="Société", max_length=200, required=False)
    civility = forms.ChoiceField(label="Civilité", choices=Civility.choices, initial=Civility.NONE)
    first_name = forms.CharField(label="Prénom", max_length=100, required=False)
    last_name = forms.CharField(label="Nom", max_length=100, required=False)
    kind = forms.ChoiceField(
        label="Qualité",
        choices=ClientKind.choices,
        initial=ClientKind.UNKNOWN,
        help_text="Elle se précise dossier par dossier. Inconnue, le client est traité en particulier.",
    )
    siren = forms.RegexField(
        r"^\d{9}$",
        label="SIREN",
        required=False,
        error_messages={"invalid": "Un SIREN compte neuf chiffres."},
    )
    email = forms.CharField(label="Adresse e-mail", max_length=254, required=False)
    phone = forms.CharField(label="Téléphone", max_length=40, required=False)
    accepts_sms = forms.BooleanField(label="Accepte les SMS", required=False, initial=True)
    address = forms.CharField(label="Adresse", max_length=300, required=False)
    postcode = forms.CharField(label="Code postal", max_length=12, required=False)
    city = forms.CharField(label="Ville", max_length=100, required=False)
    country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label="Pays",
        initial="FR",
        help_text="Code de deux lettres : FR, BE, CH…",
        error_messages={"invalid": "Écrivez le code du pays en deux lettres, comme FR ou BE."},
    )
    language = forms.ChoiceField(label="Langue des messages", choices=Language.choices)
    is_strategic = forms.BooleanField(label="Client stratégique : chaque message attend un accord", required=False)
    needs_two_approvals = forms.BooleanField(label="Double validation par deux personnes", required=False)
    is_never_reminded = forms.BooleanField(label="Ne jamais relancer", required=False)
    note = forms.CharField(label="Note interne", max_length=2000, required=False, widget=_LONG)

    @classmethod
    def of(cls, client: Client) -> "ClientForm":
        """Return the form of a client as it is."""
        values = {name: getattr(client, name) for name in asdict(ClientFacts(company="-"))}
        return cls(initial={**values, "phone": show_phone(client.phone)})

    def facts(self) -> ClientFacts:
        """Return what a valid form says."""
        return ClientFacts(**_without(self.cleaned_data, "form_id"))


class ContactForm(forms.Form):
    """What a person says of somebody reached at a client's."""

    role = forms.ChoiceField(label="Rôle", choices=ContactRole.choices)
    civility = forms.ChoiceField(label="Civilité", choices=Civility.choices, initial=Civility.NONE)
    first_name = forms.CharField(label="Prénom", max_length=100, required=False)
    last_name = forms.CharField(label="Nom", max_length=100, required=False)
    email = forms.CharField(label="Adresse e-mail", max_length=254, required=False)
    phone = forms.CharField(label="Téléphone", max_length=40, required=False)

    @classmethod
    def of(cls, contact: Contact) -> "ContactForm":
        """Return the form of a contact as it is."""
        values = {name: getattr(contact, name) for name in asdict(ContactFacts())}
        return cls(initial={**values, "phone": show_phone(contact.phone)})

    def facts(self) -> ContactFacts:
        """Return what a valid form says."""
        return ContactFacts(**self.cleaned_data)


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}
