"""What a debtor agrees to before signing a mandate."""

from django import forms
from django.http import QueryDict


class ConsentForm(forms.Form):
    """The words read, sent back as they were read, and the box that agrees to them."""

    texte = forms.CharField(widget=forms.HiddenInput, max_length=4_000, error_messages={"required": ""})
    accord = forms.BooleanField(
        label="J’ai lu ces dates et ces montants, et j’autorise leur prélèvement.",
        error_messages={"required": "Cochez la case pour autoriser le prélèvement. Rien n’a été demandé."},
    )

    def __init__(self, given: QueryDict | None = None, *, consent: str) -> None:
        super().__init__(given, initial={"texte": consent})
        self.consent = consent
