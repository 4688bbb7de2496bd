"""Positions against cases computed by hand, against the dashboard's figures, and against their own parts."""

import random
from typing import Any

import pytest

from cabinets.enums import ClientKind, Language
from cabinets.models import Cabinet
from dunning.enums import ReminderState
from invoices.enums import InvoiceState, StopKind
from invoices.models import Invoice, Standstill
from payments.enums import PlanOrigin, PlanState, PromiseResult
from payments.models import Instalment, PaymentPlan, PlanLine, PromiseOutcome
from reporting import figures, queries
from reporting.figures import Cut, Expected, Lost, Position, Promises
from tests.conftest import NOW
from tests.factories.cabinets import make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.payments import make_payment
from tests.reporting.test_queries import DAY, bill, draw_a_year

pytestmark = pytest.mark.usefixtures("told")
WEEK = TODAY - TODAY.weekday() * DAY


def test_tells_the_three_delays_of_a_case_done_by_hand(cabinet: Cabinet) -> None:
    bill(300_00, issued=10, due=-20)
    bill(200_00, issued=40, due=10)
    bill(400_00, issued=50, due=20, settled_cents=400_00)

    told = figures.position(on=TODAY)

    assert told.aged_cents == (300_00, 200_00, 0, 0, 0)
    assert told.billed_cents[:3] == (300_00, 600_00, 0)
    # 500 ÷ 900 × 90 = 50; not yet due: 300 ÷ 900 × 90 = 30; countback: 30 days, then 200 ÷ 600 × 30 = 10.
    assert (told.dso(), told.best_dso(), told.countback_dso) == (50, 30, 40)


@pytest.mark.parametrize(
    ("aged", "billed", "days"),
    [
        (0, (100,), 0),
        (50, (100,), 15),
        (100, (100, 50), 30),
        (125, (100, 50), 45),
        (100, (0, 100), 60),
        (100, (-10, 100), 60),
        (200, (100,), None),
    ],
)
def test_counts_back_through_the_turnover(aged: int, billed: tuple[int, ...], days: int | None) -> None:
    row = Position(TODAY, aged_cents=(aged, 0, 0, 0, 0), billed_cents=billed + (0,) * (12 - len(billed)))

    assert row.countback_dso == days


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_figures_of_the_dashboard(cabinet: Cabinet, seed: int) -> None:
    draw_a_year(random.Random(seed), invoices=40)

    for day in (TODAY, TODAY - 45 * DAY, TODAY - 130 * DAY):
        told = figures.position(on=day)
        (point,) = queries.dso(days=[day]).points
        cohort = queries.cohorts(days=[day])[day]
        assert told.receivable_cents == point.receivable_cents
        assert (told.turnover_cents(), point.period_days) == (point.turnover_cents, 90)
        assert told.dso() == point.days
        assert (told.due_count, told.unpaid_count, told.unpaid_cents) == (
            cohort.due_count,
            cohort.unpaid_count,
            cohort.unpaid_cents,
        )
        assert (told.matured_cents, told.recovered_cents) == (cohort.billed_cents, cohort.recovered_cents)
    aged = queries.aging(on=TODAY)
    assert figures.position(on=TODAY).aged_cents == tuple(bucket.cents for bucket in aged.buckets)
    assert figures.position(on=TODAY).aged_counts == tuple(bucket.count for bucket in aged.buckets)


def test_adds_the_portfolios_up_to_the_firm(cabinet: Cabinet) -> None:
    lawyer = make_member()
    of_lawyer = make_dossier(lawyer=lawyer, practice_area="Droit social", kind=ClientKind.PROFESSIONAL)
    other = make_dossier(practice_area="Famille", kind=ClientKind.CONSUMER)
    bill(100_00, issued=40, due=35, dossier=of_lawyer)
    bill(250_00, issued=100, due=60, dossier=other)

    parts = figures.portfolios(on=TODAY)

    assert figures.added(parts.values(), on=TODAY) == figures.position(on=TODAY)
    assert figures.position(on=TODAY).receivable_cents == 350_00
    for cut in (Cut(lawyer=lawyer.pk), Cut(area="Droit social"), Cut(kind=ClientKind.PROFESSIONAL)):
        assert figures.position(on=TODAY, cut=cut).receivable_cents == 100_00
    assert figures.position(on=TODAY, cut=Cut(lawyer=lawyer.pk, area="Famille")) == Position(TODAY)


def test_gives_the_amount_beside_the_number_of_the_unpaid(cabinet: Cabinet) -> None:
    bill(100_00, issued=70, due=40)
    paid = bill(300_00, issued=70, due=40)
    make_payment(invoice=paid, on=TODAY - 20 * DAY)

    told = figures.position(on=TODAY)

    assert (told.due_count, told.due_cents, told.unpaid_count, told.unpaid_cents) == (2, 400_00, 1, 100_00)
    assert (told.unpaid_percent, told.unpaid_amount_percent) == (50, 25)


