"""One firm's account at Stripe: the official client, a key a call, and every answer checked before it is believed."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests
import stripe
from stripe import StripeClient

from payments.enums import Mode, PaymentMeans
from payments.errors import ProviderError
from payments.providers import failures
from payments.providers.addresses import is_page
from payments.providers.protocol import TIMEOUT_SECONDS, AccountFacts, Notice, Order, Page, Snapshot
from payments.providers.stripe import notices, stages
from payments.providers.stripe.profile import NAME, PROFILE

METHODS = {PaymentMeans.CARD: "card", PaymentMeans.DEBIT: "sepa_debit"}
CAPABILITIES = {PaymentMeans.CARD: "card_payments", PaymentMeans.DEBIT: "sepa_debit_payments"}
EXPANDED = ["payment_intent.latest_charge"]
SERVER = 500
OF_CLASS = {
    stripe.APIConnectionError: failures.silent,
    stripe.AuthenticationError: failures.wrong_key,
    stripe.PermissionError: failures.missing_right,
    stripe.RateLimitError: failures.busy,
}
OF_CODE = {
    "amount_too_small": failures.wrong_amount,
    "amount_too_large": failures.wrong_amount,
    "payment_method_unactivated": failures.closed_means,
    "payment_method_not_available": failures.closed_means,
    "payment_method_unsupported_type": failures.closed_means,
    "idempotency_key_in_use": failures.busy,
    "lock_timeout": failures.busy,
}
OF_STATUS = {404: failures.unknown_payment, 409: failures.busy}
MOST_DISPUTES = 100


class StripeProvider:
    """Checkout sessions of one account."""

    slug = PROFILE.slug

    def __init__(self, *, secret_key: str, webhook_secrets: Sequence[str] = (), base_url: str = "") -> None:
        self._key = secret_key
        self._webhook_secrets = tuple(webhook_secrets)
        self._base_url = base_url

    def check(self) -> AccountFacts:
        """Read the account the key opens, and which means it has."""
        with self._speaking() as client:
            account = _facts(client.v1.accounts.retrieve_current())
        has = account.get("capabilities") or {}
        means = frozenset(one for one, name in CAPABILITIES.items() if has.get(name) == "active")
        warnings = [
            said
            for said, is_well in (
                ("Stripe n’autorise pas encore ce compte à encaisser.", account.get("charges_enabled")),
                ("Stripe ne vire pas encore les fonds de ce compte à votre banque.", account.get("payouts_enabled")),
            )
            if not is_well
        ]
        return AccountFacts(
            label=_label(account), is_live=PROFILE.mode_of(self._key) is Mode.LIVE, means=means, warnings=warnings
        )

    def open(self, order: Order) -> Page:
        """Open a session; Stripe takes an end from half an hour to a day away, and gives the same page to a retry."""
        if order.means not in METHODS:
            raise failures.closed_means(NAME)
        params = _session_params(order)
        with self._speaking() as client:
            options: stripe.RequestOptions = {"idempotency_key": f"checkout-{order.reference}"}
            session = _facts(client.v1.checkout.sessions.create(params, options))  # type: ignore[arg-type]
        ref, url, expires_at = session.get("id"), session.get("url"), session.get("expires_at")
        is_ours = session.get("client_reference_id") == order.reference and session.get("amount_total") == order.cents
        is_in_euros = session.get("currency") == stages.EURO
        if not (is_ours and is_in_euros and isinstance(ref, str) and is_page(url, base_url=self._base_url)):
            raise failures.unreadable(NAME)
        ends = dt.datetime.fromtimestamp(expires_at, dt.UTC) if isinstance(expires_at, int) else None
        return Page(ref=ref, url=str(url), expires_at=ends)

    def fetch(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> Snapshot:
        """Read a session with its payment and charge, and the disputes when there are any."""
        with self._speaking(timeout) as client:
            session = _facts(client.v1.checkout.sessions.retrieve(ref, {"expand": EXPANDED}))
            found = stages.snapshot_of(session)
            if not stages.is_disputed(session):
                return found
            listed = client.v1.disputes.list({"payment_intent": found.payment_ref, "limit": MOST_DISPUTES})
        return replace(found, disputed_cents=stages.disputed_cents(_facts(listed).get("data") or []))

    def find(self, payment_ref: str, *, timeout: float = TIMEOUT_SECONDS) -> str:
        """Return the session a payment was made on."""
        with self._speaking(timeout) as client:
            listed = _facts(client.v1.checkout.sessions.list({"payment_intent": payment_ref, "limit": 1}))
        found = listed.get("data") or []
        return str(found[0].get("id") or "") if found else ""

    def close(self, ref: str) -> Snapshot:
        """Expire a session that is still open; the truth is then asked, whatever was answered to that."""
        try:
            with self._speaking() as client:
                client.v1.checkout.sessions.expire(ref)
        except ProviderError as error:
            if not error.is_refusal:
                raise
        return self.fetch(ref)

    def read_notices(self, *, body: bytes, headers: Mapping[str, str]) -> list[Notice]:
        """Return the one event Stripe signed."""
        return notices.read(body=body, headers=headers, secrets=self._webhook_secrets)

    @contextmanager
    def _speaking(self, timeout: float = TIMEOUT_SECONDS) -> Iterator[StripeClient]:
        """Lend a client for a few calls: one try, no redirection, no environment proxy, errors in French."""
        session = requests.Session()
        session.trust_env, session.max_redirects = False, 0
        http = stripe.RequestsClient(timeout=timeout, session=session)
        base: Any = {"api": self._base_url} if self._base_url else {}
        try:
            yield StripeClient(self._key, http_client=http, base_addresses=base, max_network_retries=0)
        except stripe.StripeError as error:
            # The library's own words may hold what a person typed: they go no further.
            raise _failure(error) from None
        finally:
            session.close()


def _facts(answer: object) -> dict[str, Any]:
    """Return an answer's data alone; raise when it is no object at all."""
    if not isinstance(answer, stripe.StripeObject):
        raise failures.unreadable(NAME)
    return answer.to_dict()


def _session_params(order: Order) -> dict[str, Any]:
    params: dict[str, Any] = {
        "mode": "payment",
        "submit_type": "pay",
        "payment_method_types": [METHODS[order.means]],
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": stages.EURO,
                    "unit_amount": order.cents,
                    "product_data": {"name": order.label},
                },
            }
        ],
        "client_reference_id": order.reference,
        "metadata": {"reference": order.reference},
        "payment_intent_data": {"description": order.label, "metadata": {"reference": order.reference}},
        "locale": order.language,
        "success_url": order.return_url,
        "cancel_url": order.cancel_url,
    }
    if order.email:
        params["customer_email"] = order.email
    if order.expires_at is not None:
        params["expires_at"] = int(order.expires_at.timestamp())
    return params


def _failure(error: stripe.StripeError) -> ProviderError:
    code, status = error.code or "", error.http_status or 0
    told = OF_CLASS.get(type(error)) or OF_CODE.get(code) or OF_STATUS.get(status)
    if told is not None:
        return told(NAME)
    if status >= SERVER:
        return failures.broken(NAME)
    if isinstance(error, stripe.InvalidRequestError | stripe.IdempotencyError | stripe.CardError):
        return failures.refused(NAME, code)
    return failures.unreadable(NAME)


def _label(account: dict[str, Any]) -> str:
    settings = account.get("settings") or {}
    shown = (settings.get("dashboard") or {}).get("display_name")
    return str(shown or (account.get("business_profile") or {}).get("name") or account.get("id") or "")[:120]
