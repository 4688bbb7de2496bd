"""The one hand that writes a file for a spreadsheet: no cell of it is ever computed, whoever chose its words."""

import csv
import re
from collections.abc import Iterable
from typing import Any, Protocol

BOM = "\ufeff"
# What a spreadsheet would take for a formula, the wide signs of an Asian keyboard among them.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# What no workbook may hold.
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_AMOUNT = re.compile(r"[-+]?[0-9][0-9\s.,]*\s?€?")


class _Written(Protocol):
    def write(self, text: str, /) -> Any:
        """Take a text."""


def seen(cell: str) -> str:
    """Return a cell without the marks no workbook may hold."""
    return _UNSEEN.sub(" ", cell)


def harmless(cell: str) -> str:
    """Return a cell no spreadsheet takes for a formula; a negative amount keeps its sign behind an apostrophe."""
    text = seen(cell)
    return f"'{text}" if text.startswith(DANGEROUS) else text


class SheetWriter:
    """Writes lines of text for a French spreadsheet: semicolons, every cell harmless.

    `keeps_amounts` leaves a plain signed number as it is: the file is to be read back.
    """

    def __init__(self, out: _Written, *, keeps_amounts: bool = False) -> None:
        self._lines = csv.writer(out, delimiter=";", lineterminator="\r\n")
        self._keeps_amounts = keeps_amounts

    def write(self, cells: Iterable[str]) -> None:
        """Write one line."""
        self._lines.writerow([self._cell(cell) for cell in cells])

    def write_all(self, lines: Iterable[Iterable[str]]) -> None:
        """Write many lines."""
        for line in lines:
            self.write(line)

    def _cell(self, cell: str) -> str:
        return cell if self._keeps_amounts and _AMOUNT.fullmatch(cell) else harmless(cell)
