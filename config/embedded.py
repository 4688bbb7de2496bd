"""PostgreSQL and Redis from their Python wheels, for an installation that names no server of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config import keeper, keyring, locks, roles
from config.homes import Home, ServerError
from config.servers import redis_url, url

ROOT = Path(__file__).resolve().parents[1]
ADDRESSES = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_SCHEDULER_URL",
    "DATABASE_OPERATOR_URL",
    "REDIS_URL",
)
VAR = "QUITTANCE_VAR"
START_LOCK = "start.lock"
LONGEST_GOODBYE = 90.0


def configured(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether this installation names servers of its own: then nothing is embedded."""
    return any(environ.get(name) or environ.get(f"{name}_FILE") for name in ADDRESSES)


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of everything this installation writes."""
    return Path(environ.get(VAR) or ROOT / "var")


def environment(var: Path) -> dict[str, str]:
    """Return what the settings read: the secrets of this folder and the address of each role."""
    home = Home.of(var)
    secrets = keyring.ensure(home.secrets, data_exists=home.postgres.exists())
    doors = {
        "DATABASE_URL": (roles.APP, "APP_PASSWORD"),
        "DATABASE_OWNER_URL": (roles.OWNER, "OWNER_PASSWORD"),
        "DATABASE_SCHEDULER_URL": (roles.SCHEDULER, "SCHEDULER_PASSWORD"),
        "DATABASE_OPERATOR_URL": (roles.OPERATOR, "OPERATOR_PASSWORD"),
    }
    return {
        **{name: secrets[name] for name in keyring.SETTINGS},
        **{
            name: url(home=home, role=role, password=secrets[password], database=roles.DATABASE)
            for name, (role, password) in doors.items()
        },
        "REDIS_URL": redis_url(home=home, password=secrets["REDIS_PASSWORD"]),
        VAR: str(home.var),
    }


@contextmanager
def running(var: Path, *, durable: bool = True) -> Iterator[dict[str, str]]:
    """Yield the environment of servers that run until the last of their users leaves or is killed."""
    home, last = Home.of(var), False
    try:
        with locks.held(home.servers / keeper.USERS_LOCK, shared=True) as users:
            try:
                _ensure(home, durable=durable)
                yield environment(var)
            finally:
                last = locks.is_alone(users)
    finally:
        if last:
            _wait_for_the_end(home)


@contextmanager
def exported(var: Path, *, durable: bool = True) -> Iterator[None]:
    """Put the environment in place for this process and its children; change nothing on named servers."""
    if configured():
        yield
        return
    with running(var, durable=durable) as found:
        # What the installation sets by hand wins over what the folder keeps.
        before = dict(os.environ)
        os.environ.update({name: value for name, value in found.items() if name == VAR or not _is_set(name)})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def revive(var: Path) -> None:
    """Start the servers again when their keeper was killed; do nothing in every other case."""
    home = Home.of(var)
    if not locks.is_held(home.servers / keeper.KEEPER_LOCK):
        _ensure(home, durable=True)


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _ensure(home: Home, *, durable: bool) -> None:
    """Wait, one process at a time, until the servers answer; start a keeper when there is none.

    A recovery after a power cut has no time limit: the wait lasts as long as the keeper lives. A keeper just killed
    holds its lock for a moment and leaves its word behind: only an answer proves anything.
    """
    started = False
    with locks.held(home.servers / START_LOCK):
        while not ((home.servers / keeper.READY).exists() and _answers(home)):
            if locks.is_held(home.servers / keeper.KEEPER_LOCK):
                time.sleep(0.03)
            elif started:
                raise ServerError(_last_words(home))
            else:
                _start(home, durable=durable)
                started = True


def _answers(home: Home) -> bool:
    try:
        psycopg.connect(environment(home.var)["DATABASE_URL"], connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _last_words(home: Home) -> str:
    log = home.servers / keeper.LOG
    said = log.read_text(encoding="utf-8", errors="replace")[-1500:].strip() if log.exists() else ""
    return f"Les serveurs embarqués se sont arrêtés en démarrant. Journal {log} :\n{said}"


def _start(home: Home, *, durable: bool) -> None:
    done = subprocess.run(  # noqa: S603 — this very Python
        [sys.executable, "-m", "config.keeper", str(home.var), *(() if durable else (keeper.VOLATILE,))],
        cwd=ROOT,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    if done.returncode:
        raise ServerError(f"Les serveurs embarqués ne démarrent pas : {done.stderr.strip()[-1000:]}")


def _wait_for_the_end(home: Home) -> None:
    deadline = time.monotonic() + LONGEST_GOODBYE
    while locks.is_held(home.servers / keeper.KEEPER_LOCK) and time.monotonic() < deadline:
        time.sleep(0.03)


def main(arguments: list[str]) -> int:
    """Run one command with throw-away servers: `python -m config.embedded FOLDER command…`."""
    with exported(Path(arguments[0]), durable=False):
        return subprocess.run(arguments[1:], check=False).returncode  # noqa: S603 — the caller's own command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
