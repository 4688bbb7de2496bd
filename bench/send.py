"""Time the sending of reminders against two floors of the same messages, in the same run.

    bin/bench send --messages 200 --pairs 4

(a) the same bytes through smtplib, one connection; (b) the same messages written from objects in memory and sent, no
database. Goals of performance.md: D1 (ours ÷ b at least 0.65), D2 (with 10 ms a reply, ours ÷ what the processor and
the round trips allow, at least 0.6).
"""

import argparse
import datetime as dt
import gc
import logging
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import time_machine
from django.conf import settings
from django.db import connection, connections

from bench.floors.smtp import send_bare, serving
from bench.gen import TABLES
from bench.ground import report, superuser
from cabinets.models import Cabinet
from cabinets.scoping import acting_for, working_for
from dunning.channels.protocol import Outgoing
from dunning.channels.smtp import SmtpChannel
from dunning.channels.smtp.settings import Security, SmtpSettings
from dunning.models import MailServer, Reminder, ReminderLine
from dunning.services import composing, dispatch
from dunning.services.claiming import Checked
from templates_lib.email import Envelope, build_message
from tests.clocks import sign_scopes_by_it
from tests.factories.cabinets import make_cabinet
from tests.factories.dunning import make_reminder

# A Tuesday at 10:30 in Paris: messages leave.
NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
D1_GOAL, D2_GOAL, WOBBLE = 0.65, 0.6, 1.5
SLOW_REPLY = 0.010
ROUND_TRIPS = 4
CONNECTIONS = 16

_RESET = (
    "UPDATE dunning_reminder SET state = 'planned', generation = 0, lease_until = NULL, attempts = 0, spoken_at = NULL,"
    " spoken_on = NULL, message_id = '', provider_code = ''",
    "UPDATE dunning_dunningcase SET next_rank = 1, last_step_on = NULL, next_action_on = NULL",
    "TRUNCATE cabinets_journalentry",
)


