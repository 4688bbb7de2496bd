"""An operator looks at a firm's pages: allowed by a partner, an hour at most, read only, and all of it written."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from unittest.mock import Mock

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from cabinets import tasks
from cabinets.enums import Role
from cabinets.errors import ReadOnlyError, RightMissingError
from cabinets.middleware import LINKS
from cabinets.models import AccountMail, Cabinet, Client, JournalEntry, Membership, SupportAnswer, SupportRequest, User
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services import account_mails, looking, support
from cabinets.services.support import OPERATOR, SupportError
from cabinets.support_rules import Facts, State, state_of
from cabinets.wall import walled_models
from invoices.services.documents import Upload, attach_to_invoice
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import WORDS, arguments_of, populate
from tests.cabinets.test_admin import DESK, acts, desk, operator
from tests.conftest import NOW, FirmBrowser, sign_in
from tests.factories.cabinets import PASSWORD, make_cabinet, make_member, make_user
from tests.factories.invoices import make_invoice
from tests.invoices.test_documents import PDF

__all__ = ["desk", "operator"]
pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
Browse = Callable[..., FirmBrowser]
PAGE = "/parametres/assistance/"
REASON = "Le cabinet signale une balance âgée qui ne correspond pas à sa liste."
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
GRANTED = {
    "is_answered": True,
    "is_granted": True,
    "has_author": True,
    "answered_at": NOW,
    "ends_at": NOW + 15 * MINUTE,
}
TABLE = [
    ({}, HOUR, State.WAITS),
    ({}, 72 * HOUR - MINUTE, State.WAITS),
    ({}, 72 * HOUR, State.LAPSED),
    ({"is_answered": True}, HOUR, State.LAPSED),
    ({"is_answered": True, "has_author": True, "answered_at": NOW}, HOUR, State.REFUSED),
    (GRANTED, -MINUTE, State.OVER),
    (GRANTED, dt.timedelta(), State.OPEN),
    (GRANTED, 15 * MINUTE - dt.timedelta(seconds=1), State.OPEN),
    (GRANTED, 15 * MINUTE, State.OVER),
    ({**GRANTED, "ended_at": NOW + MINUTE}, 2 * MINUTE, State.OVER),
    # Whatever a row says, an hour is an hour.
    ({**GRANTED, "ends_at": NOW + 5 * HOUR}, 59 * MINUTE, State.OPEN),
    ({**GRANTED, "ends_at": NOW + 5 * HOUR}, HOUR, State.OVER),
    ({**GRANTED, "ends_at": None}, MINUTE, State.REFUSED),
]


@pytest.mark.parametrize(("facts", "after", "expected"), TABLE, ids=str)
def test_says_what_became_of_a_request(facts: dict[str, object], after: dt.timedelta, expected: State) -> None:
    assert state_of(Facts(asked_at=NOW, **facts), now=NOW + after) is expected  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _sends(settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.quittance.example"


@pytest.fixture
def firm() -> Cabinet:
    firm = make_cabinet(name="Aubry Lenoir")
    with working_for(cabinet_id=firm.pk):
        make_invoice(number="F-2026-0412")
    return firm


@pytest.fixture
def elsewhere(committed: None) -> Cabinet:
    return make_cabinet(name="Autre cabinet")


@pytest.fixture
def claire(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER, user=make_user(first_name="Claire", last_name="Aubry"))


@pytest.fixture
def paul(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER, user=make_user(first_name="Paul", last_name="Lenoir"))


@pytest.fixture
def asked(firm: Cabinet, operator: User) -> SupportRequest:
    return request_of(firm, operator)


@pytest.fixture
def answer(asked: SupportRequest, claire: Membership) -> SupportAnswer:
    return grant(asked, claire)


@pytest.fixture
def seat(desk: Browser, answer: SupportAnswer) -> Browser:
    """Return the operator's browser, once they entered the firm's pages."""
    entered = desk.post(f"{DESK}cabinets/supportrequest/{answer.request_id}/regarder/")
    assert entered.headers["Location"] == "/tableau-de-bord/"
    return desk


def request_of(firm: Cabinet, operator: User) -> SupportRequest:
    asked = SupportRequest(
        cabinet_id=firm.pk, operator_id=operator.pk, operator_name=str(operator), reason=REASON, asked_at=NOW
    )
    asked.save(using=OPERATOR, force_insert=True)
    return asked


def grant(asked: SupportRequest, by: Membership, minutes: int = 15) -> SupportAnswer:
    with working_for(cabinet_id=asked.cabinet_id, member_id=by.pk):
        return support.grant(request_id=asked.pk, by=by, minutes=minutes)


def events(firm: Cabinet) -> list[str]:
    with working_for(cabinet_id=firm.pk):
        rows = JournalEntry.objects.filter(event__startswith="support.").order_by("pk")
        return list(rows.values_list("event", flat=True))


def answers(firm: Cabinet) -> list[tuple[bool, str]]:
    with working_for(cabinet_id=firm.pk):
        rows = SupportAnswer.objects.select_related("answered_by__user").order_by("answered_at", "pk")
        return [(one.is_granted, str(one.answered_by.user) if one.answered_by else "") for one in rows]


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.replace("\u00a0", " ").replace("&#x27;", "’")))


# Asking.


def test_an_operator_asks_with_a_reason_and_every_partner_is_told(
    desk: Browser, firm: Cabinet, claire: Membership, paul: Membership, operator: User
) -> None:
    with working_for(cabinet_id=firm.pk):
        make_member(role=Role.ADMIN)

    desk.post(f"{DESK}cabinets/supportrequest/add/", {"firm": firm.pk, "reason": REASON, "looks_at": "Rapports"})

    asked = SupportRequest.all_cabinets.using(OPERATOR).get()
    assert (asked.cabinet_id, asked.operator_id, asked.reason, asked.asked_at) == (firm.pk, operator.pk, REASON, NOW)
    assert acts()[-1] == ("supportrequest.created", {})
    assert (len(mail.outbox), tasks.sweep_account_mails()) == (0, 2)
    assert mail.outbox[0].subject == "L’assistance demande à voir les pages du cabinet"
    assert sorted(one.to for one in mail.outbox) == sorted([[claire.user.email], [paul.user.email]])
    assert all(text in mail.outbox[0].body for text in (REASON, "Rapports", f"{PAGE}{asked.pk}/"))
    with working_for(cabinet_id=firm.pk):
        line = JournalEntry.objects.get(event="support.asked")
    assert (line.member_id, line.facts) == (asked.pk, {"operator": str(operator.pk)})


def test_killed_once_the_request_is_kept_the_clock_tells_the_firm_once(
    desk: Browser, firm: Cabinet, claire: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(support, "announce", die)
        with pytest.raises(KeyboardInterrupt):
            desk.post(f"{DESK}cabinets/supportrequest/add/", {"firm": firm.pk, "reason": REASON})
    before = (len(mail.outbox), AccountMail.objects.count(), events(firm))

    left = [tasks.sweep_account_mails(), tasks.sweep_account_mails()]
    for _ in range(2):
        tasks.settle_support()

    assert (before, left) == ((0, 1, []), [1, 0])
    assert [one.to for one in mail.outbox] == [[claire.user.email]]
    assert (AccountMail.objects.count(), events(firm)) == (0, ["support.asked"])


def test_a_request_that_is_not_kept_tells_nobody(
    desk: Browser, firm: Cabinet, claire: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its transaction is over, the request and its mail are gone together."""
    monkeypatch.setattr(account_mails, "ask", Mock(side_effect=KeyboardInterrupt))

    with pytest.raises(KeyboardInterrupt):
        desk.post(f"{DESK}cabinets/supportrequest/add/", {"firm": firm.pk, "reason": REASON})

    assert not SupportRequest.all_cabinets.using(OPERATOR).exists()
    assert (AccountMail.objects.count(), tasks.sweep_account_mails(), claire.is_active) == (0, 0, True)


