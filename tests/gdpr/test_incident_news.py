"""Incidents of the installation: told at once to the firms they concern, once, with a breach already open (R65)."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import ProgrammingError, connections, transaction
from django.test import Client as Browser
from django.utils import timezone

from cabinets import journal
from cabinets.enums import NotificationKind, Role
from cabinets.models import Cabinet, JournalEntry, Membership, Notification
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services import notifications
from dunning.models import StaffMail
from dunning.services import staff_mail
from gdpr import tasks
from gdpr.breaches import firms_clock
from gdpr.enums import BreachOrigin, Risk
from gdpr.errors import GdprError
from gdpr.models import Breach, IncidentNotice, IncidentStatement, InstallationIncident
from gdpr.services import breaches, incident_news, partners_told
from tests.cabinets.test_admin import DESK, desk, operator  # noqa: F401 - fixtures of the operators' desk
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
KNOWN_AT = NOW - dt.timedelta(hours=5)
WORDS = {
    "what": "Une sauvegarde a été lue par un tiers.",
    "whose": "Clients et factures, environ 300 personnes.",
    "consequences": "Messages frauduleux.",
    "measures": "Accès coupé, clés changées.",
    "contact": "securite@quittance.example",
}


@pytest.fixture(autouse=True)
def platform(settings: Any) -> None:
    settings.EMAIL_HOST = "smtp.example"


@pytest.fixture
def firm() -> Cabinet:
    return with_partner(make_cabinet(name="Aubry"))


@pytest.fixture
def other() -> Cabinet:
    return with_partner(make_cabinet(name="Roche"))


def with_partner(firm: Cabinet) -> Cabinet:
    with working_for(cabinet_id=firm.pk):
        make_member(role=Role.OWNER)
    return firm


def partner_of(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return Membership.objects.select_related("user").get(role=Role.OWNER)


def incident(*firms: Cabinet, **said: Any) -> InstallationIncident:
    row = InstallationIncident(
        **{"known_at": KNOWN_AT, **WORDS, "firm_ids": sorted(one.pk for one in firms), "is_everyone": not firms, **said}
    )
    row.save(using="operator", force_insert=True)
    return row


def tell_everybody() -> list[bool]:
    return [incident_news.tell_firm(cabinet_id=firm, statement_id=one) for firm, one in incident_news.untold()]


def told(firm: Cabinet) -> tuple[int, int, int, int]:
    """Count a firm's breaches, notices, mails and notifications."""
    with working_for(cabinet_id=firm.pk):
        tables = (Breach, IncidentNotice, StaffMail, Notification)
        return tuple(table.objects.count() for table in tables)  # type: ignore[return-value]


def test_opens_a_breach_and_tells_the_partners_of_the_firms_concerned_alone(firm: Cabinet, other: Cabinet) -> None:
    incident_news.publish(incident=incident(firm))

    assert tell_everybody() == [True]

    assert (told(firm), told(other)) == ((1, 1, 1, 1), (0, 0, 0, 0))
    with working_for(cabinet_id=firm.pk):
        breach, notice, partner = Breach.objects.get(), IncidentNotice.objects.get(), partner_of(firm)
        assert (breach.origin, breach.known_at, breach.recorded_by_id) == (BreachOrigin.OPERATOR, NOW, None)
        assert (breach.what, breach.whose) == (WORDS["what"], WORDS["whose"])
        assert (notice.known_at, notice.told_at, notice.contact) == (KNOWN_AT, NOW, WORDS["contact"])
        assert notice.told_to == f"{partner.user.get_full_name()} <{partner.user.email}>"
        assert Notification.objects.get().kind == NotificationKind.INCIDENT
        assert JournalEntry.objects.filter(event="incident.announced").count() == 1


def test_the_72_hours_run_from_the_instant_the_firm_is_told(firm: Cabinet) -> None:
    incident_news.publish(incident=incident(firm))
    tell_everybody()

    with working_for(cabinet_id=firm.pk):
        breach = Breach.objects.get()
        by = {due.label: due.by for due in breaches.dues_of(breach)}

    assert by["Notifier la CNIL"] == NOW + dt.timedelta(hours=72)


@pytest.mark.parametrize(
    ("told_after", "asked_after", "words"),
    [
        (None, 5, "À annoncer : reste 19 h 00"),
        (None, 24, "En retard de 0 h 00"),
        (None, 30, "En retard de 6 h 00"),
        (3.5, 30, "Annoncé en 3 h 30"),
        (24, 30, "Annoncé en 24 h 00"),
        (25, 30, "Annoncé en 25 h 00, hors du délai"),
    ],
)
def test_counts_the_day_promised_to_the_firms(told_after: float | None, asked_after: float, words: str) -> None:
    told_at = None if told_after is None else KNOWN_AT + dt.timedelta(hours=told_after)

    said = firms_clock(KNOWN_AT, told_at=told_at, now=KNOWN_AT + dt.timedelta(hours=asked_after))

    assert said.replace("\u00a0", " ") == words


