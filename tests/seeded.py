"""The demonstration told once a process, and brought back row for row and file for file afterwards.

Telling it takes as long as forty tests; its rows are copied to files, so that the database holds nothing more.
"""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, connections, transaction

from cabinets import sealing
from tests.conftest import KEPT_TABLES, empty_every_table


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the rows and the files of a demonstration are, and how far its sequences went."""

    rows: Path
    files: Path
    sequences: list[tuple[str, int]]


_kept: dict[str, Kept] = {}


def seed(folder: Path, *, day: str) -> None:
    """Fill an empty database and this folder with the demonstration of a day; settings lead to the folder already."""
    if day in _kept:
        try:
            _bring_back(folder, _kept[day])
        except DatabaseError:
            # A test changed the tables meanwhile (a segment of the journal dropped): it is told again.
            empty_every_table()
            del _kept[day]
        else:
            return
    call_command("demo", stdout=io.StringIO())
    _kept[day] = _keep(folder)


def _keep(folder: Path) -> Kept:
    place = Path(tempfile.mkdtemp(prefix="kept-demo-"))
    rows, files = place / "rows", place / "files"
    rows.mkdir()
    with _unwalled() as (cursor, tables):
        for table, columns in tables.items():
            with (
                (rows / table).open("wb") as written,
                cursor.copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT") as copied,
            ):
                for block in copied:
                    written.write(block)
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
        sequences = [(name, value) for name, value in cursor.fetchall() if value is not None]
    shutil.copytree(folder, files)
    return Kept(rows, files, sequences)


def _bring_back(folder: Path, kept: Kept) -> None:
    sealing.forget_keys()
    with _unwalled() as (cursor, tables):
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, columns in tables.items():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copied:
                copied.write((kept.rows / table).read_bytes())
        for name, value in kept.sequences:
            cursor.execute("SELECT setval(%s::regclass, %s)", [f'public."{name}"', value])
    shutil.copytree(kept.files, folder, dirs_exist_ok=True)


@contextmanager
def _unwalled() -> Iterator[tuple[Any, dict[str, str]]]:
    """Let the owner copy rows of every firm for the length of one transaction, and put the wall back in it."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relforcerowsecurity, string_agg(format('%%I', a.attname), ', ')"
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
