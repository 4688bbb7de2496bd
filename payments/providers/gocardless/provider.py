"""One firm's account at GoCardless: a billing request on its own page, then the payment it leads to."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from gocardless_pro import services

from payments.enums import Mode, PaymentMeans
from payments.errors import ProviderError
from payments.providers import failures
from payments.providers.addresses import is_page
from payments.providers.gocardless import notices, stages
from payments.providers.gocardless.client import GoCardlessClient, InvalidStateError
from payments.providers.gocardless.profile import NAME, PROFILE
from payments.providers.protocol import (
    TIMEOUT_SECONDS,
    AccountFacts,
    MandateFacts,
    MandateStage,
    Notice,
    Order,
    Page,
    Snapshot,
    Stage,
)

PAYMENT, REFUND = "PM", "RF"
LONGEST_DESCRIPTION = 100
MOST_LISTED = 100


class GoCardlessProvider:
    """Billing requests of one account, and debits under the mandates signed on them.

    A debit is two things at GoCardless: the debtor signs a mandate on the page, then the payment is asked for under
    it. The first `fetch` after the signature asks for it, once, under the order's own key.
    """

    slug = PROFILE.slug

    def __init__(self, *, access_token: str, webhook_secrets: Sequence[str] = (), base_url: str = "") -> None:
        self._is_live = PROFILE.mode_of(access_token) is Mode.LIVE
        self._webhook_secrets = tuple(webhook_secrets)
        self._base_url = base_url
        self._client = GoCardlessClient(access_token=access_token, base_url=base_url)

    def check(self) -> AccountFacts:
        """Read the creditor the token speaks for."""
        found = self._client.listed(services.CreditorsService, params={"limit": 1})
        if not found:
            raise failures.unreadable(NAME)
        is_verified = found[0].get("verification_status") == "successful"
        warnings = () if is_verified else ("GoCardless n’a pas fini de vérifier ce compte : rien n’est encore viré.",)
        label = str(found[0].get("name") or found[0].get("id") or "")[:120]
        return AccountFacts(label=label, is_live=self._is_live, means=frozenset(PROFILE.means), warnings=warnings)

    def open(self, order: Order) -> Page:
        """Open a billing request and a page on it; a retry gives the same request, on a page of its own."""
        if order.means not in PROFILE.means:
            raise failures.closed_means(NAME)
        return self._opened(order, _request_params(order), key=_key(order.reference))

    def authorise(self, order: Order) -> Page:
        """Open a billing request for a mandate alone: it names no amount, so that nothing is ever asked for on it."""
        told = {"reference": order.reference, "label": order.label[:LONGEST_DESCRIPTION]}
        params = {"mandate_request": _mandate_request(order), "metadata": told}
        return self._opened(order, params, key=f"mandate-{order.reference}")

    def _opened(self, order: Order, params: Mapping[str, Any], *, key: str) -> Page:
        request = self._client.one(services.BillingRequestsService, "create", params=params, key=key)
        ref = _id(request)
        if (request.get("metadata") or {}).get("reference") != order.reference or not _is_asked(request, order):
            raise failures.unreadable(NAME)
        prefilled = {"prefilled_customer": {"email": order.email}} if order.email else {}
        flow = self._client.one(
            services.BillingRequestFlowsService,
            "create",
            params={
                "redirect_uri": order.return_url,
                "exit_uri": order.cancel_url,
                "language": order.language,
                "lock_currency": True,
                "links": {"billing_request": ref},
                **prefilled,
            },
        )
        url = flow.get("authorisation_url")
        if (flow.get("links") or {}).get("billing_request") != ref or not is_page(url, base_url=self._base_url):
            raise failures.unreadable(NAME)
        return Page(ref=ref, url=str(url), expires_at=_instant(flow.get("expires_at")))

    def fetch(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> Snapshot:
        """Read an order, and ask for the debit a mandate was just signed for."""
        if ref.startswith(PAYMENT):
            return self._of_payment(self._payment(ref, timeout), ref=ref, timeout=timeout)
        request = self._request(ref, timeout)
        return self._paid(request, timeout) or self._debited(request, timeout)

    def find(self, payment_ref: str, *, timeout: float = TIMEOUT_SECONDS) -> str:
        """Return the order of a payment or of a refund; an instant one is looked for among the latest requests."""
        if payment_ref.startswith(REFUND):
            refund = self._client.one(services.RefundsService, "get", payment_ref, timeout=timeout)
            payment_ref = str((refund.get("links") or {}).get("payment") or "")
        payment = self._payment(payment_ref, timeout)
        told = payment.get("metadata") or {}
        if told.get("billing_request"):
            return str(told["billing_request"])
        if told.get("reference") and (payment.get("links") or {}).get("mandate"):
            return payment_ref  # collected by a mandate, on no page
        params = {"status": stages.FULFILLED, "limit": MOST_LISTED}
        listed = self._client.listed(services.BillingRequestsService, params=params, timeout=timeout)
        mine = (one for one in listed if (one.get("links") or {}).get("payment_request_payment") == payment_ref)
        return next((_id(one) for one in mine), "")

    def close(self, ref: str) -> Snapshot:
        """Cancel a request nobody fulfilled, or a debit not yet handed over; a mandate nobody used goes too."""
        service = services.PaymentsService if ref.startswith(PAYMENT) else services.BillingRequestsService
        try:
            self._client.one(service, "cancel", ref)
        except ProviderError as error:
            if not error.is_refusal:
                raise
        if ref.startswith(PAYMENT):
            return self.fetch(ref)
        request = self._request(ref, TIMEOUT_SECONDS)
        found = self._paid(request, TIMEOUT_SECONDS)
        if found is not None:
            return found
        # Signed a moment ago, and nothing asked under it yet: it never will be.
        try:
            self._client.one(services.MandatesService, "cancel", _mandate(request))
        except InvalidStateError:
            return self._debited(request, TIMEOUT_SECONDS)
        return Snapshot(ref=ref, stage=Stage.EXPIRED)

    def mandate(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> MandateFacts:
        """Read a mandate by the request it was signed on."""
        request = self._request(ref, timeout)
        stage = stages.stage_of_request(request)
        if stage is not None:
            over = stage is Stage.EXPIRED
            return MandateFacts(
                ref=ref,
                stage=MandateStage.ENDED if over else MandateStage.OPEN,
                failure=stages.UNSIGNED if over else "",
            )
        return stages.facts_of(self._read_mandate(_mandate(request), timeout), ref=ref)

    def end_mandate(self, ref: str) -> MandateFacts:
        """Cancel a mandate, or the request nobody signed; GoCardless cancels the debits not yet handed over too."""
        facts = self.mandate(ref)
        if facts.stage is MandateStage.ENDED:
            return facts
        try:
            if facts.mandate_ref:
                self._client.one(services.MandatesService, "cancel", facts.mandate_ref)
            else:
                self._client.one(services.BillingRequestsService, "cancel", ref)
        except ProviderError as error:
            if not error.is_refusal:
                raise
        return self.mandate(ref)

    def charge(self, mandate_ref: str, order: Order) -> Snapshot:
        """Collect an order by a mandate, on the day announced or the first the mandate allows after it.

        What was taken under this reference is looked for first: an idempotency key does not live for ever.
        """
        known = self.charged(mandate_ref, order.reference)
        if known is not None:
            return known
        mandate = self._read_mandate(mandate_ref, TIMEOUT_SECONDS)
        facts = stages.facts_of(mandate, ref="")
        if facts.stage is not MandateStage.SIGNED:
            return Snapshot(ref="", stage=Stage.FAILED, failure=facts.failure, mandate_ref=mandate_ref)
        try:
            payment = self._collect(
                mandate_ref,
                cents=order.cents,
                label=order.label,
                metadata={"reference": order.reference},
                charge_on=_later(order.charge_on, stages.first_day_of(mandate)),
            )
        except InvalidStateError as error:
            return Snapshot(ref="", stage=Stage.FAILED, failure=error.reason[:100], mandate_ref=mandate_ref)
        return stages.snapshot_of(payment, ref=_id(payment), mandate_ref=mandate_ref)

    def charged(self, mandate_ref: str, reference: str) -> Snapshot | None:
        """Look for an order among the debits of a mandate."""
        params = {"mandate": mandate_ref, "limit": MOST_LISTED}
        listed = self._client.listed(services.PaymentsService, params=params)
        mine = [one for one in listed if (one.get("metadata") or {}).get("reference") == reference]
        return self._of_payment(mine[0], ref=_id(mine[0]), timeout=TIMEOUT_SECONDS) if mine else None

    def read_notices(self, *, body: bytes, headers: Mapping[str, str]) -> list[Notice]:
        """Return each event of the batch GoCardless signed."""
        return notices.read(body=body, headers=headers, secrets=self._webhook_secrets)

    def _paid(self, request: dict[str, Any], timeout: float) -> Snapshot | None:
        """Read a request by itself or by the payment it led to; nothing when a mandate alone was signed."""
        ref, stage = _id(request), stages.stage_of_request(request)
        if stage is not None:
            return Snapshot(ref=ref, stage=stage, cents=_cents(request) if stage is Stage.PROCESSING else 0)
        links = request.get("links") or {}
        payment_ref = links.get("payment_request_payment")
        if payment_ref:
            mandate_ref = str(links.get("mandate_request_mandate") or "")
            payment = self._payment(str(payment_ref), timeout)
            return self._of_payment(payment, ref=ref, timeout=timeout, mandate_ref=mandate_ref)
        params = {"mandate": _mandate(request), "limit": MOST_LISTED}
        listed = self._client.listed(services.PaymentsService, params=params, timeout=timeout)
        mine = [one for one in listed if (one.get("metadata") or {}).get("billing_request") == ref]
        return self._of_payment(mine[0], ref=ref, timeout=timeout) if mine else None

    def _debited(self, request: dict[str, Any], timeout: float) -> Snapshot:
        """Ask for the debit a mandate was signed for."""
        ref, told, mandate_ref = _id(request), request.get("metadata") or {}, _mandate(request)
        metadata = {"reference": str(told.get("reference")), "billing_request": ref}
        try:
            payment = self._collect(
                mandate_ref, cents=_cents(request), label=str(told.get("label")), metadata=metadata, timeout=timeout
            )
        except InvalidStateError as error:
            return Snapshot(ref=ref, stage=Stage.FAILED, failure=error.reason[:100], mandate_ref=mandate_ref)
        return stages.snapshot_of(payment, ref=ref, mandate_ref=mandate_ref)

    def _collect(
        self,
        mandate_ref: str,
        *,
        cents: int,
        label: str,
        metadata: Mapping[str, str],
        charge_on: dt.date | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> dict[str, Any]:
        params: dict[str, Any] = {
            "amount": cents,
            "currency": stages.EURO,
            "description": label[:LONGEST_DESCRIPTION],
            "metadata": dict(metadata),
            "links": {"mandate": mandate_ref},
        }
        if charge_on is not None:
            params["charge_date"] = charge_on.isoformat()
        key = f"payment-{metadata['reference']}"
        payment = self._client.one(services.PaymentsService, "create", params=params, key=key, timeout=timeout)
        if payment.get("amount") != cents:
            raise failures.unreadable(NAME)
        return payment

    def _of_payment(self, payment: dict[str, Any], *, ref: str, timeout: float, mandate_ref: str = "") -> Snapshot:
        events: list[dict[str, Any]] = []
        if stages.status_of(payment) in stages.WITH_HISTORY:
            params = {"payment": _id(payment), "limit": MOST_LISTED}
            events = self._client.listed(services.EventsService, params=params, timeout=timeout)
        return stages.snapshot_of(payment, ref=ref, events=events, mandate_ref=mandate_ref)

    def _payment(self, ref: str, timeout: float) -> dict[str, Any]:
        return self._client.one(services.PaymentsService, "get", ref, timeout=timeout)

    def _read_mandate(self, mandate_ref: str, timeout: float) -> dict[str, Any]:
        return self._client.one(services.MandatesService, "get", mandate_ref, timeout=timeout)

    def _request(self, ref: str, timeout: float) -> dict[str, Any]:
        return self._client.one(services.BillingRequestsService, "get", ref, timeout=timeout)


def _request_params(order: Order) -> dict[str, Any]:
    told = {"reference": order.reference, "cents": str(order.cents), "label": order.label[:LONGEST_DESCRIPTION]}
    if order.means is PaymentMeans.DEBIT:
        return {"mandate_request": _mandate_request(order), "metadata": told}
    asked_now = {
        "amount": order.cents,
        "currency": stages.EURO,
        "description": order.label[:LONGEST_DESCRIPTION],
        "metadata": {"reference": order.reference},
    }
    return {"payment_request": asked_now, "metadata": told}


def _mandate_request(order: Order) -> dict[str, str]:
    return {"currency": stages.EURO, "scheme": "sepa_core", "description": order.label[:LONGEST_DESCRIPTION]}


def _is_asked(request: dict[str, Any], order: Order) -> bool:
    """Say whether a request is for this order's money, in euros."""
    if order.means is PaymentMeans.DEBIT:
        return (request.get("mandate_request") or {}).get("currency") == stages.EURO
    asked = request.get("payment_request") or {}
    return asked.get("currency") == stages.EURO and asked.get("amount") == order.cents


def _key(reference: str) -> str:
    return f"checkout-{reference}"


def _id(found: dict[str, Any]) -> str:
    ref = found.get("id")
    if not isinstance(ref, str) or not ref:
        raise failures.unreadable(NAME)
    return ref


def _mandate(request: dict[str, Any]) -> str:
    ref = (request.get("links") or {}).get("mandate_request_mandate")
    if not isinstance(ref, str) or not ref:
        raise failures.unreadable(NAME)
    return ref


def _later(wanted: dt.date | None, possible: dt.date | None) -> dt.date | None:
    days = [day for day in (wanted, possible) if day is not None]
    return max(days) if days else None


def _cents(request: dict[str, Any]) -> int:
    try:
        return int((request.get("metadata") or {})["cents"])
    except (KeyError, ValueError, TypeError) as error:
        raise failures.unreadable(NAME) from error


def _instant(value: object) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
