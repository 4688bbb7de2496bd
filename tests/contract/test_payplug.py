"""PayPlug, as the product drives it, against the objects its own official client is tested with."""

import copy
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from payments.enums import PaymentMeans
from payments.errors import ProviderError
from payments.providers.payplug import PayPlugProvider
from payments.providers.protocol import Order, Snapshot, Stage
from tests.contract.openapi_double import Double, description, served, specs_are_here

if not specs_are_here():
    pytest.skip("no specifications here", allow_module_level=True)

OBJECTS = description("payplug/official-client-test-objects.json")
SAMPLE = OBJECTS["test_payment.1"]
REF = SAMPLE["id"]
PAYMENTS, PAYMENT = "/v1/payments", "/v1/payments/{id}"
ORDER = Order(
    reference="7b0f9b0e-6f4e-4a55-9a8e-1c2d3e4f5a6b",
    cents=144_000,
    label="F-2026-0412",
    means=PaymentMeans.CARD,
    return_url="https://cabinet.example/p/jeton/retour/",
    cancel_url="https://cabinet.example/p/jeton/",
    notice_url="https://cabinet.example/retours/paiement/jeton/",
    email="sophie@leclerc.example",
)
TEXT: dict[str, Any] = {"type": "string"}
# What may be asked: the names the official client's objects have, and the two its documentation adds.
CREATION: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "currency", "hosted_payment"],
    "properties": {
        "amount": {"type": "integer", "minimum": 1},
        "currency": {"enum": ["EUR"]},
        "description": {"type": "string", "maxLength": 80},
        "notification_url": TEXT,
        "billing": {"type": "object", "properties": dict.fromkeys(SAMPLE["billing"], TEXT)},
        "hosted_payment": {"type": "object", "properties": {"return_url": TEXT, "cancel_url": TEXT}},
        "metadata": {"type": "object", "additionalProperties": TEXT},
    },
}
ABORTION: dict[str, Any] = {"type": "object", "properties": {"aborted": {"enum": [True]}}, "required": ["aborted"]}


def taking(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


SPEC = {
    "paths": {
        PAYMENTS: {"post": taking(CREATION)},
        PAYMENT: {"get": {}, "patch": taking(ABORTION)},
        "/v1/account": {"get": {}},
    }
}


def payment(**facts: Any) -> dict[str, Any]:
    """Return the official payment, not paid yet, as this order's."""
    fresh = {
        "is_live": False,
        "amount": ORDER.cents,
        "is_paid": False,
        "failure": None,
        "card": None,
        "metadata": {"reference": ORDER.reference},
    }
    found = {**copy.deepcopy(SAMPLE), **fresh, **facts}
    found["hosted_payment"] = {
        "payment_url": f"https://secure.payplug.com/pay/test/{REF}", "paid_at": None, **facts.get("hosted_payment", {}),
    }  # fmt: skip
    return found


@contextmanager
def payplug_double() -> Iterator[Double]:
    with served(Double(SPEC)) as double:
        yield double


def provider(double: Double) -> PayPlugProvider:
    return PayPlugProvider(secret_key="sk_test_0123456789", base_url=double.base_url)


def fetched(answer: dict[str, Any]) -> Snapshot:
    with payplug_double() as double:
        double.answers["GET", PAYMENT] = (200, answer)
        return provider(double).fetch(REF)


def test_opens_a_hosted_page() -> None:
    with payplug_double() as double:
        double.answers["POST", PAYMENTS] = (201, payment())

        page = provider(double).open(ORDER)

        assert (page.ref, page.url, double.faults) == (REF, f"https://secure.payplug.com/pay/test/{REF}", [])
        [call] = double.calls
        assert call.body == {
            "amount": 144_000,
            "currency": "EUR",
            "description": "F-2026-0412",
            "billing": {"language": "fr", "email": "sophie@leclerc.example"},
            "hosted_payment": {"return_url": ORDER.return_url, "cancel_url": ORDER.cancel_url},
            "notification_url": ORDER.notice_url,
            "metadata": {"reference": ORDER.reference},
        }
        assert (call.headers["Authorization"], call.headers["PayPlug-Version"]) == (
            "Bearer sk_test_0123456789", "2019-08-06",
        )  # fmt: skip


def test_the_double_refuses_a_name_the_official_objects_have_not() -> None:
    with payplug_double() as double:
        status, _ = double.answer(
            "POST", PAYMENTS, {"amount": 1, "currency": "EUR", "hosted_payment": {"url": "x"}}, {}
        )

        assert (status, len(double.faults)) == (400, 1)


@pytest.mark.parametrize(
    "facts",
    [
        {"hosted_payment": {"payment_url": None}},
        {"hosted_payment": {"payment_url": "http://secure.payplug.com/"}},
        {"currency": "USD"},
        {"amount": 1},
        {"amount": "144000"},
        {"is_live": True},
        {"metadata": {"reference": "another"}},
        {"metadata": None},
        {"id": "../account"},
        {"object": "refund"},
    ],
    ids=str,
)
def test_believes_no_page_that_is_not_the_one_asked_for(facts: dict[str, Any]) -> None:
    with payplug_double() as double:
        double.answers["POST", PAYMENTS] = (201, payment(**facts))

        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).open(ORDER)


