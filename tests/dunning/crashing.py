"""What the tests that kill share: the workers, the rounds of kills, the product's own recovery, and the count of it."""

import datetime as dt
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connections

from cabinets.models import Cabinet, Task
from dunning import tasks
from dunning.enums import ReminderState
from dunning.models import Reminder, ReminderLine
from dunning.services import dispatch
from tests.conftest import NOW

ROOT = Path(__file__).resolve().parents[2]
BOOT = "import sys, django; django.setup(); from tests.dunning import crash_worker; crash_worker.main(*sys.argv[1:])"
KILLED = -9
SHARE = 12
AMOUNTS = (144_000, 50_000)
# The first commits of a batch only read.
LATE_COMMITS: Mapping[str, Sequence[int]] = {"before a commit": (3, 3, 4), "after a commit": (3, 3, 4)}

Stamps = dict[UUID, tuple[int, int]]


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

    def wait(self) -> list[tuple[int, int]]:
        """Return the number of each child, and what ended it: 0, or minus the signal."""
        assert self._process.stdout is not None
        return [(child, end) for child, end in json.loads(self._process.stdout.readline())]

    def ends(self) -> list[int]:
        """Return what ended the children."""
        return [end for _, end in self.wait()]

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(timeout=60) == 0

    def read_stamps(self, kind: str) -> Stamps:
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


@dataclass(slots=True)
class Kills:
    """How many died at each point, and which processes."""

    at: Counter[str] = field(default_factory=Counter)
    processes: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Rounds of two processes that do the same work side by side, each killed at its point; others pay meanwhile."""

    order: dict[str, Any]
    points: Sequence[str]
    per_point: int
    first: UUID
    to_do: Callable[[], list[UUID]]
    passages: Mapping[str, Sequence[int]] = field(default_factory=lambda: LATE_COMMITS)
    payments: Sequence[tuple[UUID, int]] = ()

    def rage(self, running: Worker, draw: random.Random) -> Kills:
        """Kill again and again; return the kills."""
        kills = Kills()
        # One message by the parent itself: its children find every text and template loaded.
        running.start({**self.order, "reminders": [self.first], "here": True})
        assert running.wait() == []
        points = [point for point in self.points for _ in range(2 * self.per_point)]
        draw.shuffle(points)
        rounds = len(points) // 2
        for number, pair in enumerate(zip(points[::2], points[1::2], strict=True)):
            ids = self.to_do()[:SHARE]
            # The same reminders for both, in another order: they meet.
            orders = [self._order(point, draw.sample(ids, len(ids)), draw) for point in pair]
            if paid := self.payments[number::rounds]:
                orders.append(
                    {"do": "pay", "cabinet": self.order["cabinet"], "payments": paid, "pause": 0.1, "seed": number}
                )
            running.start(*orders)
            for (child, end), point in zip(running.wait(), [*pair, "pay"], strict=False):
                assert end == 0 if point == "pay" else end in {0, KILLED}
                if end == KILLED:
                    kills.at[point] += 1
                    kills.processes.add(child)
        return kills

    def _order(self, point: str, ids: list[UUID], draw: random.Random) -> dict[str, Any]:
        passage = draw.choice(self.passages.get(point, (1, 1, 2)))
        return {**self.order, "reminders": ids, "point": point, "passage": passage, "after": draw.uniform(0.01, 0.12)}


def due(firm: Cabinet) -> list[UUID]:
    """Return what the sweep would send now."""
    return dispatch.due_reminders(now=NOW).get(firm.pk, [])


def let_time_pass(*, hours: int = 3) -> None:
    """Let the product run by itself: leases run out, doubts are looked up or shown to a person, the rest is sent."""
    with pytest.MonkeyPatch.context() as patch:
        for task in (tasks.send_reminders, tasks.poll_letters):
            patch.setattr(task, "delay", task.run)
        for minutes in (3, *range(16, 60 * hours, 15)):
            with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
                tasks.sweep()
                tasks.follow_letters()


def invoices_of(reminder_ids: Sequence[UUID]) -> list[UUID]:
    """Return the invoices of these reminders."""
    lines = ReminderLine.objects.filter(reminder__in=reminder_ids)
    return list(lines.order_by("invoice__number").values_list("invoice_id", flat=True))


def pay_some(planned: Sequence[UUID], count: int, draw: random.Random) -> list[tuple[UUID, int]]:
    """Draw the invoices that will be paid, whole or in part."""
    return [(invoice, draw.choice(AMOUNTS)) for invoice in invoices_of(draw.sample(planned, count))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What became of every reminder."""

    sent: set[UUID]
    unknown: set[UUID]
    kept: set[UUID]


def judge(*, kept: Counter[UUID], planned: Sequence[UUID], running: Worker, kills: Kills, paid: int) -> Ends:
    """Count everything, exactly: what the provider kept, and what the product says of it."""
    # What accompanies a message that left is another story.
    states = dict(Reminder.objects.filter(accompanies=None).values_list("pk", "state"))
    by_state = Counter(states.values())
    sent, unknown = (
        {reminder for reminder, state in states.items() if state == wanted}
        for wanted in (ReminderState.ACCEPTED, ReminderState.UNKNOWN)
    )
    claims, payments = running.read_stamps("claim"), running.read_stamps("paid")
    lines = dict(ReminderLine.objects.values_list("invoice_id", "reminder_id"))

    assert max(kept.values()) == 1
    assert set(states) == set(planned)
    assert set(by_state) == {
        ReminderState.ACCEPTED,
        ReminderState.UNKNOWN,
        ReminderState.REJECTED,
        ReminderState.CANCELLED,
    }
    assert sent <= set(kept) <= sent | unknown
    asked = Task.objects.filter(kind="unknown_outcome", state="open").values_list("subject_id", flat=True)
    assert Counter(asked) == Counter(unknown)
    # A killed process leaves one doubt at most, and nobody else leaves any.
    doubts = Counter(claims.get(reminder, (0, 0))[0] for reminder in unknown)
    assert max(doubts.values()) == 1
    assert set(doubts) <= kills.processes
    paid_here = {invoice: at for invoice, (_, at) in payments.items() if invoice in lines}
    assert len(paid_here) == paid
    assert crossed(set(kept), claims, paid_here, lines) == []
    assert sum(states[lines[invoice]] == ReminderState.CANCELLED for invoice in paid_here) == by_state["cancelled"]
    return Ends(sent=sent, unknown=unknown, kept=set(kept))


def crossed(left: set[UUID], claims: Stamps, paid: Mapping[UUID, int], lines: Mapping[UUID, UUID]) -> list[UUID]:
    """Return the invoices whose reminder left though it was claimed after their payment was recorded.

    What bears no stamp was claimed by the test itself, once every payment was made.
    """
    nobody = (0, sys.maxsize)
    return [
        invoice for invoice, at in paid.items() if lines[invoice] in left and claims.get(lines[invoice], nobody)[1] > at
    ]
