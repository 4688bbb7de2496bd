"""Credit notes lower what is owed, once, and give it back when they are cancelled."""

import datetime as dt

import pytest

from cabinets.models import Cabinet
from invoices.errors import EntryError, InvoiceError, OverpaidError
from invoices.models import CreditNote
from invoices.services.credit_notes import cancel_credit_note, create_credit_note
from tests.factories.cabinets import make_client
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

ISSUED = dt.date(2026, 11, 20)


def test_lowers_one_invoice_and_stops_it_when_nothing_is_left(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)

    create_credit_note(
        client_id=invoice.client_id, invoice_id=invoice.pk, number="A-1", issued_on=ISSUED, cents=100_000
    )

    invoice.refresh_from_db()
    assert (invoice.credited_cents, invoice.outstanding_cents) == (100_000, 0)
    assert told.calls == [("stop", [invoice.pk], "PAID")]


def test_gives_a_client_credit_when_no_invoice_is_named(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()

    create_credit_note(client_id=invoice.client_id, invoice_id=None, number="A-2", issued_on=ISSUED, cents=2_500)

    invoice.client.refresh_from_db()
    assert (invoice.client.credit_cents, told.calls) == (2_500, [("stop", [invoice.pk], "CLIENT_IN_CREDIT")])


def test_refuses_more_than_is_owed_and_writes_nothing(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)

    with pytest.raises(OverpaidError, match="L’avoir dépasse le reste dû"):
        create_credit_note(
            client_id=invoice.client_id, invoice_id=invoice.pk, number="A-3", issued_on=ISSUED, cents=100_001
        )

    invoice.refresh_from_db()
    assert (CreditNote.objects.count(), invoice.credited_cents, told.calls) == (0, 0, [])


def test_refuses_a_number_already_given(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = make_client()
    create_credit_note(client_id=client.pk, invoice_id=None, number="a 4", issued_on=ISSUED, cents=100)

    with pytest.raises(EntryError, match="Un avoir porte déjà le numéro « A4 »"):
        create_credit_note(client_id=client.pk, invoice_id=None, number="A4", issued_on=ISSUED, cents=100)

    client.refresh_from_db()
    assert (CreditNote.objects.count(), client.credit_cents) == (1, 100)


def test_a_closed_invoice_receives_no_credit(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(state="written_off")

    with pytest.raises(InvoiceError, match="elle ne reçoit plus d’avoir"):
        create_credit_note(client_id=invoice.client_id, invoice_id=invoice.pk, number="A-5", issued_on=ISSUED, cents=1)

    assert CreditNote.objects.count() == 0


def test_a_cancelled_credit_note_is_owed_again_once(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)
    note = create_credit_note(
        client_id=invoice.client_id, invoice_id=invoice.pk, number="A-6", issued_on=ISSUED, cents=40_000
    )

    cancel_credit_note(credit_note_id=note.pk)
    cancel_credit_note(credit_note_id=note.pk)

    invoice.refresh_from_db()
    assert (invoice.credited_cents, invoice.outstanding_cents) == (0, 100_000)
    assert [call[0] for call in told.calls] == ["stop", "wake"]
