"""Numbered checks of an installation: `manage.py check --deploy` says what to repair before clients' data comes in."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own names
from django.db import DatabaseError, connections

from cabinets import sealing
from cabinets.crypto import KEY, KeyEncryptionKeys
from cabinets.errors import KeyServiceError, SealBrokenError
from cabinets.key_holders import LOCAL
from cabinets.outside import is_loopback
from cabinets.wall import walled_models

SHORTEST_SECRET = 32
SECRETS = ("SECRET_KEY", "SCOPE_KEY", "LINK_KEY")
ROLES = ("default", "owner", "scheduler", "operator")


def deployment(**_options: Any) -> list[CheckMessage]:
    """Return everything that makes this installation unfit to hold clients' data."""
    found = [*secrets(), *key_service(), *plain_settings(), *shared_roles()]
    try:
        return [*found, *application_role(), *walls()]
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        return [*found, _error(10, f"the database does not answer: {reason}", "start it, then run migrate")]


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"quittance.Q{number:03}")


def secrets() -> list[CheckMessage]:
    """Refuse a short secret, two equal ones, and key-encryption keys that are no keys."""
    values = {name: str(getattr(settings, name, "")) for name in SECRETS}
    found: list[CheckMessage] = [
        _error(3, f"{name} is shorter than {SHORTEST_SECRET} characters", "draw one: openssl rand -hex 32")
        for name, value in values.items()
        if len(value) < SHORTEST_SECRET
    ]
    if len(set(values.values())) < len(values):
        found.append(_error(3, "two secrets are the same", "draw one for each: openssl rand -hex 32"))
    if not settings.KEY_ENCRYPTION_KEYS and settings.KEY_HOLDER != LOCAL:
        return found
    try:
        keys = [key for _, key in KeyEncryptionKeys.parse(settings.KEY_ENCRYPTION_KEYS).versions]
    except ValueError as error:
        return [*found, _error(3, str(error), "write 1: followed by the output of openssl rand -base64 32")]
    if any(len(set(key)) < KEY // 4 for key in keys):
        found.append(_error(3, "a key-encryption key is not random", "draw it: openssl rand -base64 32"))
    return found


def key_service() -> list[CheckMessage]:
    """Refuse a key service that does not wrap and open a word now: no personal field could be read."""
    if settings.KEY_HOLDER == LOCAL and not settings.TRANSIT["url"]:
        return []
    hint = "see « Keys in a key service » in docs/operations.md"
    url = urlsplit(settings.TRANSIT["url"])
    if url.scheme != "https" and not is_loopback(url.hostname or ""):
        return [_error(13, "the key service is not asked over https", "give TRANSIT_URL as https://…")]
    try:
        sealing.check_key_service()
    except (KeyServiceError, SealBrokenError, ValueError) as error:
        return [_error(13, f"the key service does not answer as it must: {error}", hint)]
    return []


def plain_settings() -> list[CheckMessage]:
    """Refuse settings that show pages' insides, shift days, or let tries be counted per process."""
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(_error(4, "DEBUG is on", "use config.settings.prod"))
    if settings.TIME_ZONE != "UTC" or not settings.USE_TZ:
        found.append(_error(5, "the time zone is not UTC", "leave TIME_ZONE to UTC: each firm has its own zone"))
    if not settings.SITE_URL.startswith("https://"):
        found.append(_error(8, "SITE_URL is not https", "links sent to clients must start with https://"))
    if "locmem" in settings.CACHES["default"]["BACKEND"] or "dummy" in settings.CACHES["default"]["BACKEND"]:
        found.append(_error(11, "the cache is not shared", "set REDIS_URL: sign-in tries are counted in it"))
    if not settings.EMAIL_HOST:
        hint = "set EMAIL_HOST: without it invitations are copied by hand and no password can be asked again"
        found.append(Warning("no mail server for the platform's own mails", hint=hint, id="quittance.Q012"))
    return found


def shared_roles() -> list[CheckMessage]:
    """Refuse two addresses that name one database role: the wall is made of their difference."""
    users = {alias: settings.DATABASES[alias]["USER"] for alias in ROLES}
    twins = sorted(alias for alias, user in users.items() if list(users.values()).count(user) > 1)
    if not twins:
        return []
    return [_error(6, f"these addresses share a role: {', '.join(twins)}", "one role each: see docs/operations.md")]


def application_role(alias: str = "default") -> list[CheckMessage]:
    """Refuse an application role that row-level security would not hold."""
    found: list[CheckMessage] = []
    [(superuser, bypasses)] = _rows(alias, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    owned = _rows(
        alias,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND pg_has_role(current_user, c.relowner, 'USAGE') LIMIT 1",
    )
    if superuser or bypasses or owned:
        hint = "DATABASE_URL must name quittance_app: run python -m config.processes roles"
        found.append(_error(1, "the application's role owns tables or steps over row-level security", hint))
    truncates = _rows(
        alias,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"
        " AND c.relkind IN ('r', 'p') AND has_table_privilege(current_user, c.oid, 'TRUNCATE') LIMIT 1",
    )
    if truncates and not owned:
        found.append(_error(9, "the application's role may empty tables", "run migrate: it grants what is needed"))
    return found


def walls() -> list[CheckMessage]:
    """Refuse a firm's table whose rows the database would show to another firm."""
    tables = [model._meta.db_table for model in walled_models()]
    unforced = _rows(
        "default",
        "SELECT t.name FROM unnest(%s::text[]) AS t(name) LEFT JOIN pg_class c ON c.oid = to_regclass(t.name)"
        " WHERE c.oid IS NULL OR NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1",
        tables,
    )
    unwalled = _rows(
        "default",
        "SELECT t.name FROM unnest(%s::text[]) AS t(name) WHERE NOT EXISTS (SELECT 1 FROM pg_policies p"
        " WHERE p.tablename = t.name AND p.policyname = 'firm_wall' AND p.permissive = 'RESTRICTIVE') ORDER BY 1",
        tables,
    )
    found: list[CheckMessage] = []
    if unforced:
        names = ", ".join(str(name) for (name,) in unforced)
        found.append(_error(2, f"row-level security is not forced on {names}", "run migrate: it builds the walls"))
    if unwalled:
        names = ", ".join(str(name) for (name,) in unwalled)
        found.append(_error(7, f"no wall between firms on {names}", "run migrate: it builds the walls"))
    return found


def _rows(alias: str, sql: str, *parameters: list[str]) -> Sequence[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
