"""A firm signs up: nothing is kept before an address is proven, and nothing is told of who has an account."""

import re
import time
from typing import Any

import pytest
from django.core import mail
from django.test import Client as Browser

from cabinets import tasks
from cabinets.admin import readable
from cabinets.enums import Role
from cabinets.models import Cabinet, Invitation, Membership, User
from cabinets.scoping import working_for
from cabinets.services import sign_up
from cabinets.services.sign_up import Wish
from tests.factories.cabinets import make_cabinet, make_user

WISH = Wish(email="claire@martel.example", firm="Martel Avocats", bar="Lyon")
FORM = {"email": " Claire@Martel.example ", "firm": "Martel Avocats", "bar": "Lyon"}
JOIN = {"first_name": "Claire", "last_name": "Martel", "password": "corail bougie wagon tulipe"}

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def is_open(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIGN_UPS_OPEN = True
    settings.EMAIL_HOST = "smtp.quittance.example"
    monkeypatch.setattr(tasks.send_sign_up_link, "delay", tasks.send_sign_up_link)


def firms() -> list[Cabinet]:
    return list(readable(Cabinet).order_by("slug"))


def link_sent() -> str:
    found = re.search(r"/inscription/[\w-]+/", str(mail.outbox[-1].body))
    assert found is not None
    return found.group()


def test_opens_a_firm_from_the_form_to_its_first_partner() -> None:
    visitor = Browser()

    asked = visitor.post("/inscription/", FORM)
    kept_before = (firms(), list(User.objects.all()))
    link = link_sent()
    shown = visitor.get(link).content.decode()
    opened = visitor.post(link, JOIN)

    assert "Un e-mail vient de partir" in asked.content.decode()
    assert kept_before == ([], [])
    assert "claire@martel.example" in shown
    assert (opened.status_code, opened["Location"]) == (302, "/connexion/second-facteur/")
    [firm] = firms()
    assert (firm.name, firm.slug, firm.bar, firm.activated_on) == ("Martel Avocats", "martel-avocats", "Lyon", None)
    with working_for(cabinet_id=firm.pk):
        [member] = Membership.objects.select_related("user")
        assert (member.user.email, member.role, member.sees_every_file) == ("claire@martel.example", Role.OWNER, True)
        assert Invitation.objects.get().accepted_at is not None


def test_writes_nothing_a_reader_of_addresses_could_use() -> None:
    token = sign_up.token_of(WISH)

    assert [word for word in ("claire", "martel", "Lyon") if word in token] == []
    assert sign_up.wish_of(token) == WISH


def test_answers_the_same_whether_the_address_has_an_account() -> None:
    make_user(email="claire@martel.example")
    known, unknown = Browser(), Browser()

    first = known.post("/inscription/", FORM)
    second = unknown.post("/inscription/", {**FORM, "email": "autre@martel.example"})

    csrf = re.compile(r'value="[\w]{64}"')
    assert csrf.sub("", first.content.decode()) == csrf.sub("", second.content.decode())
    assert "a déjà un compte" in str(mail.outbox[0].body)
    assert "/inscription/" not in str(mail.outbox[0].body)
    assert firms() == []


def test_serves_a_link_once() -> None:
    token = sign_up.token_of(WISH)
    sign_up.open_firm(token=token, **JOIN)

    again = Browser().post(f"/inscription/{token}/", JOIN)

    assert (again.status_code, "déjà" in again.content.decode()) == (422, True)
    assert len(firms()) == 1


def test_refuses_a_link_that_is_over_altered_or_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    token = sign_up.token_of(WISH)
    altered = ("A" if token[30] != "A" else "B").join([token[:30], token[31:]])
    late = time.time() + 24 * 3600 + 5

    for bad in (altered, "x", token[:-3], "é" * 40):
        assert sign_up.wish_of(bad) is None
    monkeypatch.setattr(time, "time", lambda: late)

    assert Browser().get(f"/inscription/{token}/").status_code == 410
    assert firms() == []


def test_gives_a_second_firm_of_the_same_name_an_address_of_its_own() -> None:
    make_cabinet(slug="martel-avocats")

    sign_up.open_firm(token=sign_up.token_of(WISH), **JOIN)

    assert [firm.slug for firm in firms()] == ["martel-avocats", "martel-avocats-2"]


def test_creates_nothing_behind_a_weak_password() -> None:
    token = sign_up.token_of(WISH)

    refused = Browser().post(f"/inscription/{token}/", {**JOIN, "password": "motdepasse1"})

    assert (refused.status_code, firms(), User.objects.count()) == (422, [], 0)


def test_says_so_where_sign_ups_are_closed(settings: Any) -> None:
    settings.SIGN_UPS_OPEN = False
    token = sign_up.token_of(WISH)

    page = Browser().post("/inscription/", FORM).content.decode()
    refused = Browser().post(f"/inscription/{token}/", JOIN)

    assert "Les inscriptions sont fermées ici" in page
    assert (refused.status_code, firms(), mail.outbox) == (422, [], [])


def test_fills_nobody_s_box() -> None:
    visitor = Browser()

    statuses = [visitor.post("/inscription/", FORM).status_code for _ in range(4)]

    assert (statuses, len(mail.outbox)) == ([200, 200, 200, 422], 3)


@pytest.mark.parametrize("missing", ["email", "firm", "bar"])
def test_asks_for_each_answer(missing: str) -> None:
    refused = Browser().post("/inscription/", {**FORM, missing: ""})

    assert (refused.status_code, mail.outbox) == (422, [])
    assert "Indiquez" in refused.content.decode()


def test_shows_its_door_only_where_it_opens(settings: Any) -> None:
    shown = [Browser().get(page).content.decode().count('href="/inscription/"') for page in ("/", "/connexion/")]
    settings.SIGN_UPS_OPEN = False
    closed = [Browser().get(page).content.decode().count('href="/inscription/"') for page in ("/", "/connexion/")]

    assert (shown, closed) == ([2, 1], [0, 0])
