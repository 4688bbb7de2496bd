"""Stripe's signed notices: which ones may change a payment, and what each names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from stripe import SignatureVerificationError, WebhookSignature

from payments.errors import NoticeError
from payments.providers.protocol import Notice

HEADER = "Stripe-Signature"
SHAPELESS = "Cette annonce signée n’a pas la forme que Stripe décrit."
TOLERANCE_SECONDS = 300
OF_SESSIONS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
# They name the payment, not the page it was made on.
OF_PAYMENTS = frozenset(
    {
        "charge.refunded",
        "charge.refund.updated",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)


def read(*, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> list[Notice]:
    """Check the signature on the raw body, by any secret still good, and return the one notice it carries."""
    verify(body=body, signature=_header(headers), secrets=secrets)
    try:
        event = json.loads(body)
        kind, event_id, told = event["type"], event["id"], event["data"]["object"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NoticeError(SHAPELESS) from error
    if not (isinstance(kind, str) and isinstance(event_id, str) and isinstance(told, dict)):
        raise NoticeError(SHAPELESS)
    return [_notice(kind[:60], event_id, told)]


def verify(*, body: bytes, signature: str, secrets: Sequence[str]) -> None:
    """Refuse a body that none of these secrets signed in the last five minutes."""
    for secret in secrets:
        try:
            WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        except (SignatureVerificationError, UnicodeDecodeError, ValueError, IndexError):
            continue
        return
    raise NoticeError("La signature de cette annonce manque, est fausse ou date de plus de cinq minutes.")


def _header(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")


def _notice(kind: str, event_id: str, told: dict[str, Any]) -> Notice:
    if kind in OF_SESSIONS:
        return Notice(event_id=event_id, kind=kind, ref=_text(told.get("id")), is_about_payments="id" in told)
    payment_ref = _text(told.get("payment_intent")) if kind in OF_PAYMENTS else ""
    return Notice(event_id=event_id, kind=kind, payment_ref=payment_ref, is_about_payments=bool(payment_ref))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
