"""A letter's states only move forward, and its first presentation stays the first one."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.channels.letters import FINAL, LetterStatus, Passage, follow, further, merge, paris_day
from dunning.enums import LetterState

S = LetterState
DAY = dt.date(2026, 11, 2)


def later(days: int) -> dt.date:
    return DAY + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("known", "found", "kept"),
    [
        (S.SUBMITTED, S.DEPOSITED, S.DEPOSITED),
        (S.PRESENTED, S.DEPOSITED, S.PRESENTED),
        (S.DELIVERED, S.RETURNED, S.DELIVERED),
        (S.DELIVERED, S.REFUSED, S.DELIVERED),
        (S.RETURNED, S.UNCLAIMED, S.UNCLAIMED),
        (S.RETURNED, S.REFUSED, S.REFUSED),
        (S.UNCLAIMED, S.RETURNED, S.UNCLAIMED),
        (S.VOID, S.DEPOSITED, S.VOID),
        (S.PRINTED, S.SUBMITTED, S.SUBMITTED),
    ],
)
def test_moves_forward_only(known: LetterState, found: LetterState, kept: LetterState) -> None:
    assert further(known, found) == kept


@given(st.lists(st.sampled_from(list(LetterState)), max_size=12))
def test_an_end_is_never_left(found: list[LetterState]) -> None:
    state, ends = S.READY, []
    for one in found:
        state = further(state, one)
        if state in FINAL:
            ends.append(state)

    assert len(set(ends)) <= 1


@pytest.mark.parametrize(
    ("passages", "expected"),
    [
        ([], LetterStatus(state=S.SUBMITTED)),
        (
            [(0, S.DEPOSITED), (2, S.PRESENTED), (3, S.PRESENTED), (9, S.DELIVERED)],
            LetterStatus(state=S.DELIVERED, deposited_on=DAY, presented_on=later(2), ended_on=later(9)),
        ),
        (
            [(0, S.DEPOSITED), (2, S.DELIVERED)],
            LetterStatus(state=S.DELIVERED, deposited_on=DAY, presented_on=later(2), ended_on=later(2)),
        ),
        (
            [(0, S.DEPOSITED), (2, S.REFUSED), (5, S.RETURNED)],
            LetterStatus(state=S.REFUSED, deposited_on=DAY, presented_on=later(2), ended_on=later(2)),
        ),
        (
            # R42: nobody fetched it, and it was presented all the same.
            [(0, S.DEPOSITED), (2, S.PRESENTED), (18, S.UNCLAIMED)],
            LetterStatus(state=S.UNCLAIMED, deposited_on=DAY, presented_on=later(2), ended_on=later(18)),
        ),
        (
            # Without that event nobody knows when: it is not made up.
            [(0, S.DEPOSITED), (18, S.UNCLAIMED)],
            LetterStatus(state=S.UNCLAIMED, deposited_on=DAY, presented_on=None, ended_on=later(18)),
        ),
        (
            [(18, S.RETURNED), (0, S.DEPOSITED)],
            LetterStatus(state=S.RETURNED, deposited_on=DAY, presented_on=None, ended_on=later(18)),
        ),
    ],
)
def test_reads_a_way_in_the_order_of_its_days(passages: list[tuple[int, LetterState]], expected: LetterStatus) -> None:
    assert follow(Passage(on=later(days), state=state) for days, state in passages) == expected


def test_keeps_the_first_presentation_whatever_is_learnt_later() -> None:
    known = LetterStatus(state=S.PRESENTED, presented_on=later(3), tracking="1E00232062142")

    found = merge(known, LetterStatus(state=S.DELIVERED, presented_on=later(2), ended_on=later(6), tracking="autre"))

    assert (found.presented_on, found.ended_on, found.tracking) == (later(2), later(6), "1E00232062142")
    assert merge(found, LetterStatus(state=S.DELIVERED, presented_on=later(6), ended_on=later(8))) == found


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-10-31T23:30:00Z", dt.date(2026, 11, 1)),
        ("2026-07-01T21:59:00.000Z", dt.date(2026, 7, 1)),
        ("2026-07-01T00:10:00+02:00", dt.date(2026, 7, 1)),
        ("2026-07-01", dt.date(2026, 7, 1)),
        ("01/07/2026", None),
        (None, None),
        (12, None),
    ],
)
def test_reads_days_by_the_clock_of_paris(text: object, day: dt.date | None) -> None:
    assert paris_day(text) == day
