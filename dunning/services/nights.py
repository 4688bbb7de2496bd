"""The night: which firms' hour has come, and one set-based evaluation of what is due at them."""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import connections, transaction
from django.utils import timezone

from cabinets.enums import NotificationKind, TaskKind, TaskState
from cabinets.models import Cabinet
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.services.notifications import ACTING_ROLES
from cabinets.territories import Territory, zone_of
from dunning.enums import ANSWERS, PENDING, SPOKEN, Channel, Code, Tone
from dunning.models import NightlyRun
from dunning.window import SendWindow, next_opening
from payments.enums import MAIL_SPOKEN
from templates_lib.library import has_text

PLANNING_SQL = (Path(__file__).resolve().parents[1] / "planning.sql").read_text(encoding="utf-8")
SCHEDULER = "scheduler"
# Clients a chunk: about 5 000 due cases, one short transaction each.
CHUNK = 2500
ORDINARY_NIGHT = 20
ABNORMAL_TIMES = 3
ABNORMAL_SHARE = 0.25
NIGHTS_REMEMBERED = 10
_NIGHT_LOCK = 0x51_75_69_74

_TASK_COLUMNS = "(id, cabinet_id, kind, state, client_id, subject_id, due_on, created_at)"
_TELL_OF_NIGHT = """
INSERT INTO cabinets_notification (id, cabinet_id, member_id, kind, task_kind, subject_id, created_at)
SELECT gen_random_uuid(), m.cabinet_id, m.id, %(kind)s, %(task_kind)s, %(night)s, %(now)s
FROM cabinets_membership m
WHERE m.cabinet_id = %(cabinet)s AND m.is_active AND m.sees_every_file AND m.role = ANY(%(roles)s)
ON CONFLICT DO NOTHING"""
_PROVISION_TASKS = f"""
    INSERT INTO cabinets_task {_TASK_COLUMNS}
    SELECT gen_random_uuid(), d.cabinet_id, 'provision_end', 'open', i.client_id, d.invoice_id, d."on" + 7, now()
    FROM unnest(%(cabinets)s::uuid[], %(days)s::date[]) AS f(cabinet_id, night_on)
    JOIN dunning_decision d ON d.cabinet_id = f.cabinet_id AND d."on" = f.night_on AND d.code = 'PROVISION_END'
    JOIN invoices_invoice i ON i.id = d.invoice_id
    WHERE NOT EXISTS (
        SELECT 1 FROM cabinets_task t
        WHERE t.cabinet_id = d.cabinet_id AND t.kind = 'provision_end' AND t.subject_id = d.invoice_id)
"""  # noqa: S608 - one constant
_SILENCE_TASKS = f"""
    INSERT INTO cabinets_task {_TASK_COLUMNS}
    SELECT gen_random_uuid(), r.cabinet_id, 'no_answer', 'open', r.client_id, r.id, f.night_on + 1, now()
    FROM unnest(%(cabinets)s::uuid[], %(days)s::date[]) AS f(cabinet_id, night_on)
    JOIN dunning_reminder r ON r.cabinet_id = f.cabinet_id AND r.state IN ('accepted', 'delivered')
        AND r.spoken_on BETWEEN f.night_on - 9 AND f.night_on - 2
    JOIN dunning_step s ON s.id = r.step_id AND s.tone = 'solutions'
    WHERE EXISTS (
            SELECT 1 FROM dunning_reminderline l JOIN invoices_invoice i ON i.id = l.invoice_id
            WHERE l.reminder_id = r.id AND l.is_claimed AND i.state = 'open'
            AND i.settled_cents < i.total_cents - i.credited_cents)
        AND NOT EXISTS (
            SELECT 1 FROM invoices_standstill x
            LEFT JOIN dunning_reminderline l ON l.reminder_id = r.id AND l.invoice_id = x.invoice_id
            WHERE x.cabinet_id = r.cabinet_id AND x.kind = ANY (%(answers)s)
            AND (x.client_id = r.client_id OR l.id IS NOT NULL))
        AND NOT EXISTS (
            SELECT 1 FROM cabinets_task t
            WHERE t.cabinet_id = r.cabinet_id AND t.kind = 'no_answer' AND t.subject_id = r.id)
"""  # noqa: S608 - one constant

