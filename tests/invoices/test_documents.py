"""Documents: known by their content, sealed on disk, opened in their place, matched by number."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cabinets.enums import Role
from cabinets.errors import SealBrokenError
from cabinets.models import Cabinet, JournalEntry
from cabinets.scoping import working_for
from invoices.enums import DocumentKind, Removal
from invoices.errors import DocumentError
from invoices.models import Document
from invoices.services.documents import (
    Match,
    Upload,
    attach_many,
    attach_to_dossier,
    attach_to_invoice,
    match_names,
    read_document,
    remove_document,
)
from tests.factories.cabinets import assign, make_dossier, make_member, outside_any_firm
from tests.factories.files import make_pdf, make_picture
from tests.factories.invoices import make_invoice

PDF = make_pdf(b"une facture " * 20_000)
PNG = make_picture("PNG")
JPEG = make_picture("JPEG")


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "documents"
    return tmp_path


def files(disk: Path) -> list[Path]:
    return [path for path in disk.rglob("*") if path.is_file()]


def test_seals_a_document_under_its_client_and_gives_it_back_whole(cabinet: Cabinet, disk: Path) -> None:
    invoice = make_invoice()

    document = attach_to_invoice(invoice_id=invoice.pk, upload=Upload("C:\\bureau\\Facture Dupont.PDF", PDF))

    document.refresh_from_db()
    (stored,) = files(disk)
    assert (document.file_name, document.media_type, document.size) == (
        "Facture Dupont.pdf", "application/pdf", len(PDF),
    )  # fmt: skip
    assert (document.client_id, document.dossier_id, document.kind) == (
        invoice.client_id, invoice.dossier_id, DocumentKind.INVOICE,
    )  # fmt: skip
    assert b"une facture" not in stored.read_bytes()
    assert stored.parent.parent.name == str(cabinet.pk)
    assert read_document(document) == PDF
    assert list(JournalEntry.objects.order_by("pk").values_list("event", flat=True)) == [
        "document.added", "document.downloaded",
    ]  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_knows_a_file_by_its_content_whatever_its_name(cabinet: Cabinet, data: bytes, kind: str) -> None:
    document = attach_to_dossier(dossier_id=make_dossier().pk, upload=Upload("convention.exe", data))

    assert document.media_type == kind
    assert document.file_name.rpartition(".")[2] in {"pdf", "png", "jpg"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Le fichier est vide"),
        (b"MZ\x90\x00", "ni un PDF, ni une image"),
        (b"<svg onload=alert(1)>", "ni un PDF, ni une image"),
        (b"%PDF-" + bytes(10 * 1024 * 1024), "dépasse 10 Mo"),
    ],
)
def test_refuses_what_it_cannot_keep_and_writes_nothing(
    cabinet: Cabinet, disk: Path, data: bytes, sentence: str
) -> None:
    with pytest.raises(DocumentError, match=sentence):
        attach_to_invoice(invoice_id=make_invoice().pk, upload=Upload("facture.pdf", data))

    assert (Document.objects.count(), files(disk)) == (0, [])


def test_keeps_one_copy_of_the_same_file(cabinet: Cabinet, disk: Path) -> None:
    invoice = make_invoice()
    attach_to_invoice(invoice_id=invoice.pk, upload=Upload("a.pdf", PDF))

    with pytest.raises(DocumentError, match="Ce document est déjà joint"):
        attach_to_invoice(invoice_id=invoice.pk, upload=Upload("b.pdf", PDF))

    assert (Document.objects.count(), len(files(disk))) == (1, 1)


def test_a_file_moved_to_another_document_does_not_open(cabinet: Cabinet) -> None:
    invoice = make_invoice()
    first = attach_to_invoice(invoice_id=invoice.pk, upload=Upload("a.pdf", PDF))
    second = attach_to_invoice(invoice_id=invoice.pk, upload=Upload("b.pdf", PDF + b"!"))

    second.stored_as = first.stored_as

    with pytest.raises(SealBrokenError):
        read_document(second)


def test_an_altered_file_does_not_open(cabinet: Cabinet, disk: Path) -> None:
    document = attach_to_invoice(invoice_id=make_invoice().pk, upload=Upload("a.pdf", PDF))
    (stored,) = files(disk)
    damaged = bytearray(stored.read_bytes())
    damaged[100] ^= 1
    stored.write_bytes(bytes(damaged))

    with pytest.raises(SealBrokenError):
        read_document(document)


@pytest.mark.django_db
def test_removes_a_document_and_then_its_file(
    cabinet: Cabinet, disk: Path, django_capture_on_commit_callbacks: Any
) -> None:
    document = attach_to_invoice(invoice_id=make_invoice().pk, upload=Upload("a.pdf", PDF))

    with django_capture_on_commit_callbacks() as callbacks:
        remove_document(document_id=document.pk, reason=Removal.WRONG_FILE)
    kept_until_commit = len(files(disk))
    for callback in callbacks:
        callback()

    assert (Document.objects.count(), kept_until_commit, files(disk)) == (0, 1, [])
    assert JournalEntry.objects.get(event="document.removed").facts["reason"] == "wrong_file"


ONE, TWO, THREE = uuid4(), uuid4(), uuid4()
NUMBERS = {ONE: "F-2026-0012", TWO: "2026-0012", THREE: "F 2026/0013"}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("F-2026-0012.pdf", [ONE]),
        ("facture_f_2026_0012_dupont.pdf", [ONE]),
        ("2026-0012.pdf", [TWO]),
        ("Dupont 2026 0012.pdf", [TWO]),
        ("f20260013.pdf", [THREE]),
        ("F-2026-00121.pdf", []),
        ("F-2026-0012 et F-2026-0013.pdf", [ONE, THREE]),
        ("convention.pdf", []),
        (".pdf", []),
    ],
)
def test_finds_the_invoice_a_file_is_named_after(name: str, found: list[Any]) -> None:
    assert match_names([name], numbers=NUMBERS) == {name: found}


def test_a_batch_says_what_became_of_each_file(cabinet: Cabinet) -> None:
    invoice, other = make_invoice(number="F-1"), make_invoice(number="F-2")
    uploads = [
        Upload("F-1.pdf", PDF),
        Upload("copie de F-1.pdf", PDF),
        Upload("F-2.pdf", b"rien"),
        Upload("F-1 F-2.pdf", PNG),
        Upload("vacances.jpg", JPEG),
    ]

    outcomes = attach_many(uploads=uploads)

    assert [(outcome.file_name, outcome.match, outcome.invoice) for outcome in outcomes] == [
        ("F-1.pdf", Match.ADDED, invoice),
        ("copie de F-1.pdf", Match.KNOWN, invoice),
        ("F-2.pdf", Match.REFUSED, other),
        ("F-1 F-2.pdf", Match.AMBIGUOUS, None),
        ("vacances.jpg", Match.UNMATCHED, None),
    ]
    assert Document.objects.count() == 1


def test_an_assistant_matches_only_the_invoices_of_their_dossiers(cabinet: Cabinet) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    mine = make_invoice(number="F-1")
    make_invoice(number="F-2")
    assign(dossier=mine.dossier, member=assistant)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
        outcomes = attach_many(uploads=[Upload("F-1.pdf", PDF), Upload("F-2.pdf", PNG)])

    assert [outcome.match for outcome in outcomes] == [Match.ADDED, Match.UNMATCHED]
