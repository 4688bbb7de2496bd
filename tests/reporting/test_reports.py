"""The reports as each person reads them, on screen and in a file."""

import io
from collections.abc import Callable

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.sheets import harmless
from reporting import snapshots
from reporting.reports import REPORTS
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_dossier, make_member
from tests.factories.invoices import TODAY
from tests.factories.payments import make_payment
from tests.reporting.test_queries import DAY, bill

pytestmark = pytest.mark.usefixtures("told")
NBSP = "\u00a0"
Browse = Callable[[Membership | None], FirmBrowser]


def a_quarter() -> None:
    """Bill 1 000 € in the quarter, of which 400 € are owed: a DSO of 36 days."""
    paid = bill(600_00, issued=80, due=50)
    make_payment(invoice=paid, on=TODAY - 40 * DAY)
    bill(400_00, issued=35, due=5, dossier=make_dossier(practice_area="Famille"))


@pytest.mark.parametrize("slug", REPORTS)
def test_shows_each_report_with_its_formula_and_notes_the_look(
    cabinet: Cabinet, owner: Membership, browse: Browse, slug: str
) -> None:
    a_quarter()

    response = browse(owner).get(f"/rapports/{slug}/")

    assert response.status_code == 200
    assert "Comment c’est calculé" in response.content.decode()
    line = JournalEntry.objects.get(facts__page=f"report:{slug}")
    assert (line.event, line.member_id) == ("invoice.listed", owner.pk)


@pytest.mark.parametrize("slug", REPORTS)
def test_shows_each_report_of_a_firm_without_invoices(
    cabinet: Cabinet, owner: Membership, browse: Browse, slug: str
) -> None:
    assert browse(owner).get(f"/rapports/{slug}/").status_code == 200


def test_tells_the_delay_and_how_it_is_made(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    a_quarter()

    page = browse(owner).get("/rapports/dso/").content.decode()

    assert f"400,00{NBSP}€ ÷ 1{NBSP}000,00{NBSP}€ × 90{NBSP}jours".replace(NBSP, " ") in page.replace(
        "\u202f", " "
    ).replace(NBSP, " ")
    assert "36<small>" in page.replace(NBSP, "")


def test_narrows_to_a_practice_area_and_links_to_its_rows(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    a_quarter()
    bill(90_00, issued=35, due=5)

    page = browse(owner).get("/rapports/balance-agee/?domaine=Famille").content.decode()
    rows = browse(owner).get("/factures/?age=1&domaine=Famille").content.decode()

    assert "/factures/?domaine=Famille&amp;age=1" in page or "/factures/?age=1&amp;domaine=Famille" in page
    assert "490,00" not in page
    assert "1 facture" in rows.replace(NBSP, " ")


def test_shows_what_changed_since_a_day_was_told(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    invoice = bill(400_00, issued=80, due=50)
    make_payment(invoice=invoice, on=TODAY - 45 * DAY, cents=50_00)
    snapshots.take(on=TODAY - 10 * DAY)
    make_payment(invoice=invoice, on=TODAY - 20 * DAY, cents=100_00)

    page = browse(owner).get(f"/rapports/dso/?jour={TODAY - 10 * DAY:%Y-%m-%d}").content.decode()

    assert "350,00" in page
    assert "250,00" in page
    assert f"-100,00{NBSP}€" in page.replace("\u2212", "-")


def test_refuses_a_day_to_come_in_words(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    page = browse(owner).get(f"/rapports/dso/?jour={TODAY + DAY:%Y-%m-%d}")

    assert page.status_code == 200
    assert "Ce jour n’est pas encore passé" in page.content.decode()


def test_tells_a_person_only_the_files_they_see(cabinet: Cabinet, browse: Browse) -> None:
    mine, other = make_dossier(practice_area="Famille"), make_dossier(practice_area="Pénal secret")
    bill(100_00, issued=40, due=10, dossier=mine)
    bill(900_00, issued=40, due=10, dossier=other)
    person = make_member(role=Role.LAWYER)
    assign(dossier=mine, member=person)
    snapshots.take(on=TODAY - DAY)

    for address in ("/rapports/balance-agee/", "/rapports/dso/", "/rapports/encaissements-attendus/csv/"):
        page = browse(person).get(address).content.decode()
        assert "100,00" in page
        assert "900,00" not in page
        assert "000,00" not in page
        assert "Pénal secret" not in page
        assert "vos dossiers" in page or "vous sont affectés" in page


def test_exports_the_page_as_three_files(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    a_quarter()

    text = browse(owner).get("/rapports/balance-agee/csv/").content.decode("utf-8-sig")
    book = load_workbook(io.BytesIO(browse(owner).get("/rapports/balance-agee/xlsx/").content))
    sheet = PdfReader(io.BytesIO(browse(owner).get("/rapports/balance-agee/pdf/").content))

    assert f"Total;1;400,00{NBSP}€;100{NBSP}%" in text
    cells = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert ["Total", "1", f"400,00{NBSP}€", f"100{NBSP}%"] in [row[:4] for row in cells]
    words = " ".join(page.extract_text() for page in sheet.pages)
    assert "Définitions" in words
    assert cabinet.name in words
    lines = JournalEntry.objects.filter(event="report.exported")
    assert {line.facts["format"] for line in lines} == {"csv", "xlsx", "pdf"}


def test_exports_to_nobody_who_may_not(cabinet: Cabinet, browse: Browse) -> None:
    assert browse(make_member(role=Role.ASSISTANT)).get("/rapports/dso/csv/").status_code == 403

    assert not JournalEntry.objects.filter(event="report.exported").exists()


@pytest.mark.parametrize("cell", ["=1+1", "+33", "-2", "@x", "\t=1", "\r=1"])
def test_leaves_no_formula_in_a_spreadsheet(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless("Famille") == "Famille"


def test_writes_a_name_that_looks_like_a_formula_as_text(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    bill(400_00, issued=35, due=5, dossier=make_dossier(practice_area="=HYPERLINK(1)"))

    book = load_workbook(io.BytesIO(browse(owner).get("/rapports/balance-agee/xlsx/").content))

    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} <= {"s", "n"}
    assert all(cell.value is None for row in book.worksheets[0].iter_rows() for cell in row if cell.data_type == "n")


def test_shows_the_period_it_computes(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    a_quarter()

    page = browse(owner).get("/rapports/dso/").content.decode()

    assert '<option value="3" selected>90 jours</option>' in page
    assert f'value="{TODAY:%Y-%m-%d}"' in page
