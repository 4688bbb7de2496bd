"""The secrets one machine writes for itself: made once, kept in private files, never invented twice."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


class KeyringError(RuntimeError):
    """A secret is lost or exposed; the sentence says which one and what to do."""


def _word() -> str:
    return secrets.token_urlsafe(48)


def _keys() -> str:
    return f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


# What the settings read: file name, then how a fresh one is drawn.
SETTINGS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": _word,
    "KEY_ENCRYPTION_KEYS": _keys,
    "SCOPE_KEY": _word,
    "LINK_KEY": _word,
}
# What only the embedded servers read.
SERVERS: Mapping[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": _word,
    "OWNER_PASSWORD": _word,
    "APP_PASSWORD": _word,
    "SCHEDULER_PASSWORD": _word,
    "OPERATOR_PASSWORD": _word,
    "REDIS_PASSWORD": _word,
}
# A new one in place of these would leave data that nobody can open, or links that nobody can follow.
IRREPLACEABLE = frozenset({"KEY_ENCRYPTION_KEYS", "SCOPE_KEY", "LINK_KEY", "POSTGRES_PASSWORD"})


def ensure(folder: Path, *, data_exists: bool = False) -> dict[str, str]:
    """Return every secret of this folder, drawing the missing; refuse to replace one that guards data."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(PRIVATE_FOLDER)
    return {
        name: _one(folder / name.lower(), draw=draw, may_draw=not (data_exists and name in IRREPLACEABLE))
        for name, draw in {**SETTINGS, **SERVERS}.items()
    }


def _one(path: Path, *, draw: Callable[[], str], may_draw: bool) -> str:
    if not path.exists():
        if not may_draw:
            raise KeyringError(
                f"Le secret {path.name} manque dans {path.parent} alors que des données existent : "
                "elles ne peuvent pas s’ouvrir sans lui. Rien n’a été modifié. "
                "Remettez le fichier depuis votre sauvegarde."
            )
        _write(path, draw())
    if path.stat().st_mode & 0o077:
        raise KeyringError(
            f"Le secret {path} peut être lu par d’autres comptes de la machine. Rien n’a été démarré. "
            f"Tapez « chmod 600 '{path}' », et renouvelez-le s’il a pu être lu."
        )
    return path.read_text(encoding="utf-8").strip()


def _write(path: Path, value: str) -> None:
    """Write the whole secret or none; when two processes draw at once, both keep the first."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{value}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
