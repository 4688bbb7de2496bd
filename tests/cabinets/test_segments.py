"""The journal's months: made ahead, dropped whole once twelve months are over (law.md T62)."""

import datetime as dt

import pytest
from django.db import connections, transaction

from cabinets.segments import drop_segments, first_of_month, make_segments, may_hold


@pytest.mark.usefixtures("committed")
def test_drops_the_months_that_had_their_time_and_no_other() -> None:
    owner = connections["owner"]
    with transaction.atomic(using="owner"):
        make_segments(owner, on=dt.date(2020, 1, 15))

    with transaction.atomic(using="owner"):
        early = drop_segments(owner, on=dt.date(2021, 6, 15))
        again = drop_segments(owner, on=dt.date(2021, 6, 30))
        late = drop_segments(owner, on=dt.date(2022, 3, 1))

    assert early == [f"cabinets_journalentry_2020_{month:02}" for month in range(1, 6)]
    assert again == []
    months = [first_of_month(dt.date(2020, 6, 1), plus=plus) for plus in range(9)]
    assert late == [f"cabinets_journalentry_{month:%Y_%m}" for month in months]


@pytest.mark.parametrize(
    ("month", "may"),
    [("2024-10", False), ("2024-11", True), ("2026-11", True), ("2026-12", False)],
)
def test_a_journal_that_arrives_is_no_longer_than_twice_what_is_kept(month: str, may: bool) -> None:
    assert may_hold(dt.date.fromisoformat(f"{month}-01"), on=dt.date(2026, 11, 24)) is may
