"""A sealed file that left the disk, or was altered there: every page that gives one says so, and none breaks.

The columns that name a sealed file come from the inventory, the pages from the resolver: a new one takes its row here.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cabinets.enums import Role
from cabinets.errors import FileAlteredError
from cabinets.models import Cabinet, JournalEntry, Membership
from dunning.enums import JobState
from dunning.models import DocumentJob
from dunning.services import batonnier
from gdpr.inventory import HOLDINGS
from gdpr.models import FirmCopy, RightsRequest
from invoices.enums import ImportState
from invoices.models import Document, ImportBatch, Invoice
from invoices.sealed_files import CHUNK, HEADER, TAG, open_whole, path_of, sealing
from payments.models import PaymentLink
from tests.architecture.test_walk import WITH_ROWS, address_of, fingerprint, populate
from tests.conftest import FirmBrowser
from tests.factories.cabinets import PASSWORD, make_member
from tests.payments.test_detail import ask, give
from tests.payments.test_portal import place, read

Browse = Callable[[Membership | None], FirmBrowser]
NAME = "perdu/x"
# What each page gives, by the name of its address.
GIVEN_BY = {
    "document_download": "invoices.Document.stored_as",
    "bank_file": "payments.BankFile.stored_as",
    "request_proof": "payments.Proof.stored_as",
    "letter_pdf": "dunning.Letter.stored_as",
    "proof_file": "dunning.LetterProof.stored_as",
    "batonnier_pdf": "dunning.DocumentJob.stored_as",
    "batonnier_zip": "dunning.DocumentJob.archive_as",
    "gdpr_agreement_signed": "gdpr.Agreement.stored_as",
    "gdpr_statement": "gdpr.ComplianceStatement.stored_as",
    "firm_download": "gdpr.FirmCopy.stored_as",
    "rights_archive": "gdpr.RightsRequest.stored_as",
}
# Read line by line, never given back: the page of its columns asks for the file again.
READ_ONLY_HERE = {"invoices.ImportBatch.stored_as"}
SENTENCE = "Ce fichier ne peut pas être remis"


@pytest.fixture
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def rows(cabinet: Cabinet, disk: Path) -> dict[str, uuid.UUID]:
    """Return one of everything, each naming a file that is not on the disk."""
    made = populate()
    DocumentJob.objects.filter(pk=made["job_id"]).update(state=JobState.DONE, stored_as=NAME, archive_as=NAME)
    ImportBatch.objects.update(
        stored_as=NAME, state=ImportState.UPLOADED, layout={"source": {"format": "csv", "header": [], "header_line": 1}}
    )
    RightsRequest.objects.update(stored_as=NAME)
    FirmCopy.objects.update(made_at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    return made


def gone() -> None:
    """Leave the disk without any of them."""


def altered() -> None:
    """Put, where each is looked for, a sealed file that is another's."""
    for name in {NAME, "nowhere", "accords/x", "conformite/x", "reversibilite/x"}:
        with sealing(name, bound_to=b"another row") as written:
            written.write(b"SECRET D'UN AUTRE")


def test_every_sealed_file_of_the_inventory_has_its_page_here() -> None:
    named = {f"{holding.model}.{column}" for holding in HOLDINGS for column, _ in holding.files}

    assert named == {*GIVEN_BY.values(), *READ_ONLY_HERE}


def asked(browser: FirmBrowser, address: str) -> Any:
    """Open an address; the whole firm is handed over to who gives their password again."""
    if address.endswith("/telecharger/"):
        return browser.post(address, {"current": PASSWORD})
    return browser.get(address)


@pytest.mark.parametrize("lose", [gone, altered])
@pytest.mark.django_db(databases=["default", "owner", "scheduler"])
def test_every_page_that_gives_a_sealed_file_says_it_is_lost(
    rows: dict[str, uuid.UUID], browse: Browse, lose: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    lose()
    browser, before = browse(make_member(role=Role.OWNER)), fingerprint()
    browser.raise_request_exception = False
    found, told = {}, {}

    for address, entry in WITH_ROWS:
        last = JournalEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        caplog.clear()
        answer = asked(browser, address_of(address, entry, rows))
        found[str(entry.name)] = answer.status_code
        if answer.status_code == 410:
            assert SENTENCE in answer.content.decode(), entry.name
            told[entry.name] = (
                [
                    (line.event, line.facts["why"], line.facts["place"])
                    for line in JournalEntry.objects.filter(pk__gt=last)
                ],
                [record.message for record in caplog.records if record.levelname == "ERROR"],
            )

    assert {name for name, status in found.items() if status >= 500} == set()
    assert {name for name, status in found.items() if status == 410} == set(GIVEN_BY)
    assert told == {name: ([("file.lost", lose.__name__, name)], ["file.lost"]) for name in GIVEN_BY}
    assert fingerprint() == before


@pytest.mark.parametrize("lose", [gone, altered])
def test_an_import_whose_file_is_lost_asks_for_it_again(
    rows: dict[str, uuid.UUID], browse: Browse, lose: Callable[[], None]
) -> None:
    lose()

    answer = browse(make_member(role=Role.OWNER)).get(f"/factures/importer/{rows['batch_id']}/colonnes/", follow=True)

    assert answer.redirect_chain == [("/factures/importer/", 302)]
    assert "Le fichier n’est plus conservé, ou ne s’ouvre plus\u00a0: déposez-le à nouveau." in answer.content.decode()


@pytest.mark.parametrize("lose", [gone, altered])
def test_the_batonnier_s_file_is_not_made_without_one_of_its_pieces(
    rows: dict[str, uuid.UUID], cabinet: Cabinet, lose: Callable[[], None]
) -> None:
    lose()
    invoice = Invoice.objects.get(pk=rows["invoice_id"])
    job = DocumentJob(kind="batonnier", client=invoice.client, invoice=invoice, asked_by=make_member(role=Role.OWNER))
    job.save(force_insert=True)

    state = batonnier.build(cabinet_id=cabinet.pk, job_id=job.pk)

    job.refresh_from_db()
    assert (state, job.failure, job.stored_as) == ("failed", batonnier.LOST_PIECE, "")
    assert JournalEntry.objects.filter(event="file.lost").count() == 1


@pytest.mark.parametrize("lose", [gone, altered])
def test_a_debtor_is_told_that_the_document_is_not_there(
    cabinet: Cabinet, disk: Path, browse: Browse, lose: Callable[[], None]
) -> None:
    populate()
    document, link = Document.objects.get(), PaymentLink.objects.get()
    debtor = browse(None)
    give(debtor, link, ask(debtor, link))
    lose()

    answer = debtor.get(place(link, f"detail/{document.pk}/"))

    assert answer.status_code == 404
    assert "Ce document n’est pas disponible. Rien n’a été ouvert" in read(answer)
    assert list(JournalEntry.objects.filter(event="file.lost").values_list("facts__why", flat=True)) == [lose.__name__]
    assert not JournalEntry.objects.filter(event__in=["document.downloaded", "paymentlink.document_opened"]).exists()


def test_nothing_is_given_of_a_file_altered_in_its_middle(cabinet: Cabinet, disk: Path) -> None:
    with sealing(NAME, bound_to=b"x") as written:
        written.write(bytes(3 * CHUNK))
    sealed = bytearray(path_of(NAME).read_bytes())
    sealed[HEADER + CHUNK + TAG + 5] ^= 1
    path_of(NAME).write_bytes(sealed)

    with pytest.raises(FileAlteredError, match="altéré"):
        open_whole(NAME, bound_to=b"x")
