"""Let go of rows: their personal columns emptied, their files destroyed, or the rows themselves deleted.

A row that stays is sealed again under the firm's key with nothing in it, so that its page still opens once its
client's key is gone. A choice among a few, a date or an amount is left: without a person it says nothing of anybody,
and the figures survive.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Func, Q, QuerySet
from django.db.models.functions import Left, Length, Substr
from django.db.models.lookups import Exact, In

from cabinets import crypto
from cabinets.enums import KeyPurpose
from cabinets.models import DataKey
from cabinets.scoping import current_cabinet_id
from cabinets.sealing import Sealed, SealedModel, SealedTextField, active_key, key_bytes
from gdpr.enums import Ending
from gdpr.inventory import Holding
from invoices.sealed_files import remove_sealed

CHUNK = 500


def model_of(holding: Holding) -> type[models.Model]:
    """Return the table a rule is about."""
    return apps.get_model(holding.model)


def rows_of(holding: Holding, client_ids: Sequence[UUID]) -> QuerySet[Any]:
    """Return the rows a table holds about these clients, as far as the scope sees them."""
    lookup = "pk__in" if holding.client == "pk" else f"{holding.client}__in"
    return _led(model_of(holding)._default_manager.all(), holding, Q(**{lookup: list(client_ids)}))


def rows_about(holding: Holding, *, client_id: UUID, contact_id: UUID | None) -> QuerySet[Any]:
    """Return the rows about one person: a contact's own, or the client's without those of anybody else."""
    rows = rows_of(holding, [client_id])
    if holding.closed_by:
        # Compared and not excluded: what is looked for is a row that leads to another client too.
        other = Q(**{f"{holding.client}__lt": client_id}) | Q(**{f"{holding.client}__gt": client_id})
        rows = rows.exclude(pk__in=_led(rows, holding, other).values("pk"))
    if not holding.contact:
        return rows if contact_id is None else rows.none()
    if contact_id is None:
        anybody = _or({f"{path}__isnull": False} for path in holding.contact)
        return rows.exclude(pk__in=_led(rows, holding, anybody).values("pk"))
    mine = _or({path: contact_id} for path in holding.contact)
    return rows.filter(pk__in=_led(rows, holding, mine).values("pk"))


def _led(rows: QuerySet[Any], holding: Holding, there: Q) -> QuerySet[Any]:
    """Return those of these rows that lead there, once each, by a road that is not closed."""
    if not holding.closed_by:
        return rows.filter(there)
    return rows.filter(pk__in=rows.filter(there, **{f"{holding.closed_by}__isnull": True}).values("pk"))


def _or(lookups: Iterable[dict[str, object]]) -> Q:
    return reduce(or_, (Q(**one) for one in lookups))


def let_go(holding: Holding, rows: QuerySet[Any], *, only: Sequence[str] = ()) -> int:
    """Empty or delete rows, chunk by chunk inside the caller's transaction; return how many were not empty already.

    Files go once the transaction is committed: a rolled-back erasure destroys nothing.
    """
    if holding.ending not in {Ending.EMPTY, Ending.DELETE}:
        return 0
    done = 0
    for row in rows.order_by("pk").iterator(CHUNK):
        names = [getattr(row, column) for column, _ in holding.files if not only]
        if holding.ending is Ending.DELETE:
            row.delete()
            done += 1
        else:
            done += _empty(row, only or holding.fields)
        for name in filter(None, names):
            transaction.on_commit(_Removal(name))
    return done


def let_go_with_firm(holding: Holding, *, but: Collection[str] = ()) -> int:
    """Empty or delete every row a table holds of the firm acted for, as far as an append-only table lets it."""
    model = model_of(holding)
    columns = [name for name in holding.fields if name not in but and _may_empty(model, name)]
    may_delete = not model.wall.append_only or (model.wall.erased is not None and model.wall.erased.delete)  # type: ignore[attr-defined]
    done = 0
    for row in model._base_manager.filter(**{firm_column(model): current_cabinet_id()}).order_by("pk").iterator(CHUNK):
        names = [getattr(row, column) for column, _ in holding.files]
        if holding.ending is Ending.DELETE and may_delete:
            row.delete()
            done += 1
        elif columns:
            done += _empty(row, columns)
        for name in filter(None, names):
            transaction.on_commit(_Removal(name))
    return done


def firm_column(model: type[models.Model]) -> str:
    """Return the column that says which firm a row is of."""
    return "pk" if model._meta.label == "cabinets.Cabinet" else "cabinet_id"


def _may_empty(model: type[models.Model], name: str) -> bool:
    wall = model.wall  # type: ignore[attr-defined]
    return not wall.append_only or (wall.erased is not None and name in wall.erased.update)


class _Removal:
    """A file to remove once its row says so for good; the firm's folder is known while the scope lasts."""

    def __init__(self, stored_as: str) -> None:
        self.stored_as = stored_as

    def __call__(self) -> None:
        remove_sealed(self.stored_as)