@pytest.mark.parametrize(
    ("act", "whom", "words"),
    [
        ("", ["paul"], "demande à voir les pages"),
        ("refuser", ["claire", "operator", "paul"], "Claire Aubry refuse"),
        ("terminer", ["claire", "operator", "paul"], "Claire Aubry met fin"),
    ],
    ids=["asked", "refused", "ended"],
)
def test_what_is_told_is_what_is_true_when_it_leaves(  # noqa: PLR0917 - fixtures
    desk: Browser,
    browse: Browse,
    firm: Cabinet,
    claire: Membership,
    paul: Membership,
    operator: User,
    act: str,
    whom: list[str],
    words: str,
) -> None:
    desk.post(f"{DESK}cabinets/supportrequest/add/", {"firm": firm.pk, "reason": REASON})
    asked = SupportRequest.all_cabinets.using(OPERATOR).get()
    if act == "terminer":
        grant(asked, paul)
        AccountMail.objects.all().delete()
    if act:
        browse(claire).post(f"{PAGE}{asked.pk}/{act}/")
    else:
        with working_for(cabinet_id=firm.pk):
            Membership.objects.filter(pk=claire.pk).update(is_active=False)
    named = {claire.user.email: "claire", paul.user.email: "paul", operator.email: "operator"}

    tasks.sweep_account_mails()

    # A request that was answered meanwhile awaits nobody any more: its own mail is dropped, the answer's is sent.
    assert sorted(named[address] for one in mail.outbox for address in one.to) == whom
    assert {words in one.body for one in mail.outbox} == {True}
    assert AccountMail.objects.count() == 0


