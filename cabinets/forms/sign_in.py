"""Forms of the doors: sign-in, second factor, passwords."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.http import HttpRequest

from cabinets.models import User
from cabinets.services import reauthentication
from cabinets.services.passkeys import LONGEST_NAME
from cabinets.services.second_factor import CODES


class SignInForm(forms.Form):
    """An address and a password."""

    email = forms.EmailField(
        label="Adresse e-mail",
        error_messages={"required": "Saisissez votre adresse e-mail."},
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        max_length=128,
        error_messages={"required": "Saisissez votre mot de passe."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """Six figures, pasted or typed."""

    code = forms.CharField(
        label="Code à six chiffres",
        max_length=20,
        error_messages={"required": "Saisissez le code affiché par votre application."},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code-input", "autofocus": True}
        ),
    )


class RecoveryForm(forms.Form):
    """One of the recovery codes."""

    code = forms.CharField(
        label="Code de secours",
        help_text=f"L’un des {CODES} codes que vous avez gardés, par exemple ABCD-EFGH-JKMN. Il ne sert qu’une fois.",
        max_length=40,
        error_messages={"required": "Saisissez l’un de vos codes de secours."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


class EmailForm(forms.Form):
    """The address of an account."""

    email = forms.EmailField(
        label="Adresse e-mail",
        error_messages={"required": "Saisissez votre adresse e-mail."},
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


class PersonForm(forms.Form):
    """A form about the person who fills it in."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user


class NewPasswordForm(PersonForm):
    """A password typed once: what is hidden twice is mistyped twice, and a manager fills one field."""

    password = forms.CharField(
        label="Nouveau mot de passe",
        strip=False,
        max_length=128,
        help_text=password_validators_help_texts()[-1],
        error_messages={"required": "Choisissez un mot de passe."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        """Refuse what a machine guesses."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password


class ConfirmPasswordForm(PersonForm):
    """The password of the person signed in, asked again before a sensitive change."""

    current = forms.CharField(
        label="Votre mot de passe actuel",
        strip=False,
        max_length=128,
        error_messages={"required": "Saisissez votre mot de passe actuel."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        if not isinstance(request.user, User):
            raise PermissionError("nobody is signed in")
        super().__init__(*args, user=request.user, **kwargs)
        self.request = request

    def clean_current(self) -> str:
        """Refuse another password than theirs, and a try too many."""
        current: str = self.cleaned_data["current"]
        refusal = reauthentication.refusal_of(request=self.request, user=self.user, password=current)
        if refusal:
            raise forms.ValidationError(refusal)
        return current


class ChangePasswordForm(NewPasswordForm, ConfirmPasswordForm):
    """The password of today, then the next."""

    field_order = ("current", "password")


class PasskeyNameForm(forms.Form):
    """What a passkey is called, so that its person knows which one to take away."""

    name = forms.CharField(
        label="Nom de la clé",
        max_length=LONGEST_NAME,
        help_text="Par exemple : téléphone, ordinateur du cabinet.",
        error_messages={"required": "Donnez un nom à cette clé."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PasswordAskedForm(forms.BaseForm):
    """A form that takes the person's password again when what it changes is dangerous.

    It has a `password` field and calls `ask_password` from its `clean`, once, when that is so.
    """

    request: HttpRequest

    def ask_password(self, typed: str, *, why: str) -> None:
        """Refuse the form, with the reason, unless this is the person's password."""
        if not isinstance(self.request.user, User):
            raise PermissionError("nobody is signed in")
        refusal = why
        if typed:
            refusal = reauthentication.refusal_of(request=self.request, user=self.request.user, password=typed)
        if refusal:
            self.add_error("password", refusal)


def password_again(help_text: str) -> forms.CharField:
    """Return the field of a password asked only sometimes."""
    return forms.CharField(
        label="Votre mot de passe",
        required=False,
        strip=False,
        max_length=128,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
