"""Stripe's official client, as the product drives it, against Stripe's official description and sample objects."""

import copy
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from payments.enums import PaymentMeans
from payments.errors import ProviderError
from payments.providers.protocol import Order, Snapshot, Stage
from payments.providers.stripe import StripeProvider
from tests.contract.openapi_double import Double, description, serving, specs_are_here

if not specs_are_here():
    pytest.skip("no specifications here", allow_module_level=True)

SPEC, SAMPLES = "stripe/spec3-2023-09-12.slim.json", "stripe/fixtures3.json"
SESSIONS, SESSION = "/v1/checkout/sessions", "/v1/checkout/sessions/{session}"
EXPIRE, DISPUTES = f"{SESSION}/expire", "/v1/disputes"
REF, PAYMENT = "cs_test_1", "pi_1"
ORDER = Order(
    reference="7b0f9b0e-6f4e-4a55-9a8e-1c2d3e4f5a6b",
    cents=144_000,
    label="F-2026-0412, F-2026-0413",
    means=PaymentMeans.CARD,
    return_url="https://cabinet.example/p/jeton/retour/",
    cancel_url="https://cabinet.example/p/jeton/",
    notice_url="https://cabinet.example/retours/paiement/jeton/",
    email="sophie@leclerc.example",
    expires_at=dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC),
)


def sample(name: str, **facts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(description(SAMPLES)["resources"][name]), **facts}


def session(**facts: Any) -> dict[str, Any]:
    ours = {
        "id": REF,
        "currency": "eur",
        "amount_total": ORDER.cents,
        "client_reference_id": ORDER.reference,
        "payment_intent": None,
    }
    return sample("checkout.session", **{**ours, **facts})


def paid(**facts: Any) -> dict[str, Any]:
    charge = sample("charge", **{"currency": "eur", "created": 1_790_000_000, **facts.pop("charge", {})})
    given = {"id": PAYMENT, "currency": "eur", "amount": ORDER.cents, "status": "succeeded", "latest_charge": charge}
    return sample("payment_intent", **{**given, "amount_received": ORDER.cents, **facts})


@contextmanager
def stripe_double() -> Iterator[Double]:
    """Serve the description, with the list of disputes the slim copy left out."""
    with serving(SPEC) as double:
        names = ("payment_intent", "charge", "limit", "expand", "starting_after", "ending_before", "created")
        listed = {"parameters": [{"name": name, "in": "query"} for name in names]}
        double.spec["paths"].setdefault(DISPUTES, {"get": listed})
        yield double


def provider(double: Double) -> StripeProvider:
    return StripeProvider(secret_key="rk_test_0123456789", base_url=double.base_url)


def fetched(answer: dict[str, Any]) -> Snapshot:
    with stripe_double() as double:
        double.answers["GET", SESSION] = (200, answer)
        found = provider(double).fetch(REF)
        assert double.faults == []
        return found


def test_opens_a_page_the_description_accepts_and_a_retry_bears_the_same_key() -> None:
    with stripe_double() as double:
        double.answers["POST", SESSIONS] = (200, session(expires_at=1_796_000_000))

        pages = [provider(double).open(ORDER) for _ in range(2)]

        assert double.faults == []
        assert pages[0] == pages[1]
        assert (pages[0].ref, pages[0].url[:28], pages[0].expires_at) == (
            REF, "https://checkout.stripe.com/", dt.datetime.fromtimestamp(1_796_000_000, dt.UTC),
        )  # fmt: skip
        first, second = double.calls
        assert first.body == second.body == {
            "mode": "payment",
            "submit_type": "pay",
            "payment_method_types": ["card"],
            "line_items": [
                {
                    "quantity": "1",
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": "144000",
                        "product_data": {"name": "F-2026-0412, F-2026-0413"},
                    },
                }
            ],
            "client_reference_id": ORDER.reference,
            "metadata": {"reference": ORDER.reference},
            "payment_intent_data": {
                "description": "F-2026-0412, F-2026-0413", "metadata": {"reference": ORDER.reference},
            },
            "locale": "fr",
            "success_url": ORDER.return_url,
            "cancel_url": ORDER.cancel_url,
            "customer_email": "sophie@leclerc.example",
            "expires_at": "1795521600",
        }  # fmt: skip
        assert {call.headers["Idempotency-Key"] for call in double.calls} == {f"checkout-{ORDER.reference}"}
        assert first.headers["Authorization"] == "Bearer rk_test_0123456789"


