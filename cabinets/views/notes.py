"""Notes about a client: write one, change or delete one's own."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import InputError
from cabinets.forms.fields import add_refusal
from cabinets.forms.notes import NoteForm
from cabinets.http import CabinetRequest
from cabinets.models import Client, Note
from cabinets.permissions import requires
from cabinets.services import notes
from cabinets.views.clients import REFUSED, client_url, page


@page
@requires(Right.EDIT_CLIENTS)
def note_add(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Write a note about a client."""
    client = get_object_or_404(Client, pk=client_id)
    form = NoteForm(request.POST or None, client_id=client_id, by=request.member)
    if form.is_bound and form.is_valid():
        try:
            notes.write_note(client_id=client_id, by=request.member, **form.cleaned_data)
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "La note est ajoutée.")
            return _back(client_id)
    return _form(request, client, form, None)


@page
@requires(Right.EDIT_CLIENTS)
def note_change(request: CabinetRequest, note_id: UUID) -> HttpResponse:
    """Change one's own note."""
    note = _own(request, note_id)
    form = NoteForm(request.POST or None, client_id=note.client_id, by=request.member, note=note)
    if form.is_bound and form.is_valid():
        try:
            notes.change_note(note_id=note_id, by=request.member, **form.cleaned_data)
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "La note est modifiée.")
            return _back(note.client_id)
    return _form(request, note.client, form, note)


@page
@requires(Right.EDIT_CLIENTS)
def note_delete(request: CabinetRequest, note_id: UUID) -> HttpResponse:
    """Delete one's own note."""
    note = _own(request, note_id)
    if request.method == "POST":
        notes.delete_note(note_id=note_id, by=request.member)
        messages.success(request, "La note est supprimée.")
        return _back(note.client_id)
    journal.seen(note, "note_delete")
    context = {
        "title": "Supprimer cette note ?",
        "text": "Son texte disparaît. La fiche du client garde la trace qu’une note a été écrite, par qui et quand.",
        "label": "Supprimer la note",
        "danger": True,
        "back_url": f"{client_url(note.client_id)}#notes",
    }
    return render(request, "confirm.html", context)


def _own(request: CabinetRequest, note_id: UUID) -> Note:
    mine = Note.objects.filter(author=request.member, deleted_at=None).select_related("client")
    note: Note = get_object_or_404(mine, pk=note_id)
    return note


def _back(client_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(f"{client_url(client_id)}#notes")


def _form(request: CabinetRequest, client: Client, form: NoteForm, note: Note | None) -> HttpResponse:
    journal.seen(client, "note_form")
    context = {"form": form, "client": client, "note": note, "back_url": f"{client_url(client.pk)}#notes"}
    return render(request, "cabinets/note_form.html", context, status=REFUSED if form.errors else None)
