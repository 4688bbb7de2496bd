"""The mail of the morning: once a person and a day, no client named; and the link that holds a departure back."""

import datetime as dt
import html
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client as Browser

from cabinets.enums import Role, TaskKind
from cabinets.models import Cabinet, JournalEntry, Membership, Task
from cabinets.scoping import working_for
from dunning.enums import ReminderState, StaffMailKind
from dunning.models import Reminder, StaffMail
from dunning.services import morning, vetoes
from invoices.enums import StopKind
from invoices.models import Standstill
from tests.conftest import FirmBrowser, sign_in
from tests.factories.cabinets import assign, make_cabinet, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
AT_EIGHT = dt.datetime(2026, 11, 24, 7, 0, tzinfo=dt.UTC)
WAITING = ReminderState.AWAITING_APPROVAL


@pytest.fixture
def firm(committed: None) -> Cabinet:
    return make_cabinet()


def a_morning(firm: Cabinet) -> tuple[Membership, Reminder, Reminder]:
    """Return a partner, a message that waits for them and one that leaves today."""
    with working_for(cabinet_id=firm.pk):
        owner = make_member()
        names = [make_client(company=name) for name in ("Secret Un SARL", "Secret Deux SARL")]
        first, second = (make_case(invoice=make_invoice(client=client), rank=2) for client in names)
        waits = make_reminder(first, state=WAITING, reasons=["strategic"])
        leaves = make_reminder(second, state=ReminderState.PLANNED, depart_at=AT_EIGHT + dt.timedelta(hours=2))
        Task(kind=TaskKind.CALL, client=names[0], subject_id=waits.pk, due_on=TODAY).save(force_insert=True)
    return owner, waits, leaves


def mails(firm: Cabinet) -> list[StaffMail]:
    with working_for(cabinet_id=firm.pk):
        return [row for row in StaffMail.objects.order_by("asked_at") if row.html and row.text and row.subject]


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def token_of(firm: Cabinet, reminder: Reminder, member: Membership) -> str:
    return vetoes.link_of(reminder=reminder, member=member).split("/veto/")[1].rstrip("/")


def test_tells_what_waits_what_is_due_and_what_leaves_and_names_no_client(firm: Cabinet) -> None:
    owner, waits, leaves = a_morning(firm)

    assert morning.write(cabinet_id=firm.pk) == 1

    [mail] = mails(firm)
    assert (mail.kind, mail.member_id, mail.key) == (StaffMailKind.MORNING, owner.pk, "2026-11-24")
    assert (
        mail.subject.replace("\u00a0", " ") == "Quittance, ce matin : 1 accord attendu, 1 tâche, 1 départ aujourd’hui"
    )
    assert f"/a-valider/{waits.pk}/" in mail.text
    assert f"/appels/{waits.pk}/" in mail.text
    assert "/veto/" in mail.text
    assert f"/relances/{leaves.pk}/" in mail.html
    assert "Secret" not in mail.html + mail.text + mail.subject
    assert "<style" not in mail.html


def test_writes_once_a_day_whatever_runs_twice(firm: Cabinet) -> None:
    a_morning(firm)

    assert [morning.write(cabinet_id=firm.pk), morning.write(cabinet_id=firm.pk)] == [1, 0]
    assert len(mails(firm)) == 1


def test_writes_to_nobody_who_has_nothing_to_read_or_wants_none(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        make_member(gets_morning_mail=False)
        make_member(role=Role.LAWYER)
        make_reminder(make_case(), state=WAITING)

    assert morning.write(cabinet_id=firm.pk) == 0
    assert mails(firm) == []


def test_tells_each_person_of_their_own_dossiers_alone(firm: Cabinet) -> None:
    _, waits, leaves = a_morning(firm)
    with working_for(cabinet_id=firm.pk):
        lawyer = make_member(role=Role.LAWYER)
        mine = make_dossier(client=make_client())
        assign(dossier=mine, member=lawyer)
        own = make_reminder(make_case(invoice=make_invoice(dossier=mine)), state=WAITING)

    assert morning.write(cabinet_id=firm.pk) == 2

    [mail] = [one for one in mails(firm) if one.member_id == lawyer.pk]
    assert f"/a-valider/{own.pk}/" in mail.text
    assert str(waits.pk) not in mail.text
    assert str(leaves.pk) not in mail.text


def test_asks_nobody_for_an_accord_they_may_not_give(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        assistant = make_member(role=Role.ASSISTANT, sees_every_file=True)
        make_reminder(make_case(rank=4), state=WAITING, reasons=["formal"])
        given = make_reminder(make_case(), state=WAITING, reasons=["two_people"], approved_by=assistant)
        digest = morning.digest_of(member=assistant, cabinet=firm)

    assert (given.state, digest.waiting_count, digest.is_empty) == (WAITING, 0, True)


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        (dt.datetime(2026, 11, 24, 6, 59, tzinfo=dt.UTC), "Europe/Paris", False),
        (AT_EIGHT, "Europe/Paris", True),
        (dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC), "Europe/Paris", False),
        # Summer time: eight o'clock in Paris is six in UTC, on the very Monday that follows the change.
        (dt.datetime(2026, 3, 30, 6, 0, tzinfo=dt.UTC), "Europe/Paris", True),
        (dt.datetime(2026, 10, 26, 7, 0, tzinfo=dt.UTC), "Europe/Paris", True),
        (dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC), "America/Martinique", True),
        # A Sunday, and 11 November.
        (dt.datetime(2026, 11, 22, 7, 0, tzinfo=dt.UTC), "Europe/Paris", False),
        (dt.datetime(2026, 11, 11, 7, 0, tzinfo=dt.UTC), "Europe/Paris", False),
    ],
)
def test_comes_at_eight_by_the_firms_clock_on_worked_days(
    committed: None, at: dt.datetime, zone: str, *, expected: bool
) -> None:
    make_cabinet(zone_name=zone)

    with time_machine.travel(at, tick=False):
        assert bool(morning.firms_due(now=at)) is expected


