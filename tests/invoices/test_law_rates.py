"""Rates are data with a source; the one that is missing is never replaced by another."""

import datetime as dt
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.law.rates import HalfYear, Rate, RateMissing, RateTable, published_rates


@pytest.mark.parametrize(
    ("half", "legal", "ecb_mro"),
    [
        (HalfYear(2019, 1), "0.86", "0.00"),
        (HalfYear(2022, 2), "0.77", "0.00"),
        (HalfYear(2023, 1), "2.06", "2.50"),
        (HalfYear(2023, 2), "4.22", "4.00"),
        (HalfYear(2024, 1), "5.07", "4.50"),
        (HalfYear(2024, 2), "4.92", "4.25"),
        (HalfYear(2025, 1), "3.71", "3.15"),
        (HalfYear(2025, 2), "2.76", "2.15"),
        (HalfYear(2026, 1), "2.62", "2.15"),
    ],
)
def test_the_published_rates_are_those_of_the_official_notices(half: HalfYear, legal: str, ecb_mro: str) -> None:
    assert published_rates().legal(half) == Decimal(legal)
    assert published_rates().ecb_mro(half) == Decimal(ecb_mro)


def test_every_known_rate_says_where_it_was_read() -> None:
    for rate in published_rates():
        assert (rate.legal is None) == (rate.source_legal is None)
        assert (rate.ecb_mro is None) == (rate.source_ecb is None)


def test_the_half_years_follow_each_other_without_a_hole() -> None:
    halves = [rate.half for rate in published_rates()]

    assert halves[0] == HalfYear(2019, 1)
    assert halves[1:] == [half.following for half in halves[:-1]]


@pytest.mark.parametrize("half", [HalfYear(2026, 2), HalfYear(2018, 2), HalfYear(2040, 1)])
def test_a_missing_rate_is_never_extrapolated(half: HalfYear) -> None:
    with pytest.raises(RateMissing, match=str(half)):
        published_rates().legal(half)
    with pytest.raises(RateMissing) as missing:
        published_rates().ecb_mro(half)

    assert missing.value.half == half


def test_one_half_year_has_one_rate() -> None:
    rate = Rate(HalfYear(2026, 2), Decimal("2.5"), Decimal("2.15"))

    with pytest.raises(ValueError, match="2026-H2"):
        RateTable.of([rate, rate])


def test_a_rate_never_changes_once_read() -> None:
    rate = next(iter(published_rates()))

    with pytest.raises(FrozenInstanceError):
        rate.legal = Decimal(1)  # type: ignore[misc]


def test_a_year_has_two_halves() -> None:
    assert HalfYear(2026, 1).label == "premier semestre 2026"
    assert HalfYear(2026, 2).label == "second semestre 2026"
    with pytest.raises(ValueError, match="two halves"):
        HalfYear(2026, 3)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)))
def test_a_day_is_inside_its_half_year(day: dt.date) -> None:
    half = HalfYear.of(day)

    assert half.first_day <= day <= half.last_day
    assert half.following.first_day - half.last_day == dt.timedelta(days=1)
