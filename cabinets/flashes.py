"""What a page tells the next one: it names clients and sums, so it is kept sealed with the session until it is read."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.session import SessionStorage

from cabinets.crypto import open_token, seal_token

_PURPOSE = b"cabinets.flashes"


class SealedStorage(SessionStorage):
    """Messages in the session's row, where no browser and no reader of the database finds their words."""

    def serialize_messages(self, messages: Sequence[Any]) -> str:
        """Seal the messages."""
        return seal_token(super().serialize_messages(messages), secret=settings.SECRET_KEY.encode(), purpose=_PURPOSE)

    def deserialize_messages(self, data: list[Any] | str | None) -> Any:
        """Open the messages; those sealed by another key, or by none, are over."""
        if not isinstance(data, str):
            return None
        told = open_token(data, secret=settings.SECRET_KEY.encode(), purpose=_PURPOSE)
        return super().deserialize_messages(told)