@pytest.mark.parametrize("reason", ["", "Pour voir", "x" * 401])
def test_refuses_a_reason_that_says_nothing_or_too_much(desk: Browser, firm: Cabinet, reason: str) -> None:
    page = desk.post(f"{DESK}cabinets/supportrequest/add/", {"firm": firm.pk, "reason": reason})

    assert page.status_code == 200
    assert not SupportRequest.all_cabinets.using(OPERATOR).exists()
    assert mail.outbox == []


def test_refuses_a_second_request_while_one_waits(desk: Browser, firm: Cabinet, asked: SupportRequest) -> None:
    assert asked.asked_at == NOW
    page = desk.post(f"{DESK}cabinets/supportrequest/add/", {"firm": firm.pk, "reason": REASON})

    assert "déjà une demande à lire" in page.content.decode()
    assert SupportRequest.all_cabinets.using(OPERATOR).count() == 1


@pytest.mark.parametrize(("role", "is_told"), [(Role.OWNER, True), (Role.ADMIN, False), (Role.LAWYER, False)])
def test_a_banner_tells_the_partners(
    browse: Browse, firm: Cabinet, asked: SupportRequest, role: Role, is_told: bool
) -> None:
    assert asked.cabinet_id == firm.pk
    with working_for(cabinet_id=firm.pk):
        member = make_member(role=role)

    page = words(browse(member).get("/clients/").content.decode())

    assert ("demande à voir les pages du cabinet" in page) is is_told


# Answering.


def test_a_partner_allows_it_with_their_password_for_the_time_they_choose(
    browse: Browse, firm: Cabinet, asked: SupportRequest, claire: Membership, paul: Membership, operator: User
) -> None:
    browser = browse(claire)
    address = f"{PAGE}{asked.pk}/autoriser/"

    wrong = browser.post(address, {"minutes": "30", "current": "un-autre"})
    longer = browser.post(address, {"minutes": "90", "current": PASSWORD})
    assert (wrong.status_code, longer.status_code, answers(firm), mail.outbox) == (422, 422, [], [])

    right = browser.post(address, {"minutes": "30", "current": PASSWORD})

    assert right.headers["Location"] == f"{PAGE}{asked.pk}/"
    assert answers(firm) == [(True, "Claire Aubry")]
    with working_for(cabinet_id=firm.pk):
        assert SupportAnswer.objects.get().ends_at == NOW + 30 * MINUTE
    assert events(firm) == ["support.granted"]
    assert (len(mail.outbox), tasks.sweep_account_mails()) == (0, 3)
    told = {address for one in mail.outbox for address in one.to}
    assert told == {claire.user.email, paul.user.email, operator.email}
    assert "jusqu’à 11 h" in mail.outbox[0].body.replace("\u00a0", " ")


def test_a_partner_refuses_and_nothing_opens(
    browse: Browse, desk: Browser, firm: Cabinet, asked: SupportRequest, claire: Membership
) -> None:
    browse(claire).post(f"{PAGE}{asked.pk}/refuser/")

    assert (answers(firm), events(firm)) == ([(False, "Claire Aubry")], ["support.refused"])
    refused = desk.post(f"{DESK}cabinets/supportrequest/{asked.pk}/regarder/")
    assert refused.headers["Location"] == f"{DESK}cabinets/supportrequest/{asked.pk}/change/"
    assert looking.LOOK not in desk.session


def test_only_a_partner_answers(firm: Cabinet, asked: SupportRequest, browse: Browse) -> None:
    for role in (Role.ADMIN, Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT):
        with working_for(cabinet_id=firm.pk):
            member = make_member(role=role)
        browser = browse(member)
        for act in ("autoriser", "refuser", "terminer"):
            data = {"minutes": "15", "current": PASSWORD}
            assert browser.post(f"{PAGE}{asked.pk}/{act}/", data).status_code == 403, (role, act)
        with working_for(cabinet_id=firm.pk), pytest.raises(RightMissingError):
            support.grant(request_id=asked.pk, by=member, minutes=15)

    assert answers(firm) == []