_FORESEEN = """
    SELECT d.invoice_id, d.code, l.reminder_id, l.is_claimed, r.depart_at, r.reasons
    FROM dunning_decision d
    LEFT JOIN dunning_reminderline l ON l.invoice_id = d.invoice_id AND l.counts AND EXISTS (
        SELECT 1 FROM dunning_reminder n WHERE n.id = l.reminder_id AND n."on" = d."on"
        AND n.state IN ('planned', 'awaiting_approval'))
    LEFT JOIN dunning_reminder r ON r.id = l.reminder_id
    WHERE d.cabinet_id = %s AND d."on" = %s
"""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FirmNight:
    """One firm on one local date, at one instant of its own clock."""

    cabinet: Cabinet
    on: dt.date
    now: dt.datetime
    night_id: UUID = field(default_factory=uuid4)
    round: int = 1
    is_abnormal: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What a night answered at one firm: cases by code, and the messages they make."""

    cases: Counter[Code]
    messages: Counter[Code]

    @property
    def held(self) -> int:
        """Return how many cases a rule held back."""
        return sum(self.cases.values()) - self.cases[Code.SEND] - self.cases[Code.NEEDS_APPROVAL]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a coming night would answer for one invoice; with a message, when it leaves and why a person is asked."""

    invoice_id: UUID
    code: Code
    reminder_id: UUID | None
    is_claimed: bool
    depart_at: dt.datetime | None
    reasons: tuple[str, ...]


def firms_due(*, now: dt.datetime, slug: str | None = None) -> list[FirmNight]:
    """Return the firms whose local clock passed their hour today and whose night is not finished."""
    nights = []
    for cabinet in _firms(slug):
        moment = cabinet.now() if cabinet.is_demo else now
        local = moment.astimezone(cabinet.zone)
        if local.time() >= cabinet.night_at:
            nights.append(FirmNight(cabinet=cabinet, on=local.date(), now=moment))
    done = set(
        NightlyRun.all_cabinets.using(SCHEDULER)
        .filter(on__gte=now.date() - dt.timedelta(days=7), finished_at__isnull=False)
        .values_list("cabinet_id", "on")
    )
    return [night for night in nights if (night.cabinet.pk, night.on) not in done]


def night_of(*, slug: str, on: dt.date, now: dt.datetime) -> FirmNight:
    """Return the night of one firm on a given day."""
    return FirmNight(cabinet=Cabinet.objects.using(SCHEDULER).only(*PLANNER_COLUMNS).get(slug=slug), on=on, now=now)


def evaluate(nights: Sequence[FirmNight], *, progress: Progress | None = None) -> dict[UUID, Tally]:
    """Decide every due case of these firms, once; return each firm's tally.

    Safe to run twice and to run again after a crash: a finished night is not reopened, a case already moved is no
    longer due, and a second process finds the night taken and does nothing.
    """
    with _alone() as mine:
        if not mine or not nights:
            return {}
        opened = _open(nights)
        targets = due_clients(opened)
        opened = _with_abnormal(opened, targets)
        _remember_abnormal(opened)
        tallies = _plan(opened, targets, progress or (lambda done, total: None))
        _close(opened)
        return tallies


def preview(night: FirmNight) -> Tally:
    """Return what this night would answer, and write nothing at all."""
    with transaction.atomic(using=SCHEDULER):
        targets = due_clients([night])
        (judged,) = _with_abnormal([night], targets)
        tally = _plan([judged], targets, lambda done, total: None, write=False)[night.cabinet.pk]
        transaction.set_rollback(True, using=SCHEDULER)
    return tally


def foresee(night: FirmNight) -> list[Foreseen]:
    """Return what this night would answer for each invoice if the firm were live, without writing anything.

    The night is planned for real, read, and rolled back: it is the same code that will decide.
    """
    with transaction.atomic(using=SCHEDULER):
        plan_as_if_live(night, using=SCHEDULER)
        with connections[SCHEDULER].cursor() as cursor:
            cursor.execute(_FORESEEN, [night.cabinet.pk, night.on])
            rows = [Foreseen(row[0], Code(row[1]), row[2], bool(row[3]), row[4], tuple(row[5] or ())) for row in cursor]
        transaction.set_rollback(True, using=SCHEDULER)
    return rows


def plan_as_if_live(night: FirmNight, *, using: str, among: Collection[UUID] | None = None) -> bool:
    """Plan one night as if the firm were live, for these clients or for all; False when nobody was due.

    It writes: the caller is in a transaction of this connection, reads what it wanted to know, and rolls it back.
    """
    targets = [pair for pair in due_clients([night], using=using) if among is None or pair[1] in among]
    if not targets:
        return False
    opened = _open([night], using=using)
    fixed = {**arrays_of(opened), "write": True, "as_if_live": True}
    for start in range(0, len(targets), CHUNK):
        _run(fixed, targets[start : start + CHUNK], using=using)
    return True


