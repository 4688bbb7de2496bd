"""A text as a person writes it: one subject and one body a form, and the invoice it is tried on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from dunning.services.reading.texts import FORM_LABELS
from templates_lib.authoring import LONGEST_NOTE, Place
from templates_lib.enums import Channel
from templates_lib.library import Form, TextVersion
from templates_lib.portable import LONGEST_BODY, LONGEST_SUBJECT

PREVIEW_BUTTON = "apercu-bouton"
ROWS = {Channel.SMS: 4, Channel.EMAIL: 14, Channel.LETTER: 18}


class TextForm(forms.Form):
    """The words of a text, in every form it has."""

    shown = forms.ChoiceField(label="Forme affichée", required=False)
    invoice = forms.ChoiceField(label="Sur la facture", required=False)
    note = forms.CharField(
        label="Ce qui change",
        required=False,
        max_length=LONGEST_NOTE,
        help_text="Reste au cabinet, dans l’historique des versions.",
    )

    def __init__(
        self, *args: Any, place: Place, version: TextVersion, invoices: Sequence[tuple[str, str]] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.version = version
        self.fields["shown"].choices = [(name, FORM_LABELS[name]) for name in version.forms]  # type: ignore[attr-defined]
        self.fields["invoice"].choices = [*invoices, ("", "Une facture inventée")]  # type: ignore[attr-defined]
        self.fields["invoice"].initial = invoices[0][0] if invoices else ""
        for name in ("shown", "invoice"):
            self.fields[name].widget.attrs["data-preview"] = PREVIEW_BUTTON
        for name, form in version.forms.items():
            self._add(place, name, form)

    def _add(self, place: Place, name: str, form: Form) -> None:
        attrs = {"data-preview": PREVIEW_BUTTON}
        if place.channel is not Channel.SMS:
            self.fields[f"{name}_subject"] = forms.CharField(
                label="Objet", initial=form.subject, max_length=LONGEST_SUBJECT, widget=forms.TextInput(attrs=attrs)
            )
        self.fields[f"{name}_body"] = forms.CharField(
            label="Texte",
            initial=form.body,
            max_length=LONGEST_BODY,
            widget=forms.Textarea(attrs={**attrs, "rows": ROWS[place.channel], "lang": place.language}),
            error_messages={"required": "Ce texte ne peut pas être vide : il serait envoyé sans un mot."},
        )

    @property
    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields of each form, under its name."""
        return [
            (FORM_LABELS[name], [self[one] for one in (f"{name}_subject", f"{name}_body") if one in self.fields])
            for name in self.version.forms
        ]

    def words(self) -> dict[str, Form]:
        """Return what was typed, with the line ends of a file."""
        said = self.cleaned_data
        return {
            name: Form(said.get(f"{name}_subject", ""), said[f"{name}_body"].replace("\r\n", "\n").strip())
            for name in self.version.forms
        }

    def invoice_id(self) -> UUID | None:
        """Return the invoice the text is tried on; nothing for the invented one."""
        chosen = self.cleaned_data.get("invoice")
        return UUID(chosen) if chosen else None


class TextFileForm(forms.Form):
    """A file of texts to take in."""

    file = forms.FileField(
        label="Fichier de modèles",
        help_text="Une archive ZIP de fichiers TOML, ou un seul fichier TOML. "
        "Rien n’est publié : chaque texte devient un brouillon.",
        widget=forms.FileInput(attrs={"accept": ".zip,.toml"}),
        error_messages={"required": "Choisissez un fichier.", "empty": "Ce fichier est vide : rien n’a été repris."},
    )
