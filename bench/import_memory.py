"""Import files of two sizes, each in a process of its own: peak memory must not follow the size, nor the rate collapse.

    bin/bench import_memory --lines 5000 --lines 50000

Goal I1 of performance.md: peak memory of the biggest at most 1.2 times that of the smallest; check and import together
at most 8 times the floor of the same work in the same run: a csv reader over the file, and the rows the import made
inserted again for another firm with bare `INSERT … SELECT FROM unnest(…)`, a transaction every thousand rows.
"""

import argparse
import csv
import io
import json
import resource
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from django.db import connection

from bench.ground import report
from cabinets.enums import Role
from cabinets.models import Cabinet, Membership, User
from cabinets.scoping import working_for
from invoices.enums import ImportState
from invoices.models import ImportBatch
from invoices.services import importing
from invoices.tasks import run_import

MEMORY_GOAL, RATE_GOAL = 1.2, 8.0
CHUNK, FLOORS = 1000, 3
LINES_A_CLIENT = 10
HEADER = "N° facture;Date;Échéance;Montant TTC;Déjà réglé;Société;Qualité;E-mail;Téléphone;Adresse;Code postal;Ville"
# What an import writes, in the order in which the rows need one another.
MADE = (
    "cabinets_datakey", "cabinets_client", "cabinets_dossier", "invoices_invoice", "dunning_dunningcase",
    "cabinets_journalentry",
)  # fmt: skip
# What those rows point at: copied before the clock starts.
NEEDED = ("dunning_scenario", "dunning_scenarioversion", "invoices_importbatch")

Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Figures:
    """What one size gave."""

    lines: int
    peak_mb: float
    check_s: float
    import_s: float
    floor_s: float
    lines_a_second: int
    rate_ratio: float


@dataclass(slots=True)
class Table:
    """The rows of one table, ready to be inserted for another firm."""

    name: str
    columns: list[tuple[str, str]]
    rows: Rows


def main() -> int:
    """Measure every size in a process of its own and judge them; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="bin/bench import_memory", description=__doc__)
    parser.add_argument("--lines", type=int, action="append", help="lines of a file; give it once per size")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(asdict(measure(options.child))))
        return 0
    rows = [_apart(lines) for lines in sorted(options.lines or [5_000, 50_000])]
    figures = {"memory": round(rows[-1].peak_mb / rows[0].peak_mb, 3), "rate": max(row.rate_ratio for row in rows)}
    goals = {"memory": MEMORY_GOAL, "rate": RATE_GOAL}
    missed = [name for name, figure in figures.items() if figure > goals[name]]
    verdict = {f"{name}_ratio": figure for name, figure in figures.items()}
    report("import_memory", [*(asdict(row) for row in rows), {**verdict, "missed": missed}])
    return int(bool(missed))


def measure(lines: int) -> Figures:
    """Check and import one file as a worker does; note the peak before anything else is measured."""
    firm, member = new_firm()
    content = file_of(lines)
    with working_for(cabinet_id=firm, member_id=member):
        batch = importing.receive(stream=io.BytesIO(content), file_name="bench.csv")
        importing.choose_columns(batch_id=batch.pk, mapping=importing.preview(batch).mapping)
    del content
    check_s = carry_on(firm, batch.pk, ImportState.CHECKED)
    with working_for(cabinet_id=firm, member_id=member):
        importing.start(batch_id=batch.pk, updates_settlements=False)
    import_s = carry_on(firm, batch.pk, ImportState.DONE)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with working_for(cabinet_id=firm):
        created = ImportBatch.objects.get(pk=batch.pk).created
    assert created == lines, f"{created} invoices for {lines} lines"
    floor_s = statistics.median(_floor(firm, member, lines) for _ in range(FLOORS))
    return Figures(
        lines=lines,
        peak_mb=round(peak_mb, 1),
        check_s=round(check_s, 2),
        import_s=round(import_s, 2),
        floor_s=round(floor_s, 2),
        lines_a_second=int(lines / (check_s + import_s)),
        rate_ratio=round((check_s + import_s) / floor_s, 2),
    )


def _apart(lines: int) -> Figures:
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-m", "bench.import_memory", "--child", str(lines)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def new_firm() -> tuple[uuid.UUID, uuid.UUID]:
    """Make an empty firm and its partner."""
    cabinet, name = Cabinet(id=uuid.uuid4(), name="Bench"), uuid.uuid4().hex
    cabinet.slug = f"bench-{name}"
    with working_for(cabinet_id=cabinet.pk):
        cabinet.save(force_insert=True)
        user = User(email=f"{name}@bench.example")
        # Hashing a password takes more memory than the import: it would hide what is measured.
        user.set_unusable_password()
        user.save(force_insert=True)
        member = Membership(user=user, role=Role.OWNER, sees_every_file=True)
        member.save(force_insert=True)
    return cabinet.pk, member.pk


def file_of(lines: int) -> bytes:
    """Write a firm's export: ten invoices to a client, one in seven settled in part."""
    return "\n".join([HEADER, *(_line(number) for number in range(lines))]).encode()


