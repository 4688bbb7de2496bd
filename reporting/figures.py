"""Where the firm stands on one day, cut by lawyer, client kind and practice area: numbers that only ever add up.

Each part of a `Position` is a sum over invoices, so that the position of the firm is the sum of its portfolios', and
a night's snapshot (`reporting.snapshots`) answers any cut. Past days are told backwards from the balance (ADR 14).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from cabinets.scoping import current_cabinet_id
from dunning.enums import ReminderState
from invoices.enums import InvoiceState, StopKind
from payments.enums import PaymentMeans, PaymentState, PlanState, PromiseResult
from reporting.queries import BILLED, BUCKETS, PERIOD_DAYS, RECOVERED_BY, UNPAID_AFTER, rounded

SLICE_DAYS = 30
SLICES = 12
QUARTER = PERIOD_DAYS // SLICE_DAYS
AFTER_DAYS = 7
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Cut:
    """Which dossiers a figure is about: all of them unless it says otherwise."""

    lawyer: UUID | None = None
    kind: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """What was owed by age, billed by slices of thirty days (the latest first), and what became of what fell due."""

    on: dt.date
    aged_cents: tuple[int, ...] = (0,) * BUCKETS
    aged_counts: tuple[int, ...] = (0,) * BUCKETS
    billed_cents: tuple[int, ...] = (0,) * SLICES
    due_count: int = 0
    due_cents: int = 0
    unpaid_count: int = 0
    unpaid_cents: int = 0
    matured_cents: int = 0
    recovered_cents: int = 0

    @property
    def receivable_cents(self) -> int:
        """Return what was owed in all."""
        return sum(self.aged_cents)

    @property
    def overdue_cents(self) -> int:
        """Return what was late."""
        return sum(self.aged_cents[1:])

    def turnover_cents(self, *, slices: int = QUARTER) -> int:
        """Return what was billed, all taxes and credit notes counted, in so many slices of thirty days."""
        return sum(self.billed_cents[:slices])

    def dso(self, *, slices: int = QUARTER) -> int | None:
        """Return receivables ÷ turnover × days, to the nearest day; None without turnover."""
        return self._days(self.receivable_cents, slices)

    def best_dso(self, *, slices: int = QUARTER) -> int | None:
        """Return what the DSO would be if nothing were late: only what is not yet due ÷ turnover × days."""
        return self._days(self.aged_cents[0], slices)

    @property
    def countback_dso(self) -> int | None:
        """Return the DSO by countback: how many of the latest days of turnover make up what is owed.

        None when twelve slices do not exhaust the receivables: the older ones say nothing of how fast clients pay.
        """
        left, days = self.receivable_cents, 0
        for billed in self.billed_cents:
            if left <= 0:
                return days
            if billed >= left:
                return days + rounded(left * SLICE_DAYS, billed)
            left -= max(billed, 0)
            days += SLICE_DAYS
        return None if left > 0 else days

    @property
    def unpaid_percent(self) -> int | None:
        """Return the share of invoices, by number, not settled 30 days after their due date."""
        return rounded(100 * self.unpaid_count, self.due_count) if self.due_count else None

    @property
    def unpaid_amount_percent(self) -> int | None:
        """Return the same share by amount."""
        return rounded(100 * self.unpaid_cents, self.due_cents) if self.due_cents else None

    @property
    def recovered_percent(self) -> int | None:
        """Return the share of the amount received 45 days after the due date."""
        return rounded(100 * self.recovered_cents, self.matured_cents) if self.matured_cents else None

    def _days(self, cents: int, slices: int) -> int | None:
        turnover = self.turnover_cents(slices=slices)
        return rounded(cents * slices * SLICE_DAYS, turnover) if turnover > 0 else None


@dataclass(frozen=True, slots=True)
class Brought:
    """What one step brought in on one channel: what came within so many days of its message, the last one said."""

    offset_days: int
    channel: str
    sent: int
    claimed_cents: int
    received_cents: int

    @property
    def percent(self) -> int | None:
        """Return the share of what it claimed that came."""
        return rounded(100 * self.received_cents, self.claimed_cents) if self.claimed_cents else None


@dataclass(frozen=True, slots=True)
class Expected:
    """What one week should bring; `week` is its Monday, None for what has no date any more."""

    week: dt.date | None
    due_cents: int = 0
    promised_cents: int = 0
    planned_cents: int = 0

    @property
    def total_cents(self) -> int:
        """Return the whole week."""
        return self.due_cents + self.promised_cents + self.planned_cents


@dataclass(frozen=True, slots=True)
class Promises:
    """What became of the promises whose day fell in the period."""

    kept: int = 0
    broken: int = 0

    @property
    def kept_percent(self) -> int | None:
        """Return the share of the promises kept."""
        return rounded(100 * self.kept, self.kept + self.broken) if self.kept + self.broken else None


@dataclass(frozen=True, slots=True)
class Lost:
    """What was given up, by the year in which it was billed."""

    year: int
    count: int
    cents: int


# The invoices of a cut and what was received on them: the head of every statement below.
_HEAD = """
    WITH inv AS MATERIALIZED (
        SELECT i.id, i.issued_on, i.due_on, i.state, i.total_cents - i.credited_cents AS net, i.settled_cents,
               d.lawyer_id, d.kind, d.practice_area
        FROM invoices_invoice i JOIN cabinets_dossier d ON d.id = i.dossier_id
        WHERE i.cabinet_id = %(firm)s AND i.state = ANY (%(billed)s)
          AND (%(lawyer)s::uuid IS NULL OR d.lawyer_id = %(lawyer)s::uuid)
          AND (%(kind)s = '' OR d.kind = %(kind)s) AND (%(area)s = '' OR d.practice_area = %(area)s)),
    paid AS MATERIALIZED (
        SELECT a.invoice_id, p.received_on, a.cents
        FROM payments_payment p JOIN payments_allocation a ON a.payment_id = p.id
        WHERE p.cabinet_id = %(firm)s AND p.state = %(settled)s AND a.invoice_id IN (SELECT id FROM inv))
