"""A message leaves in the debtor's hours, on the debtor's working days, and never before it may."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinets.territories import Territory, zone_of
from dunning.window import DEFAULT_WINDOW, SendWindow, WindowError, is_open, next_opening
from invoices.calendar import is_working_day

METROPOLE = Territory.METROPOLE
ALSACE = Territory.ALSACE_MOSELLE


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("territory", "after", "opens"),
    [
        # Inside the window nothing moves.
        (METROPOLE, "2026-11-24T08:00:00", "2026-11-24T08:00:00"),
        (METROPOLE, "2026-11-24T16:59:59.999999", "2026-11-24T16:59:59.999999"),
        # Before it, the same day; at closing time, the next one.
        (METROPOLE, "2026-11-24T03:30:00", "2026-11-24T08:00:00"),
        (METROPOLE, "2026-11-24T17:00:00", "2026-11-25T08:00:00"),
        # The local day is not the UTC day: 23:30 UTC on Sunday is already Monday in Paris.
        (METROPOLE, "2026-11-22T23:30:00", "2026-11-23T08:00:00"),
        # Week-end.
        (METROPOLE, "2026-11-20T17:30:00", "2026-11-23T08:00:00"),
        (METROPOLE, "2026-11-21T10:00:00", "2026-11-23T08:00:00"),
        # Clocks go forward on 29 March 2026 and back on 25 October 2026.
        (METROPOLE, "2026-03-27T17:30:00", "2026-03-30T07:00:00"),
        (METROPOLE, "2026-03-27T08:00:00", "2026-03-27T08:00:00"),
        (METROPOLE, "2026-10-23T16:30:00", "2026-10-26T08:00:00"),
        (METROPOLE, "2026-10-26T07:30:00", "2026-10-26T08:00:00"),
        # Ascension, then a worked Friday.
        (METROPOLE, "2026-05-14T02:30:00", "2026-05-15T07:00:00"),
        # Good Friday to Easter Monday is one closed chain in Alsace.
        (ALSACE, "2026-04-03T07:00:00", "2026-04-07T07:00:00"),
        (METROPOLE, "2026-04-03T07:00:00", "2026-04-03T07:00:00"),
        # Christmas on a Thursday, 26 December and the week-end.
        (ALSACE, "2025-12-24T17:00:00", "2025-12-29T08:00:00"),
        (METROPOLE, "2025-12-24T17:00:00", "2025-12-26T08:00:00"),
        # New Year's Day on a Friday carries into the next year's Monday.
        (METROPOLE, "2026-12-31T17:00:00", "2027-01-04T08:00:00"),
        # Overseas: their own clock, no summer time, their own holidays.
        (Territory.MARTINIQUE, "2026-11-24T12:59:00", "2026-11-24T13:00:00"),
        (Territory.MARTINIQUE, "2026-05-21T22:00:00", "2026-05-26T13:00:00"),
        (Territory.REUNION, "2026-11-24T14:00:00", "2026-11-25T05:00:00"),
        (Territory.MAYOTTE, "2026-04-24T15:00:00", "2026-04-28T06:00:00"),
        (Territory.GUYANE, "2026-06-09T21:00:00", "2026-06-11T12:00:00"),
        (Territory.SAINT_MARTIN, "2026-05-26T22:00:00", "2026-05-29T13:00:00"),
        (Territory.SAINT_BARTHELEMY, "2026-10-08T22:00:00", "2026-10-12T13:00:00"),
    ],
)
def test_a_message_leaves_at_the_next_opening(territory: Territory, after: str, opens: str) -> None:
    opening = next_opening(at(after), zone=zone_of(territory), territory=territory, window=DEFAULT_WINDOW)

    assert opening == at(opens)
    assert opening.tzinfo is dt.UTC


def test_a_firm_may_send_on_fewer_days_and_hours() -> None:
    tuesdays = SendWindow(opens=dt.time(14), closes=dt.time(15, 30), weekdays=frozenset({1}))
    zone = zone_of(METROPOLE)

    opening = next_opening(at("2026-07-14T12:00:00"), zone=zone, territory=METROPOLE, window=tuesdays)

    assert opening == at("2026-07-21T12:00:00")


@pytest.mark.parametrize(
    ("opens", "closes", "weekdays"),
    [
        (dt.time(7, 59), dt.time(18), {0}),
        (dt.time(9), dt.time(20, 1), {0}),
        (dt.time(12), dt.time(12), {0}),
        (dt.time(18), dt.time(9), {0}),
        (dt.time(9), dt.time(18), set[int]()),
        (dt.time(9), dt.time(18), {4, 5}),
        (dt.time(9), dt.time(18), {6}),
        (dt.time(9), dt.time(18), {-1}),
    ],
)
def test_nobody_may_choose_a_window_beyond_the_hard_limits(opens: dt.time, closes: dt.time, weekdays: set[int]) -> None:
    with pytest.raises(WindowError):
        SendWindow(opens=opens, closes=closes, weekdays=frozenset(weekdays))


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = at("2026-11-24T08:00:00").replace(tzinfo=None)

    with pytest.raises(ValueError, match="zone"):
        next_opening(naive, zone=zone_of(METROPOLE), territory=METROPOLE)


@given(
    after=st.datetimes(dt.datetime(2019, 1, 1), dt.datetime(2035, 12, 31), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    territory=st.sampled_from(Territory),
    zone=st.sampled_from(["Europe/Paris", "America/Martinique", "Indian/Reunion", "Pacific/Noumea"]),
    hours=st.tuples(st.integers(8, 19), st.integers(1, 12)),
    weekdays=st.frozensets(st.integers(0, 4), min_size=1),
)
def test_the_opening_is_inside_the_window_never_earlier_and_stays_put(
    after: dt.datetime, territory: Territory, zone: str, hours: tuple[int, int], weekdays: frozenset[int]
) -> None:
    opens, length = hours
    window = SendWindow(opens=dt.time(opens), closes=dt.time(min(opens + length, 20)), weekdays=weekdays)

    opening = next_opening(after, zone=ZoneInfo(zone), territory=territory, window=window)
    local = opening.astimezone(ZoneInfo(zone))

    assert opening >= after
    assert window.opens <= local.time() < window.closes
    assert local.weekday() in weekdays
    assert is_working_day(local.date(), territory=territory)
    assert next_opening(opening, zone=ZoneInfo(zone), territory=territory, window=window) == opening
    assert is_open(after, zone=ZoneInfo(zone), territory=territory, window=window) == (opening == after)
