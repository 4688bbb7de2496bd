"""Forms of an import: a file or pasted lines, what each column holds, and what is let in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from invoices.importers.mapping import missing_fields
from invoices.importers.rows import Field
from invoices.services.importing import columns_of

GROUPS: dict[str, tuple[Field, ...]] = {
    "La facture": (
        Field.NUMBER, Field.DOCUMENT, Field.ISSUED_ON, Field.DUE_ON, Field.TOTAL, Field.SETTLED, Field.OUTSTANDING,
        Field.CURRENCY,
    ),
    "Le client": (
        Field.CLIENT, Field.CIVILITY, Field.FIRST_NAME, Field.LAST_NAME, Field.COMPANY, Field.KIND, Field.EMAIL,
        Field.PHONE, Field.ADDRESS, Field.ADDRESS_2, Field.POSTCODE, Field.CITY, Field.COUNTRY,
    ),
    "Le dossier": (Field.DOSSIER, Field.LAWYER_EMAIL),
}  # fmt: skip
CHOICES = [
    ("", "Ne pas importer"),
    *((group, [(field.value, field.label) for field in fields]) for group, fields in GROUPS.items()),
]


class FileForm(forms.Form):
    """A file, or lines pasted from a spreadsheet."""

    file = forms.FileField(
        label="Fichier",
        required=False,
        error_messages={"empty": "Le fichier est vide : choisissez-en un autre."},
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    lines = forms.CharField(
        label="Lignes collées",
        required=False,
        strip=False,
        help_text="Copiez les lignes dans votre tableur, ligne de titres comprise, et collez-les ici.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("file") and not str(cleaned.get("lines") or "").strip():
            self.add_error("file", "Choisissez un fichier ou collez des lignes.")
        return cleaned


class ColumnsForm(forms.Form):
    """One choice a column of the file: what it holds."""

    def __init__(
        self, data: Any = None, *, header: Sequence[str], samples: Sequence[Sequence[str]], mapping: Mapping[Field, int]
    ) -> None:
        super().__init__(data)
        self.samples = samples
        held = {place: field for field, place in mapping.items()}
        for place, name in columns_of(header):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=name,
                choices=CHOICES,
                required=False,
                initial=held[place].value if place in held else "",
            )

    def columns(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Return each column with what its first lines hold."""
        return [
            (self[f"column_{place}"], [line[place] for line in self.samples if line[place]])
            for place in range(len(self.fields))
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse a choice made twice, and a file without what no import can do without."""
        cleaned, chosen = super().clean() or {}, dict[Field, int]()
        for place in range(len(self.fields)):
            if not (value := cleaned.get(f"column_{place}")):
                continue
            field = next(field for field in Field if field.value == value)
            if field in chosen:
                first = self.fields[f"column_{chosen[field]}"].label
                self.add_error(f"column_{place}", f"« {field.label} » est déjà la colonne {first} : gardez-en une.")
            chosen.setdefault(field, place)
        if not self.errors and (missing := missing_fields(chosen)):
            names = ", ".join(f"« {field.label} »" for field in missing)
            self.add_error(None, f"Indiquez la colonne qui contient : {names}.")
        self.mapping = chosen
        return cleaned


class StartForm(forms.Form):
    """What is let in beside the new invoices."""

    updates_settlements = forms.BooleanField(required=False)


# The fields of the lines to correct are named after their line and their column.
LONGEST_NUMBER = 7
CELL = re.compile(r"cellule-(\d{1,7})-(\d{1,3})")


def cell_name(line: int, place: int) -> str:
    """Return the name of the field of a cell."""
    return f"cellule-{line}-{place}"


class LinesForm:
    """Cells typed again, lines set aside, lines taken back: as many fields as the lines on the page have cells."""

    def __init__(self, data: QueryDict) -> None:
        self.typed: dict[int, dict[int, str]] = {}
        for name in data:
            if match := CELL.fullmatch(name):
                line, place = int(match[1]), int(match[2])
                self.typed.setdefault(line, {})[place] = str(data[name])
        self.set_aside = _numbers(data.getlist("ecarter"))
        self.back = _numbers(data.getlist("reprendre"))


def _numbers(values: Iterable[str]) -> set[int]:
    return {int(value) for value in values if value.isdecimal() and len(value) <= LONGEST_NUMBER}
