"""Payment plans as arithmetic: dates on bank days, amounts to the cent, what the law and the firm refuse (T76)."""

import datetime as dt
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinets.enums import ClientKind
from cabinets.territories import Territory
from invoices.calendar import add_bank_days, is_bank_day, next_bank_day, previous_bank_day
from invoices.law.limitation import shift_months
from payments.plans import (
    Debt,
    Limits,
    Part,
    PartState,
    compute,
    last_day_of_grace,
    refused_by_law,
    remind_from,
    span_months,
    split,
    standings,
    why_not,
)
from tests.factories.invoices import TODAY

METROPOLE = Territory.METROPOLE
DUE = TODAY - dt.timedelta(days=10)
D = dt.date


def debt(cents: int = 144_000, *, kind: ClientKind = ClientKind.CONSUMER, due_on: dt.date = DUE) -> Debt:
    return Debt(UUID(int=1), kind, due_on, cents)


def plan(count: int, first_on: dt.date, *, cents: int = 144_000, months: int = 3) -> tuple[Part, ...]:
    return compute(cents=cents, count=count, first_on=first_on, on=TODAY, months=months, territory=METROPOLE)


@pytest.mark.parametrize(
    ("cents", "count", "parts"),
    [
        (144_000, 2, [72_000, 72_000]),
        (144_000, 3, [48_000, 48_000, 48_000]),
        (100_000, 3, [33_334, 33_333, 33_333]),
        (100_001, 4, [25_001, 25_000, 25_000, 25_000]),
        (5, 3, [3, 1, 1]),
    ],
)
def test_splits_to_the_cent_and_pays_what_does_not_divide_first(cents: int, count: int, parts: list[int]) -> None:
    assert split(cents, count) == parts


@pytest.mark.parametrize(
    ("count", "first_on", "days"),
    [
        # Monthly from a Tuesday; 1 January is closed, and so is the Saturday after it.
        (3, D(2026, 12, 1), [D(2026, 12, 1), D(2027, 1, 4), D(2027, 2, 1)]),
        # A Saturday goes to Monday, and so does what follows it.
        (2, D(2026, 12, 5), [D(2026, 12, 7), D(2027, 1, 5)]),
        # Christmas and the day after it: no transfer is carried.
        (2, D(2026, 12, 25), [D(2026, 12, 28), D(2027, 1, 25)]),
        # Four months do not fit in three: closer together, the last within the span.
        (4, D(2026, 12, 1), [D(2026, 12, 1), D(2026, 12, 29), D(2027, 1, 26), D(2027, 2, 23)]),
        # A date that is over is tomorrow.
        (2, D(2026, 11, 1), [D(2026, 11, 25), D(2026, 12, 28)]),
    ],
)
def test_dates_follow_the_bank(count: int, first_on: dt.date, days: list[dt.date]) -> None:
    assert [part.due_on for part in plan(count, first_on)] == days


def test_a_month_end_stays_a_month_end_when_the_span_allows_it() -> None:
    days = [part.due_on for part in plan(4, D(2027, 1, 29), months=12)]

    assert days == [D(2027, 1, 29), D(2027, 3, 1), D(2027, 3, 30), D(2027, 4, 29)]


