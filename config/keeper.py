"""The process that keeps the embedded servers alive while someone uses them, and stops them after the last.

Every user of the servers holds a shared lock, which the kernel frees even after kill -9; the keeper waits for
that lock alone. Should the keeper itself be killed, the kernel stops its servers.
"""

import fcntl
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO

from config import keyring, locks
from config.homes import Home
from config.servers import Postgres, Redis, Server

READY = "ready"
KEEPER_LOCK = "keeper.lock"
USERS_LOCK = "users.lock"
LOG = "servers.log"
VOLATILE = "--volatile"
LARGEST_LOG = 5_000_000
WAKING = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1}


def main(arguments: list[str]) -> int:
    """Take the keeper's lock, go to the background, and keep."""
    home = Home.of(Path(arguments[0]))
    lock = locks.opened(home.servers / KEEPER_LOCK)
    # Blocking: a probe may hold it for an instant. The lock goes with the fork, so the caller sees it held.
    fcntl.flock(lock, fcntl.LOCK_EX)
    (home.servers / READY).unlink(missing_ok=True)
    if os.fork():
        return 0
    with _log(home) as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
        keep(home=home, log=log, durable=VOLATILE not in arguments[1:])
    return 0


def keep(*, home: Home, log: IO[bytes], durable: bool) -> None:
    """Start both servers, say so in a file, and stop them when nobody uses them any more."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WAKING)
    os.umask(0o077)
    servers = _servers(home, durable=durable)
    try:
        for server in servers:
            server.prepare()
            server.start(log)
        for server in servers:
            server.wait(log)
        servers[0].create_roles()
        (home.servers / READY).write_text(f"{os.getpid()}\n", encoding="utf-8")
        threading.Thread(target=_wait_for_nobody, args=[home], daemon=True).start()
        _watch(servers, log)
    finally:
        (home.servers / READY).unlink(missing_ok=True)
        for server in reversed(servers):
            server.stop()
        if home.sockets.parent != home.data:
            _remove_if_empty(home.sockets)


def _servers(home: Home, *, durable: bool) -> tuple[Postgres, Redis]:
    secrets = keyring.ensure(home.secrets, data_exists=home.postgres.exists())
    home.private(home.sockets)
    postgres, redis = home.programs()
    return (
        Postgres(home=home, program=postgres / "postgres", secrets=secrets, durable=durable),
        Redis(home=home, program=redis, secrets=secrets, durable=durable),
    )


def _watch(servers: tuple[Server, ...], log: IO[bytes]) -> None:
    """Start again a server that ended; return when told to stop."""
    while signal.sigwait(WAKING) == signal.SIGCHLD:
        for server in servers:
            if not server.alive():
                _say(f"{server.name} ended unexpectedly and is started again")
                server.start(log)
                server.wait(log)


def _wait_for_nobody(home: Home) -> None:
    users = locks.opened(home.servers / USERS_LOCK)
    # Kept until the process ends: a newcomer waits for a clean stop, then starts its own keeper.
    fcntl.flock(users, fcntl.LOCK_EX)
    os.kill(os.getpid(), signal.SIGUSR1)


def _log(home: Home) -> IO[bytes]:
    path = home.servers / LOG
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.rename(path.with_name(f"{LOG}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.close(descriptor)
    return path.open("ab", buffering=0)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        _say(f"{folder} is not empty and stays")


def _say(words: str) -> None:
    sys.stdout.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC [keeper] {words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