def test_a_request_is_answered_once(firm: Cabinet, asked: SupportRequest, claire: Membership, paul: Membership) -> None:
    grant(asked, claire)

    with pytest.raises(SupportError):
        grant(asked, paul, minutes=60)

    assert answers(firm) == [(True, "Claire Aubry")]


def test_an_operator_who_is_a_partner_does_not_allow_it_to_themselves(firm: Cabinet, operator: User) -> None:
    asked = request_of(firm, operator)
    with working_for(cabinet_id=firm.pk):
        own = make_member(role=Role.OWNER, user=operator)

    with pytest.raises(SupportError, match="Une autre personne"):
        grant(asked, own)

    assert answers(firm) == []


def test_a_request_nobody_answers_lapses_after_three_days(
    firm: Cabinet, asked: SupportRequest, claire: Membership
) -> None:
    with time_machine.travel(NOW + 72 * HOUR - MINUTE, tick=False):
        assert tasks.settle_support() == 0
    with time_machine.travel(NOW + 72 * HOUR, tick=False):
        with pytest.raises(SupportError):
            grant(asked, claire)
        assert tasks.settle_support() == 1
        assert tasks.settle_support() == 0

    assert (answers(firm), events(firm)) == ([(False, "")], ["support.asked", "support.lapsed"])


# Looking.


def test_the_operator_reads_the_pages_within_a_red_frame_that_says_until_when(seat: Browser) -> None:
    for address in ("/tableau-de-bord/", "/factures/", "/clients/", "/a-valider/", "/rapports/", "/aide/", "/taches/"):
        answer = seat.get(address)
        page = answer.content.decode()
        assert (answer.status_code, 'class="app is-looked-at"' in page) == (200, True), address
        assert "Accès d’assistance aux pages de Aubry Lenoir, jusqu’à 10 h 45." in words(page), address
    assert "F-2026-0412" in seat.get("/factures/").content.decode()


def test_an_error_page_keeps_the_frame(seat: Browser) -> None:
    page = seat.get("/clients/11111111-1111-1111-1111-111111111111/")

    assert page.status_code == 404
    assert "is-looked-at" in page.content.decode()
    assert "jusqu’à 10 h 45" in words(page.content.decode())


def test_every_look_is_a_line_of_the_firms_journal_in_the_operators_name(
    seat: Browser, browse: Browse, firm: Cabinet, claire: Membership, answer: SupportAnswer
) -> None:
    seat.get("/factures/", {"q": "Dupont"})

    with working_for(cabinet_id=firm.pk):
        lines = JournalEntry.objects.filter(member_id=answer.pk).order_by("pk")
        told = [(one.event, one.facts.get("page")) for one in lines]
    assert told == [
        ("support.entered", None), ("invoice.listed", "invoices"), ("support.looked", "/factures/"),
    ]  # fmt: skip
    partner = browse(claire)
    journal = words(partner.get("/parametres/journal/").content.decode())
    assert "Assistance : Claire Aubry" in journal
    assert "Page ouverte par l’assistance" in journal
    assert "Assistance : Claire Aubry" in words(partner.get("/parametres/journal/export.csv").getvalue().decode())
    page = words(partner.get(f"{PAGE}{answer.request_id}/").content.decode())
    assert all(text in page for text in (REASON, "Accordé par Claire Aubry, de 10 h 30 à 10 h 45", "/factures/"))
    assert "Dupont" not in page


def test_it_ends_by_itself_and_is_not_prolonged(
    seat: Browser, firm: Cabinet, asked: SupportRequest, claire: Membership, answer: SupportAnswer
) -> None:
    with time_machine.travel(NOW + 15 * MINUTE - dt.timedelta(seconds=1), tick=False):
        assert seat.get("/factures/").status_code == 200
    with time_machine.travel(NOW + 15 * MINUTE, tick=False):
        over = seat.get("/factures/")
        assert (over.status_code, "F-2026-0412" in over.content.decode()) == (403, False)
        assert "est terminé" in over.content.decode()
        assert seat.get("/factures/").headers.get("Location", "") != "/factures/"
        assert seat.post(f"{DESK}cabinets/supportrequest/{asked.pk}/regarder/").headers["Location"].endswith("/change/")
        with pytest.raises(SupportError):
            grant(asked, claire, minutes=60)
        assert tasks.settle_support() == 1
        assert tasks.settle_support() == 0

    assert events(firm)[-1] == "support.over"
    assert sees(firm, answer) == 0


