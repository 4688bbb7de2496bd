"""Files as people really save them: encodings, separators, headers, workbooks, and those that are refused."""

import datetime as dt
import io
import zipfile
from dataclasses import asdict
from decimal import Decimal

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from invoices.importers.csv_file import read_csv
from invoices.importers.mapping import (
    SYNONYMS,
    guess_mapping,
    header_key,
    missing_fields,
    plain,
    restore_mapping,
)
from invoices.importers.rows import Cell, Field, SourceError, UnreadCell
from invoices.importers.source import Source, read_rows, restore_source, sniff

HEADER = "N° facture;Date;Client;Montant TTC\r\n"
LINE = "F1;01/02/2026;Élodie Lefèvre;1 234,56 €\r\n"


def cells(content: bytes) -> list[tuple[Cell, ...]]:
    stream = io.BytesIO(content)
    return [row.cells for row in read_rows(stream, sniff(stream))]


def workbook(*lines: list[object]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in lines:
        sheet.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("encoding", "recognised"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
def test_recognises_how_a_file_is_encoded(encoding: str, recognised: str) -> None:
    content = (HEADER + LINE).encode(encoding)

    assert sniff(io.BytesIO(content)).encoding == recognised
    assert cells(content) == [("F1", "01/02/2026", "Élodie Lefèvre", "1 234,56 €")]


def test_an_accent_far_into_the_file_still_decides_the_encoding() -> None:
    ascii_lines = "".join(f"F{rank};01/02/2026;Martin;12,00\r\n" for rank in range(6000))
    content = ("Numero;Date;Client;Montant\r\n" + ascii_lines).encode() + "F9;01/02/2026;Léa;12,00".encode("cp1252")

    assert sniff(io.BytesIO(content)).encoding == "cp1252"
    assert cells(content)[-1][2] == "Léa"


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_recognises_the_separator(separator: str) -> None:
    lines = [["Numéro", "Date", "Client", "Montant"], ["F1", "01/02/2026", "Roy", "12.50"]]
    content = "\n".join(separator.join(line) for line in lines).encode()

    assert sniff(io.BytesIO(content)).separator == separator
    assert cells(content) == [("F1", "01/02/2026", "Roy", "12.50")]


def test_decimal_commas_do_not_pass_for_separators() -> None:
    content = "Numéro;Montant\nF1;1,50\nF2;2,50\nF3;3,50\n".encode()

    assert cells(content) == [("F1", "1,50"), ("F2", "2,50"), ("F3", "3,50")]


def test_the_separator_a_spreadsheet_declares_is_believed() -> None:
    assert cells(b"sep=|\nNum\xc3\xa9ro|Client\nF1|Roy; Petit, Durand\n") == [("F1", "Roy; Petit, Durand")]


def test_the_header_is_found_under_a_title() -> None:
    content = ("Cabinet Martin;;;\n;;;\nÉtat au 01/02/2026;;;\n" + HEADER + LINE).encode()

    source = sniff(io.BytesIO(content))

    assert source.header == ("N° facture", "Date", "Client", "Montant TTC")
    assert source.header_line == 4
    assert len(cells(content)) == 1


def test_a_quoted_cell_may_hold_separators_and_line_breaks() -> None:
    content = ("N° facture;Client;Adresse\n" + 'F1;"Roy; ""fils""";"12 rue A\nBât. B"\nF2;Petit;\n').encode()
    stream = io.BytesIO(content)

    rows = list(read_rows(stream, sniff(stream)))

    assert [row.line for row in rows] == [2, 4]
    assert rows[0].cells == ("F1", 'Roy; "fils"', "12 rue A\nBât. B")


def test_a_quote_never_closed_does_not_swallow_the_rest_in_silence() -> None:
    content = (HEADER + LINE + 'F2;01/02/2026;"Petit;10,00\n' + "F3;01/02/2026;Roy;10,00\n" * 3).encode()
    stream = io.BytesIO(content)

    with pytest.raises(SourceError, match="La ligne 3 ne se lit pas"):
        list(read_csv(stream, encoding="utf-8", separator=";"))


def test_reading_leaves_the_file_open_for_whoever_lent_it() -> None:
    stream = io.BytesIO((HEADER + LINE).encode())

    list(read_rows(stream, sniff(stream)))
    list(read_rows(stream, sniff(stream)))

    assert not stream.closed


def test_lines_are_read_one_at_a_time() -> None:
    stream = io.BytesIO((HEADER + LINE * 50_000).encode())
    source = sniff(stream)

    next(read_rows(stream, source))

    assert stream.tell() < 1_000_000


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "est vide"),
        (b"\n\n;;\n", "aucune ligne"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "ancien"),
        (b"PK\x03\x04 not a workbook", "classeur ne se lit pas"),
        (b"N;\x00\x01\x02\x81", "encodage"),
        (b"Nom;\x81\x8d", "encodage"),
    ],
)
def test_says_why_a_file_cannot_be_read(content: bytes, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        sniff(io.BytesIO(content))


def test_a_line_with_too_many_columns_stops_the_file() -> None:
    with pytest.raises(SourceError, match="200 colonnes"):
        sniff(io.BytesIO(b"a;" * 300))


def test_a_workbook_gives_true_dates_and_exact_numbers() -> None:
    content = workbook(
        ["Numéro", "Date", "Client", "Montant"],
        [2026001, dt.datetime.fromisoformat("2026-02-01"), "Roy", 1234.56],
        [None, None, None, None],
        ["F2", dt.date(2026, 2, 2), "=Petit", 0.1],
    )

    rows = list(read_rows(io.BytesIO(content), sniff(io.BytesIO(content))))

    assert [row.line for row in rows] == [2, 4]
    assert rows[0].cells == (Decimal(2026001), dt.date(2026, 2, 1), "Roy", Decimal("1234.56"))
    assert rows[1].cells[3] == Decimal("0.1")


def test_a_formula_without_a_result_is_not_an_empty_cell() -> None:
    content = workbook(["Numéro", "Client", "Montant"], ["F1", "Roy", "=1200*1.2"], ["F2", "Roy", 12])

    first, second = cells(content)

    assert isinstance(first[2], UnreadCell)
    assert second == ("F2", "Roy", Decimal(12))


def test_a_workbook_opens_on_the_sheet_a_person_sees() -> None:
    book = Workbook()
    book.create_sheet("Factures").append(["Numéro", "Client"])
    book.active = 1
    stream = io.BytesIO()
    book.save(stream)

    assert sniff(stream).sheet == "Factures"


def test_a_sheet_that_is_gone_is_said() -> None:
    content = workbook(["Numéro", "Client"])
    source = Source("xlsx", ("Numéro", "Client"), 1, sheet="Autre")

    with pytest.raises(SourceError, match="Autre"):
        list(read_rows(io.BytesIO(content), source))


def test_dates_counted_from_1904_are_refused_rather_than_four_years_wrong() -> None:
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    stream = io.BytesIO()
    book.save(stream)

    with pytest.raises(SourceError, match="1904"):
        sniff(stream)


def test_a_zip_bomb_is_refused_before_it_is_opened() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 20_000_000)

    with pytest.raises(SourceError, match="décompressé"):
        sniff(stream)


