"""Processes die at every step of sending and planning: nothing is said twice, nothing is lost in silence."""

import datetime as dt
import random
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections

from cabinets.models import Cabinet, Task
from cabinets.scoping import working_for
from dunning.models import Decision, DunningCase, MailServer, NightlyRun, Reminder, ReminderLine
from dunning.services import nights
from tests.conftest import NOW
from tests.dunning.crash_worker import ANY_TIME, EMAIL_POINTS, NIGHT_POINTS
from tests.dunning.crashing import KILLED, Storm, due, judge, let_time_pass, pay_some, worker
from tests.dunning.worlds import draw_firm
from tests.factories.cabinets import make_cabinet
from tests.factories.dunning import make_reminder
from tests.factories.invoices import TODAY
from tests.mail_sink import RCPT, Behaviour, Reply, SmtpSink

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

# Two processes send side by side at each round, and both are killed.
ROUNDS_PER_POINT = 10
PLANNED = 620
PAID = 120


def refusals(count: int) -> list[Behaviour | None]:
    """Refuse an address for good now and then, and for a while now and then."""
    return [
        Reply("550 5.1.1 no such user") if number % 19 == 7 else Reply("451 4.3.0 later") if number % 23 == 11 else None
        for number in range(count)
    ]


def test_sends_nothing_twice_and_loses_nothing_through_hundreds_of_kills(tmp_path: Path) -> None:
    draw = random.Random(2)
    with SmtpSink() as sink, worker(tmp_path / "stamps") as running:
        firm = make_cabinet(daily_cap=1_000_000)
        with working_for(cabinet_id=firm.pk):
            MailServer(host=sink.host, port=sink.port, security="none", sender=firm.email).save(force_insert=True)
            planned = [make_reminder().pk for _ in range(PLANNED)]
            payments = pay_some(planned[1:], PAID, draw)
        sink.on(RCPT, *refusals(PLANNED))
        storm = Storm(
            order={"do": "send", "cabinet": firm.pk},
            points=EMAIL_POINTS,
            per_point=ROUNDS_PER_POINT,
            first=planned[0],
            to_do=lambda: due(firm),
            payments=payments,
        )
        kills = storm.rage(running, draw)
        let_time_pass()

        assert kills.at.total() >= 300
        assert min(kills.at[point] for point in EMAIL_POINTS if point != ANY_TIME) >= ROUNDS_PER_POINT
        kept = Counter(UUID(identifier.strip("<>").split("@")[0]) for identifier in sink.message_ids.elements())
        with working_for(cabinet_id=firm.pk):
            ends = judge(kept=kept, planned=planned, running=running, kills=kills, paid=PAID)
        # Both kinds of doubt were met: the message left, and it did not.
        assert ends.unknown & ends.kept
        assert ends.unknown - ends.kept


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
                kills += running.ends() == [KILLED]
            running.start(order)
            assert running.ends() == [0]

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
