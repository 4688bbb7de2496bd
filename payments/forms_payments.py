"""The form of a payment received."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms

from cabinets.forms.fields import DayField
from invoices.forms.fields import EurosField
from invoices.models import Invoice
from invoices.money import show_euros
from payments.enums import MONEY, PaymentMeans
from payments.services.credit import Returned
from payments.services.recording import Receipt, Surplus


class PaymentForm(forms.Form):
    """What came in for an invoice; `form_id` makes one payment of a form sent twice."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    amount = EurosField(label="Montant reçu")
    received_on = DayField(label="Reçu le")
    means = forms.ChoiceField(label="Moyen", choices=[(means.value, means.label) for means in MONEY])
    surplus = forms.ChoiceField(
        label="Si le montant dépasse le reste dû",
        choices=Surplus.choices,
        widget=forms.RadioSelect,
        initial=Surplus.REFUSE,
    )
    note = forms.CharField(label="Note interne", max_length=500, required=False)

    def receipt(self, invoice: Invoice) -> Receipt:
        """Return what a valid form says was received for this invoice."""
        values: dict[str, Any] = self.cleaned_data
        return Receipt(
            client_id=invoice.client_id,
            invoice_ids=(invoice.pk,),
            cents=values["amount"],
            received_on=values["received_on"],
            means=PaymentMeans(values["means"]),
            note=values["note"],
            surplus=Surplus(values["surplus"]),
        )


class UseCreditForm(forms.Form):
    """Which invoices a client's credit pays."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    invoices = forms.MultipleChoiceField(
        label="Factures à régler, de la plus ancienne à la plus récente",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins une facture."},
    )

    def __init__(self, *args: Any, owed: Sequence[Invoice], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["invoices"].choices = [  # type: ignore[attr-defined]
            (str(row.pk), f"{row.number} – {show_euros(row.outstanding_cents)}") for row in owed
        ]

    def chosen(self) -> tuple[UUID, ...]:
        """Return the invoices of a valid form."""
        return tuple(UUID(value) for value in self.cleaned_data["invoices"])


class RefundForm(forms.Form):
    """What the firm gave back to a client."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    amount = EurosField(label="Montant remboursé")
    paid_on = DayField(label="Remboursé le")
    means = forms.ChoiceField(label="Moyen", choices=[(means.value, means.label) for means in MONEY])
    note = forms.CharField(label="Note interne", max_length=500, required=False)

    def returned(self, client_id: UUID) -> Returned:
        """Return what a valid form says was given back."""
        values: dict[str, Any] = self.cleaned_data
        return Returned(
            client_id=client_id,
            cents=values["amount"],
            paid_on=values["paid_on"],
            means=PaymentMeans(values["means"]),
            note=values["note"],
        )


class PartPaymentsForm(forms.Form):
    """Whether a debtor may pay a part of an invoice online."""

    allows = forms.BooleanField(
        label="Permettre de payer une partie d’une facture",
        help_text="Le reste demeure dû et peut être relancé. Un euro au moins est payé.",
        required=False,
    )