def _empty(row: models.Model, columns: Sequence[str]) -> bool:
    """Write nothing in these columns of a row; False when there was nothing in them."""
    kept = {name: getattr(row, name) for name in columns if not isinstance(_field(row, name), SealedTextField)}
    fresh = {name: _nothing(row, _field(row, name)) for name in columns if not _field(row, name).choices}
    changed = {name: value for name, value in fresh.items() if isinstance(value, Sealed) or kept.get(name) != value}
    was_sealed = any(isinstance(_field(row, name), SealedTextField) and not _is_blank(row, name) for name in fresh)
    if not was_sealed and not any(not isinstance(value, Sealed) for value in changed.values()):
        return False
    type(row)._base_manager.filter(pk=row.pk).update(**changed)
    return True


def not_emptied(holding: Holding, rows: QuerySet[Any], *, only: Sequence[str] = ()) -> QuerySet[Any]:
    """Keep the rows that letting go of would change: `_empty`'s question, asked of all of them by the database."""
    if holding.ending is Ending.DELETE:
        return rows
    if holding.ending is not Ending.EMPTY:
        return rows.none()
    model = model_of(holding)
    fields: list[Any] = [model._meta.get_field(name) for name in only or holding.fields]
    keys = [pk.bytes for pk in DataKey.objects.filter(purpose=KeyPurpose.FIRM).values_list("pk", flat=True)]
    full = [_is_full(model, field, keys) for field in fields if not field.choices]
    return rows.filter(reduce(or_, full)) if full else rows.none()


def _is_full(model: type[models.Model], field: Any, keys: Sequence[bytes]) -> Q:
    """Say of a column that it holds something; emptied, a sealed one holds nothing under one of the firm's keys."""
    name = field.name
    if isinstance(field, SealedTextField):
        key = Substr(name, 2, 16, output_field=models.BinaryField())
        return Q(**{f"{name}__isnull": False}) & ~(Q(Exact(Length(name), crypto.EMPTY)) & Q(In(key, keys)))
    if field.null:
        return Q(**{f"{name}__isnull": False})
    if name in _unique_columns(model):
        is_raw = isinstance(field, models.BinaryField)
        # What `_nothing` writes there, made of the row's own number.
        nobody = _Raw("pk") if is_raw else Left(_Named("pk"), field.max_length)
        return ~Q(**{name: nobody})
    if isinstance(field, models.JSONField):
        return ~Q(**{name: []}) & ~Q(**{name: {}})
    return ~Q(**{name: b"" if isinstance(field, models.BinaryField) else ""})


class _Raw(Func):
    """The sixteen bytes of a UUID."""

    function = "uuid_send"
    output_field = models.BinaryField()


class _Named(Func):
    """The letter x and the figures of a UUID."""

    template = "('x' || replace(%(expressions)s::text, '-', ''))"
    output_field = models.TextField()


def _is_blank(row: models.Model, name: str) -> bool:
    """Say whether a sealed column was emptied already, without opening what its client's key closes."""
    value = row.__dict__.get(name)
    if value is None:
        return True
    return isinstance(value, Sealed) and crypto.key_id_of(value) == _firm_key() and not getattr(row, name)


def _field(row: models.Model, name: str) -> Any:
    return row._meta.get_field(name)


def _nothing(row: models.Model, field: Any) -> object:
    """Return what a column holds once emptied; a value that must stay unique becomes one that names nobody."""
    if isinstance(field, SealedTextField) and isinstance(row, SealedModel):
        return _sealed_blank(row, field.attname)
    if field.null:
        return None
    if field.name in _unique_columns(type(row)):
        return row.pk.bytes if isinstance(field, models.BinaryField) else f"x{row.pk.hex}"[: field.max_length]
    if isinstance(field, ArrayField):
        return []
    if isinstance(field, models.JSONField):
        return type(getattr(row, field.name))()
    return b"" if isinstance(field, models.BinaryField) else ""


def _unique_columns(model: type[models.Model]) -> set[str]:
    named = [one.fields for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]
    return {name for names in named for name in names} | {one.name for one in model._meta.fields if one.unique}


def _firm_key() -> UUID:
    return active_key(purpose=KeyPurpose.FIRM)


def _sealed_blank(row: SealedModel, column: str) -> Sealed:
    key_id = _firm_key()
    return Sealed(crypto.seal(b"", key=key_bytes(key_id), key_id=key_id, bound_to=row.bound_to(column)))