class Statements:
    """Count the statements sent while a block runs."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: object, many: bool, context: object) -> object:
        """Count one statement (Django's execute_wrapper)."""
        self.count += 1
        return execute(sql, params, many, context)


def main() -> int:
    """Print and keep the figures; return 1 when a goal is missed."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--messages", type=int, default=200)
    reader.add_argument("--pairs", type=int, default=4, help="pairs of runs kept, after one that is dropped")
    given = reader.parse_args()
    logging.disable(logging.WARNING)
    sign_scopes_by_it()
    with psycopg.connect(superuser()) as admin, time_machine.travel(NOW, tick=True):
        settings.DEMO_CATCHER = ""
        admin.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
        admin.commit()
        firm, ids = prepare(given.messages)
        rows = [quick(admin, firm, ids, given.pairs)]
        rows.append(slow(admin, firm, ids, given.pairs, rows[0]["ours_threads_per_s"]))
        admin.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
        admin.commit()
    report("send", rows)
    return 1 if any(row["missed"] for row in rows) else 0


def prepare(count: int) -> tuple[Cabinet, list[UUID]]:
    """Make a firm with a reminder to send for each of so many debtors."""
    firm = make_cabinet(daily_cap=1_000_000)
    with working_for(cabinet_id=firm.pk):
        MailServer(host="127.0.0.1", port=1, security="none", sender=firm.email).save(force_insert=True)
        return firm, [make_reminder().pk for _ in range(count)]


def quick(admin: psycopg.Connection[Any], firm: Cabinet, ids: Sequence[UUID], pairs: int) -> dict[str, Any]:
    """Measure D1 against a server that answers at once."""
    taken: dict[str, list[float]] = {"bare": [], "memory": [], "ours": [], "threads": []}
    statements = Statements()
    with serving() as server:
        listen(firm, server.port)
        ready = written(firm, ids)
        messages = [outgoing for *_, outgoing in ready]
        for _ in range(pairs + 1):
            taken["bare"].append(clocked(lambda: send_bare(messages, port=server.port)))
            taken["memory"].append(clocked(lambda: send_from_memory(firm, ready, server.port)))
            reset(admin)
            with connection.execute_wrapper(statements):
                taken["ours"].append(clocked(lambda: expect(send(firm, ids), len(ids))))
            reset(admin)
            taken["threads"].append(clocked(lambda: expect(send_in_threads(firm, ids), len(ids))))
    median = {name: statistics.median(times[1:]) for name, times in taken.items()}
    steady = max(median[name] / min(taken[name][1:]) for name in ("bare", "memory")) <= WOBBLE
    ratio = median["memory"] / median["ours"]
    return {
        "case": "the server answers at once",
        "messages": len(ids),
        "bare_smtplib_per_s": round(len(ids) / median["bare"], 1),
        "from_memory_per_s": round(len(ids) / median["memory"], 1),
        "ours_per_s": round(len(ids) / median["ours"], 1),
        "ours_threads_per_s": round(len(ids) / median["threads"], 1),
        "ours_to_bare": round(median["bare"] / median["ours"], 3),
        "D1_ours_to_memory": round(ratio, 3),
        "statements_per_message": round(statements.count / (len(ids) * (pairs + 1)), 1),
        "kept_twice": server.kept[1] > 4 * (pairs + 1),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "steady": steady,
        "missed": ["D1"] if steady and ratio < D1_GOAL else [],
    }


def slow(
    admin: psycopg.Connection[Any], firm: Cabinet, ids: Sequence[UUID], pairs: int, processor: float
) -> dict[str, Any]:
    """Measure D2 against a server that takes 10 ms for each reply."""
    times = []
    with serving(delay=SLOW_REPLY) as server:
        listen(firm, server.port)
        for _ in range(pairs + 1):
            reset(admin)
            times.append(clocked(lambda: expect(send_in_threads(firm, ids), len(ids))))
    rate = len(ids) / statistics.median(times[1:])
    allowed = min(processor, CONNECTIONS / (ROUND_TRIPS * SLOW_REPLY))
    steady = statistics.median(times[1:]) / min(times[1:]) <= WOBBLE
    return {
        "case": "10 ms for each reply",
        "connections": CONNECTIONS,
        "ours_per_s": round(rate, 1),
        "allowed_per_s": round(allowed, 1),
        "D2_ours_to_allowed": round(rate / allowed, 3),
        "steady": steady,
        "missed": ["D2"] if steady and rate / allowed < D2_GOAL else [],
    }


Ready = tuple[Reminder, list[ReminderLine], str, Outgoing]


def written(firm: Cabinet, ids: Sequence[UUID]) -> list[Ready]:
    """Load everything a message is written from, and write each once."""
    ready = []
    with working_for(cabinet_id=firm.pk):
        sender = composing.Sender(address=firm.email)
        for reminder in Reminder.objects.filter(pk__in=list(ids)).select_related("client", "contact", "step"):
            lines = list(ReminderLine.objects.filter(reminder=reminder).select_related("invoice__dossier", "case"))
            said = composing.write_email(Checked(reminder, firm, lines, NOW), sender=sender)
            ready.append((reminder, lines, composing.link_of(reminder), said.payload))
    return ready


def send_from_memory(firm: Cabinet, ready: Sequence[Ready], port: int) -> None:
    """Write and send each message from what was loaded before."""
    channel = SmtpChannel(SmtpSettings(host="127.0.0.1", port=port, security=Security.NONE))
    with acting_for(cabinet_id=firm.pk), channel.open() as session:
        for reminder, lines, link, was in ready:
            composed = composing.compose(reminder=reminder, cabinet=firm, claimed=lines, mentioned=(), link=link)
            envelope = Envelope(
                sender_name=firm.name,
                sender_address=firm.email,
                recipient=was.recipient,
                reply_to=firm.email,
                message_id=was.message_id,
                sent_at=NOW,
                references=(),
                feedback_id=f"{reminder.rank}:{firm.slug}:quittance",
            )
            message = build_message(composed, envelope).as_bytes()
            outcome = session.send(
                Outgoing(message=message, recipient=was.recipient, envelope_from=firm.email, message_id=was.message_id)
            )
            assert outcome.is_accepted


def send(firm: Cabinet, ids: Sequence[UUID]) -> Counter[str]:
    """Send in batches, as the tasks do."""
    tally: Counter[str] = Counter()
    for start in range(0, len(ids), dispatch.BATCH):
        tally += dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=ids[start : start + dispatch.BATCH])
    return tally


def send_in_threads(firm: Cabinet, ids: Sequence[UUID]) -> Counter[str]:
    """Send over several connections at once, one a thread."""

    def work(share: Sequence[UUID]) -> Counter[str]:
        try:
            return dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=share)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return sum(pool.map(work, [ids[start::CONNECTIONS] for start in range(CONNECTIONS)]), Counter())


def listen(firm: Cabinet, port: int) -> None:
    """Point the firm's server at this port."""
    with working_for(cabinet_id=firm.pk):
        MailServer.objects.update(port=port)


def reset(admin: psycopg.Connection[Any]) -> None:
    """Put every reminder back where it was planned."""
    for statement in _RESET:
        admin.execute(statement)
    admin.commit()


def clocked(act: Callable[[], object]) -> float:
    """Return the seconds an act takes."""
    gc.collect()
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def expect(tally: Counter[str], count: int) -> None:
    """Refuse to time anything but so many messages accepted."""
    assert tally == Counter(accepted=count), tally


if __name__ == "__main__":
    raise SystemExit(main())
