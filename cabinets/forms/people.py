"""Forms of the team's page."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.http import HttpRequest

from cabinets.enums import Role
from cabinets.forms.sign_in import PasswordAskedForm, password_again
from cabinets.models import User

# A second partner confirms a change of bank account: whoever could name one alone would be both.
OWNER_HELP = "Demandé seulement pour le rôle d’associé : il engage le cabinet."
OWNER_WHY = "Vous touchez au rôle d’associé : saisissez votre mot de passe. Rien n’a été modifié."


class InviteForm(PasswordAskedForm, forms.Form):
    """An address and a role; a partner takes the person's password."""

    email = forms.EmailField(
        label="Adresse e-mail",
        error_messages={"required": "Saisissez l’adresse de la personne.", "invalid": "Cette adresse est incomplète."},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="Rôle", choices=Role.choices, initial=Role.LAWYER)
    password = password_again(OWNER_HELP)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_role(self) -> Role:
        """Return the role itself."""
        return Role(self.cleaned_data["role"])

    def clean(self) -> dict[str, Any]:
        """Refuse another partner without the password of who invites."""
        values = super().clean() or {}
        if values.get("role") == Role.OWNER:
            self.ask_password(values.get("password", ""), why=OWNER_WHY)
        return values


class MemberForm(PasswordAskedForm, forms.Form):
    """A role, and the sight of every dossier; a partner more or less takes the person's password."""

    role = forms.ChoiceField(label="Rôle", choices=Role.choices)
    wider = forms.BooleanField(
        label="Voit tous les dossiers du cabinet",
        required=False,
        help_text="Sans cette case, un avocat ou un assistant voit les seuls dossiers qui lui sont affectés. "
        "Les associés, les administrateurs et le comptable les voient tous.",
    )
    password = password_again(OWNER_HELP)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_role(self) -> Role:
        """Return the role itself."""
        return Role(self.cleaned_data["role"])

    def clean(self) -> dict[str, Any]:
        """Refuse a partner more, or less, without the password of who decides it."""
        values = super().clean() or {}
        roles = {values.get("role"), self.initial.get("role")}
        if len(roles) > 1 and Role.OWNER in roles:
            self.ask_password(values.get("password", ""), why=OWNER_WHY)
        return values


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
