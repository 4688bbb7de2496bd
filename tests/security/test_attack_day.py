"""What a day of attacks on the running product opened, one test each: docs/securite/journee-d-attaque.md."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from psycopg.conninfo import make_conninfo

from cabinets.models import Cabinet, Membership
from cabinets.scoping import acting_for, tenant_atomic
from config.roles import DATABASE
from tests.conftest import FirmBrowser

pytestmark = pytest.mark.django_db(databases=["default", "scheduler", "operator"])


def test_the_signed_scope_is_in_no_statement(cabinet: Cabinet, tmp_path: Path) -> None:
    """Any session reads what the others of its role run: a scope in a text could be said again by an injection."""
    connection = connections["default"]
    connection.ensure_connection()
    said = tmp_path / "said"
    with said.open("w") as file:
        connection.connection.pgconn.trace(file.fileno())
        try:
            with acting_for(cabinet_id=cabinet.pk), tenant_atomic():
                pass
        finally:
            connection.connection.pgconn.untrace()
    lines = said.read_text().splitlines()
    texts = [line for line in lines if "\tParse\t" in line or "\tQuery\t" in line]
    signature = f"{cabinet.pk}||"
    assert [line for line in texts if "set_config" in line]
    assert [line for line in texts if signature in line] == []
    assert [line for line in lines if "\tBind\t" in line and signature in line]


@pytest.mark.parametrize("alias", ["default", "scheduler", "operator"])
def test_no_session_shows_its_statements_to_the_others_of_its_role(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW track_activities")
        assert cursor.fetchone() == ("off",)


def test_the_application_may_not_show_its_statements_again() -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege) as refused,
        psycopg.connect(connections["default"].connection.info.dsn, password=_password()) as direct,
    ):
        direct.execute("SET track_activities = on")
    assert "track_activities" in str(refused.value)


@pytest.mark.parametrize("statement", ["SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')"])
def test_the_application_makes_no_large_object(statement: str) -> None:
    """In the database the roles are made for; those of the tests are copies that nobody attacks."""
    address = make_conninfo(connections["default"].connection.info.dsn, dbname=DATABASE, password=_password())
    with psycopg.connect(address) as direct, pytest.raises(psycopg.errors.InsufficientPrivilege):
        direct.execute(statement)


@pytest.mark.parametrize(
    "place", ["/recherche/?q=", "/banque/chercher/?q=", "/relances/quand-rien-ne-part/?facture=", "/preuves/?fait=",
              "/clients/?q=", "/factures/?apres=", "/connexion/?next="]
)  # fmt: skip
def test_an_address_with_a_null_character_is_refused_and_breaks_nothing(
    browse: Callable[..., FirmBrowser], owner: Membership, place: str
) -> None:
    assert browse(owner).get(f"{place}Agence%00'").status_code == 400


def _password() -> str:
    connections["default"].ensure_connection()
    return str(connections["default"].settings_dict["PASSWORD"])
