"""Forms of documents: one file, or many."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from invoices.enums import DocumentKind, Removal
from invoices.services.documents import BIGGEST, Upload

ACCEPTED = ".pdf,.png,.jpg,.jpeg"
MOST_FILES = 100


class ManyFiles(forms.ClearableFileInput):
    """A file field that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files; its clean value is the list of them."""

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """Check each file as a file field does."""
        given = data if isinstance(data, list | tuple) else [data]
        if len(given) > MOST_FILES:
            raise forms.ValidationError(
                f"Vous avez choisi {len(given)} fichiers. Rien n’a été envoyé : choisissez-en {MOST_FILES} au plus."
            )
        return [super(FilesField, self).clean(one, initial) for one in given]


class DocumentForm(forms.Form):
    """A file and what it is."""

    kind = forms.ChoiceField(label="Nature", choices=DocumentKind.choices)
    file = forms.FileField(
        label="Fichier",
        allow_empty_file=True,
        help_text="PDF, PNG ou JPEG, 10 Mo au plus.",
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
    )

    def upload(self) -> Upload:
        """Return the file of a valid form."""
        return read(self.cleaned_data["file"])


class BatchForm(forms.Form):
    """Many invoices at once, each named after its number."""

    papers = FilesField(
        label="Fichiers",
        allow_empty_file=True,
        help_text="Chaque nom de fichier porte le numéro de sa facture, par exemple « F-2026-0412.pdf ».",
        widget=ManyFiles(attrs={"accept": ACCEPTED}),
    )

    def uploads(self) -> list[Upload]:
        """Return the files of a valid form."""
        return [read(file) for file in self.cleaned_data["papers"]]


class RemovalForm(forms.Form):
    """Why a document is removed."""

    reason = forms.ChoiceField(label="Raison", choices=Removal.choices, widget=forms.RadioSelect)


def read(file: UploadedFile[Any]) -> Upload:
    """Read an uploaded file, no further than one byte past what is kept: the service refuses it then."""
    return Upload(name=str(file.name or ""), data=file.read(BIGGEST + 1))
