"""Two firms read and write at once on one real server, and nothing of one is ever in a page of the other.

    bin/bench soak --seconds 600 --threads 16

Goal 4 of security.md § 7: no crossed datum. Every row of a firm holds a word of its own; every answer is searched for
the other firm's word and for the ids of its rows. Threads change firm and person at each request, over the few
connections of the server; nights are evaluated meanwhile. An assistant in charge of no file sees none.
"""

import argparse
import datetime as dt
import http.client
import io
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.urls import reverse

from bench.ground import report
from cabinets.enums import Role
from cabinets.models import Client, Dossier, Membership
from cabinets.scoping import working_for
from payments.links import token_for
from payments.services.links import link_for
from tests.architecture import test_walk
from tests.architecture.test_urls import PATTERNS
from tests.conftest import FirmBrowser, sign_in
from tests.emptying import empty_every_table
from tests.factories.cabinets import assign, make_cabinet, make_client, make_dossier, make_member
from tests.factories.invoices import make_invoice

ROOT = Path(__file__).resolve().parents[1]
LOCAL = "127.0.0.1"
WORKERS, BLOCKING = "1", "4"
SERVER_ERROR, FOUND_NOTHING = 500, 404
ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ALIASES = ("DATABASE", "DATABASE_OWNER", "DATABASE_SCHEDULER", "DATABASE_OPERATOR")
# What gives back a file that was never written: only a stranger asks for it.
FILELESS = re.compile(
    r"^(document_download|import_|firm_download|gdpr_agreement_signed|proof_file|.*_pdf$|batonnier|request_proof)"
)
ALONE = "unassigned"


@dataclass(slots=True)
class Firm:
    """One of the two firms: its word, its rows, and who opens what."""

    word: str
    ids: frozenset[bytes]
    client_id: uuid.UUID
    own: list[str]
    all: list[str]
    sessions: dict[str, str]


@dataclass(slots=True)
class Tally:
    """What was asked and what was found."""

    asked: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    crossed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    slowest: float = 0.0
    seconds: float = 0.0


def make_firm(word: str, *, extra: int) -> Firm:
    """Make a firm whose every row holds its word, with people of several roles signed in."""
    cabinet = make_cabinet(name=f"{word} avocats")
    sessions = {}
    with patch.object(test_walk, "CANARY", word), working_for(cabinet_id=cabinet.pk):
        rows: dict[str, Any] = test_walk.populate()
        client = Client.objects.get(pk=rows["client_id"])
        for number in range(extra):
            other = make_client(company=f"{word} {number}", email=f"{word.lower()}{number}@{word.lower()}.example")
            make_invoice(dossier=make_dossier(client=other, title=f"{word} {number}"), number=f"{word}-{number}")
        people = {role.value: make_member(role=role) for role in (Role.OWNER, Role.LAWYER, Role.ASSISTANT)}
        assign(dossier=Dossier.objects.get(pk=rows["dossier_id"]), member=people[Role.ASSISTANT.value])
        people[ALONE] = make_member(role=Role.ASSISTANT)
        link = link_for(client=client)
        rows["token"] = token_for(link.pk, link.version, settings.LINK_KEY)
        ids = frozenset(str(pk).encode() for pk in rows.values() if isinstance(pk, uuid.UUID))
        sessions = {name: session_of(member) for name, member in people.items()}
    addresses = [(str(entry.name), address_of(address, entry, rows)) for address, entry in PATTERNS]
    own = [url for name, url in addresses if not FILELESS.match(name)]
    return Firm(
        word, ids, client.pk, own, [url for _, url in addresses if any(pk in url.encode() for pk in ids)], sessions
    )


def session_of(member: Membership) -> str:
    """Return the key of a session with both factors proven."""
    browser = FirmBrowser()
    sign_in(browser, member)
    return str(browser.session.session_key)


def address_of(address: str, entry: Any, rows: Mapping[str, Any]) -> str:
    """Write an address for these rows; what names nothing of theirs names nothing at all."""
    start = address.split("<", maxsplit=1)[0]
    known = {**rows, **test_walk.WORDS}
    unknown = {"checkout_id": uuid.uuid4(), "mandate_id": uuid.uuid4()}
    names = re.findall(r"<(?:\w+:)?(\w+)>", address)
    return reverse(
        str(entry.name), kwargs={name: known.get(name) or known.get(start) or unknown.get(name, "x") for name in names}
    )


def environment() -> dict[str, str]:
    """Return this process's environment, with the databases it really uses: the tests' own have another name."""
    found = dict(os.environ, DJANGO_SETTINGS_MODULE="bench.soak_settings")
    for prefix in ALIASES:
        url = urlsplit(found[f"{prefix}_URL"])
        found[f"{prefix}_URL"] = url._replace(path=f"/{connections['owner'].settings_dict['NAME']}").geturl()
    return found


