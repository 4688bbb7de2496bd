"""A Stripe that remembers: its official description still judges each call, and a page opened on it can be paid."""

import copy
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.contract.openapi_double import Double, description, served

SPEC, SAMPLES = "stripe/spec3-2023-09-12.slim.json", "stripe/fixtures3.json"
SESSIONS = "/v1/checkout/sessions"
OPEN = "open"


@dataclass(slots=True)
class StripePage(Double):
    """Sessions by reference, and the answer each idempotency key was given."""

    secret: str = "whsec_test12345678"
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)

    def answer(self, method: str, address: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        """Let the description judge the call first, then answer from what is remembered."""
        status, said = Double.answer(self, method, address, body, headers)
        path = address.split("?", maxsplit=1)[0]
        if status != 200 or not path.startswith(SESSIONS):
            return status, said
        ref = path.removeprefix(SESSIONS).strip("/").split("/")[0]
        if method == "POST" and not ref:
            return self._opened(body, headers["Idempotency-Key"])
        session = self.sessions.get(ref)
        if session is None:
            return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "x"}}
        if path.endswith("/expire"):
            if session["status"] != OPEN:
                return 400, {"error": {"type": "invalid_request_error", "message": "not open"}}
            session["status"] = "expired"
        return 200, session

    def pay(self, ref: str) -> tuple[bytes, dict[str, str]]:
        """Pay a page by card; return the notice Stripe would send, signed as its documentation says."""
        session = self.sessions[ref]
        resources = description(SAMPLES)["resources"]
        amount = session["amount_total"]
        charge = {**copy.deepcopy(resources["charge"]), "currency": "eur", "amount": amount}
        paid = {"id": f"pi_{ref}", "currency": "eur", "amount": amount, "amount_received": amount}
        intent = {**copy.deepcopy(resources["payment_intent"]), **paid, "status": "succeeded", "latest_charge": charge}
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent}
        told = {**session, "payment_intent": intent["id"]}
        event = {
            "id": f"evt_{ref}",
            "object": "event",
            "type": "checkout.session.completed",
            "data": {"object": told},
        }
        body, at = json.dumps(event).encode(), int(time.time())
        signed = hmac.new(self.secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return body, {"Stripe-Signature": f"t={at},v1={signed}"}

    def _opened(self, body: dict[str, Any], key: str) -> tuple[int, Any]:
        if key in self.given:
            before, session = self.given[key]
            if before != body:
                return 400, {"error": {"type": "idempotency_error", "message": "other parameters"}}
            return 200, session
        ref = f"cs_test_{len(self.sessions) + 1}"
        session = {
            **copy.deepcopy(description(SAMPLES)["resources"]["checkout.session"]),
            "id": ref,
            "url": f"{self.base_url}/pay/{ref}",
            "currency": "eur",
            "amount_total": int(body["line_items"][0]["price_data"]["unit_amount"]),
            "client_reference_id": body["client_reference_id"],
            "payment_intent": None,
            "status": OPEN,
        }
        self.sessions[ref], self.given[key] = session, (body, session)
        return 200, session


@contextmanager
def stripe_page() -> Iterator[StripePage]:
    """Serve a Stripe that remembers on a free port of this machine until the block ends."""
    page = StripePage(description(SPEC))
    with served(page):
        yield page