"""
_POSITION = """,
    since AS (
        SELECT inv.id, sum(cents) FILTER (WHERE received_on > %(on)s) AS later,
               sum(cents) FILTER (WHERE received_on > due_on + %(unpaid)s) AS after_30,
               sum(cents) FILTER (WHERE received_on > due_on + %(recovered)s) AS after_45
        FROM inv JOIN paid ON paid.invoice_id = inv.id GROUP BY inv.id),
    told AS MATERIALIZED (
        SELECT inv.*, %(on)s - due_on AS late, %(on)s - issued_on AS age,
               CASE WHEN state = %(open)s THEN net - settled_cents ELSE 0 END + coalesce(later, 0) AS owed,
               net - settled_cents + coalesce(after_30, 0) AS owed_at_30,
               settled_cents - coalesce(after_45, 0) AS had_at_45
        FROM inv LEFT JOIN since ON since.id = inv.id WHERE issued_on <= %(on)s),
    due AS (
        SELECT * FROM told
        WHERE net > 0 AND late >= %(unpaid)s AND late < %(unpaid)s + %(period)s),
    matured AS (
        SELECT * FROM told
        WHERE net > 0 AND late >= %(recovered)s AND late < %(recovered)s + %(period)s)
    SELECT lawyer_id, kind, practice_area, 'aged', CASE WHEN late <= 0 THEN 0 ELSE least((late + 29) / 30, 4) END,
           sum(owed), count(*) FROM told WHERE owed > 0 GROUP BY 1, 2, 3, 5
    UNION ALL SELECT lawyer_id, kind, practice_area, 'billed', age / %(slice)s, sum(net), count(*)
        FROM told WHERE age < %(slice)s * %(slices)s GROUP BY 1, 2, 3, 5
    UNION ALL SELECT lawyer_id, kind, practice_area, 'due', 0, sum(net), count(*) FROM due GROUP BY 1, 2, 3
    UNION ALL SELECT lawyer_id, kind, practice_area, 'unpaid', 0, sum(owed_at_30), count(*)
        FROM due WHERE owed_at_30 > 0 GROUP BY 1, 2, 3
    UNION ALL SELECT lawyer_id, kind, practice_area, 'matured', 0, sum(net), count(*) FROM matured GROUP BY 1, 2, 3
    UNION ALL SELECT lawyer_id, kind, practice_area, 'recovered', 0, sum(had_at_45), count(*)
        FROM matured GROUP BY 1, 2, 3
