"""The processes of one installation: each alone for a container, or all together for one machine.

`python -m config.processes` runs everything on this machine; with a word (web, worker, beat, catcher,
migrate, roles) it becomes that one process.
"""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import embedded, env, keyring, locks, roles
from config.homes import ServerError
from config.servers import dies_with_parent

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1"
WAKING = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
LONGEST_PAUSE = 30.0
# A child that lived this long had started well: its next fall is a first fall.
STEADY = 60.0
LARGEST_LOG = 10_000_000


class StopAsked(Exception):  # noqa: N818 — a request, not an error
    """Someone asked the product to stop."""


def manage(*words: str) -> list[str]:
    """Return a Django command."""
    return [sys.executable, str(ROOT / "manage.py"), *words]


def web() -> list[str]:
    """Return the web server, which binds loopback unless told otherwise."""
    return [
        *(sys.executable, "-m", "granian", "config.wsgi:application", "--interface", "wsgi"),
        *("--host", os.environ.get("HOST") or LOOPBACK, "--port", str(port())),
        *("--workers", os.environ.get("WEB_WORKERS") or "2", "--blocking-threads", "4"),
        # An address may hold what opens a page: what is asked is noted in the firm's journal, and nowhere else.
        *("--workers-kill-timeout", "10", "--no-ws", "--no-access-log", "--working-dir", str(ROOT)),
    ]


def worker() -> list[str]:
    """Return the worker of every queue."""
    concurrency = os.environ.get("WORKER_PROCESSES") or "2"
    celery = (sys.executable, "-m", "celery", "--app", "config.celery:app", "--workdir", str(ROOT))
    return [*celery, "--quiet", "worker", "--loglevel", "INFO", "--concurrency", concurrency]


def beat() -> list[str]:
    """Return the clock of the periodic tasks: one, and only one, per installation."""
    celery = (sys.executable, "-m", "celery", "--app", "config.celery:app", "--workdir", str(ROOT))
    return [*celery, "--quiet", "beat", "--loglevel", "INFO", "--pidfile", ""]


def catcher() -> list[str]:
    """Return the mail catcher of the demo firms."""
    return manage("catcher")


def migrate() -> list[str]:
    """Return the command that brings the database to this version and raises its walls."""
    return manage("migrate", "--noinput")


def collect() -> list[str]:
    """Return the command that gathers the files of the pages under names that change with them."""
    return manage("collectstatic", "--noinput", "--verbosity", "0")


ALONE: dict[str, Callable[[], list[str]]] = {
    "web": web,
    "worker": worker,
    "beat": beat,
    "catcher": catcher,
    "migrate": migrate,
}


def port() -> int:
    """Return the port asked for, or 8000."""
    asked = os.environ.get("PORT") or "8000"
    if not asked.isdecimal() or not 0 < int(asked) < 65536:  # noqa: PLR2004 — the ports there are
        raise ServerError(f"PORT vaut « {asked} », qui n’est pas un port. Rien n’a été démarré.")
    return int(asked)


