"""The wall between firms, as the database holds it: built from the models after every migration.

A table without a policy cannot exist: `build` walks every model that belongs to a firm, and a table it has not walked
has no grant at all. Proofs behind each choice: docs/adr and the measurements of the security design (forced row-level
security, a restrictive policy for the firm, a permissive one for the need to know, composite foreign keys).
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.apps import apps
from django.conf import settings
from django.db import models

SCOPE_SETTING = "quittance.scope"
BLOCK = hashlib.sha256().block_size

By = Literal[
    "firm", "dossier", "own_dossier", "dossiers", "invoice", "client", "own_client", "reminder", "targets", "uploader",
    "batch", "client_or_firm", "every_file", "plan",
    "member", "sharer", "archive",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grant:
    """What one role may do on a table: columns it reads, adds and changes ("*" = all)."""

    select: Sequence[str] = ()
    insert: Sequence[str] = ()
    update: Sequence[str] = ()
    delete: bool = False


@dataclass(frozen=True, slots=True)
class Wall:
    """How a table is guarded: who needs to know its rows, and which columns the planner and the operators reach."""

    by: By = "firm"
    append_only: bool = False
    # What may still be done to an append-only table: these columns emptied by erasure, or ended; its rows deleted.
    erased: Grant | None = None
    scheduler: Grant | None = None
    operator: Grant | None = None


_MINE = "SELECT a.dossier_id FROM cabinets_assignment a WHERE a.member_id = (SELECT quittance_member())"
_NEED_TO_KNOW: dict[By, str] = {
    "firm": "true",
    "dossier": f"(SELECT quittance_sees_all()) OR dossier_id IN ({_MINE})",
    "own_dossier": f"(SELECT quittance_sees_all()) OR id IN ({_MINE})",
    "dossiers": f"(SELECT quittance_sees_all()) OR dossier_ids <@ ARRAY({_MINE})",
    "invoice": "(SELECT quittance_sees_all()) OR invoice_id IN (SELECT i.id FROM invoices_invoice i)",
    "client": "(SELECT quittance_sees_all()) OR client_id IN (SELECT d.client_id FROM cabinets_dossier d)",
    # What no client is known for yet is the whole firm's to place.
    "client_or_firm": "(SELECT quittance_sees_all()) OR client_id IS NULL"
    " OR client_id IN (SELECT d.client_id FROM cabinets_dossier d)",
    # What concerns no file yet, and may concern any: the firm's bank account.
    "every_file": "(SELECT quittance_sees_all())",
    "own_client": "(SELECT quittance_sees_all()) OR id IN (SELECT d.client_id FROM cabinets_dossier d)",
    "reminder": "(SELECT quittance_sees_all()) OR reminder_id IN (SELECT r.id FROM dunning_reminder r)",
    "plan": "(SELECT quittance_sees_all()) OR plan_id IN (SELECT p.id FROM payments_paymentplan p)",
    # What one person is told: nobody else reads it, and no longer themselves once the client is out of their sight.
    "member": "((SELECT quittance_member()) IS NULL OR member_id = (SELECT quittance_member()))"
    " AND ((SELECT quittance_sees_all()) OR client_id IS NULL"
    " OR client_id IN (SELECT d.client_id FROM cabinets_dossier d))",
    # A key of the intermediate archive: nobody's, but the product's own and whose opening is not closed.
    "archive": "(SELECT quittance_member()) IS NULL OR client_id IN (SELECT o.client_id FROM cabinets_archiveopening o"
    " WHERE o.member_id = (SELECT quittance_member()) AND o.closed_at IS NULL)",
    # What a person keeps for themselves, or gives to the whole firm.
    "sharer": "is_shared OR (SELECT quittance_member()) IS NULL OR member_id = (SELECT quittance_member())",
    "targets": "(SELECT quittance_sees_all()) OR ("
    "(invoice_id IS NULL OR invoice_id IN (SELECT i.id FROM invoices_invoice i))"
    " AND (client_id IS NULL OR client_id IN (SELECT d.client_id FROM cabinets_dossier d))"
    " AND (dossier_id IS NULL OR dossier_id IN (SELECT d.id FROM cabinets_dossier d)))",
    "uploader": "(SELECT quittance_sees_all()) OR uploaded_by_id = (SELECT quittance_member())",
    "batch": "(SELECT quittance_sees_all()) OR batch_id IN (SELECT b.id FROM invoices_importbatch b)",
}

_FUNCTIONS = """
CREATE TABLE IF NOT EXISTS quittance_scope_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);
REVOKE ALL ON quittance_scope_key FROM PUBLIC;

