"""The operators' desk: two factors, no firm's file, every act written down."""

import datetime as dt

import pytest
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone

from cabinets import totp
from cabinets.admin import OPERATOR, readable, site
from cabinets.models import Cabinet, Membership, OperatorAct, Platform, Session, TotpDevice, User
from cabinets.scoping import working_for
from cabinets.sealing import keks
from cabinets.services import second_factor
from cabinets.wall import GLOBAL_TABLES, walled_models
from dunning.models import FailedJob
from tests.conftest import sign_in
from tests.factories.cabinets import PASSWORD, make_cabinet, make_member, make_user

DESK = "/exploitation/admin/"
SEED = b"12345678901234567890"


@pytest.fixture
def operator(committed: None) -> User:
    return make_user(email="exploitation@quittance.example", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(operator: User) -> Browser:
    """Return a browser of an operator who proved both factors, through the doors."""
    browser = Browser()
    TotpDevice.objects.create(
        user=operator, name="Application", confirmed=True, seed=totp.seal(SEED, user_id=operator.pk, ring=keks())
    )
    browser.post("/connexion/", {"email": operator.email, "password": PASSWORD})
    code = totp.code_at(SEED, totp.step_at(timezone.now().timestamp()))
    assert browser.post("/connexion/code/", {"code": code}).headers["Location"] == DESK
    return browser


def acts() -> list[tuple[str, dict[str, object]]]:
    return list(OperatorAct.objects.using(OPERATOR).order_by("pk").values_list("event", "facts"))


def test_is_shut_to_visitors_and_to_a_firms_people(committed: None) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        member = make_member()
    partner = Browser()
    sign_in(partner, member)

    for browser in (Browser(), partner):
        answer = browser.get(DESK, follow=False)
        assert (answer.status_code, answer.headers["Location"].startswith(f"{DESK}login/")) == (302, True)


def test_is_shut_to_an_operator_until_the_second_factor(operator: User) -> None:
    browser = Browser()
    asked = browser.post("/connexion/", {"email": operator.email, "password": PASSWORD, "next": DESK})

    answer = browser.get(DESK, follow=True)

    assert asked.headers["Location"] == "/connexion/second-facteur/?next=%2Fexploitation%2Fadmin%2F"
    assert answer.redirect_chain[-1][0].startswith("/connexion/second-facteur/")


def test_lists_every_firm_and_writes_the_sign_in_down(desk: Browser) -> None:
    make_cabinet(name="Aubry Lenoir")
    make_cabinet(name="Roche")

    page = desk.get(f"{DESK}cabinets/cabinet/").content.decode()

    assert "Aubry Lenoir" in page
    assert "Roche" in page
    assert [event for event, _ in acts()] == ["person.signed_in"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "cabinets/cabinet/",
        "cabinets/membership/",
        "cabinets/user/",
        "cabinets/opensession/",
        "cabinets/platform/",
        "cabinets/platform/add/",
        "cabinets/operatoract/",
        "cabinets/supportrequest/",
        "cabinets/supportrequest/add/",
        "invoices/interestrate/",
        "invoices/interestrate/add/",
        "dunning/failedjob/",
        "gdpr/subprocessor/",
        "gdpr/subprocessor/add/",
        "gdpr/subprocessor/registre/",
        "gdpr/processornotice/",
        "gdpr/installationincident/",
        "gdpr/installationincident/add/",
    ],
)
def test_opens_every_page_of_the_desk(desk: Browser, path: str) -> None:
    assert desk.get(f"{DESK}{path}").status_code == 200


def test_changes_a_firm_and_writes_the_names_of_what_changed(desk: Browser) -> None:
    firm = make_cabinet(name="Aubry", slug="aubry")
    values = {"name": "Aubry Lenoir", "slug": "aubry", "siren": "", "bar": "Nantes", "email": firm.email}

    desk.post(
        f"{DESK}cabinets/cabinet/{firm.pk}/change/",
        {
            **values,
            "phone": firm.phone,
            "activated_on": "02/01/2026",
        },
    )

    assert readable(Cabinet).get(pk=firm.pk).name == "Aubry Lenoir"
    assert acts()[-1] == ("cabinet.changed", {"fields": ["Nom"]})


