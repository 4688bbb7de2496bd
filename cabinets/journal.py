"""Write the journal: who did or saw what, when and from where, in the transaction of the change it tells."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone
from psycopg.types.json import Jsonb

from cabinets.scoping import current_scope

Fact = str | int | bool | None | list[str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act comes from: the address, the browser, the request."""

    address: str | None = None
    agent: str = ""
    request_id: str = ""


NOWHERE = Origin()
# An import journals thousands of lines that only differ by what they tell of.
_APPEND = """INSERT INTO "cabinets_journalentry"
    (cabinet_id, at, event, member_id, address, agent, request_id, facts, subject_type, subject_id)
SELECT %s, %s, %s, %s::uuid, %s::inet, %s, %s, %s, told.type, told.id
FROM unnest(%s::text[], %s::uuid[]) told (type, id)"""
_origin: ContextVar[Origin] = ContextVar("journal_origin", default=NOWHERE)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Note this origin on every line written until the block ends."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


@contextmanager
def coming_from_no_place() -> Iterator[None]:
    """Note the request alone on every line written until the block ends: neither the address nor the browser."""
    with coming_from(Origin(request_id=_origin.get().request_id)):
        yield


def record(event: str, subject: models.Model | None, **facts: Fact) -> None:
    """Append one line to the firm's journal, in the caller's transaction or not at all.

    `event` is in the past tense ("invoice.created"); `facts` hold ids, codes and counts, never a name, an address of a
    client, an amount or a text.
    """
    record_many(event, [subject], **facts)


def record_many(event: str, subjects: list[models.Model | None], **facts: Fact) -> None:
    """Append one line per subject in one statement, however many they are."""
    if not connection.in_atomic_block:
        raise RuntimeError("a journal line is written with the change it tells, never alone")
    scope, origin = current_scope(), _origin.get()
    types = [subject._meta.label_lower if subject is not None else "" for subject in subjects]
    ids = [subject.pk if subject is not None and isinstance(subject.pk, UUID) else None for subject in subjects]
    place = (origin.address, origin.agent, origin.request_id)
    values: list[Any] = [scope.cabinet_id, timezone.now(), event, scope.member_id, *place, Jsonb(facts), types, ids]
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, values)


def is_a_line(sql: object) -> bool:
    """Say whether a statement appends to the journal, and does nothing else."""
    return sql == _APPEND


def seen(subject: models.Model, page: str) -> None:
    """Note that a person looked at this row."""
    record(f"{subject._meta.model_name}.seen", subject, page=page)


def listed(model: type[models.Model], page: str, *, count: int) -> None:
    """Note that a person looked at a list."""
    record(f"{model._meta.model_name}.listed", None, page=page, count=count)
