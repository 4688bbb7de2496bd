"""GoCardless's official client, as the product drives it, against the fixtures it is itself tested with."""

import copy
import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from payments.enums import PaymentMeans
from payments.errors import ProviderError
from payments.providers.gocardless import GoCardlessProvider
from payments.providers.gocardless.stages import OF_MANDATE, OF_PAYMENT
from payments.providers.protocol import MandateFacts, MandateProvider, MandateStage, Order, Snapshot, Stage
from tests.contract.openapi_double import Double, description, served, specs_are_here

if not specs_are_here():
    pytest.skip("no specifications here", allow_module_level=True)

FOLDER = "gocardless/fixtures"
RESOURCES = ("billing_requests", "billing_request_flows", "payments", "mandates", "refunds", "creditors", "events")
REQUESTS, REQUEST, CANCEL = (
    "/billing_requests",
    "/billing_requests/{identity}",
    "/billing_requests/{identity}/actions/cancel",
)
FLOWS, PAYMENTS, PAYMENT = "/billing_request_flows", "/payments", "/payments/{identity}"
MANDATE = "/mandates/{identity}"
REF = "BRQ123"
ORDER = Order(
    reference="7b0f9b0e-6f4e-4a55-9a8e-1c2d3e4f5a6b",
    cents=144_000,
    label="F-2026-0412",
    means=PaymentMeans.DEBIT,
    return_url="https://cabinet.example/p/jeton/retour/",
    cancel_url="https://cabinet.example/p/jeton/",
    notice_url="https://cabinet.example/retours/paiement/jeton/",
    email="sophie@leclerc.example",
)
INSTANT = Order(**{name: getattr(ORDER, name) for name in Order.__slots__} | {"means": PaymentMeans.TRANSFER})
TOLD = {"reference": ORDER.reference, "cents": "144000", "label": "F-2026-0412"}


def shape(example: Any) -> dict[str, Any]:
    """Return what an example allows: its names and no other, each of its type; metadata stays open."""
    if isinstance(example, dict):
        if not example:
            return {"type": "object", "additionalProperties": {"type": "string", "maxLength": 500}, "maxProperties": 3}
        return {"type": "object", "properties": {name: shape(value) for name, value in example.items()}}
    if isinstance(example, list):
        return {"type": "array", "items": shape(example[0]) if example else {}}
    names: dict[type, str] = {bool: "boolean", int: "integer", str: "string"}
    return {"type": names[type(example)]} if type(example) in names else {}


@cache
def routes() -> tuple[dict[str, Any], dict[tuple[str, str], tuple[int, Any]]]:
    """Turn the fixtures into routes: a creation takes what its own answer shows, and each answers as it should."""
    paths: dict[str, Any] = {}
    answers: dict[tuple[str, str], tuple[int, Any]] = {}
    query = [{"name": name, "in": "query"} for name in ("limit", "payment", "mandate", "status", "action", "customer")]
    for resource in RESOURCES:
        for verb, route in description(f"{FOLDER}/{resource}.json").items():
            template = re.sub(r":(\w+)", r"{\1}", route["path_template"])
            operation: dict[str, Any] = {"parameters": query if verb == "list" else []}
            if verb == "create":
                made = {"type": "object", "properties": {resource: shape(route["body"][resource])}}
                operation["requestBody"] = {"content": {"application/json": {"schema": made}}}
            paths.setdefault(template, {})[route["method"].lower()] = operation
            answers[route["method"], template] = (200, route["body"])
    return {"paths": paths}, answers


@contextmanager
def gocardless_double() -> Iterator[Double]:
    spec, answers = routes()
    with served(Double(spec, answers=copy.deepcopy(answers))) as double:
        yield double


def provider(double: Double) -> GoCardlessProvider:
    return GoCardlessProvider(access_token="sandbox_0123456789", base_url=double.base_url)


