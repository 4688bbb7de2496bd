"""The wall where connections are shared: one after another, between transactions, in tasks, and for every link.

A pooler in transaction mode hands one server connection to several clients in turn: nothing of one transaction may be
there at the next. No pooler is installed here: two logical clients take turns on one connection, as it would make them.
"""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, models, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from cabinets import scoping
from cabinets.enums import Role
from cabinets.errors import NoScopeError
from cabinets.middleware import CabinetMiddleware
from cabinets.models import Cabinet, Client
from cabinets.scoping import Scope, acting_for, current_cabinet_id, has_scope, tenant_atomic, working_for
from cabinets.wall import GLOBAL_TABLES, walled_models
from tests.factories.cabinets import make_cabinet, make_client, make_member
from tests.factories.invoices import make_invoice

ROOT = Path(__file__).resolve().parents[2]
APPS = ("cabinets", "invoices", "templates_lib", "payments", "dunning", "reporting", "gdpr", "website", "onboarding")
# What a session keeps and a pooler would hand to the next client.
SESSION_STATE = re.compile(
    r"\bSET\s+(?!LOCAL\b|CONSTRAINTS\b|TRANSACTION\b)(SESSION\s|ROLE\b|search_path|quittance\.)|\bpg_(try_)?advisory_lock(_shared)?\b"
    r"|(?-i:\bLISTEN\s+[a-z]|\bUNLISTEN\b)|\bCREATE\s+TEMP|\bPREPARE\s+[a-z]+\s*(\(|AS)|\bDECLARE\s+\w+\s.*WITH HOLD"
    r"|set_config\([^)]*,\s*false\)",
    re.IGNORECASE,
)
LINKS = [
    pytest.param(model, link, id=f"{model._meta.db_table}.{link.column}")
    for model in walled_models()
    for link in model._meta.concrete_fields
    if link.related_model in walled_models() and link.related_model is not Cabinet
]


def count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cabinets_client")
        return int(cursor.fetchone()[0])


def announced() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('quittance.scope', true), '')")
        return str(cursor.fetchone()[0])


@pytest.fixture
def two_firms(committed: None) -> tuple[Cabinet, Cabinet]:
    """Return two firms, of one and of two clients."""
    firms = make_cabinet(), make_cabinet()
    for number, firm in enumerate(firms, start=1):
        with working_for(cabinet_id=firm.pk):
            for _ in range(number):
                make_client()
    return firms


@pytest.mark.committed
def test_a_scope_does_not_outlive_its_transaction_on_a_connection_used_again(
    two_firms: tuple[Cabinet, Cabinet],
) -> None:
    one, two = two_firms
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [served_by] = cursor.fetchone()

    for firm, clients in [(one, 1), (two, 2), (one, 1), (two, 2)]:
        with working_for(cabinet_id=firm.pk):
            assert count() == clients
        assert (announced(), count(), has_scope()) == ("", 0, False)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() == (served_by,)


@pytest.mark.committed
def test_a_scope_does_not_outlive_an_error(two_firms: tuple[Cabinet, Cabinet]) -> None:
    one, two = two_firms

    for firm in (one, two):
        with pytest.raises(ZeroDivisionError), working_for(cabinet_id=firm.pk):  # noqa: PT012 - the error comes from inside the transaction
            make_client()
            raise ZeroDivisionError
        assert (announced(), count(), has_scope()) == ("", 0, False)

    with working_for(cabinet_id=one.pk):
        assert count() == 1


def test_a_savepoint_taken_back_gives_the_outer_scope_back(cabinet: Cabinet) -> None:
    member = make_member(role=Role.ASSISTANT)
    make_invoice()
    outer = announced()

    with (  # noqa: PT012 - the error comes from inside the transaction
        pytest.raises(ZeroDivisionError),
        acting_for(cabinet_id=cabinet.pk, member_id=member.pk),
        tenant_atomic(),
    ):
        assert (count(), announced() != outer) == (0, True)
        raise ZeroDivisionError

    assert (announced(), count()) == (outer, 1)


