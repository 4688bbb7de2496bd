"""Importer: the file, its columns, its check, its result, and taking it back."""

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import F, Q, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from cabinets.sealing import open_together
from cabinets.sheets import SheetWriter
from invoices.enums import ImportState, LineNature
from invoices.forms.importing import ColumnsForm, FileForm, LinesForm, StartForm, cell_name
from invoices.importers.cells import cell_text
from invoices.importers.rows import Field
from invoices.importers.source import read_rows
from invoices.models import CreditNote, ImportBatch, ImportFault, Invoice
from invoices.services import importing, importing_corrections, importing_runs, importing_undo
from invoices.services.importing import ImportRefusedError

page = require_http_methods(["GET", "POST"])
SHOWN_LINES = 100
SHOWN_DUPLICATES = 10
# Remarks are gathered by what they say: this many are read, and this many lines of each are named.
GROUPED_LINES, NAMED_LINES = 5_000, 8
SHOWN_BATCHES = 5
SHOWN_INVOICES = 10
# From here on a debt enters the ladder with an accord (engine.md § 5).
LATE_FROM_DAYS = 10
MODEL = (
    Field.NUMBER, Field.DOCUMENT, Field.ISSUED_ON, Field.DUE_ON, Field.TOTAL, Field.SETTLED, Field.KIND, Field.CIVILITY,
    Field.FIRST_NAME, Field.LAST_NAME, Field.COMPANY, Field.EMAIL, Field.PHONE, Field.ADDRESS, Field.POSTCODE,
    Field.CITY, Field.COUNTRY, Field.DOSSIER, Field.LAWYER_EMAIL,
)  # fmt: skip
MODEL_NAMES = {Field.DOCUMENT: "Nature"}


@page
@requires(Right.IMPORT_INVOICES)
def import_file(request: CabinetRequest) -> HttpResponse:
    """Take a file or pasted lines."""
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                batch = _received(request, form)
            return redirect("import_columns", batch.pk)
        except ImportRefusedError as error:
            form.add_error("file" if form.cleaned_data["file"] else "lines", str(error))
    batches = open_together(ImportBatch.objects.order_by("-uploaded_at")[:SHOWN_BATCHES])
    journal.listed(ImportBatch, "import_file", count=len(batches))
    context = {"form": form, "batches": [(batch, _address(batch)) for batch in batches]}
    return render(request, "invoices/import_file.html", context, status=422 if form.errors else 200)


@require_GET
@requires(Right.IMPORT_INVOICES)
def import_model(request: CabinetRequest) -> HttpResponse:
    """Give a file to fill in: the titles the product knows, and nothing else."""
    titles = [MODEL_NAMES.get(field, field.label) for field in MODEL]
    return _csv("modele-factures.csv", [titles])


@page
@never_cache
@requires(Right.IMPORT_INVOICES)
def import_columns(request: CabinetRequest, batch_id: UUID) -> HttpResponse:
    """Say what each column holds."""
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    if batch.state not in {ImportState.UPLOADED, ImportState.CHECKED} and not importing.can_start_over(batch):
        return redirect(_address(batch))
    try:
        seen = importing.preview(batch)
    except ImportRefusedError as error:
        messages.error(request, str(error))
        return redirect("import_file")
    data = request.POST if request.method == "POST" else None
    form = ColumnsForm(data, header=seen.source.header, samples=seen.samples, mapping=seen.mapping)
    if request.method == "POST" and form.is_valid():
        importing.choose_columns(batch_id=batch.pk, mapping=form.mapping)
        _work_if_small(batch)
        return redirect("import_check", batch.pk)
    journal.seen(batch, "import_columns")
    guessed = sum(1 for column, _ in form.columns() if column.initial)
    context = {"batch": batch, "form": form, "seen": seen, "guessed": guessed}
    return render(request, "invoices/import_columns.html", context, status=422 if form.errors else 200)


