"""The bâtonnier's file: one PDF a lawyer would file, its pieces apart, and nothing for who has another judge."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Assignment, Cabinet, Membership
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
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
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


@pytest.fixture
def grouped(cabinet: Cabinet) -> tuple[Invoice, Invoice]:
    """Return two invoices of one client, each of its dossier: a message of its own for the first, one for both."""
    client = make_client(company="Martin")
    mine, beside = (
        make_case(invoice=make_invoice(dossier=make_dossier(client=client), number=number))
        for number in ("F-MIENNE", "F-VOISINE")
    )
    said: dict[str, Any] = {"state": ReminderState.ACCEPTED, "spoken_on": TODAY, "recipient": "a@martin.example"}
    earlier = cabinet.now() - dt.timedelta(hours=1)
    make_reminder(mine, text="Il reste dû F-MIENNE", subject="Une facture", spoken_at=earlier, **said)
    both = "Il reste dû F-MIENNE et F-VOISINE"
    mine.next_rank = beside.next_rank = 2
    make_reminder(mine, beside, text=both, subject="Deux factures", spoken_at=cabinet.now(), **said)
    return mine.invoice, beside.invoice


def said_in(job: DocumentJob) -> str:
    """Return all the words of a file, its pieces included."""
    pages = PdfReader(io.BytesIO(content_of(job.stored_as, job.bound_to("file")))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\u00a0", " ")


def pieces_in(job: DocumentJob) -> list[bytes]:
    archive = zipfile.ZipFile(io.BytesIO(content_of(job.archive_as, job.bound_to("archive"))))
    return [archive.read(name) for name in archive.namelist() if name.endswith(".txt")]


def test_holds_only_what_the_person_who_asked_sees(grouped: tuple[Invoice, Invoice], owner: Membership) -> None:
    mine, _ = grouped
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=mine.dossier, member=lawyer)

    narrow = build(batonnier.ask(invoice_id=mine.pk, by=lawyer))
    wide = build(batonnier.ask(invoice_id=mine.pk, by=owner))

    assert (narrow.state, wide.state) == (JobState.DONE, JobState.DONE)
    assert pieces_in(narrow) == ["Il reste dû F-MIENNE".encode()]
    assert pieces_in(wide) == ["Il reste dû F-MIENNE".encode(), "Il reste dû F-MIENNE et F-VOISINE".encode()]
    assert ("F-VOISINE" in said_in(narrow), "F-VOISINE" in said_in(wide)) == (False, True)
    left_out = "Un message parti au sujet de cette facture n’est pas joint : il concerne aussi d’autres dossiers."
    assert (left_out in said_in(narrow), "n’est pas joint" in said_in(wide)) == (True, False)


def test_never_says_that_nothing_was_said_when_it_was_in_another_dossier_too(
    grouped: tuple[Invoice, Invoice],
) -> None:
    _, beside = grouped
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=beside.dossier, member=lawyer)

    job = build(batonnier.ask(invoice_id=beside.pk, by=lawyer))

    said = said_in(job)
    assert pieces_in(job) == []
    assert "Aucun rappel n’a encore été adressé" not in said
    assert "Des rappels ont été adressés, qui concernent aussi d’autres dossiers." in said
    assert "Rien n’est encore parti" not in said


def test_is_not_made_for_a_person_who_was_taken_off_meanwhile(grouped: tuple[Invoice, Invoice]) -> None:
    mine, _ = grouped
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=mine.dossier, member=lawyer)
    job = batonnier.ask(invoice_id=mine.pk, by=lawyer)
    Assignment.objects.filter(member=lawyer).delete()

    failed = build(job)

    assert (failed.state, failed.failure, failed.stored_as) == (JobState.FAILED, batonnier.OUT_OF_SIGHT, "")


def test_opens_no_more_for_a_person_taken_off_its_dossier(
    grouped: tuple[Invoice, Invoice], owner: Membership, browse: Browse
) -> None:
    mine, beside = grouped
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=mine.dossier, member=lawyer)
    assign(dossier=beside.dossier, member=lawyer)
    job = build(batonnier.ask(invoice_id=mine.pk, by=lawyer))
    url, browser = f"/factures/{mine.pk}/batonnier/{job.pk}", browse(lawyer)
    assert [browser.get(f"{url}.{ending}").status_code for ending in ("pdf", "zip")] == [200, 200]

    Assignment.objects.filter(member=lawyer, dossier=mine.dossier).delete()

    assert [browser.get(f"{url}.{ending}").status_code for ending in ("pdf", "zip")] == [404, 404]
    assert browse(owner).get(f"{url}.pdf").status_code == 200


def test_what_a_person_who_sees_more_had_made_is_not_offered_to_a_colleague(
    grouped: tuple[Invoice, Invoice], owner: Membership, browse: Browse
) -> None:
    mine, _ = grouped
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=mine.dossier, member=lawyer)
    asked = batonnier.ask(invoice_id=mine.pk, by=owner)
    url, browser = f"/factures/{mine.pk}/batonnier/", browse(lawyer)

    assert browser.post(url).status_code == 302
    job = build(asked)

    assert set(DocumentJob.objects.values_list("asked_by", flat=True)) == {owner.pk, lawyer.pk}
    assert browser.get(f"{url}{job.pk}.pdf").status_code == 404
    assert f"{job.pk}.pdf" not in browser.get(url).content.decode()
    assert f"{job.pk}.pdf" in browse(owner).get(url).content.decode()
