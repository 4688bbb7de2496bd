"""What the firm answers to a debtor."""

from typing import Any

from django import forms

from payments.enums import OUTCOMES, RequestKind

LONGEST_ANSWER = 2000


class AnswerForm(forms.Form):
    """What was found, and the text the debtor reads."""

    outcome = forms.ChoiceField(
        label="Suite donnée",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez la suite donnée à cette demande.",
            "invalid_choice": "Choisissez une suite de la liste.",
        },
    )
    answer = forms.CharField(
        label="Réponse lue par le client",
        help_text="Elle paraît sur sa page « Vos demandes ». N’y nommez ni l’affaire ni une autre personne.",
        required=False,
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"max_length": "La réponse dépasse 2 000 caractères : raccourcissez-la."},
    )

    def __init__(self, *args: Any, kind: RequestKind, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(outcome.value, outcome.label) for outcome in OUTCOMES[kind]]
        self.fields["outcome"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            del self.fields["outcome"]
        self.only = choices[0][0]

    def outcome_chosen(self) -> str:
        """Return the outcome, or the only one there is."""
        return str(self.cleaned_data.get("outcome", self.only))
