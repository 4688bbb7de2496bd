"""What an answer says, and whose it is."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from cabinets.models import Client
from dunning.enums import ReplyClass
from dunning.forms.approvals import LONGEST_REASON, Day
from invoices.enums import Grounds
from invoices.models import Invoice
from invoices.money import show_euros

WHY = (Grounds.AMOUNT, Grounds.SERVICE, Grounds.AGREEMENT, Grounds.OTHER)


class ClassifyForm(forms.Form):
    """One button a class; beside them, the invoices it is about, and what only some classes need."""

    reply_class = forms.TypedChoiceField(
        choices=ReplyClass,
        coerce=ReplyClass,
        widget=forms.HiddenInput,
        error_messages={"required": "Choisissez ce que dit la réponse."},
    )
    invoice_ids = forms.TypedMultipleChoiceField(
        label="Factures concernées", coerce=UUID, required=False, widget=forms.CheckboxSelectMultiple
    )
    promised_on = Day(label="Jour promis", required=False, help_text="Pour une promesse de paiement.")
    grounds = forms.TypedChoiceField(
        label="Raison de la contestation",
        choices=[(one.value, one.label) for one in WHY],
        coerce=Grounds,
        required=False,
        empty_value=Grounds.OTHER,
        initial=Grounds.OTHER,
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_REASON,
        help_text="Reste au cabinet : le client ne la lit pas. Demandée pour « Autre ».",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, invoices: Sequence[tuple[Invoice, bool]], today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["invoice_ids"]
        field.choices = [  # type: ignore[attr-defined]
            (str(one.pk), f"{one.number} – {show_euros(one.outstanding_cents)}") for one, _ in invoices
        ]
        field.initial = [str(one.pk) for one, is_likely in invoices if is_likely]
        self.fields["promised_on"].widget.attrs["min"] = today.isoformat()

    def clean(self) -> dict[str, Any]:
        """Ask for the day of a promise, and for a word where reminders resume."""
        values: dict[str, Any] = super().clean() or {}
        said = values.get("reply_class")
        if said == ReplyClass.PROMISE and not values.get("promised_on") and "promised_on" not in self.errors:
            self.add_error("promised_on", "Indiquez le jour promis.")
        if said == ReplyClass.OTHER and not values.get("note"):
            self.add_error("note", "Dites en quelques mots ce qu’il en est : les relances reprennent.")
        return values


class AttachForm(forms.Form):
    """A client among those the person sees."""

    client: "forms.ModelChoiceField[Client]" = forms.ModelChoiceField(
        queryset=None,
        error_messages={"required": "Choisissez un client.", "invalid_choice": "Choisissez un client du cabinet."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"].queryset = Client.objects.filter(archived_on=None)  # type: ignore[attr-defined]
