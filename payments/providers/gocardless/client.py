"""The official client, a call at a time: one try, our timeout, and its errors told in French."""

from collections.abc import Mapping
from typing import Any

from gocardless_pro import errors
from gocardless_pro.api_client import ApiClient
from gocardless_pro.services.base_service import BaseService
from requests.exceptions import RequestException

from payments.enums import Mode
from payments.errors import ProviderError
from payments.providers import failures
from payments.providers.gocardless.profile import NAME, PROFILE
from payments.providers.protocol import TIMEOUT_SECONDS

HOSTS = {Mode.LIVE: "https://api.gocardless.com", Mode.TEST: "https://api-sandbox.gocardless.com"}
NOT_FOUND, SERVER = 404, 500
ONE_TRY, NO_PAUSE = 1, 0


class InvalidStateError(ProviderError):
    """The thing is no longer where the act needs it."""

    def __init__(self, reason: str) -> None:
        told = failures.refused(NAME, reason)
        super().__init__(str(told), is_refusal=True)
        self.reason = reason


class GoCardlessClient:
    """One account; which of the two hosts it lives at is written in its token."""

    def __init__(self, *, access_token: str, base_url: str = "") -> None:
        self._token = access_token
        self._host = base_url or HOSTS[PROFILE.mode_of(access_token) or Mode.TEST]

    def one(
        self,
        service: type[BaseService],
        verb: str,
        *identity: str,
        params: Mapping[str, Any] | None = None,
        key: str = "",
        timeout: float = TIMEOUT_SECONDS,
    ) -> dict[str, Any]:
        """Make one call about one thing, under an idempotency key when one is given."""
        headers = {"Idempotency-Key": key} if key else None
        found = self._call(service, verb, *identity, params=params, headers=headers, timeout=timeout)
        if not isinstance(getattr(found, "attributes", None), dict):
            raise failures.unreadable(NAME)
        attributes: dict[str, Any] = found.attributes
        return attributes

    def listed(
        self, service: type[BaseService], *, params: Mapping[str, Any], timeout: float = TIMEOUT_SECONDS
    ) -> list[dict[str, Any]]:
        """List one page of things."""
        found = self._call(service, "list", params=params, timeout=timeout)
        return [record.attributes for record in getattr(found, "records", ())]

    def _call(self, service: type[BaseService], verb: str, *identity: str, timeout: float, **said: Any) -> Any:
        try:
            api = ApiClient(self._host, self._token, timeout=timeout)
            return getattr(service(api, ONE_TRY, NO_PAUSE), verb)(*identity, **said)
        except RequestException:
            raise failures.silent(NAME) from None
        except errors.GoCardlessProError as error:
            # The library's own words may hold what a person typed: they go no further.
            raise _failure(error) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            # What the library does with an answer it did not expect.
            raise failures.unreadable(NAME) from None


def _failure(error: errors.GoCardlessProError) -> ProviderError:
    simple = {
        errors.AuthenticationError: failures.wrong_key,
        errors.PermissionsError: failures.missing_right,
        errors.RateLimitError: failures.busy,
        errors.GoCardlessInternalError: failures.broken,
    }
    if type(error) in simple:
        return simple[type(error)](NAME)
    if isinstance(error, errors.MalformedResponseError):
        return failures.broken(NAME) if (error.status_code or 0) >= SERVER else failures.unreadable(NAME)
    if not isinstance(error, errors.ApiError):
        return failures.unreadable(NAME)
    first = (error.errors or [{}])[0]
    if isinstance(error, errors.InvalidStateError):
        return InvalidStateError(str(first.get("reason") or ""))
    if isinstance(error, errors.ValidationFailedError):
        field = first.get("field")
        return failures.wrong_amount(NAME) if field == "amount" else failures.refused(NAME, field)
    return failures.unknown_payment(NAME) if error.code == NOT_FOUND else failures.refused(NAME, first.get("reason"))
