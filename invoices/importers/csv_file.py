"""CSV as people really save it: encoding and separator recognised, read line by line."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from invoices.importers.mapping import count_known
from invoices.importers.rows import RawRow, SourceError

SEPARATORS = (";", "\t", "|", ",")
MAX_COLUMNS = 200
HEADER_WITHIN = 20
_UNCLOSED = "La ligne {line} ne se lit pas : un guillemet y est sans doute ouvert et jamais fermé, corrigez-la."
_CHUNK = 1 << 16
_SAMPLE = 1 << 17


def sniff_encoding(stream: BinaryIO) -> str:
    """Name the encoding that reads every byte: UTF-8 with or without a mark, UTF-16 with its mark, cp1252."""
    stream.seek(0)
    start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif start.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        if _decodes(stream, encoding):
            return encoding
    raise SourceError("L’encodage du fichier n’est pas reconnu : enregistrez-le au format « CSV UTF-8 ».")


def sniff_separator(stream: BinaryIO, encoding: str) -> str:
    """Choose the separator that names the most known columns, then the one that cuts lines most evenly."""
    stream.seek(0)
    sample = codecs.getincrementaldecoder(encoding)().decode(stream.read(_SAMPLE))
    if sample.lower().startswith("sep=") and sample[4:5] in SEPARATORS:
        return sample[4]
    return max(SEPARATORS, key=lambda separator: _evenness(sample, separator))


def read_csv(stream: BinaryIO, *, encoding: str, separator: str) -> Iterator[RawRow]:
    """Yield every line that is not empty, header included, with the number of its first physical line."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        lines = csv.reader(text, delimiter=separator)
        first, widest = 1, 0
        while True:
            try:
                cells = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                raise SourceError(_UNCLOSED.format(line=first)) from error
            widest = max(widest, len(cells))
            if lines.line_num > first and _swallowed_lines(cells, separator, widest):
                raise SourceError(_UNCLOSED.format(line=first))
            if len(cells) > MAX_COLUMNS:
                raise SourceError(f"La ligne {first} compte plus de {MAX_COLUMNS} colonnes : vérifiez le séparateur.")
            is_hint = first == 1 and len(cells) <= 2 and cells[:1] and cells[0].lower().startswith("sep=")  # noqa: PLR2004
            if any(cell.strip() for cell in cells) and not is_hint:
                yield RawRow(first, tuple(cells))
            first = lines.line_num + 1
    finally:
        text.detach()


def _swallowed_lines(cells: list[str], separator: str, widest: int) -> bool:
    """Tell whether a cell holds whole lines of the file: its quote was never closed."""
    enough = max(3, widest // 2)
    return any(inner.count(separator) >= enough for cell in cells for inner in cell.splitlines()[1:])


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := stream.read(_CHUNK):
            if "\x00" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _evenness(sample: str, separator: str) -> tuple[int, int]:
    try:
        rows = [row for row in islice(csv.reader(io.StringIO(sample), delimiter=separator), HEADER_WITHIN) if row]
    except csv.Error:
        return (0, 0)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    known = max((count_known(row) for row in rows if len(row) > 1), default=0)
    width, times = max(widths.items(), key=lambda item: item[0] * item[1], default=(0, 0))
    return (known, width * times)