@dataclass(kw_only=True)
class Child:
    """One process to keep alive."""

    name: str
    command: list[str]
    patience: float
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    falls: int = 0

    def start(self, logs: Path) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor."""
        with _log(logs / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 — commands of this module
                self.command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 — the supervisor has no thread
            )
        self.started_at = time.monotonic()

    def fallen(self) -> bool:
        """Say whether it ended on its own, once its whole family is gone with it."""
        if self.process is None or self.process.poll() is None:
            return False
        _kill_family(self.process.pid)
        return True

    def postpone(self) -> float:
        """Forget the dead process and return the seconds to wait before the next."""
        self.falls = 1 if time.monotonic() - self.started_at > STEADY else self.falls + 1
        pause = min(2.0 ** (self.falls - 1), LONGEST_PAUSE)
        self.process, self.due_at = None, time.monotonic() + pause
        return pause

    def stop(self) -> None:
        """Ask it to finish what it does, then force it and its family."""
        if self.process is None:
            return
        self.process.terminate()
        deadline = time.monotonic() + self.patience
        while self.process.poll() is None and time.monotonic() < deadline:
            if signal.sigtimedwait(WAKING - {signal.SIGCHLD}, 0.1) is not None:
                break
        _kill_family(self.process.pid)
        self.process.wait()


class Supervisor:
    """Starts children in order, restarts the fallen, and stops all in the reverse order."""

    def __init__(self, *, logs: Path, watch: Callable[[], None] | None = None) -> None:
        self.logs = logs
        self.children: list[Child] = []
        self.watch = watch

    def add(self, name: str, command: list[str], *, patience: float = 10.0) -> None:
        """Start one more child."""
        child = Child(name=name, command=command, patience=patience)
        self.children.append(child)
        child.start(self.logs)

    def step(self, label: str, command: list[str], *, shown: bool = False) -> None:
        """Run one command to its end, saying how long it took; stop everything when it fails."""
        began = time.monotonic()
        say(f"· {label}…")
        path = _log(self.logs / "start.log")
        with path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 — commands of this module
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=None if shown else log,
                stderr=None if shown else log,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 — the supervisor has no thread
            )
        while process.poll() is None:
            if _heard(1.0):
                process.terminate()
                process.wait()
                raise StopAsked
        if process.returncode:
            said = "" if shown else f"\n{_tail(path)}\n"
            raise ServerError(f"{label} : échec (code {process.returncode}).{said} Journal complet : {path}")
        say(f"  fait en {_seconds(time.monotonic() - began)}")

    def wait_for_port(self, address: tuple[str, int], *, seconds: float) -> None:
        """Wait until something answers at this address; restart what falls meanwhile."""
        deadline = time.monotonic() + seconds
        while not _answers(address):
            if time.monotonic() > deadline:
                raise ServerError(f"Rien ne répond à {address[0]}:{address[1]}. Journaux : {self.logs}")
            if _heard(0.1):
                raise StopAsked
            self.mend()

    def keep(self) -> None:
        """Keep every child alive until someone asks to stop."""
        while not _heard(self._pause()):
            if self.watch:
                self.watch()
            self.mend()

    def mend(self) -> None:
        """Start again, after a pause that grows, each child that fell."""
        for child in self.children:
            if child.fallen():
                say(
                    f"! {child.name} s’est arrêté ; nouvel essai dans {_seconds(child.postpone())}. "
                    f"Journal : {self.logs / child.name}.log"
                )
            elif child.process is None and time.monotonic() >= child.due_at:
                child.start(self.logs)
                say(f"· {child.name} est reparti")

    def stop(self) -> None:
        """Stop the last started first."""
        for child in reversed(self.children):
            child.stop()
        self.children = []

    def _pause(self) -> float:
        due = [child.due_at - time.monotonic() for child in self.children if child.process is None]
        return max(0.0, min([10.0, *due]))


def everything() -> None:
    """Bring the whole product up on this machine and keep it up."""
    number, var = port(), embedded.folder()
    refuse_a_taken_port(number)
    named = embedded.configured()
    with alone(var), embedded.exported(var):
        say("· PostgreSQL et Redis " + ("sont ceux de l’environnement" if named else f"tournent dans {var}"))
        os.environ.setdefault("SITE_URL", f"http://{LOOPBACK}:{number}")
        os.environ["PYTHONUNBUFFERED"] = "1"
        watch = None if named else lambda: embedded.revive(var)
        supervisor = Supervisor(logs=_folder(var / "logs"), watch=watch)
        signal.pthread_sigmask(signal.SIG_BLOCK, WAKING)
        try:
            bring_up(supervisor, number=number)
            supervisor.keep()
        except StopAsked:
            pass
        finally:
            say("· Arrêt en cours : les envois commencés se terminent…")
            supervisor.stop()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WAKING)
    say("Quittance est arrêtée.")


def bring_up(supervisor: Supervisor, *, number: int) -> None:
    """Prepare the database and the files, then start every process."""
    supervisor.step("Base de données : mise à niveau", migrate())
    gather(supervisor)
    if not os.environ.get("DEMO_CATCHER"):
        os.environ["DEMO_CATCHER"] = f"{LOOPBACK}:{_free_port()}"
        supervisor.add("catcher", catcher(), patience=5.0)
        address = urlsplit(f"//{os.environ['DEMO_CATCHER']}")
        supervisor.wait_for_port((LOOPBACK, address.port or 0), seconds=60.0)
    supervisor.step("Cabinets de démonstration", manage("demo", "--if-empty"), shown=True)
    supervisor.add("web", web(), patience=15.0)
    supervisor.add("worker", worker(), patience=60.0)
    supervisor.add("beat", beat(), patience=5.0)
    supervisor.wait_for_port((LOOPBACK, number), seconds=60.0)
    say(f"\nQuittance est prête : http://{LOOPBACK}:{number}/")
    say(
        f"Elle écoute seulement sur cette machine ({LOOPBACK}) ; ailleurs, TLS est obligatoire "
        "(voir docs/operations.md)."
    )
    say(f"Journaux : {supervisor.logs}. Ctrl-C arrête tout.\n")


def gather(supervisor: Supervisor) -> None:
    """Gather and compress the files of the pages, unless they and the libraries are those of the last time."""
    stamp = embedded.folder() / "static.made"
    wanted = fingerprint([ROOT / "requirements.lock", *sorted(ROOT.glob("*/static/**/*"))])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        supervisor.step("Fichiers des pages", collect())
        stamp.write_text(wanted, encoding="utf-8")


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a digest of these files, their names and their contents."""
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(f"{path.relative_to(ROOT)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """Refuse a second supervisor of the same folder: two clocks would count every night twice."""
    descriptor = locks.opened(_folder(var / "servers") / "run.lock")
    try:
        if not locks.is_alone(descriptor):
            raise ServerError(
                f"Quittance tourne déjà sur {var}. Rien n’a été démarré. Arrêtez l’autre (Ctrl-C), ou donnez "
                "un autre dossier par QUITTANCE_VAR."
            )
        yield
    finally:
        os.close(descriptor)


def refuse_a_taken_port(number: int) -> None:
    """Refuse, before anything starts, a port that another program holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
        except OSError as error:
            raise ServerError(
                f"Le port {number} est déjà pris sur {LOOPBACK} ({error.strerror}). Rien n’a été démarré. "
                f"Fermez l’autre programme, ou tapez : PORT={number + 1} bin/run"
            ) from None


def create_roles() -> None:
    """Create the four roles on a real server, with the names and passwords of their addresses."""
    addresses = {
        roles.APP: "DATABASE_URL",
        roles.OWNER: "DATABASE_OWNER_URL",
        roles.SCHEDULER: "DATABASE_SCHEDULER_URL",
        roles.OPERATOR: "DATABASE_OPERATOR_URL",
    }
    roles.create_from(
        server=env.required("DATABASE_SUPERUSER_URL"),
        addresses={role: env.required(name) for role, name in addresses.items()},
    )
    say("Les quatre rôles et la base existent.")


def say(words: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _heard(seconds: float) -> bool:
    """Wait for a signal at most so long; say whether it asks to stop."""
    heard = signal.sigtimedwait(WAKING, seconds)
    return heard is not None and heard.si_signo != signal.SIGCHLD


def _answers(address: tuple[str, int]) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(address) == 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _kill_family(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _log(path: Path) -> Path:
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.rename(path.with_name(f"{path.name}.1"))
    path.touch(mode=0o600)
    return path


def _tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[-3000:].strip()


def _seconds(value: float) -> str:
    return f"{value:.1f} s".replace(".", ",")


def main(arguments: Sequence[str]) -> int:
    """Run one process in place of this one, or all of them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    try:
        if not arguments:
            everything()
        elif arguments[0] == "roles":
            create_roles()
        else:
            command = ALONE[arguments[0]]()
            if arguments[0] == "migrate":
                subprocess.run(collect(), check=True, cwd=ROOT)  # noqa: S603 — a command of this module
            os.execv(command[0], command)  # noqa: S606 — the container's process is the program itself
    except (ServerError, keyring.KeyringError, ImproperlyConfigured, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyError:
        sys.stderr.write(f"Mot inconnu : {arguments[0]}. Connus : {', '.join([*ALONE, 'roles'])}.\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