@pytest.mark.parametrize(
    ("debts", "parts", "said"),
    [
        ([debt()], plan(3, D(2026, 12, 1)), ""),
        ([debt(due_on=TODAY)], plan(3, D(2026, 12, 1)), "qu’après l’échéance"),
        ([debt(due_on=TODAY + dt.timedelta(days=5))], plan(3, D(2026, 12, 1)), "qu’après l’échéance"),
        ([debt(kind=ClientKind.UNKNOWN, due_on=TODAY)], plan(3, D(2026, 12, 1)), "qu’après l’échéance"),
        ([debt(kind=ClientKind.PROFESSIONAL, due_on=TODAY)], plan(3, D(2026, 12, 1)), ""),
        ([debt(), debt(due_on=TODAY)], plan(3, D(2026, 12, 1)), "qu’après l’échéance"),
        ([debt()], plan(4, D(2026, 12, 31), months=12), "tient en trois mois"),
        ([debt(kind=ClientKind.PROFESSIONAL)], plan(6, D(2026, 12, 31), months=12), ""),
        ([], plan(2, D(2026, 12, 1)), "Aucune de ces factures"),
        ([debt(0)], plan(2, D(2026, 12, 1)), "Aucune de ces factures"),
        ([debt()], plan(1, D(2026, 12, 1)), "deux versements au moins"),
        ([debt()], (Part(1, TODAY, 1), Part(2, D(2026, 12, 24), 1)), "demain au plus tôt"),
        ([debt()], (Part(1, D(2026, 12, 1), 1), Part(2, D(2026, 12, 4), 1)), "trop proches"),
        ([debt()], (Part(1, D(2026, 12, 8), 1), Part(2, D(2026, 12, 1), 1)), "trop proches"),
    ],
)
def test_t76_nobody_agrees_on_what_the_law_refuses(debts: list[Debt], parts: tuple[Part, ...], said: str) -> None:
    refusal = refused_by_law(debts=debts, parts=parts, on=TODAY)

    assert said in refusal
    assert bool(said) == bool(refusal)


@pytest.mark.parametrize(
    ("limits", "count", "first_on", "cents", "said"),
    [
        (Limits(), 3, D(2026, 12, 1), 144_000, ""),
        (Limits(is_offered=False), 3, D(2026, 12, 1), 144_000, "ne propose pas"),
        (Limits(), 2, D(2026, 12, 1), 19_999, "à partir de 200,00"),
        (Limits(), 2, D(2026, 12, 1), 20_000, ""),
        (Limits(), 4, D(2026, 12, 1), 144_000, "3 versements au plus"),
        (Limits(most=4), 4, D(2026, 12, 1), 144_000, ""),
        (Limits(instalment_cents=10_000), 3, D(2026, 12, 1), 29_999, "100,00"),
        (Limits(instalment_cents=10_000), 3, D(2026, 12, 1), 30_000, ""),
        (Limits(first_within_days=15), 2, D(2026, 12, 9), 144_000, ""),
        (Limits(first_within_days=15), 2, D(2026, 12, 10), 144_000, "dans les 15 jours"),
    ],
)
def test_keeps_within_what_the_firm_allows(
    limits: Limits, count: int, first_on: dt.date, cents: int, said: str
) -> None:
    refusal = why_not(debts=[debt(cents)], parts=plan(count, first_on, cents=cents), limits=limits, on=TODAY)

    assert said in refusal.replace("\u00a0", " ")
    assert bool(said) == bool(refusal)


@pytest.mark.parametrize(
    ("kind", "months", "kept"),
    [
        (ClientKind.CONSUMER, 12, 3),
        (ClientKind.UNKNOWN, 12, 3),
        (ClientKind.CONSUMER, 2, 2),
        (ClientKind.PROFESSIONAL, 12, 12),
    ],
)
def test_a_consumers_plan_is_short_whatever_the_firm_allows(kind: ClientKind, months: int, kept: int) -> None:
    assert span_months(debts=[debt(kind=kind)], months=months) == kept


def test_the_bank_closes_when_the_firm_works() -> None:
    # Good Friday: worked in France outside Alsace-Moselle, and no transfer is carried.
    assert not is_bank_day(D(2027, 3, 26), territory=METROPOLE)
    assert next_bank_day(D(2027, 3, 26), territory=METROPOLE) == D(2027, 3, 30)
    assert previous_bank_day(D(2027, 3, 29), territory=METROPOLE) == D(2027, 3, 25)
    assert add_bank_days(D(2026, 12, 23), 2, territory=METROPOLE) == D(2026, 12, 28)


