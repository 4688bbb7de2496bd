"""From the page to the notice: by a Stripe that remembers, and by the signature of one that nobody here wrote."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import time_machine
from stripe import StripeClient

from payments.errors import NoticeError, ProviderError
from payments.providers.protocol import Stage
from payments.providers.stripe import StripeProvider
from payments.providers.stripe.notices import SHAPELESS, verify
from tests.contract.emulated import catching, emulated
from tests.contract.openapi_double import specs_are_here

if not specs_are_here():
    pytest.skip("no specifications here", allow_module_level=True)

from tests.contract.stripe_page import stripe_page
from tests.contract.test_stripe import ORDER

SECRET, FORMER = "whsec_current12345", "whsec_former123456"
PRICE = "price_test_1"


def test_a_page_opened_twice_is_one_page_and_is_paid_once() -> None:
    with stripe_page() as stripe:
        provider = StripeProvider(
            secret_key="rk_test_0123456789", webhook_secrets=[stripe.secret], base_url=stripe.base_url
        )

        first, second = provider.open(ORDER), provider.open(ORDER)
        assert (first, len(stripe.sessions)) == (second, 1)
        assert provider.fetch(first.ref).stage is Stage.OPEN
        body, headers = stripe.pay(first.ref)
        [notice] = provider.read_notices(body=body, headers=headers)
        paid, closed = provider.fetch(notice.ref), provider.close(notice.ref)

        assert (notice.ref, paid.stage, paid.cents, paid.payment_ref) == (
            first.ref, Stage.SETTLED, ORDER.cents, f"pi_{first.ref}",
        )  # fmt: skip
        assert (closed, stripe.faults) == (paid, [])


def test_the_same_reference_for_another_amount_opens_nothing() -> None:
    with stripe_page() as stripe:
        provider = StripeProvider(secret_key="rk_test_0123456789", base_url=stripe.base_url)
        provider.open(ORDER)

        with pytest.raises(ProviderError, match="refuse cette demande"):
            provider.open(replace(ORDER, cents=ORDER.cents + 1))

        assert len(stripe.sessions) == 1


def test_a_closed_page_is_expired() -> None:
    with stripe_page() as stripe:
        provider = StripeProvider(secret_key="rk_test_0123456789", base_url=stripe.base_url)
        ref = provider.open(ORDER).ref

        assert (provider.close(ref).stage, provider.fetch(ref).stage) == (Stage.EXPIRED, Stage.EXPIRED)


def test_the_signature_of_a_stripe_nobody_here_wrote_is_believed(tmp_path: Path) -> None:
    """Emulate knows no `price_data` and its events have no id: it is asked for a signature, and for nothing else."""
    with catching() as catcher:
        seed = {
            "stripe": {
                "products": [{"name": "F-2026-0412"}],
                "prices": [{"id": PRICE, "product_name": "F-2026-0412", "currency": "eur", "unit_amount": 144_000}],
                "webhooks": [{"url": catcher.url, "events": ["*"], "secret": SECRET}],
            }
        }
        now = dt.datetime.fromtimestamp(time_machine.escape_hatch.time.time(), dt.UTC)
        with emulated("stripe", seed, tmp_path) as address, time_machine.travel(now):
            client = StripeClient("sk_test_0123456789", base_addresses={"api": address}, max_network_retries=0)
            session = client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "line_items": [{"price": PRICE, "quantity": 1}],
                    "metadata": {"reference": ORDER.reference},
                    "success_url": "http://127.0.0.1:9/",
                }
            )
            httpx.post(f"{address}/checkout/{session.id}/complete", follow_redirects=False, trust_env=False)
            body, headers = catcher.first()
            signature = headers["Stripe-Signature"]

            verify(body=body, signature=signature, secrets=[SECRET])
            verify(body=body, signature=signature, secrets=[FORMER, SECRET])
            changed = body.replace(b"paid", b"paie")
            for wrong, secrets in ((body + b" ", [SECRET]), (changed, [SECRET]), (body, [FORMER])):
                with pytest.raises(NoticeError, match="signature"):
                    verify(body=wrong, signature=signature, secrets=secrets)

            assert (b"checkout.session.completed" in body, session.id.encode() in body) == (True, True)
            provider = StripeProvider(secret_key="sk_test_0123456789", webhook_secrets=[SECRET])
            with pytest.raises(NoticeError, match=SHAPELESS):
                provider.read_notices(body=body, headers=headers)
        # The emulator signs by its own clock, after it has started.
        signed_at = dt.datetime.fromtimestamp(int(signature.split("t=")[1].split(",")[0]), dt.UTC)
        with (
            time_machine.travel(signed_at + dt.timedelta(seconds=310)),
            pytest.raises(NoticeError, match="cinq minutes"),
        ):
            verify(body=body, signature=signature, secrets=[SECRET])
