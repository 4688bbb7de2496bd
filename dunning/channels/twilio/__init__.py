"""Twilio: text messages through the United States, with the official client; it announces delivery by signed calls."""

from collections.abc import Mapping
from typing import Any

from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from dunning.channels.letters import Proven
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.sms import (
    TIMEOUT_SECONDS,
    Delivery,
    OutgoingSms,
    SmsOutcome,
    SmsProfile,
    SmsReceipt,
    of_network,
    was_unheard,
)

PROFILE = SmsProfile(
    slug="twilio",
    label="Twilio",
    country="US",
    options=(("account_sid", "Account SID"),),
    secrets=(("auth_token", "Auth token"),),
    proven=Proven.CLIENT_AND_CONTRACT,
    to_do=(
        "Enregistrez d’abord le transfert hors de l’Union européenne.",
        "Déclarez l’expéditeur alphanumérique pour la France.",
    ),
)
HOST = "https://api.twilio.com"
UNAUTHORISED, NOT_FOUND, TOO_MANY, SERVER = {401, 403}, 404, 429, 500
OPTED_OUT = {21610}
# The number is none, cannot be reached by SMS, or is a landline.
NO_SUCH_NUMBER = {21211, 21214, 21217, 21612, 21614}
# The account may not write to that country: one of its settings, and no fault of the number.
COUNTRY_CLOSED = 21408
_ENDS = {"delivered": Delivery.DELIVERED, "undelivered": Delivery.FAILED, "failed": Delivery.FAILED}


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library is not typed
    """The official transport, with our timeout, pointed elsewhere in tests."""

    def __init__(self, base_url: str) -> None:
        super().__init__(pool_connections=False, timeout=TIMEOUT_SECONDS)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Call the same path where the firm's account is."""
        return super().request(method, url.replace(HOST, self._base_url or HOST, 1), *args, **kwargs)


class TwilioSms:
    """One firm's account at Twilio."""

    slug = PROFILE.slug

    def __init__(
        self, *, options: Mapping[str, str], secrets: Mapping[str, str], callback_url: str = "", base_url: str = ""
    ) -> None:
        self._token = secrets["auth_token"]
        self._callback_url = callback_url
        self._client = Client(options["account_sid"], self._token, http_client=_Http(base_url))

    def send(self, outgoing: OutgoingSms) -> SmsOutcome:
        """Create one message; what came of it is announced to the callback, when there is one."""
        extra = {"status_callback": self._callback_url} if self._callback_url else {}
        try:
            said = self._client.messages.create(to=outgoing.to, from_=outgoing.sender, body=outgoing.text, **extra)
        except TwilioRestException as error:
            return _of_refusal(error)
        except RequestException as error:
            return of_network(error)
        return SmsOutcome(verdict=Verdict.ACCEPTED, stage=Stage.END, reference=str(said.sid))

    def receipt(self, reference: str) -> SmsReceipt | None:
        """Ask once more what became of a message: an announcement may be lost."""
        try:
            said = self._client.messages(reference).fetch()
        except TwilioRestException as error:
            if error.status == NOT_FOUND:
                return None  # written by another provider, or forgotten since: the others are still asked for
            raise DeliveryError("Twilio ne répond pas.", permanent=False) from error
        except RequestException as error:
            raise DeliveryError("Twilio ne répond pas.", permanent=False) from error
        return SmsReceipt(
            reference=reference,
            delivery=_ENDS.get(str(said.status), Delivery.ON_ITS_WAY),
            code="" if said.error_code is None else str(said.error_code),
            is_opted_out=said.error_code in OPTED_OUT,
        )

    def check(self) -> None:
        """Read one message of the account at most: the keys open it."""
        try:
            self._client.messages.list(limit=1)
        except TwilioRestException as error:
            raise DeliveryError(f"Twilio refuse ce compte ({error.status}).", permanent=True) from error
        except RequestException as error:
            raise DeliveryError("Twilio est injoignable.", permanent=not was_unheard(error)) from error

    def read_announcement(self, *, url: str, params: Mapping[str, str], signature: str) -> SmsReceipt | None:
        """Read a signed announcement; nothing when its signature is not Twilio's for this account."""
        if not RequestValidator(self._token).validate(url, dict(params), signature):
            return None
        code = params.get("ErrorCode", "")
        return SmsReceipt(
            reference=params.get("MessageSid", ""),
            delivery=_ENDS.get(params.get("MessageStatus", ""), Delivery.ON_ITS_WAY),
            code=code,
            is_opted_out=code.isdigit() and int(code) in OPTED_OUT,
        )


def _of_refusal(error: TwilioRestException) -> SmsOutcome:
    status, code = int(error.status), error.code
    text = f"Twilio {code or status}"
    if status in UNAUTHORISED:
        raise DeliveryError(f"Twilio refuse ce compte ({status}).", permanent=True, code=status) from error
    if code == COUNTRY_CLOSED:
        raise DeliveryError("Le compte Twilio n’écrit pas dans ce pays.", permanent=True, code=status) from error
    if status == TOO_MANY:
        return SmsOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, code=status, text=text)
    if status >= SERVER:
        return SmsOutcome(verdict=Verdict.UNKNOWN, stage=Stage.END, code=status, text=text)
    stage = Stage.RECIPIENT if code in NO_SUCH_NUMBER | OPTED_OUT else Stage.CONTENT
    return SmsOutcome(verdict=Verdict.REJECTED, stage=stage, code=status, text=text, is_opted_out=code in OPTED_OUT)
