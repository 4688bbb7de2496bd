"""What lowers a debt: never beyond it, and told to the ladder in the same transaction."""

import datetime as dt

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry
from cabinets.scoping import working_for
from invoices.errors import OverpaidError
from invoices.services.settlement import credit, give_client_credit, settle
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)


def test_a_part_opens_a_waiting_window_and_the_whole_ends_it(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)

    settle(invoice_id=invoice.pk, cents=40_000)
    settle(invoice_id=invoice.pk, cents=60_000)

    invoice.refresh_from_db()
    assert (invoice.settled_cents, invoice.outstanding_cents, invoice.last_payment_at) == (100_000, 0, NOW)
    assert told.calls == [("stop", [invoice.pk], "GRACE"), ("stop", [invoice.pk], "PAID")]
    assert list(JournalEntry.objects.values_list("event", flat=True)) == ["invoice.settled"] * 2


@pytest.mark.parametrize("cents", [100_001, -1])
def test_never_settles_beyond_the_debt_nor_below_nothing(cabinet: Cabinet, told: RecordingLadder, cents: int) -> None:
    invoice = make_invoice(total_cents=100_000)

    with pytest.raises(OverpaidError):
        settle(invoice_id=invoice.pk, cents=cents)

    invoice.refresh_from_db()
    assert (invoice.settled_cents, told.calls, JournalEntry.objects.count()) == (0, [], 0)


def test_a_payment_and_a_credit_note_share_one_debt(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)
    credit(invoice_id=invoice.pk, cents=30_000)

    with pytest.raises(OverpaidError, match="700,00"):
        settle(invoice_id=invoice.pk, cents=70_001)
    settle(invoice_id=invoice.pk, cents=70_000)

    invoice.refresh_from_db()
    assert (invoice.credited_cents, invoice.settled_cents, invoice.outstanding_cents) == (30_000, 70_000, 0)


def test_a_reversed_payment_wakes_the_invoice(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(total_cents=100_000)
    settle(invoice_id=invoice.pk, cents=100_000)

    settle(invoice_id=invoice.pk, cents=-100_000)

    invoice.refresh_from_db()
    assert (invoice.settled_cents, told.calls[-1]) == (0, ("wake", [invoice.pk], ""))


def test_a_client_credit_stops_every_open_invoice_even_those_the_person_does_not_see(
    cabinet: Cabinet, told: RecordingLadder
) -> None:
    assistant, client = make_member(role=Role.ASSISTANT), make_client()
    seen, hidden = make_invoice(dossier=make_dossier(client=client)), make_invoice(dossier=make_dossier(client=client))
    make_invoice(client=client, settled_cents=144_000)
    assign(dossier=seen.dossier, member=assistant)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
        give_client_credit(client_id=client.pk, cents=5_000)

    client.refresh_from_db()
    assert (client.credit_cents, told.calls) == (
        5_000, [("stop", sorted([seen.pk, hidden.pk]), "CLIENT_IN_CREDIT")],
    )  # fmt: skip


def test_takes_no_more_credit_than_there_is(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = make_client(credit_cents=5_000)

    with pytest.raises(OverpaidError, match="Rien n’a été changé"):
        give_client_credit(client_id=client.pk, cents=-5_001)

    client.refresh_from_db()
    assert (client.credit_cents, told.calls) == (5_000, [])
