"""Where a firm came from: what it says of itself, and what its own history says; kept as it was on its day."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from onboarding.models import Baseline
from reporting.figures import Position, position

CHECKPOINTS = (30, 60, 90)


@dataclass(frozen=True, slots=True)
class Column:
    """The figures of one day, side by side with the others."""

    title: str
    on: dt.date | None
    dso: int | None
    unpaid_percent: int | None
    recovered_percent: int | None
    is_reached: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """Before, and thirty, sixty, ninety days after; the same method in every column but the declared one."""

    declared: Baseline | None
    columns: tuple[Column, ...]

    @property
    def gained_days(self) -> int | None:
        """Return how many days of DSO were gained since the measured start; None while there is nothing to compare."""
        before, last = self.columns[0], [one for one in self.columns[1:] if one.is_reached and one.dso is not None]
        if before.dso is None or not last or last[-1].dso is None:
            return None
        return before.dso - last[-1].dso


@transaction.atomic
def keep(*, by: Membership, **answers: object) -> Baseline:
    """Keep what a firm says of itself, with what its history says that day; an earlier one stays as it was."""
    ensure(by, Right.MANAGE_FIRM)
    today = Cabinet.objects.get().today()
    found = position(on=today)
    row = Baseline(
        on=today,
        by=by,
        measured_on=today if found.turnover_cents() > 0 else None,
        measured_dso=found.dso(),
        measured_unpaid_percent=found.unpaid_percent,
        measured_recovered_percent=found.recovered_percent,
        **answers,
    )
    row.save(force_insert=True)
    journal.record("baseline.kept", row)
    return row


def comparison(*, cabinet: Cabinet) -> Comparison:
    """Compare the eve of the activation with what followed; every column is computed the same way from the rows."""
    declared, today = Baseline.objects.order_by("at").first(), cabinet.today()
    start = cabinet.activated_on
    if start is None:
        return Comparison(declared, (_column("Aujourd’hui", position(on=today)),))
    eve = start - dt.timedelta(days=1)
    columns = [_column("Avant", position(on=eve))]
    for days in CHECKPOINTS:
        on = start + dt.timedelta(days=days)
        title = f"Après {days} jours"
        columns.append(
            _column(title, position(on=on)) if on <= today else Column(title, on, None, None, None, is_reached=False)
        )
    columns.append(_column("Aujourd’hui", position(on=today)))
    return Comparison(declared, tuple(columns))


def _column(title: str, found: Position) -> Column:
    return Column(title, found.on, found.dso(), found.unpaid_percent, found.recovered_percent)
