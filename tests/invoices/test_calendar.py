"""Due dates, working days and public holidays, territory by territory."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinets.territories import Territory, territory_of, zone_of
from invoices.calendar import (
    add_working_days,
    due_date_for,
    easter_sunday,
    holidays,
    is_working_day,
    next_working_day,
    previous_working_day,
)

D = dt.date


@pytest.mark.parametrize(
    ("postcode", "territory"),
    [
        ("75001", Territory.METROPOLE),
        ("01000", Territory.METROPOLE),
        ("20090", Territory.METROPOLE),
        ("95800", Territory.METROPOLE),
        ("57000", Territory.ALSACE_MOSELLE),
        ("67 000", Territory.ALSACE_MOSELLE),
        ("68100", Territory.ALSACE_MOSELLE),
        ("97110", Territory.GUADELOUPE),
        ("97200", Territory.MARTINIQUE),
        ("97300", Territory.GUYANE),
        ("97400", Territory.REUNION),
        ("97600", Territory.MAYOTTE),
        ("97133", Territory.SAINT_BARTHELEMY),
        ("97150", Territory.SAINT_MARTIN),
        ("97500", None),
        ("98600", None),
        ("98714", None),
        ("98800", None),
        ("98000", None),
        ("96000", None),
        ("00100", None),
        ("1000", None),
        ("L-1009", None),
        ("", None),
        (None, None),
    ],
)
def test_finds_the_territory_of_a_french_postcode(postcode: str | None, territory: Territory | None) -> None:
    assert territory_of(postcode) is territory


@pytest.mark.parametrize(
    ("country", "territory"),
    [
        ("fr", Territory.ALSACE_MOSELLE),
        ("", Territory.ALSACE_MOSELLE),
        ("DE", None),
        ("RE", Territory.REUNION),
    ],
)
def test_a_postcode_means_nothing_abroad(country: str, territory: Territory | None) -> None:
    assert territory_of("67000", country) is territory


@pytest.mark.parametrize(
    ("territory", "zone"),
    [
        (Territory.METROPOLE, "Europe/Paris"),
        (Territory.ALSACE_MOSELLE, "Europe/Paris"),
        (Territory.GUADELOUPE, "America/Guadeloupe"),
        (Territory.MARTINIQUE, "America/Martinique"),
        (Territory.GUYANE, "America/Cayenne"),
        (Territory.REUNION, "Indian/Reunion"),
        (Territory.MAYOTTE, "Indian/Mayotte"),
        (Territory.SAINT_MARTIN, "America/Marigot"),
        (Territory.SAINT_BARTHELEMY, "America/St_Barthelemy"),
    ],
)
def test_each_territory_lives_by_its_own_clock(territory: Territory, zone: str) -> None:
    assert zone_of(territory).key == zone
    assert territory.label


def test_the_national_holidays_of_2026_are_these_eleven() -> None:
    assert sorted(holidays(2026, Territory.METROPOLE)) == [
        D(2026, 1, 1),
        D(2026, 4, 6),
        D(2026, 5, 1),
        D(2026, 5, 8),
        D(2026, 5, 14),
        D(2026, 5, 25),
        D(2026, 7, 14),
        D(2026, 8, 15),
        D(2026, 11, 1),
        D(2026, 11, 11),
        D(2026, 12, 25),
    ]


@pytest.mark.parametrize(
    ("territory", "closed"),
    [
        (Territory.ALSACE_MOSELLE, [D(2026, 4, 3), D(2026, 12, 26)]),
        (Territory.MAYOTTE, [D(2026, 4, 27)]),
        (Territory.MARTINIQUE, [D(2026, 5, 22)]),
        (Territory.GUADELOUPE, [D(2026, 5, 27)]),
        (Territory.SAINT_MARTIN, [D(2026, 5, 27), D(2026, 5, 28)]),
        (Territory.GUYANE, [D(2026, 6, 10)]),
        (Territory.SAINT_BARTHELEMY, [D(2026, 10, 9)]),
        (Territory.REUNION, [D(2026, 12, 20)]),
    ],
)
def test_local_holidays_are_closed_where_they_are_kept(territory: Territory, closed: list[dt.date]) -> None:
    assert holidays(2026, territory) >= set(closed) | holidays(2026, Territory.METROPOLE)
    assert not holidays(2026, Territory.METROPOLE) & set(closed)


def test_a_day_only_the_published_list_knows_is_closed_too() -> None:
    assert not is_working_day(D(2026, 7, 21), territory=Territory.MARTINIQUE)
    assert is_working_day(D(2026, 7, 21), territory=Territory.METROPOLE)


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2019, 4, 21),
        (2020, 4, 12),
        (2021, 4, 4),
        (2022, 4, 17),
        (2023, 4, 9),
        (2024, 3, 31),
        (2025, 4, 20),
        (2026, 4, 5),
        (2027, 3, 28),
        (2028, 4, 16),
        (2038, 4, 25),
    ],
)
def test_easter_is_the_published_sunday(year: int, month: int, day: int) -> None:
    assert easter_sunday(year) == D(year, month, day)


@given(st.integers(1950, 2199))
def test_easter_is_the_sunday_after_the_ecclesiastical_full_moon(year: int) -> None:
    # Gauss's table, with the two exceptions that keep the full moon before 19 April.
    century = year // 100
    shift = (15 - (13 + 8 * century) // 25 + century - century // 4) % 30
    moon = (19 * (year % 19) + shift) % 30
    if moon == 29 or (moon == 28 and year % 19 > 10):
        moon -= 1
    full_moon = D(year, 3, 21) + dt.timedelta(days=moon)

    days_to_sunday = 7 - full_moon.isoweekday() % 7

    assert easter_sunday(year) == full_moon + dt.timedelta(days=days_to_sunday)


def test_ascension_sends_the_third_day_reminder_to_the_next_day() -> None:
    assert next_working_day(D(2026, 5, 11) + dt.timedelta(days=3), territory=Territory.METROPOLE) == D(2026, 5, 15)


@pytest.mark.parametrize(
    ("territory", "leaves"),
    [(Territory.ALSACE_MOSELLE, D(2026, 4, 7)), (Territory.METROPOLE, D(2026, 4, 3))],
)
def test_good_friday_is_closed_in_alsace_moselle_only(territory: Territory, leaves: dt.date) -> None:
    assert next_working_day(D(2026, 4, 3), territory=territory) == leaves


def test_the_last_working_day_before_a_sunday_is_friday() -> None:
    assert previous_working_day(D(2026, 3, 15), territory=Territory.METROPOLE) == D(2026, 3, 13)


@pytest.mark.parametrize(("count", "day"), [(0, D(2026, 4, 30)), (1, D(2026, 5, 4)), (5, D(2026, 5, 11))])
def test_counts_working_days_over_two_holidays_in_may(count: int, day: dt.date) -> None:
    assert add_working_days(D(2026, 4, 30), count, territory=Territory.METROPOLE) == day


def test_working_days_are_never_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(D(2026, 4, 30), -1, territory=Territory.METROPOLE)


def test_an_invoice_without_due_date_has_thirty_days_between_professionals_only() -> None:
    assert due_date_for(D(2026, 1, 10), professional=True) == D(2026, 2, 9)
    assert due_date_for(D(2026, 1, 10), professional=False) is None
