"""R1–R16: what lateness costs, rule by rule, each held to the vectors of the law page."""

import datetime as dt
from decimal import Decimal

import pytest

from cabinets.enums import ClientKind
from invoices.calendar import due_date_for
from invoices.enums import ClaimKind
from invoices.law.interest import (
    FLAT_INDEMNITY_CENTS,
    AllocationOrder,
    Debt,
    RateMode,
    Settlement,
    accessories,
    allocate,
    annual_rate,
    contract_rate_too_low,
    flat_indemnity_cents,
    interest_on,
    rate_mode,
    segments,
)
from invoices.law.plans import order_in_force
from invoices.law.rates import HalfYear, RateMissing, published_rates
from invoices.models import AccessoryClaim
from templates_lib.enums import Channel, Kind, Step
from templates_lib.lint import lint

D = dt.date
RATES = published_rates()
PRO = ClientKind.PROFESSIONAL


def debt(euros: int, due: dt.date, kind: ClientKind = PRO, presented: dt.date | None = None) -> Debt:
    return Debt(kind=kind, principal_cents=euros * 100, due_on=due, presented_on=presented)


def broken(text: str, *, kind: Kind = Kind.PROFESSIONAL, step: Step = Step.J30) -> set[str]:
    return {fault.rule for fault in lint(text, kind=kind, channel=Channel.EMAIL, step=step)}


@pytest.mark.parametrize("dead", ["article L.441-6", "article L. 441-6", "art. L441-3"])
def test_r01_a_dead_article_is_refused(dead: str) -> None:
    assert "R1" in broken(f"Conformément à l’{dead} du code de commerce, des pénalités courent.")


def test_r02_an_invoice_between_professionals_is_due_thirty_days_after_its_date() -> None:
    assert due_date_for(D(2026, 1, 10), professional=True) == D(2026, 2, 9)
    assert due_date_for(D(2026, 1, 10), professional=False) is None


def test_r03_penalties_run_from_the_day_after_the_due_date_whatever_was_sent() -> None:
    late = debt(1200, D(2025, 3, 31))

    assert interest_on(late, as_of=D(2025, 3, 31), rates=RATES).cents == 0
    assert interest_on(late, as_of=D(2025, 4, 1), rates=RATES).slices[0].first_day == D(2025, 4, 1)


def test_r04_the_default_rate_is_the_ecb_one_plus_ten() -> None:
    late = debt(1200, D(2025, 3, 31))

    assert rate_mode(late) is RateMode.BCE10
    assert (interest_on(late, as_of=D(2025, 4, 30), rates=RATES).days, RATES.ecb_mro(HalfYear(2025, 1)) + 10) == (
        30,
        Decimal("13.15"),
    )
    assert interest_on(late, as_of=D(2025, 4, 30), rates=RATES).cents == 1297


def test_r05_each_half_year_is_a_slice() -> None:
    accrued = interest_on(debt(10000, D(2025, 6, 15)), as_of=D(2025, 7, 30), rates=RATES)

    assert [(part.days, part.rate) for part in accrued.slices] == [(15, Decimal("13.15")), (30, Decimal("12.15"))]
    assert accrued.cents == 15390
    assert len(list(segments(D(2024, 12, 31), D(2025, 7, 1)))) == 3


def test_r06_a_contract_rate_is_at_least_three_times_the_legal_one() -> None:
    floor = RATES.legal(HalfYear(2024, 1)) * 3

    assert floor == Decimal("15.21")
    assert contract_rate_too_low(Decimal("15.20"), half=HalfYear(2024, 1), rates=RATES)
    assert not contract_rate_too_low(floor, half=HalfYear(2024, 1), rates=RATES)


@pytest.mark.parametrize(("half", "rate"), [(HalfYear(2024, 1), "14.50"), (HalfYear(2024, 2), "14.25")])
def test_r07_the_floor_does_not_lift_the_statutory_rate(half: HalfYear, rate: str) -> None:
    assert annual_rate(half, half, mode=RateMode.BCE10, rates=RATES) == Decimal(rate) < RATES.legal(half) * 3


@pytest.mark.parametrize(
    ("euros", "due", "as_of", "cents"),
    [
        pytest.param(1200, D(2025, 3, 31), D(2025, 4, 30), 1297, id="T03"),
        pytest.param(10000, D(2025, 6, 15), D(2025, 7, 30), 15390, id="T04"),
        pytest.param(1200, D(2026, 5, 15), D(2026, 6, 14), 1198, id="T16"),
        pytest.param(36500, D(2024, 2, 28), D(2024, 3, 1), 2900, id="365 days in a leap year"),
    ],
)
def test_r08_unpaid_sum_by_rate_by_days_over_365(euros: int, due: dt.date, as_of: dt.date, cents: int) -> None:
    assert interest_on(debt(euros, due), as_of=as_of, rates=RATES).cents == cents


