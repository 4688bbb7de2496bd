"""A firm's account at a payment provider, as a person types it."""

import re
from typing import Any

from django import forms
from django.http import HttpRequest

from cabinets.forms.sign_in import PasswordAskedForm, password_again
from payments.enums import Mode, PaymentMeans
from payments.models import ProviderAccount
from payments.providers.protocol import Profile
from payments.services.held_keys import as_if_taken
from payments.services.provider_accounts import knows

LONGEST_KEY = 300


class AccountForm(PasswordAskedForm, forms.Form):
    """The keys and means of one account; an empty key keeps the one known, and live keys take the person's password."""

    def __init__(
        self,
        *args: Any,
        profile: Profile,
        mode: Mode,
        account: ProviderAccount | None,
        request: HttpRequest,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._profile, self._mode, self.request = profile, mode, request
        for one in profile.settings:
            is_kept = account is not None and knows(as_if_taken(account), one.name)
            self.fields[one.name] = forms.CharField(
                label=one.label,
                max_length=LONGEST_KEY,
                required=one.is_asked_first and not is_kept,
                help_text="Déjà enregistré : laissez vide pour le garder." if is_kept else one.hint,
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
                error_messages={"required": f"Indiquez : {one.label.lower()}."},
            )
        self.fields["means"] = forms.MultipleChoiceField(
            label="Moyens proposés à vos clients",
            choices=[(one.value, one.label) for one in map(PaymentMeans, profile.means)],
            initial=account.means if account else [profile.means[0].value],
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": "Choisissez au moins un moyen de paiement."},
        )
        if mode is Mode.LIVE:
            self.fields["password"] = password_again(
                "Demandé seulement quand une clé change : c’est sur ce compte que vos clients paient."
            )

    @property
    def secrets(self) -> dict[str, str]:
        """Return the keys that were typed."""
        return {one.name: self.cleaned_data.get(one.name, "") for one in self._profile.settings}

    @property
    def means(self) -> list[PaymentMeans]:
        """Return the means that were chosen."""
        return [PaymentMeans(one) for one in self.cleaned_data["means"]]

    def clean(self) -> dict[str, Any]:
        """Refuse what is no key of this provider, and a live key without the person's password."""
        values = super().clean() or {}
        for one in self._profile.settings:
            typed = values.get(one.name, "")
            if typed and one.pattern and not re.fullmatch(one.pattern, typed):
                self.add_error(one.name, one.mistake)
        if self._mode is Mode.LIVE and any(self.secrets.values()):
            self.ask_password(
                values.get("password", ""),
                why="Vous changez une clé du compte sur lequel vos clients paient : saisissez votre mot de passe. Rien "
                "n’a été enregistré.",
            )
        return values