def test_opens_no_page_for_a_debit() -> None:
    with payplug_double() as double:
        order = Order(**{name: getattr(ORDER, name) for name in Order.__slots__} | {"means": PaymentMeans.DEBIT})

        with pytest.raises(ProviderError, match="pas ouvert"):
            provider(double).open(order)

        assert double.calls == []


@pytest.mark.parametrize(
    ("facts", "stage", "cents", "failure"),
    [
        ({}, Stage.OPEN, 0, ""),
        ({"is_paid": True}, Stage.SETTLED, 144_000, ""),
        # Refused once, then paid with another card: what is paid is paid.
        ({"is_paid": True, "failure": {"code": "card_declined"}}, Stage.SETTLED, 144_000, ""),
        ({"failure": {"code": "card_declined"}}, Stage.FAILED, 0, "card_declined"),
        ({"failure": {"code": "insufficient_funds"}}, Stage.FAILED, 0, "insufficient_funds"),
        ({"failure": {"code": "3ds_declined"}}, Stage.FAILED, 0, "3ds_declined"),
        ({"failure": {"code": "processing_error"}}, Stage.FAILED, 0, "processing_error"),
        ({"failure": {"code": "aborted"}}, Stage.EXPIRED, 0, ""),
        ({"failure": {"code": "timeout"}}, Stage.EXPIRED, 0, ""),
        ({"payment_method": {"type": "x", "is_pending": True}}, Stage.PROCESSING, 144_000, ""),
    ],
    ids=str,
)
def test_reads_every_state_of_a_payment(facts: dict[str, Any], stage: Stage, cents: int, failure: str) -> None:
    found = fetched(payment(**facts))

    assert (found.stage, found.cents, found.failure, found.ref) == (stage, cents, failure, REF)


def test_tells_how_much_came_by_what_when_and_what_was_given_back() -> None:
    facts = {
        "is_paid": True,
        "amount_refunded": 4_000,
        "card": SAMPLE["card"],
        "hosted_payment": {"paid_at": 1434010827},
    }

    assert fetched(payment(**facts)) == Snapshot(
        ref=REF,
        stage=Stage.SETTLED,
        cents=144_000,
        refunded_cents=4_000,
        means=PaymentMeans.CARD,
        payment_ref=REF,
        at=dt.datetime(2015, 6, 11, 8, 20, 27, tzinfo=dt.UTC),
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"is_paid": None},
        {"is_paid": "true"},
        {"failure": {}},
        {"failure": "aborted"},
        {"amount_refunded": "0"},
        {"currency": "USD"},
        {"is_live": True},
        {"object": "payment_plan"},
    ],
    ids=str,
)
def test_guesses_nothing_from_an_answer_it_does_not_know(facts: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="Rien n’en a été déduit"):
        fetched(payment(**facts))


