"""Notes about a client: sealed, walled, one's own to change; who is mentioned is told, and nobody else."""

import ast
import html
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from cabinets.enums import NotificationKind, Role
from cabinets.errors import InputError
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Note, Notification
from cabinets.scoping import working_for
from cabinets.services import notes
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
WORDS = "Le gérant part en retraite : passer par sa fille"


def text_of(browser: FirmBrowser, url: str) -> str:
    return html.unescape(browser.get(url).content.decode()).replace("\u00a0", " ")


def told() -> set[tuple[object, str]]:
    return {(one.member_id, one.kind) for one in Notification.objects.all()}


def test_a_note_is_shown_on_the_client_s_page_and_sealed_in_the_database(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    client, browser = make_client(), browse(owner)

    answer = browser.post(f"/clients/{client.pk}/notes/ajouter/", {"text": WORDS, "mentioned": ""})

    assert answer["Location"] == f"/clients/{client.pk}/#notes"
    assert WORDS in text_of(browser, f"/clients/{client.pk}/")
    note = Note.objects.get()
    assert (note.author, note.client, note.mentioned, note.edited_at) == (owner, client, None, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT n::text FROM cabinets_note n")
        assert "retraite" not in cursor.fetchone()[0]
    assert JournalEntry.objects.get(event="note.created").facts == {"client": str(client.pk), "mentioned": None}
    assert told() == set()


def test_a_mention_tells_that_person_once(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    colleague, client = make_member(role=Role.OWNER), make_client()
    browser = browse(owner)

    browser.post(f"/clients/{client.pk}/notes/ajouter/", {"text": WORDS, "mentioned": str(colleague.pk)})
    note = Note.objects.get()
    browser.post(f"/notes/{note.pk}/modifier/", {"text": "Corrigé", "mentioned": str(colleague.pk)})

    assert told() == {(colleague.pk, NotificationKind.MENTION)}
    assert f"@{colleague.user.get_full_name()}" in text_of(browser, f"/clients/{client.pk}/")
    assert "modifiée le" in text_of(browser, f"/clients/{client.pk}/")


def test_nobody_is_mentioned_who_does_not_see_the_client(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    assistant, client = make_member(role=Role.ASSISTANT), make_client()
    browser = browse(owner)

    form = browser.get(f"/clients/{client.pk}/notes/ajouter/").content.decode()
    answer = browser.post(f"/clients/{client.pk}/notes/ajouter/", {"text": WORDS, "mentioned": str(assistant.pk)})
    with pytest.raises(InputError):
        notes.write_note(client_id=client.pk, text=WORDS, by=owner, mentioned=assistant)

    assert str(assistant.pk) not in form
    assert answer.status_code == 422
    assert (Note.objects.count(), told()) == (0, set())

    assign(dossier=make_dossier(client=client), member=assistant)
    browser.post(f"/clients/{client.pk}/notes/ajouter/", {"text": WORDS, "mentioned": str(assistant.pk)})

    assert told() == {(assistant.pk, NotificationKind.MENTION)}


def test_only_the_author_changes_or_deletes_a_note(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client, colleague = make_client(), make_member(role=Role.OWNER)
    note = notes.write_note(client_id=client.pk, text=WORDS, by=colleague)
    browser = browse(owner)

    answers = [
        browser.get(f"/notes/{note.pk}/modifier/").status_code,
        browser.post(f"/notes/{note.pk}/modifier/", {"text": "Autre"}).status_code,
        browser.post(f"/notes/{note.pk}/supprimer/").status_code,
    ]
    with pytest.raises(Note.DoesNotExist):
        notes.delete_note(note_id=note.pk, by=owner)

    assert answers == [404, 404, 404]
    assert (Note.objects.get().text, Note.objects.get().deleted_at) == (WORDS, None)


def test_a_deleted_note_loses_its_words_and_keeps_its_trace(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    client, browser = make_client(), browse(owner)
    note = notes.write_note(client_id=client.pk, text=WORDS, by=owner)

    asked = browser.get(f"/notes/{note.pk}/supprimer/")
    browser.post(f"/notes/{note.pk}/supprimer/")

    assert asked.status_code == 200
    page = text_of(browser, f"/clients/{client.pk}/")
    assert (WORDS in page, "Note supprimée le" in page, owner.user.get_full_name() in page) == (False, True, True)
    assert (Note.objects.get().text, Note.objects.get().author) == ("", owner)
    assert JournalEntry.objects.filter(event="note.deleted").count() == 1
    assert browser.post(f"/notes/{note.pk}/modifier/", {"text": "Encore"}).status_code == 404


def test_notes_stay_behind_the_wall(cabinet: Cabinet, owner: Membership) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    notes.write_note(client_id=make_client().pk, text=WORDS, by=owner)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
        assert Note.objects.count() == 0


def test_an_accountant_reads_and_writes_nothing(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client, accountant = make_client(), make_member(role=Role.ACCOUNTANT)
    notes.write_note(client_id=client.pk, text=WORDS, by=owner)
    browser = browse(accountant)

    assert WORDS in text_of(browser, f"/clients/{client.pk}/")
    assert browser.post(f"/clients/{client.pk}/notes/ajouter/", {"text": "x"}).status_code == 403
    assert Note.objects.count() == 1


@pytest.mark.parametrize("place", ["releve.pdf", "chronologie.pdf", "releve/"])
def test_no_document_of_a_client_reads_its_notes(
    cabinet: Cabinet, owner: Membership, browse: Browse, place: str
) -> None:
    client: Client = make_client()
    make_invoice(client=client)
    notes.write_note(client_id=client.pk, text=WORDS, by=owner)
    asked: list[str] = []
    browser = browse(owner)

    def watch(execute: Callable[..., object], sql: str, *rest: object) -> object:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        answer = browser.get(f"/clients/{client.pk}/{place}")

    assert answer.status_code == 200
    assert [sql for sql in asked if "cabinets_note" in sql and "cabinets_notification" not in sql] == []


def test_the_client_s_page_alone_reads_notes() -> None:
    root = Path(__file__).parents[2]
    apps = ("cabinets", "invoices", "templates_lib", "payments", "dunning", "reporting", "website")
    readers = {
        str(path.relative_to(root))
        for app in apps
        for path in (root / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("cabinets.models")
        and "Note" in {name.name for name in node.names}
    }

    assert readers == {
        "cabinets/forms/notes.py", "cabinets/models/__init__.py", "cabinets/services/notes.py",
        "cabinets/views/notes.py", "dunning/services/reading/client.py",
    }  # fmt: skip
