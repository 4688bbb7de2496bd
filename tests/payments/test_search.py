"""The one search field: amounts as people type them, dossiers, payments; nothing of a file one does not see."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from payments.models import Allocation, Payment
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.payments import make_payment

Browse = Callable[[Membership | None], FirmBrowser]


def found(browser: FirmBrowser, text: str) -> set[str]:
    """Return the addresses a search offers."""
    page = browser.get("/recherche/", {"q": text}).content.decode()
    return set(re.findall(r'href="(/[^"]+)" data-row', page))


@pytest.mark.parametrize(
    "text", ["1440", "1440,00", "1 440,00", "1\u202f440,00\u00a0€", "1440 €", "1440 euros", "«\u00a01 440,00\u00a0»"]
)
def test_an_amount_brings_up_invoices_and_payments_however_it_is_typed(
    cabinet: Cabinet, owner: Membership, browse: Browse, text: str
) -> None:
    owed = make_invoice(total_cents=144_000)
    other = make_invoice(total_cents=288_000)
    payment = make_payment(invoice=other, on=TODAY, cents=144_000)
    make_payment(invoice=make_invoice(total_cents=100_000), on=TODAY)

    assert found(browse(owner), text) == {
        f"/factures/{owed.pk}/", f"/factures/{other.pk}/", f"/paiements/{payment.pk}/",
    }  # fmt: skip


def test_a_dossier_is_found_by_a_part_of_its_reference(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    mine = make_dossier(client=make_client(company="Atelier Nord SAS"), reference="2026-K7Q")
    make_dossier(reference="2026-ZZZ")

    browser = browse(owner)

    assert found(browser, "k7q") == {f"/dossiers/{mine.pk}/"}
    assert found(browser, "k") == set()
    assert "Atelier Nord SAS" in browser.get("/recherche/", {"q": "k7q"}).content.decode()


def test_an_assistant_learns_nothing_of_the_files_they_do_not_see(cabinet: Cabinet, browse: Browse) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    client = make_client()
    mine = make_invoice(dossier=make_dossier(client=client, reference="D-MIEN"), number="F-1", total_cents=100_000)
    other = make_invoice(dossier=make_dossier(client=client, reference="D-AUTRE"), number="F-2", total_cents=200_000)
    assign(dossier=mine.dossier, member=assistant)
    both = Payment(client=client, received_on=TODAY, cents=150_000)
    both.save(force_insert=True)
    Allocation(payment=both, invoice=mine, cents=50_000).save(force_insert=True)
    Allocation(payment=both, invoice=other, cents=100_000).save(force_insert=True)
    hidden = make_payment(invoice=other, on=TODAY, cents=77_700)
    browser = browse(assistant)

    assert found(browser, "1500") == set()
    assert found(browser, "500") == {f"/paiements/{both.pk}/"}
    assert found(browser, "777") == set()
    assert found(browser, "D-") == {f"/dossiers/{mine.dossier_id}/"}
    assert hidden.cents == 77_700


def test_a_search_is_noted_and_costs_the_same_however_many_it_finds(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    make_payment(invoice=make_invoice(total_cents=987_600), on=TODAY)
    found(browser, "9876")
    with CaptureQueriesContext(connection) as few:
        found(browser, "9876")
    for day in range(5):
        make_payment(invoice=make_invoice(total_cents=987_600), on=TODAY - dt.timedelta(days=day))
    with CaptureQueriesContext(connection) as many:
        found(browser, "9876")

    assert len(many) == len(few)
    assert JournalEntry.objects.filter(event="invoice.listed", facts={"page": "search", "count": 12}).count() == 1
