"""The journal's monthly segments: made ahead by the owner, sealed when over, dropped whole when their time is over."""

import datetime as dt
from typing import Any

AHEAD = 14
KEPT_MONTHS = 12
# Segments are dropped when the product is brought up to date, and only then: a journal may be longer than what is kept.
LONGEST_MONTHS = 2 * KEPT_MONTHS


def first_of_month(day: dt.date, *, plus: int = 0) -> dt.date:
    """Return the first day of a day's month, or of a month after it."""
    months = day.year * 12 + day.month - 1 + plus
    return dt.date(months // 12, months % 12 + 1, 1)


def may_hold(month: dt.date, *, on: dt.date) -> bool:
    """Say whether a journal may have lines of this month: none is to come, none far older than what is kept."""
    return first_of_month(on, plus=-LONGEST_MONTHS) <= month <= first_of_month(on)


def make_segments(connection: Any, *, on: dt.date) -> None:
    """Create the segments of this month and of the fourteen after it, where they are missing."""
    for plus in range(AHEAD):
        make_segment(connection, month=first_of_month(on, plus=plus))


def make_segment(connection: Any, *, month: dt.date) -> None:
    """Create the segment of one month where it is missing."""
    start, end = first_of_month(month), first_of_month(month, plus=1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS cabinets_journalentry_{start:%Y_%m} PARTITION OF cabinets_journalentry"
            f" FOR VALUES FROM ('{start} 00:00+00') TO ('{end} 00:00+00')"
        )


def last_number(connection: Any) -> int:
    """Return the number of the last line, of whichever firm: every journal takes its numbers from one sequence."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT last_value FROM {_sequence(cursor)}")  # noqa: S608 - the database's own name
        return int(cursor.fetchone()[0])


def number_after(connection: Any, *, highest: int) -> None:
    """Number the next lines after this one: a journal that was brought in is read in the order of its numbers."""
    if last_number(connection) <= highest:
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(%s, %s)", [_sequence(cursor), highest])


def _sequence(cursor: Any) -> str:
    cursor.execute("SELECT pg_get_serial_sequence('cabinets_journalentry', 'id')")
    return str(cursor.fetchone()[0])


def drop_segments(connection: Any, *, on: dt.date) -> list[str]:
    """Drop the segments whose last line is more than twelve months old (law.md R62); return their names."""
    oldest = f"cabinets_journalentry_{first_of_month(on, plus=-KEPT_MONTHS):%Y_%m}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'cabinets_journalentry'::regclass"
        )
        over = sorted(name for (name,) in cursor.fetchall() if name < oldest)
        for name in over:
            cursor.execute(f"DROP TABLE {name}")
    return over
