"""Half-yearly rates with their source: the legal rate and the ECB's main refinancing rate."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType

_PUBLISHED = Path(__file__).with_name("rates.json")
_JULY = 7


@dataclass(frozen=True, slots=True, order=True)
class HalfYear:
    """Six months from 1 January or 1 July: the life of a rate."""

    year: int
    half: int

    def __post_init__(self) -> None:
        """Refuse a third half."""
        if self.half not in {1, 2}:
            raise ValueError(f"a year has two halves, not {self.half}")

    def __str__(self) -> str:
        """Write 2026-H2."""
        return f"{self.year}-H{self.half}"

    @classmethod
    def of(cls, day: dt.date) -> "HalfYear":
        """Give the half-year a day belongs to."""
        return cls(day.year, 1 if day.month < _JULY else 2)

    @property
    def first_day(self) -> dt.date:
        """1 January or 1 July."""
        return dt.date(self.year, 1 if self.half == 1 else _JULY, 1)

    @property
    def last_day(self) -> dt.date:
        """30 June or 31 December."""
        return self.following.first_day - dt.timedelta(days=1)

    @property
    def following(self) -> "HalfYear":
        """The next half-year."""
        return HalfYear(self.year, 2) if self.half == 1 else HalfYear(self.year + 1, 1)

    @property
    def label(self) -> str:
        """Write "premier semestre 2026"."""
        return f"{'premier' if self.half == 1 else 'second'} semestre {self.year}"


class RateMissing(LookupError):  # noqa: N818 - the name the law page gives it
    """A rate nobody has entered yet: the amount is neither computed nor printed."""

    def __init__(self, half: HalfYear) -> None:
        """Keep the half-year whose rate is missing."""
        super().__init__(str(half))
        self.half = half


@dataclass(frozen=True, slots=True)
class Rate:
    """The two rates of a half-year in per cent per year, None while unknown, and where they were read."""

    half: HalfYear
    legal: Decimal | None
    ecb_mro: Decimal | None
    source_legal: str | None = None
    source_ecb: str | None = None


@dataclass(frozen=True, slots=True)
class RateTable:
    """The rates known so far; asking for another one raises, never extrapolates."""

    by_half: Mapping[HalfYear, Rate] = field(default_factory=dict)

    @classmethod
    def of(cls, rates: Iterable[Rate]) -> "RateTable":
        """Build a table; a half-year told twice is refused."""
        by_half: dict[HalfYear, Rate] = {}
        for rate in rates:
            if rate.half in by_half:
                raise ValueError(f"two rates for {rate.half}")
            by_half[rate.half] = rate
        return cls(MappingProxyType(by_half))

    def __iter__(self) -> Iterator[Rate]:
        """Yield the rates from the oldest to the latest."""
        return iter([self.by_half[half] for half in sorted(self.by_half)])

    def legal(self, half: HalfYear) -> Decimal:
        """Give the legal rate owed to a professional creditor."""
        rate = self.by_half.get(half)
        if rate is None or rate.legal is None:
            raise RateMissing(half)
        return rate.legal

    def ecb_mro(self, half: HalfYear) -> Decimal:
        """Give the ECB rate in force on the first day of the half-year."""
        rate = self.by_half.get(half)
        if rate is None or rate.ecb_mro is None:
            raise RateMissing(half)
        return rate.ecb_mro


@cache
def published_rates() -> RateTable:
    """Read the rates shipped with the product."""
    rows = json.loads(_PUBLISHED.read_text(encoding="utf-8"))["rates"]
    return RateTable.of(
        Rate(
            half=HalfYear(row["year"], row["half"]),
            legal=_decimal(row["legal"]),
            ecb_mro=_decimal(row["ecb_mro"]),
            source_legal=row["source_legal"],
            source_ecb=row["source_ecb"],
        )
        for row in rows
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
