"""What the change was worth: the firm's own figures in the calculator's formulas, and nothing that is not known."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from cabinets.models import Cabinet, Subscription
from onboarding.services.baselines import Comparison
from reporting import board, queries
from reporting.figures import position
from reporting.roi import DAYS, Assumptions, Case, estimate

QUARTER_DAYS = 90
HOURLY_CENTS = 150_00
WEEKS = 48
MONTHS = 12
HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """One firm's year at the pace it has now, with what it rests on."""

    revenue_cents: int
    """What was billed in the last ninety days, all taxes counted, brought to a year."""
    dso_before: int
    dso_after: int
    minutes_before: int | None
    """What the firm said at its start; None when it said nothing: time is then left out."""
    minutes_after: int
    hourly_cents: int
    case: Case

    @property
    def counts_time(self) -> bool:
        """Say whether time is counted."""
        return self.minutes_before is not None


def worth_of(comparison: Comparison, *, cabinet: Cabinet, hourly_cents: int) -> Worth | None:
    """Work out what a year is worth; nothing while there is no day after the activation to compare with.

    Losses avoided are not counted: a firm of a few months has none to measure.
    """
    before, reached = comparison.columns[0], [one for one in comparison.columns[1:] if one.is_reached]
    after = next((one for one in reversed(reached) if one.dso is not None), None)
    if before.dso is None or after is None or after.dso is None:
        return None
    declared = comparison.declared
    minutes_before = None if declared is None else declared.weekly_minutes
    minutes_after = board.minutes_of(
        queries.effort(since=cabinet.now() - dt.timedelta(days=board.EFFORT_DAYS), events=board.ACTS)
    )
    revenue = position(on=cabinet.today()).turnover_cents() * DAYS // QUARTER_DAYS
    hours = [Decimal(value or 0) / HOUR_MINUTES for value in (minutes_before, minutes_after)]
    row = Subscription.objects.first()
    cost = (row.monthly_cents if row else 0) * MONTHS
    found = estimate(
        Assumptions(
            revenue_cents=revenue,
            dso_before=Decimal(before.dso),
            dso_after=Decimal(after.dso),
            hours_before=hours[0],
            hours_after=hours[1] if minutes_before is not None else hours[0],
            weeks=WEEKS,
            hourly_cents=hourly_cents,
            losses_before=Decimal(0),
            losses_after=Decimal(0),
            cost_low_cents=cost,
            cost_high_cents=cost,
            prudence=Decimal(100),
            ramp_days=0,
        )
    )
    return Worth(
        revenue_cents=revenue,
        dso_before=before.dso,
        dso_after=after.dso,
        minutes_before=minutes_before,
        minutes_after=minutes_after,
        hourly_cents=hourly_cents,
        case=found.high,
    )