def test_a_partner_ends_it_at_any_moment_and_the_next_page_is_shut(
    seat: Browser, browse: Browse, firm: Cabinet, answer: SupportAnswer, paul: Membership
) -> None:
    assert sees(firm, answer) == 1
    partner = browse(paul)
    assert "Voir ou terminer" in partner.get("/clients/").content.decode()

    partner.post(f"{PAGE}{answer.request_id}/terminer/")

    assert seat.get("/factures/").status_code == 403
    assert sees(firm, answer) == 0
    assert events(firm)[-1] == "support.ended"
    assert "Voir ou terminer" not in partner.get("/clients/").content.decode()
    page = words(partner.get(f"{PAGE}{answer.request_id}/").content.decode())
    assert "Terminé à 10 h 30, par Paul Lenoir" in page


def sees(firm: Cabinet, answer: SupportAnswer) -> int:
    """Count what the wall itself shows under an answer's id, whatever the pages say."""
    with acting_for(cabinet_id=firm.pk, member_id=answer.pk), tenant_atomic():
        return Client.objects.count()


def test_the_operator_leaves_and_is_nobody_again(seat: Browser) -> None:
    seat.post(f"{DESK}cabinets/supportrequest/quitter/")

    answer = seat.get("/factures/")

    assert (answer.status_code, "F-2026-0412" in answer.content.decode()) == (403, False)


def test_nobody_else_looks_with_that_access(browse: Browse, answer: SupportAnswer, elsewhere: Cabinet) -> None:
    colleague = make_user(email="collegue@quittance.example", is_staff=True, is_superuser=True)
    with working_for(cabinet_id=elsewhere.pk):
        stranger = make_member(role=Role.OWNER)
        also_operator = make_member(role=Role.OWNER, user=colleague)
    for member in (stranger, also_operator):
        browser = browse()
        sign_in(browser, member)
        session = browser.session
        session[looking.LOOK] = str(answer.request_id)
        session.save()
        page = browser.get("/factures/")
        assert (page.status_code, "F-2026-0412" in page.content.decode()) == (403, False)
        # Once told, they are who they were.
        assert browser.get("/factures/").status_code == 200


def test_an_operator_without_second_factor_or_without_desk_looks_at_nothing(
    seat: Browser, operator: User, answer: SupportAnswer
) -> None:
    User.objects.filter(pk=operator.pk).update(is_staff=False)

    assert seat.get("/factures/").status_code == 403

    unproven = Browser()
    User.objects.filter(pk=operator.pk).update(is_staff=True)
    unproven.force_login(operator)
    session = unproven.session
    session[looking.LOOK] = str(answer.request_id)
    session.save()
    assert unproven.get("/factures/").headers["Location"] == "/connexion/second-facteur/"


# Reading, and nothing else.


def filled(address: str, rows: Mapping[str, object], names: dict[str, str]) -> str:
    start = re.split("<", address)[0]
    known = {**rows, **WORDS}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(known.get(found[1], known.get(start, "rien"))), address)


