"""A note about a client."""

from typing import Any
from uuid import UUID

from django import forms

from cabinets.models import Membership, Note
from cabinets.services.notes import LONGEST
from cabinets.services.notifications import who_sees


class NoteForm(forms.Form):
    """A text, and the person to tell of it."""

    text = forms.CharField(
        label="Note",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Elle reste au cabinet : aucun message, aucun document ne la reprend.",
        error_messages={"required": "Écrivez la note."},
    )
    mentioned = forms.ModelChoiceField(
        label="Mentionner",
        queryset=Membership.all_cabinets.none(),
        required=False,
        empty_label="Personne",
        help_text="Seules les personnes qui voient ce client sont proposées.",
        error_messages={"invalid_choice": "Choisissez une personne de la liste."},
    )

    def __init__(self, *args: Any, client_id: UUID, by: Membership, note: Note | None = None, **kwargs: Any) -> None:
        if note is not None:
            kwargs["initial"] = {"text": note.text, "mentioned": note.mentioned_id}
        super().__init__(*args, **kwargs)
        people = self.fields["mentioned"]
        people.queryset = who_sees(client_id).exclude(pk=by.pk)  # type: ignore[attr-defined]
        people.label_from_instance = lambda member: f"@{member.user.get_full_name()}"  # type: ignore[attr-defined]
