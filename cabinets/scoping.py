"""The firm acted for: opened by the middleware and by the first line of a task, checked by the database.

`acting_for` names the firm (and the person) in this thread of execution; `tenant_atomic` opens the transaction and
hands the same names, signed, to PostgreSQL, whose row-level policies verify the signature (see `cabinets.wall`).
"""

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connections, models, transaction
from psycopg import Cursor

from cabinets.errors import NoScopeError
from cabinets.wall import SCOPE_SETTING, Wall

M = TypeVar("M", bound=models.Model)

# Seconds a scope opens its firm for: longer than any task or page may run, and of no use to who reads it later.
LASTS = 3600
# Seconds since 1970 by the clock of the machine, which the database's must agree with.
clock = time.time


@dataclass(slots=True)
class Scope:
    """One firm, and the person acting in it; without a person, the product itself acts and sees every file."""

    cabinet_id: UUID
    member_id: UUID | None = None
    # Data keys found while acting for this firm; dies with the scope, so a rolled-back key is never used again.
    keys: dict[tuple[str, UUID | None], UUID] = field(default_factory=dict)
    # Keys of the intermediate archive met in this scope, and those this person may not open (None); never kept longer.
    archived: dict[UUID, bytes | None] = field(default_factory=dict)
    # Keys given back in this scope: were it rolled back, no process may have kept them. Clients known to be at hand.
    returned: set[UUID] = field(default_factory=set)
    at_hand: set[UUID] = field(default_factory=set)
    # The person for whom whole_firm() widened the scope: what they may not change, they may not change there either.
    on_behalf_of: UUID | None = None
    # The savepoints a key was last made or given back in: undone with them, this scope would believe what is not so.
    undone_with: tuple[str | None, ...] = ()

    def learned(self) -> None:
        """Note where a key was made or given back: what is undone there is forgotten here."""
        self.undone_with = _savepoints()

    def forget_what_was_undone(self) -> None:
        """Forget what was learned in a savepoint that is over: released or undone, the rows are asked again."""
        if self.undone_with and (now := _savepoints())[: len(self.undone_with)] != self.undone_with:
            self.forget()
            self.undone_with = now

    def forget(self) -> None:
        """Forget what was found of keys and clients, not which keys no other process may keep."""
        self.keys.clear()
        self.archived.clear()
        self.at_hand.clear()

    def signed(self) -> str:
        """Return the scope as the database checks it: firm, member, last second, HMAC-SHA256 under the scope key."""
        body = f"{self.cabinet_id}|{self.member_id or ''}|{int(clock()) + LASTS}"
        mac = hmac.new(settings.SCOPE_KEY.encode(), body.encode(), hashlib.sha256).hexdigest()
        return f"{body}|{mac}"


def _savepoints() -> tuple[str | None, ...]:
    return tuple(connections["default"].savepoint_ids)


_scope: ContextVar[Scope | None] = ContextVar("cabinet_scope", default=None)


def current_scope() -> Scope:
    """Return the scope in force; refuse when there is none."""
    if (scope := _scope.get()) is None:
        raise NoScopeError("No firm is being acted for: open acting_for() first, or say all_cabinets.")
    return scope


def current_cabinet_id() -> UUID:
    """Return the firm acted for; refuse when there is none."""
    return current_scope().cabinet_id


def acted_for() -> UUID | None:
    """Return the firm acted for, or None: for the logs, which speak in every state."""
    scope = _scope.get()
    return None if scope is None else scope.cabinet_id


def has_scope() -> bool:
    """Say whether a firm is being acted for."""
    return _scope.get() is not None


@contextmanager
def acting_for(*, cabinet_id: UUID, member_id: UUID | None = None) -> Iterator[Scope]:
    """Act for one firm until the block ends; nesting for another firm is refused."""
    outer = _scope.get()
    if outer is not None and outer.cabinet_id != cabinet_id:
        raise NoScopeError("A firm is already being acted for; leave it before entering another.")
    token = _scope.set(Scope(cabinet_id=cabinet_id, member_id=member_id))
    try:
        yield current_scope()
    finally:
        _scope.reset(token)


