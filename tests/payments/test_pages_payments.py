"""The pages of payments: record one, take it back, list them, and the statement of a client."""

import datetime as dt
import re
from collections.abc import Callable
from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, JournalEntry, Membership
from payments.enums import PaymentState
from payments.models import Payment
from payments.services.recording import Receipt, Surplus, record_payment
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder
from tests.factories.payments import make_payment

Browse = Callable[[Membership | None], FirmBrowser]


def typed(**changes: str) -> dict[str, str]:
    return {
        "form_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "amount": "1 440,00", "received_on": "24/11/2026",
        "means": "transfer", "surplus": "refuse", "note": "", **changes,
    }  # fmt: skip


def test_records_a_payment_once_and_returns_to_the_invoice(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice, browser = make_invoice(), browse(owner)

    page = browser.get(f"/factures/{invoice.pk}/paiement/").content.decode()
    answers = [browser.post(f"/factures/{invoice.pk}/paiement/", typed()) for _ in range(2)]

    invoice.refresh_from_db()
    assert 'value="1\u00a0440,00"' in page
    assert 'value="2026-11-24"' in page
    assert [answer["Location"] for answer in answers] == [f"/factures/{invoice.pk}/"] * 2
    assert (Payment.objects.count(), invoice.outstanding_cents) == (1, 0)
    assert Payment.objects.get().recorded_by_id == owner.pk


def test_asks_what_becomes_of_a_surplus(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice, browser = make_invoice(), browse(owner)

    refused = browser.post(f"/factures/{invoice.pk}/paiement/", typed(amount="1500,00"))
    kept = browser.post(f"/factures/{invoice.pk}/paiement/", typed(amount="1500,00", surplus="credit"))

    invoice.client.refresh_from_db()
    assert refused.status_code == 422
    assert "Le paiement dépasse de 60,00\u00a0€ ce qui reste dû" in refused.content.decode()
    assert (kept.status_code, invoice.client.credit_cents) == (302, 6_000)


def test_answers_htmx_with_the_form_alone_then_with_the_invoice(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice, browser = make_invoice(), browse(owner)
    address = f"/factures/{invoice.pk}/paiement/"

    part = browser.get(address, headers={"HX-Request": "true"}).content.decode()
    done = browser.post(address, typed(), headers={"HX-Request": "true"})

    assert part.lstrip().startswith("<form")
    assert (done.status_code, done["HX-Redirect"]) == (204, f"/factures/{invoice.pk}/")


def test_takes_a_payment_back_after_asking(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice = make_invoice()
    receipt = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=10_000, received_on=TODAY)
    payment, browser = record_payment(receipt=receipt, on=TODAY), browse(owner)

    asked = browser.get(f"/paiements/{payment.pk}/annuler/")
    payment.refresh_from_db()
    unchanged = payment.state
    browser.post(f"/paiements/{payment.pk}/annuler/")

    payment.refresh_from_db()
    assert (asked.status_code, unchanged, payment.state) == (200, PaymentState.SETTLED, PaymentState.REVERSED)


def test_lists_payments_fifty_a_page_with_the_same_queries(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    browser = browse(owner)

    def pay(count: int) -> None:
        for _ in range(count):
            invoice = make_invoice()
            receipt = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=100, received_on=TODAY)
            record_payment(receipt=receipt, on=TODAY)

    pay(1)
    with CaptureQueriesContext(connection) as one:
        browser.get("/paiements/")
    pay(51)
    with CaptureQueriesContext(connection) as many:
        first = browser.get("/paiements/").content.decode()
    following = re.search(r'rel="next" href="([^"]*)"', first)

    assert following
    second = browser.get(f"/paiements/{following[1]}").content.decode()
    assert (first.count("data-row"), second.count("data-row")) == (50, 2)
    assert len(many) <= len(one)


def test_an_assistant_sees_what_their_dossiers_received_and_no_more(
    cabinet: Cabinet, browse: Browse, told: RecordingLadder
) -> None:
    assistant, client = make_member(role=Role.ASSISTANT), make_client()
    mine = make_invoice(dossier=make_dossier(client=client), total_cents=10_000, number="F-1")
    hidden = make_invoice(dossier=make_dossier(client=client), total_cents=77_700, number="F-2")
    assign(dossier=mine.dossier, member=assistant)
    both = Receipt(
        client_id=client.pk, invoice_ids=(mine.pk, hidden.pk), cents=87_750, received_on=TODAY, surplus=Surplus.CREDIT
    )
    record_payment(receipt=both, on=TODAY)
    other = make_invoice()
    browser = browse(assistant)

    listed = browser.get("/paiements/").content.decode()
    statement = browser.get(f"/clients/{client.pk}/releve/").content.decode()

    assert ("100,00\u00a0€" in listed, "F-1" in listed) == (True, True)
    assert [word for word in ("F-2", "777,00", "877,50") if word in listed + statement] == []
    assert "Ce relevé ne porte que sur les dossiers qui vous sont affectés." in statement
    assert browser.get(f"/factures/{other.pk}/paiement/").status_code == 404
    assert browser.get(f"/clients/{other.client_id}/releve/").status_code == 404
    assert browser.post(f"/factures/{hidden.pk}/paiement/", typed(form_id=str(uuid4()))).status_code == 404


def test_shows_the_account_of_a_client_and_journals_it(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice = make_invoice(total_cents=100_000, number="F-7", due_on=dt.date(2026, 10, 10))

    content = browse(owner).get(f"/clients/{invoice.client_id}/releve/").content.decode()

    assert re.findall(r'data-label="Solde"><b>([^<]*)<', content) == ["1\u00a0000,00\u00a0€"]
    assert "Échue" in content
    assert JournalEntry.objects.get(event="client.seen").facts == {"page": "statement"}


def test_an_accountant_reads_payments_and_records_none(cabinet: Cabinet, browse: Browse) -> None:
    accountant, invoice = make_member(role=Role.ACCOUNTANT), make_invoice()
    browser = browse(accountant)

    assert browser.get("/paiements/").status_code == 200
    assert browser.post(f"/factures/{invoice.pk}/paiement/", typed()).status_code == 403
    assert Payment.objects.count() == 0


def test_every_line_of_a_reversal_names_its_author(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    invoice = make_invoice()
    receipt = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=10_000, received_on=TODAY)
    payment = record_payment(receipt=receipt, on=TODAY)

    browse(owner).post(f"/paiements/{payment.pk}/annuler/")

    events = ("invoice.unsettled", "payment.reversed")
    assert list(JournalEntry.objects.filter(event__in=events).values_list("member_id", flat=True)) == [owner.pk] * 2


def test_a_payment_of_files_a_person_does_not_see_is_not_theirs_to_take_back(
    browse: Browse, cabinet: Cabinet, client: Client
) -> None:
    hidden = make_invoice(client=client)
    payment = make_payment(invoice=hidden, on=TODAY)
    mine = make_dossier(client=client)
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=mine, member=assistant)

    for answer in (
        browse(assistant).get(f"/paiements/{payment.pk}/annuler/"),
        browse(assistant).post(f"/paiements/{payment.pk}/annuler/"),
    ):
        assert answer.status_code == 404
    payment.refresh_from_db()
    assert payment.state == PaymentState.SETTLED