@pytest.mark.parametrize(
    ("paid", "on", "states"),
    [
        (0, D(2026, 12, 1), ["due", "due"]),
        (0, D(2026, 12, 2), ["late", "due"]),
        (0, D(2026, 12, 3), ["late", "due"]),
        (0, D(2026, 12, 4), ["missed", "due"]),
        (71_999, D(2026, 12, 4), ["missed", "due"]),
        (72_000, D(2026, 12, 4), ["paid", "due"]),
        (144_000, D(2026, 12, 4), ["paid", "paid"]),
        (-500, D(2026, 12, 1), ["due", "due"]),
    ],
)
def test_an_instalment_is_missed_two_bank_days_after_its_date(paid: int, on: dt.date, states: list[str]) -> None:
    parts = [(Part(1, D(2026, 12, 1), 72_000), None), (Part(2, D(2027, 1, 4), 72_000), None)]

    found = standings(parts, paid_cents=paid, on=on, territory=METROPOLE)

    assert [one.state for one in found] == [PartState(state) for state in states]


def test_a_tolerated_day_is_one_more_day_and_its_grace() -> None:
    until = D(2026, 12, 10)
    parts = [(Part(1, D(2026, 12, 1), 72_000), until)]

    def state(on: dt.date) -> PartState:
        return standings(parts, paid_cents=0, on=on, territory=METROPOLE)[0].state

    assert [state(D(2026, 12, day)) for day in (4, 10, 11, 14, 15)] == ["due", "due", "late", "late", "missed"]
    assert last_day_of_grace(D(2026, 12, 1), tolerated_until=until, territory=METROPOLE) == D(2026, 12, 14)


@pytest.mark.parametrize(
    ("due_on", "reminded_from"),
    [
        (D(2026, 12, 4), D(2026, 12, 1)),
        # A Saturday: the Friday. A closed Friday before a Monday: its eve, or nothing could leave in time.
        (D(2026, 12, 1), D(2026, 11, 27)),
        (D(2027, 1, 4), D(2026, 12, 31)),
    ],
)
def test_an_instalment_is_reminded_on_a_day_messages_leave(due_on: dt.date, reminded_from: dt.date) -> None:
    assert remind_from(due_on, days=3, territory=METROPOLE) == reminded_from


@given(
    cents=st.integers(2, 100_000_000),
    count=st.integers(2, 12),
    ahead=st.integers(-5, 60),
    start=st.dates(D(2026, 1, 1), D(2030, 12, 31)),
    months=st.integers(1, 12),
)
def test_any_plan_sums_to_what_is_owed_on_days_when_money_moves(
    cents: int, count: int, ahead: int, start: dt.date, months: int
) -> None:
    first_on = start + dt.timedelta(days=ahead)
    parts = compute(cents=cents, count=count, first_on=first_on, on=start, months=months, territory=METROPOLE)

    assert sum(part.cents for part in parts) == cents
    assert [part.rank for part in parts] == list(range(1, count + 1))
    assert all(is_bank_day(part.due_on, territory=METROPOLE) and part.due_on > start for part in parts)
    if not refused_by_law(debts=[debt(cents)], parts=parts, on=start):
        assert parts[-1].due_on <= shift_months(start, 3)
        assert [part.due_on for part in parts] == sorted({part.due_on for part in parts})


@given(
    paid=st.integers(-1000, 200_000),
    ahead=st.integers(0, 200),
    cents=st.lists(st.integers(1, 50_000), min_size=2, max_size=6),
)
def test_what_is_paid_fills_the_instalments_in_order(paid: int, ahead: int, cents: list[int]) -> None:
    parts = [(Part(rank, TODAY + dt.timedelta(days=30 * rank), part), None) for rank, part in enumerate(cents, 1)]

    found = standings(parts, paid_cents=paid, on=TODAY + dt.timedelta(days=ahead), territory=METROPOLE)

    assert sum(one.paid_cents for one in found) == min(max(paid, 0), sum(cents))
    for before, after in pairwise(found):
        assert after.paid_cents == 0 or before.state == PartState.PAID
    assert all((one.state == PartState.PAID) == (one.left_cents == 0) for one in found)
