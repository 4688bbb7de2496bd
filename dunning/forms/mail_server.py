"""The server a firm's e-mails leave from."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from cabinets.forms.sign_in import PasswordAskedForm, password_again
from cabinets.outside import is_loopback
from dunning.channels.smtp.settings import Security
from dunning.models import MailServer


class MailServerForm(PasswordAskedForm, forms.ModelForm[MailServer]):
    """Host, port, protection, account and sender; an empty password keeps the one that is known."""

    new_password = forms.CharField(
        label="Mot de passe du compte",
        required=False,
        max_length=200,
        help_text="Vide : le mot de passe enregistré est gardé. Il est chiffré et ne s’affiche jamais.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    password = password_again("Demandé seulement quand le serveur, le compte ou son mot de passe change.")
    # Where the kept password would be sent, and whose it is: another host would receive it.
    connection = ("host", "port", "security", "username", "new_password")

    class Meta:
        model = MailServer
        fields = ("sender", "reply_to", "host", "port", "security", "username")
        help_texts = {
            "sender": "L’adresse que vos clients lisent. Elle appartient au domaine du cabinet.",
            "reply_to": "Vide : les réponses arrivent à l’adresse d’expédition.",
            "host": "Le nom que donne votre hébergeur, par exemple smtp.cabinet.fr.",
        }

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """Refuse an unprotected conversation with another machine."""
        cleaned = super().clean() or {}
        if cleaned.get("security") == Security.NONE.value and not is_loopback(cleaned.get("host", "")):
            raise ValidationError(
                "Sans TLS, seul un serveur de cette machine peut recevoir vos messages. "
                "Choisissez STARTTLS ou TLS ; rien n’a été enregistré."
            )
        if set(self.changed_data) & set(self.connection):
            why = "Vous changez le serveur d’envoi : saisissez votre mot de passe. Rien n’a été enregistré."
            self.ask_password(cleaned.get("password", ""), why=why)
        return cleaned
