"""What lateness costs a debtor: interest day by day, the flat indemnity, and who owes neither."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cabinets.enums import ClientKind
from invoices.law.rates import HalfYear, RateMissing, RateTable
from invoices.money import from_cents, round_cents

FLAT_INDEMNITY_CENTS = 4000
_YEAR = Decimal(365)
_HUNDRED = Decimal(100)
_BETWEEN_PROFESSIONALS = Decimal(10)
_PUBLIC_BUYER = Decimal(8)
_CONTRACT_FLOOR = Decimal(3)
_DAY = dt.timedelta(days=1)


class RateMode(StrEnum):
    """Which rate applies; the statutory one when the fee agreement is silent."""

    BCE10 = "bce10"
    CONTRACT = "contract"
    LEGAL_TRIPLE = "legal_triple"
    BCE8_FROZEN = "bce8_frozen"
    LEGAL = "legal"


class AllocationOrder(StrEnum):
    """What a part payment extinguishes first."""

    PRINCIPAL_FIRST = "principal_first"
    INTEREST_FIRST = "interest_first"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A sum that reduced the principal on a day; interest still runs on it that day."""

    on: dt.date
    cents: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Days at one rate on one unpaid sum, both ends included; its amount is not rounded."""

    first_day: dt.date
    last_day: dt.date
    principal_cents: int
    rate: Decimal

    @property
    def days(self) -> int:
        """Count the days, both ends included."""
        return (self.last_day - self.first_day).days + 1

    @property
    def euros(self) -> Decimal:
        """Unpaid sum × rate × days / 365, in leap years too."""
        return from_cents(self.principal_cents) * self.rate * self.days / (_HUNDRED * _YEAR)


@dataclass(frozen=True, slots=True)
class Interest:
    """Interest accrued, its slices, and their sum rounded once."""

    slices: tuple[Slice, ...] = ()

    @property
    def cents(self) -> int:
        """Round the sum of the slices once, half a cent going up."""
        return round_cents(sum((part.euros for part in self.slices), Decimal(0)))

    @property
    def days(self) -> int:
        """Count the days interest ran."""
        return sum(part.days for part in self.slices)


@dataclass(frozen=True, slots=True)
class Debt:
    """What must be known of a late invoice to say what its lateness costs."""

    kind: ClientKind
    principal_cents: int
    due_on: dt.date
    presented_on: dt.date | None = None
    settlements: tuple[Settlement, ...] = ()
    contract_rate: Decimal | None = None
    contract_mode: RateMode | None = None
    provision: bool = False
    insolvent_on: dt.date | None = None
    over_indebted_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Accessories:
    """Interest and flat indemnity on top of the principal; never an invoice line, never with VAT."""

    interest: Interest
    indemnity_cents: int

    @property
    def total_cents(self) -> int:
        """Add both."""
        return self.interest.cents + self.indemnity_cents


def accessories(debt: Debt, *, as_of: dt.date, rates: RateTable) -> Accessories:
    """Say what lateness adds to a debt on a day. Raise RateMissing rather than use another period's rate."""
    return Accessories(
        interest=interest_on(debt, as_of=as_of, rates=rates),
        indemnity_cents=flat_indemnity_cents(debt, as_of=as_of),
    )


def interest_on(debt: Debt, *, as_of: dt.date, rates: RateTable) -> Interest:
    """Compute the interest a debt bears on a day, by the rules of its kind of client."""
    trigger = interest_trigger(debt)
    if trigger is None or debt.provision:
        return Interest()
    return interest(
        principal_cents=debt.principal_cents,
        trigger_on=trigger,
        until=accrual_end(as_of, insolvent_on=debt.insolvent_on, over_indebted_on=debt.over_indebted_on),
        mode=rate_mode(debt),
        rates=rates,
        contract_rate=debt.contract_rate,
        settlements=debt.settlements,
    )


def interest(
    *,
    principal_cents: int,
    trigger_on: dt.date,
    until: dt.date,
    mode: RateMode,
    rates: RateTable,
    contract_rate: Decimal | None = None,
    settlements: Sequence[Settlement] = (),
) -> Interest:
    """Accrue from the day after the trigger to the last day included, at each half-year's own rate."""
    started = HalfYear.of(trigger_on + _DAY)
    return Interest(
        tuple(
            Slice(
                first,
                last,
                unpaid,
                annual_rate(half, started, mode=mode, rates=rates, contract_rate=contract_rate),
            )
            for since, to, unpaid in _unpaid_spans(principal_cents, trigger_on, until, settlements)
            for half, first, last in segments(since, to)
        )
    )


