"""What a person types at the post desk: a number, days, slips."""

import datetime as dt
from typing import Any

from django import forms

from dunning.enums import ProofKind
from dunning.forms.approvals import Day
from dunning.services.post_desk import Slip
from invoices.forms.documents import ACCEPTED, read


class PostedForm(forms.Form):
    """A letter handed over the counter."""

    posted_on = Day(label="Déposée le")
    tracking = forms.CharField(
        label="Numéro du récépissé",
        required=False,
        max_length=40,
        help_text="Recopiez-le ou lisez son code-barres : 1A 123 456 7890 3.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"}),
    )
    is_confirmed = forms.BooleanField(label="J’ai relu le numéro sur le récépissé", required=False)

    def __init__(self, *args: Any, today: dt.date, is_registered: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["posted_on"].initial = today
        self.fields["tracking"].required = is_registered
        if not is_registered:
            del self.fields["tracking"], self.fields["is_confirmed"]


class SlipForm(forms.Form):
    """A slip of the post office, photographed or scanned."""

    kind = forms.ChoiceField(label="Ce que prouve ce document", choices=ProofKind.choices)
    file = forms.FileField(
        label="Document",
        help_text="PDF, PNG ou JPEG, 10 Mo au plus.",
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
    )
    presented_on = Day(label="Première présentation le", required=False, help_text="Elle fait courir le délai.")
    ended_on = Day(label="Distribuée, refusée ou revenue le", required=False)

    def slip(self) -> Slip:
        """Return the slip of a valid form."""
        given = self.cleaned_data
        return Slip(
            kind=ProofKind(given["kind"]),
            upload=read(given["file"]),
            presented_on=given["presented_on"] or given["ended_on"],
            ended_on=given["ended_on"],
        )