def test_the_double_refuses_what_the_description_forbids() -> None:
    with stripe_double() as double:
        wrong = {"mode": "payment", "success_url": "https://x.example", "surprise": "1", "line_items": [{"price": []}]}

        status, _ = double.answer("POST", SESSIONS, wrong, {})

        assert (status, len(double.faults) >= 2) == (400, True)


@pytest.mark.parametrize(
    "facts",
    [
        {"url": None},
        {"url": "http://checkout.stripe.com/pay"},
        {"currency": "usd"},
        {"currency": None},
        {"amount_total": ORDER.cents - 1},
        {"client_reference_id": "another"},
        {"id": None},
    ],
    ids=str,
)
def test_believes_no_page_that_is_not_the_one_asked_for(facts: dict[str, Any]) -> None:
    with stripe_double() as double:
        double.answers["POST", SESSIONS] = (200, session(**facts))

        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).open(ORDER)


@pytest.mark.parametrize("means", [PaymentMeans.TRANSFER, PaymentMeans.CHEQUE])
def test_opens_no_page_for_a_means_it_has_not(means: PaymentMeans) -> None:
    with stripe_double() as double:
        order = Order(**{name: getattr(ORDER, name) for name in Order.__slots__} | {"means": means})

        with pytest.raises(ProviderError, match="pas ouvert"):
            provider(double).open(order)

        assert double.calls == []


@pytest.mark.parametrize(
    ("status", "payment", "stage"),
    [
        ("open", None, Stage.OPEN),
        ("open", "requires_payment_method", Stage.OPEN),
        ("open", "requires_confirmation", Stage.OPEN),
        ("open", "requires_action", Stage.OPEN),
        ("open", "requires_capture", Stage.OPEN),
        ("open", "canceled", Stage.OPEN),
        ("open", "processing", Stage.PROCESSING),
        ("open", "succeeded", Stage.SETTLED),
        ("complete", "succeeded", Stage.SETTLED),
        ("complete", "processing", Stage.PROCESSING),
        ("complete", "requires_action", Stage.PROCESSING),
        ("complete", "requires_confirmation", Stage.PROCESSING),
        ("complete", "requires_capture", Stage.PROCESSING),
        ("complete", "requires_payment_method", Stage.FAILED),
        ("complete", "canceled", Stage.FAILED),
        ("expired", None, Stage.EXPIRED),
        ("expired", "requires_payment_method", Stage.EXPIRED),
        ("expired", "canceled", Stage.EXPIRED),
        ("expired", "succeeded", Stage.SETTLED),
    ],
)
def test_reads_every_status_of_a_session_and_its_payment(status: str, payment: str | None, stage: Stage) -> None:
    found = fetched(session(status=status, payment_intent=None if payment is None else paid(status=payment)))

    assert (found.stage, found.ref) == (stage, REF)
    assert found.cents == (ORDER.cents if stage in {Stage.SETTLED, Stage.PROCESSING} else 0)


def test_knows_every_status_of_the_description() -> None:
    schemas = description(SPEC)["components"]["schemas"]
    of_session = schemas["checkout.session"]["properties"]["status"]["enum"]
    of_payment = schemas["payment_intent"]["properties"]["status"]["enum"]

    for status in of_payment:
        for place in of_session:
            assert fetched(session(status=place, payment_intent=paid(status=status))).stage in Stage


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "paused"},
        {"status": "complete"},
        {"status": None},
        {"status": "complete", "payment_intent": "pi_not_expanded"},
        {"status": "complete", "currency": "usd"},
        {"id": None, "status": "open"},
    ],
    ids=str,
)
def test_guesses_nothing_from_an_answer_it_does_not_know(facts: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="Rien n’en a été déduit"):
        fetched(session(**facts))


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "disputed"},
        {"currency": "usd"},
        {"amount_received": None},
        {"amount_received": "144000"},
        {"latest_charge": "ch_not_expanded"},
        {"charge": {"currency": "gbp"}},
        {"charge": {"amount_refunded": None}},
    ],
    ids=str,
)
def test_guesses_nothing_from_a_payment_it_does_not_know(facts: dict[str, Any]) -> None:
    base = {"currency": "eur"} if "currency" not in facts else {}
    with pytest.raises(ProviderError, match="Rien n’en a été déduit"):
        fetched(session(status="complete", payment_intent=paid(**{**base, **facts})))