def _line(number: int) -> str:
    who, day = number // LINES_A_CLIENT, 1 + number % 28
    cells = (
        f"F{number:07}", f"{day:02}/09/2026", f"{day:02}/10/2026", f"{120 + number % 900},50",
        "100,00" if number % 7 == 0 else "", f"Société {who} SARL", "Professionnel", f"compta@client-{who}.example",
        f"01 99 00 {who // 100 % 100:02} {who % 100:02}", f"{who} rue de la Paix", f"{75001 + who % 20}", "Paris",
    )  # fmt: skip
    return ";".join(cells)


def carry_on(firm: uuid.UUID, batch_id: uuid.UUID, until: ImportState) -> float:
    began = time.perf_counter()
    while True:
        run_import(cabinet_id=firm, batch_id=batch_id)
        with working_for(cabinet_id=firm):
            batch = ImportBatch.objects.get(pk=batch_id)
        assert batch.state != ImportState.FAILED, batch.failure
        if batch.state == until:
            return time.perf_counter() - began


def _floor(source: uuid.UUID, member: uuid.UUID, lines: int) -> float:
    """Read the file with a csv reader and insert again, bare, the rows an import of it made."""
    target, other_member = new_firm()
    renamed = {source: target, member: other_member}
    needed, made = ([_copied(name, source, renamed) for name in names] for names in (NEEDED, MADE))
    with working_for(cabinet_id=target):
        for table in needed:
            _insert(table, table.rows)
    text = io.StringIO(file_of(lines).decode())
    began = time.perf_counter()
    for _ in csv.reader(text, delimiter=";"):
        pass
    for table in made:
        for first in range(0, len(table.rows), CHUNK):
            with working_for(cabinet_id=target, durable=True):
                _insert(table, table.rows[first : first + CHUNK])
    return time.perf_counter() - began


def _copied(name: str, source: uuid.UUID, renamed: dict[uuid.UUID, uuid.UUID]) -> Table:
    """Read a table's rows of one firm, every id of ours replaced by another, the same wherever it is met."""
    with working_for(cabinet_id=source), connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s AND NOT"
            " (column_name = 'id' AND udt_name = 'int8') AND is_generated = 'NEVER'",
            [name],
        )
        columns = [(str(column), str(kind)) for column, kind in cursor.fetchall()]
        names = ", ".join(f'"{column}"::text' if kind == "jsonb" else f'"{column}"' for column, kind in columns)
        cursor.execute(f"SELECT {names} FROM {name}")
        rows = cursor.fetchall()
    owned = [
        place for place, (column, _) in enumerate(columns) if column == "id" and isinstance(rows[0][place], uuid.UUID)
    ]
    renamed.update({row[place]: uuid.uuid4() for row in rows for place in owned})
    swapped = [tuple(renamed.get(cell, cell) if isinstance(cell, uuid.UUID) else cell for cell in row) for row in rows]
    return Table(name, columns, swapped)


def _insert(table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    names = ", ".join(f'"{column}"' for column, _ in table.columns)
    arrays = ", ".join("%s::text[]" if kind == "jsonb" else f"%s::{kind}[]" for _, kind in table.columns)
    values = ", ".join(f'u."{column}"::jsonb' if kind == "jsonb" else f'u."{column}"' for column, kind in table.columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table.name} ({names}) SELECT {values} FROM unnest({arrays}) u ({names})",
            [list(column) for column in zip(*rows, strict=True)],
        )


if __name__ == "__main__":
    sys.exit(main())
