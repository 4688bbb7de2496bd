"""PostgreSQL and Redis as two child processes: prepared, started, asked whether they answer, stopped."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, ClassVar
from urllib.parse import quote

import psycopg

from config import roles
from config.homes import POSTGRES_MAJOR, Home, ServerError

PR_SET_PDEATHSIG = 1
# Ten times faster, and lost at the first power cut: for tests.
UNSAFE = ("fsync", "synchronous_commit", "full_page_writes")
SUPERUSER = "postgres"
# Redis's own words when its journal cannot be read to the end.
DAMAGED = "reading the append only file"
LIBC = ctypes.CDLL(None, use_errno=True)


def dies_with_parent(sign: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before its program: the kernel will send it `sign` when its parent dies."""
    parent = os.getpid()

    def before() -> None:
        # After setuid, never before: changing account clears the request.
        LIBC.prctl(PR_SET_PDEATHSIG, int(sign))
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.umask(0o077)
        if os.getppid() != parent:
            os._exit(1)

    return before


class Server(ABC):
    """One server of a home: what it needs before, how it starts, what proves that it answers."""

    name: ClassVar[str]
    program_name: ClassVar[str]
    # From the most polite to the last; each with the seconds it is given.
    stopping: ClassVar[Sequence[tuple[signal.Signals, float]]]

    def __init__(self, *, home: Home, program: Path, secrets: Mapping[str, str], durable: bool) -> None:
        self.home = home
        self.program = program
        self.secrets = secrets
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def folder(self) -> Path:
        """The folder of its data, which is also where it works."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the first start needs, whole or not at all."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its options."""

    @abstractmethod
    def answers(self) -> bool:
        """Say whether it accepts a real connection."""

    def start(self, log: IO[bytes]) -> None:
        """Start it on its own data, after removing what an unclean stop may have left."""
        self.evict()
        self.process = subprocess.Popen(  # noqa: S603 — our own programs
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            preexec_fn=dies_with_parent(self.stopping[0][0]),  # noqa: PLW1509 — the keeper is single-threaded here
            user=self.account[0],
            group=self.account[1],
            extra_groups=self.account[2],
        )

    def wait(self, log: IO[bytes]) -> None:
        """Wait for an answer as long as the process lives, recovery may be long; retry a failed start."""
        for patience in (0.5, 1.0, 2.0, 4.0, 0.0):
            while self.alive():
                if self.answers():
                    return
                time.sleep(0.05)
            if patience:
                time.sleep(patience)
                self.repair(_tail(log))
                self.start(log)
        raise ServerError(f"{self.name} ne démarre pas. Vos données n’ont pas été touchées.")

    def repair(self, said: str) -> None:  # noqa: B027 — PostgreSQL repairs itself
        """Set aside what stopped the last start, when its last words name it and it is safe."""

    def alive(self) -> bool:
        """Say whether the process started here still runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ask, insist, then force."""
        if self.process is None:
            return
        for sign, seconds in self.stopping:
            if self.process.poll() is None:
                self.process.send_signal(sign)
            try:
                self.process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                continue
            break

    def evict(self) -> None:
        """End whatever still works on this data, found among processes: a pid in a file proves nothing."""
        for sign, seconds in self.stopping:
            found = list(squatters(folder=self.folder, program=self.program_name))
            for pid in found:
                _signal(pid, sign)
            deadline = time.monotonic() + seconds
            while found and time.monotonic() < deadline:
                time.sleep(0.05)
                found = list(squatters(folder=self.folder, program=self.program_name))
            if not found:
                return

    @property
    def account(self) -> tuple[int, int, tuple[()]] | tuple[None, None, None]:
        """User, group and other groups of the process; nothing to change when they are one's own."""
        if self.home.uid == os.geteuid():
            return None, None, None
        return self.home.uid, self.home.gid, ()


