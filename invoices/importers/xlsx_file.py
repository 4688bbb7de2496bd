"""XLSX, read as a stream: real dates and numbers, results of formulas, and no bomb."""

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from itertools import repeat
from typing import Any, BinaryIO

from openpyxl import load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook

from invoices.importers.rows import Cell, RawRow, SourceError, UnreadCell

MAX_ENTRIES = 2_000
MAX_UNPACKED = 400 * 1024 * 1024
MAX_RATIO = 250
SMALL = 1024 * 1024
MAX_COLUMNS = 200
_CHUNK = 1 << 18
_UNREADABLE = "Le classeur ne se lit pas : ouvrez-le, enregistrez-le au format « .xlsx », puis déposez-le à nouveau."


def sheet_name(stream: BinaryIO) -> str:
    """Name the sheet that opens first when a person opens the workbook."""
    workbook = _open(stream, values=True)
    try:
        return str(workbook.active.title if workbook.active is not None else workbook.sheetnames[0])
    finally:
        workbook.close()


def read_xlsx(stream: BinaryIO, *, sheet: str) -> Iterator[RawRow]:
    """Yield every line of a sheet that is not empty, with the number a person reads beside it."""
    with_formulas = _has_formulas(stream)
    values = _open(stream, values=True)
    formulas = _open(stream, values=False) if with_formulas else None
    try:
        if sheet not in values.sheetnames:
            raise SourceError(f"La feuille « {sheet} » n’est plus dans le classeur : déposez-le à nouveau.")
        rows = values[sheet].iter_rows()
        sources: Iterator[Any] = formulas[sheet].iter_rows() if formulas is not None else repeat(())
        for line, (row, source) in enumerate(zip(rows, sources, strict=False), start=1):
            cells = tuple(_cell(cell) for cell in row)
            if source:
                cells = tuple(
                    UnreadCell(formula.value) if formula.data_type == "f" and cell == "" else cell
                    for cell, formula in zip(cells, source, strict=True)
                )
            while cells and cells[-1] == "":
                cells = cells[:-1]
            if len(cells) > MAX_COLUMNS:
                raise SourceError(f"La ligne {line} compte plus de {MAX_COLUMNS} colonnes : vérifiez la feuille.")
            if any(cell != "" for cell in cells):
                yield RawRow(line, cells)
    finally:
        values.close()
        if formulas is not None:
            formulas.close()


def _open(stream: BinaryIO, *, values: bool) -> Workbook:
    _refuse_bomb(stream)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            workbook = load_workbook(stream, read_only=True, data_only=values, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise SourceError(_UNREADABLE) from error
    if not workbook.worksheets:
        raise SourceError(_UNREADABLE)
    if workbook.epoch == CALENDAR_MAC_1904:
        raise SourceError(
            "Le classeur compte ses dates depuis 1904 : décochez cette option et enregistrez-le à nouveau."
        )
    return workbook


def _refuse_bomb(stream: BinaryIO) -> None:
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise SourceError(_UNREADABLE) from error
    swollen = [e for e in entries if e.file_size > SMALL and e.file_size > MAX_RATIO * max(e.compress_size, 1)]
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED or swollen:
        raise SourceError("Le classeur est trop gros une fois décompressé : partagez-le en plusieurs fichiers.")
    stream.seek(0)


def _has_formulas(stream: BinaryIO) -> bool:
    _refuse_bomb(stream)
    with zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_holds_formula(archive, name) for name in names)


def _holds_formula(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        tail = b""
        while chunk := part.read(_CHUNK):
            if any(mark in tail + chunk for mark in (b"<f>", b"<f ")):
                return True
            tail = chunk[-2:]
    return False


def _cell(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "e":
        return UnreadCell(value)
    match value:
        case None:
            return ""
        case dt.datetime():
            return value.date()
        case bool():
            return "oui" if value else "non"
        case int() | float():
            return Decimal(repr(value))
    return str(value)