def test_tells_how_much_came_by_what_when_and_what_was_given_back() -> None:
    found = fetched(session(status="complete", payment_intent=paid(charge={"amount_refunded": 4_000})))

    assert found == Snapshot(
        ref=REF,
        stage=Stage.SETTLED,
        cents=144_000,
        refunded_cents=4_000,
        means=PaymentMeans.CARD,
        payment_ref=PAYMENT,
        at=dt.datetime.fromtimestamp(1_790_000_000, dt.UTC),
    )


def test_a_settled_debit_does_not_bear_the_day_it_was_asked_for() -> None:
    debit = {"payment_method_details": {"type": "sepa_debit"}}

    settled = fetched(session(status="complete", payment_intent=paid(charge=debit)))
    processing = fetched(session(status="complete", payment_intent=paid(charge=debit, status="processing")))

    assert (settled.means, settled.at) == (PaymentMeans.DEBIT, None)
    assert processing.at == dt.datetime.fromtimestamp(1_790_000_000, dt.UTC)


@pytest.mark.parametrize(
    ("error", "failure"),
    [({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
     ({"code": "payment_intent_payment_attempt_failed"}, "payment_intent_payment_attempt_failed"),
     (None, "")],
)  # fmt: skip
def test_keeps_the_code_of_a_refusal(error: dict[str, str] | None, failure: str) -> None:
    payment = paid(status="requires_payment_method", last_payment_error=error)

    assert fetched(session(status="complete", payment_intent=payment)).failure == failure


@pytest.mark.parametrize(
    ("status", "taken"),
    [
        ("needs_response", 144_000),
        ("under_review", 144_000),
        ("lost", 144_000),
        ("won", 0),
        ("prevented", 0),
        ("warning_needs_response", 0),
        ("warning_under_review", 0),
        ("warning_closed", 0),
    ],
)
def test_counts_a_dispute_while_its_money_is_away(status: str, taken: int) -> None:
    with stripe_double() as double:
        payment = paid(charge={"disputed": True})
        double.answers["GET", SESSION] = (200, session(status="complete", payment_intent=payment))
        dispute = sample("dispute", amount=144_000, currency="eur", status=status)
        double.answers["GET", DISPUTES] = (200, {"object": "list", "data": [dispute], "has_more": False})

        found = provider(double).fetch(REF)

        assert (found.stage, found.disputed_cents, double.faults) == (Stage.SETTLED, taken, [])
        assert [call.query for call in double.calls] == [
            {"expand": ["payment_intent.latest_charge"]}, {"payment_intent": PAYMENT, "limit": "100"},
        ]  # fmt: skip


@pytest.mark.parametrize("facts", [{"status": "new_word"}, {"status": "lost", "currency": "usd"}], ids=str)
def test_guesses_nothing_from_a_dispute_it_does_not_know(facts: dict[str, str]) -> None:
    with stripe_double() as double:
        payment = paid(charge={"disputed": True})
        double.answers["GET", SESSION] = (200, session(status="complete", payment_intent=payment))
        dispute = sample("dispute", **{"amount": 144_000, "currency": "eur", **facts})
        double.answers["GET", DISPUTES] = (200, {"object": "list", "data": [dispute]})

        with pytest.raises(ProviderError, match="Rien n’en a été déduit"):
            provider(double).fetch(REF)


@pytest.mark.parametrize(("data", "ref"), [([{"id": REF, "object": "checkout.session"}], REF), ([], "")])
def test_finds_the_page_of_a_payment(data: list[dict[str, str]], ref: str) -> None:
    with stripe_double() as double:
        double.answers["GET", SESSIONS] = (200, {"object": "list", "data": data, "has_more": False})

        assert provider(double).find(PAYMENT) == ref
        assert (double.calls[0].query, double.faults) == ({"payment_intent": PAYMENT, "limit": "1"}, [])


def test_closes_a_page_and_says_what_it_became() -> None:
    with stripe_double() as double:
        double.answers["POST", EXPIRE] = (200, session(status="expired"))
        double.answers["GET", SESSION] = (200, session(status="expired"))

        assert (provider(double).close(REF).stage, double.faults) == (Stage.EXPIRED, [])


def test_a_page_paid_meanwhile_is_not_closed_but_told() -> None:
    with stripe_double() as double:
        error = {"type": "invalid_request_error", "message": 'Only Checkout Sessions with a status in ["open"]'}
        double.answers["POST", EXPIRE] = (400, {"error": error})
        double.answers["GET", SESSION] = (200, session(status="complete", payment_intent=paid()))

        found = provider(double).close(REF)

        assert (found.stage, found.cents) == (Stage.SETTLED, 144_000)


def test_says_which_account_the_key_opens() -> None:
    with stripe_double() as double:
        account = sample("account", charges_enabled=True, payouts_enabled=False)
        account["settings"]["dashboard"]["display_name"] = "Cabinet Aubry"
        account["capabilities"] = {"card_payments": "active", "sepa_debit_payments": "pending"}
        double.answers["GET", "/v1/account"] = (200, account)

        facts = provider(double).check()

        assert (facts.label, facts.is_live, facts.means, double.faults) == (
            "Cabinet Aubry", False, frozenset({PaymentMeans.CARD}), [],
        )  # fmt: skip
        assert list(facts.warnings) == ["Stripe ne vire pas encore les fonds de ce compte à votre banque."]


@pytest.mark.parametrize(
    ("status", "error", "said", "is_refusal"),
    [
        (401, {"type": "invalid_request_error", "message": "Invalid API Key: sk_test_***"}, "Clé refusée", True),
        (403, {"type": "invalid_request_error", "message": "no right"}, "n’a pas le droit", True),
        (429, {"type": "invalid_request_error", "code": "rate_limit", "message": "slow"}, "trop de demandes", False),
        (409, {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "x"}, "trop de", False),
        (400, {"type": "idempotency_error", "message": "Keys for sophie@leclerc.example"}, "refuse cette", True),
        (400, {"type": "invalid_request_error", "code": "amount_too_small", "message": "x"}, "ce montant", True),
        (400, {"type": "invalid_request_error", "code": "amount_too_large", "message": "x"}, "ce montant", True),
        (400, {"type": "invalid_request_error", "code": "email_invalid", "message": "sophie@leclerc.example"},
         r"refuse cette demande \(email_invalid\)\.", True),
        (400, {"type": "invalid_request_error", "code": "payment_method_unactivated", "message": "x"}, "pas ou", True),
        (404, {"type": "invalid_request_error", "code": "resource_missing", "message": "x"}, "ne connaît pas", True),
        (500, {"type": "api_error", "message": "oops"}, "est en panne", False),
        (503, None, "est en panne", False),
        (200, "not an object", "ne sait pas lire", False),
    ],
    ids=str,
)  # fmt: skip
def test_tells_every_refusal_in_one_sentence_without_a_name(
    status: int, error: Any, said: str, is_refusal: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with stripe_double() as double:
        answer = {"error": error} if isinstance(error, dict) else error
        double.answers["POST", SESSIONS] = (status, answer)

        with pytest.raises(ProviderError, match=said) as refused:
            provider(double).open(ORDER)

        told = "".join([str(refused.value), *(record.getMessage() for record in caplog.records)])
        assert refused.value.is_refusal is is_refusal
        assert ("leclerc" in told, "sk_test" in told, "rk_test" in told) == (False, False, False)
        assert (refused.value.__suppress_context__ or refused.value.__context__ is None, len(double.calls)) == (True, 1)


def test_nobody_at_the_other_end_is_said_so() -> None:
    nobody = StripeProvider(secret_key="rk_test_0123456789", base_url="http://127.0.0.1:9")

    with pytest.raises(ProviderError, match="Stripe n’a pas répondu") as refused:
        nobody.open(ORDER)

    assert refused.value.is_refusal is False
