"""Time the dashboard of a big firm against a page that asks the database for 1, and against a small firm's.

    bin/bench dashboard --invoices 50000 --small 2000 --turns 20 --pairs 5

Goals of performance.md: B1 (at most 15 times the floor, at p50 and at p95), B2 (the big firm at most 1.5 times the
small one). B3's count of queries is printed beside.
"""

import argparse
from dataclasses import asdict
from typing import Any

from bench.desk import Times, connected, desk_of, empty, served, timed
from bench.ground import report

FLOOR_GOAL, SIZE_GOAL = 15.0, 1.5
ADDRESS = "/tableau-de-bord/"


def main() -> int:
    """Print and keep the figures and the goals missed; return 1 for one missed on a machine that was steady."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--invoices", type=int, default=50_000)
    reader.add_argument("--small", type=int, default=2_000)
    reader.add_argument("--turns", type=int, default=20)
    reader.add_argument("--pairs", type=int, default=5)
    given = reader.parse_args()
    times: dict[int, Times] = {}
    with connected() as admin, served():
        empty(admin)
        for invoices in (given.small, given.invoices):
            desk = desk_of(admin, invoices)
            times[invoices] = timed(desk, ADDRESS, turns=given.turns, pairs=given.pairs)
        empty(admin)
    rows: list[dict[str, Any]] = [{"invoices": invoices, **asdict(one)} for invoices, one in times.items()]
    big, small = times[given.invoices], times[given.small]
    figures = {
        "B1_p50": (big.to_floor_p50, FLOOR_GOAL),
        "B1_p95": (big.to_floor_p95, FLOOR_GOAL),
        "B2_big_to_small": (round(big.p50_ms / small.p50_ms, 2), SIZE_GOAL),
    }
    steady, missed = big.steady and small.steady, [name for name, (figure, goal) in figures.items() if figure > goal]
    verdict = {name: figure for name, (figure, _) in figures.items()}
    report("dashboard", [*rows, {**verdict, "steady": steady, "missed": missed}])
    return int(steady and bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
