"""Read the settings of one installation from the environment, and refuse to guess a secret."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def optional(name: str, default: str = "") -> str:
    """Return the content of the file NAME_FILE names, or the value of NAME, or systemd's credential, or the default."""
    if (file := file_of(name)) and (name not in os.environ or f"{name}_FILE" in os.environ):
        return file.read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def file_of(name: str) -> Path | None:
    """Return the file that holds NAME: the one NAME_FILE names, or the credential systemd left under its name."""
    if file := os.environ.get(f"{name}_FILE"):
        return Path(file)
    # LoadCredential=scope_key:/etc/quittance/scope_key puts it there, readable by the service alone.
    if (folder := os.environ.get("CREDENTIALS_DIRECTORY")) and (found := Path(folder) / name.lower()).is_file():
        return found
    return None


def required(name: str) -> str:
    """Return the value of NAME or of the file NAME_FILE names; refuse to start without it."""
    if value := optional(name):
        return value
    raise ImproperlyConfigured(
        f"{name} is missing: set {name} or {name}_FILE, or a systemd credential (bin/run writes its own)."
    )


def flag(name: str, *, default: bool = False) -> bool:
    """Read a yes-or-no setting; refuse any other word."""
    value = optional(name, "1" if default else "0").lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is neither yes nor no: {value!r}.")


def number(name: str, *, default: int) -> int:
    """Read a whole number; refuse anything else."""
    value = optional(name, str(default))
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name} is not a whole number: {value!r}.")
    return int(value)


def listed(name: str) -> list[str]:
    """Read a comma-separated list, without blanks."""
    return [part.strip() for part in optional(name).split(",") if part.strip()]
