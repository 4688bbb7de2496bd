"""Lines of a file typed again on screen, or set aside: the file is read through them, and never changes."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.scoping import current_scope
from cabinets.sealing import open_together
from invoices.enums import ImportState
from invoices.importers.cells import cell_text
from invoices.importers.rows import RawRow
from invoices.importers.source import read_rows
from invoices.models import ImportBatch, ImportCorrection
from invoices.services.importing import ImportRefusedError, open_file, reading, source_of

# On one page: above this nobody reads what they are about to say.
MOST_LINES = 25
LONGEST_CELL = 500
TOO_LATE = "Cet import a déjà commencé : ses lignes ne se corrigent plus. Rien n’a été changé."


@dataclass(frozen=True, slots=True)
class Correction:
    """What stands for a line of the file: these cells typed again, or nothing at all."""

    typed: Mapping[int, str]
    is_set_aside: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One cell typed again: where it is, what the file says there, what was typed."""

    line: int
    place: int
    said: str
    typed: str


def corrections_of(batch: ImportBatch) -> dict[int, Correction]:
    """Return what was done of the lines of a batch, by line."""
    rows = open_together(ImportCorrection.objects.filter(batch=batch))
    return {row.line: Correction(_places(row.typed), row.is_set_aside) for row in rows}


def changes_of(batch: ImportBatch, *, limit: int) -> list[Change]:
    """Return the cells typed again, in the order of the file, the first lines only."""
    rows = open_together(ImportCorrection.objects.filter(batch=batch, is_set_aside=False).order_by("line")[:limit])
    found = []
    for row in rows:
        said = _places(row.said)
        found += [Change(row.line, place, said[place], text) for place, text in sorted(_places(row.typed).items())]
    return found


def set_aside_lines(batch: ImportBatch) -> list[int]:
    """Return the lines a person set aside on purpose."""
    rows = ImportCorrection.objects.filter(batch=batch, is_set_aside=True)
    return list(rows.order_by("line").values_list("line", flat=True))


def overlaid(rows: Iterable[RawRow], corrections: Mapping[int, Correction]) -> Iterator[RawRow]:
    """Yield the lines as they stand now: a line set aside is not there, a cell typed again is what was typed."""
    for row in rows:
        correction = corrections.get(row.line)
        if correction is None:
            yield row
        elif not correction.is_set_aside:
            yield _corrected(row, correction.typed)


def lines_of(batch: ImportBatch, wanted: Collection[int]) -> dict[int, list[str]]:
    """Return these lines as the file says them, every column present; nothing once the file is gone."""
    if not wanted or not batch.stored_as:
        return {}
    source, last, found = source_of(batch), max(wanted), {}
    width = len(source.header)
    with open_file(batch) as opened, reading(), closing(read_rows(opened, source)) as rows:
        for row in rows:
            if row.line in wanted:
                texts = [cell_text(cell) for cell in row.cells]
                found[row.line] = texts + [""] * (width - len(texts))
            if row.line >= last:
                break
    return found


@transaction.atomic
def correct(
    *,
    batch_id: UUID,
    typed: Mapping[int, Mapping[int, str]],
    set_aside: Collection[int] = (),
    back: Collection[int] = (),
) -> bool:
    """Keep what was typed of these lines, those set aside and those taken back, and ask for the check again.

    A cell typed as the file says it is no correction. Return False when nothing changed. Raise ImportRefusedError, and
    keep nothing, once the lines are going in.
    """
    batch = ImportBatch.objects.select_for_update(of=("self",), no_key=True).get(pk=batch_id)
    if batch.state != ImportState.CHECKED:
        raise ImportRefusedError(TOO_LATE)
    wanted = {*typed, *set_aside, *back}
    file = lines_of(batch, wanted)
    known = {row.line: row for row in ImportCorrection.objects.filter(batch=batch, line__in=wanted)}
    changed = []
    for line in sorted(wanted & set(file)):
        row = known.get(line)
        is_aside = line in set_aside or (line not in back and row is not None and row.is_set_aside)
        if _keep(row or ImportCorrection(batch=batch, line=line), file[line], typed.get(line), is_set_aside=is_aside):
            changed.append(line)
    if changed:
        _ask_check(batch)
        journal.record("import.corrected", batch, count=len(changed), set_aside=len(set(set_aside) & set(changed)))
    return bool(changed)


def _keep(row: ImportCorrection, file: Sequence[str], typed: Mapping[int, str] | None, *, is_set_aside: bool) -> bool:
    """Write the correction of one line; return whether it says anything new."""
    before = _places(row.typed)
    cells = before if typed is None else _differing(file, {**before, **typed})
    if (cells, is_set_aside) == (before, row.is_set_aside):
        return False
    row.said = json.dumps({place: file[place] for place in cells}, ensure_ascii=False)
    row.typed = json.dumps(cells, ensure_ascii=False)
    row.is_set_aside, row.author_id = is_set_aside, current_scope().member_id
    if row._state.adding:
        row.save(force_insert=True)
    else:
        row.save(update_fields=["said", "typed", "is_set_aside", "author", "at"])
    return True


def _differing(file: Sequence[str], typed: Mapping[int, str]) -> dict[int, str]:
    texts = {place: cell_text(text[:LONGEST_CELL]) for place, text in typed.items() if 0 <= place < len(file)}
    return {place: text for place, text in sorted(texts.items()) if text != file[place]}


def _ask_check(batch: ImportBatch) -> None:
    batch.state, batch.failure, batch.lease_until = ImportState.CHECKING, "", None
    batch.lines_done = batch.attempts = 0
    batch.save(update_fields=["state", "failure", "lease_until", "lines_done", "attempts"])


def _corrected(row: RawRow, typed: Mapping[int, str]) -> RawRow:
    if not typed:
        return row
    cells = list(row.cells) + [""] * (max(typed) + 1 - len(row.cells))
    for place, text in typed.items():
        cells[place] = text
    return RawRow(row.line, tuple(cells))


def _places(text: str) -> dict[int, str]:
    return {int(place): str(said) for place, said in json.loads(text or "{}").items()}
