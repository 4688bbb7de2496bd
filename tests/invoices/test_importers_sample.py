"""The file of the issue: three hundred lines, ten bad ones, 290 invoices and ten clear sentences."""

import datetime as dt
import io
from decimal import Decimal
from typing import BinaryIO

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from cabinets.enums import ClientKind
from cabinets.territories import Territory
from invoices.importers.checks import check_rows, identity_key
from invoices.importers.mapping import guess_mapping, missing_fields
from invoices.importers.rows import Problem, Row
from invoices.importers.source import read_rows, sniff
from tests.invoices.samples import make_factures

TODAY = dt.date(2026, 11, 24)
SENTENCES = [
    "Ligne 18, colonne « N° facture » – le numéro de facture manque : indiquez-le.",
    "Ligne 42, colonne « Nom » – le client manque : indiquez son nom ou sa société.",
    "Ligne 69, colonne « Montant TTC » – le montant « 12,345 » est ambigu : "
    "écrivez deux décimales au plus, comme 1234,56.",
    "Ligne 96, colonne « Montant TTC » – le montant « 1.234,56 » mélange point et virgule : "
    "écrivez-le sous la forme 1234,56.",
    "Ligne 123, colonne « Date de facture » – la date « 31/02/2026 » n’existe pas : "
    "corrigez-la (jour/mois/année).",
    "Ligne 150, colonne « Échéance » – l’échéance 01/06/2026 précède la date de facture 15/06/2026 : "
    "corrigez l’une des deux.",
    "Ligne 177, colonne « Échéance » – l’échéance manque : indiquez-la, "
    "elle ne se déduit de la loi que pour un client professionnel.",
    "Ligne 204, colonne « N° facture » – le numéro « f2026-0100 » existe déjà à la ligne 101 du fichier : "
    "cette ligne n’est pas importée une seconde fois.",
    "Ligne 231, colonne « E-mail » – l’adresse e-mail « claire.durand@exemple » n’est pas valable : "
    "corrigez-la ou videz la cellule.",
    "Ligne 258, colonne « Devise » – la devise « CHF » n’est pas l’euro : convertissez le montant.",
]  # fmt: skip


def as_xlsx() -> bytes:
    """Write the same lines as a workbook: true dates and numbers wherever the line is good."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    for rank, line in enumerate(make_factures.lines()):
        cells: list[str | float | dt.date | None] = list(line)
        if rank and rank not in make_factures.BAD:
            for place in (make_factures.ISSUED, make_factures.DUE):
                cells[place] = a_date(line[place])
            amount = line[make_factures.TOTAL].replace("\u202f", "").replace(" ", "").replace("€", "")
            cells[make_factures.TOTAL] = float(Decimal(amount.replace(",", ".")))
        for place, value in enumerate(cells, start=1):
            cell = sheet.cell(rank + 1, place, value or None)
            if isinstance(value, str) and value:
                cell.data_type = "s"  # a text that starts with an equals sign stays a text
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def a_date(text: str) -> dt.date | None:
    """Read the sample's own three ways to write a date."""
    if not text:
        return None
    if "-" in text:
        return dt.date.fromisoformat(text)
    day, month, year = text.replace(".", "/").split("/")
    return dt.date(int(year), int(month), int(day))


def read(stream: BinaryIO, known: frozenset[str] = frozenset()) -> tuple[list[Row], list[Problem]]:
    """Read a whole file as the import does."""
    source = sniff(stream)
    mapping = guess_mapping(source.header)
    assert missing_fields(mapping) == []
    rows: list[Row] = []
    problems: list[Problem] = []
    for answer in check_rows(read_rows(stream, source), mapping, header=source.header, today=TODAY, known=known):
        if isinstance(answer, Row):
            rows.append(answer)
        else:
            problems.extend(answer)
    return rows, problems


def sample(form: str) -> BinaryIO:
    """Open the sample as CSV or as a workbook."""
    return io.BytesIO(make_factures.SAMPLE.read_bytes() if form == "csv" else as_xlsx())


def test_the_sample_file_is_what_its_script_writes() -> None:
    assert make_factures.SAMPLE.read_bytes() == make_factures.as_csv()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_three_hundred_lines_give_290_invoices_and_ten_sentences(form: str) -> None:
    rows, problems = read(sample(form))

    assert len(rows) == 290
    assert [str(problem).replace("\u00a0", " ") for problem in problems] == SENTENCES
    assert [problem.is_duplicate for problem in problems].count(True) == 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_same_file_again_adds_nothing(form: str) -> None:
    rows, _ = read(sample("csv"))

    again, problems = read(sample(form), known=frozenset(identity_key(row) for row in rows))

    assert again == []
    assert sum(problem.is_duplicate for problem in problems) == 291


def test_both_forms_say_the_same_thing() -> None:
    def facts(row: Row) -> tuple[object, ...]:
        when = (row.issued_on, row.due_on, row.is_due_date_assumed)
        who = (row.company, row.last_name, row.phone, row.territory, row.kind)
        return (row.line, row.number, *when, row.total_cents, row.settled_cents, *who, row.notices)

    from_csv, _ = read(sample("csv"))
    from_xlsx, _ = read(sample("xlsx"))

    assert [facts(row) for row in from_csv] == [facts(row) for row in from_xlsx]
    assert sum(row.total_cents for row in from_csv) == sum(
        12_000 + rank * 7_919 % 900_000 for rank in range(1, 301) if rank not in make_factures.BAD
    )


def test_a_line_is_understood_in_every_detail() -> None:
    rows, _ = read(sample("csv"))
    third = rows[2]

    assert (third.line, third.number, third.number_key) == (4, "F2026-0003", "F2026-0003")
    assert (third.issued_on, third.due_on, third.is_due_date_assumed) == (
        dt.date(2026, 1, 7),
        dt.date(2026, 2, 6),
        True,
    )
    assert (third.total_cents, third.settled_cents, third.kind) == (35757, 0, ClientKind.PROFESSIONAL)
    assert (third.company, third.first_name, third.last_name) == ("=Égal+ SAS 3", "", "")
    assert (third.phone, third.territory) == ("+33199000003", Territory.REUNION)
    assert third.notices == ("L’échéance manque\u00a0: elle est fixée au 06/02/2026, trente jours après la facture.",)
    assert third.raw[3] == "357,57"