def of(double: Double, method: str, template: str) -> dict[str, Any]:
    """Return the one thing a route answers about, to be changed by the test."""
    found: dict[str, Any] = next(iter(double.answers[method, template][1].values()))
    return found


def request(double: Double, *, status: str, mandate: str = "", payment: str = "", **facts: Any) -> None:
    """Make the double know a request of this order."""
    for method, template in (("POST", REQUESTS), ("GET", REQUEST)):
        told = of(double, method, template)
        told.update({"status": status, "metadata": TOLD, **facts})
        told["links"] = {"mandate_request_mandate": mandate, "payment_request_payment": payment}
        told["mandate_request"]["currency"] = "EUR"
        told["payment_request"].update(currency="EUR", amount=144_000)


def payment(double: Double, **facts: Any) -> None:
    """Make the double know a payment of this order, wherever it answers with one."""
    ours = {"amount": 144_000, "amount_refunded": 0, "currency": "EUR", "scheme": "sepa_core", "status": "submitted"}
    for method, template in (("POST", PAYMENTS), ("GET", PAYMENT)):
        of(double, method, template).update({**ours, **facts})
    listed = double.answers["GET", PAYMENTS][1]["payments"]
    listed[:] = [{**listed[0], **ours, **facts, "metadata": {"reference": ORDER.reference, "billing_request": REF}}]


def happened(double: Double, *actions: tuple[str, str]) -> None:
    """Make the double tell the history of a payment, the newest first."""
    double.answers["GET", "/events"] = (
        200,
        {
            "events": [
                {"id": f"EV{rank}", "action": action, "resource_type": "payments", "details": {"cause": cause}}
                for rank, (action, cause) in enumerate(actions)
            ],
            "meta": {"cursors": {"before": None, "after": None}, "limit": 100},
        },
    )


def test_asks_for_a_mandate_and_opens_a_page_on_it() -> None:
    with gocardless_double() as double:
        request(double, status="pending")
        flow = of(double, "POST", FLOWS)
        flow.update(authorisation_url="https://pay-sandbox.gocardless.com/flow/BRF123")

        page = provider(double).open(ORDER)

        assert (page.ref, page.url, double.faults) == (REF, "https://pay-sandbox.gocardless.com/flow/BRF123", [])
        assert page.expires_at == dt.datetime(2024, 1, 15, 10, tzinfo=dt.UTC)
        asked, opened = double.calls
        assert asked.body == {
            "billing_requests": {
                "mandate_request": {"currency": "EUR", "scheme": "sepa_core", "description": "F-2026-0412"},
                "metadata": TOLD,
            }
        }
        assert asked.headers["Idempotency-Key"] == f"checkout-{ORDER.reference}"
        assert asked.headers["Authorization"] == "Bearer sandbox_0123456789"
        assert opened.body == {
            "billing_request_flows": {
                "redirect_uri": ORDER.return_url,
                "exit_uri": ORDER.cancel_url,
                "language": "fr",
                "lock_currency": True,
                "links": {"billing_request": REF},
                "prefilled_customer": {"email": "sophie@leclerc.example"},
            }
        }


def test_asks_for_an_instant_transfer() -> None:
    with gocardless_double() as double:
        request(double, status="pending")

        assert provider(double).open(INSTANT).ref == REF

        assert double.faults == []
        assert double.calls[0].body["billing_requests"] == {
            "payment_request": {
                "amount": 144_000,
                "currency": "EUR",
                "description": "F-2026-0412",
                "metadata": {"reference": ORDER.reference},
            },
            "metadata": TOLD,
        }


def test_the_double_refuses_what_the_fixtures_have_not() -> None:
    with gocardless_double() as double:
        for body in ({"amount": "a lot"}, {"surprise": 1}, {"metadata": dict.fromkeys("abcd", "x")}):
            assert double.answer("POST", PAYMENTS, {"payments": body}, {})[0] == 400
        assert double.answer("GET", "/payments?surprise=1", {}, {})[0] == 400
        assert len(double.faults) == 4


