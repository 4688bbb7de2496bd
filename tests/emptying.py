"""Every table emptied after a test that commits, by the servers' superuser: no other role may, or so fast."""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from config import keyring
from config.homes import Home
from config.servers import SUPERUSER, url

# Read at once: a test may lead the settings elsewhere.
_HOME = Home.of(settings.VAR)
# What emptying leaves; the rates are put back as they were published, since operators' tests enter and correct some.
KNOWN_RATES = "kept.rates"
KEPT_TABLES = (
    "django_migrations", "django_content_type", "auth_permission", "quittance_scope_key", "invoices_interestrate",
)  # fmt: skip
_TABLES = """
SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
AND c.relnamespace = 'public'::regnamespace AND c.relname <> ALL(%s) ORDER BY 1
"""
# What has held a row since its files were last made anew, and how many bytes; a partition counts for its whole.
_SIZES = """
SELECT r.relname, sum(pg_relation_size(c.oid))::bigint
FROM pg_class c JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND r.relname <> ALL(%s)
GROUP BY r.relname HAVING sum(pg_relation_size(c.oid)) > 0
"""
_SEQUENCES = """
SELECT setval(s.oid::regclass, 1, false) FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')
JOIN pg_class c ON c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
WHERE s.relkind = 'S' AND c.relnamespace = 'public'::regnamespace AND c.relname <> ALL(%s)
"""
# Beyond so many bytes, making every file anew costs less than leaving dead rows to the next test.
_HEAVY = 2_000_000


def keep_known_rates() -> None:
    """Put the published rates aside, once a database is migrated."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
        cursor.execute(f"CREATE TABLE {KNOWN_RATES} AS TABLE public.invoices_interestrate")


def empty_every_table() -> None:
    """Leave no row of any test; a page still being written in a browser is waited for."""
    with _superuser(str(connections["owner"].settings_dict["NAME"])).transaction() as transaction:
        held = transaction.connection
        tables = [row[0] for row in held.execute(_TABLES, [list(KEPT_TABLES)])]
        named = sql.SQL(", ").join(map(sql.Identifier, tables))
        held.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(named))
        sizes = dict(held.execute(_SIZES, [list(KEPT_TABLES)]).fetchall())
        if not sizes:
            return
        if sum(sizes.values()) > _HEAVY:
            held.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(named))
        else:
            # No key is checked and no trigger refuses: all goes.
            held.execute("SET LOCAL session_replication_role = replica")
            for table in sizes:
                held.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            held.execute(_SEQUENCES, [list(KEPT_TABLES)])
        held.execute("DELETE FROM invoices_interestrate")
        held.execute(f"INSERT INTO invoices_interestrate SELECT * FROM {KNOWN_RATES}")


_held: dict[str, psycopg.Connection[Any]] = {}


def _superuser(database: str) -> psycopg.Connection[Any]:
    """Return the connection of this process that may do anything in a tests' database."""
    if database not in _held or _held[database].closed:
        password = keyring.ensure(_HOME.secrets, data_exists=True)["POSTGRES_PASSWORD"]
        way = url(home=_HOME, role=SUPERUSER, password=password, database=database)
        _held[database] = psycopg.connect(way, autocommit=True)
    return _held[database]
