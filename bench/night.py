"""Time the night's planning against the bare insertion of the same rows, in the same run.

    bin/bench night --open 100000 --open 500000

Goals of performance.md: P1 (ratio to the floor at most 8), P5 (at most 3 statements a chunk + 20), P6 (at most 70
buffers a reminder), P7 (longest statement at most a tenth of the run), P8 (a second run writes nothing).
"""

import argparse
import datetime as dt
import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from django.db import connections, transaction

from bench.gen import Size, fill
from bench.ground import report, superuser
from dunning.services import nights

TODAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 3, 45, tzinfo=dt.UTC)
MADE = ("dunning_reminder", "dunning_reminderline", "dunning_decision")
RATIO_GOAL, BUFFERS_GOAL, LONGEST_GOAL, WOBBLE = 8.0, 70.0, 0.10, 1.5


@dataclass(slots=True)
class Count:
    """Statements sent while a block ran, and the longest of them in seconds."""

    statements: int = 0
    longest: float = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: object, many: bool, context: object) -> object:
        """Time one statement (Django's execute_wrapper)."""
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.statements += 1
            self.longest = max(self.longest, time.perf_counter() - began)


@dataclass(slots=True)
class Figures:
    """What one size gave: seconds, ratios, counts; `missed` names the goals that were not kept."""

    open_invoices: int
    settled: int
    due_cases: int
    reminders: int
    chunks: int
    ours_s: float
    floor_s: float
    ratio: float
    statements: int
    buffers_per_reminder: float
    longest_share: float
    second_run_cases: int
    memory_mb: float
    steady: bool
    missed: list[str] = field(default_factory=list)


def main() -> int:
    """Measure every size asked for; 1 when a goal is missed over a floor steady enough to judge."""
    parser = argparse.ArgumentParser(prog="bin/bench night", description=__doc__)
    parser.add_argument("--open", type=int, action="append", help="open invoices; give it once per size")
    parser.add_argument("--settled", type=int, default=0, help="settled invoices beside them")
    parser.add_argument("--pairs", type=int, default=4, help="floor and ours in turn; the first pair is dropped")
    options = parser.parse_args()
    sizes = [Size(number, settled=options.settled) for number in options.open or [100_000, 500_000]]
    rows = [measure(size, pairs=options.pairs) for size in sizes]
    report("night", [asdict(row) for row in rows])
    return int(any(row.missed for row in rows))


