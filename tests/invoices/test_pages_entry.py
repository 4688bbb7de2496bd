"""The pages where invoices, credit notes and documents are entered, and the search."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from cabinets.enums import ClientKind, Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import whole_firm
from invoices.enums import InvoiceState
from invoices.models import CreditNote, Document, Invoice
from invoices.services.credit_notes import create_credit_note
from invoices.services.documents import Upload, attach_to_invoice
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.files import make_pdf
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

Browse = Callable[[Membership | None], FirmBrowser]
PDF = make_pdf(b"facture")


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def typed(**changes: str) -> dict[str, str]:
    return {
        "kind": "invoice", "number": "F-2026-0412", "total": "1 440,00 €", "issued_on": "2026-11-02",
        "due_on": "02/12/2026", **changes,
    }  # fmt: skip


def test_enters_an_invoice_as_typed(cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder) -> None:
    dossier = make_dossier()

    page = browse(owner).get(f"/factures/ajouter/?dossier={dossier.pk}")
    answer = browse(owner).post("/factures/ajouter/", typed(dossier=str(dossier.pk)))

    invoice = Invoice.objects.get()
    assert page.status_code == 200
    assert f'value="{dossier.pk}" selected' in page.content.decode()
    assert (answer.status_code, answer["Location"]) == (302, f"/factures/{invoice.pk}/")
    assert (invoice.total_cents, invoice.due_on) == (144_000, dt.date(2026, 12, 2))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"total": "12,345"}, "est ambigu"),
        ({"total": "1.234,56"}, "mélange point et virgule"),
        ({"issued_on": "31/02/2026"}, "Indiquez une date au format 24/11/2026."),
        ({"due_on": "01/11/2026"}, "précède la date de facture"),
        ({"dossier": "00000000-0000-0000-0000-000000000000"}, "Sélectionnez un choix valide"),
    ],
)
def test_refuses_on_the_form_and_keeps_what_was_typed(
    cabinet: Cabinet,
    owner: Membership,
    browse: Browse,
    told: RecordingLadder,
    changes: dict[str, str],
    sentence: str,
) -> None:
    dossier = make_dossier()

    answer = browse(owner).post("/factures/ajouter/", typed(**{"dossier": str(dossier.pk), **changes}))

    content = answer.content.decode()
    assert (answer.status_code, Invoice.objects.count(), told.calls) == (422, 0, [])
    assert sentence in content
    assert 'value="F-2026-0412"' in content
    assert "<title>Erreur" in re.sub(r"\s+", " ", content).replace("> ", ">")


def test_proposes_a_credit_note_for_what_was_said(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice = make_invoice()
    told.spoken.add(invoice.pk)
    form = typed(
        dossier=str(invoice.dossier_id), number=invoice.number, issued_on=str(invoice.issued_on),
        due_on=str(invoice.due_on), total="1500,00",
    )  # fmt: skip

    answer = browse(owner).post(f"/factures/{invoice.pk}/modifier/", form)

    invoice.refresh_from_db()
    assert (answer.status_code, invoice.total_cents) == (422, 144_000)
    assert f'href="/factures/{invoice.pk}/avoir/"' in answer.content.decode()


def test_gives_up_an_invoice_only_with_a_reason(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice = make_invoice()
    browser = browse(owner)

    refused = browser.post(f"/factures/{invoice.pk}/passer-en-perte/", {"reason": ""})
    done = browser.post(f"/factures/{invoice.pk}/passer-en-perte/", {"reason": "Prescrite"})

    invoice.refresh_from_db()
    assert (refused.status_code, done.status_code, invoice.state) == (422, 302, InvoiceState.WRITTEN_OFF)
    browser.post(f"/factures/{invoice.pk}/rouvrir/")
    invoice.refresh_from_db()
    assert invoice.state == InvoiceState.OPEN


def test_a_credit_note_is_established_and_cancelled(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice, browser = make_invoice(total_cents=100_000), browse(owner)
    form = {"number": "A-1", "total": "400,00", "issued_on": "2026-11-24"}

    browser.post(f"/factures/{invoice.pk}/avoir/", form)
    invoice.refresh_from_db()
    lowered = invoice.outstanding_cents
    note = CreditNote.objects.get()
    asked = browser.get(f"/avoirs/{note.pk}/annuler/")
    browser.post(f"/avoirs/{note.pk}/annuler/")

    invoice.refresh_from_db()
    assert (lowered, asked.status_code, invoice.outstanding_cents) == (60_000, 200, 100_000)


def test_hands_a_document_over_to_be_saved_and_journals_it(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    invoice, browser = make_invoice(number="F-1"), browse(owner)
    file = SimpleUploadedFile("Facture d’Élodie.pdf", PDF, content_type="text/html")

    added = browser.post(f"/factures/{invoice.pk}/documents/ajouter/", {"kind": "invoice", "file": file})
    document = Document.objects.get()
    answer = browser.get(f"/documents/{document.pk}/")

    assert added.status_code == 302
    assert (answer.content, answer["Content-Type"]) == (PDF, "application/pdf")
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert (answer["X-Content-Type-Options"], "no-store" in answer["Cache-Control"]) == ("nosniff", True)
    assert JournalEntry.objects.filter(event="document.downloaded", member_id=owner.pk).count() == 1


def test_refuses_a_file_by_its_content(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    invoice = make_invoice()
    file = SimpleUploadedFile("facture.pdf", b"<html>", content_type="application/pdf")

    answer = browse(owner).post(f"/factures/{invoice.pk}/documents/ajouter/", {"kind": "invoice", "file": file})

    assert (answer.status_code, Document.objects.count()) == (422, 0)
    assert "ni un PDF, ni une image" in answer.content.decode()


def test_a_batch_page_says_what_became_of_each_file(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    make_invoice(number="F-2026-0001")
    files = [SimpleUploadedFile("F-2026-0001.pdf", PDF), SimpleUploadedFile("autre.pdf", PDF + b"!")]

    answer = browse(owner).post("/documents/lot/", {"papers": files})

    content = answer.content.decode()
    assert (answer.status_code, Document.objects.count()) == (200, 1)
    assert "2 fichiers reçus" in content
    assert re.findall(r'<h2 id="s-[^>]*>([^<]*)</h2>', content) == ["Sans facture", "Joints", "Fichiers"]


def test_removes_a_document_with_its_reason(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    document = attach_to_invoice(invoice_id=make_invoice().pk, upload=Upload("a.pdf", PDF))
    browser = browse(owner)

    refused = browser.post(f"/documents/{document.pk}/retirer/", {"reason": ""})
    done = browser.post(f"/documents/{document.pk}/retirer/", {"reason": "wrong_file"})

    assert (refused.status_code, done.status_code, Document.objects.count()) == (422, 302, 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-04", ["F-2026-0412"]),
        ("f-2026-0412", ["F-2026-0412"]),
        ("1 440,00", ["F-2026-0412"]),
        ("1440", ["F-2026-0412"]),
        ("400,00", ["F-2026-0500"]),
        ("zzz", []),
    ],
)
def test_finds_an_invoice_by_its_number_or_an_amount(
    cabinet: Cabinet, owner: Membership, browse: Browse, text: str, found: list[str]
) -> None:
    make_invoice(number="F-2026-0412", total_cents=144_000)
    make_invoice(number="F-2026-0500", total_cents=100_000, settled_cents=60_000)

    content = browse(owner).get("/recherche/", {"q": text}).content.decode()

    assert re.findall(r'class="main-link ref"[^>]*>([^<]*)<', content) == found


def test_finds_a_client_by_name_and_says_how_many(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    make_client(company="Émaillerie du Port")

    content = browse(owner).get("/recherche/", {"q": "emaill"}).content.decode()

    assert "1 résultat pour" in content
    assert "Émaillerie du Port" in content
    assert JournalEntry.objects.get(event="invoice.listed").facts == {"page": "search", "count": 1}


def test_an_assistant_meets_only_their_dossiers_on_each_page(cabinet: Cabinet, browse: Browse) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    mine, other = make_invoice(number="F-1"), make_invoice(number="F-2")
    assign(dossier=mine.dossier, member=assistant)
    hidden = attach_to_invoice(invoice_id=other.pk, upload=Upload("a.pdf", PDF))
    browser = browse(assistant)

    choices = browser.get("/factures/ajouter/").content.decode()
    found = browser.get("/recherche/", {"q": "F-"}).content.decode()
    answers = {
        address: browser.get(address).status_code
        for address in (
            f"/factures/{other.pk}/modifier/", f"/factures/{other.pk}/annuler/", f"/factures/{other.pk}/avoir/",
            f"/factures/{other.pk}/documents/ajouter/", f"/dossiers/{other.dossier_id}/documents/",
            f"/documents/{hidden.pk}/", f"/documents/{hidden.pk}/retirer/", f"/clients/{other.client_id}/avoir/",
        )
    }  # fmt: skip

    assert (str(mine.dossier_id) in choices, str(other.dossier_id) in choices) == (True, False)
    assert re.findall(r'class="main-link ref"[^>]*>([^<]*)<', found) == ["F-1"]
    assert set(answers.values()) == {404}
    assert browser.get(f"/factures/{mine.pk}/modifier/").status_code == 200


def test_an_assistant_bills_no_dossier_they_do_not_see(cabinet: Cabinet, browse: Browse, told: RecordingLadder) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    other = make_dossier(kind=ClientKind.PROFESSIONAL)

    answer = browse(assistant).post("/factures/ajouter/", typed(dossier=str(other.pk)))

    with whole_firm():
        assert (answer.status_code, Invoice.objects.count()) == (422, 0)


def test_an_accountant_reads_and_writes_nothing(cabinet: Cabinet, browse: Browse) -> None:
    accountant, invoice = make_member(role=Role.ACCOUNTANT), make_invoice()
    browser = browse(accountant)

    assert browser.get("/recherche/", {"q": "F-"}).status_code == 200
    assert browser.get("/factures/ajouter/").status_code == 403
    assert browser.post(f"/factures/{invoice.pk}/passer-en-perte/", {"reason": "x"}).status_code == 403
    assert browser.post(f"/dossiers/{invoice.dossier_id}/documents/ajouter/", {}).status_code == 403
    invoice.refresh_from_db()
    assert invoice.state == InvoiceState.OPEN


def test_a_credit_note_on_an_invoice_a_person_does_not_see_is_not_theirs_to_take_back(
    browse: Browse, cabinet: Cabinet, told: RecordingLadder
) -> None:
    client = make_client()
    note = create_credit_note(
        client_id=client.pk,
        invoice_id=make_invoice(client=client).pk,
        number="A-1",
        issued_on=dt.date(2026, 11, 24),
        cents=40_000,
    )
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=make_dossier(client=client), member=assistant)

    assert browse(assistant).post(f"/avoirs/{note.pk}/annuler/").status_code == 404
    note.refresh_from_db()
    assert note.cancelled_at is None
