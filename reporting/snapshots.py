"""The figures of each day, kept as they were told: a trend never changes behind one's back."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cabinets.enums import ClientKind
from cabinets.models import Cabinet
from invoices.models import Invoice
from reporting import figures
from reporting.figures import Cut, Position
from reporting.models import Snapshot

MONTHS_BACK = 12
MOST_DAYS = 31
SUMS = tuple(name for name in Position.__dataclass_fields__ if name != "on")


@dataclass(frozen=True, slots=True)
class Kept:
    """A position as it was kept, and whether it was told afterwards."""

    position: Position
    is_rebuilt: bool


def catch_up(*, cabinet: Cabinet) -> int:
    """Keep yesterday, and the days missed since the last one kept; return how many days were kept.

    The first time, the last twelve month ends are told from the ledger. Run again, it finds nothing to do.
    """
    yesterday = cabinet.today() - dt.timedelta(days=1)
    last = Snapshot.objects.order_by("-on").values_list("on", flat=True).first()
    if last is None:
        days = [*month_ends(yesterday), yesterday]
    else:
        missed = min((yesterday - last).days, MOST_DAYS)
        days = [yesterday - dt.timedelta(days=ago) for ago in reversed(range(missed))]
    return rebuild(days=days[:-1]) + take(on=yesterday) if days else 0


def rebuild(*, days: Iterable[dt.date]) -> int:
    """Tell past days from the ledger, marked as such, where nothing was kept; return how many were."""
    first = Invoice.objects.order_by("issued_on").values_list("issued_on", flat=True).first()
    return sum(take(on=day, is_rebuilt=True) for day in days if first is not None and day >= first)


def take(*, on: dt.date, is_rebuilt: bool = False) -> bool:
    """Keep the position of every portfolio on one day; what was kept before stands."""
    if Snapshot.objects.filter(on=on).exists():
        return False
    # A day on which nothing was owed is kept too: it is not a day that was missed.
    parts = figures.portfolios(on=on) or {Cut(kind=ClientKind.UNKNOWN): Position(on)}
    rows = [_row(cut, position, is_rebuilt=is_rebuilt) for cut, position in parts.items()]
    Snapshot.objects.bulk_create(rows, ignore_conflicts=True)
    return True


def kept(*, days: Sequence[dt.date], cut: Cut | None = None) -> dict[dt.date, Kept]:
    """Return what was kept of these days; a day nobody kept is left out."""
    wanted = cut or Cut()
    found: dict[dt.date, list[Snapshot]] = {}
    for row in Snapshot.objects.filter(on__in=days):
        found.setdefault(row.on, []).append(row)
    return {
        on: Kept(
            figures.added((_position(row) for row in rows if _belongs(row, wanted)), on=on),
            any(row.is_rebuilt for row in rows),
        )
        for on, rows in sorted(found.items())
    }


def month_ends(before: dt.date) -> list[dt.date]:
    """Return the last days of the twelve months before this day's, the oldest first."""
    days, first = [], before.replace(day=1)
    for _ in range(MONTHS_BACK):
        last = first - dt.timedelta(days=1)
        days.append(last)
        first = last.replace(day=1)
    return days[::-1]


def _belongs(row: Snapshot, cut: Cut) -> bool:
    return (
        (cut.lawyer is None or row.lawyer_id == cut.lawyer)
        and (not cut.kind or row.kind == cut.kind)
        and (not cut.area or row.area == cut.area)
    )


def _row(cut: Cut, position: Position, *, is_rebuilt: bool) -> Snapshot:
    sums: dict[str, Any] = asdict(position)
    return Snapshot(lawyer_id=cut.lawyer, kind=cut.kind, area=cut.area, is_rebuilt=is_rebuilt, **sums)


def _position(row: Snapshot) -> Position:
    values: dict[str, Any] = {name: getattr(row, name) for name in SUMS}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return Position(on=row.on, **values)
