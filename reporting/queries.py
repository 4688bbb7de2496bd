"""The figures of the dashboard: each function is one statement and one frozen answer.

Row-level security narrows every figure to the files the person sees; nothing here widens it. What a debt was on a past
day is told backwards, from what is owed now plus what was received since, so that today's figure is the balance itself.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from cabinets.enums import TaskState
from cabinets.scoping import current_cabinet_id
from dunning.enums import ReminderState, Tone
from invoices.enums import InvoiceState
from payments.enums import PaymentMeans, PaymentState, RequestState

PERIOD_DAYS = 90
HISTORY_DAYS = 30
AFTER_REMINDER_DAYS = 7
UNPAID_AFTER = 30
RECOVERED_BY = 45
BUCKETS = 5
# A draft was never billed, a cancelled invoice no longer is; the rest is turnover whatever became of it.
BILLED = (InvoiceState.OPEN, InvoiceState.WRITTEN_OFF, InvoiceState.ARCHIVED)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is owed at one age, in cents, on how many invoices."""

    cents: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Aging:
    """What is owed by age: not yet due, 1–30, 31–60, 61–90 days late, more."""

    buckets: tuple[Bucket, ...]

    @property
    def total_cents(self) -> int:
        """Return the whole balance."""
        return sum(bucket.cents for bucket in self.buckets)

    @property
    def overdue(self) -> Bucket:
        """Return what is late, whatever its age."""
        late = self.buckets[1:]
        return Bucket(sum(bucket.cents for bucket in late), sum(bucket.count for bucket in late))


@dataclass(frozen=True, slots=True)
class DsoPoint:
    """What the DSO of one day is made of; the turnover is that of the period which ends on the day."""

    on: dt.date
    receivable_cents: int
    turnover_cents: int
    period_days: int

    @property
    def days(self) -> int | None:
        """Return receivables ÷ turnover × days of the period, to the nearest day; None without turnover."""
        if self.turnover_cents <= 0:
            return None
        return rounded(self.receivable_cents * self.period_days, self.turnover_cents)


@dataclass(frozen=True, slots=True)
class Dso:
    """The DSO of several days, the oldest first; a day less than 30 days after the first known payment has none."""

    points: tuple[DsoPoint, ...]
    known_since: dt.date | None


@dataclass(frozen=True, slots=True)
class Cohort:
    """What became of the invoices whose 30th, and whose 45th, day after the due date fell in the last 90 days."""

    due_count: int = 0
    unpaid_count: int = 0
    unpaid_cents: int = 0
    billed_cents: int = 0
    recovered_cents: int = 0

    @property
    def unpaid_percent(self) -> int | None:
        """Return the share of invoices not settled 30 days after their due date."""
        return rounded(100 * self.unpaid_count, self.due_count) if self.due_count else None

    @property
    def recovered_percent(self) -> int | None:
        """Return the share of the amount received 45 days after the due date."""
        return rounded(100 * self.recovered_cents, self.billed_cents) if self.billed_cents else None


@dataclass(frozen=True, slots=True)
class Collected:
    """What came in since the first of the month, and the part that came within 7 days of a reminder."""

    cents: int = 0
    count: int = 0
    after_reminder_cents: int = 0


@dataclass(frozen=True, slots=True)
class Effort:
    """How many times each act was done in the firm in seven days; nobody is named."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person."""

    approvals: int = 0
    formal_notices: int = 0
    tasks: int = 0
    requests: int = 0

    @property
    def detail(self) -> str:
        """Return what the decision band says under its title."""
        notices = self.formal_notices
        named = f"dont {notices} mise{'s' if notices > 1 else ''} en demeure · " if notices else ""
        return f"{named}rien ne partira sans accord"


def rounded(amount: int, by: int) -> int:
    """Divide to the nearest whole number, halves upwards."""
    return (2 * amount + by) // (2 * by)


def aging(*, on: dt.date) -> Aging:
    """Return what is owed on this day by age."""
    rows = _rows(
        """
        SELECT CASE WHEN late <= 0 THEN 0 WHEN late <= 30 THEN 1 WHEN late <= 60 THEN 2 WHEN late <= 90 THEN 3
               ELSE 4 END, sum(owed), count(*)
        FROM (SELECT total_cents - credited_cents - settled_cents AS owed, %(on)s - due_on AS late
              FROM invoices_invoice
              WHERE cabinet_id = %(firm)s AND state = %(open)s AND settled_cents < total_cents - credited_cents) i
        GROUP BY 1
        """,
        on=on,
        open=InvoiceState.OPEN,
    )
    found = {rank: Bucket(int(cents), count) for rank, cents, count in rows}
    return Aging(tuple(found.get(rank, Bucket()) for rank in range(BUCKETS)))


