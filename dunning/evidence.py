"""The chain of evidence: how a link is written, and how it holds the one before. Pure."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

GENESIS = hashlib.sha256(b"quittance|evidence|1").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What one link of a firm's chain says; its hash covers every word of it and the hash before."""

    cabinet_id: UUID
    seq: int
    at: dt.datetime
    event: str
    reminder_id: UUID | None
    client_id: UUID | None
    subject_type: str
    subject_id: UUID | None
    facts: Mapping[str, Any]
    digests: Mapping[str, str]
    previous: bytes

    @property
    def hash(self) -> bytes:
        """Return the SHA-256 of the link in its canonical form: sorted keys, no spaces, UTC to the microsecond."""
        return hashlib.sha256(self.canonical.encode()).digest()

    @property
    def canonical(self) -> str:
        """Return the link as it is hashed; whoever has the rows can compute it without the product."""
        said = {
            "at": self.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "cabinet": str(self.cabinet_id),
            "client": _text(self.client_id),
            "digests": dict(self.digests),
            "event": self.event,
            "facts": dict(self.facts),
            "previous": self.previous.hex(),
            "reminder": _text(self.reminder_id),
            "seq": self.seq,
            "subject_id": _text(self.subject_id),
            "subject_type": self.subject_type,
        }
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(content: bytes | str) -> str:
    """Return the SHA-256 of a content, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)
