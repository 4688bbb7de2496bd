"""The firm's sending domain, who receives its instructions, and a message's source to read."""

import re

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from dunning.channels.authentication import LARGEST

LABELS_AT_LEAST = 3
LONGEST = 160
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


class DomainForm(forms.Form):
    """A sub-domain of the firm's own: never its whole domain, whose mail is somebody else's business."""

    domain = forms.CharField(
        label="Sous-domaine d’envoi",
        max_length=LONGEST,
        help_text="Par exemple factures.cabinet.fr. Réservé aux relances, il protège vos autres e-mails.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_domain(self) -> str:
        """Return the name as the DNS writes it."""
        typed = str(self.cleaned_data["domain"]).strip().lower().rstrip(".")
        try:
            name = typed.encode("idna").decode()
        except UnicodeError as error:
            raise ValidationError("Ce nom de domaine n’est pas valable. Rien n’a été enregistré.") from error
        labels = name.split(".")
        if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
            raise ValidationError("Ce nom de domaine n’est pas valable. Rien n’a été enregistré.")
        if len(labels) < LABELS_AT_LEAST:
            raise ValidationError(
                f"Indiquez un sous-domaine, par exemple factures.{name} : votre domaine entier porte "
                "les e-mails de vos avocats. Rien n’a été enregistré."
            )
        ours = settings.SENDING_DOMAIN
        if ours and (name == ours or name.endswith(f".{ours}")):
            raise ValidationError("Ce domaine est celui de la plateforme. Indiquez un sous-domaine de votre cabinet.")
        return name


class InstructionsForm(forms.Form):
    """Who publishes the lines."""

    email = forms.EmailField(label="Adresse de votre informaticien", max_length=200)


class SourceForm(forms.Form):
    """The source of a received message, or its headers."""

    source = forms.CharField(
        label="En-têtes du message reçu",
        max_length=LARGEST,
        help_text="Collez la ligne « Authentication-Results », ou toute la source du message. Rien n’est conservé.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
