"""The few calls PayPlug is asked: one key a call, one version, no redirection, and its refusals told in French."""

from collections.abc import Mapping
from typing import Any

import httpx

from cabinets import outside
from payments.errors import ProviderError
from payments.providers import failures
from payments.providers.payplug.profile import NAME

HOST = "https://api.payplug.com"
VERSION = "2019-08-06"
UNAUTHORISED, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER = 401, 403, 404, 429, 500
SUCCESS = range(200, 300)


class PayPlugClient:
    """PayPlug's interface, as far as hosted payments need it."""

    def __init__(self, *, secret_key: str, base_url: str = "") -> None:
        self._key = secret_key
        self._base_url = base_url or HOST

    def get(self, path: str, *, timeout: float) -> dict[str, Any]:
        """Read one object."""
        return self._call("GET", path, timeout=timeout)

    def post(self, path: str, body: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
        """Create one object."""
        return self._call("POST", path, body, timeout=timeout)

    def patch(self, path: str, body: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
        """Change one object."""
        return self._call("PATCH", path, body, timeout=timeout)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout: float) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}", "PayPlug-Version": VERSION, "Accept": "application/json"}
        try:
            with outside.client(timeout=timeout) as client:
                answer = client.request(method, f"{self._base_url}{path}", headers=headers, json=body)
        except httpx.HTTPError:
            raise failures.silent(NAME) from None
        found = _read(answer)
        if answer.status_code not in SUCCESS:
            raise _refusal(answer.status_code, found)
        if found is None:
            raise failures.unreadable(NAME)
        return found


def _read(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _refusal(status: int, said: Mapping[str, Any] | None) -> ProviderError:
    simple = {
        UNAUTHORISED: failures.wrong_key,
        FORBIDDEN: failures.missing_right,
        NOT_FOUND: failures.unknown_payment,
        TOO_MANY: failures.busy,
    }
    if status in simple:
        return simple[status](NAME)
    if status >= SERVER:
        return failures.broken(NAME)
    if said is None:  # a redirection, or a refusal nobody explained
        return failures.unreadable(NAME)
    details = said.get("details")
    names = [str(name) for name in details] if isinstance(details, dict) else []
    return failures.wrong_amount(NAME) if "amount" in names else failures.refused(NAME, names[0] if names else "")
