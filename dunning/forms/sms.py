"""The contract with a provider of text messages."""

from typing import Any

from django import forms
from django.http import HttpRequest

from cabinets.forms.sign_in import PasswordAskedForm, password_again
from dunning.services.sms_accounts import PROFILES


class SmsForm(PasswordAskedForm, forms.Form):
    """One provider's keys and the name messages bear; a secret left empty stays as it is known."""

    sender = forms.CharField(
        label="Expéditeur affiché",
        max_length=11,
        help_text="Onze lettres sans accent ou chiffres, comme CabAubry. On n’y répond pas.",
    )
    price = forms.DecimalField(
        label="Prix d’un SMS, en euros hors taxe",
        required=False,
        min_value=0,
        max_value=1,
        decimal_places=3,
        help_text="Pour dire ce qu’un lot coûterait avant son approbation.",
    )

    def __init__(self, *args: Any, provider: str, has_secrets: bool, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self._secrets = [name for name, _ in PROFILES[provider].secrets]
        profile = PROFILES[provider]
        for name, label in profile.options:
            self.fields[name] = forms.CharField(label=label, max_length=120)
        for name, label in profile.secrets:
            self.fields[name] = forms.CharField(
                label=label,
                max_length=200,
                required=not has_secrets,
                help_text="Déjà enregistré : laissez vide pour le garder." if has_secrets else "",
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            )
        self.fields["password"] = password_again(
            "Demandé seulement quand une clé change : vos SMS partent de ce compte."
        )

    def clean(self) -> dict[str, Any]:
        """Refuse another key without the person's password."""
        values = super().clean() or {}
        if any(values.get(name) for name in self._secrets):
            why = "Vous changez une clé de vos SMS : saisissez votre mot de passe. Rien n’a été enregistré."
            self.ask_password(values.get("password", ""), why=why)
        return values
