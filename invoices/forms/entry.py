"""Forms of an invoice, of its end and of a credit note."""

from typing import Any
from uuid import UUID

from django import forms

from cabinets.forms.fields import DayField
from cabinets.models import Dossier
from cabinets.sealing import open_together
from invoices.enums import InvoiceKind
from invoices.forms.fields import EurosField
from invoices.models import Invoice
from invoices.services.entering import InvoiceFacts


class InvoiceForm(forms.Form):
    """What a person says of an invoice."""

    dossier = forms.TypedChoiceField(label="Client et dossier", coerce=UUID)
    kind = forms.ChoiceField(
        label="Nature",
        choices=InvoiceKind.choices,
        help_text="Une provision n’est jamais mise en demeure et ne porte ni pénalité ni indemnité.",
    )
    number = forms.CharField(label="Numéro", max_length=40)
    total = EurosField(label="Montant TTC", help_text="En euros, par exemple 1440,00.")
    issued_on = DayField(label="Date de facture")
    due_on = DayField(
        label="Échéance",
        required=False,
        help_text="Vide, elle est à trente jours pour un professionnel. Elle est nécessaire pour un particulier.",
    )
    performed_on = DayField(label="Fin de la prestation", required=False)
    is_never_reminded = forms.BooleanField(label="Ne jamais relancer cette facture", required=False)
    is_sensitive = forms.BooleanField(
        label="Détail sensible : la facture n’est jamais jointe ni montrée", required=False
    )
    note = forms.CharField(
        label="Note interne", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, client_id: UUID | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["dossier"].choices = dossier_choices(client_id)  # type: ignore[attr-defined]  # a choice field

    def facts(self) -> InvoiceFacts:
        """Return what a valid form says."""
        values = dict(self.cleaned_data)
        return InvoiceFacts(dossier_id=values.pop("dossier"), total_cents=values.pop("total"), **values)


class ReasonForm(forms.Form):
    """Why an invoice ends."""

    reason = forms.CharField(label="Raison", max_length=200, help_text="Elle est gardée avec la facture.")


class CreditNoteForm(forms.Form):
    """What the firm gives back."""

    number = forms.CharField(label="Numéro de l’avoir", max_length=40)
    total = EurosField(label="Montant TTC")
    issued_on = DayField(label="Date de l’avoir")


def initial_of(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice as its form shows it."""
    stated = ("kind", "number", "issued_on", "due_on", "performed_on", "is_never_reminded", "is_sensitive", "note")
    values = {name: getattr(invoice, name) for name in stated}
    return {**values, "dossier": invoice.dossier_id, "total": invoice.total_cents}


def dossier_choices(client_id: UUID | None = None) -> list[tuple[UUID | str, str]]:
    """Return the dossiers the person may bill, by client name."""
    dossiers = Dossier.objects.filter(is_archived=False).select_related("client")
    if client_id:
        dossiers = dossiers.filter(client=client_id)
    rows = list(dossiers)
    open_together(row.client for row in rows)
    named = [(row.pk, f"{row.client.display_name} – {row.reference}") for row in rows]
    return [("", "Choisissez"), *sorted(named, key=lambda choice: choice[1].casefold())]