@pytest.mark.committed
def test_two_clients_take_turns_on_one_connection_and_never_meet(two_firms: tuple[Cabinet, Cabinet]) -> None:
    one, two = two_firms

    # A pooler runs DISCARD ALL, or nothing, between two transactions: both must do.
    for turn in range(20):
        firm, clients = ((one, 1), (two, 2))[turn % 2]
        with transaction.atomic():
            assert (announced(), count()) == ("", 0)
        with working_for(cabinet_id=firm.pk):
            assert (current_cabinet_id(), count()) == (firm.pk, clients)
        if turn % 3 == 0:
            with connection.cursor() as cursor:
                cursor.execute("DISCARD ALL")


@pytest.mark.committed
def test_leaves_nothing_in_the_session_a_pooler_would_hand_on(two_firms: tuple[Cabinet, Cabinet]) -> None:
    with working_for(cabinet_id=two_firms[0].pk):
        list(Client.objects.all())
        make_invoice()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        prepared = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        locks = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM pg_listening_channels()")
        channels = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")
        temporary = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE is_holdable")
        cursors = cursor.fetchone()

    assert (prepared, locks, channels, temporary, cursors) == ((0,), (0,), (0,), (0,), (0,))


def test_sees_session_state_where_there_is_some() -> None:
    said = [
        "SET SESSION x = 1", "SET ROLE owner", "SELECT pg_advisory_lock(1)", "LISTEN jobs", "CREATE TEMP TABLE t ()",
        "SELECT set_config('a', 'b', false)", "SET quittance.scope = 'x'",
    ]  # fmt: skip
    unsaid = [
        "SET LOCAL x = 1",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "SELECT pg_advisory_xact_lock(1)",
        "set_config(%s, %s, true)",
    ]

    assert [text for text in said if not SESSION_STATE.search(text)] == []
    assert [text for text in unsaid if SESSION_STATE.search(text)] == []


# One night at a time, over its many transactions: the planner's own connection must reach PostgreSQL
# itself, and not through a pooler in transaction mode.
KEPT_BY_A_SESSION = ["dunning/services/nights.py"]


def test_says_nothing_that_a_session_would_keep() -> None:
    found = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts
        for text in path.read_text(encoding="utf-8").splitlines()
        if SESSION_STATE.search(text) and "LANGUAGE" not in text  # what a function sets ends with it
    ]

    assert found == KEPT_BY_A_SESSION


@pytest.mark.parametrize("firm", [uuid.UUID(int=0), uuid.uuid5(uuid.NAMESPACE_DNS, "personne.example")])
def test_a_task_for_a_firm_that_does_not_exist_sees_nothing(cabinet: Cabinet, firm: uuid.UUID) -> None:
    make_client()
    scope = Scope(cabinet_id=firm).signed()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('quittance.scope', %s, true)", [scope])
        assert count() == 0
        transaction.set_rollback(True)


def test_a_task_that_names_no_firm_is_refused_before_any_query(db: None) -> None:
    with pytest.raises(NoScopeError):
        Client.objects.count()
    with pytest.raises(NoScopeError), tenant_atomic():
        pass


@pytest.mark.parametrize(
    "forge",
    [
        lambda text, _: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text, _: text.rsplit("|", 1)[0] + "|",
        lambda text, _: text.rsplit("|", 1)[0],
        lambda text, other: f"{other}|" + text.split("|", 1)[1],
        lambda text, _: text.replace("||", f"|{uuid.UUID(int=1)}|"),
        lambda text, _: text.upper(),
        lambda text, _: f" {text}",
        lambda text, _: text.split("|")[0],
        lambda text, _: text.split("|")[0] + "|",
        lambda text, _: f"{text}|",
        lambda text, _: f"{text}|{text}",
        lambda text, _: str(uuid.UUID(int=2)),
        lambda text, _: "|",
        lambda text, _: "|||",
        lambda text, _: later(text),
    ],
    ids=[
        "figure",
        "empty",
        "missing",
        "other firm",
        "other member",
        "capitals",
        "space",
        "firm alone",
        "firm and bar",
        "one bar more",
        "twice",
        "a name alone",
        "a bar",
        "bars",
        "later",
    ],
)
def test_a_forged_scope_is_an_error_on_every_table(cabinet: Cabinet, forge: Any) -> None:
    make_invoice()
    forged = forge(Scope(cabinet_id=cabinet.pk).signed(), uuid.uuid4())

    with pytest.raises(Exception, match="not signed"), transaction.atomic(), connection.cursor() as cursor:  # noqa: PT012 - the error comes from inside the transaction
        cursor.execute("SELECT set_config('quittance.scope', %s, true)", [forged])
        cursor.execute("SELECT count(*) FROM cabinets_client")