@page
@never_cache
@requires(Right.IMPORT_INVOICES)
def import_check(request: CabinetRequest, batch_id: UUID) -> HttpResponse:
    """Show what would become of each line, and let the ready ones in."""
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    if request.method == "POST":
        form = StartForm(request.POST)
        wanted = form.is_valid() and form.cleaned_data["updates_settlements"]
        if importing.start(batch_id=batch.pk, updates_settlements=wanted):
            _work_if_small(batch)
        return redirect("import_result", batch.pk)
    if batch.state == ImportState.CHECKING:
        return _progress(request, batch, "Contrôle du fichier", step=3)
    if batch.state != ImportState.CHECKED and not (batch.state == ImportState.FAILED and batch.finished_at is None):
        return _go(request, _address(batch))
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx adds it
        return _go(request, request.path)
    journal.seen(batch, "import_check")
    return render(request, "invoices/import_check.html", {"batch": batch, **_findings(batch)})


@require_POST
@requires(Right.IMPORT_INVOICES)
def import_correct(request: CabinetRequest, batch_id: UUID) -> HttpResponse:
    """Keep what was typed of the lines to correct, set lines aside or take them back, and check again."""
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    form = LinesForm(request.POST)
    try:
        changed = importing_corrections.correct(
            batch_id=batch.pk, typed=form.typed, set_aside=form.set_aside, back=form.back
        )
    except ImportRefusedError as error:
        messages.error(request, str(error))
        return redirect(_address(batch))
    if not changed:
        messages.info(request, "Rien n’a été modifié : les lignes sont comme avant.")
        return redirect("import_check", batch.pk)
    _work_if_small(batch)
    return redirect(reverse("import_check", args=[batch.pk]) + "#a-corriger")


@require_GET
@never_cache
@requires(Right.IMPORT_INVOICES)
def import_faults(request: CabinetRequest, batch_id: UUID) -> HttpResponse:
    """Give the lines to correct as a file: what to do, then the cells as they came, ready to be brought again."""
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    refused = (LineNature.FAULT, LineNature.DIFFERENCE)
    said: dict[int, list[str]] = {}
    for fault in open_together(ImportFault.objects.filter(batch=batch, nature__in=refused).order_by("line")):
        said.setdefault(fault.line, []).append(f"{fault.column} : {fault.sentence}" if fault.column else fault.sentence)
    journal.record("import.faults_downloaded", batch, count=len(said))
    return _csv("lignes-a-corriger.csv", [["Ligne", "À faire", *_header(batch)], *_faulty_lines(batch, said)])


@require_GET
@never_cache
@requires(Right.IMPORT_INVOICES)
def import_result(request: CabinetRequest, batch_id: UUID) -> HttpResponse:
    """Show what an import did, how far it is, or what it left when it was taken back."""
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    if importing.is_running(batch) and batch.state != ImportState.CHECKING:
        title = "Annulation de l’import" if batch.state == ImportState.UNDOING else "Import des factures"
        return _progress(request, batch, title, step=4)
    if batch.finished_at is None and batch.state != ImportState.UNDONE:
        return _go(request, _address(batch))
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx adds it
        return _go(request, request.path)
    journal.seen(batch, "import_result")
    return render(request, "invoices/import_result.html", {"batch": batch, **_result(request, batch)})


@page
@never_cache
@requires(Right.IMPORT_INVOICES)
def import_undo(request: CabinetRequest, batch_id: UUID) -> HttpResponse:
    """Ask before an import is taken back, saying what would stay; then take it back."""
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    result = redirect("import_result", batch.pk)
    if request.method == "POST":
        try:
            importing.ask_undo(batch_id=batch.pk)
            _work_if_small(batch)
        except ImportRefusedError as error:
            messages.error(request, str(error))
        return result
    if not importing.can_undo(batch):
        return result
    journal.seen(batch, "import_undo")
    context = {"batch": batch, "outlook": importing_undo.outlook(batch)}
    return render(request, "invoices/import_undo.html", context)


@require_POST
@requires(Right.IMPORT_INVOICES)
def import_resume(request: CabinetRequest, batch_id: UUID) -> HttpResponse:
    """Take up an import that was interrupted."""
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    if importing.resume(batch_id=batch.pk):
        _work_if_small(batch)
    return redirect("import_result", batch.pk)


def _received(request: CabinetRequest, form: FileForm) -> ImportBatch:
    if file := form.cleaned_data["file"]:
        return importing.receive(stream=file, file_name=file.name or "fichier")
    return importing.paste(text=form.cleaned_data["lines"], on=request.cabinet.today())


