"""How long a fee may be claimed (R26–R29)."""

import datetime as dt

import pytest

from cabinets.enums import ClientKind
from invoices.law.limitation import Effect, Limitation, LimitationEvent, limitation, shift_months

D = dt.date


def clock(kind: ClientKind, mandate_end: dt.date | None, *events: LimitationEvent) -> Limitation:
    return limitation(kind=kind, mandate_end_on=mandate_end, prudent_start_on=D(2023, 9, 1), events=events)


def test_a_consumer_is_free_after_two_years_even_on_a_sunday() -> None:
    answer = clock(ClientKind.CONSUMER, D(2024, 3, 15))

    assert answer.last_day == D(2026, 3, 15)
    assert answer.act_by == D(2026, 3, 13)
    assert not answer.provisional
    assert not answer.has_run_out(on=D(2026, 3, 15))
    assert answer.has_run_out(on=D(2026, 3, 16))


@pytest.mark.parametrize(
    ("kind", "last_day"),
    [
        (ClientKind.PROFESSIONAL, D(2029, 3, 15)),
        (ClientKind.NON_PRO_LEGAL, D(2029, 3, 15)),
        (ClientKind.PUBLIC, D(2029, 3, 15)),
        (ClientKind.CONSUMER, D(2026, 3, 15)),
        (ClientKind.UNKNOWN, D(2026, 3, 15)),
    ],
)
def test_the_others_are_free_after_five_years(kind: ClientKind, last_day: dt.date) -> None:
    assert clock(kind, D(2024, 3, 15)).last_day == last_day


def test_without_a_mandate_end_the_date_is_prudent() -> None:
    answer = clock(ClientKind.CONSUMER, None)

    assert answer.provisional
    assert answer.last_day == D(2025, 9, 1)


def test_alarms_ring_six_three_and_one_month_and_fourteen_days_before() -> None:
    assert clock(ClientKind.CONSUMER, D(2024, 3, 31)).alarms == (
        D(2025, 9, 30),
        D(2025, 12, 31),
        D(2026, 2, 28),
        D(2026, 3, 17),
    )


def test_a_mandate_ended_on_29_february_expires_on_the_28th() -> None:
    assert clock(ClientKind.CONSUMER, D(2024, 2, 29)).last_day == D(2026, 2, 28)
    assert shift_months(D(2026, 1, 31), 1) == D(2026, 2, 28)
    assert shift_months(D(2026, 1, 31), -2) == D(2025, 11, 30)


@pytest.mark.parametrize(
    ("events", "last_day"),
    [
        ([LimitationEvent(D(2025, 1, 10), Effect.NONE)], D(2026, 3, 15)),
        ([LimitationEvent(D(2025, 1, 10), Effect.INTERRUPT)], D(2027, 1, 10)),
        ([LimitationEvent(D(2026, 3, 15), Effect.INTERRUPT)], D(2028, 3, 15)),
        ([LimitationEvent(D(2026, 3, 16), Effect.INTERRUPT)], D(2026, 3, 15)),
        ([LimitationEvent(D(2023, 1, 1), Effect.INTERRUPT)], D(2026, 3, 15)),
        ([LimitationEvent(D(2025, 1, 1), Effect.SUSPEND, D(2025, 1, 30))], D(2026, 4, 14)),
        ([LimitationEvent(D(2024, 3, 1), Effect.SUSPEND, D(2024, 3, 24))], D(2026, 3, 25)),
        (
            [
                LimitationEvent(D(2025, 1, 1), Effect.SUSPEND, D(2025, 1, 30)),
                LimitationEvent(D(2025, 1, 11), Effect.SUSPEND, D(2025, 2, 9)),
            ],
            D(2026, 4, 24),
        ),
        ([LimitationEvent(D(2026, 3, 1), Effect.SUSPEND, D(2026, 3, 20))], D(2026, 9, 20)),
    ],
)
def test_only_what_the_law_names_moves_the_last_day(events: list[LimitationEvent], last_day: dt.date) -> None:
    assert clock(ClientKind.CONSUMER, D(2024, 3, 15), *events).last_day == last_day


def test_a_mediation_under_way_stops_the_clock() -> None:
    answer = clock(ClientKind.CONSUMER, D(2024, 3, 15), LimitationEvent(D(2025, 1, 1), Effect.SUSPEND))

    assert (answer.last_day, answer.act_by, answer.alarms) == (None, None, ())
    assert not answer.has_run_out(on=D(2030, 1, 1))