def test_reading_the_link_changes_nothing_and_one_answer_holds(firm: Cabinet) -> None:
    owner, _, leaves = a_morning(firm)
    url = f"/veto/{token_of(firm, leaves, owner)}/"
    browser = Browser()

    page = browser.get(url)
    assert (page.status_code, page["Referrer-Policy"]) == (200, "same-origin")
    assert "Secret" not in text_of(page)
    assert browser.post(url).status_code == 422
    with working_for(cabinet_id=firm.pk):
        assert (Reminder.objects.get(pk=leaves.pk).state, Standstill.objects.count()) == ("planned", 0)
    done = browser.post(url, {"duree": "sept-jours"})

    assert (done.status_code, "Ce message ne partira pas" in text_of(done)) == (200, True)
    with working_for(cabinet_id=firm.pk):
        held, stop = Reminder.objects.get(pk=leaves.pk), Standstill.objects.get()
        assert (held.state, held.ended_by_id) == ("declined", owner.pk)
        assert (stop.kind, stop.until_on, stop.created_by_id) == (StopKind.HOLD, dt.date(2026, 12, 1), owner.pk)
        assert JournalEntry.objects.get(event="reminder.vetoed").member_id == owner.pk


def test_the_link_dies_with_the_departure(firm: Cabinet) -> None:
    owner, _, leaves = a_morning(firm)
    url = f"/veto/{token_of(firm, leaves, owner)}/"
    with working_for(cabinet_id=firm.pk):
        Reminder.objects.filter(pk=leaves.pk).update(state=ReminderState.ACCEPTED)

    assert Browser().get(url).status_code == 410
    assert Browser().post(url, {"duree": "sept-jours"}).status_code == 410
    with working_for(cabinet_id=firm.pk):
        assert Standstill.objects.count() == 0


def test_the_link_is_nobodys_to_make_and_nobodys_once_its_person_is_gone(firm: Cabinet) -> None:
    owner, _, leaves = a_morning(firm)
    token = token_of(firm, leaves, owner)
    forged = signing.dumps([firm.pk.hex, owner.pk.hex, leaves.pk.hex], salt="another")

    assert [Browser().get(f"/veto/{one}/").status_code for one in (forged, token[:-2], "x")] == [404, 404, 404]
    with time_machine.travel(AT_EIGHT + dt.timedelta(days=2), tick=False):
        assert Browser().get(f"/veto/{token}/").status_code == 404
    with working_for(cabinet_id=firm.pk):
        Membership.objects.update(is_active=False)

    assert Browser().post(f"/veto/{token}/", {"duree": "sept-jours"}).status_code == 410


def test_the_link_works_while_another_firm_is_open_in_the_browser(firm: Cabinet) -> None:
    owner, _, leaves = a_morning(firm)
    other = make_cabinet()
    browser = FirmBrowser()
    with working_for(cabinet_id=other.pk):
        stranger = make_member()
    sign_in(browser, stranger)

    assert browser.get(f"/veto/{token_of(firm, leaves, owner)}/").status_code == 200


def test_a_person_chooses_to_receive_it_or_not(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        member = make_member()
    browser = FirmBrowser()
    sign_in(browser, member)

    browser.post("/profil/securite/e-mail-du-matin/", {})

    with working_for(cabinet_id=firm.pk):
        assert Membership.objects.get().gets_morning_mail is False
        assert JournalEntry.objects.get(event="person.morning_mail_chosen").facts == {"wanted": False}
