"""Passkeys (WebAuthn): the site an authenticator signs for, challenges of one session, keys sealed for their person."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

from cabinets.crypto import Placed, open_token, seal_token
from cabinets.key_holders import KeyHolder

# As long as a person may stay before the page; each challenge answers once.
LASTS = dt.timedelta(minutes=5)
_PURPOSE = b"passkey-challenge"


class Ceremony(StrEnum):
    """What an authenticator is asked: a new key, or to prove one."""

    ENROL = "enrol"
    PROVE = "prove"


@dataclass(frozen=True, slots=True)
class Site:
    """Who we are to a browser: the name keys are bound to, and the only origin that may ask for them."""

    name: str
    origin: str


def site_of(site_url: str) -> Site | None:
    """Return the site; None where browsers know no passkey: an address without a name, or without TLS."""
    parts = urlsplit(site_url)
    host = parts.hostname or ""
    if _is_address(host) or not (parts.scheme == "https" or host == "localhost"):
        return None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return Site(name=host, origin=f"{parts.scheme}://{host}{port}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return not host
    return True


def new_challenge(*, session_key: str, ceremony: Ceremony, now: dt.datetime, secret: str) -> bytes:
    """Return bytes nobody else can make, that say for themselves which session they are of and until when."""
    told = f"{ceremony}|{_of_session(session_key)}|{int(now.timestamp())}"
    return seal_token(told, secret=secret.encode(), purpose=_PURPOSE).encode()


def is_answered_in_time(
    challenge: bytes, *, session_key: str, ceremony: Ceremony, now: dt.datetime, secret: str
) -> bool:
    """Say whether a challenge was made here, for this session and this ceremony, less than five minutes ago."""
    told = open_token(challenge.decode("ascii", "replace"), secret=secret.encode(), purpose=_PURPOSE)
    if told is None:
        return False
    kind, session, made_at = told.split("|")
    age = now.timestamp() - int(made_at)
    return kind == ceremony and session == _of_session(session_key) and 0 <= age <= LASTS.total_seconds()


def _of_session(session_key: str) -> str:
    # Never the key itself, which opens the session.
    return hashlib.sha256(f"passkey|{session_key}".encode()).hexdigest()[:32]


def fingerprint(credential_id: bytes) -> str:
    """Return what finds a key again by its identifier, whose length has no bound."""
    return hashlib.sha256(credential_id).hexdigest()


def seal_key(public_key: bytes, *, user_id: UUID, credential_id: bytes, ring: KeyHolder) -> bytes:
    """Seal a public key: no secret, but whoever writes in the database cannot put their own in its place."""
    return ring.wrap([Placed(public_key, bound_to(user_id, credential_id))])[0]


def open_key(sealed: bytes, *, user_id: UUID, credential_id: bytes, ring: KeyHolder) -> bytes:
    """Open a person's public key; refuse one that was moved, altered, or written by another hand."""
    return ring.unwrap([Placed(sealed, bound_to(user_id, credential_id))])[0]


def bound_to(user_id: UUID, credential_id: bytes) -> bytes:
    """Return what binds a public key, once sealed, to its person and its identifier."""
    return b"quittance|passkey|" + user_id.bytes + hashlib.sha256(credential_id).digest()