def test_tells_nobody_twice(firm: Cabinet) -> None:
    statement = incident_news.publish(incident=incident(firm))

    again = [incident_news.tell_firm(cabinet_id=firm.pk, statement_id=statement.pk) for _ in range(3)]

    assert (again, incident_news.untold(), told(firm)) == ([True, False, False], [], (1, 1, 1, 1))


def test_four_workers_at_once_tell_once(firm: Cabinet) -> None:
    statement, said = incident_news.publish(incident=incident(firm)), []

    def work() -> None:
        try:
            said.append(incident_news.tell_firm(cabinet_id=firm.pk, statement_id=statement.pk))
        finally:
            for alias in connections:
                connections[alias].close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()

    assert (sorted(said), told(firm)) == ([False, False, False, True], (1, 1, 1, 1))


@pytest.mark.parametrize("step", ["queue", "notify", "journal"])
def test_killed_half_way_it_told_nothing_and_tells_whole_the_next_time(
    firm: Cabinet, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    statement = incident_news.publish(incident=incident(firm))
    place = {
        "queue": (staff_mail, "queue"), "notify": (notifications, "tell"),
        "journal": (journal, "record"),
    }[step]  # fmt: skip

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(*place, die)
        with pytest.raises(KeyboardInterrupt):
            incident_news.tell_firm(cabinet_id=firm.pk, statement_id=statement.pk)

    assert told(firm) == (0, 0, 0, 0)
    assert tell_everybody() == [True]
    assert told(firm) == (1, 1, 1, 1)


def test_killed_between_two_firms_the_second_is_told_by_the_next_run(firm: Cabinet, other: Cabinet) -> None:
    incident_news.publish(incident=incident())
    waiting = incident_news.untold()
    incident_news.tell_firm(cabinet_id=waiting[0][0], statement_id=waiting[0][1])

    left = incident_news.untold()
    tell_everybody()

    assert left == waiting[1:]
    assert (told(firm), told(other)) == ((1, 1, 1, 1), (1, 1, 1, 1))


def test_an_update_completes_the_breach_and_opens_no_other(firm: Cabinet) -> None:
    row = incident(firm)
    incident_news.publish(incident=row)
    tell_everybody()
    row.whose = "Clients et factures, 312 personnes."
    incident_news.publish(incident=row)
    with time_machine.travel(NOW + dt.timedelta(hours=6), tick=False):
        tell_everybody()

    with working_for(cabinet_id=firm.pk):
        breach = Breach.objects.get()
        said = [(one.number, one.whose) for one in incident_news.statements_of(breach)]
        subjects = {one.subject.replace("\u00a0", " ") for one in StaffMail.objects.all()}
    assert said == [(2, "Clients et factures, 312 personnes."), (1, WORDS["whose"])]
    assert (breach.known_at, breach.whose) == (NOW, WORDS["whose"])
    assert subjects == {
        "Incident de sécurité : vos données peuvent être touchées",
        "Incident de sécurité, suite : vos données peuvent être touchées",
    }


def test_a_firm_found_later_has_its_own_breach_and_its_own_clock(firm: Cabinet, other: Cabinet) -> None:
    row = incident(firm)
    incident_news.publish(incident=row)
    tell_everybody()
    row.firm_ids = sorted([firm.pk, other.pk])
    incident_news.publish(incident=row)
    later = NOW + dt.timedelta(hours=6)

    with time_machine.travel(later, tick=False):
        tell_everybody()

    with working_for(cabinet_id=other.pk):
        breach, notice = Breach.objects.get(), IncidentNotice.objects.get()
    assert (breach.known_at, notice.number) == (later, 2)
    assert (told(firm)[:2], told(other)[:2]) == ((1, 2), (1, 1))


def test_an_update_reaches_a_breach_that_was_closed(firm: Cabinet) -> None:
    row = incident(firm)
    incident_news.publish(incident=row)
    tell_everybody()
    with working_for(cabinet_id=firm.pk):
        breach, by = Breach.objects.get(), partner_of(firm)
        breaches.assess(
            breach_id=breach.pk,
            by=by,
            risk=Risk.NONE,
            what="Un accès",
            whose="Des clients",
            consequences="",
            measures="",
        )
        breaches.close(breach_id=breach.pk, by=by)
    row.measures = "Clés changées deux fois."
    incident_news.publish(incident=row)

    tell_everybody()

    assert told(firm)[:2] == (1, 2)


@pytest.mark.parametrize("case", ["nobody", "the same words"])
def test_refuses_to_publish_nothing(firm: Cabinet, case: str) -> None:
    row = incident(is_everyone=False) if case == "nobody" else incident(firm)
    if case != "nobody":
        incident_news.publish(incident=row)
    before = IncidentStatement.objects.using("operator").count()

    with pytest.raises(GdprError, match="Rien n’a été annoncé"):
        incident_news.publish(incident=row)

    assert IncidentStatement.objects.using("operator").count() == before


def test_the_mail_leaves_and_the_proof_says_when(firm: Cabinet) -> None:
    incident_news.publish(incident=incident(firm))
    tell_everybody()

    for mail_id in staff_mail.due(now=timezone.now()):
        staff_mail.deliver(mail_id=mail_id)
    assert partners_told.unmailed() == [firm.pk]
    tasks.note_mailed(str(firm.pk))

    [message] = mail.outbox
    assert message.to == [partner_of(firm).user.email]
    for words in WORDS.values():
        assert words in message.body
    with working_for(cabinet_id=firm.pk):
        assert IncidentNotice.objects.get().mailed_at == NOW
    assert partners_told.unmailed() == []


def test_a_red_banner_stays_until_somebody_who_runs_the_firm_opens_it(
    firm: Cabinet, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    incident_news.publish(incident=incident(firm))
    tell_everybody()
    with acting_for(cabinet_id=firm.pk), tenant_atomic():
        partner, lawyer = partner_of(firm), make_member(role=Role.LAWYER)
        breach = Breach.objects.get()
        desk, theirs = browse(partner), browse(lawyer)
        seen, hidden = desk.get("/factures/").content.decode(), theirs.get("/factures/").content.decode()
        read = desk.get(f"/rgpd/violations/{breach.pk}/").content.decode()
        refused = theirs.post(f"/rgpd/violations/{breach.pk}/lue/").status_code
        still = desk.get("/factures/").content.decode()
        opened = desk.post(f"/rgpd/violations/{breach.pk}/lue/")
        gone = desk.get("/factures/").content.decode()
        notice = IncidentNotice.objects.get()

    banner = "L’exploitant signale un incident de sécurité"
    assert (banner in seen, banner in hidden, banner in still, banner in gone) == (True, False, True, False)
    assert (refused, opened["Location"]) == (403, f"/rgpd/violations/{breach.pk}/")
    for words in WORDS.values():
        assert words in read
    assert (notice.opened_by_id, notice.opened_at) == (partner.pk, NOW)


def test_the_application_reads_no_incident_but_what_its_firm_was_told(firm: Cabinet, other: Cabinet) -> None:
    incident_news.publish(incident=incident(other))
    tell_everybody()

    with working_for(cabinet_id=firm.pk), connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gdpr_incidentnotice")
        assert cursor.fetchone() == (0,)
        for table in ("gdpr_installationincident", "gdpr_incidentstatement"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(f"SELECT what FROM {table}")


def fields(**said: object) -> dict[str, object]:
    return {"known_at_0": "24/11/2026", "known_at_1": "04:30", **WORDS, **said}


def test_the_desk_records_publishes_and_shows_who_knows(desk: Browser, firm: Cabinet, other: Cabinet) -> None:  # noqa: F811
    add = f"{DESK}gdpr/installationincident/add/"
    nobody = desk.post(add, fields(is_published="on")).content.decode()
    future = desk.post(add, fields(known_at_1="23:30")).content.decode()
    assert not InstallationIncident.objects.using("operator").exists()
    desk.post(add, fields(firm_ids=[str(firm.pk)]))
    row = InstallationIncident.objects.using("operator").get()
    waiting = desk.get(f"{DESK}gdpr/installationincident/").content.decode().replace("\u00a0", " ")
    kept = incident_news.untold()
    home = desk.get(DESK).content.decode().replace("\u00a0", " ")
    one = f"{DESK}gdpr/installationincident/{row.pk}/change/"
    desk.post(one, fields(firm_ids=[str(firm.pk)], is_published="on"))
    again = desk.post(one, fields(firm_ids=[str(firm.pk)], is_published="on"), follow=True).content.decode()
    tell_everybody()
    shown = desk.get(one).content.decode().replace("\u00a0", " ")

    assert "Choisissez les cabinets concernés" in nobody
    assert "pas encore venu" in future
    assert "À annoncer : reste 19 h 00" in waiting
    assert "annoncés à aucun cabinet : 1" in home
    assert kept == []
    assert "Rien n’a changé depuis la dernière annonce" in again
    assert "Annoncé en 5 h 00" in shown
    assert "Annonce 1 – Aubry : 24/11/2026 09:30 UTC" in shown
    assert told(other) == (0, 0, 0, 0)
