"""Calls to Merci Facteur: a token signed by the secret key, which itself never travels."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from dunning.channels.protocol import DeliveryError
from dunning.channels.web import FORBIDDEN, TOO_MANY, UNAUTHORISED, Unanswered, call, check_base

NAME = "Merci Facteur"
PRODUCTION = "https://www.merci-facteur.com/api/1.2/prod/service"
# What its documentation asks for when the restriction by address is lifted.
ANY_ADDRESS = "111.111.111"
_SERVER_ERROR = 500
_EARLIER = dt.timedelta(minutes=1)


class MerciFacteurError(DeliveryError):
    """Merci Facteur says `success: false`: it did nothing."""

    def __init__(self, reason: str, *, fault: str, status: int) -> None:
        super().__init__(reason, permanent=status != TOO_MANY, code=status)
        self.fault = fault


def signature(*, service_id: str, secret_key: str, timestamp: int) -> str:
    """Return the proof that somebody who knows the key asked, at that second."""
    return hmac.new(secret_key.encode(), f"{service_id}{timestamp}".encode(), hashlib.sha256).hexdigest()


class MerciFacteurClient:
    """One service on Merci Facteur's server."""

    def __init__(self, *, base_url: str, service_id: str, secret_key: str, clock: Callable[[], dt.datetime]) -> None:
        self._base = check_base(base_url or PRODUCTION)
        self._service_id, self._secret_key = service_id, secret_key
        self._clock = clock
        self._token, self._until = "", dt.datetime.min.replace(tzinfo=dt.UTC)

    def sign_in(self) -> None:
        """Ask for a token; raise DeliveryError with what to mend."""
        timestamp = int(self._clock().timestamp())
        headers = {
            "ww-service-signature": signature(
                service_id=self._service_id, secret_key=self._secret_key, timestamp=timestamp
            ),
            "ww-timestamp": str(timestamp),
            "ww-service-id": self._service_id,
            "ww-authorized-ip": ANY_ADDRESS,
        }
        try:
            found = self._read("GET", "/getToken", headers=headers)
        except MerciFacteurError as error:
            raise DeliveryError(
                f"Merci Facteur refuse l’identifiant ou la clé : {error.fault}.", permanent=True, code=error.code
            ) from error
        token, expire = str(found.get("token") or ""), str(found.get("expire") or "")
        if not token or not expire.isdigit():
            raise DeliveryError("Merci Facteur ne donne pas de jeton.", permanent=False)
        self._token, self._until = token, dt.datetime.fromtimestamp(int(expire), tz=dt.UTC) - _EARLIER

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """Ask for something."""
        return self._read("GET", path, headers=self._signed(), params=parameters)

    def post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        """Ask that something be done."""
        return self._read("POST", path, headers=self._signed(), data=form)

    def _signed(self) -> dict[str, str]:
        if self._clock() >= self._until:
            self.sign_in()
        return {"ww-access-token": self._token, "ww-service-id": self._service_id}

    def _read(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = call(method, f"{self._base}{path}", name=NAME, **request)
        if answer.status >= _SERVER_ERROR:
            raise Unanswered(
                f"Merci Facteur ne répond pas (HTTP {answer.status}).", permanent=False, code=answer.status
            )
        if answer.status == TOO_MANY:
            raise MerciFacteurError("Merci Facteur demande d’attendre.", fault="too_many", status=TOO_MANY)
        found = answer.record()
        if found.get("success") is True:
            return found
        if found.get("success") is not False and answer.status not in {UNAUTHORISED, FORBIDDEN}:
            raise Unanswered("Merci Facteur donne une réponse inattendue.", permanent=False, code=answer.status)
        error = found.get("error")
        fault = str((error.get("code") or error.get("text")) if isinstance(error, dict) else error or answer.status)
        raise MerciFacteurError(f"Merci Facteur refuse : {fault}.", fault=fault, status=answer.status)