def test_r08_t20_a_missing_rate_is_never_replaced() -> None:
    with pytest.raises(RateMissing, match="2026-H2"):
        accessories(debt(1200, D(2026, 6, 15)), as_of=D(2026, 7, 15), rates=RATES)


def test_r09_t08_forty_euros_a_late_invoice_whole_and_once() -> None:
    half_paid = Debt(
        kind=PRO, principal_cents=120_000, due_on=D(2025, 3, 31), settlements=(Settlement(D(2025, 4, 10), 60_000),)
    )
    both = [debt(1200, D(2025, 3, 31)), half_paid]

    assert sum(flat_indemnity_cents(one, as_of=D(2025, 6, 1)) for one in both) == 8000


def test_r10_no_more_than_forty_euros_is_ever_computed() -> None:
    assert flat_indemnity_cents(debt(900_000, D(2020, 1, 1)), as_of=D(2026, 6, 1)) == FLAT_INDEMNITY_CENTS == 4000


def test_r11_accessories_stand_in_rows_of_their_own_and_bear_no_vat() -> None:
    fields = {field.name for field in AccessoryClaim._meta.fields}

    assert set(ClaimKind) == {ClaimKind.INTEREST, ClaimKind.INDEMNITY}
    assert not {name for name in fields if "vat" in name or "tva" in name}
    assert accessories(debt(1200, D(2025, 3, 31)), as_of=D(2025, 4, 30), rates=RATES).total_cents == 1297 + 4000


def test_r12_t10_a_consumer_owes_nothing_more_before_the_formal_notice() -> None:
    owed = accessories(debt(1200, D(2025, 3, 1), ClientKind.CONSUMER), as_of=D(2025, 4, 14), rates=RATES)

    assert (owed.interest.cents, owed.indemnity_cents) == (0, 0)
    assert "R12" in broken("Une indemnité de 40 € s’ajoute pour frais de recouvrement.", kind=Kind.CONSUMER)


@pytest.mark.parametrize(
    ("presented", "as_of", "cents"),
    [
        pytest.param(D(2025, 5, 20), D(2025, 6, 10), 256, id="T11"),
        pytest.param(D(2025, 6, 20), D(2025, 7, 20), 303, id="T12"),
    ],
)
def test_r13_a_consumer_owes_the_legal_rate_from_the_presentation(
    presented: dt.date, as_of: dt.date, cents: int
) -> None:
    late = debt(1200, D(2025, 4, 1), ClientKind.CONSUMER, presented)

    assert interest_on(late, as_of=as_of, rates=RATES).cents == cents
    assert interest_on(late, as_of=as_of, rates=RATES).slices[0].first_day == presented + dt.timedelta(days=1)


def test_r14_t13_a_legal_person_that_is_no_professional_owes_what_a_consumer_owes() -> None:
    for kind in (ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL):
        owed = accessories(debt(1200, D(2025, 4, 1), kind, D(2025, 5, 20)), as_of=D(2025, 6, 10), rates=RATES)
        assert (owed.interest.cents, owed.indemnity_cents) == (256, 0)


def test_r15_a_public_buyer_keeps_the_rate_of_the_start_plus_eight() -> None:
    late = debt(1200, D(2025, 6, 15), ClientKind.PUBLIC)
    accrued = interest_on(late, as_of=D(2025, 7, 30), rates=RATES)

    assert {part.rate for part in accrued.slices} == {Decimal("11.15")}
    assert flat_indemnity_cents(late, as_of=D(2025, 7, 30)) == 4000


def test_r16_a_payment_goes_first_where_the_firm_chose_and_to_interest_once_on_notice() -> None:
    chosen = AllocationOrder.PRINCIPAL_FIRST

    assert order_in_force(chosen, is_on_notice=False) is chosen
    assert order_in_force(chosen, is_on_notice=True) is AllocationOrder.INTEREST_FIRST
    assert allocate(10_000, principal_cents=120_000, interest_cents=1297, order=chosen) == (10_000, 0, 0)
    assert allocate(10_000, principal_cents=120_000, interest_cents=1297, order=AllocationOrder.INTEREST_FIRST) == (
        8703,
        1297,
        0,
    )
