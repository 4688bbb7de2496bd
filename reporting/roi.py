"""What quicker payment is worth to a firm: every assumption in, a range out, and cash never counted as a gain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from invoices.money import from_cents as _euros
from invoices.money import round_cents

DAYS = 365
WHOLE = Decimal(100)
HORIZONS = (30, 60, 90)


@dataclass(frozen=True)
class Assumptions:
    """Everything the result rests on; euros are integer cents, rates are per cent."""

    revenue_cents: int
    dso_before: Decimal
    dso_after: Decimal
    hours_before: Decimal
    hours_after: Decimal
    weeks: int
    hourly_cents: int
    losses_before: Decimal
    losses_after: Decimal
    cost_low_cents: int
    cost_high_cents: int
    prudence: Decimal
    ramp_days: int


# The example firm: 6 h then 30 min a month are 1.5 h then 7.5 min in each of 48 weeks.
EXAMPLE = Assumptions(
    revenue_cents=300_000_00,
    dso_before=Decimal(48),
    dso_after=Decimal(32),
    hours_before=Decimal("1.5"),
    hours_after=Decimal("0.125"),
    weeks=48,
    hourly_cents=150_00,
    losses_before=Decimal(5),
    losses_after=Decimal("2.5"),
    cost_low_cents=2_400_00,
    cost_high_cents=4_800_00,
    prudence=Decimal(50),
    ramp_days=90,
)


@dataclass(frozen=True)
class Case:
    """One end of the range over a year: the cash freed stands apart, it comes once and was owed already."""

    cash_freed_cents: int
    time_cents: int
    losses_cents: int
    cost_cents: int
    payback_days: int | None

    @property
    def gain_cents(self) -> int:
        """Return what a year brings before the cost: time valued and losses avoided, nothing else."""
        return self.time_cents + self.losses_cents

    @property
    def net_cents(self) -> int:
        """Return what a year leaves once the product is paid."""
        return self.gain_cents - self.cost_cents


@dataclass(frozen=True)
class Milestone:
    """Where one end of the range stands after some days, while the effect is still growing."""

    days: int
    cash_freed_cents: int
    gain_cents: int
    cost_cents: int

    @property
    def net_cents(self) -> int:
        """Return the gains less the cost so far; negative until the product has paid for itself."""
        return self.gain_cents - self.cost_cents


@dataclass(frozen=True)
class Estimate:
    """A range, never one number: a prudent end, and the whole of what was assumed."""

    hours_saved: Decimal
    low: Case
    high: Case
    milestones: Sequence[tuple[Milestone, Milestone]]


def estimate(given: Assumptions) -> Estimate:
    """Work out both ends of the range: part of the effect at the dearest price, the whole of it at the lowest."""
    saved = (given.hours_before - given.hours_after) * given.weeks
    low = _case(given, share=given.prudence / WHOLE, cost_cents=given.cost_high_cents)
    high = _case(given, share=Decimal(1), cost_cents=given.cost_low_cents)
    pairs = [(_milestone(low, given, days=days), _milestone(high, given, days=days)) for days in HORIZONS]
    return Estimate(hours_saved=saved, low=low, high=high, milestones=pairs)


def _case(given: Assumptions, *, share: Decimal, cost_cents: int) -> Case:
    revenue = _euros(given.revenue_cents)
    hourly = _euros(given.hourly_cents)
    cash = revenue * (given.dso_before - given.dso_after) / DAYS * share
    time = (given.hours_before - given.hours_after) * given.weeks * hourly * share
    losses = revenue * (given.losses_before - given.losses_after) / WHOLE * share
    case = Case(_whole(cash), _whole(time), _whole(losses), cost_cents, payback_days=None)
    return replace(case, payback_days=_payback(case, ramp_days=given.ramp_days))


def _payback(case: Case, *, ramp_days: int) -> int | None:
    """Return the first day the gains so far reach the cost so far; None when they never do.

    The effect grows in a straight line for `ramp_days`, then stays: the gains so far are a parabola, then a line.
    """
    gain, cost = Decimal(case.gain_cents), Decimal(case.cost_cents)
    if cost == 0:
        return 0 if gain >= 0 else None
    if gain <= 0:
        return None
    if gain >= 2 * cost:
        return math.ceil(2 * ramp_days * cost / gain)
    if gain <= cost:
        return None
    return math.ceil(gain * ramp_days / (2 * (gain - cost)))


def _milestone(case: Case, given: Assumptions, *, days: int) -> Milestone:
    ramp = Decimal(given.ramp_days)
    reached = min(Decimal(days) / ramp, Decimal(1)) if ramp else Decimal(1)
    # Days at full effect that the growing effect is worth so far.
    worth = Decimal(days) * reached / 2 if days <= ramp else days - ramp / 2
    return Milestone(
        days=days,
        cash_freed_cents=_whole(_euros(case.cash_freed_cents) * reached),
        gain_cents=_whole(_euros(case.gain_cents) * worth / DAYS),
        cost_cents=_whole(_euros(case.cost_cents) * days / DAYS),
    )


def _whole(euros: Decimal) -> int:
    """Round to a whole euro: an estimate has no cents, and its rows add up as shown."""
    return round_cents(euros.scaleb(-2)) * 100
