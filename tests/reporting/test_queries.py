"""Each figure against a case computed by hand, and the figures against each other."""

import datetime as dt
import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets import journal
from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.scoping import acting_for, tenant_atomic
from dunning.enums import ReminderState
from invoices.enums import InvoiceState
from invoices.models import Invoice
from payments.enums import PaymentState
from payments.models import Allocation, Payment
from reporting import queries
from reporting.queries import Bucket, Cohort, Collected, DsoPoint
from tests.conftest import NOW
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.payments import make_payment

pytestmark = pytest.mark.usefixtures("told")
DAY = dt.timedelta(days=1)


def bill(cents: int, *, issued: int, due: int, **facts: Any) -> Invoice:
    """Bill so many days ago, payable so many days ago (negative: later)."""
    return make_invoice(total_cents=cents, issued_on=TODAY - issued * DAY, due_on=TODAY - due * DAY, **facts)


@pytest.mark.parametrize(
    ("late", "rank"),
    [(-20, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (900, 4)],
)
def test_puts_a_debt_in_the_bucket_of_its_age(cabinet: Cabinet, late: int, rank: int) -> None:
    bill(100_00, issued=930, due=late)

    aged = queries.aging(on=TODAY)

    assert [bucket.count for bucket in aged.buckets] == [int(rank == at) for at in range(5)]
    assert aged.overdue == (Bucket(100_00, 1) if rank else Bucket())


def test_counts_in_the_balance_only_what_is_still_owed(cabinet: Cabinet) -> None:
    bill(100_00, issued=40, due=10, settled_cents=30_00, credited_cents=20_00)
    bill(70_00, issued=40, due=10, settled_cents=70_00)
    for state in (InvoiceState.DRAFT, InvoiceState.CANCELLED, InvoiceState.WRITTEN_OFF, InvoiceState.ARCHIVED):
        bill(500_00, issued=40, due=10, state=state)

    aged = queries.aging(on=TODAY)

    assert (aged.total_cents, aged.overdue) == (50_00, Bucket(50_00, 1))


def test_sums_the_ages_to_the_balance_and_to_the_receivables_of_the_dso(cabinet: Cabinet) -> None:
    draw_a_year(random.Random(4), invoices=40)

    owed = sum(row.outstanding_cents for row in Invoice.objects.open())
    (point,) = queries.dso(days=[TODAY]).points

    assert owed > 0
    assert queries.aging(on=TODAY).total_cents == owed
    assert point.receivable_cents == owed


def test_computes_the_dso_of_a_case_done_by_hand(cabinet: Cabinet) -> None:
    paid = bill(600_00, issued=80, due=50)
    bill(300_00, issued=20, due=-10)
    old = bill(100_00, issued=200, due=170)
    make_payment(invoice=paid, on=TODAY - 40 * DAY)
    bill(999_00, issued=15, due=-15, state=InvoiceState.CANCELLED)

    told = queries.dso(days=[TODAY])

    # Owed: 300 + 100. Billed in 90 days: 600 + 300. 400 ÷ 900 × 90 = 40.
    assert told.points == (DsoPoint(TODAY, 400_00, 900_00, 90),)
    assert told.points[0].days == 40
    assert told.known_since == TODAY - 40 * DAY
    assert old.outstanding_cents == 100_00


def test_takes_the_days_known_for_the_period_while_ninety_are_not(cabinet: Cabinet) -> None:
    paid = bill(500_00, issued=59, due=45)
    bill(250_00, issued=10, due=-20)
    make_payment(invoice=paid, on=TODAY - 45 * DAY)

    (point,) = queries.dso(days=[TODAY]).points

    # 60 days of history: 250 ÷ 750 × 60 = 20.
    assert (point.period_days, point.days) == (60, 20)


def test_has_no_dso_before_thirty_days_of_invoices_and_payments(cabinet: Cabinet) -> None:
    invoice = bill(500_00, issued=300, due=270)
    assert queries.dso(days=[TODAY]) == queries.Dso(points=(), known_since=None)

    make_payment(invoice=invoice, on=TODAY - 29 * DAY, cents=100_00)
    assert queries.dso(days=[TODAY]).points == ()

    make_payment(invoice=invoice, on=TODAY - 30 * DAY, cents=100_00)
    assert len(queries.dso(days=[TODAY]).points) == 1


def test_has_no_dso_without_turnover(cabinet: Cabinet) -> None:
    invoice = bill(500_00, issued=300, due=270)
    make_payment(invoice=invoice, on=TODAY - 200 * DAY, cents=100_00)

    (point,) = queries.dso(days=[TODAY]).points

    assert (point.receivable_cents, point.turnover_cents, point.days) == (400_00, 0, None)


def test_forgets_a_reversed_payment(cabinet: Cabinet) -> None:
    invoice = bill(500_00, issued=80, due=50)
    make_payment(invoice=invoice, on=TODAY - 60 * DAY, cents=100_00)
    bounced = Payment(client=invoice.client, received_on=TODAY - 70 * DAY, cents=400_00, state=PaymentState.REVERSED)
    bounced.save(force_insert=True)
    Allocation(payment=bounced, invoice=invoice, cents=400_00).save(force_insert=True)

    past, now = queries.dso(days=[TODAY - 30 * DAY, TODAY]).points

    assert (past.receivable_cents, now.receivable_cents) == (400_00, 400_00)


def draw_a_year(chance: random.Random, *, invoices: int) -> None:
    clients = [make_dossier() for _ in range(4)]
    for _ in range(invoices):
        issued = chance.randint(1, 420)
        invoice = bill(chance.randint(1, 900) * 100, issued=issued, due=issued - 30, dossier=chance.choice(clients))
        for _ in range(chance.randint(0, 2)):
            part = chance.randint(0, invoice.outstanding_cents)
            if part:
                make_payment(invoice=invoice, on=TODAY - chance.randint(0, issued) * DAY, cents=part)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_agrees_with_a_recomputation_invoice_by_invoice(cabinet: Cabinet, seed: int) -> None:
    """The other road to the DSO: forwards, from each payment, in Python."""
    draw_a_year(random.Random(seed), invoices=30)
    days = [TODAY - back * DAY for back in (330, 200, 91, 60, 1, 0)]
    rows = list(Invoice.objects.all())
    paid = [
        (share.invoice_id, share.payment.received_on, share.cents)
        for share in Allocation.objects.select_related("payment")
    ]
    first = min(row.issued_on for row in rows)

    told = {point.on: point for point in queries.dso(days=days).points}

    for day, point in told.items():
        issued = {row.pk for row in rows if row.issued_on <= day}
        billed = sum(row.total_cents for row in rows if row.pk in issued)
        received = sum(cents for pk, on, cents in paid if pk in issued and on <= day)
        period = min(90, (day - first).days + 1)
        turnover = sum(row.total_cents for row in rows if row.pk in issued and (day - row.issued_on).days < period)
        assert point == DsoPoint(day, billed - received, turnover, period)
    assert TODAY in told


def test_counts_the_invoices_unpaid_thirty_days_after_their_due_date(cabinet: Cabinet) -> None:
    on_time = bill(100_00, issued=90, due=40)
    make_payment(invoice=on_time, on=on_time.due_on + 30 * DAY)
    late = bill(200_00, issued=90, due=40)
    make_payment(invoice=late, on=late.due_on + 31 * DAY)
    part = bill(300_00, issued=90, due=40, credited_cents=50_00)
    make_payment(invoice=part, on=part.due_on, cents=100_00)
    bill(400_00, issued=90, due=30)
    bill(1_000_00, issued=90, due=29)
    bill(1_000_00, issued=400, due=120)

    told = queries.cohorts(days=[TODAY])[TODAY]

    assert (told.due_count, told.unpaid_count, told.unpaid_cents) == (4, 3, 200_00 + 150_00 + 400_00)
    assert told.unpaid_percent == 75


def test_recovers_what_came_within_forty_five_days_of_the_due_date(cabinet: Cabinet) -> None:
    in_time = bill(600_00, issued=90, due=45)
    make_payment(invoice=in_time, on=in_time.due_on + 45 * DAY)
    too_late = bill(300_00, issued=120, due=50)
    make_payment(invoice=too_late, on=too_late.due_on + 46 * DAY, cents=200_00)
    make_payment(invoice=too_late, on=too_late.due_on + 1 * DAY, cents=100_00)
    lost = bill(100_00, issued=120, due=60, state=InvoiceState.WRITTEN_OFF)
    bill(5_000_00, issued=90, due=44)
    bill(5_000_00, issued=400, due=135)

    told = queries.cohorts(days=[TODAY])[TODAY]

    assert (told.recovered_cents, told.billed_cents, told.recovered_percent) == (700_00, 1_000_00, 70)
    assert lost.state == InvoiceState.WRITTEN_OFF


def test_tells_several_days_as_each_alone(cabinet: Cabinet) -> None:
    draw_a_year(random.Random(9), invoices=30)
    before = TODAY - 30 * DAY

    both = queries.cohorts(days=[TODAY, before])

    assert both == {**queries.cohorts(days=[TODAY]), **queries.cohorts(days=[before])}


def test_has_no_share_of_nothing(cabinet: Cabinet) -> None:
    told = queries.cohorts(days=[TODAY])[TODAY]

    assert (told, told.unpaid_percent, told.recovered_percent) == (Cohort(), None, None)


def test_adds_up_what_came_in_this_month(cabinet: Cabinet) -> None:
    reminded = make_reminder(state=ReminderState.ACCEPTED, spoken_on=TODAY - 5 * DAY)
    invoice = Invoice.objects.get()
    make_payment(invoice=invoice, on=TODAY, cents=40_00)
    alone = bill(500_00, issued=60, due=30)
    make_payment(invoice=alone, on=TODAY.replace(day=1), cents=100_00, surplus=10_00)
    make_payment(invoice=alone, on=TODAY.replace(day=1) - DAY, cents=50_00)

    told = queries.collected(on=TODAY, sees_all=True)

    assert reminded.spoken_on is not None
    assert told == Collected(cents=150_00, count=2, after_reminder_cents=40_00)


def test_tells_a_lawyer_only_what_pays_their_own_invoices(cabinet: Cabinet) -> None:
    client = make_client()
    mine, theirs = make_dossier(client=client), make_dossier(client=client)
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=mine, member=lawyer)
    one, other = bill(100_00, issued=60, due=40, dossier=mine), bill(900_00, issued=60, due=40, dossier=theirs)
    payment = make_payment(invoice=one, on=TODAY, cents=60_00, surplus=300_00)
    Allocation(payment=payment, invoice=other, cents=300_00).save(force_insert=True)

    with acting_for(cabinet_id=cabinet.pk, member_id=lawyer.pk), tenant_atomic():
        seen = (queries.collected(on=TODAY, sees_all=False), queries.aging(on=TODAY).total_cents)

    assert seen == (Collected(cents=60_00, count=1, after_reminder_cents=0), 40_00)