def test_a_retry_is_given_the_request_made_the_first_time() -> None:
    with gocardless_double() as double:
        request(double, status="pending")
        conflict = copy.deepcopy(description(f"{FOLDER}/idempotent_creation_conflict_error.json"))
        conflict["error"]["errors"][0]["links"]["conflicting_resource_id"] = REF
        double.answers["POST", REQUESTS] = (409, conflict)

        assert provider(double).open(ORDER).ref == REF

        assert [(call.method, call.path) for call in double.calls] == [
            ("POST", "/billing_requests"), ("GET", "/billing_requests/BRQ123"), ("POST", "/billing_request_flows"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "facts"),
    [
        (REQUESTS, {"id": None}),
        (REQUESTS, {"metadata": {}}),
        (REQUESTS, {"mandate_request": {"currency": "GBP"}}),
        (REQUESTS, {"mandate_request": None}),
        (FLOWS, {"authorisation_url": None}),
        (FLOWS, {"authorisation_url": "http://pay.gocardless.com/"}),
        (FLOWS, {"links": {"billing_request": "BRQ9"}}),
    ],
    ids=str,
)
def test_believes_no_page_that_is_not_the_one_asked_for(template: str, facts: dict[str, Any]) -> None:
    with gocardless_double() as double:
        request(double, status="pending")
        of(double, "POST", template).update(facts)

        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).open(ORDER)


@pytest.mark.parametrize("facts", [{"amount": 1, "currency": "EUR"}, {"amount": 144_000, "currency": "GBP"}], ids=str)
def test_believes_no_instant_transfer_of_another_amount(facts: dict[str, Any]) -> None:
    with gocardless_double() as double:
        request(double, status="pending")
        of(double, "POST", REQUESTS)["payment_request"].update(facts)

        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).open(INSTANT)


def test_opens_no_page_for_a_card() -> None:
    with gocardless_double() as double:
        order = Order(**{name: getattr(ORDER, name) for name in Order.__slots__} | {"means": PaymentMeans.CARD})

        with pytest.raises(ProviderError, match="pas ouvert"):
            provider(double).open(order)

        assert double.calls == []


@pytest.mark.parametrize(
    ("status", "stage", "cents"),
    [
        ("pending", Stage.OPEN, 0),
        ("ready_to_fulfil", Stage.OPEN, 0),
        ("fulfilling", Stage.PROCESSING, 144_000),
        ("cancelled", Stage.EXPIRED, 0),
    ],
)
def test_reads_every_status_of_a_request(status: str, stage: Stage, cents: int) -> None:
    with gocardless_double() as double:
        request(double, status=status)

        assert provider(double).fetch(REF) == Snapshot(ref=REF, stage=stage, cents=cents)


STATUSES = [
    ("pending_customer_approval", Stage.PROCESSING, 144_000, 0),
    ("pending_submission", Stage.PROCESSING, 144_000, 0),
    ("submitted", Stage.PROCESSING, 144_000, 0),
    ("confirmed", Stage.SETTLED, 144_000, 0),
    ("paid_out", Stage.SETTLED, 144_000, 0),
    ("cancelled", Stage.FAILED, 0, 0),
    ("customer_approval_denied", Stage.FAILED, 0, 0),
    ("failed", Stage.FAILED, 0, 0),
    ("charged_back", Stage.SETTLED, 144_000, 144_000),
]


@pytest.mark.parametrize(("status", "stage", "cents", "disputed"), STATUSES)
def test_reads_every_status_of_a_payment(status: str, stage: Stage, cents: int, disputed: int) -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", payment="PM123")
        payment(double, status=status)
        happened(double, (status, "insufficient_funds"), ("submitted", "payment_submitted"))

        found = provider(double).fetch(REF)

        assert (found.stage, found.cents, found.disputed_cents, double.faults) == (stage, cents, disputed, [])
        has_failed = stage is Stage.FAILED or bool(disputed)
        assert found.failure == ("insufficient_funds" if has_failed else "")


