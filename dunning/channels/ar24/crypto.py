"""The signature AR24 asks of each call, and the seal it puts on each answer that is no error."""

import base64
import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

_PARIS = ZoneInfo("Europe/Paris")
_KEY, _VECTOR, _BLOCK = 32, 16, 128


def stamp(now: dt.datetime) -> str:
    """Write an instant as AR24 reads it: the clock of Paris, which it accepts for ten minutes."""
    return now.astimezone(_PARIS).strftime("%Y-%m-%d %H:%M:%S")


def sign(date: str, private_key: str) -> str:
    """Return the header that proves a call is the account's."""
    padder = PKCS7(_BLOCK).padder()
    padded = padder.update(date.encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(_key(private_key)), modes.CBC(_vector(private_key))).encryptor()
    return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()


def unseal(answer: bytes, *, date: str, private_key: str) -> bytes:
    """Open an answer sealed for the date of its call; raise ValueError when it does not open."""
    sealed = base64.b64decode(answer, validate=True)
    cipher = Cipher(algorithms.AES(_key(date + private_key)), modes.CBC(_vector(private_key))).decryptor()
    unpadder = PKCS7(_BLOCK).unpadder()
    return unpadder.update(cipher.update(sealed) + cipher.finalize()) + unpadder.finalize()


def seal(answer: bytes, *, date: str, private_key: str) -> bytes:
    """Seal an answer as AR24 does."""
    padder = PKCS7(_BLOCK).padder()
    padded = padder.update(answer) + padder.finalize()
    cipher = Cipher(algorithms.AES(_key(date + private_key)), modes.CBC(_vector(private_key))).encryptor()
    return base64.b64encode(cipher.update(padded) + cipher.finalize())


def _key(secret: str) -> bytes:
    return _hex(secret)[:_KEY].encode()


def _vector(private_key: str) -> bytes:
    return _hex(_hex(private_key))[:_VECTOR].encode()


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
