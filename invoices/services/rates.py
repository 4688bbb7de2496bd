"""The rates in use: those an operator confirmed, and what to say of a half-year that has none."""

import datetime as dt

from invoices.law.rates import HalfYear, Rate, RateTable
from invoices.models import InterestRate


def confirmed_rates() -> RateTable:
    """Return the rates an operator confirmed; the others are as if nobody had entered them."""
    return RateTable.of(
        Rate(
            half=HalfYear(row.year, row.half),
            legal=row.legal_percent,
            ecb_mro=row.ecb_percent,
            source_legal=row.source,
            source_ecb=row.source,
        )
        for row in InterestRate.objects.filter(confirmed_at__isnull=False)
    )


def missing_half(*, on: dt.date) -> HalfYear | None:
    """Return the half-year of this day when no confirmed rate covers it."""
    half = HalfYear.of(on)
    found = InterestRate.objects.filter(year=half.year, half=half.half, confirmed_at__isnull=False)
    return None if found.exists() else half


def awaited_words(half: HalfYear) -> str:
    """Say to a firm that a rate is awaited."""
    return f"taux du {half.label} : en attente"