def dso(*, days: Sequence[dt.date]) -> Dso:
    """Return the DSO of these days, in their order: receivables TTC ÷ turnover TTC × days of the period."""
    rows = _rows(
        """
        WITH day AS MATERIALIZED (
            SELECT issued_on, sum(total_cents - credited_cents) AS net,
                   sum(CASE WHEN state = %(open)s THEN total_cents - credited_cents - settled_cents ELSE 0 END) AS owed
            FROM invoices_invoice WHERE cabinet_id = %(firm)s AND state = ANY (%(billed)s) GROUP BY issued_on),
        paid AS MATERIALIZED (
            SELECT i.issued_on, p.received_on, sum(a.cents) AS cents
            FROM payments_payment p
            JOIN payments_allocation a ON a.payment_id = p.id
            JOIN invoices_invoice i ON i.id = a.invoice_id AND i.state = ANY (%(billed)s)
            WHERE p.cabinet_id = %(firm)s AND p.state = %(settled)s GROUP BY 1, 2),
        span AS (
            SELECT (SELECT min(issued_on) FROM day) AS first_on, (SELECT min(received_on) FROM paid) AS paid_on),
        point AS (
            SELECT d.on_day, least(%(period)s, d.on_day - first_on + 1) AS period,
                   greatest(first_on, paid_on) AS known_on
            FROM unnest(%(days)s::date[]) AS d(on_day), span WHERE first_on IS NOT NULL AND paid_on IS NOT NULL)
        SELECT on_day, known_on, period,
            (SELECT coalesce(sum(owed), 0) FROM day WHERE issued_on <= on_day)
            + (SELECT coalesce(sum(cents), 0) FROM paid WHERE issued_on <= on_day AND received_on > on_day),
            (SELECT coalesce(sum(net), 0) FROM day WHERE issued_on <= on_day AND issued_on > on_day - period)
        FROM point ORDER BY on_day
        """,
        days=list(days),
        period=PERIOD_DAYS,
        open=InvoiceState.OPEN,
        billed=list(BILLED),
        settled=PaymentState.SETTLED,
    )
    points = tuple(
        DsoPoint(on=on, receivable_cents=int(owed), turnover_cents=int(net), period_days=period)
        for on, known_on, period, owed, net in rows
        if (on - known_on).days >= HISTORY_DAYS
    )
    return Dso(points=points, known_since=rows[0][1] if rows else None)


def cohorts(*, days: Sequence[dt.date]) -> dict[dt.date, Cohort]:
    """Return, for each of these days, what became of the invoices that had their time in the 90 days before it."""
    rows = _rows(
        """
        WITH late AS MATERIALIZED (
            SELECT id, due_on, total_cents - credited_cents AS net, settled_cents
            FROM invoices_invoice
            WHERE cabinet_id = %(firm)s AND state = ANY (%(billed)s) AND total_cents > credited_cents
              AND due_on > %(first)s AND due_on <= %(last)s),
        since AS (
            SELECT a.invoice_id, sum(a.cents) FILTER (WHERE p.received_on > l.due_on + %(unpaid)s) AS after_30,
                   sum(a.cents) FILTER (WHERE p.received_on > l.due_on + %(recovered)s) AS after_45
            FROM late l JOIN payments_allocation a ON a.invoice_id = l.id
            JOIN payments_payment p ON p.id = a.payment_id AND p.state = %(settled)s
            WHERE a.cabinet_id = %(firm)s GROUP BY a.invoice_id),
        told AS (
            SELECT due_on, net, net - settled_cents + coalesce(after_30, 0) AS owed_at_30,
                   settled_cents - coalesce(after_45, 0) AS had_at_45
            FROM late LEFT JOIN since ON since.invoice_id = late.id),
        -- What counts on a day depends on the due day alone: invoices are added up by it before any day is looked at.
        due AS (
            SELECT due_on, count(*) AS number, count(*) FILTER (WHERE owed_at_30 > 0) AS unpaid,
                   sum(owed_at_30) FILTER (WHERE owed_at_30 > 0) AS unpaid_cents,
                   sum(net) AS net, sum(had_at_45) AS had_at_45
            FROM told GROUP BY due_on),
        aged AS (
            SELECT d.on_day, due.*,
                   due_on + %(unpaid)s <= d.on_day AND due_on + %(unpaid)s > d.on_day - %(period)s AS at_30,
                   due_on + %(recovered)s <= d.on_day AND due_on + %(recovered)s > d.on_day - %(period)s AS at_45
            FROM unnest(%(days)s::date[]) AS d(on_day), due)
        SELECT on_day, coalesce(sum(number) FILTER (WHERE at_30), 0), coalesce(sum(unpaid) FILTER (WHERE at_30), 0),
               coalesce(sum(unpaid_cents) FILTER (WHERE at_30), 0),
               coalesce(sum(net) FILTER (WHERE at_45), 0), coalesce(sum(had_at_45) FILTER (WHERE at_45), 0)
        FROM aged GROUP BY on_day
        """,
        days=list(days),
        first=min(days) - dt.timedelta(days=PERIOD_DAYS + RECOVERED_BY),
        last=max(days) - dt.timedelta(days=UNPAID_AFTER),
        period=PERIOD_DAYS,
        unpaid=UNPAID_AFTER,
        recovered=RECOVERED_BY,
        billed=list(BILLED),
        settled=PaymentState.SETTLED,
    )
    found = {row[0]: Cohort(*map(int, row[1:])) for row in rows}
    return {day: found.get(day, Cohort()) for day in days}