def test_counts_the_acts_of_people_and_not_those_of_the_product(cabinet: Cabinet, owner: Membership) -> None:
    invoice = bill(100_00, issued=60, due=40)
    journal.record("payment.recorded", invoice)
    with acting_for(cabinet_id=cabinet.pk, member_id=owner.pk), tenant_atomic():
        journal.record("payment.recorded", invoice)
        journal.record("invoice.created", invoice, batch="b")
        journal.record("invoice.seen", invoice)

    told = queries.effort(since=NOW - 7 * DAY, events=["payment.recorded", "invoice.created"])

    assert told.counts == {"payment.recorded": 1}


def test_counts_what_waits(cabinet: Cabinet) -> None:
    make_reminder(make_case(rank=4), state=ReminderState.AWAITING_APPROVAL)
    make_reminder(make_case(rank=3), state=ReminderState.AWAITING_APPROVAL)
    make_reminder(make_case(rank=1))

    told = queries.waiting()

    assert (told.approvals, told.formal_notices, told.tasks, told.requests) == (2, 1, 0, 0)


def test_asks_one_statement_for_each_figure(cabinet: Cabinet) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        queries.aging(on=TODAY)
        queries.dso(days=[TODAY])
        queries.cohorts(days=[TODAY])
        queries.collected(on=TODAY, sees_all=True)
        queries.effort(since=NOW, events=["payment.recorded"])
        queries.waiting()

    assert len(asked) == 6
