"""Sub-processors: each firm is told thirty days ahead, once, and may object; nobody begins before it is answered."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone

from cabinets import journal
from cabinets.enums import NotificationKind, Role
from cabinets.models import Cabinet, JournalEntry, Membership, Notification
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services import notifications
from dunning.enums import StaffMailKind
from dunning.models import StaffMail
from dunning.services import staff_mail
from gdpr import tasks
from gdpr.enums import Verdict
from gdpr.errors import GdprError
from gdpr.models import Closing, ProcessorNotice, ProcessorVersion, SubProcessor
from gdpr.services import chain_of_processors, partners_told, processor_news
from tests.cabinets.test_admin import DESK, desk, operator  # noqa: F401 - fixtures of the operators' desk
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
TODAY = NOW.date()
LATER = TODAY + dt.timedelta(days=40)
SAID = {"name": "Relais", "country": "DE", "role": "Envoi des e-mails", "data": "Messages et adresses"}


@pytest.fixture(autouse=True)
def platform(settings: Any) -> None:
    settings.EMAIL_HOST = "smtp.example"
    settings.OPERATOR = {**settings.OPERATOR, "OPERATOR_EMAIL": "exploitant@quittance.example"}


@pytest.fixture
def firm() -> Cabinet:
    found = make_cabinet(created_at=NOW)
    with working_for(cabinet_id=found.pk):
        make_member(role=Role.OWNER)
    return found


def declare(applies_on: dt.date = LATER, **said: str) -> ProcessorVersion:
    company = SubProcessor.objects.using("operator").create(since_on=applies_on, **{**SAID, **said})
    version = processor_news.publish(processor=company, applies_on=applies_on)
    assert version is not None
    return version


def tell_everybody() -> list[bool]:
    return [processor_news.tell_firm(cabinet_id=firm, version_id=one) for firm, one in processor_news.untold()]


def notices(firm: Cabinet) -> list[ProcessorNotice]:
    with working_for(cabinet_id=firm.pk):
        return list(ProcessorNotice.objects.order_by("told_at", "pk"))


def owner_of(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return Membership.objects.select_related("user").filter(role=Role.OWNER).order_by("pk")[0]


def object_to(firm: Cabinet, reason: str = "Hébergement hors de France") -> ProcessorNotice:
    [notice] = notices(firm)
    with working_for(cabinet_id=firm.pk):
        return processor_news.object_to(notice_id=notice.pk, by=owner_of(firm), reason=reason)


def coming(on: dt.date = TODAY) -> list[tuple[str, bool, bool]]:
    return [(one.name, one.is_coming, one.is_held) for one in chain_of_processors.of_the_installation(on=on)]


def test_tells_each_firm_once_by_mail_notification_journal_and_proof(firm: Cabinet) -> None:
    other = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        make_member(role=Role.OWNER)
        make_member(role=Role.LAWYER)
        partners = list(Membership.objects.select_related("user").filter(role=Role.OWNER))
    version = declare()

    first, again = tell_everybody(), tell_everybody()

    assert (sorted(first), again) == ([True, True], [])
    [notice] = notices(firm)
    with working_for(cabinet_id=firm.pk):
        assert set(notice.told_to.splitlines()) == {
            f"{one.user.get_full_name()} <{one.user.email}>" for one in partners
        }
        assert (notice.version_ref, notice.name, notice.applies_on, notice.told_at) == (
            version.pk, "Relais", LATER, timezone.now(),
        )  # fmt: skip
        assert set(Notification.objects.values_list("member_id", "kind", "subject_id")) == {
            (one.pk, NotificationKind.PROCESSOR, notice.pk) for one in partners
        }
        assert set(StaffMail.objects.values_list("member_id", "kind")) == {
            (one.pk, StaffMailKind.PROCESSOR) for one in partners
        }
        assert JournalEntry.objects.filter(event="processor.announced").count() == 1
    assert [one.name for one in notices(other)] == ["Relais"]


def test_the_mail_says_the_day_the_data_and_where_to_object(firm: Cabinet) -> None:
    declare()
    tell_everybody()

    for mail_id in staff_mail.due(now=timezone.now()):
        staff_mail.deliver(mail_id=mail_id)
    partners_told.note_mailed(cabinet_id=firm.pk)

    [message] = mail.outbox
    words = str(message.body).replace("\u00a0", " ")
    assert message.to == [owner_of(firm).user.email]
    assert message.subject.replace("\u00a0", " ") == "Un nouveau sous-traitant : Relais"
    assert "Données reçues : Messages et adresses" in words
    assert "À partir du 3 janvier 2027, dans 40 jours." in words
    assert "/rgpd/sous-traitants/" in words
    assert notices(firm)[0].mailed_at == timezone.now()


@pytest.mark.parametrize(("sent", "completed"), [(0, False), (1, False), (2, True)])
def test_says_the_mails_left_only_once_all_did(firm: Cabinet, sent: int, *, completed: bool) -> None:
    with working_for(cabinet_id=firm.pk):
        make_member(role=Role.OWNER)
    declare()
    tell_everybody()

    for mail_id in staff_mail.due(now=timezone.now())[:sent]:
        staff_mail.deliver(mail_id=mail_id)
    partners_told.note_mailed(cabinet_id=firm.pk)

    assert (notices(firm)[0].mailed_at is not None) is completed


@pytest.mark.parametrize("step", ["queue", "notify", "journal"])
def test_killed_half_way_it_told_nothing_and_tells_whole_the_next_time(
    firm: Cabinet, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    version = declare()
    place = {
        "queue": (staff_mail, "queue"), "notify": (notifications, "tell"),
        "journal": (journal, "record"),
    }[step]  # fmt: skip

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(*place, die)
        with pytest.raises(KeyboardInterrupt):
            processor_news.tell_firm(cabinet_id=firm.pk, version_id=version.pk)

    assert notices(firm) == []
    with working_for(cabinet_id=firm.pk):
        assert (StaffMail.objects.count(), Notification.objects.count()) == (0, 0)
    assert tell_everybody() == [True]
    with working_for(cabinet_id=firm.pk):
        assert (StaffMail.objects.count(), Notification.objects.count(), ProcessorNotice.objects.count()) == (1, 1, 1)


def test_two_workers_at_once_tell_once(firm: Cabinet) -> None:
    version, told = declare(), []

    def work() -> None:
        try:
            told.append(processor_news.tell_firm(cabinet_id=firm.pk, version_id=version.pk))
        finally:
            for alias in connections:
                connections[alias].close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()

    assert sorted(told) == [False, False, False, True]
    with working_for(cabinet_id=firm.pk):
        assert (ProcessorNotice.objects.count(), StaffMail.objects.count()) == (1, 1)


def test_a_firm_that_joins_later_reads_it_in_its_agreement_and_is_told_nothing(firm: Cabinet) -> None:
    declare()
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        newcomer = make_cabinet()

        told = processor_news.untold()

    assert [one for one, _ in told] == [firm.pk]
    assert notices(newcomer) == []
    assert coming() == [("Relais", True, False)]


def test_a_firm_whose_account_was_erased_is_told_nothing(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        Closing(asked_by=owner_of(firm), asked_at=NOW, due_on=TODAY, erased_at=NOW).save(force_insert=True)

    declare()

    assert processor_news.untold() == []


def test_a_change_is_a_version_and_what_was_there_stays_in_force_until_its_day(firm: Cabinet) -> None:
    first = declare(applies_on=TODAY)
    company = SubProcessor.objects.using("operator").get()
    company.data = "Messages, adresses et pièces"
    changed = processor_news.publish(processor=company, applies_on=LATER)
    again = processor_news.publish(processor=company, applies_on=LATER)

    tell_everybody()

    assert changed is not None
    assert (first.number, changed.number, again) == (1, 2, None)
    assert {(one.is_change, one.data) for one in notices(firm)} == {
        (False, "Messages et adresses"), (True, "Messages, adresses et pièces"),
    }  # fmt: skip
    now = [(one.data, one.is_coming) for one in chain_of_processors.of_the_installation(on=TODAY)]
    then = [(one.data, one.is_coming) for one in chain_of_processors.of_the_installation(on=LATER)]
    assert now == [("Messages et adresses", False), ("Messages, adresses et pièces", True)]
    assert then == [("Messages, adresses et pièces", False)]


def test_an_objection_holds_the_company_back_for_every_firm_until_it_is_answered(firm: Cabinet) -> None:
    other = make_cabinet()
    version = declare(applies_on=TODAY + dt.timedelta(days=31))
    tell_everybody()
    object_to(firm)
    late = TODAY + dt.timedelta(days=50)

    held = coming(late)
    with time_machine.travel(NOW + dt.timedelta(days=50), tick=False):
        with working_for(cabinet_id=other.pk):
            [theirs] = processor_news.shown(cabinet=other)
        processor_news.answer(notice_id=notices(firm)[0].pk, verdict=Verdict.MAINTAINED, text="Certifié en Allemagne.")
    version.refresh_from_db()

    assert held == [("Relais", True, True)]
    assert (theirs.starts_on, theirs.is_begun) == (None, False)
    # Thirty days from the answer, although its first day was long past.
    assert (version.applies_on, version.held_at) == (late + dt.timedelta(days=30), None)
    assert coming(late) == [("Relais", True, False)]
    assert coming(version.applies_on) == [("Relais", False, False)]


def test_waits_for_the_last_answer(firm: Cabinet) -> None:
    other = make_cabinet()
    with working_for(cabinet_id=other.pk):
        make_member(role=Role.OWNER)
    version = declare()
    tell_everybody()
    object_to(firm)
    object_to(other)

    processor_news.answer(notice_id=notices(firm)[0].pk, verdict=Verdict.MAINTAINED, text="Oui.")
    version.refresh_from_db()
    between = version.held_at
    processor_news.answer(notice_id=notices(other)[0].pk, verdict=Verdict.MAINTAINED, text="Oui.")
    version.refresh_from_db()

    assert (between is not None, version.held_at) == (True, None)


def test_a_company_given_up_begins_for_nobody_and_every_objection_has_its_answer(firm: Cabinet) -> None:
    other = make_cabinet()
    with working_for(cabinet_id=other.pk):
        make_member(role=Role.OWNER)
    declare()
    tell_everybody()
    object_to(firm)
    object_to(other)

    processor_news.answer(notice_id=notices(firm)[0].pk, verdict=Verdict.GIVEN_UP, text="Nous restons où nous sommes.")

    assert coming(LATER) == []
    assert SubProcessor.objects.using("operator").get().until_on == TODAY
    assert [one.verdict for one in (*notices(firm), *notices(other))] == [Verdict.GIVEN_UP, Verdict.GIVEN_UP]
    assert sorted(processor_news.unanswered()) == sorted(
        (one.cabinet_id, one.pk) for one in notices(firm) + notices(other)
    )


def test_a_change_given_up_leaves_the_company_as_it_was(firm: Cabinet) -> None:
    declare(applies_on=TODAY)
    tell_everybody()
    company = SubProcessor.objects.using("operator").get()
    company.country = "US"
    company.save(using="operator", update_fields=["country"])
    processor_news.publish(processor=company, applies_on=LATER)
    tell_everybody()
    notice = next(one for one in notices(firm) if one.is_change)
    with working_for(cabinet_id=firm.pk):
        processor_news.object_to(notice_id=notice.pk, by=owner_of(firm), reason="Hors de l’Union")

    processor_news.answer(notice_id=notice.pk, verdict=Verdict.GIVEN_UP, text="Non.")

    company.refresh_from_db()
    assert (company.country, company.until_on) == ("DE", None)
    assert coming(LATER) == [("Relais", False, False)]


def test_tells_the_answer_once(firm: Cabinet) -> None:
    declare()
    tell_everybody()
    object_to(firm)
    [notice] = notices(firm)
    processor_news.answer(notice_id=notice.pk, verdict=Verdict.MAINTAINED, text="Certifié.")

    told = [processor_news.tell_answer(cabinet_id=firm.pk, notice_id=notice.pk) for _ in range(2)]

    assert (told, processor_news.unanswered()) == ([True, False], [])
    with working_for(cabinet_id=firm.pk):
        answer = StaffMail.objects.get(key=f"{notice.version_ref}-answer")
        assert "Certifié." in answer.text
        assert Notification.objects.filter(kind=NotificationKind.PROCESSOR_ANSWER).count() == 1


def told_of_moves(firm: Cabinet) -> list[str]:
    """Tell every firm what moved, and return what this one was told, the last first."""
    for cabinet_id, notice_id in [*processor_news.moved(), *processor_news.moved()]:
        processor_news.tell_moved(cabinet_id=cabinet_id, notice_id=notice_id)
    with working_for(cabinet_id=firm.pk):
        lines = JournalEntry.objects.filter(event="processor.moved").order_by("-pk")
        mails = StaffMail.objects.exclude(key=str(notices(firm)[0].version_ref))
        told = [str(line.facts["to"]) for line in lines]
        assert (len(mails), {one.kind for one in mails}) == (len(told), {StaffMailKind.PROCESSOR} if told else set())
        # One line on the partner's page, which leads to what is true; a mail each time.
        assert Notification.objects.filter(kind=NotificationKind.PROCESSOR_MOVED).count() == min(len(told), 1)
        return told


@pytest.mark.parametrize(
    ("verdict", "end", "words"),
    [
        (Verdict.MAINTAINED, "2027-01-13", "commence au plus tôt le 13 janvier 2027"),
        (Verdict.GIVEN_UP, "given_up", "ne recevra aucune donnée"),
    ],
)
def test_the_other_firms_are_told_each_time_the_day_moves_once(
    firm: Cabinet, verdict: Verdict, end: str, words: str
) -> None:
    other = make_cabinet()
    with working_for(cabinet_id=other.pk):
        make_member(role=Role.OWNER)
    declare()
    tell_everybody()
    before = processor_news.moved()
    object_to(firm)

    assert (before, told_of_moves(other)) == ([], ["held"])
    with time_machine.travel(NOW + dt.timedelta(days=20), tick=False):
        [notice] = notices(firm)
        processor_news.answer(notice_id=notice.pk, verdict=verdict, text="Voici.")
        assert told_of_moves(other) == [end, "held"]
        with working_for(cabinet_id=other.pk):
            last = StaffMail.objects.order_by("-asked_at")[0]
            assert words in last.text.replace("\u00a0", " ")
        # Whoever objected reads it in its answer, and nowhere else.
        assert processor_news.tell_answer(cabinet_id=firm.pk, notice_id=notice.pk)
        assert processor_news.moved() == []
    with working_for(cabinet_id=firm.pk):
        assert not JournalEntry.objects.filter(event="processor.moved").exists()


def test_tells_the_operator_of_an_objection_once(firm: Cabinet) -> None:
    declare()
    tell_everybody()
    object_to(firm, reason="Hébergement hors de France")

    for cabinet_id, notice_id in [*processor_news.unrelayed(), *processor_news.unrelayed()]:
        processor_news.relay(cabinet_id=cabinet_id, notice_id=notice_id)

    [message] = mail.outbox
    assert message.to == ["exploitant@quittance.example"]
    assert "Hébergement hors de France" in message.body
    assert processor_news.unrelayed() == []


def test_an_operator_without_an_address_reads_it_at_the_desk(firm: Cabinet, settings: Any) -> None:
    settings.OPERATOR = {**settings.OPERATOR, "OPERATOR_EMAIL": ""}
    declare()
    tell_everybody()
    object_to(firm)

    assert (processor_news.unrelayed(), mail.outbox) == ([], [])


@pytest.mark.parametrize(
    ("reason", "words"), [("  ", "Écrivez le motif"), ("Non", "déjà opposé")], ids=["no reason", "twice"]
)
def test_refuses_an_objection_that_says_nothing_or_was_made(firm: Cabinet, reason: str, words: str) -> None:
    declare()
    tell_everybody()
    if reason == "Non":
        object_to(firm)
    before = [(one.objection, one.objected_at) for one in notices(firm)]

    with pytest.raises(GdprError, match=words):
        object_to(firm, reason)

    assert [(one.objection, one.objected_at) for one in notices(firm)] == before


def test_a_demonstration_holds_nobody_back(firm: Cabinet) -> None:
    version = declare()
    tell_everybody()
    with working_for(cabinet_id=firm.pk):
        Cabinet.objects.update(is_demo=True)

    with pytest.raises(GdprError, match="démonstration"):
        object_to(firm)

    version.refresh_from_db()
    assert version.held_at is None


@pytest.mark.parametrize(
    ("told_after", "asked_after", "allowed"),
    [(0, 39, True), (0, 40, False), (35, 45, True), (35, 64, True), (35, 66, False)],
)
def test_a_firm_told_late_has_its_thirty_days_and_reads_the_real_ones(
    firm: Cabinet, told_after: int, asked_after: int, *, allowed: bool
) -> None:
    """Applies on day 40: told on day 35, it had 5 days and may object until 30 days after it was told."""
    declare()
    with time_machine.travel(NOW + dt.timedelta(days=told_after), tick=False):
        tell_everybody()

    with time_machine.travel(NOW + dt.timedelta(days=asked_after), tick=False), working_for(cabinet_id=firm.pk):
        [shown] = processor_news.shown(cabinet=firm)

    assert (shown.may_object, shown.notice_days, shown.is_short) == (allowed, 40 - told_after, told_after > 10)
    assert shown.starts_on == LATER


def test_the_page_shows_the_announcement_and_takes_the_objection(
    firm: Cabinet, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    declare(applies_on=TODAY + dt.timedelta(days=5))
    tell_everybody()
    [notice] = notices(firm)
    with acting_for(cabinet_id=firm.pk), tenant_atomic():
        desk = browse(owner_of(firm))
        before = desk.get("/rgpd/sous-traitants/").content.decode().replace("\u00a0", " ")
        refused = desk.post(f"/rgpd/sous-traitants/{notice.pk}/s-opposer/", {"reason": ""})
        desk.post(f"/rgpd/sous-traitants/{notice.pk}/s-opposer/", {"reason": "Trop loin"})
        after = desk.get("/rgpd/sous-traitants/").content.decode().replace("\u00a0", " ")

    assert "Annoncé 5 jours avant, au lieu de 30" in before
    assert "elle ne commence pas avant 30 jours après sa réponse" in before
    assert refused.status_code == 422
    assert "Trop loin" in after
    assert "n’a pas encore répondu" in after


def test_the_sweep_hands_over_what_is_owed(firm: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    version, handed = declare(), []
    monkeypatch.setattr(tasks.tell_processor, "delay", lambda *ids: handed.append(ids))

    tasks.sweep_news()

    assert handed == [(str(firm.pk), str(version.pk))]
    tasks.tell_processor(*handed[0])
    assert len(notices(firm)) == 1


def test_the_application_reads_no_other_firm_s_announcement(firm: Cabinet) -> None:
    other = make_cabinet()
    declare()
    tell_everybody()

    with working_for(cabinet_id=other.pk), connections["default"].cursor() as cursor:
        cursor.execute("SELECT cabinet_id FROM gdpr_processornotice")
        seen = [row[0] for row in cursor.fetchall()]

    assert seen == [other.pk]


def fields(**said: object) -> dict[str, object]:
    day = f"{TODAY + dt.timedelta(days=31):%d/%m/%Y}"
    return {**SAID, "guarantee": "", "since_on": day, "until_on": "", **said}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"since_on": f"{TODAY + dt.timedelta(days=29):%d/%m/%Y}"}, "trente jours pour s’opposer"),
        ({"country": "US"}, "dites ce qui permet le transfert"),
    ],
    ids=["too soon", "no guarantee"],
)
def test_the_desk_refuses_what_was_not_announced_in_time_or_rests_on_nothing(
    desk: Browser,  # noqa: F811 - the fixture
    said: dict[str, object],
    words: str,
) -> None:
    make_cabinet()

    page = desk.post(f"{DESK}gdpr/subprocessor/add/", fields(**said))

    assert words in page.content.decode()
    assert not SubProcessor.objects.using("operator").exists()


def test_the_desk_announces_a_newcomer_and_a_change_and_answers(desk: Browser, firm: Cabinet) -> None:  # noqa: F811
    desk.post(f"{DESK}gdpr/subprocessor/add/", fields())
    company = SubProcessor.objects.using("operator").get()
    address = f"{DESK}gdpr/subprocessor/{company.pk}/change/"
    soon = desk.post(address, fields(data="Tout", applies_on=f"{TODAY + dt.timedelta(days=2):%d/%m/%Y}"))
    desk.post(address, fields(data="Tout", applies_on=f"{TODAY + dt.timedelta(days=60):%d/%m/%Y}"))
    tell_everybody()
    notice = next(one for one in notices(firm) if one.is_change)
    with working_for(cabinet_id=firm.pk):
        processor_news.object_to(notice_id=notice.pk, by=owner_of(firm), reason="Trop de données")
    home = desk.get(DESK).content.decode().replace("\u00a0", " ")
    listed = desk.get(f"{DESK}gdpr/processornotice/").content.decode()
    one = f"{DESK}gdpr/processornotice/{notice.pk}/change/"
    read = desk.get(one).content.decode()
    silent = desk.post(one, {"verdict": "", "answer": ""}).content.decode()
    desk.post(one, {"verdict": "maintained", "answer": "Chiffrées de bout en bout."})

    assert "trente jours pour s’opposer" in soon.content.decode()
    assert [(v.number, v.data) for v in ProcessorVersion.objects.using("operator").order_by("number")] == [
        (1, "Messages et adresses"), (2, "Tout"),
    ]  # fmt: skip
    assert "Oppositions de cabinets sans réponse : 1" in home
    assert "sans réponse" not in desk.get(DESK).content.decode()
    assert firm.name in listed
    assert "Trop de données" in read
    assert "Choisissez la suite" in silent
    answered = next(one for one in notices(firm) if one.is_change)
    assert (answered.verdict, answered.answer) == ("maintained", "Chiffrées de bout en bout.")
    assert desk.get(f"{DESK}gdpr/subprocessor/{company.pk}/change/").status_code == 200


def test_the_first_company_of_an_empty_installation_needs_no_notice(desk: Browser) -> None:  # noqa: F811
    desk.post(f"{DESK}gdpr/subprocessor/add/", fields(since_on=f"{TODAY:%d/%m/%Y}"))

    assert coming() == [("Relais", False, False)]
    assert processor_news.untold() == []
