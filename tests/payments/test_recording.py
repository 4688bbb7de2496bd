"""Recording a payment: what it pays, what is left over, and taking it back."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from cabinets.enums import AllocationRule, ClientKind
from cabinets.models import Cabinet, JournalEntry
from cabinets.scoping import working_for
from dunning.enums import LetterState, ReminderState
from dunning.models import Letter
from invoices.errors import OverpaidError
from invoices.models import AccessoryClaim, Invoice
from invoices.services import settlement
from invoices.services.credit_notes import create_credit_note
from payments.enums import PaymentMeans, PaymentState
from payments.errors import ReceiptError, SurplusError
from payments.models import Allocation, Payment
from payments.services.recording import Debt, Receipt, Share, Surplus, record_payment, reverse_payment, spread
from payments.services.statement import statement_of
from tests.factories.cabinets import make_cabinet, make_client, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder

ONE, TWO = uuid4(), uuid4()


def receipt(invoice: Invoice, cents: int, **facts: object) -> Receipt:
    return Receipt(
        client_id=invoice.client_id,
        invoice_ids=(invoice.pk,),
        cents=cents,
        received_on=TODAY,
        **facts,  # type: ignore[arg-type]  # one or two named facts of a receipt
    )


@pytest.mark.parametrize(
    ("cents", "shares"),
    [
        (0, []),
        (60, [Share(ONE, 60)]),
        (100, [Share(ONE, 100)]),
        (130, [Share(ONE, 100), Share(TWO, 30)]),
        (500, [Share(ONE, 100), Share(TWO, 50)]),
    ],
)
def test_pays_the_oldest_debt_in_full_before_the_next(cents: int, shares: list[Share]) -> None:
    assert spread(cents, [Debt(ONE, 100), Debt(TWO, 50)]) == shares


def test_settles_an_invoice_and_stops_its_reminders_at_once(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=144_000)

    payment = record_payment(receipt=receipt(invoice, 144_000, note="Virement du 24"), on=TODAY)

    invoice.refresh_from_db()
    payment.refresh_from_db()
    assert (invoice.settled_cents, invoice.outstanding_cents) == (144_000, 0)
    assert (payment.state, payment.note, payment.means) == (
        PaymentState.SETTLED, "Virement du 24", PaymentMeans.TRANSFER,
    )  # fmt: skip
    assert list(payment.allocations.values_list("invoice_id", "cents")) == [(invoice.pk, 144_000)]
    assert told.calls == [("stop", [invoice.pk], "PAID")]


def test_a_form_sent_twice_records_one_payment(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice, form = make_invoice(total_cents=144_000), uuid4()

    first = record_payment(receipt=receipt(invoice, 50_000), on=TODAY, payment_id=form)
    second = record_payment(receipt=receipt(invoice, 50_000), on=TODAY, payment_id=form)

    invoice.refresh_from_db()
    assert (first.pk, second.pk) == (form, form)
    assert (Payment.objects.count(), Allocation.objects.count(), invoice.settled_cents) == (1, 1, 50_000)
    assert len(told.calls) == 1


def test_a_surplus_is_never_silent(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)

    with pytest.raises(SurplusError) as refusal:
        record_payment(receipt=receipt(invoice, 101_250), on=TODAY)

    invoice.refresh_from_db()
    assert str(refusal.value) == (
        "Le paiement dépasse de 12,50\u00a0€ ce qui reste dû (1\u00a0000,00\u00a0€). Rien n’a été enregistré\u00a0:"
        " corrigez le montant, ou dites ce que devient le surplus."
    )
    assert (refusal.value.field, Payment.objects.count(), invoice.settled_cents, told.calls) == ("surplus", 0, 0, [])


def test_a_surplus_becomes_a_credit_when_a_person_says_so(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)
    other = make_invoice(client=invoice.client)

    record_payment(receipt=receipt(invoice, 101_250, surplus=Surplus.CREDIT), on=TODAY)

    invoice.client.refresh_from_db()
    assert invoice.client.credit_cents == 1_250
    assert told.calls == [("stop", [invoice.pk], "PAID"), ("stop", [other.pk], "CLIENT_IN_CREDIT")]


def test_a_surplus_pays_the_oldest_of_the_others_and_the_rest_is_a_credit(
    cabinet: Cabinet, told: RecordingLadder
) -> None:
    named = make_invoice(total_cents=10_000)
    young = make_invoice(client=named.client, total_cents=5_000, due_on=dt.date(2026, 11, 20))
    old = make_invoice(client=named.client, total_cents=3_000, due_on=dt.date(2026, 9, 1))
    stranger = make_invoice(total_cents=1_000)

    record_payment(receipt=receipt(named, 19_000, surplus=Surplus.OTHERS), on=TODAY)

    paid = dict(Allocation.objects.values_list("invoice_id", "cents"))
    named.client.refresh_from_db()
    assert paid == {named.pk: 10_000, old.pk: 3_000, young.pk: 5_000}
    assert named.client.credit_cents == 1_000
    assert stranger.pk not in paid


@pytest.mark.parametrize(
    ("cents", "received_on", "sentence"),
    [
        (0, TODAY, "supérieur à zéro"),
        (-100, TODAY, "supérieur à zéro"),
        (100, TODAY + dt.timedelta(days=1), "dans l’avenir"),
    ],
)
def test_refuses_what_was_not_received(
    cabinet: Cabinet, told: RecordingLadder, cents: int, received_on: dt.date, sentence: str
) -> None:
    invoice = make_invoice()
    wrong = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=cents, received_on=received_on)

    with pytest.raises(ReceiptError, match=sentence):
        record_payment(receipt=wrong, on=TODAY)

    assert (Payment.objects.count(), told.calls) == (0, [])


def test_refuses_an_invoice_of_another_client_and_one_that_was_cancelled(
    cabinet: Cabinet, told: RecordingLadder
) -> None:
    invoice, stranger, cancelled = make_invoice(), make_invoice(), make_invoice(state="cancelled")
    mixed = Receipt(client_id=invoice.client_id, invoice_ids=(invoice.pk, stranger.pk), cents=100, received_on=TODAY)

    with pytest.raises(ReceiptError, match="n’est pas à ce client"):
        record_payment(receipt=mixed, on=TODAY)
    with pytest.raises(ReceiptError, match="elle ne reçoit plus de paiement"):
        record_payment(receipt=receipt(cancelled, 100), on=TODAY)

    assert (Payment.objects.count(), told.calls) == (0, [])


def test_a_reversed_payment_is_owed_again_once(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)
    payment = record_payment(receipt=receipt(invoice, 101_000, surplus=Surplus.CREDIT), on=TODAY)

    reverse_payment(payment_id=payment.pk)
    reverse_payment(payment_id=payment.pk)

    invoice.refresh_from_db()
    invoice.client.refresh_from_db()
    payment.refresh_from_db()
    assert (invoice.settled_cents, invoice.client.credit_cents, payment.state) == (0, 0, PaymentState.REVERSED)
    assert told.calls[-2:] == [("wake", [invoice.pk], ""), ("wake", [invoice.pk], "")]


def test_a_payment_whose_surplus_was_used_is_not_taken_back(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)
    payment = record_payment(receipt=receipt(invoice, 101_000, surplus=Surplus.CREDIT), on=TODAY)
    settlement.give_client_credit(client_id=invoice.client_id, cents=-500)

    with pytest.raises(OverpaidError, match="L’avoir de ce client est inférieur"):
        reverse_payment(payment_id=payment.pk)

    invoice.refresh_from_db()
    payment.refresh_from_db()
    assert (invoice.settled_cents, payment.state) == (100_000, PaymentState.SETTLED)


def test_a_statement_tells_the_account_in_order_with_its_balance(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = make_client()
    first = make_invoice(client=client, number="F-1", total_cents=100_000, due_on=dt.date(2026, 10, 10))
    make_invoice(client=client, number="F-2", total_cents=50_000, due_on=dt.date(2026, 11, 10), settled_cents=10_000)
    make_invoice(client=client, number="F-3", total_cents=70_000, state="cancelled")
    create_credit_note(
        client_id=client.pk, invoice_id=first.pk, number="A-1", issued_on=dt.date(2026, 10, 20), cents=20_000
    )
    record_payment(receipt=receipt(first, 90_000, surplus=Surplus.CREDIT), on=TODAY)

    statement = statement_of(client_id=client.pk, on=TODAY)

    assert [(line.on.isoformat(), line.label, line.debit_cents, line.credit_cents, line.balance_cents)
            for line in statement.lines] == [
        ("2026-09-10", "Facture F-1", 100_000, 0, 100_000),
        ("2026-10-11", "Facture F-2", 50_000, 0, 150_000),
        ("2026-10-11", "Règlement antérieur de F-2", 0, 10_000, 140_000),
        ("2026-10-20", "Avoir A-1", 0, 20_000, 120_000),
        ("2026-11-24", "Paiement (virement)", 0, 90_000, 30_000),
    ]  # fmt: skip
    assert (statement.billed_cents, statement.received_cents, statement.balance_cents) == (150_000, 120_000, 30_000)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_the_same_form_sent_at_once_from_two_windows_records_one_payment(told: RecordingLadder) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        invoice = make_invoice(total_cents=144_000)
    form, ready = uuid4(), threading.Barrier(2)

    def send() -> UUID:
        ready.wait(10)
        try:
            with working_for(cabinet_id=firm.pk):
                return record_payment(receipt=receipt(invoice, 50_000), on=TODAY, payment_id=form).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [sent.result(20) for sent in [pool.submit(send), pool.submit(send)]]

    with working_for(cabinet_id=firm.pk):
        invoice.refresh_from_db()
        assert (answers, Payment.objects.count(), invoice.settled_cents) == ([form, form], 1, 50_000)


def late(**facts: Any) -> Invoice:
    """Make 1 200,00 € due on 31 March 2025, thirty days late when it is paid: 12,97 € of interest and 40 €."""
    dossier = make_dossier(kind=ClientKind.PROFESSIONAL)
    return make_invoice(dossier=dossier, due_on=PAID_ON - dt.timedelta(days=30), total_cents=120_000, **facts)


PAID_ON = dt.date(2025, 4, 30)


def paid(invoice: Invoice, cents: int, **facts: Any) -> Payment:
    return record_payment(
        receipt=Receipt(
            client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=cents, received_on=PAID_ON, **facts
        ),
        on=TODAY,
    )


def test_r16_a_part_payment_goes_first_where_the_firm_chose(cabinet: Cabinet, told: RecordingLadder) -> None:
    amicable, strict = late(), late()
    paid(amicable, 50_000)
    Cabinet.objects.update(allocation_rule=AllocationRule.INTEREST_FIRST)

    payment = paid(strict, 50_000)

    assert list(Allocation.objects.order_by("accessory_cents").values_list("invoice", "cents", "accessory_cents")) == [
        (amicable.pk, 50_000, 0),
        (strict.pk, 48_703, 1_297),
    ]
    strict.refresh_from_db()
    assert strict.outstanding_cents == 71_297
    account = statement_of(client_id=strict.client_id, on=TODAY)
    assert account.balance_cents == 71_297
    recorded = JournalEntry.objects.filter(event="payment.recorded")
    assert sorted(entry.facts["order"] for entry in recorded) == ["interest_first", "principal_first"]
    reverse_payment(payment_id=payment.pk)
    strict.refresh_from_db()
    assert strict.outstanding_cents == 120_000
    assert AccessoryClaim.objects.get(kind="interest").settled_cents == 0


def test_r16_once_on_notice_interest_is_paid_first(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = late()
    reminder = make_reminder(make_case(invoice=invoice, rank=4), state=ReminderState.ACCEPTED)
    Letter(
        reminder=reminder,
        client_id=invoice.client_id,
        route="post_desk",
        state=LetterState.PRESENTED,
        presented_on=PAID_ON - dt.timedelta(days=1),
    ).save(force_insert=True)

    paid(invoice, 50_000)

    assert list(Allocation.objects.values_list("cents", "accessory_cents")) == [(48_703, 1_297)]


def test_what_exceeds_the_principal_may_pay_what_lateness_added(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = late()

    paid(invoice, 125_297, surplus=Surplus.CLAIMS)

    assert list(Allocation.objects.values_list("cents", "accessory_cents")) == [(120_000, 5_297)]
    assert {row.outstanding_cents for row in AccessoryClaim.objects.all()} == {0}
    assert statement_of(client_id=invoice.client_id, on=TODAY).balance_cents == 0


def test_accessories_are_paid_after_the_principal_was(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = late()
    paid(invoice, 120_000)

    paid(invoice, 4_000, surplus=Surplus.CLAIMS)

    assert list(Allocation.objects.order_by("-cents").values_list("cents", "accessory_cents")) == [
        (120_000, 0),
        (0, 4_000),
    ]
    assert sum(row.outstanding_cents for row in AccessoryClaim.objects.all()) == 1_297


def test_more_than_everything_owed_is_refused_and_nothing_is_kept(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = late()

    with pytest.raises(SurplusError, match="dépasse de 0,01"):
        paid(invoice, 125_298, surplus=Surplus.CLAIMS)

    assert (Payment.objects.exists(), AccessoryClaim.objects.exists()) == (False, False)
