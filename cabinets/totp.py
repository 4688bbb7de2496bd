"""Time-based codes (RFC 6238: SHA-1, thirty seconds, six figures), and their seed, sealed by the installation."""

import base64
import hashlib
import hmac
import os
from urllib.parse import quote, urlencode
from uuid import UUID

from cabinets.crypto import Placed
from cabinets.key_holders import KeyHolder

PERIOD = 30
DIGITS = 6
SEED = 20
ISSUER = "Quittance"


def new_seed() -> bytes:
    """Return 160 random bits, what RFC 4226 asks of a seed."""
    return os.urandom(SEED)


def step_at(seconds: float) -> int:
    """Return the thirty-second step an instant belongs to."""
    return int(seconds) // PERIOD


def code_at(seed: bytes, step: int) -> str:
    """Return the six figures of a step."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(seed: bytes, code: str, *, now: float) -> int | None:
    """Return the step a code belongs to: this one, or the one before for a person who types slowly."""
    current, typed = step_at(now), code.encode(errors="replace")  # what is no ASCII text cannot be compared as text
    matches = [step for step in (current, current - 1) if hmac.compare_digest(code_at(seed, step).encode(), typed)]
    return matches[0] if matches else None


def address(seed: bytes, *, account: str) -> str:
    """Return the otpauth address an application reads in the QR code."""
    query = urlencode({"secret": _base32(seed), "issuer": ISSUER, "digits": DIGITS, "period": PERIOD})
    return f"otpauth://totp/{ISSUER}:{quote(account)}?{query}"


def in_groups(seed: bytes) -> str:
    """Return the seed as a person types it: groups of four."""
    text = _base32(seed)
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _base32(seed: bytes) -> str:
    return base64.b32encode(seed).decode().rstrip("=")


def bound_to(user_id: UUID) -> bytes:
    """Return what binds a seed, once sealed, to its person."""
    return b"quittance|totp-seed|" + user_id.bytes


def seal(seed: bytes, *, user_id: UUID, ring: KeyHolder) -> bytes:
    """Seal a seed for its person."""
    return ring.wrap([Placed(seed, bound_to(user_id))])[0]


def open_seed(sealed: bytes, *, user_id: UUID, ring: KeyHolder) -> bytes:
    """Open a person's seed; refuse one that was moved, altered, or sealed under a key this installation lost."""
    return ring.unwrap([Placed(sealed, bound_to(user_id))])[0]
