"""Processes die at every step of sending and planning: nothing is said twice, nothing is lost in silence."""

import datetime as dt
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connections

from cabinets.models import Cabinet, Task
from cabinets.scoping import working_for
from dunning.enums import ReminderState
from dunning.models import Decision, DunningCase, MailServer, NightlyRun, Reminder, ReminderLine
from dunning.services import dispatch, nights
from tests.conftest import NOW
from tests.dunning.crash_worker import NIGHT_POINTS, SEND_POINTS
from tests.dunning.worlds import draw_firm
from tests.factories.cabinets import make_cabinet
from tests.factories.dunning import make_reminder
from tests.factories.invoices import TODAY
from tests.mail_sink import RCPT, Behaviour, Reply, SmtpSink

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

ROOT = Path(__file__).resolve().parents[2]
BOOT = "import sys, django; django.setup(); from tests.dunning import crash_worker; crash_worker.main(*sys.argv[1:])"
KILLED = -9
# Two processes send side by side at each round, and both are killed.
ROUNDS_PER_POINT = 10
PLANNED = 620
PAID = 120


class Worker:
    """The preloaded process that forks the children."""

    def __init__(self, stamps: Path) -> None:
        self.stamps = stamps
        self._process = subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-c", BOOT, str(connections["default"].settings_dict["NAME"]), str(stamps), f"{NOW}"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, *orders: dict[str, Any]) -> None:
        """Fork one child for each of these orders, side by side."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(orders, default=str) + "\n")
        self._process.stdin.flush()

    def wait(self) -> list[int]:
        """Return what ended the children: 0, or minus the signal."""
        assert self._process.stdout is not None
        return list(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(timeout=60) == 0

    def read_stamps(self, kind: str) -> dict[UUID, tuple[int, int]]:
        """Return the last stamp of a kind for each subject: the process, and the instant."""
        found = {}
        for line in self.stamps.read_text(encoding="utf-8").splitlines() if self.stamps.exists() else []:
            word, subject, process, instant = line.split()
            if word == kind:
                found[UUID(subject)] = (int(process), int(instant))
        return found


@contextmanager
def worker(stamps: Path) -> Iterator[Worker]:
    running = Worker(stamps)
    try:
        yield running
    finally:
        running.close()


def refusals(count: int) -> list[Behaviour | None]:
    """Refuse an address for good now and then, and for a while now and then."""
    return [
        Reply("550 5.1.1 no such user") if number % 19 == 7 else Reply("451 4.3.0 later") if number % 23 == 11 else None
        for number in range(count)
    ]


def test_sends_nothing_twice_and_loses_nothing_through_hundreds_of_kills(tmp_path: Path) -> None:
    draw = random.Random(2)
    with SmtpSink() as sink:
        firm = make_cabinet(daily_cap=1_000_000)
        with working_for(cabinet_id=firm.pk):
            MailServer(host=sink.host, port=sink.port, security="none", sender=firm.email).save(force_insert=True)
            planned = [make_reminder().pk for _ in range(PLANNED)]
            to_pay = invoices_of(draw.sample(planned[1:], PAID))
        sink.on(RCPT, *refusals(PLANNED))
        with worker(tmp_path / "stamps") as running, worker(tmp_path / "stamps") as payer:
            payments = [(invoice, draw.choice([144_000, 50_000])) for invoice in to_pay]
            payer.start({"do": "pay", "cabinet": firm.pk, "payments": payments, "pause": 0.4, "seed": 3})
            kills = kill_again_and_again(running, firm, planned[0], draw)
            assert payer.wait() == [0]
            claims, payments_made = running.read_stamps("claim"), running.read_stamps("paid")
        tell_what_expired(firm)
        drain(firm)

        assert sum(kills.values()) >= 300
        assert min(kills[point] for point in SEND_POINTS if point != "at random") >= ROUNDS_PER_POINT
        with working_for(cabinet_id=firm.pk):
            judge(sink, planned, claims, payments_made)


def kill_again_and_again(running: Worker, firm: Cabinet, first: UUID, draw: random.Random) -> Counter[str]:
    """Send what is due in two processes at a time, each killed at its point; return the kills at each point."""
    kills: Counter[str] = Counter()
    # One message by the parent itself: its children find every text and template loaded.
    running.start({"do": "send", "cabinet": firm.pk, "reminders": [first], "here": True})
    assert running.wait() == []
    points = [point for point in SEND_POINTS for _ in range(2 * ROUNDS_PER_POINT)]
    draw.shuffle(points)
    for pair in zip(points[::2], points[1::2], strict=True):
        ids = dispatch.due_reminders(now=NOW).get(firm.pk, [])
        orders = [
            {
                "do": "send",
                "cabinet": firm.pk,
                # The same reminders for both, in another order: they meet.
                "reminders": draw.sample(ids[:12], len(ids[:12])),
                "point": point,
                "passage": draw.choice([1, 1, 2]) + (2 if "commit" in point and "a commit" in point else 0),
                "after": draw.uniform(0.01, 0.12),
            }
            for point in pair
        ]
        running.start(*orders)
        for point, end in zip(pair, running.wait(), strict=True):
            assert end in {0, KILLED}
            kills[point] += end == KILLED
    return kills


def tell_what_expired(firm: Cabinet) -> None:
    """Let the leases run out, and ask a person about what was claimed and never recorded."""
    later = NOW + dt.timedelta(minutes=3)
    with time_machine.travel(later, tick=False):
        expired = dispatch.expired_claims(now=later)[firm.pk]
        assert dispatch.settle_expired(cabinet_id=firm.pk, reminder_ids=expired, now=later) == len(expired)


def drain(firm: Cabinet) -> None:
    """Send the rest as on any day, a quarter of an hour after another."""
    for quarters in range(1, 12):
        later = NOW + dt.timedelta(minutes=15 * quarters + 1)
        with time_machine.travel(later, tick=False):
            if ids := dispatch.due_reminders(now=later).get(firm.pk, []):
                dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=ids)


def invoices_of(reminder_ids: list[UUID]) -> list[UUID]:
    lines = ReminderLine.objects.filter(reminder__in=reminder_ids)
    return list(lines.order_by("invoice__number").values_list("invoice_id", flat=True))


def judge(
    sink: SmtpSink,
    planned: list[UUID],
    claims: dict[UUID, tuple[int, int]],
    payments: dict[UUID, tuple[int, int]],
) -> None:
    """Count everything, exactly."""
    states = dict(Reminder.objects.values_list("pk", "state"))
    kept = Counter(UUID(identifier.strip("<>").split("@")[0]) for identifier in sink.message_ids.elements())
    by_state = Counter(states.values())
    sent, unknown = set(of(states, ReminderState.ACCEPTED)), set(of(states, ReminderState.UNKNOWN))

    assert max(kept.values()) == 1
    assert set(states) == set(planned)
    assert set(by_state) == {
        ReminderState.ACCEPTED,
        ReminderState.UNKNOWN,
        ReminderState.REJECTED,
        ReminderState.CANCELLED,
    }
    assert sent <= set(kept) <= sent | unknown
    # Both kinds of doubt were met: the message left, and it did not.
    assert unknown & set(kept)
    assert unknown - set(kept)
    asked = Task.objects.filter(kind="unknown_outcome", state="open").values_list("subject_id", flat=True)
    assert Counter(asked) == Counter(unknown)
    # A killed process leaves one doubt at most.
    assert max(Counter(claims[reminder][0] for reminder in unknown).values()) == 1
    lines = dict(ReminderLine.objects.values_list("invoice_id", "reminder_id"))
    crossed = [
        invoice
        for invoice, (_, paid_at) in payments.items()
        if lines[invoice] in kept and claims[lines[invoice]][1] > paid_at
    ]
    assert len(payments) == PAID
    assert crossed == []
    assert sum(states[lines[invoice]] == ReminderState.CANCELLED for invoice in payments) == by_state["cancelled"]


def of(states: dict[UUID, str], state: ReminderState) -> list[UUID]:
    return [reminder for reminder, found in states.items() if found == state]


@pytest.mark.parametrize("ordinary", [10_000, 3], ids=["ordinary night", "abnormal night"])
def test_plans_the_same_night_however_often_it_is_killed(
    tmp_path: Path, ordinary: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights, "ORDINARY_NIGHT", ordinary)
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        draw_firm(firm, seed=5, clients=60)
        before = list(DunningCase.objects.order_by("pk").values_list("pk", "next_action_on", "code"))
        known = list(Reminder.objects.values_list("pk", flat=True))
    tonight = nights.FirmNight(cabinet=firm, on=TODAY, now=NOW)
    nights.evaluate([tonight])
    undisturbed = picture(firm)
    forget_tonight(before, known)
    order = {"do": "night", "cabinet": firm.pk, "on": TODAY.isoformat(), "ordinary": ordinary}

    with worker(tmp_path / "stamps") as running:
        for point in NIGHT_POINTS:
            kills = 0
            # Each kill strikes the night that the former ones left half done.
            for passage in (1, 3, 2) if "chunk" in point else (1,):
                running.start({**order, "point": point, "passage": passage})
                kills += running.wait() == [KILLED]
            running.start(order)
            assert running.wait() == [0]

            assert kills == (3 if "chunk" in point else 1)
            assert picture(firm) == undisturbed
            forget_tonight(before, known)


def picture(firm: Cabinet) -> dict[str, object]:
    """Return everything a night leaves, without the ids it draws."""
    with working_for(cabinet_id=firm.pk):
        run = NightlyRun.objects.get(on=TODAY)
        reminders = Reminder.objects.filter(night=run)
        return {
            "night": (run.round, run.due, run.planned, run.awaiting, run.held, run.is_abnormal, bool(run.finished_at)),
            "decisions": sorted(
                Decision.objects.values_list("invoice_id", "on", "round", "code", "rank", "again_on", "facts"),
                key=lambda row: (str(row[0]), row[1], row[2]),
            ),
            "reminders": sorted(
                (str(one.client_id), one.state, one.rank, one.channel, one.total_cents, one.depart_at, one.reasons)
                for one in reminders
            ),
            "lines": sorted(
                (str(line.invoice_id), line.rank, line.is_claimed, line.owed_cents, line.counts)
                for line in ReminderLine.objects.filter(reminder__in=reminders)
            ),
            "cases": list(DunningCase.objects.order_by("pk").values_list("pk", "next_action_on", "code")),
            "asked": sorted(Task.objects.values_list("kind", "client_id", "due_on"), key=str),
        }


def forget_tonight(before: list[tuple[UUID, dt.date | None, str]], known: list[UUID]) -> None:
    """Give the firm back the eve it had, as the owner, whom no wall stops for a moment."""
    walled = ("dunning_reminder", "dunning_nightlyrun", "cabinets_task", "dunning_dunningcase")
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE dunning_decision, dunning_reminderline")
        for table in walled:
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        cursor.execute("DELETE FROM dunning_reminder WHERE NOT id = ANY (%s)", [known])
        cursor.execute('DELETE FROM dunning_nightlyrun WHERE "on" = %s', [TODAY])
        cursor.execute("DELETE FROM cabinets_task")
        cursor.executemany(
            "UPDATE dunning_dunningcase SET next_action_on = %s, code = %s WHERE id = %s",
            [(day, code, pk) for pk, day, code in before],
        )
        for table in walled:
            cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