def test_an_entity_bomb_does_not_expand() -> None:
    content = workbook(["Numéro", "Client"], ["F1", "Roy"])
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as genuine, zipfile.ZipFile(stream, "w") as forged:
        for name in genuine.namelist():
            body = genuine.read(name)
            if name == "xl/worksheets/sheet1.xml":
                body = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + body
            forged.writestr(name, body)

    with pytest.raises(SourceError, match="classeur ne se lit pas"):
        sniff(stream)


def test_what_was_recognised_is_stored_and_read_back() -> None:
    source = sniff(io.BytesIO((HEADER + LINE).encode()))

    assert restore_source({**asdict(source), "header": list(source.header)}) == source


@pytest.mark.parametrize(
    ("headers", "guessed"),
    [
        (
            "N° Facture;DATE D'ÉMISSION;Échéance;Total HT;Total TTC;Client;Courriel;Tél.",
            ["number", "issued_on", "due_on", "", "total", "client", "email", "phone"],
        ),
        (
            "Invoice number;Issue date;Due date;Amount;Customer;Email;Zip code;City;Country",
            ["number", "issued_on", "due_on", "total", "client", "email", "postcode", "city", "country"],
        ),
        (
            "numéro_facture;date_facture;nom;prénom;reste dû;montant",
            ["number", "issued_on", "last_name", "first_name", "outstanding", "total"],
        ),
        ("Total HT;TVA;;Montant HT", ["", "", "", ""]),
    ],
)
def test_guesses_what_each_column_holds(headers: str, guessed: list[str]) -> None:
    expected = {Field[name.upper()]: place for place, name in enumerate(guessed) if name}

    assert guess_mapping(headers.split(";")) == expected


def test_a_word_names_one_column_only_and_is_written_as_it_is_compared() -> None:
    names = [name for synonyms in SYNONYMS.values() for name in synonyms]

    assert len(names) == len(set(names))
    assert [name for name in names if plain(name) != name] == []
    assert set(SYNONYMS) == set(Field)


def test_says_which_columns_an_import_cannot_do_without() -> None:
    assert missing_fields({}) == [Field.NUMBER, Field.ISSUED_ON, Field.TOTAL, Field.CLIENT]
    assert missing_fields({Field.NUMBER: 0, Field.ISSUED_ON: 1, Field.TOTAL: 2, Field.COMPANY: 3}) == []


def test_a_remembered_mapping_never_points_out_of_the_file() -> None:
    stored = {"number": 0, "total": 9, "client": 0, "company": 1, "unknown": 2, "email": -1}

    assert restore_mapping(stored, ["N°", "Société"]) == {Field.NUMBER: 0, Field.COMPANY: 1}


def test_the_same_export_of_another_month_has_the_same_shape() -> None:
    assert header_key(["N° facture", "Échéance"]) == header_key(["n°  FACTURE", "echeance"])
    assert header_key(["N° facture", "Échéance"]) != header_key(["N° facture échéance"])
