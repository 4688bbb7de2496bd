"""What a provider announces is believed once its signature is checked on the raw body; it tells only what to ask."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest

from payments.errors import NoticeError
from payments.providers.gocardless import GoCardlessProvider
from payments.providers.payplug import PayPlugProvider
from payments.providers.protocol import Notice, PaymentProvider
from payments.providers.stripe import StripeProvider
from payments.providers.stripe.notices import OF_PAYMENTS, OF_SESSIONS
from tests.conftest import NOW

SECRET, FORMER, STRANGER = "whsec_current12345", "whsec_former123456", "whsec_stranger1234"
SIGNED_AT = int(NOW.timestamp())


def stripe(*secrets: str) -> StripeProvider:
    return StripeProvider(secret_key="rk_test_0123456789", webhook_secrets=secrets)


def gocardless(*secrets: str) -> GoCardlessProvider:
    return GoCardlessProvider(access_token="sandbox_0123456789", webhook_secrets=secrets)


def event(kind: str = "checkout.session.completed", **facts: Any) -> bytes:
    return json.dumps(
        {"id": "evt_1", "object": "event", "type": kind, "data": {"object": {"id": "cs_1", **facts}}}
    ).encode()


def stripe_signature(body: bytes, secret: str = SECRET, *, at: int = SIGNED_AT) -> str:
    """Sign as Stripe's documentation says, without its library."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def gocardless_signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def batch(*events: Mapping[str, Any]) -> bytes:
    return json.dumps({"events": events, "meta": {"webhook_id": "WB123"}}).encode()


PAYMENT_EVENT = {"id": "EV1", "resource_type": "payments", "action": "confirmed", "links": {"payment": "PM1"}}


@pytest.mark.parametrize(
    ("secrets", "signed_by"),
    [((SECRET,), SECRET), ((SECRET, FORMER), SECRET), ((SECRET, FORMER), FORMER)],
    ids=["current", "current of two", "former of two"],
)
def test_stripe_is_believed_by_any_secret_still_good(secrets: tuple[str, ...], signed_by: str) -> None:
    body = event()

    [notice] = stripe(*secrets).read_notices(body=body, headers={"stripe-signature": stripe_signature(body, signed_by)})

    assert notice == Notice(event_id="evt_1", kind="checkout.session.completed", ref="cs_1")


@pytest.mark.parametrize(("age", "is_believed"), [(0, True), (299, True), (300, True), (301, False), (86_400, False)])
def test_stripe_is_believed_for_five_minutes(age: int, is_believed: bool) -> None:
    body = event()
    headers = {"Stripe-Signature": stripe_signature(body, at=SIGNED_AT - age)}

    if is_believed:
        assert len(stripe(SECRET).read_notices(body=body, headers=headers)) == 1
    else:
        with pytest.raises(NoticeError, match="plus de cinq minutes"):
            stripe(SECRET).read_notices(body=body, headers=headers)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=,v1=",
        "v1=abc",
        f"t={SIGNED_AT}",
        f"t={SIGNED_AT},v1={'0' * 64}",
        f"t={SIGNED_AT},v0=" + stripe_signature(event()).split("v1=")[1],
        stripe_signature(event(), STRANGER),
        stripe_signature(event(), SECRET, at=SIGNED_AT - 10).replace(str(SIGNED_AT - 10), str(SIGNED_AT)),
        "é" * 64,
    ],
    ids=["missing", "empty", "no time", "no signature", "wrong", "old scheme", "stranger", "time moved", "not ascii"],
)
def test_stripe_is_not_believed_otherwise(signature: str) -> None:
    with pytest.raises(NoticeError, match="signature"):
        stripe(SECRET).read_notices(body=event(), headers={"Stripe-Signature": signature})


def test_stripe_without_a_secret_or_a_header_is_nobody() -> None:
    body = event()
    with pytest.raises(NoticeError):
        stripe().read_notices(body=body, headers={"Stripe-Signature": stripe_signature(body)})
    with pytest.raises(NoticeError):
        stripe(SECRET).read_notices(body=body, headers={})


def test_one_byte_changed_is_another_notice() -> None:
    body = event()
    headers = {
        "Stripe-Signature": stripe_signature(body),
        "Webhook-Signature": gocardless_signature(body),
    }
    for provider in (stripe(SECRET), gocardless(SECRET)):
        for place in (0, len(body) // 2, len(body) - 1):
            changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            with pytest.raises(NoticeError):
                provider.read_notices(body=changed, headers=headers)


@pytest.mark.parametrize("kind", sorted(OF_SESSIONS))
def test_stripe_names_the_page_of_what_happened_to_it(kind: str) -> None:
    body = event(kind)

    [notice] = stripe(SECRET).read_notices(body=body, headers={"Stripe-Signature": stripe_signature(body)})

    assert notice == Notice(event_id="evt_1", kind=kind, ref="cs_1")


@pytest.mark.parametrize("kind", sorted(OF_PAYMENTS))
def test_stripe_names_the_payment_of_a_refund_or_a_dispute(kind: str) -> None:
    body = event(kind, payment_intent="pi_1")

    [notice] = stripe(SECRET).read_notices(body=body, headers={"Stripe-Signature": stripe_signature(body)})

    assert notice == Notice(event_id="evt_1", kind=kind, payment_ref="pi_1")


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("customer.created", {}),
        ("payout.paid", {}),
        ("charge.refunded", {"payment_intent": None}),
        ("charge.refunded", {}),
    ],
)
def test_stripe_s_other_events_change_nothing(kind: str, facts: dict[str, Any]) -> None:
    body = event(kind, **facts)

    [notice] = stripe(SECRET).read_notices(body=body, headers={"Stripe-Signature": stripe_signature(body)})

    assert (notice.kind, notice.ref, notice.payment_ref, notice.is_about_payments) == (kind, "", "", False)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"not json", b'{"id": "evt_1"}', b'{"id": 1, "type": "x", "data": {"object": {}}}', b"\xff\xfe"],
)
def test_stripe_signed_but_shapeless_is_refused(body: bytes) -> None:
    with pytest.raises(NoticeError):
        stripe(SECRET).read_notices(body=body, headers={"Stripe-Signature": stripe_signature(body)})


