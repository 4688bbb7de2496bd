"""Reminders after a payment, or not netted (failures F1–F11)."""

import pytest
from django.db import transaction
from django.utils import timezone

from cabinets.enums import TaskKind
from cabinets.models import Cabinet, Client, Task
from cabinets.scoping import working_for
from dunning.enums import Code, ReminderState
from dunning.models import Decision, Reminder
from invoices.enums import InvoiceState, StopKind
from invoices.errors import OverpaidError
from invoices.models import Invoice
from invoices.services import credit_notes, settlement, standstill
from payments.errors import SurplusError
from payments.models import Checkout
from payments.providers.protocol import Stage
from payments.services import links, recording
from payments.services.applying import apply
from payments.services.recording import Receipt, Surplus
from tests.factories.cabinets import make_client
from tests.factories.dunning import make_case
from tests.factories.invoices import TODAY
from tests.failures.conftest import Mailbox, give_server
from tests.failures.days import days, declare, depart, live, night, owe
from tests.payments.online import Online, online_world

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


def codes(firm: Cabinet) -> list[str]:
    with working_for(cabinet_id=firm.pk):
        return list(Decision.objects.order_by("on", "id").values_list("code", flat=True))


def test_f1_reminds_of_no_invoice_that_is_paid(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        paid_before, paid_after = owe(), owe()
        Invoice.objects.filter(pk=paid_before.pk).update(settled_cents=144_000)
    night(firm)
    with working_for(cabinet_id=firm.pk):
        settlement.settle(invoice_id=paid_after.pk, cents=144_000)
    depart(firm)
    live(firm, start=TODAY + days(1), count=15)

    assert mailbox.caught == []
    assert set(codes(firm)) == {Code.PAID, Code.SEND}


@pytest.mark.parametrize(
    "state", [InvoiceState.DRAFT, InvoiceState.CANCELLED, InvoiceState.WRITTEN_OFF, InvoiceState.ARCHIVED]
)
def test_f1_reminds_of_no_invoice_that_is_not_open(firm: Cabinet, mailbox: Mailbox, state: InvoiceState) -> None:
    with working_for(cabinet_id=firm.pk):
        Invoice.objects.filter(pk=owe().pk).update(state=state)

    live(firm, count=3)

    assert mailbox.caught == []
    assert codes(firm) == [Code.CLOSED]


def test_f2_asks_nothing_of_a_client_whose_credit_covers_the_debt(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
        settlement.give_client_credit(client_id=invoice.client_id, cents=144_000)

    live(firm)

    assert mailbox.caught == []
    assert codes(firm) == [Code.CLIENT_IN_CREDIT]


def test_f3_asks_for_what_is_left_after_a_credit_note(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        credit(owe(), 44_000)
        credit(owe(), 144_000)

    live(firm)

    assert [("1 000,00 €" in text, "1 440,00 €" in text) for text in mailbox.texts] == [(True, False)]


def test_f3_sends_no_amount_that_a_credit_note_lowered_after_planning(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    night(firm)
    with working_for(cabinet_id=firm.pk):
        credit(invoice, 44_000)
    depart(firm)
    live(firm, start=TODAY + days(1), count=2)

    assert [("1 000,00 €" in text, "1 440,00 €" in text) for text in mailbox.texts] == [(True, False)]


def credit(invoice: Invoice, cents: int) -> object:
    return credit_notes.create_credit_note(
        client_id=invoice.client_id,
        invoice_id=invoice.pk,
        number=f"A-{invoice.number}",
        issued_on=TODAY,
        cents=cents,
    )


def test_f4_a_cancelled_credit_note_changes_no_amount(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        note = credit(owe(), 44_000)
        credit_notes.cancel_credit_note(credit_note_id=note.pk)  # type: ignore[attr-defined]

    live(firm)

    assert ["1 440,00 €" in text for text in mailbox.texts] == [True]


def test_f5_a_payment_and_the_end_of_its_reminders_are_one_fact(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    night(firm)

    with working_for(cabinet_id=firm.pk):
        with transaction.atomic():
            settlement.settle(invoice_id=invoice.pk, cents=144_000)
            assert Reminder.objects.get().state == ReminderState.CANCELLED
            transaction.set_rollback(True)

        assert (Reminder.objects.get().state, Invoice.objects.get().settled_cents) == (ReminderState.PLANNED, 0)


def test_f7_waits_while_a_payment_is_in_flight_and_speaks_again_when_it_failed(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        (stop,) = standstill.declare(kind=StopKind.PAYMENT_IN_FLIGHT, target=owe(), origin="provider")
    live(firm, count=2)
    assert (mailbox.caught, codes(firm)) == ([], [Code.PAYMENT_IN_FLIGHT])

    with working_for(cabinet_id=firm.pk):
        standstill.release(standstill_id=stop.pk)
    live(firm, start=TODAY + days(2))

    assert len(mailbox.caught) == 1


def test_f8_a_payment_in_flight_pays_nothing_yet(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
        standstill.declare(kind=StopKind.PAYMENT_IN_FLIGHT, target=invoice, origin="provider")
        invoice.refresh_from_db()

        assert (invoice.outstanding_cents, invoice.last_payment_at) == (144_000, None)


def test_f9_says_nothing_when_nobody_declared_the_payments_for_a_week(firm: Cabinet, mailbox: Mailbox) -> None:
    declare(firm, TODAY - days(8))
    with working_for(cabinet_id=firm.pk):
        owe()

    night(firm)
    depart(firm)
    assert (mailbox.caught, codes(firm)) == ([], [Code.STALE_SOURCE])

    live(firm, start=TODAY + days(1))
    assert len(mailbox.caught) == 1


def test_f9_a_payment_stops_reminders_before_anybody_reconciles_anything(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    night(firm)
    with working_for(cabinet_id=firm.pk):
        recording.record_payment(receipt=receipt(invoice, 50_000), on=TODAY)
        assert Reminder.objects.get().cancel_code == Code.GRACE

    depart(firm)

    assert mailbox.caught == []


def receipt(invoice: Invoice, cents: int, surplus: Surplus = Surplus.REFUSE) -> Receipt:
    return Receipt(
        client_id=invoice.client_id, invoice_ids=(invoice.pk,), cents=cents, received_on=TODAY, surplus=surplus
    )


def test_f10_the_debtors_page_asks_for_what_is_left_after_a_credit(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    live(firm)
    with working_for(cabinet_id=firm.pk):
        credit(invoice, 44_000)
        link = links.link_for(client=Client.objects.get())

        assert [one.outstanding_cents for one in links.opened_by(link)] == [100_000]
    assert len(mailbox.caught) == 1


def test_f11_what_exceeds_the_debt_is_refused_or_kept_as_a_credit(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        invoice = owe(client=client)
        with pytest.raises(SurplusError), transaction.atomic():
            recording.record_payment(receipt=receipt(invoice, 150_000), on=TODAY)
        recording.record_payment(receipt=receipt(invoice, 150_000, Surplus.CREDIT), on=TODAY)
        with pytest.raises(OverpaidError), transaction.atomic():
            settlement.settle(invoice_id=invoice.pk, cents=1)

        client.refresh_from_db()
        invoice.refresh_from_db()
        assert (invoice.outstanding_cents, client.credit_cents) == (0, 6_000)


def paying(online: Online) -> Checkout:
    """Open a page, and let its debtor agree to pay."""
    checkout = online.begin()
    online.provider.move(Stage.PROCESSING)
    online.ask(checkout)
    return checkout


def test_f5_a_payment_that_arrives_stops_what_was_planned_in_its_own_transaction(mailbox: Mailbox) -> None:
    with online_world() as online:
        give_server(online.cabinet, mailbox)
        checkout = online.begin()
        with working_for(cabinet_id=online.cabinet.pk):
            make_case(invoice=online.invoice)
        night(online.cabinet)
        online.provider.move(Stage.SETTLED)

        with working_for(cabinet_id=online.cabinet.pk), transaction.atomic():
            apply(checkout_id=checkout.pk, snapshot=online.provider.snapshot(checkout.ref), asked_at=timezone.now())
            assert (Reminder.objects.get().state, Reminder.objects.get().cancel_code) == ("cancelled", Code.PAID)
            transaction.set_rollback(True)

        assert (online.invoice.settled_cents, online.settled()) == (0, 0)


def test_f7_an_online_payment_on_its_way_holds_and_a_refused_one_does_not(mailbox: Mailbox) -> None:
    with online_world() as online:
        give_server(online.cabinet, mailbox)
        with working_for(cabinet_id=online.cabinet.pk):
            make_case(invoice=online.invoice)
        checkout = paying(online)
        live(online.cabinet, count=2)
        assert (mailbox.caught, codes(online.cabinet)) == ([], [Code.PAYMENT_IN_FLIGHT])

        online.provider.move(Stage.FAILED, failure="insufficient_funds")
        online.ask(checkout)
        live(online.cabinet, start=TODAY + days(2))

        assert len(mailbox.caught) == 1


def test_f8_a_debit_the_debtor_agreed_to_is_not_paid_before_the_bank_says_so(mailbox: Mailbox) -> None:
    with online_world() as online:
        checkout = paying(online)
        assert (online.invoice.outstanding_cents, online.settled(), online.read(checkout).state) == (
            144_000, 0, "processing",
        )  # fmt: skip

        online.provider.move(Stage.SETTLED)
        online.ask(checkout)

        assert (online.invoice.outstanding_cents, online.settled()) == (0, 144_000)


@pytest.mark.parametrize("change", ["credited", "paid", "cancelled", "insolvent"])
def test_f10_a_page_left_open_at_the_provider_ends_with_what_it_asked_for(change: str) -> None:
    with online_world() as online:
        checkout = online.begin()
        with working_for(cabinet_id=online.cabinet.pk):
            invoice = online.invoices[0]
            if change == "credited":
                credit(invoice, 44_000)
            elif change == "paid":
                settlement.settle(invoice_id=invoice.pk, cents=144_000)
            elif change == "cancelled":
                Invoice.objects.update(state=InvoiceState.CANCELLED)
            else:
                standstill.declare(kind=StopKind.INSOLVENCY, target=invoice)

        # The clock, minutes later.
        online.ask(checkout)

        assert (online.read(checkout).state, online.provider.held[checkout.ref].stage) == ("expired", Stage.EXPIRED)


def test_f10_a_page_paid_before_it_could_be_closed_keeps_the_rest_for_its_debtor() -> None:
    with online_world() as online:
        checkout = online.begin()
        with working_for(cabinet_id=online.cabinet.pk):
            credit(online.invoices[0], 44_000)
        online.provider.move(Stage.SETTLED)

        online.ask(checkout)

        assert (online.invoice.outstanding_cents, online.settled(), online.credit()) == (0, 144_000, 44_000)


def test_f11_an_invoice_paid_twice_over_two_roads_is_a_credit_and_a_task() -> None:
    with online_world() as online:
        checkout = online.begin()
        with working_for(cabinet_id=online.cabinet.pk):
            recording.record_payment(receipt=receipt(online.invoices[0], 144_000), on=TODAY)
        online.provider.move(Stage.SETTLED)

        online.ask(checkout)

        with working_for(cabinet_id=online.cabinet.pk):
            (task,) = Task.objects.filter(kind=TaskKind.DOUBLE_PAYMENT)
            assert (task.client_id, task.state) == (online.link.client_id, "open")
        assert (online.invoice.outstanding_cents, online.credit()) == (0, 144_000)
