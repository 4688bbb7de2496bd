"""Sessions kept in the database with the person they belong to, so that each can be listed and ended."""

import hashlib
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from cabinets.models import Session


def reference_of(session_key: str) -> str:
    """Return what names a session on a page: never its key, which would open it."""
    return hashlib.sha256(f"session|{session_key}".encode()).hexdigest()[:16]


class SessionStore(DatabaseStore):
    """A session row that knows its person."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the model that keeps sessions."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Write the person and the device beside the session's data."""
        person = data.get(SESSION_KEY)
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]  # untyped in the stubs
        return Session(
            session_key=key,
            reference=reference_of(key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=UUID(person) if person else None,
            address=data.get("address"),
            agent=data.get("agent", "")[:200],
            started_at=data.get("started_at") or timezone.now(),
            seen_at=timezone.now(),
        )