def test_the_table_of_statuses_is_whole() -> None:
    assert [row[0] for row in STATUSES] == list(OF_PAYMENT)


def test_a_debit_that_failed_after_it_was_confirmed_was_taken_back() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", payment="PM123")
        payment(double, status="failed")
        happened(double, ("late_failure_settled", "refer_to_payer"), ("failed", ""), ("confirmed", "payment_confirmed"))

        found = provider(double).fetch(REF)

        assert (found.stage, found.cents, found.disputed_cents, found.failure) == (
            Stage.SETTLED, 144_000, 144_000, "refer_to_payer",
        )  # fmt: skip
        assert double.calls[-1].query == {"payment": "PM123", "limit": "100"}


def test_tells_how_much_came_by_what_when_and_what_was_given_back() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", payment="PM123", mandate="MD123")
        payment(double, status="paid_out", amount_refunded=4_000, charge_date="2026-11-30")

        assert provider(double).fetch(REF) == Snapshot(
            ref=REF,
            stage=Stage.SETTLED,
            cents=144_000,
            refunded_cents=4_000,
            means=PaymentMeans.DEBIT,
            payment_ref="PM123",
            at=dt.datetime(2026, 11, 30, 11, tzinfo=dt.UTC),
            mandate_ref="MD123",
        )


@pytest.mark.parametrize(
    ("scheme", "means"),
    [
        ("sepa_core", PaymentMeans.DEBIT),
        ("sepa_credit_transfer", PaymentMeans.TRANSFER),
        ("sepa_instant_credit_transfer", PaymentMeans.TRANSFER),
        ("bacs", None),
    ],
)
def test_tells_the_means_it_knows(scheme: str, means: PaymentMeans | None) -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", payment="PM123")
        payment(double, scheme=scheme)

        assert provider(double).fetch(REF).means is means


@pytest.mark.parametrize(
    ("of_request", "of_payment"),
    [
        ({"status": "paused"}, {}),
        ({"status": "fulfilled"}, {}),
        ({"status": "fulfilled", "payment": "PM123"}, {"status": "new_word"}),
        ({"status": "fulfilled", "payment": "PM123"}, {"currency": "GBP"}),
        ({"status": "fulfilled", "payment": "PM123"}, {"amount": "144000"}),
        ({"status": "fulfilled", "payment": "PM123"}, {"id": None}),
        ({"status": "fulfilling", "metadata": {}}, {}),
    ],
    ids=str,
)
def test_guesses_nothing_from_an_answer_it_does_not_know(
    of_request: dict[str, Any], of_payment: dict[str, Any]
) -> None:
    with gocardless_double() as double:
        request(double, **of_request)
        payment(double, **of_payment)

        with pytest.raises(ProviderError, match="Rien n’en a été déduit"):
            provider(double).fetch(REF)


def test_asks_once_for_the_debit_a_mandate_was_signed_for() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", mandate="MD123")
        payment(double, status="pending_submission")
        known, double.answers["GET", PAYMENTS][1]["payments"] = double.answers["GET", PAYMENTS][1]["payments"], []

        first = provider(double).fetch(REF)
        double.answers["GET", PAYMENTS][1]["payments"] = known
        second = provider(double).fetch(REF)

        assert double.faults == []
        assert (first, second.stage) == (
            Snapshot(
                ref=REF,
                stage=Stage.PROCESSING,
                cents=144_000,
                means=PaymentMeans.DEBIT,
                payment_ref="PM123",
                mandate_ref="MD123",
            ),
            Stage.PROCESSING,
        )
        [asked] = [call for call in double.calls if call.method == "POST"]
        assert asked.body == {
            "payments": {
                "amount": 144_000,
                "currency": "EUR",
                "description": "F-2026-0412",
                "metadata": {"reference": ORDER.reference, "billing_request": REF},
                "links": {"mandate": "MD123"},
            }
        }
        assert asked.headers["Idempotency-Key"] == f"payment-{ORDER.reference}"