def next_night(cabinet: Cabinet) -> FirmNight:
    """Return the coming night of a firm: today's while it has not been evaluated, else tomorrow's."""
    today, now = cabinet.today(), cabinet.now()
    done = NightlyRun.objects.filter(on=today, finished_at__isnull=False).exists()
    if not done:
        return FirmNight(cabinet=cabinet, on=today, now=now)
    tomorrow = today + dt.timedelta(days=1)
    start = dt.datetime.combine(tomorrow, cabinet.night_at, tzinfo=cabinet.zone)
    return FirmNight(cabinet=cabinet, on=tomorrow, now=start.astimezone(dt.UTC))


def due_clients(nights: Sequence[FirmNight], *, using: str = SCHEDULER) -> list[tuple[UUID, UUID]]:
    """Return the (firm, client) pairs that have a case due, in order."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT c.cabinet_id, c.client_id FROM unnest(%s::uuid[], %s::date[]) AS f(cabinet_id, night_on)"
            " JOIN dunning_dunningcase c ON c.cabinet_id = f.cabinet_id"
            " AND c.next_action_on IS NOT NULL AND c.next_action_on <= f.night_on GROUP BY 1, 2 ORDER BY 1, 2",
            [[night.cabinet.pk for night in nights], [night.on for night in nights]],
        )
        return list(cursor.fetchall())


def _firms(slug: str | None) -> Iterator[Cabinet]:
    rows = Cabinet.objects.using(SCHEDULER).only(*PLANNER_COLUMNS).order_by("pk")
    return (rows.filter(slug=slug) if slug else rows).iterator()


@contextmanager
def _alone() -> Iterator[bool]:
    """Hold the one lock of the night; it dies with the connection of a killed process."""
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_NIGHT_LOCK])
        taken = bool(cursor.fetchone()[0])
        try:
            yield taken
        finally:
            if taken and not connections[SCHEDULER].needs_rollback:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_NIGHT_LOCK])


def _open(nights: Sequence[FirmNight], *, using: str = SCHEDULER) -> list[FirmNight]:
    """Find or write each night's row in two statements; a night that was interrupted goes on where it stopped."""
    ids, days = [night.cabinet.pk for night in nights], [night.on for night in nights]
    with connections[using].cursor() as cursor:
        cursor.execute(
            'INSERT INTO dunning_nightlyrun (id, cabinet_id, "on", round, started_at, due, planned, awaiting, held,'
            " is_abnormal) SELECT n.id, n.cabinet_id, n.night_on, 1, %s, 0, 0, 0, 0, false"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::date[]) AS n(id, cabinet_id, night_on) ON CONFLICT DO NOTHING",
            [timezone.now(), [night.night_id for night in nights], ids, days],
        )
        cursor.execute(
            "SELECT r.cabinet_id, r.id, r.round, r.is_abnormal AND r.round = 1"
            " FROM unnest(%s::uuid[], %s::date[]) AS n(cabinet_id, night_on)"
            ' JOIN dunning_nightlyrun r ON r.cabinet_id = n.cabinet_id AND r."on" = n.night_on',
            [ids, days],
        )
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    return [
        replace(night, night_id=run_id, round=round_, is_abnormal=is_abnormal)
        for night in nights
        for run_id, round_, is_abnormal in [found[night.cabinet.pk]]
    ]


def _remember_abnormal(nights: Sequence[FirmNight]) -> None:
    """Write what was judged before anything is decided: what is left of an interrupted night looks ordinary."""
    unusual = [night.night_id for night in nights if night.is_abnormal]
    if unusual:
        NightlyRun.all_cabinets.using(SCHEDULER).filter(pk__in=unusual).update(is_abnormal=True)


def _close(nights: Sequence[FirmNight]) -> None:
    """Ask a person what must be asked, then call the nights finished: a night killed between two asks again."""
    _raise_tasks(nights)
    for night in nights:
        if night.is_abnormal:
            _ask_to_confirm(night)
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(
            "UPDATE dunning_nightlyrun r SET finished_at = %s, is_abnormal = n.is_abnormal"
            " FROM unnest(%s::uuid[], %s::boolean[]) AS n(id, is_abnormal) WHERE r.id = n.id",
            [timezone.now(), [night.night_id for night in nights], [night.is_abnormal for night in nights]],
        )


def _raise_tasks(nights: Sequence[FirmNight]) -> None:
    """Ask a person once: an unpaid provision past its last step, a J+10 that stayed 48 hours without an answer."""
    firms: dict[str, Any] = {
        "cabinets": [night.cabinet.pk for night in nights],
        "days": [night.on for night in nights],
        "answers": [kind.value for kind in ANSWERS],
    }
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(_PROVISION_TASKS, firms)
        cursor.execute(_SILENCE_TASKS, firms)


