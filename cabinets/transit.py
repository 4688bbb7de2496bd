"""A key service that never gives its key: the Transit engine of OpenBao and HashiCorp Vault, over its HTTP API.

What it wraps is `0xFF01 | length of the key's name | the key's name | "vault:v<version>:…"`. What binds a secret to its
place travels as associated data, and as derivation context too when the key was created derived. Rewrapping is a
decryption and an encryption: the engine's own /rewrap does not take associated data.
"""

import base64
import os
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from cabinets.crypto import LOCAL_VERSIONS, MARK, Placed, version_of
from cabinets.errors import KeyServiceError, SealBrokenError

VERSION = LOCAL_VERSIONS + 1
PREFIX = VERSION.to_bytes(MARK, "big")
TIMEOUT = httpx.Timeout(5.0, connect=2.0)
BATCH = 500
# A key's versions are asked again after that many seconds: a rotation is seen within a minute.
FACTS_SECONDS = 60.0
OK, NO_CONTENT, BAD, FORBIDDEN, NOT_FOUND, SEALED = 200, 204, 400, 403, 404, 503
# Unsealed: an active server, one that stands by, and one that stands by and answers.
AWAKE = frozenset({200, 429, 473})

_NAME = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?")
_CIPHERTEXT = re.compile(r"vault:v(\d{1,6}):[A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitSettings:
    """Where the service is, which key it uses for us, and what proves who asks."""

    url: str = ""
    mount: str = "transit"
    key: str = "quittance"
    namespace: str = ""
    authority: str = ""
    """The certificate, in PEM, of the authority that signed the service's, when the system does not know it."""
    role_id: str = ""
    secret_id: str = field(default="", repr=False)
    secret_id_file: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read the settings of the installation."""
        return cls(**values)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the service says of one key."""

    newest: int
    is_derived: bool
    until: float


class Transit:
    """One key of one Transit engine. The token lives in this process's memory and nowhere else."""

    def __init__(self, settings: TransitSettings) -> None:
        if not _NAME.fullmatch(settings.key):
            raise ValueError("TRANSIT_KEY is not the name of a key")
        self._settings = settings
        self._lock = threading.RLock()
        self._clients: dict[int, httpx.Client] = {}
        self._token, self._renew_at, self._is_renewable = "", 0.0, False
        self._facts: dict[str, _Facts] = {}

    def wrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Wrap secrets under the newest version of the key."""
        name = self._settings.key
        is_derived = self._facts_of(name).is_derived
        items = [{"plaintext": _encoded(data), **_place(bound_to, is_derived)} for data, bound_to in things]
        texts = [str(found.get("ciphertext", "")) for found in self._batches("encrypt", name, items)]
        if not all(_CIPHERTEXT.fullmatch(text) for text in texts):
            raise KeyServiceError(self._sentence("a donné une réponse illisible"))
        head = PREFIX + bytes([len(name)]) + name.encode()
        return [head + text.encode() for text in texts]

    def unwrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Open wrapped secrets, each with the key that made it."""
        opened: dict[int, bytes] = {}
        read = [_read(wrapped) for wrapped, _ in things]
        for name in {name for name, _ in read}:
            places = [place for place, (one, _) in enumerate(read) if one == name]
            is_derived = self._facts_of(name).is_derived
            items = [{"ciphertext": read[place][1], **_place(things[place][1], is_derived)} for place in places]
            for place, found in zip(places, self._batches("decrypt", name, items), strict=True):
                opened[place] = self._decoded(found)
        return [opened[place] for place in range(len(things))]

    def made(self, wrapped: bytes) -> bool:
        """Say whether a Transit engine made it."""
        return version_of(wrapped) == VERSION

    def is_newest(self, wrapped: bytes) -> bool:
        """Say whether our key's newest version made it."""
        name, text = _read(wrapped)
        made_by = _CIPHERTEXT.fullmatch(text)
        return name == self._settings.key and made_by is not None and int(made_by[1]) == self._facts_of(name).newest

    def check(self) -> None:
        """Wrap and open a word; raise KeyServiceError with what to mend."""
        status = self._ask("GET", "/v1/sys/health", token="").status_code
        if status not in AWAKE:
            raise self._refusal(status, [])
        word = Placed(os.urandom(16), b"quittance|check")
        if self.unwrap([Placed(self.wrap([word])[0], word.bound_to)]) != [word.data]:
            raise KeyServiceError(self._sentence("ne rend pas ce qu’on lui a confié"))

    def _batches(self, verb: str, name: str, items: list[dict[str, str]]) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            found = self._call("POST", self._path(verb, name), {"batch_input": batch}).get("batch_results")
            if not isinstance(found, list) or len(found) != len(batch):
                raise KeyServiceError(self._sentence("a donné une réponse illisible"))
            for one in found:
                if one.get("error"):
                    raise SealBrokenError(
                        "Une clé de chiffrement ne s’ouvre pas à sa place, ou sa version est retirée."
                    )
                yield one

    def _facts_of(self, name: str) -> _Facts:
        known = self._facts.get(name)
        if known is None or known.until <= time.monotonic():
            found = self._call("GET", self._path("keys", name))
            versions = [int(version) for version in found.get("keys") or {} if str(version).isdecimal()]
            if not versions:
                raise KeyServiceError(self._sentence(f"ne montre aucune version de la clé «\u00a0{name}\u00a0»"))
            known = _Facts(max(versions), bool(found.get("derived")), time.monotonic() + FACTS_SECONDS)
            self._facts[name] = known
        return known

    def _path(self, verb: str, name: str) -> str:
        return f"/v1/{quote(self._settings.mount)}/{verb}/{name}"

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Make one call as ourselves; when the token is refused, prove who we are again, once."""
        answer = self._ask(method, path, body, token=self._signed_in())
        if answer.status_code == FORBIDDEN:
            answer = self._ask(method, path, body, token=self._signed_in(again=True))
        said = _object(answer)
        data = said.get("data")
        # A batch with one bad item says 400 and still tells what became of each.
        if isinstance(data, dict) and (answer.status_code == OK or "batch_results" in data):
            return data
        raise self._refusal(answer.status_code, said.get("errors") or [])

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, token: str) -> httpx.Response:
        headers = {"X-Vault-Request": "true"}
        headers |= {"X-Vault-Token": token} if token else {}
        headers |= {"X-Vault-Namespace": self._settings.namespace} if self._settings.namespace else {}
        try:
            return self._client().request(method, path, json=body, headers=headers)
        except httpx.TimeoutException:
            raise KeyServiceError(self._sentence("ne répond pas à temps")) from None
        except httpx.RemoteProtocolError:
            # A line kept open that the other end had closed; wrapping or opening twice changes nothing.
            return self._ask_again(method, path, body, headers)
        except httpx.HTTPError:
            raise KeyServiceError(self._sentence("ne répond pas")) from None

    def _ask_again(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        try:
            return self._client().request(method, path, json=body, headers=headers)
        except httpx.HTTPError:
            raise KeyServiceError(self._sentence("ne répond pas")) from None

    def _client(self) -> httpx.Client:
        """Return this process's lines to the service; a child never speaks on its parent's."""
        with self._lock:
            if (client := self._clients.get(os.getpid())) is None:
                client = httpx.Client(
                    base_url=self._settings.url,
                    timeout=TIMEOUT,
                    verify=ssl.create_default_context(cadata=self._settings.authority or None),
                    follow_redirects=False,
                    trust_env=False,
                )
                self._clients = {os.getpid(): client}
            return client

    def _signed_in(self, *, again: bool = False) -> str:
        """Return a token that is still good: renewed when two thirds of its life are gone, asked again when refused."""
        with self._lock:
            if again or not self._token:
                self._token = self._log_in()
            elif time.monotonic() >= self._renew_at:
                self._renew()
            return self._token

    def _log_in(self) -> str:
        if not self._settings.role_id:
            token = _fresh(self._settings.token_file, self._settings.token)
            answer = self._ask("GET", "/v1/auth/token/lookup-self", token=token)
            found = _object(answer).get("data") or {}
            if answer.status_code != OK:
                raise self._refusal(answer.status_code, _object(answer).get("errors") or [])
            self._keep(found.get("ttl"), is_renewable=bool(found.get("renewable")))
            return token
        secret = _fresh(self._settings.secret_id_file, self._settings.secret_id)
        proof = {"role_id": self._settings.role_id, "secret_id": secret}
        answer = self._ask("POST", "/v1/auth/approle/login", proof, token="")
        found = _object(answer).get("auth") or {}
        if answer.status_code != OK or not found.get("client_token"):
            # An unknown role and a wrong secret are a bad request to the service: to us, nobody was recognised.
            raise self._refusal(FORBIDDEN if answer.status_code == BAD else answer.status_code, [])
        self._keep(found.get("lease_duration"), is_renewable=bool(found.get("renewable")))
        return str(found["client_token"])

    def _renew(self) -> None:
        answer = self._ask("POST", "/v1/auth/token/renew-self", {}, token=self._token) if self._is_renewable else None
        found = _object(answer).get("auth") if answer is not None and answer.status_code == OK else None
        if not found:
            self._token = self._log_in()
            return
        self._keep(found.get("lease_duration"), is_renewable=bool(found.get("renewable")))

    def _keep(self, seconds: object, *, is_renewable: bool) -> None:
        life = float(seconds) if isinstance(seconds, int | float) else 0.0
        # A life of nothing is a token that does not end.
        self._renew_at = time.monotonic() + (life * 2 / 3 if life else float("inf"))
        self._is_renewable = is_renewable

    def _decoded(self, found: Mapping[str, Any]) -> bytes:
        try:
            return base64.b64decode(str(found["plaintext"]), validate=True)
        except (KeyError, ValueError):
            raise KeyServiceError(self._sentence("a donné une réponse illisible")) from None

    def _refusal(self, status: int, errors: Sequence[object]) -> KeyServiceError:
        said = " ".join(str(error) for error in errors)[:200]
        if status == SEALED:
            return KeyServiceError(self._sentence("est scellé ou en maintenance\u00a0: descellez-le"))
        if status == FORBIDDEN:
            return KeyServiceError(
                self._sentence("refuse l’accès\u00a0: vérifiez le jeton ou le rôle, et ce que sa politique permet")
            )
        if status in {BAD, NOT_FOUND}:
            name = self._settings.key
            detail = f" (il dit\u00a0: {said})" if said else ""
            return KeyServiceError(
                self._sentence(f"refuse la clé «\u00a0{name}\u00a0»\u00a0: vérifiez qu’elle existe et sert{detail}")
            )
        return KeyServiceError(self._sentence(f"répond par une erreur (HTTP {status})"))

    def _sentence(self, what: str) -> str:
        return (
            f"Le service qui garde les clés ({self._settings.url}) {what}. Rien n’a été lu ni enregistré. "
            "Rétablissez-le, puis réessayez."
        )


def _read(wrapped: bytes) -> tuple[str, str]:
    """Return the name of the key and what the service gave; refuse what could not be ours."""
    length = wrapped[MARK] if len(wrapped) > MARK else 0
    name = wrapped[MARK + 1 : MARK + 1 + length].decode("ascii", "replace")
    text = wrapped[MARK + 1 + length :].decode("ascii", "replace")
    # The name becomes part of an address: a row that was altered asks for nothing else.
    if not _NAME.fullmatch(name) or not _CIPHERTEXT.fullmatch(text):
        raise SealBrokenError("Une clé de chiffrement est illisible\u00a0: son format n’est pas reconnu.")
    return name, text


def _place(bound_to: bytes, is_derived: bool) -> dict[str, str]:  # noqa: FBT001 - one of two kinds of key
    bound = {"associated_data": _encoded(bound_to)}
    return {**bound, "context": _encoded(bound_to)} if is_derived else bound


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fresh(file: str, known: str) -> str:
    """Return what the file holds now, so that whoever renews it is heard; without a file, what was set."""
    if not file:
        return known
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise KeyServiceError(
            f"Le fichier {file}, qui prouve qui nous sommes au service qui garde les clés, ne se lit pas "
            f"({error.strerror}). Rien n’a été lu ni enregistré."
        ) from error
