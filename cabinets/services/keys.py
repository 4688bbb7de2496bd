"""Change keys without losing a value: wrap every key again under the newest, or seal every value with new ones."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction

from cabinets import crypto, journal, passkeys, totp
from cabinets.enums import KeyPurpose
from cabinets.models import ArchivedKey, Cabinet, Client, DataKey, PasskeyDevice, TotpDevice
from cabinets.scoping import current_cabinet_id, working_for
from cabinets.sealing import Sealed, SealedModel, keks, make_keys, open_together, seal_again
from cabinets.services import archive

CHUNK = 500


_SWAP = """
UPDATE {table} t SET {column} = s.new FROM unnest(%s::{key}[], %s::bytea[], %s::bytea[]) AS s(id, old, new)
WHERE t.{pk} = s.id AND t.{column} = s.old
"""


def rewrap_keys(*, cabinet_id: UUID) -> int:
    """Wrap every data key of a firm under the newest key; return how many were not yet.

    Chunk by chunk, each committed: whoever is stopped half-way begins again where they were. No row is locked while a
    key service is asked: a key that was destroyed or wrapped by another run meanwhile is left as it is.
    """
    count, before = 0, -1
    # A key may move to the archive or from it meanwhile: until one reading finds none late, or nothing more goes.
    while count != before and (rows := _wrapped_keys(cabinet_id)):
        before = count
        count += _rewrap(
            rows,
            [
                _SWAP.format(table=model._meta.db_table, column="wrapped", key="uuid", pk=column)
                for model, column in ((DataKey, "id"), (ArchivedKey, "key_id"))
            ],
            lambda: working_for(cabinet_id=cabinet_id, durable=True),
        )
    return count


def _wrapped_keys(cabinet_id: UUID) -> list["Swap"]:
    """Return the keys that are not wrapped by the newest yet, daily or archived: in one reading, for some may move."""
    ring = keks()
    with working_for(cabinet_id=cabinet_id, durable=True):
        daily = DataKey.objects.exclude(wrapped=None).order_by().values_list("pk", "wrapped")
        rows = sorted(daily.union(ArchivedKey.objects.order_by().values_list("pk", "wrapped"), all=True))
    return [
        Swap(pk, bytes(old or b""), crypto.for_data_key(key_id=pk, cabinet_id=cabinet_id))
        for pk, old in rows
        if not ring.is_newest(bytes(old or b""))
    ]


def rewrap_seeds() -> int:
    """Seal every second factor under the newest key; return how many were not yet."""
    rows = TotpDevice.objects.order_by("pk").values_list("pk", "seed", "user_id")
    count = _rewrap(
        [Swap(pk, bytes(old), totp.bound_to(user_id)) for pk, old, user_id in rows],
        [_SWAP.format(table=TotpDevice._meta.db_table, column="seed", key="bigint", pk="id")],
        lambda: transaction.atomic(durable=True),
    )
    proved = PasskeyDevice.objects.order_by("pk").values_list("pk", "public_key", "user_id", "credential_id")
    return count + _rewrap(
        [Swap(pk, bytes(old), passkeys.bound_to(user_id, bytes(known))) for pk, old, user_id, known in proved],
        [_SWAP.format(table=PasskeyDevice._meta.db_table, column="public_key", key="uuid", pk="id")],
        lambda: transaction.atomic(durable=True),
    )


@dataclass(frozen=True, slots=True)
class Swap:
    """A wrapped secret to wrap again: its row, what it holds now, and what binds it there."""

    pk: UUID | int
    old: bytes
    bound_to: bytes


def _rewrap(rows: list[Swap], statements: Sequence[str], opening: Callable[[], AbstractContextManager[None]]) -> int:
    ring, count = keks(), 0
    late = [row for row in rows if not ring.is_newest(row.old)]
    for chunk in (late[start : start + CHUNK] for start in range(0, len(late), CHUNK)):
        opened = ring.unwrap([crypto.Placed(row.old, row.bound_to) for row in chunk])
        fresh = ring.wrap([crypto.Placed(key, row.bound_to) for key, row in zip(opened, chunk, strict=True)])
        with opening(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, [[row.pk for row in chunk], [row.old for row in chunk], fresh])
                count += cursor.rowcount
    return count


def reseal(*, cabinet_id: UUID) -> int:
    """Give a firm and each of its clients a new key, and seal every value again; return how many rows were.

    Old keys stay, no longer used to seal: until the last chunk both open, and what is not a column (a file on disk)
    keeps opening. The key of exact search is not changed: its indexes are not values that can be sealed again.
    """
    with working_for(cabinet_id=cabinet_id, durable=True):
        _new_keys()
        journal.record("keys.renewed", None)
    return sum(_reseal_model(model, cabinet_id=cabinet_id) for model in _sealed_models())


def _new_keys() -> None:
    # Two at once would each make a key for the same client: the second waits, and begins from what the first made.
    Cabinet.objects.select_for_update(no_key=True).get(pk=current_cabinet_id())
    # Nobody is put away or brought back between the new keys and where they are kept.
    clients = list(Client.objects.order_by("pk").select_for_update(of=("self",), no_key=True).only("pk", "archived_on"))
    active = DataKey.objects.filter(is_active=True).exclude(purpose=KeyPurpose.INDEX)
    subjects = list(active.order_by("pk").values_list("purpose", "subject_id"))
    active.update(is_active=False)
    for purpose in (KeyPurpose.FIRM, KeyPurpose.CLIENT):
        make_keys(purpose=purpose, subject_ids=[subject for known, subject in subjects if known == purpose])
    # The new key of an archived client is as far away as the old ones.
    archive.withhold([client.pk for client in clients if client.archived_on is not None])


def _sealed_models() -> Iterator[type[SealedModel]]:
    for model in apps.get_models():
        if issubclass(model, SealedModel) and not model._meta.proxy and not model.wall.append_only:
            yield model


def _reseal_model(model: type[SealedModel], *, cabinet_id: UUID) -> int:
    with working_for(cabinet_id=cabinet_id):
        ids = list(model.objects.order_by("pk").values_list("pk", flat=True))
    count = 0
    for chunk in (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)):
        with working_for(cabinet_id=cabinet_id, durable=True):
            rows = model.objects.filter(pk__in=chunk).order_by("pk").select_for_update(of=("self",))
            for row in open_together(rows):
                if _is_old(row):
                    seal_again(row)
                    count += 1
    return count


def _is_old(row: SealedModel) -> bool:
    values = (row.__dict__.get(name) for name in row.sealed_names)
    return any(crypto.key_id_of(value) != row.sealing_key() for value in values if isinstance(value, Sealed))