def collected(*, on: dt.date, sees_all: bool) -> Collected:
    """Return what came in from the first of the month to this day.

    Who sees some files only is told what pays their invoices: the rest of a payment is another file's.
    """
    ((cents, count, after),) = _rows(
        """
        SELECT coalesce(sum(CASE WHEN %(all)s THEN p.cents ELSE a.cents END), 0), count(*),
               coalesce(sum(a.reminded), 0)
        FROM payments_payment p
        LEFT JOIN LATERAL (
            SELECT sum(a.cents) AS cents, sum(a.cents) FILTER (WHERE EXISTS (
                SELECT FROM dunning_reminderline l JOIN dunning_reminder r ON r.id = l.reminder_id
                WHERE l.invoice_id = a.invoice_id AND l.counts AND r.state = ANY (%(sent)s)
                  AND r.spoken_on BETWEEN p.received_on - %(after)s AND p.received_on)) AS reminded
            FROM payments_allocation a WHERE a.payment_id = p.id) a ON true
        WHERE p.cabinet_id = %(firm)s AND p.state = %(settled)s AND p.received_on BETWEEN %(first)s AND %(on)s
          AND p.means <> %(credit)s AND (%(all)s OR a.cents > 0)
        """,
        all=sees_all,
        # It came in the day its client paid too much.
        credit=PaymentMeans.CREDIT,
        on=on,
        first=on.replace(day=1),
        after=AFTER_REMINDER_DAYS,
        settled=PaymentState.SETTLED,
        sent=[ReminderState.ACCEPTED, ReminderState.DELIVERED],
    )
    return Collected(cents=int(cents), count=count, after_reminder_cents=int(after))


def effort(*, since: dt.datetime, events: Collection[str], until: dt.datetime | None = None) -> Effort:
    """Return how many times the firm's people did each of these acts in this time; an import counts once."""
    rows = _rows(
        """
        SELECT event, count(*) FROM cabinets_journalentry
        WHERE cabinet_id = %(firm)s AND at >= %(since)s
          AND at < coalesce(%(until)s::timestamptz, 'infinity') AND event = ANY (%(events)s) AND member_id IS NOT NULL
          AND NOT facts ? 'batch'
        GROUP BY event
        """,
        since=since,
        until=until,
        events=sorted(events),
    )
    return Effort(counts=dict(rows))


def waiting() -> Waiting:
    """Return what waits for a person, among what this one sees."""
    (row,) = _rows(
        """
        SELECT count(*), count(*) FILTER (WHERE s.tone = %(formal)s),
            (SELECT count(*) FROM cabinets_task WHERE cabinet_id = %(firm)s AND state = %(task)s),
            (SELECT count(*) FROM payments_debtorrequest WHERE cabinet_id = %(firm)s AND state = %(request)s)
        FROM dunning_reminder r JOIN dunning_step s ON s.id = r.step_id
        WHERE r.cabinet_id = %(firm)s AND r.state = %(awaiting)s
        """,
        formal=Tone.FORMAL,
        task=TaskState.OPEN,
        request=RequestState.OPEN,
        awaiting=ReminderState.AWAITING_APPROVAL,
    )
    return Waiting(*row)


def _rows(sql: str, **facts: Any) -> list[tuple[Any, ...]]:
    values = {name: str(value) if isinstance(value, str) else value for name, value in facts.items()}
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, "firm": current_cabinet_id()})
        return list(cursor.fetchall())