def test_refuses_a_second_firm_of_the_same_name_in_addresses(desk: Browser) -> None:
    make_cabinet(slug="aubry")

    other = make_cabinet(slug="autre")

    page = desk.post(f"{DESK}cabinets/cabinet/{other.pk}/change/", {"name": "Autre", "slug": "aubry"})

    assert page.status_code == 200
    assert "Une autre ligne a déjà ces valeurs" in page.content.decode()
    assert readable(Cabinet).get(pk=other.pk).slug == "autre"


def test_changes_a_member_through_the_operators_role(desk: Browser) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        member = make_member()

    desk.post(f"{DESK}cabinets/membership/{member.pk}/change/", {"role": "admin", "sees_every_file": "on"})

    with working_for(cabinet_id=firm.pk):
        kept = Membership.objects.get(pk=member.pk)
    assert (kept.role, kept.is_active) == ("admin", False)
    assert acts()[-1][0] == "membership.changed"


def test_throws_the_kill_switch(desk: Browser) -> None:
    desk.post(
        f"{DESK}cabinets/platform/add/",
        {"suspended_at_0": "24/11/2026", "suspended_at_1": "09:30", "suspension_reason": "Incident"},
    )

    platform = Platform.objects.get()
    assert platform.suspended_at == dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
    assert acts()[-1][0] == "platform.created"
    assert desk.get(f"{DESK}cabinets/platform/add/").status_code == 403


def test_ends_a_session_and_shows_nothing_of_what_it_holds(desk: Browser) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        member = make_member()
    theirs = Browser()
    sign_in(theirs, member)
    session = Session.objects.get(user_id=member.user_id)

    listed = desk.get(f"{DESK}cabinets/opensession/").content.decode()
    page = desk.get(f"{DESK}cabinets/opensession/{session.reference}/change/").content.decode()
    desk.post(f"{DESK}cabinets/opensession/{session.reference}/delete/", {"post": "yes"})

    assert str(session.reference) in listed
    assert [text for text in (session.session_data, session.session_key) if text in page + listed] == []
    assert not Session.objects.filter(pk=session.pk).exists()
    assert acts()[-1][0] == "opensession.deleted"


def test_closes_a_failed_job(desk: Browser) -> None:
    job = FailedJob.objects.using("owner").create(name="dunning.tasks.sweep", error="OSError")

    desk.post(f"{DESK}dunning/failedjob/{job.pk}/change/", {"closed_at_0": "24/11/2026", "closed_at_1": "10:00"})

    assert FailedJob.objects.using(OPERATOR).get(pk=job.pk).closed_at is not None


def test_registers_no_table_that_holds_a_firms_files() -> None:
    firmless = {
        "cabinets_cabinet", "cabinets_membership", "cabinets_subscription", "cabinets_supportrequest", "gdpr_closing",
        "gdpr_processornotice",
    }  # fmt: skip
    tables = {model._meta.db_table for model in site._registry}

    assert tables & {model._meta.db_table for model in walled_models()} == firmless
    assert tables - firmless <= set(GLOBAL_TABLES)


def test_the_operators_role_reads_no_file_even_by_sql(committed: None) -> None:
    with connections[OPERATOR].cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)"
            " AND has_any_column_privilege(current_user, tablename, 'SELECT')",
            [["cabinets_client", "cabinets_dossier", "cabinets_contact", "invoices_invoice", "cabinets_datakey"]],
        )
        assert cursor.fetchall() == []


def test_an_operator_enrols_and_recovers_at_the_same_doors(operator: User) -> None:
    browser = Browser()
    browser.post("/connexion/", {"email": operator.email, "password": PASSWORD})
    second_factor.install(user=operator)
    code = second_factor.renew_recovery_codes(user=operator)[0]

    answer = browser.post("/connexion/code/?secours=1", {"code": code})

    assert answer.headers["Location"] == DESK
    assert browser.get(DESK).status_code == 200
