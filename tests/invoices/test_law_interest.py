"""What lateness costs, held to the vectors of the law page (R2–R16, R34, R35, R38)."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinets.enums import ClientKind
from invoices.law.interest import (
    AllocationOrder,
    Debt,
    RateMode,
    Settlement,
    accessories,
    allocate,
    annual_rate,
    contract_rate_too_low,
    flat_indemnity_cents,
    interest,
    interest_on,
    missing_rate,
    segments,
)
from invoices.law.rates import HalfYear, Rate, RateMissing, RateTable, published_rates

D = dt.date
RATES = published_rates()
PRO = ClientKind.PROFESSIONAL


def debt(kind: ClientKind, euros: int, due: dt.date, presented: dt.date | None = None) -> Debt:
    return Debt(kind=kind, principal_cents=euros * 100, due_on=due, presented_on=presented)


@pytest.mark.parametrize(
    ("euros", "due", "as_of", "days", "cents"),
    [
        pytest.param(1200, D(2025, 3, 31), D(2025, 4, 30), 30, 1297, id="T03"),
        pytest.param(10000, D(2025, 6, 15), D(2025, 7, 30), 45, 15390, id="T04"),
        pytest.param(1200, D(2026, 5, 15), D(2026, 6, 14), 30, 1198, id="T16"),
        pytest.param(1200, D(2025, 3, 31), D(2025, 4, 1), 1, 43, id="first day late"),
        pytest.param(1200, D(2025, 3, 31), D(2025, 3, 31), 0, 0, id="on the due date"),
        pytest.param(1200, D(2025, 3, 31), D(2025, 1, 1), 0, 0, id="before the due date"),
        pytest.param(36500, D(2024, 2, 28), D(2024, 3, 1), 2, 2900, id="leap year over 365"),
    ],
)
def test_a_professional_owes_the_ecb_rate_plus_ten_from_the_day_after_the_due_date(
    euros: int, due: dt.date, as_of: dt.date, days: int, cents: int
) -> None:
    accrued = interest_on(debt(PRO, euros, due), as_of=as_of, rates=RATES)

    assert (accrued.days, accrued.cents) == (days, cents)


def test_each_half_year_has_its_own_slice_and_the_sum_is_rounded_once() -> None:
    slices = interest_on(debt(PRO, 10000, D(2025, 6, 15)), as_of=D(2025, 7, 30), rates=RATES).slices

    assert [(part.first_day, part.last_day, part.days, part.rate) for part in slices] == [
        (D(2025, 6, 16), D(2025, 6, 30), 15, Decimal("13.15")),
        (D(2025, 7, 1), D(2025, 7, 30), 30, Decimal("12.15")),
    ]


def test_nothing_is_computed_with_a_rate_nobody_entered() -> None:
    late = debt(PRO, 1200, D(2026, 6, 15))

    with pytest.raises(RateMissing, match="2026-H2"):
        interest_on(late, as_of=D(2026, 7, 15), rates=RATES)

    assert missing_rate(late, as_of=D(2026, 7, 15), rates=RATES) == HalfYear(2026, 2)
    assert missing_rate(late, as_of=D(2026, 6, 30), rates=RATES) is None


@pytest.mark.parametrize("kind", [ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL, ClientKind.UNKNOWN])
@pytest.mark.parametrize(
    ("presented", "as_of", "cents"),
    [
        pytest.param(D(2025, 5, 20), D(2025, 6, 10), 256, id="T11"),
        pytest.param(D(2025, 6, 20), D(2025, 7, 20), 303, id="T12"),
        pytest.param(None, D(2025, 6, 10), 0, id="T10"),
        pytest.param(D(2025, 5, 20), D(2025, 5, 20), 0, id="the day of presentation"),
    ],
)
def test_others_owe_the_legal_rate_from_the_formal_notice_and_nothing_else(
    kind: ClientKind, presented: dt.date | None, as_of: dt.date, cents: int
) -> None:
    extra = accessories(debt(kind, 1200, D(2025, 4, 20), presented), as_of=as_of, rates=RATES)

    assert (extra.interest.cents, extra.indemnity_cents) == (cents, 0)


def test_a_contract_rate_never_reaches_a_consumer() -> None:
    late = Debt(
        kind=ClientKind.CONSUMER,
        principal_cents=120000,
        due_on=D(2025, 4, 20),
        presented_on=D(2025, 5, 20),
        contract_rate=Decimal(15),
    )

    assert interest_on(late, as_of=D(2025, 6, 10), rates=RATES).cents == 256


def test_a_public_buyer_keeps_the_rate_of_the_half_year_interest_started() -> None:
    accrued = interest_on(debt(ClientKind.PUBLIC, 10000, D(2025, 6, 15)), as_of=D(2025, 7, 30), rates=RATES)
    started_in_july = interest_on(debt(ClientKind.PUBLIC, 10000, D(2025, 6, 30)), as_of=D(2025, 7, 30), rates=RATES)
    across_unknown = interest_on(debt(ClientKind.PUBLIC, 10000, D(2026, 5, 31)), as_of=D(2026, 7, 30), rates=RATES)

    assert {part.rate for part in accrued.slices} == {Decimal("11.15")}
    assert accrued.cents == 13747
    assert {part.rate for part in started_in_july.slices} == {Decimal("10.15")}
    assert across_unknown.cents == 16685


def test_the_contract_rate_replaces_the_statutory_one_between_professionals() -> None:
    late = Debt(kind=PRO, principal_cents=120000, due_on=D(2026, 6, 15), contract_rate=Decimal("12"))

    assert interest_on(late, as_of=D(2026, 7, 15), rates=RATES).cents == 1184


def test_three_times_the_legal_rate_follows_each_half_year() -> None:
    late = Debt(kind=PRO, principal_cents=1000000, due_on=D(2025, 6, 15), contract_mode=RateMode.LEGAL_TRIPLE)

    slices = interest_on(late, as_of=D(2025, 7, 30), rates=RATES).slices

    assert [part.rate for part in slices] == [Decimal("11.13"), Decimal("8.28")]


def test_a_contract_rate_must_be_told() -> None:
    with pytest.raises(ValueError, match="contract rate"):
        annual_rate(HalfYear(2025, 1), HalfYear(2025, 1), mode=RateMode.CONTRACT, rates=RATES)


@pytest.mark.parametrize(("rate", "too_low"), [("15.20", True), ("15.21", False)])
def test_the_floor_binds_the_contract_and_not_the_statutory_rate(rate: str, too_low: bool) -> None:
    first_half_of_2024 = HalfYear(2024, 1)
    statutory = annual_rate(first_half_of_2024, first_half_of_2024, mode=RateMode.BCE10, rates=RATES)

    assert contract_rate_too_low(Decimal(rate), half=first_half_of_2024, rates=RATES) is too_low
    assert statutory == Decimal("14.50")


def test_a_part_payment_lowers_the_base_from_the_next_day() -> None:
    late = Debt(
        kind=PRO,
        principal_cents=1000000,
        due_on=D(2025, 3, 31),
        settlements=(Settlement(D(2025, 4, 10), 400000),),
    )

    accrued = interest_on(late, as_of=D(2025, 4, 30), rates=RATES)

    assert [(part.principal_cents, part.days) for part in accrued.slices] == [(1000000, 10), (600000, 20)]
    assert accrued.cents == 7926


def test_interest_stops_the_day_the_last_euro_arrives_and_stays_due() -> None:
    late = Debt(
        kind=PRO,
        principal_cents=120000,
        due_on=D(2025, 3, 31),
        settlements=(Settlement(D(2025, 4, 30), 120000),),
    )

    extra = accessories(late, as_of=D(2026, 12, 31), rates=RATES)

    assert (extra.interest.cents, extra.indemnity_cents, extra.total_cents) == (1297, 4000, 5297)


def test_an_invoice_paid_in_time_bears_nothing() -> None:
    paid = Debt(
        kind=PRO,
        principal_cents=120000,
        due_on=D(2025, 3, 31),
        settlements=(Settlement(D(2025, 3, 1), 20000), Settlement(D(2025, 3, 31), 100000)),
    )

    assert accessories(paid, as_of=D(2025, 6, 30), rates=RATES).total_cents == 0


def test_forty_euros_are_owed_once_for_each_late_invoice_even_half_paid() -> None:
    untouched = debt(PRO, 1200, D(2025, 3, 31))
    half_paid = Debt(
        kind=PRO,
        principal_cents=120000,
        due_on=D(2025, 3, 31),
        settlements=(Settlement(D(2025, 4, 20), 60000),),
    )

    owed = [flat_indemnity_cents(late, as_of=D(2025, 6, 10)) for late in (untouched, half_paid)]

    assert owed == [4000, 4000]


@pytest.mark.parametrize(
    ("kind", "cents"),
    [
        (ClientKind.PROFESSIONAL, 4000),
        (ClientKind.PUBLIC, 4000),
        (ClientKind.CONSUMER, 0),
        (ClientKind.NON_PRO_LEGAL, 0),
        (ClientKind.UNKNOWN, 0),
    ],
)
def test_only_professionals_and_public_buyers_owe_forty_euros(kind: ClientKind, cents: int) -> None:
    assert flat_indemnity_cents(debt(kind, 1200, D(2025, 3, 31)), as_of=D(2025, 4, 1)) == cents
    assert flat_indemnity_cents(debt(kind, 1200, D(2025, 3, 31)), as_of=D(2025, 3, 31)) == 0


def test_a_provision_bears_neither_interest_nor_indemnity() -> None:
    provision = Debt(kind=PRO, principal_cents=120000, due_on=D(2025, 3, 31), provision=True)

    assert accessories(provision, as_of=D(2025, 4, 30), rates=RATES).total_cents == 0


@pytest.mark.parametrize(
    ("due", "interest_cents", "indemnity_cents"),
    [
        (D(2025, 3, 31), 11241, 4000),
        (D(2025, 5, 31), 0, 0),
        (D(2025, 5, 9), 0, 0),
        (D(2025, 5, 8), 288, 4000),
    ],
)
def test_interest_stops_on_the_eve_of_the_insolvency_judgment(
    due: dt.date, interest_cents: int, indemnity_cents: int
) -> None:
    failed = Debt(kind=PRO, principal_cents=800000, due_on=due, insolvent_on=D(2025, 5, 10))

    extra = accessories(failed, as_of=D(2026, 12, 31), rates=RATES)

    assert (extra.interest.cents, extra.indemnity_cents) == (interest_cents, indemnity_cents)


def test_no_interest_from_the_day_over_indebtedness_is_admitted() -> None:
    person = Debt(
        kind=ClientKind.CONSUMER,
        principal_cents=120000,
        due_on=D(2025, 12, 1),
        presented_on=D(2026, 1, 20),
        over_indebted_on=D(2026, 2, 10),
    )

    accrued = interest_on(person, as_of=D(2026, 6, 30), rates=RATES)

    assert accrued.slices[-1].last_day == D(2026, 2, 9)
    assert accrued.cents == 172


@pytest.mark.parametrize(
    ("cents", "order", "shares"),
    [
        (5000, AllocationOrder.PRINCIPAL_FIRST, (5000, 0, 0)),
        (5000, AllocationOrder.INTEREST_FIRST, (3703, 1297, 0)),
        (120500, AllocationOrder.PRINCIPAL_FIRST, (120000, 500, 0)),
        (1000, AllocationOrder.INTEREST_FIRST, (0, 1000, 0)),
        (130000, AllocationOrder.INTEREST_FIRST, (120000, 1297, 8703)),
    ],
)
def test_a_part_payment_goes_where_the_firm_chose(
    cents: int, order: AllocationOrder, shares: tuple[int, int, int]
) -> None:
    assert allocate(cents, principal_cents=120000, interest_cents=1297, order=order) == shares


def test_a_payment_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        allocate(-1, principal_cents=120000, interest_cents=0, order=AllocationOrder.PRINCIPAL_FIRST)


@given(st.dates(D(2019, 1, 1), D(2026, 6, 29)), st.integers(0, 2000))
def test_segments_cover_every_day_once(first: dt.date, length: int) -> None:
    last = first + dt.timedelta(days=length)

    parts = list(segments(first, last))

    assert sum((end - start).days + 1 for _, start, end in parts) == length + 1
    assert all(half.first_day <= start <= end <= half.last_day for half, start, end in parts)


@given(
    due=st.dates(D(2019, 1, 1), D(2026, 6, 1)),
    days=st.integers(1, 28),
    cents=st.integers(1, 10**9),
)
def test_one_rate_makes_one_multiplication(due: dt.date, days: int, cents: int) -> None:
    flat = RateTable.of(
        Rate(HalfYear(year, half), Decimal("3.65"), Decimal(0)) for year in range(2019, 2027) for half in (1, 2)
    )

    accrued = interest(
        principal_cents=cents,
        trigger_on=due,
        until=due + dt.timedelta(days=days),
        mode=RateMode.LEGAL,
        rates=flat,
    )

    assert accrued.cents == (cents * days + 5000) // 10000
