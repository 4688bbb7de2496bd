"""OVHcloud: text messages from the European Union, with the official client; delivery is asked for, not announced."""

import json
from collections.abc import Mapping

import ovh
from ovh import exceptions
from requests.exceptions import RequestException

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
    slug="ovh_sms",
    label="OVHcloud",
    country="FR",
    options=(("service", "Nom du service SMS (sms-ab12345-1)"), ("application_key", "Application key")),
    secrets=(("application_secret", "Application secret"), ("consumer_key", "Consumer key")),
    proven=Proven.CLIENT_AND_CONTRACT,
    to_do=(
        "Créez une clé d’API limitée à /sms chez OVHcloud.",
        "Déclarez l’expéditeur et attendez sa validation.",
    ),
)
ENDPOINT = "ovh-eu"
# Delivery codes of a receipt: 1 reached, 2 gave up, 4 waits, 8 the network has it, 16 refused.
_ARRIVED, _OVER = {1}, {2, 16}
_NOT_OURS = (
    exceptions.InvalidKey,
    exceptions.InvalidCredential,
    exceptions.NotCredential,
    exceptions.NotGrantedCall,
    exceptions.Forbidden,
    exceptions.ResourceNotFoundError,
)


class OvhSms:
    """One firm's SMS service at OVHcloud; `base_url` points elsewhere in tests."""

    slug = PROFILE.slug

    def __init__(self, *, options: Mapping[str, str], secrets: Mapping[str, str], base_url: str = "") -> None:
        self.service = options["service"]
        self._client = ovh.Client(
            endpoint=ENDPOINT,
            application_key=options["application_key"],
            application_secret=secrets["application_secret"],
            consumer_key=secrets["consumer_key"],
            timeout=TIMEOUT_SECONDS,
        )
        # A redirection of a signed call goes nowhere.
        self._client._session.max_redirects = 0
        if base_url:
            self._client._endpoint = base_url

    def send(self, outgoing: OutgoingSms) -> SmsOutcome:
        """Create one job for one receiver, without the STOP clause that would make it an advertisement (R52)."""
        try:
            said = self._client.post(
                f"/sms/{self.service}/jobs",
                message=outgoing.text,
                sender=outgoing.sender,
                receivers=[outgoing.to],
                noStopClause=True,
                charset="UTF-8",
                coding="7bit",
                priority="high",
                tag=outgoing.reference[:20],
            )
        except exceptions.HTTPError as error:
            return of_network(_cause(error))
        except _NOT_OURS as error:
            raise DeliveryError(f"OVHcloud refuse ce compte : {error}", permanent=True) from error
        except exceptions.BadParametersError as error:
            return SmsOutcome(verdict=Verdict.REJECTED, stage=Stage.CONTENT, text=str(error)[:300])
        except exceptions.InvalidResponse:
            return SmsOutcome(verdict=Verdict.UNKNOWN, stage=Stage.END, text="Réponse illisible.")
        except exceptions.APIError as error:
            return _of_refusal(error)
        return _of_job(said, outgoing)

    def receipt(self, reference: str) -> SmsReceipt | None:
        """Read what OVHcloud knows of a message it took."""
        try:
            said = self._client.get(f"/sms/{self.service}/outgoing/{reference}")
        except exceptions.ResourceNotFoundError:
            return None
        except exceptions.APIError as error:
            raise DeliveryError("OVHcloud ne répond pas.", permanent=False) from error
        code = said.get("deliveryReceipt") if isinstance(said, dict) else None
        return SmsReceipt(reference=reference, delivery=_delivery(code), code="" if code is None else str(code))

    def check(self) -> None:
        """List the jobs of the service: it exists and the keys open it."""
        try:
            self._client.get(f"/sms/{self.service}/jobs")
        except _NOT_OURS as error:
            raise DeliveryError(f"OVHcloud refuse ces clés : {error}"[:200], permanent=True) from error
        except exceptions.APIError as error:
            raise DeliveryError("OVHcloud est injoignable.", permanent=not was_unheard(_cause(error))) from error


def _of_job(said: object, outgoing: OutgoingSms) -> SmsOutcome:
    if not isinstance(said, dict):
        return SmsOutcome(verdict=Verdict.UNKNOWN, stage=Stage.END, text="Réponse inattendue.")
    ids, invalid = said.get("ids") or [], said.get("invalidReceivers") or []
    if outgoing.to in invalid:
        return SmsOutcome(verdict=Verdict.REJECTED, stage=Stage.RECIPIENT, text="Numéro refusé par OVHcloud.")
    if not ids:
        return SmsOutcome(verdict=Verdict.UNKNOWN, stage=Stage.END, text=json.dumps(said)[:300])
    return SmsOutcome(verdict=Verdict.ACCEPTED, stage=Stage.END, reference=str(ids[0]))


def _of_refusal(error: exceptions.APIError) -> SmsOutcome:
    """Too many calls left nothing; any other fault of theirs may have created the job."""
    status = getattr(error.response, "status_code", None)
    if status == 429:  # noqa: PLR2004 - too many requests
        return SmsOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, code=status, text="Trop d’appels.")
    return SmsOutcome(verdict=Verdict.UNKNOWN, stage=Stage.END, code=status, text=str(error)[:300])


def _delivery(code: object) -> Delivery:
    if code in _ARRIVED:
        return Delivery.DELIVERED
    return Delivery.FAILED if code in _OVER else Delivery.ON_ITS_WAY


def _cause(error: exceptions.APIError) -> BaseException:
    return next((one for one in error.args if isinstance(one, RequestException)), error)