def test_gocardless_announces_a_batch() -> None:
    body = batch(
        PAYMENT_EVENT,
        {"id": "EV2", "resource_type": "billing_requests", "action": "fulfilled", "links": {"billing_request": "BRQ1"}},
        {"id": "EV3", "resource_type": "refunds", "action": "paid", "links": {"refund": "RF1"}},
        {"id": "EV4", "resource_type": "mandates", "action": "active", "links": {"mandate": "MD1"}},
        {"id": "EV5", "resource_type": "payments", "action": "created", "links": {}},
    )

    read = gocardless(SECRET, FORMER).read_notices(
        body=body, headers={"webhook-signature": gocardless_signature(body, FORMER)}
    )

    assert read == [
        Notice(event_id="EV1", kind="payments.confirmed", payment_ref="PM1"),
        Notice(event_id="EV2", kind="billing_requests.fulfilled", ref="BRQ1"),
        Notice(event_id="EV3", kind="refunds.paid", payment_ref="RF1"),
        Notice(event_id="EV4", kind="mandates.active", ref="MD1"),
        Notice(event_id="EV5", kind="payments.created", is_about_payments=False),
    ]


@pytest.mark.parametrize(
    "signature",
    ["", "0" * 64, gocardless_signature(batch(PAYMENT_EVENT), STRANGER), "é" * 64],
    ids=["missing", "wrong", "stranger", "not ascii"],
)
def test_gocardless_is_not_believed_otherwise(signature: str) -> None:
    with pytest.raises(NoticeError, match="signature"):
        gocardless(SECRET, FORMER).read_notices(body=batch(PAYMENT_EVENT), headers={"Webhook-Signature": signature})
    with pytest.raises(NoticeError):
        gocardless().read_notices(
            body=batch(PAYMENT_EVENT),
            headers={"Webhook-Signature": gocardless_signature(batch(PAYMENT_EVENT))},
        )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events": [{"id": 1}]}', b'{"events": ["x"]}', b"\xff"])
def test_gocardless_signed_but_shapeless_is_refused(body: bytes) -> None:
    with pytest.raises(NoticeError):
        gocardless(SECRET).read_notices(body=body, headers={"Webhook-Signature": gocardless_signature(body)})


@pytest.mark.parametrize(
    ("told", "kind", "ref"),
    [
        ({"object": "payment", "id": "pay_5iHMDxy4ABR4YB", "is_paid": True}, "payment", "pay_5iHMDxy4ABR4YB"),
        ({"object": "refund", "id": "re_1", "payment_id": "pay_1"}, "refund", "pay_1"),
    ],
)  # fmt: skip
def test_payplug_only_names_what_to_ask_about(told: dict[str, Any], kind: str, ref: str) -> None:
    provider = PayPlugProvider(secret_key="sk_test_0123456789")
    body, later = json.dumps(told).encode(), json.dumps({**told, "amount_refunded": 1}).encode()

    [first], [again], [other] = (provider.read_notices(body=one, headers={}) for one in (body, body, later))

    assert (first.kind, first.ref, first.is_about_payments) == (kind, ref, True)
    assert first == again
    assert first.event_id != other.event_id


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"object": "payment"}',
        b'{"object": "payment", "id": "../accounts"}',
        b'{"object": "payment", "id": 4}',
        b'{"object": "card", "id": "pay_1"}',
        b'{"object": ["payment"], "id": "pay_1"}',
    ],
)
def test_payplug_of_another_shape_is_refused(told: bytes) -> None:
    with pytest.raises(NoticeError, match="n’a pas la forme"):
        PayPlugProvider(secret_key="sk_test_0123456789").read_notices(body=told, headers={})


def test_payplug_s_instalment_plans_are_none_of_ours() -> None:
    [notice] = PayPlugProvider(secret_key="sk_test_0123456789").read_notices(
        body=b'{"object": "installment_plan", "id": "inst_1"}', headers={}
    )

    assert notice.is_about_payments is False


def test_every_connector_keeps_the_protocol() -> None:
    kept: list[PaymentProvider] = [
        stripe(SECRET), gocardless(SECRET), PayPlugProvider(secret_key="sk_test_0123456789"),
    ]  # fmt: skip

    assert [one.slug for one in kept] == ["stripe", "gocardless", "payplug"]
