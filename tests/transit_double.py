"""A Transit engine as OpenBao's HTTP API describes it: /v1/transit, AppRole, tokens that end, a seal.

Written from openbao.org/api-docs (secret/transit, auth/approle, auth/token, system/health) and the errors its engine
gives. It encrypts for real, so that associated data, contexts and versions are refused for the engine's own reasons.
"""

import base64
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.dunning.channels.web_double import Asked, Said, WebDouble, said

NONCE = 12


def refused(status: int, *errors: str) -> Said:
    return said({"errors": list(errors)}, status)


@dataclass
class Key:
    """One key: every version of it, the oldest that may still open, whether contexts derive others from it."""

    versions: list[bytes] = field(default_factory=lambda: [os.urandom(32)])
    is_derived: bool = False
    is_soft_deleted: bool = False
    oldest: int = 1

    def cipher(self, version: int, context: bytes) -> AESGCM:
        key = self.versions[version - 1]
        if self.is_derived:
            key = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=context).derive(key)
        return AESGCM(key)


@dataclass
class TransitDouble:
    """What the service holds, and what it was asked."""

    web: WebDouble
    role_id: str = "role"
    secret_id: str = "secret"
    life: int = 1200
    keys: dict[str, Key] = field(default_factory=lambda: {"quittance": Key()})
    tokens: dict[str, float] = field(default_factory=dict)
    is_sealed: bool = False
    is_renewable: bool = True
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def settings(self, **changes: str) -> dict[str, str]:
        """Return the settings of an installation that uses it."""
        return {
            "url": self.web.url, "mount": "transit", "key": "quittance", "namespace": "", "authority": "",
            "role_id": self.role_id, "secret_id": self.secret_id, "secret_id_file": "", "token": "", "token_file": "",
            **changes,
        }  # fmt: skip

    def token(self, life: float | None = None) -> str:
        """Issue a token."""
        name = f"s.{next(self.numbers)}"
        self.tokens[name] = time.monotonic() + (self.life if life is None else life)
        return name

    def answer(self, asked: Asked) -> Said:
        """Answer as the service does."""
        if asked.path == "/v1/sys/health":
            return said({"initialized": True, "sealed": self.is_sealed}, 503 if self.is_sealed else 200)
        if self.is_sealed:
            return refused(503, "Vault is sealed")
        return self._log_in(asked.json()) if asked.path == "/v1/auth/approle/login" else self._known(asked)

    def _known(self, asked: Asked) -> Said:
        token = asked.headers.get("x-vault-token", "")
        if self.tokens.get(token, 0) <= time.monotonic():
            return refused(403, "permission denied")
        if asked.path == "/v1/auth/token/renew-self":
            self.tokens[token] = time.monotonic() + self.life
            return said({"auth": {"client_token": token, "lease_duration": self.life, "renewable": self.is_renewable}})
        if asked.path == "/v1/auth/token/lookup-self":
            return said({"data": {"ttl": int(self.tokens[token] - time.monotonic()), "renewable": self.is_renewable}})
        return self._transit(asked)

    def _log_in(self, proof: Any) -> Said:
        if (proof["role_id"], proof["secret_id"]) != (self.role_id, self.secret_id):
            return refused(400, "invalid role or secret ID")
        auth = {"client_token": self.token(), "lease_duration": self.life, "renewable": self.is_renewable}
        return said({"auth": auth, "data": None})

    def _transit(self, asked: Asked) -> Said:
        _, _, mount, verb, name = asked.path.split("/", 4)
        if mount != "transit":
            return refused(404, f'no handler for route "{asked.path[4:]}"')
        key = self.keys.get(name)
        if verb == "keys":
            return refused(404) if key is None else self._facts(name, key)
        if key is None:
            return refused(400, "encryption key not found")
        if key.is_soft_deleted:
            return refused(400, "key is soft-deleted and cannot be used")
        done = [getattr(self, f"_{verb}")(key, item) for item in asked.json()["batch_input"]]
        return said({"data": {"batch_results": done}}, 400 if any("error" in one for one in done) else 200)

    def _facts(self, name: str, key: Key) -> Said:
        versions = {str(number): 1_700_000_000 for number in range(key.oldest, len(key.versions) + 1)}
        return said({"data": {"name": name, "type": "aes256-gcm96", "derived": key.is_derived, "keys": versions}})

    def _encrypt(self, key: Key, item: dict[str, str]) -> dict[str, str]:
        version, nonce = len(key.versions), os.urandom(NONCE)
        bound, context = (base64.b64decode(item.get(part, "")) for part in ("associated_data", "context"))
        if key.is_derived and not context:
            return {"error": "missing 'context' for key derivation; the key was created using a derived key"}
        sealed = nonce + key.cipher(version, context).encrypt(nonce, base64.b64decode(item["plaintext"]), bound)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}"}

    def _decrypt(self, key: Key, item: dict[str, str]) -> dict[str, str]:
        number, _, text = item["ciphertext"].removeprefix("vault:v").partition(":")
        version, sealed = int(number), base64.b64decode(text)
        if len(sealed) < NONCE:
            return {"error": "invalid ciphertext: too short"}
        if version < key.oldest:
            return {"error": "ciphertext or signature version is disallowed by policy (too old)"}
        bound, context = (base64.b64decode(item.get(part, "")) for part in ("associated_data", "context"))
        try:
            opened = key.cipher(version, context).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
        except InvalidTag:
            return {"error": "cipher: message authentication failed"}
        return {"plaintext": base64.b64encode(opened).decode()}


@contextmanager
def transit_service() -> Iterator[TransitDouble]:
    """Start the service on this machine."""
    with WebDouble() as web:
        double = TransitDouble(web)
        first = web.answer

        def answer(asked: Asked) -> Said:
            fault = first(asked)
            return double.answer(asked) if fault == Said(status=404) else fault

        web.answer = answer  # type: ignore[method-assign]
        yield double
