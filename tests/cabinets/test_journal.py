"""The journal as a partner reads it, exports it, and proves that nobody touched it."""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable
from io import StringIO

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from cabinets import journal, tasks
from cabinets.enums import Role
from cabinets.journal import Origin, coming_from, coming_from_no_place
from cabinets.journal_labels import EVENTS, label_of
from cabinets.models import Cabinet, JournalEntry, JournalSeal, Membership
from cabinets.scoping import working_for
from cabinets.services import journal_seals
from cabinets.sheets import harmless
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_cabinet, make_client, make_member, outside_any_firm

Browse = Callable[..., FirmBrowser]
JOURNAL = "/parametres/journal/"


def write(*, count: int = 1, event: str = "client.seen", days_ago: int = 0, member: Membership | None = None) -> None:
    JournalEntry.objects.bulk_create(
        JournalEntry(
            at=NOW - dt.timedelta(days=days_ago, seconds=number), event=event, member_id=member.pk if member else None
        )
        for number in range(count)
    )


def rows_of(page: str) -> int:
    return page.count('data-label="Quand"')


def test_says_who_did_what_when_and_from_where(owner: Membership, browse: Browse) -> None:
    client = make_client(company="Société Discrète")
    with coming_from(Origin(address="203.0.113.9", agent="Mozilla/5.0 (Windows NT 10.0) Firefox/131.0")):
        journal.record("client.seen", client, page="client")
        journal.record("cabinet.suspended", None)

    page = browse(owner).get(JOURNAL).content.decode()

    assert "Tous les envois suspendus" in page
    assert "Client\u00a0: consultation" in page
    assert "Firefox sur Windows" in page
    assert "203.0.113.9" in page
    assert str(client.pk) in page
    assert "Société Discrète" not in page


def test_says_what_came_from_a_link_and_what_from_the_server(owner: Membership, browse: Browse) -> None:
    client = make_client()
    journal.record("client.seen", client, page="client")
    browser = browse(owner)
    assert "Un lien envoyé" not in browser.get(f"{JOURNAL}?evenement=client.seen").content.decode()

    with coming_from(Origin(address="203.0.113.9", agent="Firefox/131.0", request_id="a1")), coming_from_no_place():
        journal.record("client.created", client)

    page = browser.get(f"{JOURNAL}?evenement=client.created").content.decode()
    assert (page.count("Un lien envoyé par le cabinet"), "203.0.113.9" in page, "Firefox" in page) == (1, False, False)
    line = JournalEntry.objects.get(event="client.created")
    assert (line.address, line.agent, line.request_id) == (None, "", "a1")


def test_notes_who_reads_the_journal(owner: Membership, browse: Browse) -> None:
    browse(owner).get(JOURNAL)

    line = JournalEntry.objects.get(event="journalentry.listed")
    assert (line.member_id, line.address) == (owner.pk, "127.0.0.1")
    assert re.fullmatch(r"[0-9a-f]{16}", line.request_id)


