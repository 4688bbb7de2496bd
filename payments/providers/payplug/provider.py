"""One firm's account at PayPlug: a hosted payment, read again at every announcement, which are unsigned."""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from payments.enums import Mode, PaymentMeans
from payments.errors import NoticeError, ProviderError
from payments.providers import failures
from payments.providers.addresses import is_page
from payments.providers.payplug.client import PayPlugClient
from payments.providers.payplug.profile import NAME, PROFILE
from payments.providers.protocol import TIMEOUT_SECONDS, AccountFacts, Notice, Order, Page, Snapshot, Stage

EURO = "EUR"
_PAYMENT = re.compile(r"pay_[A-Za-z0-9]{1,80}")
# The page was left, or closed by us: nobody refused anything.
NOT_PAID = {"aborted", "timeout"}
LONGEST_DESCRIPTION = 80
EVENT_ID_LENGTH = 40


class PayPlugProvider:
    """Hosted payments of one account.

    PayPlug knows no idempotency key: a page whose answer was lost is shown to nobody, so nobody can pay on it.
    """

    slug = PROFILE.slug

    def __init__(self, *, secret_key: str, base_url: str = "") -> None:
        self._is_live = PROFILE.mode_of(secret_key) is Mode.LIVE
        self._base_url = base_url
        self._client = PayPlugClient(secret_key=secret_key, base_url=base_url)

    def check(self) -> AccountFacts:
        """Read the account the key opens."""
        account = self._client.get("/v1/account", timeout=TIMEOUT_SECONDS)
        if account.get("object") != "account":
            raise failures.unreadable(NAME)
        label = str(account.get("company_name") or account.get("id") or "")[:120]
        return AccountFacts(label=label, is_live=self._is_live, means=frozenset(PROFILE.means))

    def open(self, order: Order) -> Page:
        """Open a hosted payment."""
        if order.means not in PROFILE.means:
            raise failures.closed_means(NAME)
        billing = {"language": order.language, **({"email": order.email} if order.email else {})}
        body = {
            "amount": order.cents,
            "currency": EURO,
            "description": order.label[:LONGEST_DESCRIPTION],
            "billing": billing,
            "hosted_payment": {"return_url": order.return_url, "cancel_url": order.cancel_url},
            "notification_url": order.notice_url,
            "metadata": {"reference": order.reference},
        }
        payment = self._read(self._client.post("/v1/payments", body, timeout=TIMEOUT_SECONDS))
        url = (payment.get("hosted_payment") or {}).get("payment_url")
        is_ours = (payment.get("metadata") or {}).get("reference") == order.reference
        if not is_ours or payment["amount"] != order.cents or not is_page(url, base_url=self._base_url):
            raise failures.unreadable(NAME)
        return Page(ref=payment["id"], url=str(url))

    def fetch(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> Snapshot:
        """Read a payment."""
        return snapshot_of(self._read(self._client.get(_path(ref), timeout=timeout)))

    def find(self, payment_ref: str, *, timeout: float = TIMEOUT_SECONDS) -> str:
        """Return the payment itself: at PayPlug it is the order."""
        return payment_ref

    def close(self, ref: str) -> Snapshot:
        """Abort a payment nobody made yet; the truth is then asked, whatever was answered to that."""
        try:
            self._client.patch(_path(ref), {"aborted": True}, timeout=TIMEOUT_SECONDS)
        except ProviderError as error:
            if not error.is_refusal:
                raise
        return self.fetch(ref)

    def read_notices(self, *, body: bytes, headers: Mapping[str, str]) -> list[Notice]:
        """Read which payment to ask about: nothing else of an unsigned notice is worth anything."""
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NoticeError("Cette annonce n’a pas la forme que PayPlug décrit.") from error
        kind = told.get("object") if isinstance(told, dict) else None
        ref = {"payment": "id", "refund": "payment_id"}.get(str(kind), "")
        payment = told.get(ref) if isinstance(told, dict) else None
        event_id = hashlib.sha256(body).hexdigest()[:EVENT_ID_LENGTH]
        if kind == "installment_plan":
            return [Notice(event_id=event_id, kind=kind, is_about_payments=False)]
        if not isinstance(payment, str) or not _PAYMENT.fullmatch(payment):
            raise NoticeError("Cette annonce n’a pas la forme que PayPlug décrit.")
        return [Notice(event_id=event_id, kind=str(kind), ref=payment)]

    def _read(self, payment: dict[str, Any]) -> dict[str, Any]:
        """Refuse an answer that is no payment in euros of this account's mode."""
        amount, ref = payment.get("amount"), payment.get("id")
        is_known = isinstance(ref, str) and bool(_PAYMENT.fullmatch(ref)) and payment.get("object") == "payment"
        is_money = isinstance(amount, int) and not isinstance(amount, bool) and payment.get("currency") == EURO
        if not (is_known and is_money and payment.get("is_live") is self._is_live):
            raise failures.unreadable(NAME)
        return payment


def snapshot_of(payment: dict[str, Any]) -> Snapshot:
    """Read a payment; raise on anything PayPlug did not say when this was written."""
    is_paid, failure, refunded = payment.get("is_paid"), payment.get("failure"), payment.get("amount_refunded", 0)
    is_told = isinstance(is_paid, bool) and isinstance(refunded, int) and isinstance(failure, dict | None)
    if not is_told:
        raise failures.unreadable(NAME)
    code = str((failure or {}).get("code") or "")
    stage = _stage(is_paid=bool(is_paid), failure=failure, code=code, is_pending=_is_pending(payment))
    return Snapshot(
        ref=payment["id"],
        stage=stage,
        cents=payment["amount"] if stage in {Stage.SETTLED, Stage.PROCESSING} else 0,
        refunded_cents=refunded,
        means=PaymentMeans.CARD if payment.get("card") else None,
        payment_ref=payment["id"],
        failure=code[:100] if stage is Stage.FAILED else "",
        at=_at(payment) if stage is Stage.SETTLED else None,
    )


def _stage(*, is_paid: bool, failure: object, code: str, is_pending: bool) -> Stage:
    if is_paid:
        return Stage.SETTLED
    if failure is not None:
        if not code:
            raise failures.unreadable(NAME)
        return Stage.EXPIRED if code in NOT_PAID else Stage.FAILED
    return Stage.PROCESSING if is_pending else Stage.OPEN


def _is_pending(payment: dict[str, Any]) -> bool:
    method = payment.get("payment_method")
    return isinstance(method, dict) and method.get("is_pending") is True


def _at(payment: dict[str, Any]) -> dt.datetime | None:
    paid_at = (payment.get("hosted_payment") or {}).get("paid_at")
    return dt.datetime.fromtimestamp(paid_at, dt.UTC) if isinstance(paid_at, int) else None


def _path(ref: str) -> str:
    if not _PAYMENT.fullmatch(ref):
        raise failures.unknown_payment(NAME)
    return f"/v1/payments/{ref}"