def test_closes_a_page_and_says_what_it_became() -> None:
    with payplug_double() as double:
        double.answers["PATCH", PAYMENT] = (200, payment())
        double.answers["GET", PAYMENT] = (200, payment(failure={"code": "aborted"}))

        assert (provider(double).close(REF).stage, double.faults) == (Stage.EXPIRED, [])


def test_a_page_paid_meanwhile_is_not_closed_but_told() -> None:
    with payplug_double() as double:
        double.answers["PATCH", PAYMENT] = (400, {"object": "error", "message": "Already paid."})
        double.answers["GET", PAYMENT] = (200, payment(is_paid=True))

        assert provider(double).close(REF).stage is Stage.SETTLED


@pytest.mark.parametrize("ref", ["../account", "pay_1/refunds", "inst_1", "", "pay_1?x=1"])
def test_asks_for_nothing_that_is_no_payment(ref: str) -> None:
    with payplug_double() as double:
        with pytest.raises(ProviderError, match="ne connaît pas"):
            provider(double).fetch(ref)

        assert double.calls == []


def test_a_payment_is_its_own_order() -> None:
    assert PayPlugProvider(secret_key="sk_test_0123456789").find(REF) == REF


def test_says_which_account_the_key_opens() -> None:
    with payplug_double() as double:
        double.answers["GET", "/v1/account"] = (200, {"object": "account", "id": "12345", "is_live": False})

        facts = provider(double).check()

        assert (facts.label, facts.is_live, facts.means) == ("12345", False, frozenset({PaymentMeans.CARD}))
        double.answers["GET", "/v1/account"] = (200, {"object": "error"})
        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).check()


@pytest.mark.parametrize(
    ("status", "answer", "said", "is_refusal"),
    [
        (401, {"object": "error", "message": "sk_test_0123456789"}, "Clé refusée", True),
        (403, {"object": "error", "message": "no"}, "n’a pas le droit", True),
        (404, {"object": "error", "message": "no"}, "ne connaît pas", True),
        (429, {"object": "error", "message": "slow"}, "trop de demandes", False),
        (400, {"object": "error", "details": {"amount": "sophie@leclerc.example"}}, "ce montant", True),
        (400, {"object": "error", "details": {"billing": {"email": "sophie@leclerc.example"}}}, r"\(billing\)", True),
        (400, {"object": "error", "details": {"sophie@leclerc.example": "x"}}, "refuse cette demande\\.", True),
        (400, {"object": "error", "message": "Bad request."}, "refuse cette demande\\.", True),
        (302, "elsewhere", "ne sait pas lire", False),
        (500, "oops", "est en panne", False),
        (503, {"object": "error"}, "est en panne", False),
        (200, ["payment"], "ne sait pas lire", False),
    ],
    ids=str,
)
def test_tells_every_refusal_in_one_sentence_without_a_name(
    status: int, answer: Any, said: str, is_refusal: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with payplug_double() as double:
        double.answers["POST", PAYMENTS] = (status, answer)

        with pytest.raises(ProviderError, match=said) as refused:
            provider(double).open(ORDER)

        told = "".join([str(refused.value), *(record.getMessage() for record in caplog.records)])
        assert (refused.value.is_refusal, "leclerc" in told, "sk_test" in told) == (is_refusal, False, False)


def test_nobody_at_the_other_end_is_said_so() -> None:
    nobody = PayPlugProvider(secret_key="sk_test_0123456789", base_url="http://127.0.0.1:9")

    with pytest.raises(ProviderError, match="PayPlug n’a pas répondu") as refused:
        nobody.open(ORDER)

    assert (refused.value.is_refusal, refused.value.__suppress_context__) == (False, True)


def test_reads_the_official_notice_of_a_plan_and_of_a_payment() -> None:
    known = PayPlugProvider(secret_key="sk_test_0123456789")

    plan, paid = (
        known.read_notices(body=json.dumps(OBJECTS[name]).encode(), headers={})[0]
        for name in ("test_notifications.0", "test_payment.0")
    )

    assert (plan.is_about_payments, paid.is_about_payments, paid.ref) == (False, True, REF)