def state_of_firm(firm: Cabinet) -> dict[str, tuple[int, str]]:
    with working_for(cabinet_id=firm.pk), connection.cursor() as cursor:
        found = {}
        for model in walled_models():
            table = model._meta.db_table
            if table != "cabinets_journalentry":
                cursor.execute(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t")
                found[table] = cursor.fetchone()
        return found


def test_no_address_writes_anything_or_hands_a_file_over(seat: Browser, firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        made = populate()
        document = attach_to_invoice(invoice_id=made["invoice_id"], upload=Upload("facture.pdf", PDF))
        made["document_id"] = document.pk
    before = state_of_firm(firm)
    opened, files, absent = 0, [], []
    seat.raise_request_exception = False

    for address, entry in PATTERNS:
        if f"/{address}".startswith(("/deconnexion/", *LINKS)):
            continue
        url = filled(address, made, arguments_of(entry))
        posted = seat.post(url)
        assert (posted.status_code, "et rien d’autre" in posted.content.decode()) == (403, True), url
        answer = seat.get(url)
        if answer.status_code == 500:
            absent.append(address)
            continue
        assert answer.status_code in {200, 302, 403, 404, 405, 410}, (url, answer.status_code)
        opened += answer.status_code == 200
        kind = answer.headers.get("Content-Type", "")
        if not kind.startswith("text/html") or answer.streaming:
            files.append((url, kind))

    assert [one for one in files if not one[0].startswith("/parametres/cabinet/logo")] == []
    assert absent == []
    assert opened > 50
    assert state_of_firm(firm) == before


@pytest.mark.parametrize(
    "address",
    [
        "/parametres/cabinet/", "/parametres/serveur/", "/parametres/encaissement/", "/parametres/equipe/",
        "/parametres/journal/", "/parametres/journal/export.csv", "/parametres/assistance/", "/rgpd/", "/rgpd/export/",
        "/profil/securite/", "/rapports/dso/export.csv", "/factures/export.csv",
    ],
)  # fmt: skip
def test_settings_exports_and_the_journal_stay_shut(seat: Browser, address: str) -> None:
    assert seat.get(address).status_code in {403, 404}


def test_a_writing_is_refused_at_the_cursor() -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk), looking.reading_only():
        assert Cabinet.objects.count() == 1
        assert Cabinet.objects.select_for_update(of=("self",)).count() == 1
        for writing in (
            "UPDATE cabinets_cabinet SET name = 'x'",
            "  delete from cabinets_client",
            "INSERT INTO cabinets_note VALUES (1)",
            "WITH gone AS (DELETE FROM cabinets_client RETURNING id) SELECT * FROM gone",
            "TRUNCATE cabinets_client",
        ):
            with connection.cursor() as cursor, pytest.raises(ReadOnlyError):
                cursor.execute(writing)
    with working_for(cabinet_id=firm.pk):
        assert Cabinet.objects.get().name == firm.name


# What the database refuses, whoever asks.


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO cabinets_supportanswer"
        " (id, cabinet_id, request_id, is_granted, answered_at, ends_at, answered_by_id)"
        " VALUES (gen_random_uuid(), '{firm}', '{asked}', true, now(), now() + interval '1 hour', '{partner}')",
        "UPDATE cabinets_supportanswer SET ended_at = NULL",
        "UPDATE cabinets_supportanswer SET is_granted = true",
        "DELETE FROM cabinets_supportanswer",
        "UPDATE cabinets_supportrequest SET asked_at = now()",
        "DELETE FROM cabinets_supportrequest",
        "INSERT INTO cabinets_membership (id, cabinet_id, user_id, role, sees_every_file, is_active, gets_morning_mail,"
        " joined_at) VALUES (gen_random_uuid(), '{firm}', '{operator}', 'owner', true, true, true, now())",
        "SELECT set_config('quittance.scope', '{firm}||0', false); SELECT * FROM cabinets_client",
    ],
)
def test_the_operators_role_grants_itself_nothing_by_sql(
    firm: Cabinet, asked: SupportRequest, claire: Membership, operator: User, statement: str
) -> None:
    sql = statement.format(firm=firm.pk, asked=asked.pk, partner=claire.pk, operator=operator.pk)

    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(using=OPERATOR),
        connections[OPERATOR].cursor() as cursor,
    ):
        cursor.execute(sql)

    assert answers(firm) == []


def test_not_even_the_application_prolongs_an_access(firm: Cabinet, answer: SupportAnswer) -> None:
    for change in ({"ends_at": NOW + 2 * HOUR}, {"is_granted": False}):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            working_for(cabinet_id=firm.pk),
        ):
            SupportAnswer.objects.filter(pk=answer.pk).update(**change)


@pytest.mark.parametrize("ends_at", [NOW + HOUR + MINUTE, NOW, None])
def test_no_access_is_longer_than_an_hour_or_has_no_end(
    firm: Cabinet, asked: SupportRequest, claire: Membership, ends_at: dt.datetime | None
) -> None:
    with pytest.raises(IntegrityError, match="support_granted"), working_for(cabinet_id=firm.pk):
        SupportAnswer(request_id=asked.pk, is_granted=True, answered_by=claire, answered_at=NOW, ends_at=ends_at).save(
            force_insert=True
        )


def test_an_access_opens_one_firm(elsewhere: Cabinet, answer: SupportAnswer) -> None:
    with working_for(cabinet_id=elsewhere.pk):
        make_invoice()

    with acting_for(cabinet_id=elsewhere.pk, member_id=answer.pk), tenant_atomic():
        assert Client.objects.count() == 0
