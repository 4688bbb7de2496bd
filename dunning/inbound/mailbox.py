"""What a mailbox promises: the messages after a mark, each whole, none changed, moved or marked as read."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cabinets.outside import is_loopback


class Security(StrEnum):
    """How the conversation is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a folder was read: the identity of its numbering, and the last number read in it."""

    uid_validity: int = 0
    last_uid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One message as the folder gave it."""

    uid_validity: int
    uid: int
    received_at: dt.datetime
    raw: bytes


class MailboxError(Exception):
    """The mailbox cannot be read now; permanent: not before somebody mends its settings."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Reading(Protocol):
    """An open folder, read only."""

    def after(self, mark: Mark, *, since: dt.date, at_most: int) -> Iterator[Fetched]:
        """Give the messages that follow the mark, oldest first; those since a day where the numbering is new."""


class Mailbox(Protocol):
    """A mailbox of the firm."""

    def open(self) -> AbstractContextManager[Reading]:
        """Open the folder; raise MailboxError when it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSettings:
    """One folder of one mailbox; unprotected only towards this very machine."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    folder: str = "INBOX"
    security: Security = Security.TLS
    is_token: bool = False
    """The secret is an access token (XOAUTH2), not a password."""
    timeout: float = 20.0
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.host or not 0 < self.port < 65536:  # noqa: PLR2004 (the ports of TCP)
            raise ValueError("Une boîte de réponses a un serveur et un port.")
        if self.security is Security.NONE and not is_loopback(self.host):
            raise ValueError("Sans TLS, seule une boîte de cette machine peut être lue.")
        if re.search(r"[\r\n\x00]", self.username + self.secret + self.folder):
            raise ValueError("L’identifiant, le mot de passe et le dossier tiennent sur une ligne.")
