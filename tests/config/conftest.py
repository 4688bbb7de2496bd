"""Homes of servers for the tests of the servers themselves; every one is stopped and removed."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from config import embedded, locks
from config.homes import Home
from config.keeper import KEEPER_LOCK
from config.servers import squatters

USER = """
import pathlib, sys
from config import embedded
with embedded.running(pathlib.Path(sys.argv[1]), durable=bool(sys.argv[2])):
    print("up", flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Place:
    """A folder of servers, and what a test wants to know about it."""

    var: Path

    @property
    def home(self) -> Home:
        return Home.of(self.var)

    def pids(self) -> list[int]:
        """Every process of PostgreSQL and Redis that works on this folder's data."""
        return [
            *squatters(folder=self.home.postgres, program="postgres"),
            *squatters(folder=self.home.redis, program="redis-server"),
        ]

    def kept(self) -> bool:
        """Whether a keeper holds this folder."""
        return locks.is_held(self.home.servers / KEEPER_LOCK)

    def ask(self, statement: str, *, door: str = "DATABASE_URL") -> object:
        """Run one statement as one role and return its first value."""
        with psycopg.connect(embedded.environment(self.var)[door], autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.pgresult and cursor.pgresult.ntuples else None
        return row[0] if row else None

    def user(self, *, durable: bool = False) -> subprocess.Popen[str]:
        """Start another process that uses the servers until its input is closed; return once it does."""
        process = subprocess.Popen(  # noqa: S603 — our own words
            [sys.executable, "-c", USER, str(self.var), "durable" if durable else ""],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Servers made once, and kept running, for the tests that leave them as they were."""
    with contextmanager(_place)() as place, embedded.running(place.var):
        yield place


@pytest.fixture
def place() -> Iterator[Place]:
    """Servers of one test's own."""
    yield from _place()


def _place() -> Iterator[Place]:
    # Not pytest's folder: it is private to root, and the servers' account could not enter.
    base = Path(tempfile.mkdtemp(prefix="q-"))
    base.chmod(0o755)
    place = Place(base / "var")
    yield place
    assert not place.kept()
    assert place.pids() == []
    shutil.rmtree(base)
