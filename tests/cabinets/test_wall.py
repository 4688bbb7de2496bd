"""The wall between firms, attacked through raw SQL as the application's own role."""

import uuid

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from cabinets.enums import Role
from cabinets.errors import NoScopeError
from cabinets.models import Cabinet, Client, Dossier, JournalEntry
from cabinets.scoping import (
    Scope,
    acting_for,
    current_cabinet_id,
    tenant_atomic,
    whole_firm,
    working_for,
)
from cabinets.wall import GLOBAL_TABLES, walled_models
from invoices.models import Invoice
from tests.factories.cabinets import assign, make_cabinet, make_client, make_member, outside_any_firm
from tests.factories.invoices import make_invoice

TABLES = sorted(model._meta.db_table for model in walled_models())


def rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def save_and_check(row: Dossier) -> None:
    row.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_refuses_to_read_a_firms_rows_outside_any_firm() -> None:
    with pytest.raises(NoScopeError):
        Client.objects.exists()


@pytest.mark.parametrize("table", TABLES)
def test_shows_no_row_of_any_tenant_table_without_a_scope(db: None, table: str) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        make_member()
        make_invoice()

    assert rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_shows_only_the_rows_of_the_firm_acted_for(cabinet: Cabinet) -> None:
    make_client()
    with outside_any_firm():
        other = make_cabinet()
        with working_for(cabinet_id=other.pk):
            make_client()
            make_client()
            assert rows("SELECT count(*) FROM cabinets_client") == [(2,)]

    assert rows("SELECT count(*) FROM cabinets_client") == [(1,)]
    assert rows(f"SELECT count(*) FROM cabinets_client WHERE cabinet_id = '{other.pk}'") == [(0,)]


def test_refuses_a_scope_that_the_application_did_not_sign(cabinet: Cabinet) -> None:
    make_client()  # Over an empty table the planner may answer without asking whose rows they are.
    forged = Scope(cabinet_id=uuid.uuid4()).signed()[:-1] + "?"
    rows(f"SELECT set_config('quittance.scope', '{forged}', true)")

    with pytest.raises(ProgrammingError, match="not signed"), transaction.atomic():
        rows("SELECT count(*) FROM cabinets_client")


def test_refuses_a_row_that_points_at_another_firms_row(cabinet: Cabinet) -> None:
    with outside_any_firm():
        other = make_cabinet()
        with working_for(cabinet_id=other.pk):
            theirs = make_client()

    with pytest.raises(IntegrityError, match="same_cabinet"), transaction.atomic():
        save_and_check(Dossier(client_id=theirs.pk, reference="X", cabinet=cabinet))


def test_refuses_to_write_a_row_for_another_firm(cabinet: Cabinet, other_cabinet: Cabinet) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Dossier(client=make_client(), cabinet=other_cabinet, reference="X").save(force_insert=True)


def test_refuses_to_act_for_two_firms_at_once(cabinet: Cabinet, other_cabinet: Cabinet) -> None:
    with pytest.raises(NoScopeError), acting_for(cabinet_id=other_cabinet.pk):
        pass

    assert current_cabinet_id() == cabinet.pk


def test_shows_an_assistant_only_the_dossiers_in_their_charge(cabinet: Cabinet) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    mine, theirs = make_invoice(), make_invoice()
    assign(dossier=mine.dossier, member=assistant)

    with acting_for(cabinet_id=cabinet.pk, member_id=assistant.pk), tenant_atomic():
        assert list(Invoice.objects.all()) == [mine]
        assert list(Dossier.objects.all()) == [mine.dossier]
        assert [client.pk for client in Client.objects.all()] == [mine.client_id]
        assert Invoice.objects.filter(pk=theirs.pk).update(note=None) == 0


def test_widens_to_the_whole_firm_and_comes_back(cabinet: Cabinet) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    make_invoice()

    with acting_for(cabinet_id=cabinet.pk, member_id=assistant.pk), tenant_atomic():
        with whole_firm():
            assert Invoice.objects.count() == 1
        assert Invoice.objects.count() == 0


def test_keeps_the_journal_from_being_edited(cabinet: Cabinet) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        JournalEntry.objects.update(event="nothing")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        JournalEntry.objects.all()._raw_delete("default")


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_hides_every_sealed_column_from_the_planner() -> None:
    with (
        connections["scheduler"].cursor() as cursor,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        cursor.execute("SELECT email FROM cabinets_client")


def test_leaves_no_table_outside_the_walls_and_the_written_list(db: None) -> None:
    tables = {str(name) for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    segments = {name for name in tables if name.startswith("cabinets_journalentry_")}

    assert tables - segments - set(TABLES) - set(GLOBAL_TABLES) == {"quittance_scope_key"}


def test_finds_nothing_wrong_in_the_catalogue(db: None) -> None:
    tenant = "SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'cabinet_id'"
    tenant += " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"

    unguarded = rows(
        f"SELECT relname FROM pg_class WHERE oid IN ({tenant}) AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    unwalled = rows(
        f"SELECT oid::regclass FROM pg_class WHERE oid IN ({tenant}) AND oid NOT IN"
        " (SELECT polrelid FROM pg_policy WHERE polname = 'firm_wall' AND NOT polpermissive)"
    )
    owned = rows("SELECT relname FROM pg_class WHERE relowner = current_user::regrole")
    powers = rows(
        "SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    truncates = rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND has_table_privilege(oid, 'TRUNCATE')"
    )

    assert (unguarded, unwalled, owned, powers, truncates) == ([], [], [], [(False,)], [])


def test_carries_the_firm_in_every_link_between_tenant_tables(db: None) -> None:
    single = rows(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint k WHERE contype = 'f'"
        " AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attname = 'cabinet_id')"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conrelid = k.conrelid AND c.confrelid = k.confrelid"
        " AND c.contype = 'f' AND array_length(c.conkey, 1) = 2 AND c.conkey @> k.conkey)"
    )

    assert single == []
