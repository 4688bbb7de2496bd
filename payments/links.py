"""Tokens of payment links: recomputed when a message is shown again, known to the database by their hash alone."""

import base64
import hashlib
import hmac
from uuid import UUID

TOKEN_LENGTH = 43
SHORT_LENGTH = 14
CODE_DIGITS = 6


def token_for(link_id: UUID, version: int, key: str) -> str:
    """Return the token of this version of a link: 43 characters that cannot be guessed without the key."""
    mac = hmac.digest(key.encode(), f"payment-link|{link_id}|{version}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def short_of(token: str) -> str:
    """Return the part of a token a text message has room for: 14 characters, 84 bits nobody guesses."""
    return token[:SHORT_LENGTH]


def code_for(message_id: UUID, key: str) -> str:
    """Return the six digits of a code message: made again when it is sent and when it is typed, kept nowhere."""
    mac = hmac.digest(key.encode(), f"link-code|{message_id}".encode(), "sha256")
    return f"{int.from_bytes(mac[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def hash_of(token: str) -> bytes:
    """Return what the database keeps of a token; any text has a hash, so that a wrong token is only unknown."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
