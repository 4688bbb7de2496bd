"""Signing in: the same answer for everybody, few tries, sessions that end, passwords that change."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from cabinets import tasks
from cabinets.middleware import SessionMiddleware
from cabinets.models import Membership, Session, User
from cabinets.services import sign_in, throttle
from config.middleware import visitor_address
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_user

Browse = Callable[..., FirmBrowser]
NEXT_PASSWORD = "lampe-verger-cuivre-nuage"
WRONG = "ne vont pas ensemble"


def sign(browser: FirmBrowser, *, email: str, password: str = PASSWORD, **extra: Any) -> Any:
    return browser.post("/connexion/", {"email": email, "password": password, **extra})


def test_signs_in_and_asks_for_a_second_factor(owner: Membership, browse: Browse) -> None:
    response = sign(browse(), email=f" {owner.user.email.upper()} ")

    assert (response.status_code, response.headers["Location"]) == (302, "/connexion/second-facteur/")


def test_carries_the_wanted_page_through_every_door_but_never_to_another_site(
    owner: Membership, browse: Browse
) -> None:
    asked = browse().get("/profil/securite/")
    assert asked.headers["Location"] == "/connexion/?next=/profil/securite/"

    local = sign(browse(), email=owner.user.email, next="/profil/securite/")
    elsewhere = sign(browse(), email=owner.user.email, next="https://ailleurs.example/")

    assert local.headers["Location"] == "/connexion/second-facteur/?next=%2Fprofil%2Fsecurite%2F"
    assert elsewhere.headers["Location"] == "/connexion/second-facteur/"


def test_answers_the_same_whether_the_account_exists_or_not(owner: Membership, browse: Browse) -> None:
    gone = make_user(email="parti@cabinet.example", is_active=False)

    answers = [
        sign(browse(), email=email, password="faux") for email in (owner.user.email, "personne@ailleurs.example")
    ] + [sign(browse(), email=gone.email)]

    bodies = [re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in answers]
    assert {answer.status_code for answer in answers} == {422}
    assert bodies[0] == bodies[1] == bodies[2]
    assert WRONG in bodies[0]


def test_does_the_same_work_whether_the_account_exists_or_not(
    owner: Membership, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = make_user(email="parti@cabinet.example", is_active=False)
    hashed, encode = Mock(), MD5PasswordHasher.encode

    def counting(*args: Any, **kwargs: Any) -> str:
        hashed()
        return str(encode(*args, **kwargs))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    work = []
    for email in (owner.user.email, "personne@ailleurs.example", gone.email):
        hashed.reset_mock()
        with CaptureQueriesContext(connection) as queries:
            sign(browse(), email=email, password="faux")
        asked = [query["sql"].split(" WHERE ")[0] for query in queries if "cabinets_user" in query["sql"]]
        work.append((hashed.call_count, len(queries), asked))

    # One hash, which is nearly all the time it takes, and the same questions to the database.
    assert work[0][0] == 1
    assert work[0] == work[1] == work[2]


def test_stops_the_sixth_try_on_an_account_even_with_the_right_password(owner: Membership, browse: Browse) -> None:
    for _ in range(5):
        assert WRONG in sign(browse(), email=owner.user.email, password="faux").content.decode()

    refused = sign(browse(), email=owner.user.email)

    assert refused.status_code == 422
    assert "réessayez dans 5 minutes" in refused.content.decode()
    assert Session.objects.filter(user_id=owner.user_id).count() == 0
    with time_machine.travel(NOW + dt.timedelta(minutes=5, seconds=1), tick=False):
        assert sign(browse(), email=owner.user.email).status_code == 302


def test_stops_the_eleventh_try_from_one_address(owner: Membership, browse: Browse) -> None:
    for number in range(10):
        sign(browse(), email=f"essai-{number}@ailleurs.example", password="faux")

    refused = sign(browse(), email=owner.user.email)

    assert "réessayez dans 1 minute" in refused.content.decode()
    with time_machine.travel(NOW + dt.timedelta(seconds=61), tick=False):
        assert sign(browse(), email=owner.user.email).status_code == 302


def test_no_window_of_five_minutes_holds_more_than_five_tries(db: None) -> None:
    gate = throttle.Gate("test", tries=5, seconds=300)
    passed = []
    for second in range(0, 1800, 20):
        with time_machine.travel(NOW + dt.timedelta(seconds=second), tick=False):
            if gate.take("compte") == 0:
                passed.append(second)

    worst = max(sum(1 for other in passed if 0 <= other - start < 300) for start in passed)
    assert worst == 5


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 seconde"), (59, "59 secondes"), (60, "1 minute"), (61, "2 minutes"), (300, "5 minutes")],
)
def test_says_a_delay_in_words(seconds: int, words: str) -> None:
    assert throttle.in_words(seconds) == words


def test_changes_the_session_key_and_keeps_where_it_was_opened(owner: Membership, browse: Browse) -> None:
    browser = browse()
    browser.get("/connexion/")
    before = browser.session.session_key

    browser.post("/connexion/", {"email": owner.user.email, "password": PASSWORD}, headers={"user-agent": "Essai/1.0"})

    session = Session.objects.get(user_id=owner.user_id)
    assert session.session_key != before
    assert (session.address, session.agent, session.started_at) == ("127.0.0.1", "Essai/1.0", NOW)


def test_signs_out_by_post_only(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    assert browser.get("/deconnexion/").status_code == 405
    assert browser.post("/deconnexion/").headers["Location"] == "/connexion/"
    assert Session.objects.filter(user_id=owner.user_id).count() == 0


@pytest.mark.parametrize(
    ("minutes", "location"),
    [(30, "/connexion/code/"), (31, "/connexion/?next=/profil/securite/&expiree=1")],
)
def test_ends_a_session_left_alone_for_more_than_thirty_minutes(
    owner: Membership, browse: Browse, minutes: int, location: str
) -> None:
    browser = browse(owner)
    browser.get("/connexion/code/")

    with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
        response = browser.get("/profil/securite/" if minutes > 30 else "/connexion/")

    assert response.headers["Location"] == (location if minutes > 30 else "/tableau-de-bord/")


def test_ends_a_busy_session_after_twelve_hours(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    browser.get("/connexion/code/")
    for minute in range(20, 12 * 60, 20):
        with time_machine.travel(NOW + dt.timedelta(minutes=minute), tick=False):
            browser.get("/connexion/code/")

    with time_machine.travel(NOW + dt.timedelta(hours=12, minutes=1), tick=False):
        response = browser.get("/profil/securite/")

    assert response.headers["Location"] == "/connexion/?next=/profil/securite/&expiree=1"


def test_an_expired_session_does_not_stand_between_a_visitor_and_a_public_page() -> None:
    request: Any = RequestFactory().get("/p/jeton/")
    request.session = Mock(spec_set=["__contains__", "__getitem__", "get", "flush"])
    request.session.__contains__ = Mock(return_value=True)
    request.session.__getitem__ = Mock(return_value="2020-01-01T00:00:00+00:00")

    response = SessionMiddleware(lambda _: HttpResponse("page"))(request)

    assert (response.content, request.session.flush.call_count) == (b"page", 1)


def test_never_returns_to_a_form_after_signing_in_again(owner: Membership, browse: Browse) -> None:
    assert browse().post("/profil/securite/raccourcis/").headers["Location"] == "/connexion/?next=/tableau-de-bord/"


def test_says_honestly_that_no_link_can_leave_without_a_server(db: None, browse: Browse) -> None:
    page = browse().get("/mot-de-passe/oublie/").content.decode()

    assert "Aucun serveur d’envoi n’est réglé" in page
    assert 'type="email"' not in page


def test_queues_a_link_for_known_and_unknown_addresses_alike(
    owner: Membership, browse: Browse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_HOST = "smtp.example"
    queued = Mock()
    monkeypatch.setattr(tasks.send_password_link, "delay", queued)

    answers = [
        browse().post("/mot-de-passe/oublie/", {"email": email}).content
        for email in (owner.user.email, "personne@ailleurs.example")
    ]

    assert answers[0] == answers[1]
    assert "Si un compte porte cette adresse" in answers[0].decode()
    assert [call.args[0] == str(owner.user_id) for call in queued.call_args_list] == [True, False]


def test_sends_a_link_that_changes_the_password_once_and_ends_every_session(
    owner: Membership, browse: Browse, settings: Settings
) -> None:
    settings.EMAIL_HOST = "smtp.example"
    busy = browse(owner)
    tasks.send_password_link(str(owner.user_id))
    [message] = mail.outbox
    link = re.search(r"https?://[^/]+(/mot-de-passe/\S+)", str(message.body))
    assert link is not None

    easy = browse().post(link[1], {"password": "motdepasse1234"})
    done = browse().post(link[1], {"password": NEXT_PASSWORD})
    again = browse().post(link[1], {"password": "autre-lampe-verger-cuivre"})

    assert message.to == [owner.user.email]
    assert (easy.status_code, done.status_code, again.status_code) == (422, 302, 410)
    assert User.objects.get(pk=owner.user_id).check_password(NEXT_PASSWORD)
    assert busy.get("/connexion/code/").headers["Location"] == "/connexion/"
    assert sign(browse(), email=owner.user.email, password=NEXT_PASSWORD).headers["Location"] == "/connexion/code/"


def test_a_link_ends_after_an_hour(owner: Membership, browse: Browse) -> None:
    path = "/mot-de-passe/" + sign_in.password_link(user=owner.user).split("/mot-de-passe/")[1]

    with time_machine.travel(NOW + dt.timedelta(minutes=61), tick=False):
        over = browse().get(path)

    assert (over.status_code, browse().get(path).status_code) == (410, 200)
    assert browse().get("/mot-de-passe/rien/du-tout/").status_code == 410


def test_sends_nothing_to_nobody(db: None, settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.example"

    tasks.send_password_link(str(UUID(int=1)))

    assert mail.outbox == []


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "pas une adresse", None),
    ],
)
def test_reads_the_visitors_address_from_our_own_proxies_only(
    settings: Settings, proxies: int, forwarded: str, seen: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request: HttpRequest = RequestFactory().get("/", headers={"x-forwarded-for": forwarded})

    assert visitor_address(request) == seen


def test_names_each_request_in_its_answer(db: None, browse: Browse) -> None:
    first, second = (browse().get("/connexion/").headers["X-Request-Id"] for _ in range(2))

    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert first != second


def test_forgets_the_sessions_that_are_over(owner: Membership) -> None:
    for key, ends_at in (("over", NOW - dt.timedelta(seconds=1)), ("running", NOW + dt.timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=ends_at, address="192.0.2.1")

    assert tasks.forget_sessions() == 1
    assert list(Session.objects.values_list("session_key", flat=True)) == ["running"]
