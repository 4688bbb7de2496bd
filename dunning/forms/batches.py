"""Forms of acts on many invoices: which act, and what it needs to know."""

from collections.abc import Iterable
from typing import Any

from django import forms

from cabinets.models import Membership


class ColleagueForm(forms.Form):
    """Who takes the dossiers in charge."""

    colleague = forms.ChoiceField(label="Collaborateur")

    def __init__(self, *args: Any, people: Iterable[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(person.pk): person for person in people}
        named = sorted(((pk, str(person.user)) for pk, person in self.people.items()), key=lambda pair: pair[1].lower())
        self.fields["colleague"].choices = [("", "Choisir une personne"), *named]  # type: ignore[attr-defined]

    def clean_colleague(self) -> Membership:
        """Return the person."""
        return self.people[self.cleaned_data["colleague"]]


class FormatForm(forms.Form):
    """How the file is written."""

    CSV, XLSX = "csv", "xlsx"

    written_as = forms.ChoiceField(
        label="Format",
        choices=[(CSV, "CSV"), (XLSX, "Excel (XLSX)")],
        initial=CSV,
        widget=forms.RadioSelect,
    )
