"""What Stripe's words mean: one Checkout session, with its payment and its charge, read as a snapshot."""

import datetime as dt
from typing import Any

from payments.enums import PaymentMeans
from payments.providers.failures import unreadable
from payments.providers.protocol import Snapshot, Stage
from payments.providers.stripe.profile import NAME

EURO = "eur"
# What a complete session is, by the status of its payment. A debit that came back asks for another means.
OF_PAYMENT = {
    "succeeded": Stage.SETTLED,
    "processing": Stage.PROCESSING,
    "requires_action": Stage.PROCESSING,
    "requires_confirmation": Stage.PROCESSING,
    "requires_capture": Stage.PROCESSING,
    "requires_payment_method": Stage.FAILED,
    "canceled": Stage.FAILED,
}
# While the page is open the debtor may try another card: only a payment under way counts.
WHILE_OPEN = {"succeeded": Stage.SETTLED, "processing": Stage.PROCESSING}
MEANS = {"card": PaymentMeans.CARD, "sepa_debit": PaymentMeans.DEBIT}
# Where the money of a dispute is: taken from the firm, or not.
DISPUTE_TAKES = {
    "needs_response": True,
    "under_review": True,
    "lost": True,
    "won": False,
    "prevented": False,
    "warning_needs_response": False,
    "warning_under_review": False,
    "warning_closed": False,
}


def stage_of(session: dict[str, Any], payment: dict[str, Any] | None) -> Stage:
    """Return how far a session is; raise on any word Stripe did not have when this was written."""
    status, paid = session.get("status"), payment.get("status") if payment else None
    if paid is not None and paid not in OF_PAYMENT:
        raise unreadable(NAME)
    if status == "complete" and paid is not None:
        return OF_PAYMENT[paid]
    if status == "open":
        return WHILE_OPEN.get(paid or "", Stage.OPEN)
    if status == "expired":
        return WHILE_OPEN.get(paid or "", Stage.EXPIRED)
    raise unreadable(NAME)


def snapshot_of(session: dict[str, Any]) -> Snapshot:
    """Read a session whose payment and last charge came with it; disputes are counted apart."""
    payment = _object(session, "payment_intent")
    charge = _object(payment, "latest_charge") if payment else None
    ref, stage = session.get("id"), stage_of(session, payment)
    if not isinstance(ref, str) or any(one.get("currency") != EURO for one in (session, payment, charge) if one):
        raise unreadable(NAME)
    facts = payment or {}
    return Snapshot(
        ref=ref,
        stage=stage,
        cents=_paid(stage, facts),
        refunded_cents=_cents(charge, "amount_refunded") if charge else 0,
        means=_means(charge),
        payment_ref=str(facts.get("id") or ""),
        failure=_failure(facts) if stage is Stage.FAILED else "",
        at=_at(stage, charge),
    )


def disputed_cents(disputes: list[dict[str, Any]]) -> int:
    """Return what the debtor's bank holds or took back for good."""
    if any(one.get("status") not in DISPUTE_TAKES or one.get("currency") != EURO for one in disputes):
        raise unreadable(NAME)
    return sum(_cents(one, "amount") for one in disputes if DISPUTE_TAKES[one["status"]])


def is_disputed(session: dict[str, Any]) -> bool:
    """Say whether a dispute was ever opened on the payment of a session."""
    payment = _object(session, "payment_intent")
    charge = _object(payment, "latest_charge") if payment else None
    return bool(charge and charge.get("disputed"))


def _object(parent: dict[str, Any], name: str) -> dict[str, Any] | None:
    found = parent.get(name)
    if found is None:
        return None
    if not isinstance(found, dict):  # an id alone: what was asked for did not come
        raise unreadable(NAME)
    return found


def _paid(stage: Stage, payment: dict[str, Any]) -> int:
    if stage is Stage.SETTLED:
        return _cents(payment, "amount_received")
    return _cents(payment, "amount") if stage is Stage.PROCESSING else 0


def _cents(parent: dict[str, Any], name: str) -> int:
    value = parent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise unreadable(NAME)
    return value


def _means(charge: dict[str, Any] | None) -> PaymentMeans | None:
    details = (charge or {}).get("payment_method_details") or {}
    return MEANS.get(str(details.get("type")))


def _failure(payment: dict[str, Any]) -> str:
    error = payment.get("last_payment_error") or {}
    return str(error.get("decline_code") or error.get("code") or payment.get("cancellation_reason") or "")[:100]


def _at(stage: Stage, charge: dict[str, Any] | None) -> dt.datetime | None:
    # The charge of a debit is born when it is asked for, days before the money comes.
    if charge is None or (stage is Stage.SETTLED and _means(charge) is not PaymentMeans.CARD):
        return None
    created = charge.get("created")
    return dt.datetime.fromtimestamp(created, dt.UTC) if isinstance(created, int) else None
