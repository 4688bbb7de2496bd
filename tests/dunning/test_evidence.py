"""The chain of evidence: each link holds the one before, and whoever touches a row as its owner is found out."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from dunning.channels.protocol import Outcome, Stage, Verdict
from dunning.enums import ReminderState
from dunning.evidence import GENESIS, Link, digest_of
from dunning.models import EvidenceEntry, Reminder
from dunning.services import evidence, outcomes
from tests.conftest import FirmBrowser
from tests.dunning.test_two_nights import at_once
from tests.factories.cabinets import make_cabinet, make_member
from tests.factories.dunning import make_reminder

Browse = Callable[[Membership | None], FirmBrowser]
ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, stage=Stage.END, code=250)


def depart(**facts: Any) -> Reminder:
    reminder = make_reminder(
        state=ReminderState.SENDING,
        subject="Facture F-1",
        html="<p>Bonjour</p>",
        text="Bonjour",
        recipient="a@b.example",
        **facts,
    )
    outcomes.record(reminder_id=reminder.pk, generation=0, outcome=ACCEPTED)
    return reminder


def test_a_link_is_hashed_in_a_form_anybody_can_write_again() -> None:
    link = Link(
        cabinet_id=UUID(int=1),
        seq=1,
        at=dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC),
        event="message.departed",
        reminder_id=UUID(int=2),
        client_id=None,
        subject_type="",
        subject_id=None,
        facts={"rank": 1, "canal": "é"},
        digests={"text": digest_of("Bonjour")},
        previous=GENESIS,
    )

    said = json.loads(link.canonical)
    assert list(said) == sorted(said)
    assert said["at"] == "2026-11-24T09:30:00.000000+00:00"
    assert said["previous"] == GENESIS.hex()
    assert digest_of(link.canonical) == link.hash.hex()


def test_a_departure_adds_a_link_with_the_digests_of_its_very_words(cabinet: Cabinet) -> None:
    first, second = depart(), depart()

    links = list(EvidenceEntry.objects.order_by("seq"))
    assert [(one.seq, one.event, one.reminder_id) for one in links] == [
        (1, "message.departed", first.pk),
        (2, "message.departed", second.pk),
    ]
    assert links[0].digests == {
        "subject": digest_of("Facture F-1"),
        "html": digest_of("<p>Bonjour</p>"),
        "text": digest_of("Bonjour"),
        "recipient": digest_of("a@b.example"),
    }
    assert bytes(links[0].previous) == GENESIS
    assert bytes(links[1].previous) == bytes(links[0].hash)
    verdict = evidence.verify()
    assert (verdict.holds, verdict.links, verdict.head) == (True, 2, bytes(links[1].hash))


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (Outcome(verdict=Verdict.UNKNOWN, stage=Stage.END, text="lost"), "message.uncertain"),
        (Outcome(verdict=Verdict.REJECTED, stage=Stage.RECIPIENT, code=550), "message.rejected"),
    ],
)
def test_a_doubt_and_a_refusal_are_links_too(cabinet: Cabinet, outcome: Outcome, event: str) -> None:
    reminder = make_reminder(state=ReminderState.SENDING)

    outcomes.record(reminder_id=reminder.pk, generation=0, outcome=outcome)

    assert [one.event for one in EvidenceEntry.objects.all()] == [event]


def test_a_message_changed_after_it_left_is_found_out(cabinet: Cabinet) -> None:
    reminder = depart()
    reminder.refresh_from_db()
    reminder.text = "Bonsoir"
    reminder.save(update_fields=["text"])

    verdict = evidence.verify()

    assert (verdict.holds, verdict.altered, verdict.broken_at) == (False, (reminder.pk,), None)
    assert evidence.verify(with_contents=False).holds


ATTACKS: list[tuple[str, int, str]] = [
    ("UPDATE dunning_evidenceentry SET event = 'message.delivered' WHERE seq = 2", 2, "son contenu a été modifié"),
    ("UPDATE dunning_evidenceentry SET digests = '{}' WHERE seq = 3", 3, "son contenu a été modifié"),
    ("UPDATE dunning_evidenceentry SET at = at - interval '1 day' WHERE seq = 1", 1, "son contenu a été modifié"),
    ("DELETE FROM dunning_evidenceentry WHERE seq = 2", 3, "il manque le maillon n° 2"),
    (
        "UPDATE dunning_evidenceentry SET seq = CASE seq WHEN 2 THEN 30 ELSE 2 END WHERE seq IN (2, 3);"
        "UPDATE dunning_evidenceentry SET seq = 3 WHERE seq = 30",
        2,
        "il ne tient pas au maillon précédent",
    ),
]


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("attack", "seq", "why"), ATTACKS)
def test_whoever_touches_a_row_is_found_out(attack: str, seq: int, why: str) -> None:
    cabinet = make_cabinet(slug="aubry")
    with working_for(cabinet_id=cabinet.pk):
        for _ in range(4):
            depart()
    as_owner(cabinet, attack)

    with working_for(cabinet_id=cabinet.pk):
        verdict = evidence.verify()

    assert (verdict.holds, verdict.broken_at, verdict.why) == (False, seq, why)
    with pytest.raises(CommandError, match="1 chaîne"):
        call_command("verify_evidence", "aubry")


def as_owner(cabinet: Cabinet, sql: str) -> None:
    """Alter rows as nobody but the owner of the tables could, with the wall down."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE dunning_evidenceentry DISABLE ROW LEVEL SECURITY")
        try:
            cursor.execute(sql)
        finally:
            cursor.execute("ALTER TABLE dunning_evidenceentry ENABLE ROW LEVEL SECURITY")


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_the_application_itself_can_neither_change_nor_remove_a_link() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        depart()
    attempts: list[Callable[[], Any]] = [
        lambda: EvidenceEntry.objects.update(event="x"),
        lambda: EvidenceEntry.objects.all().delete(),
    ]
    for attempt in attempts:
        with pytest.raises(Exception, match="permission denied"), working_for(cabinet_id=cabinet.pk):
            attempt()

    with working_for(cabinet_id=cabinet.pk):
        assert evidence.verify().holds


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_two_senders_at_once_write_one_chain() -> None:
    cabinet = make_cabinet()

    def write() -> None:
        with working_for(cabinet_id=cabinet.pk):
            evidence.append("test.link")

    at_once(*[write] * 8)

    with working_for(cabinet_id=cabinet.pk):
        verdict = evidence.verify()
        assert (verdict.holds, verdict.links) == (True, 8)


def test_the_page_lists_the_links_and_verifies_them(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    depart()
    browser = browse(owner)

    page = browser.get("/preuves/").content.decode()
    verified = browser.post("/preuves/verifier/", follow=True).content.decode()

    assert "Message parti" in page
    assert "Les 1 maillons tiennent." in verified
    assert browse(make_member(role=Role.ASSISTANT)).get("/preuves/").status_code == 403
