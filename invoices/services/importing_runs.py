"""Carry an import on, chunk by chunk: each chunk is one transaction that also says how far it went.

Rows of `ImportBatch` are the queue. A worker holds a lease, renewed by each chunk; one that dies leaves a lease that
ends, and the next one starts after the last chunk that was committed. A chunk done twice adds nothing: what a line
creates has an id made of the batch and the line, and a number known is never entered again.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet, Client, Dossier
from cabinets.scoping import current_cabinet_id, whole_firm
from cabinets.sealing import forget_keys
from invoices.enums import RUNNING, ImportState, LineNature
from invoices.errors import OverpaidError
from invoices.importers.checks import check_rows
from invoices.importers.mapping import restore_mapping
from invoices.importers.rows import Problem, RawRow, Row
from invoices.importers.source import read_rows
from invoices.models import CreditNote, ImportBatch, ImportFault, Invoice
from invoices.services import importing_rows, importing_undo, settlement
from invoices.services.importing import MAX_LINES, ImportRefusedError, open_file, reading, source_of
from invoices.services.importing_corrections import corrections_of, overlaid
from invoices.services.importing_rows import Chunk, Finding, Importer

CHUNK = 1000
LEASE = dt.timedelta(minutes=3)
MAX_ATTEMPTS = 3
# A worker lets go before the task's own limit; the next sweep takes the rest.
AT_MOST_SECONDS = 600.0

Opened = Callable[[], AbstractContextManager[None]]
Answer = Row | list[Problem]


class LeaseLostError(RuntimeError):
    """Another worker took this import over: what this one was about to write is not written."""


@dataclass(slots=True)
class _Run:
    """One worker at one batch."""

    batch: ImportBatch
    opened: Opened
    on: dt.date
    until: float

    def is_over(self) -> bool:
        return time.monotonic() > self.until


def work(*, batch_id: UUID, opened: Opened, seconds: float = AT_MOST_SECONDS) -> None:
    """Do what an import waits for: its check, its lines, or its undoing. Do nothing when another worker is at it.

    `opened` opens the transaction of each chunk, in the scope of the person who brought the file.
    """
    with opened():
        batch = _take(batch_id)
        on = Cabinet.objects.get(pk=current_cabinet_id()).today()
    if batch is None:
        return
    run = _Run(batch, opened, on, time.monotonic() + seconds)
    steps = {
        ImportState.CHECKING: _check,
        ImportState.IMPORTING: _import,
        ImportState.UNDOING: _undo,
    }
    try:
        steps[ImportState(batch.state)](run)
    except ImportRefusedError as error:
        with opened():
            _fail(batch, str(error))


def _take(batch_id: UUID) -> ImportBatch | None:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    waiting = ImportBatch.objects.filter(free, pk=batch_id, state__in=RUNNING)
    batch = waiting.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if batch is None:
        return None
    if batch.attempts >= MAX_ATTEMPTS:
        _fail(batch, f"Le traitement s’est interrompu {MAX_ATTEMPTS} fois après la ligne {batch.lines_done}.")
        return None
    batch.attempts += 1
    batch.lease_until = now + LEASE
    batch.save(update_fields=["attempts", "lease_until"])
    return batch


def _fail(batch: ImportBatch, sentence: str) -> None:
    batch.failure, batch.lease_until = sentence[:200], None
    # A check that failed leaves nothing behind; an import may be taken up or taken back.
    if batch.state != ImportState.CHECKING:
        batch.finished_at = batch.finished_at or timezone.now()
    batch.state = ImportState.FAILED
    batch.save(update_fields=["failure", "lease_until", "finished_at", "state"])
    journal.record("import.failed", batch)


def _renew(batch: ImportBatch, **counts: int) -> None:
    """Note how far the work went, in its own transaction; refuse when the lease is no longer ours."""
    lease = timezone.now() + LEASE
    changes = {name: F(name) + count for name, count in counts.items()}
    held = ImportBatch.objects.filter(pk=batch.pk, state=batch.state, lease_until=batch.lease_until)
    if not held.update(**changes, lease_until=lease, attempts=0):
        raise LeaseLostError(str(batch.pk))
    batch.lease_until = lease
    for name, count in counts.items():
        setattr(batch, name, getattr(batch, name) + count)


def _end(batch: ImportBatch, state: ImportState, **facts: object) -> None:
    held = ImportBatch.objects.filter(pk=batch.pk, state=batch.state, lease_until=batch.lease_until)
    if not held.update(state=state, lease_until=None, **facts):
        raise LeaseLostError(str(batch.pk))


def _release(run: _Run) -> None:
    with run.opened():
        ImportBatch.objects.filter(pk=run.batch.pk, lease_until=run.batch.lease_until).update(lease_until=None)


# --- the check

_COUNTED = ["lines_done", "ready", "faulty", "duplicates", "to_settle"]


def _check(run: _Run) -> None:
    """Read every line and say what would become of it; start again from the first when it was interrupted."""
    batch = run.batch
    with run.opened():
        ImportFault.objects.filter(batch=batch).delete()
        for name in _COUNTED:
            setattr(batch, name, 0)
        batch.save(update_fields=_COUNTED)
    read, last = 0, source_of(batch).header_line
    for answers in _chunks(run, start=0):
        with run.opened():
            chunk = _understood(answers, importing_rows.member_of(batch.pk, batch.uploaded_by_id))
            _note(batch, chunk.findings)
            _renew(
                batch,
                lines_done=len(answers),
                ready=chunk.ready,
                faulty=chunk.faulty,
                duplicates=chunk.duplicates,
                to_settle=len(chunk.settlements),
            )
        forget_keys()
        read, last = read + len(answers), _line_of(answers[-1])
    with run.opened():
        _end(batch, ImportState.CHECKED, lines=read, layout={**batch.layout, "last_line": last})
        journal.record("import.checked", batch, ready=batch.ready, faulty=batch.faulty)


# --- the import


def _import(run: _Run) -> None:
    """Let the ready lines in, from the first one that no committed chunk holds."""
    batch = run.batch
    for answers in _chunks(run, start=batch.lines_done):
        with run.opened():
            _import_chunk(run, answers)
        forget_keys()
        if run.is_over():
            _release(run)
            return
    with run.opened():
        _end(batch, ImportState.DONE, finished_at=timezone.now())
        journal.record("import.done", batch, created=batch.created, settled=batch.settled)


def _import_chunk(run: _Run, answers: Sequence[Answer]) -> None:
    batch = run.batch
    _one_at_a_time()
    importer = importing_rows.member_of(batch.pk, batch.uploaded_by_id)
    chunk = _understood(answers, importer)
    with whole_firm():
        created = importing_rows.write(chunk, importer=importer, on=run.on)
    settled = _settle(chunk) if batch.updates_settlements else 0
    _note(batch, _unsaid(batch, chunk.findings))
    _journal(batch, chunk, created)
    _renew(batch, lines_done=len(answers), created=len(created), settled=settled)


def _settle(chunk: Chunk) -> int:
    """Apply the settlements the person chose to apply; one that was entered meanwhile is left as it is."""
    done = 0
    for invoice_id, cents in sorted(chunk.settlements.items()):
        try:
            settlement.settle(invoice_id=invoice_id, cents=cents)
        except OverpaidError:
            continue
        done += 1
    return done


def _journal(batch: ImportBatch, chunk: Chunk, invoices: Sequence[Invoice]) -> None:
    name = str(batch.pk)
    lots: list[tuple[str, Sequence[Client | Dossier | Invoice | CreditNote]]] = [
        ("client.created", chunk.clients),
        ("dossier.opened", chunk.dossiers),
        ("invoice.created", invoices),
        ("invoice.settled", [invoice for invoice in invoices if invoice.settled_cents]),
        ("credit_note.created", chunk.credit_notes),
    ]
    for event, subjects in lots:
        if subjects:
            journal.record_many(event, list(subjects), batch=name)


def _one_at_a_time() -> None:
    """Let one import of the firm write at a time, so that two files never make the same client twice."""
    key = int.from_bytes(current_cabinet_id().bytes[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _unsaid(batch: ImportBatch, findings: Sequence[Finding]) -> list[Finding]:
    """Keep the refusals the check did not know: what the firm did between the two."""
    refusals = [finding for finding in findings if finding.nature is LineNature.FAULT]
    said = ImportFault.objects.filter(batch=batch, line__in={finding.line for finding in refusals})
    known = set(said.exclude(nature=LineNature.NOTICE).values_list("line", flat=True))
    return [finding for finding in refusals if finding.line not in known]


# --- the undoing


def _undo(run: _Run) -> None:
    """Take back what may be; what a person was told of stays."""
    batch, after = run.batch, None
    while True:
        with run.opened():
            after = importing_undo.undo_chunk(batch_id=batch.pk, after=after, size=CHUNK)
            _renew(batch)
        if after is None:
            break
        if run.is_over():
            _release(run)
            return
    for first in range(source_of(batch).header_line, batch.layout["last_line"] + 1, 5 * CHUNK):
        with run.opened():
            importing_undo.remove_unused(batch_id=batch.pk, lines=range(first, first + 5 * CHUNK))
            _renew(batch)
    with run.opened():
        _end(batch, ImportState.UNDONE, undone_at=timezone.now())
        journal.record("import.undone", batch, kept=importing_undo.count_kept(batch))


# --- reading


def _chunks(run: _Run, *, start: int) -> Iterator[list[Answer]]:
    """Yield the lines a thousand at a time, understood one by one; a file too long is refused."""
    batch, source = run.batch, source_of(run.batch)
    mapping = restore_mapping(batch.mapping, source.header)
    with ExitStack() as stack:
        with run.opened():
            opened = stack.enter_context(open_file(batch))
            typed = corrections_of(batch)
        stack.enter_context(reading())
        rows = stack.enter_context(closing(read_rows(opened, source)))
        lines = islice(overlaid(_counted(rows), typed), start, None)
        answers = check_rows(lines, mapping, header=source.header, today=run.on)
        while chunk := list(islice(answers, CHUNK)):
            yield chunk


def _line_of(answer: Answer) -> int:
    return answer.line if isinstance(answer, Row) else answer[0].line


def _counted(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    for number, row in enumerate(rows, start=1):
        if number > MAX_LINES:
            raise ImportRefusedError(
                f"Le fichier compte plus de {MAX_LINES} lignes : partagez-le en plusieurs fichiers."
            )
        yield row


def _understood(answers: Sequence[Answer], importer: Importer) -> Chunk:
    visible = importing_rows.visible_numbers(answers)
    with whole_firm():
        return importing_rows.understand(answers, importer=importer, visible=visible)


def _note(batch: ImportBatch, findings: Sequence[Finding]) -> None:
    header, mapping = source_of(batch).header, batch.mapping
    faults = []
    for finding in findings:
        place = mapping.get(finding.field) if finding.field else None
        label = finding.field.label if finding.field else ""
        column = finding.column or (header[place] if place is not None else label)
        faults.append(
            ImportFault(
                batch=batch,
                line=finding.line,
                column=column[:80],
                sentence=finding.sentence,
                nature=finding.nature,
            )
        )
    ImportFault.objects.bulk_create(faults, batch_size=CHUNK)
