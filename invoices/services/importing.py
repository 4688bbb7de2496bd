"""What a person does with a file: bring it, say what its columns hold, let it in, take it back."""

import datetime as dt
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import islice
from typing import BinaryIO
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from openpyxl import load_workbook

from cabinets import crypto, journal, received
from cabinets.errors import FileLostError
from cabinets.scoping import current_cabinet_id, current_scope
from invoices.enums import RUNNING, ImportState
from invoices.errors import InvoiceError
from invoices.importers.cells import cell_text
from invoices.importers.mapping import guess_mapping, header_key, missing_fields, restore_mapping
from invoices.importers.rows import Field, SourceError
from invoices.importers.source import Source, read_rows, restore_source, sniff
from invoices.models import ImportBatch, ImportProfile
from invoices.sealed_files import FileTooBigError, Readable, open_sealed_file, remove_sealed, write_sealed

FOLDER = "imports"
MAX_BYTES = 20 * 1024 * 1024
MAX_LINES = 100_000
# A file this small is read while the person waits; a bigger one by a worker.
AT_ONCE_LINES, AT_ONCE_BYTES = 500, 512 * 1024
UNDO_WITHIN = dt.timedelta(hours=24)
SAMPLES = 3
LONGEST_NAME = 120
_UNREADABLE = "Le fichier ne se lit pas : ouvrez-le, enregistrez-le en CSV ou en XLSX, puis déposez-le à nouveau."
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"{", b"[")


class ImportRefusedError(InvoiceError):
    """A file that cannot be imported; nothing was created."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The header of a file and its first lines, as they will be read."""

    source: Source
    samples: list[list[str]]
    mapping: dict[Field, int]
    is_remembered: bool


@transaction.atomic
def receive(*, stream: Readable, file_name: str) -> ImportBatch:
    """Seal a file and recognise how it is written. Raise ImportRefusedError, and keep nothing, when nobody could."""
    batch = ImportBatch(
        pk=uuid4(), uploaded_by_id=current_scope().member_id, file_name=received.printable(file_name)[-LONGEST_NAME:]
    )
    try:
        stored = write_sealed(stream, folder=FOLDER, bound_to=bound_to(batch), limit=MAX_BYTES)
    except FileTooBigError as error:
        raise ImportRefusedError(
            "Le fichier dépasse 20 Mo. Rien n’a été importé : partagez-le en plusieurs."
        ) from error
    batch.stored_as, batch.digest = stored.stored_as, stored.sha256
    try:
        with open_file(batch) as opened, reading():
            source = sniff(opened)
            _refuse_nonsense(opened, source)
            batch.lines = _count(opened, source)
        batch.layout = {"source": asdict(source), "bytes": stored.size}
        batch.save(force_insert=True)
    except BaseException:
        remove_sealed(stored.stored_as)
        raise
    journal.record("import.received", batch)
    return batch


def paste(*, text: str, on: dt.date) -> ImportBatch:
    """Take lines pasted from a spreadsheet as a file."""
    if not text.strip():
        raise ImportRefusedError("Rien n’a été collé : copiez les lignes dans votre tableur, ligne de titres comprise.")
    return receive(stream=BytesIO(text.encode()), file_name=f"Collage du {on:%d/%m/%Y}")


def preview(batch: ImportBatch) -> Preview:
    """Return the columns of a file, its first lines, and how they were read last time or are guessed."""
    source = source_of(batch)
    with open_file(batch) as opened, reading():
        lines = [row.cells for row in islice(read_rows(opened, source), SAMPLES)]
    width = len(source.header)
    samples = [[cell_text(cell) for cell in cells[:width]] + [""] * (width - len(cells)) for cells in lines]
    profile = ImportProfile.objects.filter(header_key=header_key(source.header)).first()
    if batch.mapping:
        return Preview(source, samples, restore_mapping(batch.mapping, source.header), is_remembered=False)
    if profile:
        return Preview(source, samples, restore_mapping(profile.mapping, source.header), is_remembered=True)
    return Preview(source, samples, guess_mapping(source.header), is_remembered=False)


@transaction.atomic
def choose_columns(*, batch_id: UUID, mapping: Mapping[Field, int]) -> ImportBatch:
    """Say what the columns hold, remember it for the next file of this shape, and ask for the check.

    Raise ImportRefusedError when a column no import can do without is missing, or when the lines already went in.
    """
    batch = ImportBatch.objects.select_for_update(of=("self",), no_key=True).get(pk=batch_id)
    if batch.state not in {ImportState.UPLOADED, ImportState.CHECKED} and not can_start_over(batch):
        raise ImportRefusedError("Cet import a déjà commencé : ses colonnes ne changent plus.")
    source = source_of(batch)
    kept = restore_mapping({field.value: place for field, place in mapping.items()}, source.header)
    if missing := missing_fields(kept):
        names = ", ".join(f"« {field.label} »" for field in missing)
        raise ImportRefusedError(f"Indiquez la colonne qui contient : {names}.")
    batch.mapping, batch.state, batch.failure = dict(kept), ImportState.CHECKING, ""
    batch.lines_done = batch.attempts = 0
    batch.lease_until = None
    batch.save(update_fields=["mapping", "state", "failure", "lines_done", "attempts", "lease_until"])
    ImportProfile.objects.update_or_create(
        cabinet_id=current_cabinet_id(), header_key=header_key(source.header), defaults={"mapping": dict(kept)}
    )
    return batch


