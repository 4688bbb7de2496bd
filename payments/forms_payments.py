"""The form of a payment received."""

from typing import Any
from uuid import uuid4

from django import forms

from cabinets.forms.fields import DayField
from invoices.forms.fields import EurosField
from invoices.models import Invoice
from payments.enums import PaymentMeans
from payments.services.recording import Receipt, Surplus


class PaymentForm(forms.Form):
    """What came in for an invoice; `form_id` makes one payment of a form sent twice."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    amount = EurosField(label="Montant reçu")
    received_on = DayField(label="Reçu le")
    means = forms.ChoiceField(label="Moyen", choices=PaymentMeans.choices)
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


class PartPaymentsForm(forms.Form):
    """Whether a debtor may pay a part of an invoice online."""

    allows = forms.BooleanField(
        label="Permettre de payer une partie d’une facture",
        help_text="Le reste demeure dû et peut être relancé. Un euro au moins est payé.",
        required=False,
    )