def later(scope: str) -> str:
    """Say a scope again with an hour more to live."""
    firm, member, until, signature = scope.split("|")
    return "|".join((firm, member, str(int(until) + scoping.LASTS), signature))


@pytest.mark.parametrize("left", [-scoping.LASTS, -1])
def test_a_scope_that_is_over_opens_nothing(cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    make_client()
    real = scoping.clock()
    monkeypatch.setattr(scoping, "clock", lambda: real - scoping.LASTS + left)
    over = Scope(cabinet_id=cabinet.pk).signed()

    with pytest.raises(Exception, match="the scope is over"), transaction.atomic(), connection.cursor() as cursor:  # noqa: PT012 - the error comes from inside the transaction
        cursor.execute("SELECT set_config('quittance.scope', %s, true)", [over])
        cursor.execute("SELECT count(*) FROM cabinets_client")


def test_a_transaction_held_open_sees_nothing_once_its_scope_is_over(
    cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_client()
    real = scoping.clock()
    monkeypatch.setattr(scoping, "clock", lambda: real - scoping.LASTS + 4)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('quittance.scope', %s, true)", [Scope(cabinet_id=cabinet.pk).signed()])
        cursor.execute("SELECT count(*) FROM cabinets_client")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT pg_sleep(5)")
        with pytest.raises(Exception, match="the scope is over"), transaction.atomic():
            cursor.execute("SELECT count(*) FROM cabinets_client")


@pytest.mark.parametrize(("model", "link"), LINKS)
def test_no_row_points_at_another_firm_s(model: type[models.Model], link: Any, db: None) -> None:
    parent = link.related_model._meta.db_table
    child = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(a.attname ORDER BY k.place) FROM pg_constraint c,"
            " unnest(c.conkey) WITH ORDINALITY AS k(number, place), pg_attribute a"
            " WHERE c.contype = 'f' AND c.convalidated AND c.conrelid = %s::regclass AND c.confrelid = %s::regclass"
            " AND a.attrelid = c.conrelid AND a.attnum = k.number GROUP BY c.oid",
            [child, parent],
        )
        keys = [set(names) for (names,) in cursor.fetchall()]

    assert {"id" if model is Cabinet else "cabinet_id", link.column} in keys


def test_the_database_refuses_such_a_row_for_real(cabinet: Cabinet, other_cabinet: Cabinet) -> None:
    theirs = make_invoice()
    connection.check_constraints()

    with pytest.raises(IntegrityError, match="same_cabinet"), transaction.atomic(), connection.cursor() as cursor:  # noqa: PT012 - the error comes from inside the transaction
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("UPDATE invoices_invoice SET client_id = %s WHERE id = %s", [uuid.uuid4(), theirs.pk])


@pytest.mark.django_db(databases=["default", "owner", "operator"])
def test_an_operator_is_given_no_table_of_a_firm_s_files() -> None:
    with connections["operator"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
            " AND has_table_privilege(c.oid, 'SELECT')"
        )
        read = {str(name) for (name,) in cursor.fetchall()}

    granted = {model._meta.db_table for model in walled_models() if model.wall.operator is not None}  # type: ignore[attr-defined]
    assert read - set(GLOBAL_TABLES) - granted == set()
    assert not {"cabinets_client", "cabinets_dossier", "invoices_invoice", "dunning_reminder", "cabinets_note"} & read


def pages(*, status: int) -> Iterator[Any]:
    def view(request: HttpRequest) -> HttpResponse:
        make_client()
        return HttpResponse(status=status)

    yield view


@pytest.mark.committed
@pytest.mark.parametrize(("status", "kept"), [(200, 1), (302, 1), (404, 1), (500, 0), (503, 0)])
def test_an_error_of_ours_undoes_what_the_page_wrote(committed: None, status: int, kept: int) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        member = make_member()
    [view] = pages(status=status)
    request: Any = RequestFactory().get("/")
    request.user, request.session = member.user, {}

    CabinetMiddleware(view)(request)

    assert (announced(), has_scope()) == ("", False)
    with working_for(cabinet_id=firm.pk):
        assert count() == kept
