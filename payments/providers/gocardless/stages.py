"""What GoCardless's words mean: a billing request, its payment and the payment's history, read as a snapshot."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from payments.enums import PaymentMeans
from payments.providers.failures import unreadable
from payments.providers.gocardless.profile import NAME
from payments.providers.protocol import MandateFacts, MandateStage, Snapshot, Stage

EURO = "EUR"
OF_PAYMENT = {
    "pending_customer_approval": Stage.PROCESSING,
    "pending_submission": Stage.PROCESSING,
    "submitted": Stage.PROCESSING,
    "confirmed": Stage.SETTLED,
    "paid_out": Stage.SETTLED,
    "cancelled": Stage.FAILED,
    "customer_approval_denied": Stage.FAILED,
    "failed": Stage.FAILED,
    "charged_back": Stage.SETTLED,
}
# A request that is fulfilled says nothing by itself: its payment does.
OF_REQUEST = {
    "pending": Stage.OPEN,
    "ready_to_fulfil": Stage.OPEN,
    "fulfilling": Stage.PROCESSING,
    "cancelled": Stage.EXPIRED,
}
FULFILLED = "fulfilled"
# A debit may be asked for before the bank has taken the mandate in.
OF_MANDATE = {
    "pending_customer_approval": MandateStage.OPEN,
    "pending_submission": MandateStage.SIGNED,
    "submitted": MandateStage.SIGNED,
    "active": MandateStage.SIGNED,
    "suspended_by_payer": MandateStage.ENDED,
    "failed": MandateStage.ENDED,
    "cancelled": MandateStage.ENDED,
    "expired": MandateStage.ENDED,
    "consumed": MandateStage.ENDED,
    "blocked": MandateStage.ENDED,
}
UNSIGNED = "unsigned"
# Whose reason only their history tells.
WITH_HISTORY = {"failed", "cancelled", "customer_approval_denied", "charged_back"}
ARRIVED = {"confirmed", "paid_out"}
MEANS = {
    "sepa_core": PaymentMeans.DEBIT,
    "sepa_cor1": PaymentMeans.DEBIT,
    "sepa_credit_transfer": PaymentMeans.TRANSFER,
    "sepa_instant_credit_transfer": PaymentMeans.TRANSFER,
}
# Eleven in the morning of UTC is the same day in every French territory.
NOON = dt.time(11, tzinfo=dt.UTC)


def status_of(payment: dict[str, Any]) -> str:
    """Return the status of a payment in euros; raise on any other, and on a word this code does not know."""
    status, amount = payment.get("status"), payment.get("amount")
    is_money = isinstance(amount, int) and not isinstance(amount, bool) and payment.get("currency") == EURO
    if status not in OF_PAYMENT or not is_money or not isinstance(payment.get("id"), str):
        raise unreadable(NAME)
    return str(status)


def snapshot_of(
    payment: dict[str, Any], *, ref: str, events: Sequence[dict[str, Any]] = (), mandate_ref: str = ""
) -> Snapshot:
    """Read a payment; one that failed after it was confirmed did come, and was taken back."""
    status, amount = status_of(payment), int(payment["amount"])
    stage = OF_PAYMENT[status]
    came_back = status == "charged_back"
    if status == "failed" and any(event.get("action") in ARRIVED for event in events):
        stage, came_back = Stage.SETTLED, True
    return Snapshot(
        ref=ref,
        stage=stage,
        cents=amount if stage in {Stage.SETTLED, Stage.PROCESSING} else 0,
        refunded_cents=int(payment.get("amount_refunded") or 0),
        disputed_cents=amount if came_back else 0,
        means=MEANS.get(str(payment.get("scheme"))),
        payment_ref=str(payment["id"]),
        failure=_cause(status, events) if stage is Stage.FAILED or came_back else "",
        at=_day(payment) if stage is Stage.SETTLED else None,
        mandate_ref=mandate_ref or str((payment.get("links") or {}).get("mandate") or ""),
    )


def facts_of(mandate: dict[str, Any], *, ref: str) -> MandateFacts:
    """Read a SEPA mandate; raise on any other, and on a word this code does not know."""
    status, mandate_ref = mandate.get("status"), mandate.get("id")
    if status not in OF_MANDATE or not isinstance(mandate_ref, str) or mandate.get("scheme") != "sepa_core":
        raise unreadable(NAME)
    stage = OF_MANDATE[status]
    return MandateFacts(
        ref=ref,
        stage=stage,
        mandate_ref=mandate_ref,
        reference=str(mandate.get("reference") or "")[:100],
        failure=str(status) if stage is MandateStage.ENDED else "",
    )


def first_day_of(mandate: dict[str, Any]) -> dt.date | None:
    """Return the first day a debit may be collected by a mandate, when it says so."""
    try:
        return dt.date.fromisoformat(str(mandate.get("next_possible_charge_date")))
    except ValueError:
        return None


def stage_of_request(request: dict[str, Any]) -> Stage | None:
    """Return how far a request is; nothing once it is fulfilled, where its payment tells."""
    status = request.get("status")
    if status == FULFILLED:
        return None
    if status not in OF_REQUEST:
        raise unreadable(NAME)
    return OF_REQUEST[status]


def _cause(status: str, events: Sequence[dict[str, Any]]) -> str:
    """Return the bank's reason, as the newest event of that status tells it."""
    told = [event for event in events if event.get("action") in {status, "late_failure_settled"}]
    causes = [str((event.get("details") or {}).get("cause") or "") for event in told]
    return next((cause[:100] for cause in causes if cause), status)


def _day(payment: dict[str, Any]) -> dt.datetime | None:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(str(payment.get("charge_date"))), NOON)
    except ValueError:
        return None