@transaction.atomic
def start(*, batch_id: UUID, updates_settlements: bool) -> bool:
    """Let the ready lines in; return False when it was already asked (a second click changes nothing)."""
    waiting = ImportBatch.objects.filter(pk=batch_id, state=ImportState.CHECKED)
    started = waiting.update(
        state=ImportState.IMPORTING,
        updates_settlements=updates_settlements,
        lines_done=0,
        attempts=0,
        lease_until=None,
    )
    if started:
        journal.record("import.started", ImportBatch.objects.get(pk=batch_id))
    return bool(started)


@transaction.atomic
def resume(*, batch_id: UUID) -> bool:
    """Take up an import that was interrupted, where it stopped."""
    stopped = ImportBatch.objects.filter(pk=batch_id, state=ImportState.FAILED).exclude(finished_at=None)
    return bool(stopped.update(state=ImportState.IMPORTING, failure="", attempts=0, lease_until=None, finished_at=None))


@transaction.atomic
def ask_undo(*, batch_id: UUID) -> ImportBatch:
    """Ask for an import to be taken back. Raise ImportRefusedError after 24 hours."""
    batch = ImportBatch.objects.select_for_update(of=("self",), no_key=True).get(pk=batch_id)
    if batch.state in {ImportState.UNDOING, ImportState.UNDONE}:
        return batch
    if not can_undo(batch):
        raise ImportRefusedError("Cet import ne s’annule plus : il a plus de 24 heures. Rien n’a été changé.")
    batch.state, batch.attempts, batch.lease_until = ImportState.UNDOING, 0, None
    batch.save(update_fields=["state", "attempts", "lease_until"])
    journal.record("import.undo_asked", batch)
    return batch


def can_undo(batch: ImportBatch) -> bool:
    """Say whether an import may still be taken back."""
    if batch.state not in {ImportState.DONE, ImportState.FAILED} or batch.finished_at is None:
        return False
    return timezone.now() < batch.finished_at + UNDO_WITHIN


def can_start_over(batch: ImportBatch) -> bool:
    """Say whether a check that failed may be asked again with other columns."""
    return batch.state == ImportState.FAILED and batch.finished_at is None and bool(batch.stored_as)


def is_small(batch: ImportBatch) -> bool:
    """Say whether the file is read at once, while the person waits."""
    return batch.lines <= AT_ONCE_LINES and batch.layout.get("bytes", MAX_BYTES) <= AT_ONCE_BYTES


def is_running(batch: ImportBatch) -> bool:
    """Say whether a worker is at it, or about to be."""
    return batch.state in RUNNING


def source_of(batch: ImportBatch) -> Source:
    """Return how the file of a batch is read."""
    return restore_source(batch.layout["source"])


def bound_to(batch: ImportBatch) -> bytes:
    """Return what binds the sealed file to its batch."""
    return crypto.context(column="invoices_importbatch.file", cabinet_id=batch.cabinet_id, row_id=batch.pk)


@contextmanager
def open_file(batch: ImportBatch) -> Iterator[BinaryIO]:
    """Open the sealed file of a batch; say it when it is gone."""
    try:
        with open_sealed_file(batch.stored_as, bound_to=bound_to(batch)) as opened:
            yield opened
    except FileLostError as error:
        raise ImportRefusedError(
            "Le fichier n’est plus conservé, ou ne s’ouvre plus : déposez-le à nouveau."
        ) from error


@contextmanager
def reading() -> Iterator[None]:
    """Turn whatever a malformed file makes a parser say into one sentence."""
    try:
        yield
    except SourceError as error:
        raise ImportRefusedError(str(error)) from error
    except (ET.ParseError, zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, TypeError) as error:
        raise ImportRefusedError(_UNREADABLE) from error


def forget_file(*, batch_id: UUID) -> None:
    """Delete the sealed file of a batch that no longer needs it."""
    batch = ImportBatch.objects.get(pk=batch_id)
    if batch.state not in RUNNING:
        remove_sealed(batch.stored_as)
        batch.stored_as = ""
        batch.save(update_fields=["stored_as"])


def _refuse_nonsense(opened: BinaryIO, source: Source) -> None:
    opened.seek(0)
    if opened.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_MARKUP):
        raise SourceError("Ce fichier est une page web ou des données brutes : choisissez un fichier CSV ou XLSX.")
    if len(source.header) < 2:  # noqa: PLR2004
        raise SourceError("Une seule colonne a été trouvée : vérifiez que le fichier est un CSV ou un XLSX.")
    if next(iter(read_rows(opened, source)), None) is None:
        raise SourceError("Le fichier n’a que sa ligne de titres : ajoutez-y des factures.")


def _count(opened: BinaryIO, source: Source) -> int:
    """Estimate the lines of a file without understanding them; the check counts them truly."""
    if source.format == "xlsx":
        opened.seek(0)
        workbook = load_workbook(opened, read_only=True)
        rows = workbook[source.sheet].max_row
        workbook.close()
        return max((rows or MAX_LINES) - source.header_line, 0)
    opened.seek(0)
    breaks, end = 0, b""
    while chunk := opened.read(1 << 16):
        breaks += chunk.count(b"\n") or chunk.count(b"\r")
        end = chunk[-2:]
    unended = 0 if b"\n" in end or b"\r" in end else 1
    return max(breaks + unended - source.header_line, 0)


def letters(place: int) -> str:
    """Name a column as a spreadsheet does: A, B … Z, AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def columns_of(headers: Sequence[str]) -> list[tuple[int, str]]:
    """Name every column of a file for a choice: its letter and its header."""
    return [(place, f"{letters(place)} – {header or 'sans titre'}") for place, header in enumerate(headers)]
