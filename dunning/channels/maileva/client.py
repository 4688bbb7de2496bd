"""Calls to Maileva, under a token asked for with the firm's own user."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from dunning.channels.protocol import DeliveryError
from dunning.channels.web import FORBIDDEN, TOO_MANY, UNAUTHORISED, Answer, Unanswered, call, check_base

NAME = "Maileva"
_EARLIER = dt.timedelta(seconds=30)
_BAD_REQUEST, _SERVER_ERROR = 400, 500


class MailevaError(DeliveryError):
    """Maileva refused a call: it did nothing. Its codes name the faults."""

    def __init__(self, reason: str, *, codes: tuple[str, ...], status: int) -> None:
        super().__init__(reason, permanent=_BAD_REQUEST <= status < _SERVER_ERROR and status != TOO_MANY, code=status)
        self.codes = codes


class MailevaClient:
    """One firm's user on one of Maileva's servers."""

    def __init__(
        self,
        *,
        base_url: str,
        token_url: str,
        client: tuple[str, str],
        user: tuple[str, str],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._base, self._token_url = check_base(base_url), check_base(token_url)
        self._client, self._user = client, user
        self._clock = clock
        self._token, self._token_until = "", dt.datetime.min.replace(tzinfo=dt.UTC)

    def sign_in(self) -> None:
        """Ask for a token; raise DeliveryError with what to mend."""
        asked = {"grant_type": "password", "username": self._user[0], "password": self._user[1]}
        answer = call("POST", self._token_url, name=NAME, auth=self._client, data=asked)
        if answer.status in {_BAD_REQUEST, UNAUTHORISED, FORBIDDEN}:
            raise DeliveryError("Maileva refuse l’application ou l’utilisateur.", permanent=True, code=answer.status)
        if not answer.is_success:
            raise DeliveryError(f"Maileva ne répond pas (HTTP {answer.status}).", permanent=False, code=answer.status)
        found = answer.record()
        seconds = str(found.get("expires_in", ""))
        if not found.get("access_token") or not seconds.isdigit():
            raise DeliveryError("Maileva ne donne pas de jeton d’accès.", permanent=False)
        self._token = str(found["access_token"])
        self._token_until = self._clock() + dt.timedelta(seconds=int(seconds)) - _EARLIER

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """Read a resource."""
        return self._call("GET", path, params=parameters).record()

    def download(self, path: str) -> bytes | None:
        """Fetch a file, or None when it does not exist yet."""
        try:
            return self._call("GET", path).content or None
        except MailevaError as error:
            if error.code == 404:  # noqa: PLR2004 (not found)
                return None
            raise

    def create(self, path: str, **request: Any) -> dict[str, Any]:
        """Add a resource; return it as Maileva keeps it."""
        return self._call("POST", path, **request).record()

    def act(self, path: str) -> None:
        """Ask that something be done."""
        self._call("POST", path)

    def delete(self, path: str) -> None:
        """Drop a resource."""
        self._call("DELETE", path)

    def _call(self, method: str, path: str, **request: Any) -> Answer:
        if self._clock() >= self._token_until:
            self.sign_in()
        headers = {"authorization": f"Bearer {self._token}"}
        answer = call(method, f"{self._base}{path}", name=NAME, headers=headers, **request)
        if answer.is_success:
            return answer
        if answer.status >= _SERVER_ERROR or answer.status < _BAD_REQUEST:
            raise Unanswered(f"Maileva ne répond pas (HTTP {answer.status}).", permanent=False, code=answer.status)
        if answer.status == UNAUTHORISED:
            self._token_until = self._clock()
        codes, words = _faults(answer)
        raise MailevaError(f"Maileva refuse : {words}", codes=codes, status=answer.status)


def _faults(answer: Answer) -> tuple[tuple[str, ...], str]:
    try:
        rows = answer.record().get("errors")
    except Unanswered:
        rows = None
    faults = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    words = " ".join(str(one.get("message", "")) for one in faults).strip()
    return tuple(str(one.get("code", "")) for one in faults), words or f"HTTP {answer.status}."
