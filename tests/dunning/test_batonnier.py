"""The bâtonnier's file: one PDF a lawyer would file, its pieces apart, and nothing for who has another judge."""

import io
import zipfile
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from cabinets.models import Cabinet, Membership
from dunning.enums import JobState, ProofKind, ReminderState
from dunning.errors import DunningError
from dunning.models import DocumentJob, Reminder
from dunning.services import batonnier, post_desk
from dunning.services.post_desk import Slip
from invoices.enums import DocumentKind
from invoices.models import Invoice
from invoices.sealed_files import open_sealed_stream
from invoices.services import documents
from templates_lib.pdf import render_pdf
from tests.conftest import FirmBrowser
from tests.dunning.test_post_desk import NUMBER, reminder
from tests.factories.cabinets import make_client, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
__all__ = ["reminder"]


def paper(words: str) -> bytes:
    return render_pdf(f"<html lang='fr'><body><p>{words}</p></body></html>", styles=("fonts.css",)).content


def build(job: DocumentJob) -> DocumentJob:
    """Make the file as the worker does, inside the test's own transaction."""
    batonnier.build(cabinet_id=job.cabinet_id, job_id=job.pk)
    return DocumentJob.objects.get(pk=job.pk)


def content_of(stored_as: str, bound_to: bytes) -> bytes:
    return b"".join(open_sealed_stream(stored_as, bound_to=bound_to))


@pytest.fixture
def proven(reminder: Reminder, owner: Membership) -> Invoice:
    """A debt put on notice by a letter whose receipt came back, with its agreement and its invoice."""
    invoice: Invoice = Invoice.objects.select_related("client", "dossier").get()
    documents.attach_to_dossier(
        dossier_id=invoice.dossier_id,
        upload=documents.Upload(name="convention.pdf", data=paper("Convention signée")),
    )
    documents.attach_to_invoice(
        invoice_id=invoice.pk,
        upload=documents.Upload(name="facture.pdf", data=paper("Facture et diligences")),
        kind=DocumentKind.INVOICE,
    )
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)
    post_desk.post(reminder_id=reminder.pk, by=owner, tracking=NUMBER, posted_on=TODAY)
    slip = documents.Upload(name="avis.pdf", data=paper("Avis de réception"))
    post_desk.keep_slip(
        reminder_id=reminder.pk,
        by=owner,
        slip=Slip(kind=ProofKind.RECEIPT, upload=slip, presented_on=TODAY, ended_on=TODAY),
    )
    return invoice


def test_makes_one_pdf_and_the_same_apart(proven: Invoice, owner: Membership) -> None:
    job = build(batonnier.ask(invoice_id=proven.pk, by=owner))

    assert (job.state, job.media_type) == (JobState.DONE, "application/pdf")
    pdf = content_of(job.stored_as, job.bound_to("file"))
    said = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
    said = said.replace("\u00a0", " ")
    for words in (
        "Dossier pour la saisine du bâtonnier",
        "Bordereau des pièces",
        "Convention d’honoraires",
        f"Facture {proven.number}",
        "Convention signée",
        "Facture et diligences",
        "MISE EN DEMEURE",
        "Avis de réception",
        "Calcul de la créance",
        "Chronologie",
        "À Madame ou Monsieur le bâtonnier de l’ordre des avocats au barreau de Nantes",
        "articles 174 et suivants",
        "présentée pour la première fois le 24 novembre 2026",
        "tient entière",
    ):
        assert words in said, words
    archive = zipfile.ZipFile(io.BytesIO(content_of(job.archive_as, job.bound_to("archive"))))
    assert archive.namelist() == [
        "00-dossier-complet.pdf",
        "01-bordereau-calcul-chronologie-demande.pdf",
        "pieces/piece-01.pdf",
        "pieces/piece-02.pdf",
        "pieces/piece-03.pdf",
        "pieces/piece-04.pdf",
    ]
    assert archive.read("00-dossier-complet.pdf") == pdf


def test_a_public_buyer_has_another_judge(cabinet: Cabinet, owner: Membership) -> None:
    invoice = make_invoice(dossier=make_dossier(client=make_client(kind="public")))

    with pytest.raises(DunningError, match="juge administratif"):
        batonnier.ask(invoice_id=invoice.pk, by=owner)

    assert DocumentJob.objects.count() == 0


def test_a_message_is_a_piece_with_its_words_and_its_addressee(cabinet: Cabinet, owner: Membership) -> None:
    case = make_case()
    make_reminder(
        case,
        state=ReminderState.ACCEPTED,
        spoken_on=TODAY,
        spoken_at=cabinet.now(),
        subject="Facture F",
        text="Bonjour, sauf erreur",
        recipient="compta@societe.example",
    )

    (piece,) = batonnier.exhibits_of(case.invoice)

    assert (piece.number, piece.media_type, piece.content) == (1, "text/plain", b"Bonjour, sauf erreur")
    assert piece.about[1] == "À : compta@societe.example"


def test_asking_twice_asks_once(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    invoice = make_invoice()
    browser, url = browse(owner), f"/factures/{invoice.pk}/batonnier/"

    assert browser.post(url).status_code == 302
    assert browser.post(url).status_code == 302

    job = DocumentJob.objects.get()
    assert "en préparation" in browser.get(url).content.decode()
    assert browser.get(f"{url}{job.pk}.pdf").status_code == 404


def test_a_document_that_names_nothing_any_more_fails_once_and_says_so(cabinet: Cabinet, owner: Membership) -> None:
    job = batonnier.ask(invoice_id=make_invoice().pk, by=owner)
    DocumentJob.objects.filter(pk=job.pk).update(invoice=None)

    failed = build(job)

    assert (failed.state, failed.failure) == (
        JobState.FAILED, "Ce dossier ne nomme ni sa facture ni qui le demande.",
    )  # fmt: skip
