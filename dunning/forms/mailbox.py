"""The mailbox a firm's debtors answer to."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from cabinets.forms.sign_in import PasswordAskedForm, password_again
from cabinets.outside import is_loopback
from dunning.inbound.mailbox import Security
from dunning.models import Mailbox


class MailboxForm(PasswordAskedForm, forms.ModelForm[Mailbox]):
    """Host, port, protection, account and folder; an empty password keeps the one that is known."""

    new_password = forms.CharField(
        label="Mot de passe du compte",
        required=False,
        max_length=200,
        help_text="Vide : le mot de passe enregistré est gardé. Il est chiffré et ne s’affiche jamais.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    password = password_again("Demandé seulement quand le serveur, le compte ou son mot de passe change.")
    # Where the kept password would be sent, and whose it is: another host would receive it.
    connection = ("host", "port", "security", "username", "new_password")

    class Meta:
        model = Mailbox
        fields = ("host", "port", "security", "username", "folder", "takes_tokens", "is_enabled")
        labels = {
            "folder": "Dossier lu",
            "takes_tokens": "Cette boîte accepte les adresses avec un « + »",
            "is_enabled": "Relever cette boîte toutes les cinq minutes",
        }
        help_texts = {
            "host": "Le nom que donne votre hébergeur, par exemple imap.cabinet.fr.",
            "folder": "INBOX est la boîte de réception.",
            "takes_tokens": "Chaque réponse désigne alors d’elle-même le message auquel elle répond.",
        }

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """Refuse an unprotected conversation with another machine, and a first setting without a password."""
        cleaned = super().clean() or {}
        if cleaned.get("security") == Security.NONE.value and not is_loopback(cleaned.get("host", "")):
            raise ValidationError(
                "Sans TLS, seule une boîte de cette machine peut être lue. "
                "Choisissez TLS ou STARTTLS ; rien n’a été enregistré."
            )
        if self.instance._state.adding and not cleaned.get("new_password"):
            self.add_error("new_password", "Indiquez le mot de passe de la boîte.")
        if set(self.changed_data) & set(self.connection):
            why = (
                "Vous changez la boîte qui reçoit les réponses : saisissez votre mot de passe. Rien n’a été enregistré."
            )
            self.ask_password(cleaned.get("password", ""), why=why)
        return cleaned