def test_a_mandate_that_died_before_its_debit_paid_nothing() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", mandate="MD123")
        double.answers["GET", PAYMENTS][1]["payments"] = []
        error = copy.deepcopy(description(f"{FOLDER}/invalid_state_error.json"))
        error["error"]["errors"][0]["reason"] = "mandate_is_inactive"
        double.answers["POST", PAYMENTS] = (422, error)

        found = provider(double).fetch(REF)

        assert (found.stage, found.cents, found.failure) == (Stage.FAILED, 0, "mandate_is_inactive")


def mandate(double: Double, **facts: Any) -> None:
    """Make the double know a mandate, wherever it answers with one."""
    ours = {"scheme": "sepa_core", "status": "active", "next_possible_charge_date": "2026-12-03", "reference": "RUM-1"}
    for method, template in (("GET", MANDATE), ("POST", f"{MANDATE}/actions/cancel")):
        of(double, method, template).update({**ours, **facts})


def said(double: Double) -> list[tuple[str, str]]:
    return [(call.method, call.path) for call in double.calls]


def test_opens_a_page_to_sign_a_mandate_that_asks_for_no_money() -> None:
    with gocardless_double() as double:
        request(double, status="pending")
        told = {"reference": ORDER.reference, "label": "F-2026-0412"}
        of(double, "POST", REQUESTS)["metadata"] = told
        of(double, "GET", REQUEST).update(status="fulfilled", metadata=told)
        of(double, "GET", REQUEST)["links"] = {"mandate_request_mandate": "MD123"}
        double.answers["GET", PAYMENTS][1]["payments"] = []

        assert provider(double).authorise(ORDER).ref == REF

        assert double.faults == []
        assert double.calls[0].body == {
            "billing_requests": {
                "mandate_request": {"currency": "EUR", "scheme": "sepa_core", "description": "F-2026-0412"},
                "metadata": told,
            }
        }
        assert double.calls[0].headers["Idempotency-Key"] == f"mandate-{ORDER.reference}"
        # Asked about as if it were an order, it still collects nothing.
        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).fetch(REF)
        assert ("POST", "/payments") not in said(double)


@pytest.mark.parametrize(
    ("status", "stage", "failure"),
    [
        ("pending", MandateStage.OPEN, ""),
        ("ready_to_fulfil", MandateStage.OPEN, ""),
        ("fulfilling", MandateStage.OPEN, ""),
        ("cancelled", MandateStage.ENDED, "unsigned"),
    ],
)
def test_a_mandate_waits_for_its_signature(status: str, stage: MandateStage, failure: str) -> None:
    with gocardless_double() as double:
        request(double, status=status)

        assert provider(double).mandate(REF) == MandateFacts(ref=REF, stage=stage, failure=failure)


MANDATES = [
    ("pending_customer_approval", MandateStage.OPEN),
    ("pending_submission", MandateStage.SIGNED),
    ("submitted", MandateStage.SIGNED),
    ("active", MandateStage.SIGNED),
    ("suspended_by_payer", MandateStage.ENDED),
    ("failed", MandateStage.ENDED),
    ("cancelled", MandateStage.ENDED),
    ("expired", MandateStage.ENDED),
    ("consumed", MandateStage.ENDED),
    ("blocked", MandateStage.ENDED),
]


@pytest.mark.parametrize(("status", "stage"), MANDATES)
def test_reads_every_status_of_a_mandate(status: str, stage: MandateStage) -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", mandate="MD123")
        mandate(double, status=status)

        assert provider(double).mandate(REF) == MandateFacts(
            ref=REF,
            stage=stage,
            mandate_ref="MD123",
            reference="RUM-1",
            failure=status if stage is MandateStage.ENDED else "",
        )


def test_the_table_of_mandates_is_whole() -> None:
    assert [row[0] for row in MANDATES] == list(OF_MANDATE)


