"""What the fuzz found, one test each: none may come back."""

import json
from collections.abc import Callable

import pytest

from cabinets import totp
from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from dunning.channels.maileva.provider import Maileva
from dunning.channels.merci_facteur.provider import MerciFacteur
from payments.errors import NoticeError
from payments.providers.payplug import PayPlugProvider
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_member
from tests.payments.test_provider_notices import SECRET, gocardless, gocardless_signature, stripe, stripe_signature

Browse = Callable[[Membership | None], FirmBrowser]
DEEP = b"[" * 100_000


@pytest.mark.parametrize("wanted", ["88896192-fab2-433a-b57e-5847d87abfdd", "clients", "null", "client:add"])
def test_goes_home_rather_than_to_a_word_that_is_no_address(cabinet: Cabinet, browse: Browse, wanted: str) -> None:
    browser = browse(make_member(role=Role.OWNER))

    answer = browser.post("/reglements/a-jour/", {"on": "2026-11-23", "next": wanted})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/tableau-de-bord/")


@pytest.mark.parametrize("code", ["é" * 6, "١٢٣٤٥٦", "²³¹²³¹", "\ud800" * 6, "🧾" * 6])
def test_refuses_a_code_that_is_not_written_in_our_figures(code: str) -> None:
    assert totp.matching_step(b"seed", code, now=NOW.timestamp()) is None


def test_still_accepts_the_code_of_the_application() -> None:
    step = totp.step_at(NOW.timestamp())

    assert totp.matching_step(b"seed", totp.code_at(b"seed", step), now=NOW.timestamp()) == step


def test_refuses_a_signed_notice_too_deep_to_read() -> None:
    told = [
        (stripe(SECRET), {"stripe-signature": stripe_signature(DEEP)}),
        (gocardless(SECRET), {"webhook-signature": gocardless_signature(DEEP)}),
        (PayPlugProvider(secret_key="sk_test_0123456789"), {}),
    ]

    for provider, headers in told:
        with pytest.raises(NoticeError):
            provider.read_notices(body=DEEP, headers=headers)  # type: ignore[attr-defined]  # three classes, one verb


def test_reads_no_letter_in_a_notice_too_deep_to_read() -> None:
    maileva, merci = Maileva.__new__(Maileva), MerciFacteur.__new__(MerciFacteur)

    assert maileva.parse_webhook(headers={}, body=DEEP).references == ()
    assert merci.parse_webhook(headers={}, body=b"detail=" + DEEP).references == ()


def test_counts_a_report_of_the_content_policy_too_deep_to_read(db: None, browse: Browse) -> None:
    answer = browse(None).post("/csp/", DEEP, content_type="application/csp-report")

    assert answer.status_code == 204


def test_reads_no_report_where_json_is_no_object(db: None, browse: Browse) -> None:
    for body in ("null", "[]", "1", json.dumps({"csp-report": None})):
        assert browse(None).post("/csp/", body, content_type="application/csp-report").status_code == 204