def measure(size: Size, *, pairs: int) -> Figures:
    """Fill, time the night and the floor in turn on the same rows, and judge."""
    with psycopg.connect(superuser()) as connection:
        began = time.perf_counter()
        fill(connection, size=size, today=TODAY)
        print(
            f"{size.open_invoices:,} open at {size.firms:,} firms: made in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
        due = remember(connection)
        ours, floors, count = [], [], Count()
        for _ in range(pairs):
            reset(connection)
            count = Count()
            ours.append(run_night(count))
            floors.append(run_floor(connection))
        again = sum(sum(tally.cases.values()) for tally in nights.evaluate(nights.firms_due(now=NOW)).values())
        reminders = scalar(connection, "SELECT count(*) FROM dunning_reminder")
        reset(connection)
    ours, floors = ours[1:] or ours, floors[1:] or floors
    figures = Figures(
        open_invoices=size.open_invoices,
        settled=size.settled,
        due_cases=due,
        reminders=reminders,
        chunks=-(-len(targets()) // nights.CHUNK),
        ours_s=round(statistics.median(ours), 3),
        floor_s=round(statistics.median(floors), 3),
        ratio=round(statistics.median(ours) / statistics.median(floors), 2),
        statements=count.statements,
        buffers_per_reminder=round(buffers_per_reminder(), 1),
        longest_share=round(count.longest / ours[-1], 3),
        second_run_cases=again,
        memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        steady=statistics.median(floors) / min(floors) <= WOBBLE,
    )
    figures.missed = missed(figures, firms=size.firms)
    return figures


def missed(figures: Figures, *, firms: int) -> list[str]:
    """Name the goals these figures miss; times are judged only over a steady floor."""
    per_firm = 3 * firms  # the night of each firm is opened, read and closed
    rules = {
        "P1": figures.steady and figures.ratio > RATIO_GOAL,
        "P5": figures.statements > 3 * figures.chunks + 20 + per_firm,
        "P6": figures.buffers_per_reminder > BUFFERS_GOAL,
        "P7": figures.chunks >= 1 / LONGEST_GOAL and figures.longest_share > LONGEST_GOAL,
        "P8": figures.second_run_cases > 0,
    }
    return [name for name, is_missed in rules.items() if is_missed]


def remember(connection: psycopg.Connection[Any]) -> int:
    """Keep the days of the cases, to put them back before each run; return how many are due."""
    connection.execute("DROP TABLE IF EXISTS bench_case")
    connection.execute(
        "CREATE TABLE bench_case AS SELECT id, next_action_on FROM dunning_dunningcase WHERE next_action_on <= %s",
        [TODAY],
    )
    connection.commit()
    return scalar(connection, "SELECT count(*) FROM bench_case")


def reset(connection: psycopg.Connection[Any]) -> None:
    """Undo a night: the same cases are due again, and nothing was ever said."""
    connection.execute("TRUNCATE dunning_reminder, dunning_reminderline, dunning_decision, dunning_nightlyrun CASCADE")
    connection.execute(
        "UPDATE dunning_dunningcase c SET next_action_on = b.next_action_on, code = ''"
        " FROM bench_case b WHERE b.id = c.id"
    )
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE dunning_dunningcase")
    connection.autocommit = False


def run_night(count: Count) -> float:
    """Run the night as the beat does, all walls up; return its seconds."""
    with connections[nights.SCHEDULER].execute_wrapper(count):
        began = time.perf_counter()
        nights.evaluate(nights.firms_due(now=NOW))
        return time.perf_counter() - began


def run_floor(connection: psycopg.Connection[Any]) -> float:
    """Insert the rows the night made into twins with the same indexes and no wall; return the seconds."""
    for table in MADE:
        connection.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
    connection.commit()
    began = time.perf_counter()
    for table in MADE:
        connection.execute(f"INSERT INTO bench_{table} SELECT * FROM {table}")
    connection.commit()
    took = time.perf_counter() - began
    for table in MADE:
        connection.execute(f"DROP TABLE bench_{table}")
    connection.commit()
    return took


def targets() -> list[Any]:
    """Return the clients who have a case due."""
    return nights.due_clients(nights.firms_due(now=NOW))


def buffers_per_reminder() -> float:
    """Explain one chunk for real and roll it back: pages touched over reminders made (no noise in it)."""
    chunk = targets()[: nights.CHUNK]
    named = {pair[0] for pair in chunk}
    firms = [night for night in nights.firms_due(now=NOW) if night.cabinet.pk in named]
    night = {**nights.arrays_of(firms), "write": True, "as_if_live": False}
    pairs = {"t_cabinet": [pair[0] for pair in chunk], "t_client": [pair[1] for pair in chunk]}
    with transaction.atomic(using=nights.SCHEDULER), connections[nights.SCHEDULER].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {nights.PLANNING_SQL}", {**night, **pairs})
        (plan,) = cursor.fetchone()
        transaction.set_rollback(True, using=nights.SCHEDULER)
    tree = plan if isinstance(plan, list) else json.loads(plan)
    top = tree[0]["Plan"]
    made = sum(
        node["Actual Rows"]
        for node in walk(top)
        if node.get("Relation Name") == "dunning_reminder" and node["Node Type"] == "ModifyTable"
    )
    return float((top["Shared Hit Blocks"] + top["Shared Read Blocks"]) / max(made, 1))


def walk(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a plan's nodes, the node first."""
    return [node, *(inner for child in node.get("Plans", []) for inner in walk(child))]


def scalar(connection: psycopg.Connection[Any], sql: str) -> int:
    """Return the one number a query answers."""
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    raise SystemExit(main())
