"""When a debit may be presented to the bank: a table, every doubt waits, every stop ends it."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from cabinets.territories import Territory
from payments.debits import DebitFacts, Verdict, is_time, spread, verdict_of

GOOD = DebitFacts(
    is_mandate_signed=True,
    is_plan_running=True,
    is_stopped=False,
    is_road_open=True,
    is_paid_elsewhere=False,
    is_source_stale=False,
    left_cents=48_000,
    cents=48_000,
)
TABLE = [
    ({}, Verdict.GO),
    ({"cents": 20_000}, Verdict.GO),
    ({"is_mandate_signed": False}, Verdict.NO),
    ({"is_plan_running": False}, Verdict.NO),
    ({"is_stopped": True}, Verdict.NO),
    ({"left_cents": 47_999}, Verdict.NO),
    ({"left_cents": 0}, Verdict.NO),
    ({"is_road_open": False}, Verdict.WAIT),
    ({"is_paid_elsewhere": True}, Verdict.WAIT),
    ({"is_source_stale": True}, Verdict.WAIT),
    # What ends it comes before what makes it wait.
    ({"is_source_stale": True, "is_stopped": True}, Verdict.NO),
    ({"is_paid_elsewhere": True, "left_cents": 0}, Verdict.NO),
    ({"is_road_open": False, "is_mandate_signed": False}, Verdict.NO),
]


@pytest.mark.parametrize(("facts", "verdict"), TABLE, ids=str)
def test_says_what_may_become_of_a_debit(facts: dict[str, int | bool], verdict: Verdict) -> None:
    assert verdict_of(replace(GOOD, **facts)) is verdict  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (dt.date(2026, 12, 1), False),
        (dt.date(2026, 12, 2), True),
        (dt.date(2026, 12, 9), True),
        (dt.date(2026, 12, 20), True),
    ],
)
def test_is_handed_over_five_bank_days_before(on: dt.date, expected: bool) -> None:
    assert is_time(dt.date(2026, 12, 9), on=on, territory=Territory.METROPOLE) is expected


@pytest.mark.parametrize(
    ("on", "expected"), [(dt.date(2026, 12, 24), False), (dt.date(2026, 12, 28), True)], ids=["Christmas Eve", "after"]
)
def test_a_bank_holiday_is_no_bank_day(on: dt.date, expected: bool) -> None:
    # From 24 December, five bank days are 28, 29, 30, 31 December and 4 January: 25 December and 1 January are none.
    assert is_time(dt.date(2027, 1, 5), on=on, territory=Territory.METROPOLE) is expected


A, B = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("cents", "owed", "parts"),
    [
        (100, [(A, 100), (B, 50)], {A: 100}),
        (120, [(A, 100), (B, 50)], {A: 100, B: 20}),
        (200, [(A, 100), (B, 50)], {A: 100, B: 50}),
        (50, [(A, -10), (B, 50)], {B: 50}),
    ],
)
def test_shares_a_debit_among_invoices_in_their_order(
    cents: int, owed: list[tuple[UUID, int]], parts: dict[UUID, int]
) -> None:
    assert spread(cents, owed) == parts