def segments(first: dt.date, last: dt.date) -> Iterator[tuple[HalfYear, dt.date, dt.date]]:
    """Cut a span of days, both ends included, at 1 January and 1 July."""
    while first <= last:
        half = HalfYear.of(first)
        end = min(half.last_day, last)
        yield half, first, end
        first = end + _DAY


def annual_rate(
    half: HalfYear,
    started: HalfYear,
    *,
    mode: RateMode,
    rates: RateTable,
    contract_rate: Decimal | None = None,
) -> Decimal:
    """Give the rate of a half-year in per cent; a public buyer keeps that of the start."""
    match mode:
        case RateMode.BCE10:
            return rates.ecb_mro(half) + _BETWEEN_PROFESSIONALS
        case RateMode.BCE8_FROZEN:
            return rates.ecb_mro(started) + _PUBLIC_BUYER
        case RateMode.LEGAL:
            return rates.legal(half)
        case RateMode.LEGAL_TRIPLE:
            return rates.legal(half) * _CONTRACT_FLOOR
        case RateMode.CONTRACT:
            if contract_rate is None:
                raise ValueError("a contract rate is needed")
            return contract_rate


def rate_mode(debt: Debt) -> RateMode:
    """Choose the rate by kind of client; only between professionals does the fee agreement have a say."""
    if debt.kind == ClientKind.PUBLIC:
        return RateMode.BCE8_FROZEN
    if debt.kind == ClientKind.PROFESSIONAL:
        return debt.contract_mode or (RateMode.BCE10 if debt.contract_rate is None else RateMode.CONTRACT)
    return RateMode.LEGAL


def interest_trigger(debt: Debt) -> dt.date | None:
    """Give the day after which interest runs: the due date, or the formal notice's presentation."""
    if debt.kind in {ClientKind.PROFESSIONAL, ClientKind.PUBLIC}:
        return debt.due_on
    return debt.presented_on


def accrual_end(
    as_of: dt.date, *, insolvent_on: dt.date | None = None, over_indebted_on: dt.date | None = None
) -> dt.date:
    """Stop the count on the eve of an insolvency judgment or of an over-indebtedness admission."""
    stops = [day - _DAY for day in (insolvent_on, over_indebted_on) if day is not None]
    return min([as_of, *stops])


def flat_indemnity_cents(debt: Debt, *, as_of: dt.date) -> int:
    """Give the forty euros a late professional or public buyer owes, once per invoice, whole."""
    if debt.kind not in {ClientKind.PROFESSIONAL, ClientKind.PUBLIC} or debt.provision:
        return 0
    last_day = accrual_end(as_of, insolvent_on=debt.insolvent_on, over_indebted_on=debt.over_indebted_on)
    spans = _unpaid_spans(debt.principal_cents, debt.due_on, last_day, debt.settlements)
    return FLAT_INDEMNITY_CENTS if next(spans, None) else 0


def contract_rate_too_low(contract_rate: Decimal, *, half: HalfYear, rates: RateTable) -> bool:
    """Tell whether a rate agreed between professionals is under three times the legal rate."""
    return contract_rate < rates.legal(half) * _CONTRACT_FLOOR


def missing_rate(debt: Debt, *, as_of: dt.date, rates: RateTable) -> HalfYear | None:
    """Name the half-year whose rate prevents the computation, or None."""
    try:
        interest_on(debt, as_of=as_of, rates=rates)
    except RateMissing as error:
        return error.half
    return None


def allocate(cents: int, *, principal_cents: int, interest_cents: int, order: AllocationOrder) -> tuple[int, int, int]:
    """Share a payment between principal, interest and what is left over."""
    if min(cents, principal_cents, interest_cents) < 0:
        raise ValueError("a payment and what it pays are never negative")
    if order is AllocationOrder.INTEREST_FIRST:
        to_interest = min(cents, interest_cents)
        to_principal = min(cents - to_interest, principal_cents)
    else:
        to_principal = min(cents, principal_cents)
        to_interest = min(cents - to_principal, interest_cents)
    return to_principal, to_interest, cents - to_principal - to_interest


def _unpaid_spans(
    principal_cents: int, trigger_on: dt.date, until: dt.date, settlements: Sequence[Settlement]
) -> Iterator[tuple[dt.date, dt.date, int]]:
    """Yield the spans of days during which one unpaid sum stood, from the day after the trigger."""
    unpaid, first = principal_cents, trigger_on + _DAY
    for settlement in sorted(settlements, key=lambda paid: paid.on):
        last = min(settlement.on, until)
        if unpaid > 0 and first <= last:
            yield first, last, unpaid
        first = max(first, settlement.on + _DAY)
        unpaid -= settlement.cents
    if unpaid > 0 and first <= until:
        yield first, until, unpaid