@pytest.mark.parametrize("facts", [{"status": "new_word"}, {"scheme": "bacs"}, {"id": None}], ids=str)
def test_believes_no_mandate_it_does_not_know(facts: dict[str, Any]) -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", mandate="MD123")
        mandate(double, **facts)

        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).mandate(REF)


DATED = replace(ORDER, charge_on=dt.date(2026, 12, 10))


def test_collects_an_instalment_by_a_mandate_once() -> None:
    with gocardless_double() as double:
        payment(double, status="pending_submission")
        mandate(double)
        listed = double.answers["GET", PAYMENTS][1]["payments"]
        known, listed[:] = list(listed), []
        mandates: MandateProvider = provider(double)

        first = mandates.charge("MD123", DATED)

        assert (first.ref, first.stage, first.cents, first.mandate_ref) == ("PM123", Stage.PROCESSING, 144_000, "MD123")
        assert said(double) == [("GET", "/payments"), ("GET", "/mandates/MD123"), ("POST", "/payments")]
        asked = double.calls[-1]
        assert asked.body["payments"]["metadata"] == {"reference": ORDER.reference}
        assert asked.body["payments"]["charge_date"] == "2026-12-10"
        assert asked.headers["Idempotency-Key"] == f"payment-{ORDER.reference}"
        # Its answer was lost: the key remembers it,
        conflict = copy.deepcopy(description(f"{FOLDER}/idempotent_creation_conflict_error.json"))
        conflict["error"]["errors"][0]["links"]["conflicting_resource_id"] = "PM123"
        double.answers["POST", PAYMENTS] = (409, conflict)
        assert mandates.charge("MD123", DATED) == first
        # and once the key is forgotten, the list of the mandate's debits does.
        listed[:] = known
        del double.calls[:]
        assert mandates.charge("MD123", DATED) == replace(first, mandate_ref=mandates.fetch("PM123").mandate_ref)
        assert ("POST", "/payments") not in said(double)
        payment(double, status="confirmed")
        assert mandates.fetch("PM123").stage is Stage.SETTLED


def test_collects_on_the_first_day_the_mandate_allows_never_before_the_day_announced() -> None:
    with gocardless_double() as double:
        payment(double, status="pending_submission")
        double.answers["GET", PAYMENTS][1]["payments"] = []
        for possible, charged in (("2026-12-14", "2026-12-14"), ("2026-12-03", "2026-12-10"), (None, "2026-12-10")):
            mandate(double, next_possible_charge_date=possible)
            provider(double).charge("MD123", DATED)
            assert double.calls[-1].body["payments"]["charge_date"] == charged


@pytest.mark.parametrize("status", ["cancelled", "suspended_by_payer", "pending_customer_approval"])
def test_collects_nothing_by_a_mandate_that_does_not_stand(status: str) -> None:
    with gocardless_double() as double:
        double.answers["GET", PAYMENTS][1]["payments"] = []
        mandate(double, status=status)

        found = provider(double).charge("MD123", DATED)

        failure = "" if status == "pending_customer_approval" else status
        assert (found.stage, found.ref, found.failure) == (Stage.FAILED, "", failure)
        assert ("POST", "/payments") not in said(double)


def test_a_mandate_ended_a_moment_ago_collects_nothing() -> None:
    with gocardless_double() as double:
        double.answers["GET", PAYMENTS][1]["payments"] = []
        mandate(double)
        error = copy.deepcopy(description(f"{FOLDER}/invalid_state_error.json"))
        error["error"]["errors"][0]["reason"] = "mandate_is_inactive"
        double.answers["POST", PAYMENTS] = (422, error)

        found = provider(double).charge("MD123", DATED)

        assert (found.stage, found.cents, found.failure) == (Stage.FAILED, 0, "mandate_is_inactive")


def test_ends_a_mandate() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", mandate="MD123")
        mandate(double)

        provider(double).end_mandate(REF)

        assert ("POST", "/mandates/MD123/actions/cancel") in said(double)
        mandate(double, status="cancelled")
        del double.calls[:]
        assert provider(double).end_mandate(REF).stage is MandateStage.ENDED
        assert said(double) == [("GET", "/billing_requests/BRQ123"), ("GET", "/mandates/MD123")]


