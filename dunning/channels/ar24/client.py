"""Calls to AR24. HTTP always says 200: only what the body says counts (T48)."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from dunning.channels.ar24 import crypto
from dunning.channels.protocol import DeliveryError
from dunning.channels.web import Answer, Unanswered, call, check_base

NAME = "AR24"
# Its own documentation gives it a minute.
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_SERVER_ERROR = 500


class Ar24Error(DeliveryError):
    """AR24 refused a call: it did nothing. Its slug names the fault."""

    def __init__(self, reason: str, *, slug: str, permanent: bool) -> None:
        super().__init__(reason, permanent=permanent)
        self.slug = slug


class Ar24Client:
    """One account on one of AR24's servers."""

    def __init__(
        self, *, base_url: str, token: str, private_key: str, user_id: str, clock: Callable[[], dt.datetime]
    ) -> None:
        self._base = check_base(base_url)
        self._token = token
        self._private_key = private_key
        self._user_id = user_id
        self._clock = clock

    def get(self, path: str, **parameters: str) -> Any:
        """Ask for something; return its result."""
        date, headers = self._signed()
        sent = {**self._account(date), **parameters}
        return self._result(
            call("GET", f"{self._base}{path}", name=NAME, timeout=TIMEOUT, headers=headers, params=sent), date
        )

    def post(
        self, path: str, fields: Mapping[str, str | list[str]], *, file: tuple[str, bytes, str] | None = None
    ) -> Any:
        """Ask that something be done; return its result."""
        date, headers = self._signed()
        data: dict[str, Any] = {**self._account(date), **fields}
        files = {"file": file} if file else None
        return self._result(
            call("POST", f"{self._base}{path}", name=NAME, timeout=TIMEOUT, headers=headers, data=data, files=files),
            date,
        )

    def _signed(self) -> tuple[str, dict[str, str]]:
        date = crypto.stamp(self._clock())
        return date, {"signature": crypto.sign(date, self._private_key)}

    def _account(self, date: str) -> dict[str, str]:
        return {"token": self._token, "date": date, "id_user": self._user_id}

    def _result(self, answer: Answer, date: str) -> Any:
        found = self._open(answer, date)
        status = str(found.get("status", "")).upper()
        if status == "SUCCESS":
            return found.get("result")
        if status == "MAINTENANCE":
            raise Ar24Error("AR24 est en maintenance.", slug="maintenance", permanent=False)
        if status == "ERROR":
            slug, message = str(found.get("slug", "")), str(found.get("message", ""))
            raise Ar24Error(f"AR24 refuse : {message or slug}.", slug=slug, permanent=True)
        raise Unanswered("AR24 donne une réponse inconnue.", permanent=False, code=answer.status)

    def _open(self, answer: Answer, date: str) -> dict[str, Any]:
        """Read an answer: errors come in clear, the rest sealed for the date of the call."""
        content = answer.content.strip()
        if answer.status >= _SERVER_ERROR:
            raise Unanswered(f"AR24 ne répond pas (HTTP {answer.status}).", permanent=False, code=answer.status)
        try:
            if not content.startswith(b"{"):
                content = crypto.unseal(content, date=date, private_key=self._private_key)
            found = json.loads(content)
        except ValueError as error:
            raise Unanswered("AR24 donne une réponse illisible.", permanent=False, code=answer.status) from error
        if not isinstance(found, dict):
            raise Unanswered("AR24 donne une réponse inattendue.", permanent=False, code=answer.status)
        return found
