"""The drop folder: complete files taken in, broken ones put aside with a sentence, freshness by the bank's days."""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.test import override_settings

from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, JournalEntry, Membership, Task
from cabinets.scoping import working_for
from payments import tasks
from payments.models import BankFeed, BankFile, BankLine
from payments.services import bank_feed
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member, outside_any_firm
from tests.payments.bank.files import camt, entry

Browse = Callable[[Membership | None], FirmBrowser]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with override_settings(VAR=tmp_path):
        yield tmp_path / "depot"


def drop(place: Path, name: str, data: bytes, *, seconds_ago: int = 120) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    path = place / name
    path.write_bytes(data)
    moment = time.time() - seconds_ago
    os.utime(path, (moment, moment))
    return path


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_takes_in_what_is_complete_and_puts_the_rest_aside(folder: Path) -> None:
    cabinet = make_cabinet(settled_through_on=dt.date(2026, 11, 19), settlements_declared_on=dt.date(2026, 11, 1))
    with working_for(cabinet_id=cabinet.pk):
        make_member()
        bank_feed.open_feed(is_open=True)
    place = folder / cabinet.slug
    drop(place, "bon.xml", camt(entry("10.00", "A", day="2026-11-23")))
    drop(place, "casse.xml", camt(entry("1..0", "B")), seconds_ago=100)
    drop(place, "envoi.xml.part", camt(entry("3.00", "C")))
    drop(place, "encore.xml", camt(entry("4.00", "D")), seconds_ago=5)
    (place / "lien.xml").symlink_to("/etc/hostname")

    tasks.read_bank(str(cabinet.pk))

    with working_for(cabinet_id=cabinet.pk):
        firm = Cabinet.objects.get()
        assert [(one.file_name, one.source) for one in BankFile.objects.all()] == [("bon.xml", "feed")]
        assert Task.objects.get(state=TaskState.OPEN).kind == TaskKind.REFUSED_STATEMENT
        assert "n’est pas lisible" in BankFeed.objects.get().refusal
        assert (firm.settled_through_on, firm.settlements_source) == (dt.date(2026, 11, 23), "feed")
        assert firm.feed_fresh_until_on == dt.date(2026, 11, 25)
    left = sorted(str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir())
    assert left == [
        "encore.xml",
        "envoi.xml.part",
        "faits/bon.xml",
        "lien.xml",
        "refuses/casse.xml",
        "refuses/casse.xml.txt",
    ]
    assert (place / "refuses/casse.xml.txt").read_text(encoding="utf-8").endswith("Rien n’a été enregistré.\n")


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_puts_away_a_file_that_a_stop_left_after_it_was_kept(folder: Path) -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        bank_feed.open_feed(is_open=True)
    data = camt(entry("10.00", "A"))
    drop(folder / cabinet.slug, "bon.xml", data)
    with patch.object(bank_feed, "put_away", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        tasks.read_bank(str(cabinet.pk))

    tasks.read_bank(str(cabinet.pk))

    with working_for(cabinet_id=cabinet.pk):
        assert (BankFile.objects.count(), BankLine.objects.count()) == (1, 1)
    assert (folder / cabinet.slug / "faits" / "bon.xml").read_bytes() == data


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_leaves_the_folder_of_a_firm_that_did_not_open_it(folder: Path) -> None:
    cabinet = make_cabinet()
    path = drop(folder / cabinet.slug, "bon.xml", camt(entry("10.00", "A")))

    tasks.read_bank(str(cabinet.pk))

    with working_for(cabinet_id=cabinet.pk):
        assert BankFile.objects.count() == 0
    assert path.exists()


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_sweeps_the_firms_that_have_something_to_read(folder: Path) -> None:
    cabinet, _ = make_cabinet(), make_cabinet()
    drop(folder / cabinet.slug, "bon.xml", camt(entry("10.00", "A")))
    drop(folder / "personne", "bon.xml", camt(entry("10.00", "A")))

    with patch.object(tasks.read_bank, "delay") as asked, outside_any_firm():
        assert tasks.sweep_bank() == 1

    assert [call.args for call in asked.call_args_list] == [(str(cabinet.pk),)]


def test_opens_and_closes_the_folder_from_its_page(
    cabinet: Cabinet, owner: Membership, browse: Browse, folder: Path
) -> None:
    browser = browse(owner)
    before = browser.get("/parametres/banque/").content.decode()

    browser.post("/parametres/banque/", {"is_open": "on"})
    opened = Cabinet.objects.get().feed_fresh_until_on
    browser.post("/parametres/banque/", {})

    assert f"depot/{cabinet.slug}/" in before
    assert (opened, Cabinet.objects.get().feed_fresh_until_on) == (dt.date(2026, 11, 25), None)
    assert [line.facts for line in JournalEntry.objects.filter(event="bankfeed.changed").order_by("pk")] == [
        {"open": True},
        {"open": False},
    ]
