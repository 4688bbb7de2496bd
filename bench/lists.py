"""Time the lists of a big firm, a client's page and the search against a page that asks the database for 1.

    bin/bench lists --invoices 50000 --turns 10 --pairs 4

Goals of performance.md: B5 (a deep page of the list at most twice the first), B6 (the client's page at most 6 times
the floor). The other pages have no goal there: their figures are printed to be compared from one day to the next.
"""

import argparse
from dataclasses import asdict
from typing import Any

from bench.desk import Times, addresses, connected, desk_of, empty, served, timed
from bench.ground import report
from cabinets.scoping import working_for
from invoices.models import Invoice

DEEP_GOAL, CLIENT_GOAL = 2.0, 6.0
PAGES = {
    "invoices": "/factures/",
    "invoices_overdue": "/factures/?etat=echue&age=3",
    "invoices_all": "/factures/?etat=toutes",
    "invoices_named": "/factures/?q={name}",
    "clients": "/clients/",
    "clients_named": "/clients/?q={name}",
    "client": "/clients/{client}/",
    "invoice": "/factures/{invoice}/",
    "search_name": "/recherche/?q={name}",
    "search_number": "/recherche/?q={number}",
}


def main() -> int:
    """Print and keep the figures and the goals missed; return 1 for one missed on a machine that was steady."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--invoices", type=int, default=50_000)
    reader.add_argument("--turns", type=int, default=10)
    reader.add_argument("--pairs", type=int, default=4)
    given = reader.parse_args()
    times: dict[str, Times] = {}
    with connected() as admin, served():
        empty(admin)
        desk = desk_of(admin, given.invoices)
        with working_for(cabinet_id=desk.cabinet_id):
            deep = Invoice.objects.order_by("due_on", "pk")[given.invoices * 9 // 10]
        pages = {**PAGES, "invoices_all_deep": f"/factures/?etat=toutes&apres={deep.due_on.isoformat()}_{deep.pk}"}
        for name, address in addresses(desk, pages).items():
            times[name] = timed(desk, address, turns=given.turns, pairs=given.pairs)
        empty(admin)
    rows: list[dict[str, Any]] = [{"page": name, **asdict(one)} for name, one in times.items()]
    figures = {
        "B5_deep_to_first": (round(times["invoices_all_deep"].p50_ms / times["invoices_all"].p50_ms, 2), DEEP_GOAL),
        "B6_client_to_floor": (times["client"].to_floor_p50, CLIENT_GOAL),
    }
    steady = all(one.steady for one in times.values())
    missed = [name for name, (figure, goal) in figures.items() if figure > goal]
    verdict = {name: figure for name, (figure, _) in figures.items()}
    report("lists", [*rows, {**verdict, "steady": steady, "missed": missed}])
    return int(steady and bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
