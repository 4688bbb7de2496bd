"""The rates in use: those an operator confirmed, and what to say of a half-year that has none."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

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


def halves_to_confirm(*, on: dt.date, using: str = "default") -> list[HalfYear]:
    """Return the half-years begun by this day that have no confirmed rate, the oldest first, since the first known."""
    rows = InterestRate.objects.using(using).values_list("year", "half", "confirmed_at")
    known = {HalfYear(year, half): confirmed_at is not None for year, half, confirmed_at in rows}
    half, last = min(known, default=HalfYear.of(on)), HalfYear.of(on)
    missing = []
    while half <= last:
        if not known.get(half):
            missing.append(half)
        half = half.following
    return missing


def paris_day() -> dt.date:
    """Return the day it is where French rates are published."""
    return timezone.now().astimezone(ZoneInfo("Europe/Paris")).date()
