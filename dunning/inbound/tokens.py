"""The signed mark a reply brings back: an address of the firm's own mailbox that names one reminder, and no other."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from uuid import UUID

SIGNATURE = 10
LONGEST_LOCAL = 64
# 16 + 10 bytes in base32: a server may write the address in lower case and lose nothing.
_MARK = re.compile(r"\+r([a-z2-7]{42})@", re.IGNORECASE)


def marked_address(address: str, *, reminder_id: UUID, cabinet_id: UUID, key: bytes) -> str:
    """Return « boite+r…@cabinet.fr »; the plain address where the mark would not fit."""
    local, at, domain = address.rpartition("@")
    token = base64.b32encode(reminder_id.bytes + _sign(reminder_id, cabinet_id, key)).decode().rstrip("=").lower()
    marked = f"{local}+r{token}"
    return f"{marked}@{domain}" if at and "+" not in local and len(marked) <= LONGEST_LOCAL else address


def read_marks(addresses: Iterable[str], *, cabinet_id: UUID, key: bytes) -> tuple[UUID, ...]:
    """Return the reminders that these addresses name, signed for this firm; nothing for a mark of another or forged."""
    found = []
    for address in addresses:
        mark = _MARK.search(address)
        if mark is None:
            continue
        try:
            data = base64.b32decode(mark[1].upper() + "=" * (-len(mark[1]) % 8))
        except binascii.Error:
            continue
        reminder_id, signature = UUID(bytes=data[:16]), data[16:]
        if hmac.compare_digest(signature, _sign(reminder_id, cabinet_id, key)):
            found.append(reminder_id)
    return tuple(dict.fromkeys(found))


def _sign(reminder_id: UUID, cabinet_id: UUID, key: bytes) -> bytes:
    return hmac.digest(key, b"reply|" + cabinet_id.bytes + reminder_id.bytes, hashlib.sha256)[:SIGNATURE]