"""


def portfolios(*, on: dt.date, cut: Cut | None = None) -> dict[Cut, Position]:
    """Return the position of each portfolio on this day: one lawyer, one client kind, one practice area."""
    rows = _rows(
        _POSITION,
        cut,
        on=on,
        unpaid=UNPAID_AFTER,
        recovered=RECOVERED_BY,
        period=PERIOD_DAYS,
        slice=SLICE_DAYS,
        slices=SLICES,
        open=InvoiceState.OPEN,
    )
    found: dict[Cut, dict[tuple[str, int], tuple[int, int]]] = {}
    for lawyer, kind, area, what, rank, cents, count in rows:
        found.setdefault(Cut(lawyer, kind, area), {})[what, rank] = int(cents), count
    return {part: _position(on, sums) for part, sums in found.items()}


def position(*, on: dt.date, cut: Cut | None = None) -> Position:
    """Return the position of the whole cut on this day."""
    return added(portfolios(on=on, cut=cut).values(), on=on)


def added(parts: Iterable[Position], *, on: dt.date) -> Position:
    """Add positions of one day together."""
    total = Position(on)
    for part in parts:
        total = Position(
            on,
            _sum(total.aged_cents, part.aged_cents),
            _sum(total.aged_counts, part.aged_counts),
            _sum(total.billed_cents, part.billed_cents),
            total.due_count + part.due_count,
            total.due_cents + part.due_cents,
            total.unpaid_count + part.unpaid_count,
            total.unpaid_cents + part.unpaid_cents,
            total.matured_cents + part.matured_cents,
            total.recovered_cents + part.recovered_cents,
        )
    return total


def brought(*, since: dt.date, on: dt.date, cut: Cut | None = None, within: int = AFTER_DAYS) -> tuple[Brought, ...]:
    """Return what each step and channel brought in; a payment counts once, for the last message before it."""
    rows = _rows(
        """,
        said AS MATERIALIZED (
            SELECT l.invoice_id, l.owed_cents, r.id, r.spoken_on, r.channel, s.offset_days
            FROM dunning_reminderline l JOIN dunning_reminder r ON r.id = l.reminder_id
            JOIN dunning_step s ON s.id = r.step_id
            WHERE r.cabinet_id = %(firm)s AND r.state = ANY (%(sent)s) AND l.counts AND l.is_claimed
              AND r.spoken_on BETWEEN %(since)s AND %(on)s AND l.invoice_id IN (SELECT id FROM inv)),
        came AS (
            SELECT last.offset_days, last.channel, sum(paid.cents) AS cents
            FROM paid CROSS JOIN LATERAL (
                SELECT offset_days, channel FROM said
                WHERE said.invoice_id = paid.invoice_id
                  AND said.spoken_on BETWEEN paid.received_on - %(within)s AND paid.received_on
                ORDER BY spoken_on DESC, offset_days DESC, id LIMIT 1) last
            WHERE paid.received_on <= %(on)s GROUP BY 1, 2)
        SELECT said.offset_days, said.channel, count(DISTINCT id), sum(owed_cents), coalesce(max(came.cents), 0)
        FROM said LEFT JOIN came ON came.offset_days = said.offset_days AND came.channel = said.channel
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        cut,
        since=since,
        on=on,
        within=within,
        sent=[ReminderState.ACCEPTED, ReminderState.DELIVERED],
    )
    return tuple(Brought(offset, channel, sent, int(owed), int(came)) for offset, channel, sent, owed, came in rows)


def expected(*, on: dt.date, cut: Cut | None = None) -> tuple[Expected, ...]:
    """Return what each week should bring: instalments first, then promises, then due dates; the late part has no date.

    The weeks add up to the balance, whatever promises and plans say.
    """
    rows = _rows(
        """,
        owing AS (
            SELECT id, due_on, net - settled_cents AS owed FROM inv WHERE state = %(open)s AND net > settled_cents),
        promise AS (
            SELECT DISTINCT ON (invoice_id) invoice_id, until_on, promised_cents
            FROM invoices_standstill
            WHERE cabinet_id = %(firm)s AND kind = %(promise)s AND released_at IS NULL AND until_on >= %(on)s
            ORDER BY invoice_id, until_on, id),
        share AS (
            SELECT l.plan_id, l.invoice_id, owing.owed
            FROM payments_planline l JOIN payments_paymentplan p ON p.id = l.plan_id AND p.state = %(active)s
            JOIN owing ON owing.id = l.invoice_id
            WHERE p.cabinet_id = %(firm)s),
        left_over AS (SELECT plan_id, sum(owed) AS owed FROM share GROUP BY plan_id),
        instalment AS (
            SELECT i.plan_id, i.due_on, i.cents,
                   sum(i.cents) OVER (PARTITION BY i.plan_id ORDER BY i.due_on DESC, i.rank DESC) - i.cents AS after
            FROM payments_instalment i JOIN left_over USING (plan_id)),
        dated AS (
            SELECT due_on AS day, 'plan' AS road, greatest(least(cents, owed - after), 0) AS cents
            FROM instalment JOIN left_over USING (plan_id)
            UNION ALL
            SELECT coalesce(promise.until_on, owing.due_on), CASE WHEN promise.invoice_id IS NULL THEN 'due'
                   ELSE 'promise' END, least(owed, coalesce(promised_cents, owed))
            FROM owing LEFT JOIN promise ON promise.invoice_id = owing.id
            WHERE owing.id NOT IN (SELECT invoice_id FROM share)
            UNION ALL
            SELECT due_on, 'due', owed - promised_cents
            FROM owing JOIN promise ON promise.invoice_id = owing.id
            WHERE promised_cents < owed AND owing.id NOT IN (SELECT invoice_id FROM share)
            UNION ALL
            SELECT NULL, 'plan', owed - least(owed, (SELECT sum(cents) FROM instalment i WHERE i.plan_id = o.plan_id))
            FROM left_over o)
        SELECT CASE WHEN day >= %(on)s THEN date_trunc('week', day)::date END, road, sum(cents)
        FROM dated WHERE cents > 0 GROUP BY 1, 2
        """,
        cut,
        on=on,
        open=InvoiceState.OPEN,
        promise=StopKind.PROMISE,
        active=PlanState.ACTIVE,
    )
    sums: dict[dt.date | None, dict[str, int]] = {}
    for week, road, cents in rows:
        sums.setdefault(week, {})[road] = int(cents)
    weeks = sorted(week for week in sums if week is not None)
    ordered: list[dt.date | None] = [*weeks, *([None] if None in sums else [])]
    return tuple(
        Expected(week, sums[week].get("due", 0), sums[week].get("promise", 0), sums[week].get("plan", 0))
        for week in ordered
    )