def _ask_to_confirm(night: FirmNight) -> None:
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(
            "INSERT INTO cabinets_task (id, cabinet_id, kind, state, subject_id, due_on, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [uuid4(), night.cabinet.pk, TaskKind.ABNORMAL_NIGHT, TaskState.OPEN, night.night_id, night.on, night.now],
        )
        cursor.execute(_TELL_OF_NIGHT, {
            "cabinet": night.cabinet.pk, "kind": NotificationKind.NIGHT, "task_kind": TaskKind.ABNORMAL_NIGHT,
            "night": night.night_id, "now": night.now, "roles": list(ACTING_ROLES),
        })  # fmt: skip


def _with_abnormal(nights: Sequence[FirmNight], targets: Sequence[tuple[UUID, UUID]]) -> list[FirmNight]:
    """Mark the nights that would say far more than usual: everything then waits for a person.

    A night is abnormal when its messages exceed 20 and either three times the median of the last ten nights or a
    quarter of the open cases. Most firms are cleared by the number of their due clients, which bounds the messages.
    """
    due = Counter(cabinet_id for cabinet_id, _ in targets)
    suspects = [night for night in nights if night.round == 1 and due[night.cabinet.pk] > ORDINARY_NIGHT]
    if not suspects:
        return list(nights)
    ids = {night.cabinet.pk for night in suspects}
    counted = _plan(suspects, [pair for pair in targets if pair[0] in ids], lambda done, total: None, write=False)
    usual, open_cases = _usual_messages(ids), _open_cases(ids)
    return [
        replace(
            night,
            is_abnormal=night.is_abnormal
            or (
                night.cabinet.pk in ids
                and is_abnormal(
                    messages=sum(counted[night.cabinet.pk].messages.values()),
                    usual=usual.get(night.cabinet.pk, []),
                    open_cases=open_cases.get(night.cabinet.pk, 0),
                )
            ),
        )
        for night in nights
    ]


def is_abnormal(*, messages: int, usual: Sequence[int], open_cases: int) -> bool:
    """Say whether a night's messages need a person: above 20, and above 3 × the usual median or 25 % of open cases."""
    if messages <= ORDINARY_NIGHT:
        return False
    median = statistics.median(usual) if usual else 0
    return messages > ABNORMAL_TIMES * median or messages > ABNORMAL_SHARE * open_cases


def _usual_messages(cabinet_ids: Collection[UUID]) -> dict[UUID, list[int]]:
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(
            "SELECT c.id, n.messages FROM unnest(%s::uuid[]) AS c(id) CROSS JOIN LATERAL ("
            " SELECT planned + awaiting AS messages FROM dunning_nightlyrun r WHERE r.cabinet_id = c.id"
            ' AND r.finished_at IS NOT NULL AND NOT r.is_abnormal ORDER BY r."on" DESC LIMIT %s) n',
            [list(cabinet_ids), NIGHTS_REMEMBERED],
        )
        usual: dict[UUID, list[int]] = {}
        for cabinet_id, messages in cursor.fetchall():
            usual.setdefault(cabinet_id, []).append(messages)
        return usual


def _open_cases(cabinet_ids: Collection[UUID]) -> dict[UUID, int]:
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(
            "SELECT cabinet_id, count(*) FROM invoices_invoice WHERE cabinet_id = ANY (%s) AND state = 'open'"
            " AND settled_cents < total_cents - credited_cents GROUP BY 1",
            [list(cabinet_ids)],
        )
        return dict(cursor.fetchall())


def _plan(
    nights: Sequence[FirmNight], targets: Sequence[tuple[UUID, UUID]], progress: Progress, *, write: bool = True
) -> dict[UUID, Tally]:
    tallies = {night.cabinet.pk: Tally(cases=Counter(), messages=Counter()) for night in nights}
    by_firm = {night.cabinet.pk: night for night in nights}
    for start in range(0, len(targets), CHUNK):
        chunk = targets[start : start + CHUNK]
        # Only the chunk's own firms: ten thousand firms in each statement would cost more than their rows.
        named = [by_firm[cabinet_id] for cabinet_id in dict.fromkeys(pair[0] for pair in chunk)]
        fixed = {**arrays_of(named), "write": write, "as_if_live": False}
        for cabinet_id, tally in _run(fixed, chunk).items():
            tallies[cabinet_id].cases.update(tally.cases)
            tallies[cabinet_id].messages.update(tally.messages)
        progress(min(start + CHUNK, len(targets)), len(targets))
    return tallies