def say(invoice: Invoice, *, ago: int) -> None:
    """Have a reminder about an invoice leave so many days ago."""
    make_reminder(make_case(invoice=invoice), state=ReminderState.ACCEPTED, spoken_on=TODAY - ago * DAY)


def test_counts_a_payment_for_the_message_it_followed(cabinet: Cabinet) -> None:
    soon, late = (bill(cents, issued=60, due=30) for cents in (100_00, 300_00))
    say(soon, ago=20)
    say(late, ago=20)
    make_payment(invoice=soon, on=TODAY - 13 * DAY)
    make_payment(invoice=late, on=TODAY - 12 * DAY)

    (row,) = figures.brought(since=TODAY - 90 * DAY, on=TODAY)

    assert (row.sent, row.received_cents) == (2, 100_00)
    (wider,) = figures.brought(since=TODAY - 90 * DAY, on=TODAY, within=8)
    assert wider.received_cents == 400_00


def test_expects_due_dates_and_promises_and_adds_up_to_the_balance(cabinet: Cabinet) -> None:
    bill(100_00, issued=10, due=-14)
    bill(50_00, issued=60, due=30)
    promised = bill(80_00, issued=60, due=20)
    Standstill(kind=StopKind.PROMISE, invoice=promised, until_on=TODAY + 7 * DAY, promised_cents=60_00).save(
        force_insert=True
    )

    weeks = figures.expected(on=TODAY)

    assert weeks == (
        Expected(WEEK + 7 * DAY, promised_cents=60_00),
        Expected(WEEK + 14 * DAY, due_cents=100_00),
        Expected(None, due_cents=70_00),
    )
    assert sum(week.total_cents for week in weeks) == figures.position(on=TODAY).receivable_cents


def test_counts_promises_kept_and_broken_in_the_period(cabinet: Cabinet) -> None:
    for ago, result in ((1, "kept"), (2, "kept"), (3, "broken"), (200, "broken")):
        invoice = bill(100_00, issued=300, due=270)
        stop = Standstill(kind=StopKind.PROMISE, invoice=invoice, until_on=TODAY - ago * DAY)
        stop.save(force_insert=True)
        day = TODAY - ago * DAY
        outcome: dict[str, Any] = {"promised_on": day, "judged_on": day, "result": PromiseResult(result)}
        PromiseOutcome(standstill=stop, invoice=invoice, **outcome).save(force_insert=True)

    told = figures.promises(since=TODAY - 90 * DAY, on=TODAY)

    assert (told, told.kept_percent) == (Promises(kept=2, broken=1), 67)


def test_tells_what_was_given_up(cabinet: Cabinet) -> None:
    bill(100_00, issued=60, due=30, settled_cents=40_00, state=InvoiceState.WRITTEN_OFF)

    assert figures.losses() == (Lost((TODAY - 60 * DAY).year, 1, 60_00),)


def test_receives_on_the_invoices_of_the_cut(cabinet: Cabinet) -> None:
    make_payment(invoice=make_invoice(dossier=make_dossier(practice_area="Famille")), on=TODAY, cents=10_00)
    make_payment(invoice=bill(100_00, issued=60, due=30), on=TODAY, cents=20_00)

    assert figures.received_cents(since=TODAY, on=TODAY) == 30_00
    assert figures.received_cents(since=TODAY, on=TODAY, cut=Cut(area="Famille")) == 10_00


def test_expects_the_instalments_of_a_plan_and_what_no_date_covers(cabinet: Cabinet) -> None:
    invoice = bill(300_00, issued=60, due=30)
    plan = PaymentPlan(
        client=invoice.client, state=PlanState.ACTIVE, origin=PlanOrigin.FIRM, kind=ClientKind.CONSUMER,
        language=Language.FRENCH, total_cents=300_00, proposed_on=TODAY, agreed_on=TODAY, accepted_at=NOW,
        ends_on=TODAY + 60 * DAY,
    )  # fmt: skip
    plan.save(force_insert=True)
    PlanLine(plan=plan, invoice=invoice, owed_cents=300_00).save(force_insert=True)
    for rank, days in ((1, 7), (2, 21)):
        Instalment(plan=plan, rank=rank, due_on=TODAY + days * DAY, cents=100_00).save(force_insert=True)

    assert figures.expected(on=TODAY) == (
        Expected(WEEK + 7 * DAY, planned_cents=100_00),
        Expected(WEEK + 21 * DAY, planned_cents=100_00),
        Expected(None, planned_cents=100_00),
    )
    make_payment(invoice=invoice, on=TODAY, cents=200_00)
    # What is paid comes off the first dates.
    assert figures.expected(on=TODAY) == (Expected(WEEK + 21 * DAY, planned_cents=100_00),)
