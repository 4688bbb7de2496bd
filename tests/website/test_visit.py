"""A visitor of the demonstration reads an invented firm, and no address lets them change anything of it."""

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from pytest_django.fixtures import Settings

from cabinets.models import Cabinet, Membership, User
from cabinets.scoping import working_for
from cabinets.services import visiting
from cabinets.wall import walled_models
from tests.architecture.test_urls import PATTERNS
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member
from tests.factories.invoices import make_invoice
from tests.website.test_pages import words

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
Browse = Callable[..., FirmBrowser]
ENTER = "/demonstration/entrer/"
APART = ("deconnexion/", "static/")


@pytest.fixture(autouse=True)
def _is_open(settings: Settings) -> None:
    cache.clear()
    settings.DEMO_VISITS = True


@pytest.fixture
def demo() -> Cabinet:
    firm = make_cabinet(is_demo=True, slug="aubry")
    with working_for(cabinet_id=firm.pk):
        make_invoice(number="F-2026-0412")
    return firm


@pytest.fixture
def visitor(demo: Cabinet, browse: Browse) -> FirmBrowser:
    browser = browse()
    assert browser.post(ENTER).headers["Location"] == "/tableau-de-bord/"
    return browser


def counts(firm: Cabinet) -> dict[str, int]:
    """Count the rows of every table of a firm, but the traces a visit leaves."""
    with working_for(cabinet_id=firm.pk), connection.cursor() as cursor:
        found = {}
        for model in walled_models():
            table = model._meta.db_table
            if "journal" not in table:
                cursor.execute(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t")
                found[table] = cursor.fetchone()
        return found


def filled(pattern: str) -> str:
    """Give an address its arguments: ids of nothing."""
    nothing = {"uuid": "11111111-1111-1111-1111-111111111111", "int": "1", "slug": "rien", "str": "rien"}
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda found: nothing.get(found[1] or "str", "rien"), pattern)


def test_reads_the_whole_of_an_invented_firm(visitor: FirmBrowser) -> None:
    for address in (
        "/tableau-de-bord/",
        "/factures/",
        "/clients/",
        "/a-valider/",
        "/ce-soir/",
        "/rapports/",
        "/modeles/",
    ):
        assert visitor.get(address).status_code == 200, address
    page = visitor.get("/factures/").content.decode().replace("\u00a0", " ")
    assert "F-2026-0412" in page
    assert "Vous visitez la démonstration." in page


def test_no_address_lets_a_visitor_change_anything(visitor: FirmBrowser, demo: Cabinet) -> None:
    before = counts(demo)
    walked = [filled(address) for address, _ in PATTERNS if not address.startswith(APART)]
    assert len(walked) > 200

    for method in ("post", "put", "patch", "delete"):
        for address in walked if method == "post" else walked[::10]:
            answer = getattr(visitor, method)(address)
            assert (answer.status_code, "en lecture seule" in answer.content.decode()) == (403, True), address

    assert counts(demo) == before


def test_sees_no_account_and_no_other_visitor(visitor: FirmBrowser) -> None:
    assert visitor.get("/profil/securite/").status_code == 403
    assert visitor.get("/parametres/journal/").status_code == 403
    assert visitor.get("/parametres/equipe/").status_code == 403


def test_leaves(visitor: FirmBrowser) -> None:
    assert visitor.post("/deconnexion/").status_code == 302
    assert visitor.get("/factures/").status_code == 302


def test_two_visits_are_one_member_and_nobody_signs_in_as_them(
    visitor: FirmBrowser, demo: Cabinet, browse: Browse
) -> None:
    browse().post(ENTER)

    with working_for(cabinet_id=demo.pk):
        assert Membership.objects.filter(user__email=visiting.VISITOR).count() == 1
    person = User.objects.get(email=visiting.VISITOR)
    assert not person.has_usable_password()
    answer = browse().post("/connexion/", {"email": visiting.VISITOR, "password": "!"})
    assert answer.status_code == 422


def test_is_shut_where_it_is_not_wanted_and_where_nothing_is_to_see(browse: Browse, settings: Settings) -> None:
    assert "Entrer dans la démonstration" not in words(browse().get("/demonstration/"))
    assert browse().post(ENTER).headers["Location"] == "/demonstration/"
    make_cabinet(is_demo=True)
    assert "Entrer dans la démonstration" in words(browse().get("/demonstration/"))
    settings.DEMO_VISITS = False
    assert browse().post(ENTER).headers["Location"] == "/demonstration/"
    assert not User.objects.filter(email=visiting.VISITOR).exists()


def test_a_real_firm_is_never_visited(browse: Browse) -> None:
    real = make_cabinet()
    assert visiting.firm_to_visit() is None
    demo = make_cabinet(is_demo=True)
    browser = browse()
    browser.post(ENTER)
    visitor = User.objects.get(email=visiting.VISITOR)
    with working_for(cabinet_id=real.pk):
        Membership(user=visitor, role="lawyer", sees_every_file=True).save(force_insert=True)
    session = browser.session
    session["cabinet"] = str(real.pk)
    session.save()

    # Even given a place there, without a second factor nothing opens.
    assert browser.get("/factures/").headers["Location"] == "/connexion/second-facteur/"
    assert demo.pk != real.pk


def test_a_member_of_the_demonstration_is_no_visitor(demo: Cabinet, browse: Browse) -> None:
    with working_for(cabinet_id=demo.pk):
        member = make_member()
    browser = browse(member)
    session = browser.session
    session[visiting.VISIT] = str(demo.pk)
    session.save()

    assert "Vous visitez" not in browser.get("/factures/").content.decode()
