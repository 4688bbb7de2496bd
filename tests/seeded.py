"""The demonstration told once a run, and brought back row for row and file for file afterwards.

Telling it takes as long as forty tests; its rows are copied to files that the workers of one run share, so that the
database holds nothing more.
"""

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections, transaction

from cabinets import sealing
from tests.emptying import KEPT_TABLES, empty_every_table
from tests.sharing import one_at_a_time, shared_folder

# Where the rows of a told demonstration say what they are: sequences, and each table with its columns in their order.
SHAPE = "shape.json"


def seed(folder: Path, *, day: str, factory: pytest.TempPathFactory) -> None:
    """Fill an empty database and this folder with the demonstration of a day; settings lead to the folder already."""
    with _kept_place(factory) as place:
        kept = place / day
        if (kept / SHAPE).exists():
            try:
                _bring_back(folder, kept)
            except DatabaseError:
                # A test changed the tables meanwhile (a segment of the journal dropped): it is told again.
                empty_every_table()
            else:
                return
        call_command("demo", stdout=io.StringIO())
        _keep(folder, kept)


@contextmanager
def _kept_place(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder this run keeps its demonstrations in, held by one worker at a time."""
    place = shared_folder(factory) / "kept-demo"
    place.mkdir(mode=0o700, exist_ok=True)
    with one_at_a_time(place):
        yield place


def _keep(folder: Path, kept: Path) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    rows, files = kept / "rows", kept / "files"
    rows.mkdir(parents=True)
    with _unwalled() as (cursor, tables):
        for table, columns in tables.items():
            with (
                (rows / table).open("wb") as written,
                cursor.copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT") as copied,
            ):
                for block in copied:
                    written.write(block)
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
        sequences = {name: value for name, value in cursor.fetchall() if value is not None}
    shutil.copytree(folder, files)
    # Written last: what was cut short is told again.
    (kept / SHAPE).write_text(json.dumps({"tables": tables, "sequences": sequences}))


def _bring_back(folder: Path, kept: Path) -> None:
    sealing.forget_keys()
    shape = json.loads((kept / SHAPE).read_text())
    with _unwalled() as (cursor, _):
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, columns in shape["tables"].items():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copied:
                copied.write((kept / "rows" / table).read_bytes())
        for name, value in shape["sequences"].items():
            cursor.execute("SELECT setval(%s::regclass, %s)", [f'public."{name}"', value])
    shutil.copytree(kept / "files", folder, dirs_exist_ok=True)


@contextmanager
def _unwalled() -> Iterator[tuple[Any, dict[str, str]]]:
    """Let the owner copy rows of every firm for the length of one transaction, and put the wall back in it."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relforcerowsecurity, string_agg(format('%%I', a.attname), ', ' ORDER BY a.attnum)"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " AND a.attgenerated = '' WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND c.relnamespace = 'public'::regnamespace AND c.relname <> ALL(%s) GROUP BY c.oid ORDER BY c.relname",
            [list(KEPT_TABLES)],
        )
        found = cursor.fetchall()
        walled = [table for table, is_forced, _ in found if is_forced]
        for table in walled:
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        yield cursor, {table: columns for table, _, columns in found}
        # What the deferred checks wait for is done before the tables are altered again.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in walled:
            cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
