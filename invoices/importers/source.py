"""The one door of a file: what it is, how it is written, and its lines."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Literal

from invoices.importers.csv_file import HEADER_WITHIN, read_csv, sniff_encoding, sniff_separator
from invoices.importers.mapping import count_known
from invoices.importers.rows import Cell, RawRow, SourceError
from invoices.importers.xlsx_file import read_xlsx, sheet_name

MAX_BYTES = 60 * 1024 * 1024
_ENOUGH_TO_BE_A_HEADER = 2
_ZIP, _OLD_EXCEL, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"


@dataclass(frozen=True, slots=True)
class Source:
    """How a file is read; `dataclasses.asdict` stores it as JSON, `restore_source` gives it back."""

    format: Literal["csv", "xlsx"]
    header: tuple[str, ...]
    header_line: int
    encoding: str = ""
    separator: str = ""
    sheet: str = ""


def restore_source(stored: Mapping[str, Any]) -> Source:
    """Read back what was stored when the file was recognised."""
    return Source(**{**stored, "header": tuple(stored["header"])})


def sniff(stream: BinaryIO) -> Source:
    """Recognise a file and its header row. Raise SourceError, with a French sentence, rather than guess."""
    size = stream.seek(0, 2)
    stream.seek(0)
    start = stream.read(4)
    if not size:
        raise SourceError("Le fichier est vide : choisissez-en un autre.")
    if size > MAX_BYTES:
        raise SourceError("Le fichier dépasse 60 Mo : partagez-le en plusieurs fichiers.")
    if start == _OLD_EXCEL:
        raise SourceError("Ce format de classeur est ancien : enregistrez-le au format « .xlsx » puis déposez-le.")
    if start == _PDF:
        raise SourceError("Un PDF ne s’importe pas ici : choisissez un fichier CSV ou XLSX.")
    if start == _ZIP:
        sheet = sheet_name(stream)
        line, header = _header(read_xlsx(stream, sheet=sheet))
        return Source("xlsx", header, line, sheet=sheet)
    encoding = sniff_encoding(stream)
    separator = sniff_separator(stream, encoding)
    line, header = _header(read_csv(stream, encoding=encoding, separator=separator))
    return Source("csv", header, line, encoding=encoding, separator=separator)


def read_rows(stream: BinaryIO, source: Source) -> Generator[RawRow, None, None]:
    """Yield the lines under the header, one at a time; memory does not grow with the file.

    Close it before the stream when it is left before its end.
    """
    if source.format == "xlsx":
        rows = read_xlsx(stream, sheet=source.sheet)
    else:
        rows = read_csv(stream, encoding=source.encoding, separator=source.separator)
    return (row for row in rows if row.line > source.header_line)


def _header(rows: Iterator[RawRow]) -> tuple[int, tuple[str, ...]]:
    """Take the line that names the most known columns among the first ones, or the very first."""
    first_rows = list(islice(rows, HEADER_WITHIN))
    if not first_rows:
        raise SourceError("Le fichier ne contient aucune ligne : choisissez-en un autre.")
    best = max(first_rows, key=lambda row: count_known(_texts(row.cells)))
    if count_known(_texts(best.cells)) < _ENOUGH_TO_BE_A_HEADER:
        best = first_rows[0]
    return best.line, _texts(best.cells)


def _texts(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    return tuple(" ".join(str(cell).split()) for cell in cells)