@contextmanager
def serving() -> Iterator[int]:
    """Start the product's own server over a small pool; give its port."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port = int(probe.getsockname()[1])
    command = [
        *(sys.executable, "-m", "granian", "config.wsgi:application", "--interface", "wsgi", "--host", LOCAL),
        *(
            "--port",
            str(port),
            "--workers",
            WORKERS,
            "--blocking-threads",
            BLOCKING,
            "--working-dir",
            str(ROOT),
            "--no-ws",
        ),
    ]
    with subprocess.Popen(  # noqa: S603 - our own server
        command, env=environment(), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()


def wait_for(port: int, *, patience: float = 60.0) -> None:
    """Return once the server answers."""
    until = time.monotonic() + patience
    while True:
        try:
            with socket.create_connection((LOCAL, port), timeout=1):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def attack(*, port: int, firms: Sequence[Firm], until: float, seed: int, tally: Tally, lock: threading.Lock) -> None:
    """Ask one thing after another, each time as another person, until the time is over."""
    draw = random.Random(seed)  # noqa: S311 - drawn again from its seed
    with closing(http.client.HTTPConnection(LOCAL, port, timeout=120)) as line:
        ask_until(line, firms, draw, until, tally, lock)


def ask_until(
    line: http.client.HTTPConnection,
    firms: Sequence[Firm],
    draw: random.Random,
    until: float,
    tally: Tally,
    lock: threading.Lock,
) -> None:
    """Ask one thing after another, and write down what each answer shows."""
    while time.monotonic() < until:
        mine, theirs = draw.sample(list(firms), 2)
        person = draw.choice(list(mine.sessions))
        began = time.monotonic()
        kind, address, status, body = one_request(line, draw, mine, theirs, person)
        lasted = time.monotonic() - began
        found = faults(kind, status, body, address=address, mine=mine, theirs=theirs, person=person)
        with lock:
            tally.asked[kind] += 1
            tally.statuses[status] += 1
            tally.slowest = max(tally.slowest, lasted)
            tally.crossed += [f"{mine.word} {person} {kind} {address}: {fault}" for fault in found]
            if status >= SERVER_ERROR:
                tally.errors.append(f"{mine.word} {person} {kind} {address}: {status}")


def one_request(
    line: http.client.HTTPConnection, draw: random.Random, mine: Firm, theirs: Firm, person: str
) -> tuple[str, str, int, bytes]:
    """Read a page of one's own firm, write a note there, or try a page of the other's."""
    chance = draw.random()
    headers = {"Cookie": f"sessionid={mine.sessions[person]}; csrftoken={'x' * 32}"}
    if chance < 0.08:
        address = f"/clients/{mine.client_id}/notes/ajouter/"
        body = urlencode({"text": f"{mine.word} note", "csrfmiddlewaretoken": "x" * 32})
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request("POST", address, body, headers)
        kind = "write"
    elif chance < 0.25:
        address, kind = draw.choice(theirs.all), "foreign"
        line.request("GET", address, headers=headers)
    else:
        address, kind = draw.choice(mine.own), "own"
        line.request("GET", f"{address}?q={mine.word}" if draw.random() < 0.2 else address, headers=headers)
    answer = line.getresponse()
    return kind, address, answer.status, answer.read()


def faults(kind: str, status: int, body: bytes, *, address: str, mine: Firm, theirs: Firm, person: str) -> list[str]:
    """Say what of the other firm is in an answer, or of a file this person may not see."""
    found = []
    # A debtor's page is the same for whoever holds its address: it belongs to its own firm alone.
    holds_link = address.startswith(("/p/", "/s/"))
    if kind == "foreign" and not holds_link:
        if theirs.word.encode() in body:
            found.append("the other firm's word")
        if status not in {FOUND_NOTHING, 403, 405}:
            found.append(f"a door that is not shut: {status}")
    if kind != "foreign":
        if theirs.word.encode() in body:
            found.append("the other firm's word")
        if theirs.ids & set(ID.findall(body)):
            found.append("an id of the other firm")
    if (
        person == ALONE
        and kind == "own"
        and not holds_link
        and re.search(rf"{mine.word}-(D|0001|\d+)\b".encode(), body)
    ):
        found.append("a file of nobody's charge")
    return found


def evaluate_nights(until: float) -> int:
    """Evaluate the nights of both firms again and again while pages are read; return how many times."""
    times = 0
    while time.monotonic() < until:
        # The night of the day is written; the night of another day is only rehearsed.
        on = None if times % 2 == 0 else dt.date(2026, 11, 24) + dt.timedelta(days=times % 60)
        call_command("night", on=on, stdout=io.StringIO(), json=True)
        times += 1
        time.sleep(1)
    for connection in connections.all():
        connection.close()
    return times


def run(*, seconds: float, threads: int, extra: int) -> Tally:
    """Make the two firms, serve them, and ask until the time is over."""
    firms = [make_firm("CANARIBLEU", extra=extra), make_firm("CANARIROUGE", extra=extra)]
    tally, lock = Tally(), threading.Lock()
    with serving() as port:
        began = time.monotonic()
        until = began + seconds
        people = [
            threading.Thread(
                target=attack,
                kwargs={"port": port, "firms": firms, "until": until, "seed": seed, "tally": tally, "lock": lock},
            )
            for seed in range(threads)
        ]
        for person in people:
            person.start()
        tally.asked["night"] = evaluate_nights(until)
        for person in people:
            person.join()
        tally.seconds = time.monotonic() - began
    return tally


def main() -> int:
    """Run for as long as asked, and say what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--threads", type=int, default=16)
    asked = parser.parse_args()
    empty_every_table()
    tally = run(seconds=asked.seconds, threads=asked.threads, extra=40)
    pages = sum(count for kind, count in tally.asked.items() if kind != "night")
    report(
        "soak",
        [
            {
                "seconds": round(tally.seconds), "threads": asked.threads, "requests": pages,
                "per_second": round(pages / tally.seconds, 1), "slowest_s": round(tally.slowest, 2),
                "asked": dict(tally.asked), "statuses": {str(code): count for code, count in tally.statuses.items()},
                "crossed": tally.crossed[:20], "errors": tally.errors[:20],
            }
        ],
    )  # fmt: skip
    return 1 if tally.crossed or tally.errors else 0


if __name__ == "__main__":
    sys.exit(main())
