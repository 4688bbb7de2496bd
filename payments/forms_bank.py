"""Forms of the bank: a file, how a line is shared out, why it is set aside, the drop folder."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile

from invoices.forms.fields import EurosField
from invoices.models import Invoice
from invoices.money import NBSP
from payments.bank.accounts import is_iban, tidy_account
from payments.bank.reading import MAX_BYTES
from payments.enums import IgnoredReason
from payments.services.recording import Surplus

SURPLUS = [(Surplus.REFUSE.value, "Me le signaler"), (Surplus.CREDIT.value, "Le garder en avoir du client")]


class StatementForm(forms.Form):
    """A bank file, and its account when the file does not say it."""

    file = forms.FileField(
        label="Relevé",
        error_messages={
            "required": "Choisissez un fichier.",
            "empty": "Le fichier est vide : choisissez-en un autre.",
        },
        widget=forms.FileInput(attrs={"accept": ".xml,.txt,.ofx,.csv,.afb,.cfo,.120,.tsv"}),
    )
    account = forms.CharField(
        label="Compte du relevé",
        max_length=42,
        required=False,
        help_text="IBAN, pour un fichier CSV qui ne le dit pas. Sans précision, c’est le compte du cabinet.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_file(self) -> "UploadedFile[Any]":
        """Refuse a file too big before it is read."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if file.size is None or file.size > MAX_BYTES:
            raise forms.ValidationError(
                "Le fichier dépasse 10 Mo. Rien n’a été enregistré" + NBSP + ": exportez une période plus courte."
            )
        return file

    def clean_account(self) -> str:
        """Take an IBAN whose key holds, or nothing."""
        account = tidy_account(self.cleaned_data["account"])
        if account and not is_iban(account):
            raise forms.ValidationError("Cet IBAN n’est pas valable" + NBSP + ": vérifiez-le, ou laissez vide.")
        return account


class ShareForm(forms.Form):
    """What each invoice receives of a line, and what becomes of the rest."""

    surplus = forms.ChoiceField(
        label="Si un reste n’est affecté à aucune facture",
        choices=SURPLUS,
        initial=Surplus.REFUSE.value,
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any = None, *, invoices: Sequence[tuple[Invoice, str]], proposed: dict[UUID, int]) -> None:
        super().__init__(data)
        self.invoices = invoices
        for invoice, client in invoices:
            self.fields[self.name_of(invoice)] = EurosField(
                label=f"{invoice.number}, {client}", required=False, initial=proposed.get(invoice.pk)
            )

    @staticmethod
    def name_of(invoice: Invoice) -> str:
        """Return the name of an invoice's field."""
        return f"part_{invoice.pk}"

    def rows(self) -> list[tuple[forms.BoundField, Invoice, str]]:
        """Return each invoice with its field."""
        return [(self[self.name_of(invoice)], invoice, client) for invoice, client in self.invoices]

    def amounts(self) -> dict[UUID, int]:
        """Return what a valid form gives each invoice."""
        return {
            invoice.pk: cents for invoice, _ in self.invoices if (cents := self.cleaned_data[self.name_of(invoice)])
        }


class IgnoreForm(forms.Form):
    """Why a line pays no invoice here."""

    reason = forms.ChoiceField(
        label="Pourquoi l’écarter",
        choices=IgnoredReason.choices,
        error_messages={"required": "Dites pourquoi la ligne est écartée."},
    )


class FeedForm(forms.Form):
    """Whether the firm's bank leaves its statements in the drop folder."""

    is_open = forms.BooleanField(label="Prendre en compte les relevés déposés par la banque", required=False)
