"""Calls to a provider over HTTPS: what was answered, and whether the call may have been heard."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from cabinets.outside import client as outside_client
from cabinets.outside import is_loopback
from dunning.channels.protocol import DeliveryError

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
LARGEST = 30_000_000
UNAUTHORISED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429

# The line was never open: whatever was to be said was not heard.
_UNHEARD = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Unheard(DeliveryError):  # noqa: N818 (an answer nobody gave)
    """Nobody was reached: the call was not made."""


class Unanswered(DeliveryError):  # noqa: N818
    """The call was made and no readable answer came: it may have been obeyed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered."""

    status: int
    content: bytes
    media_type: str = ""

    @property
    def is_success(self) -> bool:
        """The provider says it did what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 (2xx: yes)

    def json(self) -> Any:
        """Read the answer; raise Unanswered when it is no JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise Unanswered(f"Réponse illisible (HTTP {self.status}).", permanent=False, code=self.status) from error

    def record(self) -> dict[str, Any]:
        """Read an answer that must be an object; raise Unanswered otherwise."""
        found = self.json()
        if not isinstance(found, dict):
            raise Unanswered(f"Réponse inattendue (HTTP {self.status}).", permanent=False, code=self.status)
        return found


def check_base(url: str) -> str:
    """Return the address of an interface without its last slash; anything but HTTPS stays on this machine."""
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and not is_loopback(parts.hostname)):
        raise ValueError("L’adresse d’une interface commence par https://.")
    return url.rstrip("/")


def call(
    method: str,
    url: str,
    *,
    name: str,
    timeout: httpx.Timeout = TIMEOUT,
    headers: Mapping[str, str] | None = None,
    **request: Any,
) -> Answer:
    """Make one call, follow no redirection, and say which of three things happened: unheard, unanswered, answered."""
    try:
        with (
            outside_client(timeout=timeout) as client,
            client.stream(method, url, headers=dict(headers or {}), **request) as response,
        ):
            content = bytearray()
            for piece in response.iter_bytes():
                content += piece
                if len(content) > LARGEST:
                    raise Unanswered(f"{name} répond trop longuement.", permanent=False)
            media_type = response.headers.get("content-type", "").partition(";")[0].strip()
            return Answer(status=response.status_code, content=bytes(content), media_type=media_type)
    except _UNHEARD as error:
        raise Unheard(f"{name} ne répond pas.", permanent=False) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise Unanswered(f"{name} n’a pas répondu jusqu’au bout.", permanent=False) from error
