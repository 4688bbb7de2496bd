"""The one word of an invoice, as a table; and the same word for a list, from the rows."""

import datetime as dt
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role
from cabinets.models import Cabinet
from invoices.enums import InvoiceState, InvoiceStatus, StopKind
from invoices.services import standstill
from invoices.services.statuses import StopRow, statuses
from invoices.status import status_of
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

TODAY = dt.date(2026, 11, 24)
DAY = dt.timedelta(days=1)


@dataclass
class Paper:
    state: str = InvoiceState.OPEN
    due_on: dt.date = TODAY - DAY
    settled_cents: int = 0
    outstanding_cents: int = 100


def stop(kind: StopKind, until_on: dt.date | None = None, released_at: dt.datetime | None = None) -> StopRow:
    return StopRow(kind, until_on, released_at)


LIFTED = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("paper", "stops", "word"),
    [
        (Paper(), [], InvoiceStatus.OVERDUE),
        (Paper(due_on=TODAY), [], InvoiceStatus.NOT_DUE),
        (Paper(due_on=TODAY + DAY), [], InvoiceStatus.NOT_DUE),
        (Paper(settled_cents=40), [], InvoiceStatus.PART_PAID),
        (Paper(settled_cents=40, due_on=TODAY + DAY), [], InvoiceStatus.PART_PAID),
        (Paper(outstanding_cents=0), [], InvoiceStatus.PAID),
        (Paper(outstanding_cents=0), [stop(StopKind.DISPUTE)], InvoiceStatus.PAID),
        (Paper(), [stop(StopKind.PAYMENT_IN_FLIGHT), stop(StopKind.DISPUTE)], InvoiceStatus.IN_FLIGHT),
        (Paper(), [stop(StopKind.HOLD), stop(StopKind.DISPUTE)], InvoiceStatus.DISPUTED),
        (Paper(), [stop(StopKind.MEDIATION)], InvoiceStatus.DISPUTED),
        (Paper(), [stop(StopKind.BATONNIER_SEISED)], InvoiceStatus.DISPUTED),
        (Paper(settled_cents=40), [stop(StopKind.PLAN), stop(StopKind.HOLD)], InvoiceStatus.PLAN),
        (Paper(), [stop(StopKind.HOLD)], InvoiceStatus.HELD),
        (Paper(), [stop(StopKind.HOLD, until_on=TODAY)], InvoiceStatus.HELD),
        (Paper(), [stop(StopKind.HOLD, until_on=TODAY - DAY)], InvoiceStatus.OVERDUE),
        (Paper(), [stop(StopKind.HOLD, released_at=LIFTED)], InvoiceStatus.OVERDUE),
        (Paper(), [stop(StopKind.CLAIMED_PAID)], InvoiceStatus.HELD),
        (Paper(), [stop(StopKind.PROMISE)], InvoiceStatus.HELD),
        (Paper(state=InvoiceState.DRAFT), [], InvoiceStatus.DRAFT),
        (Paper(state=InvoiceState.CANCELLED, outstanding_cents=0), [], InvoiceStatus.CANCELLED),
        (Paper(state=InvoiceState.WRITTEN_OFF), [stop(StopKind.DISPUTE)], InvoiceStatus.WRITTEN_OFF),
        (Paper(state=InvoiceState.ARCHIVED), [], InvoiceStatus.ARCHIVED),
    ],
)
def test_an_invoice_wears_one_word(paper: Paper, stops: list[StopRow], word: InvoiceStatus) -> None:
    assert status_of(paper, stops, TODAY) == word


def test_a_list_reads_the_stops_of_every_level(cabinet: Cabinet, told: RecordingLadder) -> None:
    lawyer = make_member(role=Role.LAWYER)
    by_invoice, by_dossier, untouched = make_invoice(), make_invoice(), make_invoice()
    by_client = make_invoice(client=make_client())
    by_lawyer = make_invoice(dossier=make_dossier(lawyer=lawyer))
    standstill.declare(kind=StopKind.HOLD, target=by_invoice)
    standstill.declare(kind=StopKind.INSOLVENCY, target=by_client.client)
    standstill.declare(kind=StopKind.BATONNIER_SEISED, target=by_dossier.dossier)
    standstill.declare(kind=StopKind.HOLD, target=lawyer, until_on=TODAY)

    words = statuses([by_invoice, by_dossier, by_client, by_lawyer, untouched], on=TODAY)

    assert [words[row.pk] for row in (by_invoice, by_dossier, by_client, by_lawyer, untouched)] == [
        InvoiceStatus.HELD, InvoiceStatus.DISPUTED, InvoiceStatus.HELD, InvoiceStatus.HELD, InvoiceStatus.OVERDUE,
    ]  # fmt: skip


def test_a_stop_of_the_firm_reaches_every_invoice(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()
    standstill.declare(kind=StopKind.HOLD, target=None)

    assert statuses([invoice], on=TODAY) == {invoice.pk: InvoiceStatus.HELD}


def test_five_invoices_cost_the_queries_of_one(cabinet: Cabinet) -> None:
    invoices = [make_invoice() for _ in range(5)]

    with CaptureQueriesContext(connection) as one:
        statuses(invoices[:1], on=TODAY)
    with CaptureQueriesContext(connection) as five:
        statuses(invoices, on=TODAY)

    assert len(one) == len(five) == 2