class Postgres(Server):
    """PostgreSQL on a Unix socket of its own, every role behind a password."""

    name = "PostgreSQL"
    program_name = "postgres"
    stopping = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))

    @property
    def folder(self) -> Path:
        return self.home.postgres

    def prepare(self) -> None:
        """Create the cluster beside its place, then move it there: half a cluster is never taken for one."""
        if self.folder.exists():
            found = (self.folder / "PG_VERSION").read_text(encoding="utf-8").strip()
            if found != str(POSTGRES_MAJOR):
                raise ServerError(
                    f"Les données de {self.folder} sont celles de PostgreSQL {found}, le produit embarque la "
                    f"version {POSTGRES_MAJOR}. Rien n’a été modifié. Voir docs/operations.md, « Upgrades »."
                )
            return
        draft = self.folder.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        self.home.private(draft)
        password = self.home.sockets / "superuser"
        try:
            password.write_bytes(b"")
            password.chmod(0o600)
            os.chown(password, self.home.uid, self.home.gid)
            password.write_text(self.secrets["POSTGRES_PASSWORD"], encoding="utf-8")
            self._initdb(draft, password)
        finally:
            password.unlink(missing_ok=True)
        draft.rename(self.folder)

    def _initdb(self, draft: Path, password: Path) -> None:
        made = subprocess.run(  # noqa: S603 — our own programs
            [
                str(self.program.with_name("initdb")),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # Code-point order as in C, and upper and lower case for É as well.
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *(() if self.durable else ("--no-sync",)),
            ],
            check=False,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            capture_output=True,
            text=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
            user=self.account[0],
            group=self.account[1],
            extra_groups=self.account[2],
        )
        if made.returncode:
            raise ServerError(f"La base n’a pas pu être créée dans {draft} : {made.stderr.strip()}")

    def command(self) -> list[str]:
        """Small memory, no network, and no value of a row in the log."""
        folder = str(self.home.sockets).replace('"', '""')
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{folder}"',
            "unix_socket_permissions": "0700",
            "shared_buffers": "256MB" if self.durable else "128MB",
            "effective_cache_size": "1GB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "max_wal_size": "2GB",
            "random_page_cost": "1.1",
            "max_connections": "100",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            **({} if self.durable else dict.fromkeys(UNSAFE, "off")),
        }
        return [
            str(self.program),
            "-D",
            str(self.folder),
            *(f"--{key}={value}" for key, value in options.items()),
        ]

    def start(self, log: IO[bytes]) -> None:
        """Start after the eviction, which leaves nobody whose lock could still be good."""
        self.evict()
        # A pid written there may be anybody's by now, and PostgreSQL would believe it.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        (self.home.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        super().start(log)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.server, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def server(self) -> str:
        """The superuser's way in, which only this module uses."""
        return url(home=self.home, role=SUPERUSER, password=self.secrets["POSTGRES_PASSWORD"], database="postgres")

    def create_roles(self) -> None:
        """Create the four roles and the database, or say their rights again."""
        passwords = {
            roles.OWNER: self.secrets["OWNER_PASSWORD"],
            roles.APP: self.secrets["APP_PASSWORD"],
            roles.SCHEDULER: self.secrets["SCHEDULER_PASSWORD"],
            roles.OPERATOR: self.secrets["OPERATOR_PASSWORD"],
        }
        roles.create(server=self.server, passwords=passwords)


class Redis(Server):
    """Redis on a Unix socket of its own: nothing is evicted, everything is written down."""

    name = "Redis"
    program_name = "redis-server"
    stopping = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))

    @property
    def folder(self) -> Path:
        return self.home.redis

    def prepare(self) -> None:
        """Write the configuration again: the socket's folder follows the home."""
        self.home.private(self.folder)
        lines = {
            "port": "0",
            "unixsocket": _quoted(str(self.home.sockets / "redis.sock")),
            "unixsocketperm": "700",
            "requirepass": self.secrets["REDIS_PASSWORD"],
            "dir": _quoted(str(self.folder)),
            "appendonly": "yes",
            "appendfsync": "everysec" if self.durable else "no",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        path = self.folder / "redis.conf"
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{key} {value}\n" for key, value in lines.items())
            os.fchown(file.fileno(), self.home.uid, self.home.gid)

    def command(self) -> list[str]:
        return [str(self.program), str(self.folder / "redis.conf")]

    def answers(self) -> bool:
        words = f"AUTH {self.secrets['REDIS_PASSWORD']}\r\nPING\r\n".encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as way:
            way.settimeout(5.0)
            try:
                way.connect(str(self.home.sockets / "redis.sock"))
                way.sendall(words)
                said = b""
                while said.count(b"\r\n") < 2 and (piece := way.recv(512)):  # noqa: PLR2004 — one line a word
                    said += piece
            except OSError:
                return False
        return said.endswith(b"+PONG\r\n")

    def repair(self, said: str) -> None:
        """Set a damaged journal aside: the queue holds only ids, which the sweeps find again."""
        journal = self.folder / "appendonly.aof"
        if DAMAGED in said and journal.exists():
            journal.rename(journal.with_name(f"appendonly.aof.damaged-{time.time_ns()}"))


def url(*, home: Home, role: str, password: str, database: str) -> str:
    """Return a role's address on the home's socket."""
    return f"postgresql://{role}:{quote(password, safe='')}@{quote(str(home.sockets), safe='')}/{database}"


def redis_url(*, home: Home, password: str) -> str:
    """Return the address of the home's Redis."""
    return f"unix://:{quote(password, safe='')}@{quote(str(home.sockets / 'redis.sock'))}?db=0"


def squatters(*, folder: Path, program: str) -> Iterator[int]:
    """Yield the processes that run this program in this folder, whoever started them."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _works_in(entry, folder=str(folder), program=program):
            yield int(entry.name)


def _works_in(entry: Path, *, folder: str, program: str) -> bool:
    try:
        here = str((entry / "cwd").readlink()) == folder
        return here and (entry / "exe").readlink().name.removesuffix(" (deleted)") == program
    except PermissionError:
        return _says(entry, folder=folder, program=program)
    except OSError:
        return False


def _says(entry: Path, *, folder: str, program: str) -> bool:
    """In a container even root may not see where a process works; its command line is open to all."""
    try:
        words = (entry / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return re.search(rf"(^|/){re.escape(program)}\0", words) is not None and folder in words


def _signal(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return


def _tail(log: IO[bytes]) -> str:
    with Path(log.name).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
        return file.read().decode(errors="replace")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
