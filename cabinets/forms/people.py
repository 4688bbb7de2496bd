"""Forms of the team's page."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password

from cabinets.enums import Role
from cabinets.models import User


class InviteForm(forms.Form):
    """An address and a role."""

    email = forms.EmailField(
        label="Adresse e-mail",
        error_messages={"required": "Saisissez l’adresse de la personne.", "invalid": "Cette adresse est incomplète."},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="Rôle", choices=Role.choices, initial=Role.LAWYER)

    def clean_role(self) -> Role:
        """Return the role itself."""
        return Role(self.cleaned_data["role"])


class MemberForm(forms.Form):
    """A role, and the sight of every dossier."""

    role = forms.ChoiceField(label="Rôle", choices=Role.choices)
    wider = forms.BooleanField(
        label="Voit tous les dossiers du cabinet",
        required=False,
        help_text="Sans cette case, un avocat ou un assistant voit les seuls dossiers qui lui sont affectés. "
        "Les associés, les administrateurs et le comptable les voient tous.",
    )

    def clean_role(self) -> Role:
        """Return the role itself."""
        return Role(self.cleaned_data["role"])


class JoinForm(forms.Form):
    """What a new member says of themselves."""

    first_name = forms.CharField(
        label="Prénom", max_length=60, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label="Nom", max_length=60, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        max_length=128,
        help_text=password_validators_help_texts()[-1],
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a password a machine guesses, the person's own name included."""
        values = super().clean() or {}
        if "password" in values:
            person = User(first_name=values.get("first_name", ""), last_name=values.get("last_name", ""))
            try:
                validate_password(values["password"], person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values