def _work_if_small(batch: ImportBatch) -> None:
    """Do at once what a person can wait for; leave the rest to a worker."""
    if importing.is_small(batch):
        importing_runs.work(batch_id=batch.pk, opened=transaction.atomic)


def _address(batch: ImportBatch) -> str:
    """Return the screen an import is at."""
    screens = {
        ImportState.UPLOADED: "import_columns",
        ImportState.CHECKING: "import_check",
        ImportState.CHECKED: "import_check",
    }
    over = "import_result" if batch.finished_at or batch.state != ImportState.FAILED else "import_check"
    return reverse(screens.get(ImportState(batch.state), over), args=[batch.pk])


def _go(request: CabinetRequest, address: str) -> HttpResponse:
    """Send the browser on, whether it asked for the page or for its progress bar."""
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)  # type: ignore[attr-defined]


def _progress(request: CabinetRequest, batch: ImportBatch, title: str, *, step: int) -> HttpResponse:
    waits = batch.lease_until is None and not batch.lines_done
    context = {"batch": batch, "title": title, "step": step, "waits": waits}
    if not request.htmx:  # type: ignore[attr-defined]
        journal.seen(batch, "import_progress")
    return render(request, "invoices/import_progress.html", context)


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing said of several lines."""

    lines: str
    column: str
    sentence: str


def _findings(batch: ImportBatch) -> dict[str, Any]:
    """Return what the check says, by nature: the first lines of each, and what is said of many lines said once."""
    found: dict[str, Any] = {}
    for nature in LineNature:
        rows = ImportFault.objects.filter(batch=batch, nature=nature).order_by("line")
        limit = {LineNature.NOTICE: GROUPED_LINES, LineNature.DUPLICATE: SHOWN_DUPLICATES}.get(nature, SHOWN_LINES)
        found[f"{nature.value}s"] = open_together(rows[:limit])
        found[f"{nature.value}_count"] = rows.count()
    found["notices"] = _grouped(found["notices"])
    aside = importing_corrections.set_aside_lines(batch)
    shown = _lines_to_correct(batch)
    return {
        **found,
        "can_import": bool(batch.ready or batch.to_settle),
        "lines": shown,
        "lines_hidden": max(batch.faulty - len(shown), 0),
        "set_aside": aside[:SHOWN_LINES],
        "set_aside_count": len(aside),
        "changes": _changes(batch),
    }


@dataclass(frozen=True, slots=True)
class CellToCorrect:
    """One cell of a line: its column, what stands there, what the file says when it is something else."""

    name: str
    label: str
    text: str
    said: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineToCorrect:
    """One line that cannot go in: what is wrong with it, its faulty cells, then the others."""

    line: int
    sentences: tuple[str, ...]
    faulty: tuple[CellToCorrect, ...]
    others: tuple[CellToCorrect, ...]


def _lines_to_correct(batch: ImportBatch) -> list[LineToCorrect]:
    """Return the first lines to correct with their cells as they stand; none once the file is gone."""
    faults = ImportFault.objects.filter(batch=batch, nature=LineNature.FAULT)
    first = list(faults.order_by("line").values_list("line", flat=True).distinct()[: importing_corrections.MOST_LINES])
    try:
        file = importing_corrections.lines_of(batch, first)
    except ImportRefusedError:
        return []
    typed, header = importing_corrections.corrections_of(batch), _header(batch)
    said: dict[int, list[ImportFault]] = {}
    for fault in open_together(faults.filter(line__in=first).order_by("line", "pk")):
        said.setdefault(fault.line, []).append(fault)
    return [
        _line_to_correct(line, header, file[line], typed[line].typed if line in typed else {}, said[line])
        for line in first
        if line in file
    ]


def _line_to_correct(
    line: int, header: Sequence[str], file: Sequence[str], typed: Mapping[int, str], faults: Sequence[ImportFault]
) -> LineToCorrect:
    cells: dict[bool, list[CellToCorrect]] = {True: [], False: []}
    for place, title in enumerate(header):
        sentences = tuple(str(fault.sentence) for fault in faults if fault.column and fault.column == title[:80])
        text = typed.get(place, file[place])
        said = file[place] if text != file[place] else ""
        name = cell_name(line, place)
        cells[bool(sentences)].append(CellToCorrect(name, title or "Sans titre", text, said, sentences))
    placed = {title[:80] for title in header}
    bare = tuple(
        f"{fault.column} : {fault.sentence}" if fault.column else str(fault.sentence)
        for fault in faults
        if not fault.column or fault.column not in placed
    )
    return LineToCorrect(line, bare, tuple(cells[True]), tuple(cells[False]))


def _changes(batch: ImportBatch) -> list[dict[str, Any]]:
    """Return what was typed instead of what the file says."""
    header = _header(batch)
    return [
        {"line": one.line, "column": header[one.place], "said": one.said, "typed": one.typed}
        for one in importing_corrections.changes_of(batch, limit=SHOWN_LINES)
    ]


def _grouped(faults: Sequence[ImportFault]) -> list[Remark]:
    said: dict[tuple[str, str], list[int]] = {}
    for fault in faults:
        said.setdefault((fault.column, str(fault.sentence)), []).append(fault.line)
    remarks = sorted(said.items(), key=lambda item: (-len(item[1]), item[1]))[:SHOWN_LINES]
    return [Remark(_named(lines), column, sentence) for (column, sentence), lines in remarks]


def _named(lines: Sequence[int]) -> str:
    """Name lines, the first ones only when they are many."""
    if len(lines) == 1:
        return f"Ligne {lines[0]}"
    first = ", ".join(str(line) for line in lines[:NAMED_LINES])
    others = len(lines) - NAMED_LINES
    return f"Lignes {first}" + (f" et {others} autre{'s' if others > 1 else ''}" if others > 0 else "")


def _result(request: CabinetRequest, batch: ImportBatch) -> dict[str, Any]:
    today = request.cabinet.today()
    invoices = Invoice.objects.filter(batch=batch)
    owed = invoices.filter(settled_cents__lt=F("total_cents") - F("credited_cents"))
    old_from = today - dt.timedelta(days=request.cabinet.late_entry_days)
    late_from = today - dt.timedelta(days=LATE_FROM_DAYS)
    kept = importing_undo.count_kept(batch)
    until = batch.finished_at + importing.UNDO_WITHIN if batch.finished_at else timezone.now()
    return {
        "sums": invoices.aggregate(total=Sum("total_cents"), settled=Sum("settled_cents")),
        "clients": invoices.values("client").distinct().count(),
        "old": owed.filter(due_on__lt=old_from).count(),
        "late": owed.filter(Q(due_on__lte=late_from, due_on__gte=old_from)).count(),
        "credit_notes": CreditNote.objects.filter(batch=batch).count(),
        "faults": open_together(
            ImportFault.objects.filter(batch=batch, nature=LineNature.FAULT).order_by("line")[:SHOWN_LINES]
        ),
        "invoices": invoices.order_by("number")[:SHOWN_INVOICES],
        "kept": kept,
        "changes": _changes(batch),
        "set_aside": importing_corrections.set_aside_lines(batch)[:SHOWN_LINES],
        "hidden": max(batch.created - invoices.count(), 0) if batch.state == ImportState.DONE else 0,
        "can_undo": importing.can_undo(batch),
        "undo_until": until,
    }


def _header(batch: ImportBatch) -> list[str]:
    return list(importing.source_of(batch).header)


def _faulty_lines(batch: ImportBatch, said: dict[int, list[str]]) -> list[list[str]]:
    """Return the lines to correct with their cells while the file is kept, with the sentence alone after that."""
    bare = [[str(line), " ".join(sentences)] for line, sentences in said.items()]
    if not batch.stored_as or not said:
        return bare
    try:
        with importing.open_file(batch) as opened, importing.reading():
            return [
                [str(row.line), " ".join(said[row.line]), *(cell_text(cell) for cell in row.cells)]
                for row in importing_corrections.overlaid(
                    read_rows(opened, importing.source_of(batch)), importing_corrections.corrections_of(batch)
                )
                if row.line in said
            ]
    except ImportRefusedError:
        return bare


def _csv(name: str, lines: list[list[str]]) -> HttpResponse:
    """Write a file every spreadsheet opens; no cell of it is ever computed."""
    text = io.StringIO()
    SheetWriter(text, keeps_amounts=True).write_all(lines)
    response = HttpResponse(("\ufeff" + text.getvalue()).encode(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
