"""The database roles of one installation: created once, their rights said again at every start."""

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

OWNER = "quittance_owner"
APP = "quittance_app"
SCHEDULER = "quittance_scheduler"
OPERATOR = "quittance_operator"
VISITORS = (APP, SCHEDULER, OPERATOR)
DATABASE = "quittance"
_LARGE_OBJECTS = ("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)")


def create(*, server: str, passwords: dict[str, str], database: str = DATABASE) -> None:
    """Give a server its roles and its database; running it again changes nothing but the passwords."""
    with psycopg.connect(server, autocommit=True) as connection:
        for role, password in passwords.items():
            _role(connection, role=role, password=password)
        _hide_statements(connection)
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if known is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER))
            )
        _close(connection, database=database)
    with psycopg.connect(server, dbname=database, autocommit=True) as connection:
        _close_schema(connection)


def create_from(*, server: str, addresses: dict[str, str]) -> None:
    """Do the same on a real server, with the passwords and the database that the four addresses name."""
    parsed = {role: conninfo_to_dict(address) for role, address in addresses.items()}
    for role, parts in parsed.items():
        if parts.get("user") != role or not parts.get("password"):
            raise ValueError(f"the address of {role} must name that role and its password")
    databases = {str(parts.get("dbname")) for parts in parsed.values()}
    if len(databases) != 1:
        raise ValueError("the four addresses must name the same database")
    passwords = {role: str(parts["password"]) for role, parts in parsed.items()}
    create(server=server, passwords=passwords, database=databases.pop())


def _role(connection: psycopg.Connection, *, role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    # Tests make databases of their own: only the owner may, and it still cannot step over a row policy.
    rights = "CREATEDB" if role == OWNER else "NOCREATEDB"
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION {} PASSWORD {}").format(
            sql.SQL("ALTER" if known else "CREATE"),
            sql.Identifier(role),
            sql.SQL(rights),
            sql.Literal(password),
        )
    )


def _hide_statements(connection: psycopg.Connection) -> None:
    """Keep what a session runs from the others of its role: the texts name people and amounts of every firm.

    Only a superuser may say it; on a server that lends none, its own administrator does (docs/operations.md).
    """
    if connection.info.parameter_status("is_superuser") != "on":
        return
    for role in VISITORS:
        connection.execute(sql.SQL("ALTER ROLE {} SET track_activities = off").format(sql.Identifier(role)))


def _close(connection: psycopg.Connection, *, database: str) -> None:
    name, visitors = sql.Identifier(database), sql.SQL(", ").join(map(sql.Identifier, VISITORS))
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(OWNER)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, visitors))


def _close_schema(connection: psycopg.Connection) -> None:
    visitors = sql.SQL(", ").join(map(sql.Identifier, VISITORS))
    connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(OWNER)))
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(visitors))
    if connection.info.parameter_status("is_superuser") == "on":
        # A large object belongs to no firm, and no policy holds it.
        for function in _LARGE_OBJECTS:
            connection.execute(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")