def test_ends_a_mandate_nobody_signed_yet() -> None:
    with gocardless_double() as double:
        request(double, status="pending")

        provider(double).end_mandate(REF)

        assert said(double)[1] == ("POST", "/billing_requests/BRQ123/actions/cancel")


def test_a_mandate_that_would_not_end_is_told_as_it_stands() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", mandate="MD123")
        mandate(double)
        error = copy.deepcopy(description(f"{FOLDER}/invalid_state_error.json"))
        double.answers["POST", f"{MANDATE}/actions/cancel"] = (422, error)

        assert provider(double).end_mandate(REF).stage is MandateStage.SIGNED


def test_believes_no_debit_of_another_amount() -> None:
    with gocardless_double() as double:
        payment(double, amount=1)
        mandate(double)
        double.answers["GET", PAYMENTS][1]["payments"] = []

        with pytest.raises(ProviderError, match="ne sait pas lire"):
            provider(double).charge("MD123", ORDER)


def test_cancels_a_request_nobody_fulfilled() -> None:
    with gocardless_double() as double:
        request(double, status="cancelled")

        assert provider(double).close(REF).stage is Stage.EXPIRED
        assert [(call.method, call.path) for call in double.calls] == [
            ("POST", "/billing_requests/BRQ123/actions/cancel"), ("GET", "/billing_requests/BRQ123"),
        ]  # fmt: skip


def test_a_request_paid_meanwhile_is_not_cancelled_but_told() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", payment="PM123")
        payment(double, status="confirmed")
        double.answers["POST", CANCEL] = (422, description(f"{FOLDER}/invalid_state_error.json"))

        assert provider(double).close(REF).stage is Stage.SETTLED


def test_a_mandate_signed_as_the_page_closes_is_never_used() -> None:
    with gocardless_double() as double:
        request(double, status="fulfilled", mandate="MD123")
        double.answers["GET", PAYMENTS][1]["payments"] = []
        double.answers["POST", CANCEL] = (422, description(f"{FOLDER}/invalid_state_error.json"))

        assert provider(double).close(REF) == Snapshot(ref=REF, stage=Stage.EXPIRED)

        said = [call.path for call in double.calls if call.method == "POST"]
        assert said == ["/billing_requests/BRQ123/actions/cancel", "/mandates/MD123/actions/cancel"]


def test_cancels_a_debit_not_yet_handed_over() -> None:
    with gocardless_double() as double:
        payment(double, status="cancelled")
        happened(double, ("cancelled", "payment_cancelled"))

        found = provider(double).close("PM123")

        assert (found.stage, found.failure) == (Stage.FAILED, "payment_cancelled")


@pytest.mark.parametrize(
    ("payment_ref", "metadata", "ref"),
    [
        ("PM123", {"reference": "x", "billing_request": "BRQ7"}, "BRQ7"),
        ("PM123", {"reference": "x"}, "PM123"),
        ("RF123", {"reference": "x", "billing_request": "BRQ7"}, "BRQ7"),
    ],
)
def test_finds_the_order_of_a_payment_or_of_a_refund(payment_ref: str, metadata: dict[str, str], ref: str) -> None:
    with gocardless_double() as double:
        payment(double, metadata=metadata)

        assert (provider(double).find(payment_ref), double.faults) == (ref, [])


@pytest.mark.parametrize(("links", "ref"), [({"payment_request_payment": "PM123"}, "BRQ123"), ({}, "")])
def test_finds_the_order_of_an_instant_transfer_among_the_latest(links: dict[str, str], ref: str) -> None:
    with gocardless_double() as double:
        payment(double, metadata={}, links={})
        listed = double.answers["GET", REQUESTS][1]["billing_requests"]
        listed[:] = [{**listed[0], "links": links}]

        assert (provider(double).find("PM123"), double.faults) == (ref, [])