CREATE OR REPLACE FUNCTION quittance_scope_part(part integer) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    scope text := current_setting('quittance.scope', true);
    parts text[];
    pads record;
BEGIN
    IF scope IS NULL OR scope = '' THEN RETURN NULL; END IF;
    parts := string_to_array(scope, '|');
    SELECT inner_pad, outer_pad INTO STRICT pads FROM public.quittance_scope_key;
    -- What is missing compares as unknown: nothing passes but what is known to be right.
    IF (cardinality(parts) = 4 AND parts[4] = encode(sha256(pads.outer_pad || sha256(pads.inner_pad
        || convert_to(parts[1] || '|' || parts[2] || '|' || parts[3], 'UTF8'))), 'hex')) IS NOT TRUE THEN
        RAISE EXCEPTION 'the scope is not signed by the application' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- The statement's instant and not the transaction's, which stands still while a transaction is held open.
    IF (parts[3]::bigint >= extract(epoch FROM statement_timestamp())) IS NOT TRUE THEN
        RAISE EXCEPTION 'the scope is over' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN nullif(parts[part], '')::uuid;
END $$;

CREATE OR REPLACE FUNCTION quittance_cabinet() RETURNS uuid
LANGUAGE sql STABLE SET search_path = public, pg_temp AS 'SELECT quittance_scope_part(1)';

CREATE OR REPLACE FUNCTION quittance_member() RETURNS uuid
LANGUAGE sql STABLE SET search_path = public, pg_temp AS 'SELECT quittance_scope_part(2)';

CREATE OR REPLACE FUNCTION quittance_sees_all() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT quittance_member() IS NULL OR EXISTS (
        SELECT 1 FROM cabinets_membership m WHERE m.id = quittance_member() AND m.is_active AND m.sees_every_file)
    -- An operator a partner let in, until it ends: the answer's own id stands for them.
    OR EXISTS (
        SELECT 1 FROM cabinets_supportanswer s WHERE s.id = quittance_member() AND s.cabinet_id = quittance_cabinet()
        AND s.is_granted AND s.ended_at IS NULL)
$$;

