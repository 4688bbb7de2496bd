"""One database migrated once, which every worker and every run copies while the migrations stay the same."""

import hashlib
from pathlib import Path
from typing import Any

from django.db import connections

ROOT = Path(__file__).parents[1]
MIGRATED = "quittance_migrated_"


def copy_migrated(own: str) -> bool:
    """Make this database a copy of the migrated one; say whether there was one to copy."""
    kept = _kept_name()
    with _creation()._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [kept])
        if cursor.fetchone() is None:
            return False
        cursor.execute(f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{own}" TEMPLATE "{kept}"')
    return True


def keep_migrated(own: str) -> None:
    """Keep a copy of this database as it is now, freshly migrated, and drop those of older migrations."""
    for alias in connections:
        connections[alias].close()
    with _creation()._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{MIGRATED}%"])
        for (old,) in cursor.fetchall():
            cursor.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{_kept_name()}" TEMPLATE "{own}"')


def _creation() -> Any:
    return connections["owner"].creation


def own_name() -> str:
    """Return the name of this worker's database, asked before the tests take its place."""
    return str(_creation()._get_test_db_name())


def _kept_name() -> str:
    """Return a name that only the same migrations give."""
    told = hashlib.sha256()
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        told.update(path.read_bytes())
    return MIGRATED + told.hexdigest()[:16]