def promises(*, since: dt.date, on: dt.date, cut: Cut | None = None) -> Promises:
    """Return what became of the promises whose day fell in the period."""
    rows = _rows(
        """
        SELECT result, count(*) FROM payments_promiseoutcome
        WHERE cabinet_id = %(firm)s AND promised_on BETWEEN %(since)s AND %(on)s
          AND invoice_id IN (SELECT id FROM inv) GROUP BY result
        """,
        cut,
        since=since,
        on=on,
    )
    found = dict(rows)
    return Promises(kept=found.get(PromiseResult.KEPT, 0), broken=found.get(PromiseResult.BROKEN, 0))


def losses(*, cut: Cut | None = None) -> tuple[Lost, ...]:
    """Return what was given up, by the year it was billed, the latest first."""
    rows = _rows(
        """
        SELECT extract(year FROM issued_on)::int, count(*), sum(net - settled_cents)
        FROM inv WHERE state = %(lost)s AND net > settled_cents GROUP BY 1 ORDER BY 1 DESC
        """,
        cut,
        lost=InvoiceState.WRITTEN_OFF,
    )
    return tuple(Lost(year, count, int(cents)) for year, count, cents in rows)


def received_cents(*, since: dt.date, on: dt.date, cut: Cut | None = None) -> int:
    """Return what was received on the invoices of the cut from one day to another, credits already there left out."""
    ((cents,),) = _rows(
        """
        SELECT coalesce(sum(a.cents), 0) FROM payments_payment p JOIN payments_allocation a ON a.payment_id = p.id
        WHERE p.cabinet_id = %(firm)s AND p.state = %(settled)s AND p.means <> %(credit)s
          AND p.received_on BETWEEN %(since)s AND %(on)s AND a.invoice_id IN (SELECT id FROM inv)
        """,
        cut,
        since=since,
        on=on,
        credit=PaymentMeans.CREDIT,
    )
    return int(cents)


def _position(on: dt.date, sums: dict[tuple[str, int], tuple[int, int]]) -> Position:
    def cents(what: str, rank: int = 0) -> int:
        return sums.get((what, rank), (0, 0))[0]

    def count(what: str, rank: int = 0) -> int:
        return sums.get((what, rank), (0, 0))[1]

    return Position(
        on,
        tuple(cents("aged", rank) for rank in range(BUCKETS)),
        tuple(count("aged", rank) for rank in range(BUCKETS)),
        tuple(cents("billed", rank) for rank in range(SLICES)),
        count("due"),
        cents("due"),
        count("unpaid"),
        cents("unpaid"),
        cents("matured"),
        cents("recovered"),
    )


def _sum(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip(left, right, strict=True))


def _rows(sql: str, cut: Cut | None, **facts: Any) -> list[tuple[Any, ...]]:
    """Ask a question that begins after the invoices of the cut and their payments."""
    cut = cut or Cut()
    values = {name: str(value) if isinstance(value, str) else value for name, value in facts.items()}
    about: dict[str, Any] = {
        "lawyer": cut.lawyer,
        "kind": str(cut.kind),
        "area": cut.area,
        "firm": current_cabinet_id(),
    }
    fixed: dict[str, Any] = {"billed": [str(state) for state in BILLED], "settled": str(PaymentState.SETTLED)}
    with connection.cursor() as cursor:
        cursor.execute(_HEAD + sql, {**values, **about, **fixed})
        return list(cursor.fetchall())