-- Before any firm is known: where may this person go? Ids and states only.
CREATE OR REPLACE FUNCTION quittance_memberships(person uuid)
RETURNS TABLE (membership_id uuid, cabinet_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.id, m.cabinet_id FROM cabinets_membership m WHERE m.user_id = person AND m.is_active ORDER BY m.joined_at
$$;

-- Before any firm is known: which firm does this token open? The hash must be exact.
CREATE OR REPLACE FUNCTION quittance_token(kind text, digest bytea)
RETURNS TABLE (row_id uuid, cabinet_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF kind = 'link' THEN
        RETURN QUERY SELECT l.id, l.cabinet_id FROM payments_paymentlink l WHERE l.token_hash = digest;
    ELSIF kind = 'short' THEN
        RETURN QUERY SELECT l.id, l.cabinet_id FROM payments_paymentlink l WHERE l.short_hash = digest;
    ELSIF kind = 'hook' THEN
        RETURN QUERY SELECT a.id, a.cabinet_id FROM dunning_channelaccount a WHERE a.hook_hash = digest;
    ELSIF kind = 'provider' THEN
        RETURN QUERY SELECT a.id, a.cabinet_id FROM payments_provideraccount a WHERE a.hook_hash = digest;
    ELSIF kind = 'invitation' THEN
        RETURN QUERY SELECT i.id, i.cabinet_id FROM cabinets_invitation i WHERE i.token_hash = digest;
    END IF;
END $$;
"""

# Read by the definer functions above, which run as the owner before any scope exists.
_OWNER_READS = (
    "cabinets_membership", "cabinets_invitation", "payments_paymentlink", "payments_provideraccount",
    "dunning_channelaccount", "cabinets_supportanswer",
)  # fmt: skip


def walled_models() -> list[type[models.Model]]:
    """Return every model whose rows belong to a firm."""
    return [model for model in apps.get_models() if hasattr(model, "wall") and not model._meta.proxy]


def unread_by_operators(model: type[models.Model]) -> list[str]:
    """Return the columns of a table that the operators' role cannot read."""
    wall: Wall | None = getattr(model, "wall", None)
    if wall is None:
        read = OPERATOR_READS.get(model._meta.db_table, ("*",))
    else:
        read = wall.operator.select if wall.operator is not None else ()
    return [] if "*" in read else [field.name for field in model._meta.concrete_fields if field.column not in read]


def build(connection: Any) -> None:
    """Make the database's walls, keys and grants those of the models; running it again changes nothing."""
    with connection.cursor() as cursor:
        for statement in statements(connection):
            cursor.execute(statement)
        inner, outer = _pads(settings.SCOPE_KEY.encode())
        cursor.execute(
            "INSERT INTO quittance_scope_key (inner_pad, outer_pad) VALUES (%s, %s) ON CONFLICT (one) DO UPDATE"
            " SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad",
            [inner, outer],
        )


def statements(connection: Any) -> list[str]:
    """Return the SQL of the whole wall, in order."""
    roles = {alias: _role(alias) for alias in ("owner", "default", "scheduler", "operator")}
    sql = [_FUNCTIONS, *_schema_rights(roles), *_global_grants(connection, roles)]
    for model in walled_models():
        sql += _table_wall(model, roles)
    for model in walled_models():
        sql += _composite_keys(model)
    return sql


def _role(alias: str) -> str:
    return f'"{settings.DATABASES[alias]["USER"]}"'


def _pads(key: bytes) -> tuple[bytes, bytes]:
    """Return HMAC's two padded keys (RFC 2104), so that the database computes it with sha256() alone."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner, outer = bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)
    if hashlib.sha256(outer + hashlib.sha256(inner + b"?").digest()).digest() != hmac.digest(key, b"?", "sha256"):
        raise RuntimeError("the pads do not compute HMAC-SHA256")
    return inner, outer


def _schema_rights(roles: dict[str, str]) -> list[str]:
    served = ", ".join(roles[alias] for alias in ("default", "scheduler", "operator"))
    database = f'"{settings.DATABASES["owner"]["NAME"]}"'
    functions = "quittance_cabinet(), quittance_member(), quittance_sees_all(), quittance_scope_part(integer)"
    lookups = "quittance_memberships(uuid), quittance_token(text, bytea)"
    return [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {served}",
        f"REVOKE ALL ON FUNCTION {lookups} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {functions} TO {served}",
        f"GRANT EXECUTE ON FUNCTION {lookups} TO {roles['default']}",
    ]


# What operators read of these tables: never what opens a person's place, a password, a session's key or a seed.
OPERATOR_READS: dict[str, Sequence[str]] = {
    "cabinets_user": (
        "id", "email", "first_name", "last_name", "is_staff", "is_active", "is_superuser", "has_shortcuts",
        "joined_at", "last_login",
    ),
    "cabinets_session": ("reference", "user_id", "address", "agent", "started_at", "seen_at", "expire_date"),
    "cabinets_totpdevice": ("id", "user_id", "name", "confirmed", "failures", "failed_at", "created_at"),
    "cabinets_passkeydevice": ("id", "user_id", "name", "confirmed", "created_at", "last_used_at", "suspected_at"),
    # Its number alone, which an insertion returns.
    "cabinets_accountmail": ("id",),
    "otp_static_staticdevice": ("id", "user_id", "name", "confirmed"),
    "otp_static_statictoken": ("id", "device_id"),
}  # fmt: skip


def _reads(table: str) -> str:
    return f"SELECT ({', '.join(OPERATOR_READS[table])})"


# Tables of no firm: what the application and the operators may do there. Everything else is refused.
GLOBAL_TABLES: dict[str, dict[str, str]] = {
    "cabinets_user": {
        "default": "SELECT, INSERT, UPDATE",
        # Neither the address nor the password: whoever changes one signs in as the other.
        "operator": f"{_reads('cabinets_user')}, UPDATE (first_name, last_name, is_active, is_staff)",
    },
    "cabinets_session": {
        "default": "SELECT, INSERT, UPDATE, DELETE",
        "operator": f"{_reads('cabinets_session')}, DELETE",
    },
    "cabinets_totpdevice": {
        "default": "SELECT, INSERT, UPDATE, DELETE",
        "operator": f"{_reads('cabinets_totpdevice')}, DELETE",
    },
    "cabinets_passkeydevice": {
        "default": "SELECT, INSERT, UPDATE, DELETE",
        "operator": f"{_reads('cabinets_passkeydevice')}, DELETE",
    },
    # An operator who asks to look has the firm told in the same transaction; what else waits there is not theirs.
    "cabinets_accountmail": {
        "default": "SELECT, INSERT, UPDATE, DELETE",
        "operator": f"{_reads('cabinets_accountmail')}, INSERT",
    },
    "cabinets_platform": {"default": "SELECT", "scheduler": "SELECT", "operator": "SELECT, INSERT, UPDATE"},
    "cabinets_operatoract": {"default": "INSERT", "operator": "SELECT, INSERT"},
    "otp_static_staticdevice": {
        "default": "SELECT, INSERT, UPDATE, DELETE",
        "operator": f"{_reads('otp_static_staticdevice')}, DELETE",
    },
    "otp_static_statictoken": {
        "default": "SELECT, INSERT, UPDATE, DELETE",
        "operator": f"{_reads('otp_static_statictoken')}, DELETE",
    },
    "invoices_interestrate": {
        "default": "SELECT",
        "scheduler": "SELECT",
        "operator": "SELECT, INSERT, UPDATE",
    },
    "cabinets_offer": {"default": "SELECT", "operator": "SELECT, INSERT, UPDATE"},
    "gdpr_subprocessor": {"default": "SELECT", "operator": "SELECT, INSERT, UPDATE"},
    # A firm that objects holds a version back; it changes nothing else of it.
    "gdpr_processorversion": {
        "default": "SELECT, UPDATE (held_at)",
        "scheduler": "SELECT",
        "operator": "SELECT, INSERT, UPDATE (applies_on, held_at, given_up_at)",
    },
    # Who an incident concerns is no other firm's business: the application reads what its own firm was told.
    "gdpr_installationincident": {"operator": "SELECT, INSERT, UPDATE"},
    "gdpr_incidentstatement": {
        "scheduler": "SELECT (id, incident_id, number, is_everyone, firm_ids, published_at)",
        "operator": "SELECT, INSERT",
    },
    "dunning_failedjob": {"default": "INSERT", "scheduler": "INSERT", "operator": "SELECT, UPDATE (closed_at), DELETE"},
    "django_content_type": {"default": "SELECT", "operator": "SELECT"},
    "django_migrations": {"default": "SELECT", "scheduler": "SELECT", "operator": "SELECT"},
    "django_admin_log": {"default": "SELECT, INSERT"},
    "auth_permission": {"default": "SELECT", "operator": "SELECT"},
    "auth_group": {"default": "SELECT", "operator": "SELECT"},
    "auth_group_permissions": {"default": "SELECT", "operator": "SELECT"},
    "cabinets_user_groups": {"default": "SELECT", "operator": "SELECT"},
    "cabinets_user_user_permissions": {"default": "SELECT", "operator": "SELECT"},
    "django_session": {},
}


def _global_grants(connection: Any, roles: dict[str, str]) -> list[str]:
    present = set(connection.introspection.table_names())
    sql = []
    for table, grants in GLOBAL_TABLES.items():
        if table not in present:
            continue
        sql += [f"REVOKE ALL ON {table} FROM {roles[alias]}" for alias in ("default", "scheduler", "operator")]
        sql += [f"GRANT {rights} ON {table} TO {roles[alias]}" for alias, rights in grants.items()]
    served = ", ".join(roles[alias] for alias in ("default", "scheduler", "operator"))
    sql.append(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {served}")
    return sql


def _table_wall(model: type[models.Model], roles: dict[str, str]) -> list[str]:
    table, wall = model._meta.db_table, model.wall  # type: ignore[attr-defined]
    mine = f"{_firm_column(model)} = (SELECT quittance_cabinet())"
    known = _NEED_TO_KNOW[wall.by]
    app, owner = roles["default"], roles["owner"]
    acts = "SELECT, INSERT" if wall.append_only else "SELECT, INSERT, UPDATE, DELETE"
    policies = {
        "firm_wall": f"AS RESTRICTIVE FOR ALL TO {app}, {owner} USING ({mine}) WITH CHECK ({mine})",
        "known_select": f"FOR SELECT TO {app}, {owner} USING ({known})",
        "known_update": f"FOR UPDATE TO {app}, {owner} USING ({known})",
        "known_delete": f"FOR DELETE TO {app}, {owner} USING ({known})",
        "known_insert": f"FOR INSERT TO {app}, {owner} WITH CHECK (true)",
        "scheduler": f"FOR ALL TO {roles['scheduler']} USING (true) WITH CHECK (true)" if wall.scheduler else "",
        "operator": f"FOR ALL TO {roles['operator']} USING (true) WITH CHECK (true)" if wall.operator else "",
    }
    if table in _OWNER_READS:
        policies["firm_wall"] = f"AS RESTRICTIVE FOR ALL TO {app} USING ({mine}) WITH CHECK ({mine})"
        policies["known_select"] = f"FOR SELECT TO {app} USING ({known})"
        policies["owner_lookup"] = f"FOR SELECT TO {owner} USING (true)"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        *[f"DROP POLICY IF EXISTS {name} ON {table}" for name in (*policies, "owner_lookup")],
        *[f"CREATE POLICY {name} ON {table} {rule}" for name, rule in policies.items() if rule],
        *[f"REVOKE ALL ON {table} FROM {roles[alias]}" for alias in ("default", "scheduler", "operator")],
        f"GRANT {acts} ON {table} TO {app}",
        *_column_grants(table, wall.erased, app),
        *_column_grants(table, wall.scheduler, roles["scheduler"]),
        *_column_grants(table, wall.operator, roles["operator"]),
    ]


def _firm_column(model: type[models.Model]) -> str:
    return "id" if model._meta.model_name == "cabinet" else "cabinet_id"


def _column_grants(table: str, grant: Grant | None, role: str) -> list[str]:
    if grant is None:
        return []
    wanted = {"SELECT": grant.select, "INSERT": grant.insert, "UPDATE": grant.update}
    sql = [f"GRANT {act}{_columns(names)} ON {table} TO {role}" for act, names in wanted.items() if names]
    return [*sql, f"GRANT DELETE ON {table} TO {role}"] if grant.delete else sql


def _columns(names: Iterable[str]) -> str:
    return "" if list(names) == ["*"] else f" ({', '.join(names)})"


def _composite_keys(model: type[models.Model]) -> list[str]:
    """Refuse, in the database, a row that points at another firm's: every link carries the firm with it."""
    sql = []
    for link in model._meta.concrete_fields:
        target = link.related_model
        if (
            link.column is None
            or not isinstance(target, type)
            or target not in walled_models()
            or target._meta.model_name == "cabinet"
        ):
            continue
        child, parent = model._meta.db_table, target._meta.db_table
        unique, foreign = f"{parent}_of_cabinet", f"{child}_{link.column}_same_cabinet"[:63]
        sql.append(
            f"DO $$ BEGIN"  # noqa: S608 - names of our own models
            f" IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '{unique}'"
            f" AND conrelid = '{parent}'::regclass) THEN"
            f" ALTER TABLE {parent} ADD CONSTRAINT {unique} UNIQUE (cabinet_id, id); END IF;"
            f" IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '{foreign}'"
            f" AND conrelid = '{child}'::regclass) THEN"
            f" ALTER TABLE {child} ADD CONSTRAINT {foreign} FOREIGN KEY ({_firm_column(model)}, {link.column})"
            f" REFERENCES {parent} (cabinet_id, id) DEFERRABLE INITIALLY DEFERRED; END IF; END $$"
        )
        sql.append(_drop_single_key(child, parent, link.column))
    return sql


def _drop_single_key(child: str, parent: str, column: str) -> str:
    """Drop the key that names the row alone: the composite one implies it, and each costs a check a row."""
    return (
        f"DO $$ DECLARE name text; BEGIN FOR name IN SELECT k.conname FROM pg_constraint k"  # noqa: S608 - our own names
        f" JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]"
        f" WHERE k.contype = 'f' AND k.conrelid = '{child}'::regclass AND k.confrelid = '{parent}'::regclass"
        f" AND a.attname = '{column}'"
        f" LOOP EXECUTE format('ALTER TABLE {child} DROP CONSTRAINT %I', name); END LOOP; END $$"
    )