@pytest.mark.parametrize("ref", ["", "..", "BRQ1/actions/cancel", "https://elsewhere.example/"])
def test_asks_for_nothing_outside_its_host(ref: str) -> None:
    with gocardless_double() as double:
        with pytest.raises(ProviderError):
            provider(double).fetch(ref)

        assert double.calls == []


@pytest.mark.parametrize(("status", "warnings"), [("successful", 0), ("action_required", 1), ("in_review", 1)])
def test_says_which_creditor_the_token_speaks_for(status: str, warnings: int) -> None:
    with gocardless_double() as double:
        double.answers["GET", "/creditors"][1]["creditors"][0]["verification_status"] = status

        facts = provider(double).check()

        assert (facts.label, facts.is_live, len(facts.warnings), double.faults) == ("Acme", False, warnings, [])
        assert facts.means == {PaymentMeans.DEBIT, PaymentMeans.TRANSFER}


def error(name: str) -> dict[str, Any]:
    return description(f"{FOLDER}/{name}.json")


INVALID_AMOUNT = {
    "error": {
        "type": "validation_failed",
        "code": 422,
        "message": "sophie@leclerc.example",
        "errors": [{"field": "amount", "message": "sophie@leclerc.example", "request_pointer": "/payments/amount"}],
    }
}


@pytest.mark.parametrize(
    ("status", "answer", "said", "is_refusal"),
    [
        (401, error("unauthorized_error"), "Clé refusée", True),
        (403, error("insufficient_permission"), "n’a pas le droit", True),
        (429, error("rate_limit_exceeded"), "trop de demandes", False),
        (422, INVALID_AMOUNT, "ce montant", True),
        (422, error("validation_failed_error"), r"\(branch_code\)", True),
        (422, error("invalid_state_error"), r"\(mandate_not_inactive\)", True),
        (400, error("invalid_api_usage_error"), "refuse cette demande", True),
        (404, {"error": {"type": "invalid_api_usage", "code": 404, "message": "x", "errors": []}}, "ne connaît", True),
        (500, error("gocardless_error"), "est en panne", False),
        (502, "bad gateway", "est en panne", False),
        (400, {"error": {"type": "new_kind", "code": 400, "message": "x"}}, "ne sait pas lire", False),
        (422, {"error": {"type": "invalid_state", "code": 422, "message": "x"}}, "ne sait pas lire", False),
        (200, ["not an object"], "ne sait pas lire", False),
        (200, {"billing_requests": []}, "ne sait pas lire", False),
    ],
    ids=str,
)
def test_tells_every_refusal_in_one_sentence_without_a_name(
    status: int, answer: Any, said: str, is_refusal: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with gocardless_double() as double:
        double.answers["POST", REQUESTS] = (status, answer)

        with pytest.raises(ProviderError, match=said) as refused:
            provider(double).open(ORDER)

        told = "".join([str(refused.value), *(record.getMessage() for record in caplog.records)])
        assert (refused.value.is_refusal, "leclerc" in told, "sandbox_" in told) == (is_refusal, False, False)
        assert (refused.value.__suppress_context__ or refused.value.__context__ is None, len(double.calls)) == (True, 1)


def test_nobody_at_the_other_end_is_said_so() -> None:
    nobody = GoCardlessProvider(access_token="sandbox_0123456789", base_url="http://127.0.0.1:9")

    with pytest.raises(ProviderError, match="GoCardless n’a pas répondu") as refused:
        nobody.open(ORDER)

    assert refused.value.is_refusal is False


@pytest.mark.parametrize(
    ("token", "host"),
    [("sandbox_0123456789", "https://api-sandbox.gocardless.com"), ("live_0123456789", "https://api.gocardless.com")],
)
def test_a_token_names_its_own_host(token: str, host: str) -> None:
    assert GoCardlessProvider(access_token=token)._client._host == host
