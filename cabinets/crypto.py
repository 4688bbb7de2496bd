"""Envelope encryption: AES-256-GCM, a data key per firm and per client, wrapped by a versioned key-encryption key.

A sealed value is `0x01 | key id (16) | nonce (12) | ciphertext and tag`. Its associated data name the column,
the firm and the row, so a value moved elsewhere does not open. Nothing here touches the database.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cabinets.errors import SealBrokenError

VERSION = b"\x01"
NONCE = 12
# A sealed value of nothing: version, key, nonce, tag.
EMPTY = 1 + 16 + NONCE + 16
KEY = 32
INDEX = 16
# What was wrapped begins with two bytes: a version of our own ring, or beyond, the service that made it.
MARK = 2
LOCAL_VERSIONS = 0xFF00


class Placed(NamedTuple):
    """Bytes, and what binds them to the one place where they open."""

    data: bytes
    bound_to: bytes


@dataclass(frozen=True, slots=True)
class KeyEncryptionKeys:
    """The ring of keys this installation holds itself, newest last; only the newest wraps, all of them unwrap.

    What it wraps is `version (2 bytes) | nonce (12) | ciphertext and tag`.
    """

    versions: tuple[tuple[int, bytes], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "1:base64,2:base64"; refuse a key that is not 32 bytes or a version given twice."""
        pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
        versions = tuple(sorted((int(number), base64.b64decode(key, validate=True)) for number, _, key in pairs))
        if not versions or any(len(key) != KEY for _, key in versions) or len(dict(versions)) != len(versions):
            raise ValueError("KEY_ENCRYPTION_KEYS is not 'version:base64 of 32 bytes', each version once")
        if not all(0 < number < LOCAL_VERSIONS for number, _ in versions):
            raise ValueError(f"KEY_ENCRYPTION_KEYS has a version that is not between 1 and {LOCAL_VERSIONS - 1}")
        return cls(versions=versions)

    @property
    def newest(self) -> int:
        """Return the version that wraps new keys."""
        return self.versions[-1][0]

    def wrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Wrap secrets, each for its place."""
        version, kek = self.versions[-1]
        cipher, mark = AESGCM(kek), version.to_bytes(MARK, "big")
        nonces = [os.urandom(NONCE) for _ in things]
        return [
            mark + nonce + cipher.encrypt(nonce, data, bound_to)
            for nonce, (data, bound_to) in zip(nonces, things, strict=True)
        ]

    def unwrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Open wrapped secrets; refuse one moved to another place, altered, or made by a key that is not here."""
        return [self._unwrap(*thing) for thing in things]

    def _unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        kek = dict(self.versions).get(version_of(wrapped))
        if kek is None:
            raise SealBrokenError("La clé de chiffrement de cette donnée n’est pas connue de cette installation.")
        try:
            return AESGCM(kek).decrypt(wrapped[MARK : MARK + NONCE], wrapped[MARK + NONCE :], bound_to)
        except InvalidTag as error:
            raise SealBrokenError("Une clé de chiffrement ne s’ouvre pas à sa place.") from error

    def made(self, wrapped: bytes) -> bool:
        """Say whether a ring like this one made it, whatever the version."""
        return version_of(wrapped) < LOCAL_VERSIONS

    def is_newest(self, wrapped: bytes) -> bool:
        """Say whether the key that wraps today made it."""
        return version_of(wrapped) == self.newest


def version_of(wrapped: bytes) -> int:
    """Return the version of the key that wrapped this one; from LOCAL_VERSIONS on, the mark of a key service."""
    return int.from_bytes(wrapped[:MARK], "big")


def for_data_key(*, key_id: UUID, cabinet_id: UUID) -> bytes:
    """Return what binds a data key to its row and its firm."""
    return b"quittance|data-key|" + cabinet_id.bytes + key_id.bytes


def new_key() -> bytes:
    """Return 32 random bytes."""
    return os.urandom(KEY)


def context(*, column: str, cabinet_id: UUID, row_id: UUID) -> bytes:
    """Return what binds a value to its place: "table.column", the firm, the row."""
    return b"v1|" + column.encode() + b"|" + cabinet_id.bytes + row_id.bytes


@lru_cache(maxsize=4096)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def forget_ciphers() -> None:
    """Let go of every key kept ready for use in this process."""
    _cipher.cache_clear()
    _index_key.cache_clear()


def seal(data: bytes, *, key: bytes, key_id: UUID, bound_to: bytes) -> bytes:
    """Seal bytes for one place."""
    nonce = os.urandom(NONCE)
    return VERSION + key_id.bytes + nonce + _cipher(key).encrypt(nonce, data, bound_to)


def key_id_of(sealed: bytes) -> UUID:
    """Return the id of the key a value was sealed with."""
    if sealed[:1] != VERSION or len(sealed) < EMPTY:
        raise SealBrokenError("Une donnée chiffrée est illisible : son format n’est pas reconnu.")
    return UUID(bytes=bytes(sealed[1:17]))


def open_sealed(sealed: bytes, *, key: bytes, bound_to: bytes) -> bytes:
    """Open bytes in their place; refuse a value moved, altered, or sealed with another key."""
    try:
        return _cipher(key).decrypt(sealed[17 : 17 + NONCE], sealed[17 + NONCE :], bound_to)
    except InvalidTag as error:
        raise SealBrokenError(
            "Une donnée chiffrée ne s’ouvre pas à sa place : elle a été déplacée ou altérée."
        ) from error


def blind_index(text: str, *, key: bytes, column: str) -> bytes:
    """Return 16 bytes that let an exact value be found without being read; the caller normalises the value."""
    return hmac.digest(_index_key(key, column), text.encode(), hashlib.sha256)[:INDEX]


@lru_cache(maxsize=1024)
def _index_key(key: bytes, column: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY, salt=None, info=b"blind-index|" + column.encode()).derive(key)


def seal_token(text: str, *, secret: bytes, purpose: bytes) -> str:
    """Return a text encrypted for an address: url-safe, bound to its purpose, unreadable and unforgeable without it."""
    nonce = os.urandom(NONCE)
    sealed = AESGCM(_derived(secret, purpose)).encrypt(nonce, text.encode(), purpose)
    return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def open_token(token: str, *, secret: bytes, purpose: bytes) -> str | None:
    """Return the text of a token; None when it was altered, cut, invented or made for something else."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return AESGCM(_derived(secret, purpose)).decrypt(raw[:NONCE], raw[NONCE:], purpose).decode()
    except (ValueError, InvalidTag):
        return None


@lru_cache(maxsize=16)
def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY, salt=None, info=purpose).derive(secret)
