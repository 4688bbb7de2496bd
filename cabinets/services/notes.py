"""Write notes about a client for the firm alone; who wrote one is the only person to change or delete it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import NotificationKind, Right
from cabinets.errors import InputError
from cabinets.models import Client, Membership, Note
from cabinets.permissions import ensure
from cabinets.services.notifications import tell, who_sees

LONGEST = 4000


@transaction.atomic
def write_note(*, client_id: UUID, text: str, by: Membership, mentioned: Membership | None = None) -> Note:
    """Add a note to a client, and tell the person it mentions, who must see that client."""
    ensure(by, Right.EDIT_CLIENTS)
    client = Client.objects.get(pk=client_id)
    _check(client_id, text, mentioned)
    note = Note(client=client, author=by, text=text.strip(), mentioned=mentioned)
    note.save(force_insert=True)
    journal.record("note.created", note, client=str(client_id), mentioned=None if mentioned is None else True)
    _tell(note)
    return note


@transaction.atomic
def change_note(*, note_id: UUID, text: str, by: Membership, mentioned: Membership | None = None) -> Note:
    """Change one's own note; a person newly mentioned is told."""
    note = _own(note_id, by)
    _check(note.client_id, text, mentioned)
    was = note.mentioned_id
    note.text, note.mentioned, note.edited_at = text.strip(), mentioned, timezone.now()
    note.save(update_fields=["text", "mentioned", "edited_at"])
    journal.record("note.changed", note, client=str(note.client_id))
    if note.mentioned_id != was:
        _tell(note)
    return note


@transaction.atomic
def delete_note(*, note_id: UUID, by: Membership) -> Note:
    """Delete one's own note: its words are gone; that there was one, whose and when, stays."""
    note = _own(note_id, by)
    note.text, note.mentioned, note.deleted_at = "", None, timezone.now()
    note.save(update_fields=["text", "mentioned", "deleted_at"])
    journal.record("note.deleted", note, client=str(note.client_id))
    return note


def _own(note_id: UUID, by: Membership) -> Note:
    ensure(by, Right.EDIT_CLIENTS)
    found = Note.objects.select_for_update(of=("self",)).filter(author=by, deleted_at=None)
    note: Note = found.get(pk=note_id)
    return note


def _check(client_id: UUID, text: str, mentioned: Membership | None) -> None:
    if not text.strip():
        raise InputError("La note est vide : rien n’a été enregistré.", field="text")
    if len(text) > LONGEST:
        raise InputError(f"La note dépasse {LONGEST} caractères : rien n’a été enregistré.", field="text")
    if mentioned is not None and not who_sees(client_id).filter(pk=mentioned.pk).exists():
        raise InputError(
            "Cette personne ne voit pas ce client. Rien n’a été enregistré : affectez-lui d’abord un de ses dossiers.",
            field="mentioned",
        )


def _tell(note: Note) -> None:
    if note.mentioned_id is not None:
        tell(NotificationKind.MENTION, member_ids=[note.mentioned_id], client_id=note.client_id, subject_id=note.pk)
