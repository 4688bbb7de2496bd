"""Answering an operator who asks to look."""

from django import forms

from cabinets.forms.sign_in import ConfirmPasswordForm
from cabinets.support_rules import MINUTES

WORDS = {15: "15 minutes", 30: "30 minutes", 60: "Une heure"}


class GrantForm(ConfirmPasswordForm):
    """For how long, and the password of the partner who allows it."""

    minutes = forms.TypedChoiceField(
        label="Durée",
        coerce=int,
        choices=[(value, WORDS[value]) for value in MINUTES],
        initial=MINUTES[0],
        help_text="L’accès se ferme de lui-même. Vous pouvez y mettre fin avant.",
    )

    field_order = ("minutes", "current")
