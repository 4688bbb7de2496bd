"""Until when, and which right on what: the tables of law.md R58 to R60."""

import datetime as dt

import pytest

from cabinets.enums import ClientKind
from gdpr.enums import Basis, Claim
from gdpr.matrix import ALLOWED, is_allowed, why_not
from gdpr.terms import (
    Debt,
    accounts_gone_through,
    accounts_kept_until,
    answer_due_on,
    fiscal_year_end,
    messages_kept_until,
)

DAY = dt.date.fromisoformat


@pytest.mark.parametrize(
    ("day", "month", "end"),
    [
        ("2025-12-31", 12, "2025-12-31"),
        ("2026-01-01", 12, "2026-12-31"),
        ("2025-06-30", 6, "2025-06-30"),
        ("2025-07-01", 6, "2026-06-30"),
        ("2023-03-01", 2, "2024-02-29"),
    ],
)
def test_ends_a_fiscal_year(day: str, month: int, end: str) -> None:
    assert fiscal_year_end(DAY(day), month=month) == DAY(end)


@pytest.mark.parametrize(
    ("day", "years", "month", "last"),
    [
        # T60: the fiscal year 2025 goes on 2036-01-01.
        ("2025-03-02", 10, 12, "2035-12-31"),
        ("2025-12-31", 6, 12, "2031-12-31"),
        ("2024-02-29", 10, 2, "2034-02-28"),
    ],
)
def test_keeps_a_voucher_so_many_years_after_its_fiscal_year(day: str, years: int, month: int, last: str) -> None:
    assert accounts_kept_until(DAY(day), years=years, month=month) == DAY(last)


@pytest.mark.parametrize(
    ("on", "years", "month", "last"),
    [
        ("2035-12-31", 10, 12, "2024-12-31"),
        ("2036-01-01", 10, 12, "2025-12-31"),
        ("2034-02-28", 10, 2, "2023-02-28"),
        ("2034-03-01", 10, 2, "2024-02-29"),
    ],
)
def test_lets_a_fiscal_year_go_whole(on: str, years: int, month: int, last: str) -> None:
    through = accounts_gone_through(DAY(on), years=years, month=month)

    assert through == DAY(last)
    assert accounts_kept_until(through, years=years, month=month) < DAY(on)
    assert accounts_kept_until(through + dt.timedelta(days=1), years=years, month=month) >= DAY(on)


@pytest.mark.parametrize(
    ("kind", "is_owed", "ended", "moved", "last"),
    [
        # T60: a paid consumer whose engagement ended on 2024-03-15 is forgotten after 2026-03-15.
        (ClientKind.CONSUMER, False, "2024-03-15", "2024-01-10", "2026-03-15"),
        (ClientKind.PROFESSIONAL, False, "2024-03-15", "2024-01-10", "2029-03-15"),
        (ClientKind.UNKNOWN, False, "2024-03-15", "2024-01-10", "2029-03-15"),
        (ClientKind.CONSUMER, False, "2024-03-15", "2025-06-01", "2027-06-01"),
        (ClientKind.CONSUMER, False, None, "2024-02-29", "2029-02-28"),
        (ClientKind.CONSUMER, True, "2015-03-15", "2015-03-15", None),
    ],
)
def test_keeps_messages_until_limitation(
    kind: ClientKind, is_owed: bool, ended: str | None, moved: str, last: str | None
) -> None:
    debt = Debt(kind=kind, is_owed=is_owed, mandate_ended_on=DAY(ended) if ended else None, last_moved_on=DAY(moved))

    assert messages_kept_until(debt) == (DAY(last) if last else None)


@pytest.mark.parametrize(
    ("received", "extended", "due"),
    [("2026-11-26", False, "2026-12-26"), ("2026-01-31", False, "2026-02-28"), ("2026-11-30", True, "2027-02-28")],
)
def test_answers_within_a_month_or_three(received: str, extended: bool, due: str) -> None:
    assert answer_due_on(DAY(received), is_extended=extended) == DAY(due)


@pytest.mark.parametrize(
    ("basis", "refused"),
    [
        (Basis.CONTRACT, {Claim.OBJECTION}),
        (Basis.LEGITIMATE_INTEREST, {Claim.PORTABILITY}),
        (Basis.LEGAL_OBLIGATION, {Claim.ERASURE, Claim.PORTABILITY, Claim.OBJECTION}),
        (Basis.CONSENT, {Claim.OBJECTION}),
    ],
)
def test_allows_rights_by_the_basis(basis: Basis, refused: set[Claim]) -> None:
    """R58, and every refusal has its sentence."""
    assert set(Claim) - ALLOWED[basis] == refused
    assert {claim for claim in Claim if why_not(claim, basis=basis)} == refused


def test_refuses_to_object_to_a_contract_with_its_motive() -> None:
    """T58."""
    assert not is_allowed(Claim.OBJECTION, basis=Basis.CONTRACT)
    assert why_not(Claim.OBJECTION, basis=Basis.CONTRACT).startswith("Le droit d’opposition ne s’applique pas")