@pytest.mark.parametrize("role", [Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
def test_only_partners_and_administrators_read_it(owner: Membership, browse: Browse, role: Role) -> None:
    browser = browse(make_member(role=role))

    assert browser.get(JOURNAL).status_code == 403
    assert browser.get(f"{JOURNAL}export.csv").status_code == 403


def test_filters_by_person_event_and_day_of_the_firm(owner: Membership, browse: Browse) -> None:
    other = make_member(role=Role.LAWYER)
    write(count=3, member=owner)
    write(count=2, event="client.created", member=other, days_ago=1)
    write(count=4, event="night.planned", days_ago=2)
    browser = browse(owner)

    def shown(query: str) -> int:
        return rows_of(browser.get(f"{JOURNAL}?{query}").content.decode())

    assert shown(f"personne={other.pk}") == 2
    assert shown("personne=produit") == 4
    assert shown("evenement=client.created") == 2
    assert shown("du=2026-11-22&au=2026-11-22") == 4
    assert shown("du=2026-11-22&au=2026-11-23") == 6
    assert shown("au=2026-11-21") == 0


def test_pages_by_key_forward_and_back_without_losing_or_doubling_a_line(owner: Membership, browse: Browse) -> None:
    write(count=120, event="client.seen")
    browser = browse(owner)
    seen: list[str] = []
    query = "?evenement=client.seen"
    sizes, before = [], ""
    while query:
        page = browser.get(f"{JOURNAL}{query}").content.decode()
        sizes.append(rows_of(page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        previous = re.search(r'rel="prev" href="([^"]+)"', page)
        before = previous[1].replace("&amp;", "&") if previous else ""
        seen.append(query)
        query = following[1].replace("&amp;", "&") if following else ""

    assert sizes == [50, 50, 20]
    assert rows_of(browser.get(JOURNAL + before).content.decode()) == 50


def test_ignores_a_key_nobody_gave(owner: Membership, browse: Browse) -> None:
    write(count=2)

    assert browse(owner).get(f"{JOURNAL}?apres=n-importe-quoi&personne=x&du=hier").status_code == 200


def test_exports_the_lines_asked_for_and_notes_it(owner: Membership, browse: Browse) -> None:
    write(count=2, event="client.created", member=owner)
    write(count=5)

    response = browse(owner).get(f"{JOURNAL}export.csv?evenement=client.created")

    rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 3
    assert rows[1][:4] == ["24/11/2026", "10:30:00", str(owner.user), "Client\u00a0: création"]
    assert JournalEntry.objects.get(event="journal.exported").facts == {"count": 2}


def test_exports_every_line_however_many_and_its_facts(owner: Membership, browse: Browse) -> None:
    write(count=10_001)
    client = make_client()
    with coming_from(Origin(address="203.0.113.9")):
        journal.record("client.changed", client, fields=["email", "phone"], page="fiche")

    response = browse(owner).get(f"{JOURNAL}export.csv")

    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows) == JournalEntry.objects.exclude(event="journal.exported").count()
    assert sum(row["Événement"] == "Client\u00a0: consultation" for row in rows) == 10_001
    [changed] = [row for row in rows if row["Identifiant"] == str(client.pk) and row["Faits"]]
    assert json.loads(changed["Faits"]) == {"fields": ["email", "phone"], "page": "fiche"}
    assert response["Content-Disposition"] == 'attachment; filename="journal-2026-11-24.csv"'
    assert JournalEntry.objects.get(event="journal.exported").facts == {"count": len(rows)}


@pytest.mark.parametrize("cell", ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_is_never_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless("Claire Aubry") == "Claire Aubry"


def test_shows_one_firms_lines_alone(owner: Membership, other_cabinet: Cabinet, browse: Browse) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        write(count=3, event="client.created")

    assert rows_of(browse(owner).get(f"{JOURNAL}?evenement=client.created").content.decode()) == 0


def test_names_an_event_in_french_and_leaves_an_unknown_one_as_it_is() -> None:
    assert label_of("person.signed_in") == "Connexion"
    assert label_of("invoice.listed") == "Facture\u00a0: liste consultée"
    assert label_of("autre.chose") == "autre.chose"
    assert all("." in code and label for code, label in EVENTS.items())


def test_seals_finished_months_once_and_not_the_one_running(cabinet: Cabinet) -> None:
    write(count=3, days_ago=70)
    write(count=2, days_ago=30)
    write(count=1)

    sealed = journal_seals.seal_finished_months(on=NOW.date())

    assert sealed == [dt.date(2026, 9, 1), dt.date(2026, 10, 1)]
    assert list(JournalSeal.objects.order_by("month").values_list("lines", flat=True)) == [3, 2]
    assert journal_seals.seal_finished_months(on=NOW.date()) == []
    assert journal_seals.months_that_differ(on=NOW.date()) == []


@pytest.mark.committed
@pytest.mark.parametrize(("hour", "sealed"), [(dt.time(3, 59), 0), (dt.time(4, 10), 1)])
def test_each_night_seals_the_month_that_is_over_in_utc(
    committed: None, monkeypatch: pytest.MonkeyPatch, hour: dt.time, sealed: int
) -> None:
    """Whatever the firm's own clock says; and once what was under way at midnight has written its lines."""
    firm = make_cabinet(slug="papeete", zone_name="Pacific/Tahiti")
    with working_for(cabinet_id=firm.pk):
        write(count=2)
    monkeypatch.setattr(tasks.seal_journal, "delay", tasks.seal_journal)

    with time_machine.travel(dt.datetime.combine(dt.date(2026, 12, 1), hour, tzinfo=dt.UTC), tick=False):
        assert (tasks.seal_journals(), tasks.seal_journals()) == (1, 1)

    assert settings.CELERY_BEAT_SCHEDULE["journals"]["task"] == tasks.seal_journals.name

    with working_for(cabinet_id=firm.pk):
        kept = list(JournalSeal.objects.values_list("month", "lines"))
    assert kept == [(dt.date(2026, 11, 1), 2)][:sealed]


def test_a_demonstration_that_stayed_behind_is_sealed_by_its_own_day(cabinet: Cabinet) -> None:
    Cabinet.objects.update(is_demo=True, demo_on=dt.date(2026, 10, 30))
    behind = journal_seals.sealing_day(Cabinet.objects.get())
    Cabinet.objects.update(demo_on=dt.date(2026, 12, 4))

    ahead = journal_seals.sealing_day(Cabinet.objects.get())

    assert (behind, ahead) == (dt.date(2026, 10, 30), NOW.date())


def test_names_the_finished_months_that_have_lines_and_no_seal(cabinet: Cabinet) -> None:
    write(count=3, days_ago=100)
    write(count=2, days_ago=30)
    write(count=1)
    JournalSeal(month=dt.date(2026, 8, 1), lines=3, head=b"h").save(force_insert=True)

    assert journal_seals.unsealed_months(on=NOW.date()) == [dt.date(2026, 10, 1)]


def test_says_which_month_received_a_line_after_it_was_sealed(cabinet: Cabinet) -> None:
    write(count=3, days_ago=70)
    write(count=2, days_ago=30)
    journal_seals.seal_finished_months(on=NOW.date())

    write(count=1, days_ago=31)

    assert journal_seals.months_that_differ(on=NOW.date()) == [dt.date(2026, 10, 1)]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE cabinets_journalentry SET event = 'client.listed' WHERE id = 1",
        "UPDATE cabinets_journalentry SET facts = '{\"count\": 2}' WHERE id = 5",
        "UPDATE cabinets_journalentry SET at = at + interval '1 second'",
        "DELETE FROM cabinets_journalentry WHERE id = 5",
    ],
)
def test_the_command_finds_what_the_owner_of_the_tables_altered(committed: None, tampering: str) -> None:
    firm = make_cabinet(slug="aubry")
    with working_for(cabinet_id=firm.pk):
        write(count=5, days_ago=40)
    call_command("seal_journal", stdout=StringIO())
    said = StringIO()
    call_command("seal_journal", verify=True, stdout=said)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE cabinets_journalentry NO FORCE ROW LEVEL SECURITY")
        try:
            cursor.execute(tampering)
        finally:
            cursor.execute("ALTER TABLE cabinets_journalentry FORCE ROW LEVEL SECURITY")

    with pytest.raises(CommandError, match="aubry 2026-10"):
        call_command("seal_journal", verify=True, stdout=StringIO())

    assert said.getvalue() == "every seal matches\n"


def test_a_segment_dropped_when_its_time_is_over_is_no_alteration(cabinet: Cabinet) -> None:
    JournalSeal(month=dt.date(2025, 9, 1), lines=12, head=b"h").save(force_insert=True)
    JournalSeal(month=dt.date(2026, 3, 1), lines=12, head=b"h").save(force_insert=True)

    assert journal_seals.months_that_differ(on=NOW.date()) == [dt.date(2026, 3, 1)]


def test_the_application_can_neither_change_nor_remove_a_line(cabinet: Cabinet) -> None:
    write()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('cabinets_journalentry', 'UPDATE'),"
            " has_table_privilege('cabinets_journalentry', 'DELETE')"
        )
        assert cursor.fetchone() == (False, False)