@contextmanager
def tenant_atomic(*, using: str = "default", durable: bool = False) -> Iterator[None]:
    """Open a transaction in which the database sees the current scope, and restore the outer one on the way out."""
    scope = current_scope()
    connection = connections[using]
    # What is announced dies with its transaction: only a nested block has an outer scope to give back.
    is_nested = connection.in_atomic_block
    try:
        with transaction.atomic(using=using, durable=durable):
            outer = _announce(connection, scope.signed())
            yield
            if is_nested and connection.in_atomic_block and not connection.needs_rollback:
                _announce(connection, outer)
    except BaseException:
        scope.forget()
        raise


def _announce(connection: Any, value: str) -> str:
    """Hand a signed scope over apart from the statement, whose text any session of the same role reads as it runs.

    A scope that is read could be said again, and would open its firm: see pg_stat_activity.
    """
    connection.ensure_connection()
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrapped(Cursor(connection.connection)) as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting(%s, true), ''), set_config(%s, %s, true)",
            [SCOPE_SETTING, SCOPE_SETTING, value],
        )
        return str(cursor.fetchone()[0])


@contextmanager
def working_for(*, cabinet_id: UUID, member_id: UUID | None = None, durable: bool = False) -> Iterator[None]:
    """Act for one firm inside one transaction: the first line of a task or a command."""
    with acting_for(cabinet_id=cabinet_id, member_id=member_id), tenant_atomic(durable=durable):
        yield


@contextmanager
def whole_firm(*, using: str = "default") -> Iterator[None]:
    """See every file of the firm until the block ends: for acts that must reach what the person does not see.

    A dispute stops every invoice of its client, and a payment cancels a reminder that names a colleague's dossier;
    what is read inside never goes back to the person.
    """
    scope = current_scope()
    connection = connections[using]
    if not connection.in_atomic_block:
        raise NoScopeError("whole_firm() widens a transaction that tenant_atomic() opened; there is none.")
    if scope.member_id is None:
        yield  # the product itself acts, and sees the whole firm already
        return
    wide = Scope(
        cabinet_id=scope.cabinet_id,
        keys=scope.keys,
        returned=scope.returned,
        at_hand=scope.at_hand,
        on_behalf_of=scope.member_id,
        undone_with=scope.undone_with,
    )
    token = _scope.set(wide)
    outer = _announce(connection, wide.signed())
    try:
        yield
    finally:
        _scope.reset(token)
        # What was given back inside is no longer withheld outside, unless it is undone.
        scope.archived.clear()
        scope.undone_with = wide.undone_with
        if not connection.needs_rollback:
            _announce(connection, outer)


def sees_every_file(*, using: str = "default") -> bool:
    """Say whether whoever acts sees the whole firm: the wall's own answer, for whoever it lets in."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT quittance_sees_all()")
        return bool(cursor.fetchone()[0])


class CabinetQuerySet(models.QuerySet[M]):
    """A queryset of one firm's rows."""

    def in_pk_order(self) -> Self:
        """Order by primary key: the order in which rows are always locked."""
        return self.order_by("pk")


class CabinetManager(models.Manager[M]):
    """Only rows of the cabinet we act for; anything else must say `all_cabinets`."""

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the rows of the firm acted for; refuse outside any firm."""
        return super().get_queryset().filter(cabinet_id=current_cabinet_id())


class CabinetOwned(models.Model):
    """A row that belongs to one firm: scoped by its manager, walled by the database."""

    cabinet = models.ForeignKey("cabinets.Cabinet", on_delete=models.PROTECT, related_name="+", editable=False)

    objects = CabinetManager.from_queryset(CabinetQuerySet)()
    all_cabinets = models.Manager()

    # How the database guards this table beyond the firm's wall; read by `cabinets.wall.build`.
    wall: ClassVar[Wall] = Wall()

    class Meta:
        abstract = True
        base_manager_name = "all_cabinets"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args and "cabinet" not in kwargs and "cabinet_id" not in kwargs and has_scope():
            kwargs["cabinet_id"] = current_cabinet_id()
        super().__init__(*args, **kwargs)
