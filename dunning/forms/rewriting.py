"""The words of one message."""

from typing import Any

from django import forms

from dunning.services.rewriting import LONGEST_BODY, LONGEST_SUBJECT


class RewriteForm(forms.Form):
    """A subject, where the message has one, and a body; the fields between brackets are filled when it leaves."""

    subject = forms.CharField(
        label="Objet",
        max_length=LONGEST_SUBJECT,
        required=False,
        help_text="Il ne nomme ni l’affaire ni l’adversaire : chacun peut le lire sur un écran.",
    )
    body = forms.CharField(
        label="Texte",
        max_length=LONGEST_BODY,
        widget=forms.Textarea(attrs={"rows": 16}),
        help_text="Une ligne vide sépare deux paragraphes.",
        error_messages={"required": "Écrivez le texte du message."},
    )

    def __init__(self, *args: Any, has_subject: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_subject:
            del self.fields["subject"]