def _run(fixed: dict[str, Any], chunk: Sequence[tuple[UUID, UUID]], *, using: str = SCHEDULER) -> dict[UUID, Tally]:
    """Decide one chunk and count it on its nights, in one transaction: a night killed between two counts each once."""
    firms, clients = [pair[0] for pair in chunk], [pair[1] for pair in chunk]
    tallies: dict[UUID, Tally] = {}
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(PLANNING_SQL, {**fixed, "t_cabinet": firms, "t_client": clients})
        for cabinet_id, code, cases, messages in cursor.fetchall():
            tally = tallies.setdefault(cabinet_id, Tally(cases=Counter(), messages=Counter()))
            tally.cases[Code(code)] += cases
            tally.messages[Code(code)] += messages
        if fixed["write"]:
            _count(cursor, dict(zip(fixed["f_cabinet"], fixed["f_night"], strict=True)), tallies)
    return tallies


def _count(cursor: Any, nights: dict[UUID, UUID], tallies: dict[UUID, Tally]) -> None:
    cursor.execute(
        "UPDATE dunning_nightlyrun n SET due = n.due + t.due, planned = n.planned + t.planned,"
        " awaiting = n.awaiting + t.awaiting, held = n.held + t.held"
        " FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::int[], %s::int[]) AS t(id, due, planned, awaiting, held)"
        " WHERE n.id = t.id",
        [
            [nights[cabinet_id] for cabinet_id in tallies],
            [sum(tally.cases.values()) for tally in tallies.values()],
            [tally.messages[Code.SEND] for tally in tallies.values()],
            [tally.messages[Code.NEEDS_APPROVAL] for tally in tallies.values()],
            [tally.held for tally in tallies.values()],
        ],
    )


def arrays_of(nights: Sequence[FirmNight]) -> dict[str, Any]:
    """Return the planner's parameters that stay the same from chunk to chunk."""
    return {**_firm_arrays(nights), **_opening_arrays(nights), **_words()}


def _words() -> dict[str, Any]:
    return {
        "spoken": [state.value for state in SPOKEN],
        "pending": [state.value for state in PENDING],
        "mail_spoken": [state.value for state in MAIL_SPOKEN],
        "answers": [kind.value for kind in ANSWERS],
        "written": [
            f"{tone}:{channel}" for tone in Tone for channel in Channel if has_text(tone=tone, channel=channel)
        ],
    }


def _firm_arrays(nights: Sequence[FirmNight]) -> dict[str, Any]:
    return {
        "f_cabinet": [night.cabinet.pk for night in nights],
        "f_on": [night.on for night in nights],
        "f_now": [night.now for night in nights],
        "f_abnormal": [night.is_abnormal for night in nights],
        "f_night": [night.night_id for night in nights],
        "f_round": [night.round for night in nights],
    }


def _opening_arrays(nights: Sequence[FirmNight]) -> dict[str, Any]:
    """Say, firm by firm, when a message may first leave for each territory; "" is a territory nobody knows."""
    rows = []
    for night in nights:
        window, home = window_of(night.cabinet), Territory(night.cabinet.territory)
        rows.append((night.cabinet.pk, "", opening(night.now, night.cabinet.zone_name, home, window)))
        rows += [(night.cabinet.pk, place, depart_at) for place, depart_at in _openings(night.now, window)]
    return {
        "o_cabinet": [row[0] for row in rows],
        "o_territory": [row[1] for row in rows],
        "o_depart": [row[2] for row in rows],
    }


def window_of(cabinet: Cabinet) -> SendWindow:
    """Return the hours and days at which a firm lets messages leave."""
    days = frozenset(int(digit) - 1 for digit in cabinet.weekdays)
    return SendWindow(opens=cabinet.opens_at, closes=cabinet.closes_at, weekdays=days)


@lru_cache(maxsize=256)
def _openings(now: dt.datetime, window: SendWindow) -> tuple[tuple[str, dt.datetime], ...]:
    """Return the next opening of every territory: thousands of firms share a few windows."""
    return tuple((place.value, opening(now, zone_of(place).key, place, window)) for place in Territory)


@lru_cache(maxsize=4096)
def opening(now: dt.datetime, zone_name: str, territory: Territory, window: SendWindow) -> dt.datetime:
    """Return the next instant at which a message may leave for a debtor of this zone and territory."""
    return next_opening(now, zone=ZoneInfo(zone_name), territory=territory, window=window)
