"""What quicker payment is worth: computed by hand, then asked of the product."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reporting.roi import EXAMPLE, Assumptions, Milestone, estimate


def test_reproduces_the_example_where_its_arithmetic_holds() -> None:
    """66 h at 150 €, 2.5 points of 300 000 €, 16 days of 300 000 € a year."""
    found = estimate(EXAMPLE)

    assert found.hours_saved == 66
    assert (found.high.time_cents, found.high.losses_cents) == (9_900_00, 7_500_00)
    assert found.high.cash_freed_cents == 13_151_00


def test_corrects_the_example_where_it_adds_cash_to_gains() -> None:
    """The example says 30 400 €, then 25 600 to 28 000 € net: 13 000 € of them come once, and were owed already."""
    found = estimate(EXAMPLE)
    dear = estimate(replace(EXAMPLE, cost_low_cents=EXAMPLE.cost_high_cents))

    assert found.high.gain_cents == 17_400_00
    assert (dear.high.net_cents, found.high.net_cents) == (12_600_00, 15_000_00)


def test_gives_a_prudent_end_that_reaches_half_of_it_at_the_dearest_price() -> None:
    low = estimate(EXAMPLE).low

    assert (low.cash_freed_cents, low.gain_cents) == (6_575_00, 8_700_00)
    assert (low.cost_cents, low.net_cents) == (4_800_00, 3_900_00)


@pytest.mark.parametrize(
    ("days", "revenue", "cents"),
    [
        (Decimal(15), 300_000_00, 12_329_00),
        (Decimal(20), 300_000_00, 16_438_00),
        (Decimal(0), 300_000_00, 0),
        (Decimal(-5), 300_000_00, -4_110_00),
        (Decimal(17), 0, 0),
    ],
)
def test_frees_the_revenue_of_the_days_gained(days: Decimal, revenue: int, cents: int) -> None:
    given = replace(EXAMPLE, revenue_cents=revenue, dso_before=Decimal(50), dso_after=50 - days)

    assert estimate(given).high.cash_freed_cents == cents


# Full effect a year, cost a year, days the effect takes to grow → the day the product has paid for itself.
PAYBACKS = [
    (17_400, 2_400, 90, 25),  # 180 × 2 400 / 17 400 = 24,8: while it grows
    (8_700, 4_800, 90, 101),  # 8 700 × 90 / (2 × 3 900) = 100,4: after it has grown
    (4_800, 2_400, 90, 90),  # on the very day it stops growing
    (2_400, 2_400, 90, None),  # it earns what it costs, and never makes up for the first days
    (2_000, 2_400, 90, None),
    (0, 2_400, 90, None),
    (1_000, 0, 90, 0),
]


@pytest.mark.parametrize(("gain", "cost", "ramp", "day"), PAYBACKS)
def test_says_when_the_product_has_paid_for_itself(gain: int, cost: int, ramp: int, day: int | None) -> None:
    given = Assumptions(
        revenue_cents=0,
        dso_before=Decimal(0),
        dso_after=Decimal(0),
        hours_before=Decimal(gain),
        hours_after=Decimal(0),
        weeks=1,
        hourly_cents=1_00,
        losses_before=Decimal(0),
        losses_after=Decimal(0),
        cost_low_cents=cost * 100,
        cost_high_cents=cost * 100,
        prudence=Decimal(100),
        ramp_days=ramp,
    )

    assert estimate(given).high.payback_days == day


def test_projects_ninety_days_while_the_effect_grows() -> None:
    """At day 30 a third is reached and a sixth on average: 17 400 € × 5 / 365."""
    found = [high for _, high in estimate(EXAMPLE).milestones]

    assert found == [
        Milestone(days=30, cash_freed_cents=4_384_00, gain_cents=238_00, cost_cents=197_00),
        Milestone(days=60, cash_freed_cents=8_767_00, gain_cents=953_00, cost_cents=395_00),
        Milestone(days=90, cash_freed_cents=13_151_00, gain_cents=2_145_00, cost_cents=592_00),
    ]


def test_says_that_the_prudent_end_has_not_paid_for_itself_in_ninety_days() -> None:
    low = [low.net_cents for low, _ in estimate(EXAMPLE).milestones]

    assert low == [-276_00, -312_00, -111_00]


def test_reaches_the_whole_effect_at_once_when_nothing_has_to_grow() -> None:
    first = estimate(replace(EXAMPLE, ramp_days=0)).milestones[0][1]

    assert (first.cash_freed_cents, first.gain_cents) == (13_151_00, 1_430_00)
