"""Sealed columns of models: text that is only readable through its row, with the key of its firm or of its client."""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from cabinets import crypto, ports
from cabinets.enums import KeyPurpose
from cabinets.errors import ArchivedError, SealBrokenError
from cabinets.key_holders import KeyHolders, holders_of
from cabinets.scoping import CabinetOwned, current_scope
from cabinets.transit import Transit, TransitSettings

_KEEP_SECONDS = 300.0
_KEEP_AT_MOST = 50_000
_opened: dict[UUID, tuple[float, bytes]] = {}


ARCHIVED = (
    "Ce client est en archive\u00a0: ses données ne se lisent qu’archive ouverte, et ne se modifient qu’une fois le"
    " client sorti de l’archive. Rien n’a été modifié. Un associé ou un administrateur l’ouvre depuis sa page."
)


class Sealed(bytes):
    """A value as the database holds it."""

    __slots__ = ()


class Withheld(str):
    """What is read of a value whose key is in the intermediate archive: nothing, and never to be written back."""

    __slots__ = ()


def keks() -> KeyHolders:
    """Return who holds the installation's key-encryption keys, as its settings say."""
    return holders_of(
        current=settings.KEY_HOLDER,
        ring=settings.KEY_ENCRYPTION_KEYS,
        transit=TransitSettings.read(settings.TRANSIT),
    )


def check_key_service() -> None:
    """Have each key service wrap and open a word; raise KeyServiceError with what to mend."""
    holders = keks()
    for holder in (holders.current, *holders.others):
        if isinstance(holder, Transit):
            holder.check()


def key_bytes(key_id: UUID) -> bytes:
    """Return a data key by id, from the process's five-minute cache or from the firm's rows.

    Raise SealBrokenError for a destroyed key, ArchivedError for one the intermediate archive withholds.
    """
    if (known := _opened.get(key_id)) and known[0] > time.monotonic():
        return known[1]
    load_keys([key_id])
    if key_id in _opened:
        return _opened[key_id][1]
    archived = current_scope().archived
    if key_id not in archived:
        raise SealBrokenError("Cette donnée a été effacée : sa clé de chiffrement a été détruite.")
    if (key := archived[key_id]) is None:
        raise ArchivedError(ARCHIVED)
    return key


def key_to_write(row: "SealedModel", *, is_new: bool) -> tuple[UUID, bytes]:
    """Return the id and the key that seal a row, once sure its client's archive may be written to.

    Something new about an archived client that the product itself records (a message, a payment, a request) brings
    them back to daily use; a person changes nothing in the archive.
    """
    scope, subject = current_scope(), row.sealing_subject()
    scope.forget_what_was_undone()
    is_the_product = scope.member_id is None and scope.on_behalf_of is None
    if is_new and is_the_product and subject is not None and subject not in scope.at_hand and subject != row.pk:
        # Asked of the client's own row: a key this process still holds tells nothing of where the client is.
        ports.archivist().give_back([subject])
    key_id = row.sealing_key()
    key = key_bytes(key_id)
    if key_id in scope.archived and key_id not in scope.returned and not is_the_product:
        raise ArchivedError(ARCHIVED)
    return key_id, key


def load_keys(key_ids: Iterable[UUID]) -> None:
    """Unwrap many data keys of the firm in one query, so that a list opens without a query a row."""
    now = time.monotonic()
    wanted = {key_id for key_id in key_ids if key_id not in _opened or _opened[key_id][0] <= now}
    wanted -= current_scope().archived.keys() if wanted else set()
    if not wanted:
        return
    _forget_old(now)
    scope = current_scope()
    archived = _open_daily(wanted, now)
    kept = {key_id: key for (key_id, *_), key in _unwrapped(_readable(archived))} if archived else {}
    if scope.member_id is None and (late := set(archived) - kept.keys()):
        # Given back between the two readings.
        archived = [key_id for key_id in archived if key_id not in late] + _open_daily(late, now)
    scope.archived.update(dict.fromkeys(archived))
    scope.archived.update(kept)


def _open_daily(wanted: Collection[UUID], now: float) -> list[UUID]:
    """Open those of these keys that are in daily use; return those the archive keeps."""
    scope = current_scope()
    found = list(_data_keys().filter(pk__in=wanted).values_list("pk", "cabinet_id", "wrapped"))
    for (key_id, *_), key in _unwrapped([row for row in found if row[2] is not None]):
        if key_id in scope.returned:
            scope.archived[key_id] = key
        else:
            _opened[key_id] = (now + _KEEP_SECONDS, key)
    return [row[0] for row in found if row[2] is None]


def _unwrapped(rows: Sequence[tuple[UUID, UUID, Any]]) -> Iterable[tuple[tuple[UUID, UUID, Any], bytes]]:
    """Open wrapped keys together, each beside its row: id, firm, wrapped key."""
    places = [
        crypto.Placed(bytes(wrapped), crypto.for_data_key(key_id=key_id, cabinet_id=cabinet_id))
        for key_id, cabinet_id, wrapped in rows
    ]
    return zip(rows, keks().unwrap(places), strict=True)


def _forget_old(now: float) -> None:
    """Let go of the keys whose time is over: one that was destroyed meanwhile must not open anything more."""
    old = [key_id for key_id, (until, _) in _opened.items() if until <= now]
    if len(_opened) - len(old) > _KEEP_AT_MOST:
        old = list(_opened)
    for key_id in old:
        # Another thread may have let go of it.
        _opened.pop(key_id, None)
    if old:
        crypto.forget_ciphers()


def forget(key_ids: Iterable[UUID]) -> None:
    """Let go of these opened keys: they were put in the archive."""
    for key_id in key_ids:
        _opened.pop(key_id, None)
    crypto.forget_ciphers()


def forget_keys() -> None:
    """Empty the cache of opened keys: after a destruction, and between tests."""
    _opened.clear()
    crypto.forget_ciphers()


def active_key(*, purpose: KeyPurpose, subject_id: UUID | None = None) -> UUID:
    """Return the id of the key that seals for this subject in the firm acted for; make one the first time."""
    scope = current_scope()
    scope.forget_what_was_undone()
    slot = (purpose.value, subject_id)
    if slot not in scope.keys:
        found = _data_keys().filter(purpose=purpose, subject_id=subject_id, is_active=True).values_list("pk", flat=True)
        scope.keys[slot] = found.first() or make_keys(purpose=purpose, subject_ids=[subject_id])[0]
    return scope.keys[slot]


def make_keys(*, purpose: KeyPurpose, subject_ids: Sequence[UUID | None]) -> list[UUID]:
    """Create one active data key per subject in one statement, or take a quicker worker's; known to this scope only."""
    scope, ids = current_scope(), [uuid4() for _ in subject_ids]
    fresh = [
        crypto.Placed(crypto.new_key(), crypto.for_data_key(key_id=key_id, cabinet_id=scope.cabinet_id))
        for key_id in ids
    ]
    wrapped = keks().wrap(fresh)
    model = apps.get_model("cabinets", "DataKey")
    rows = [
        model(id=key_id, purpose=purpose, subject_id=subject_id, wrapped=one)
        for key_id, subject_id, one in zip(ids, subject_ids, wrapped, strict=True)
    ]
    model.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
    # Another worker may have made one first: the insertion waited for its commit, and these readings see it.
    kept = set(_data_keys().filter(pk__in=ids).values_list("pk", flat=True))
    scope.learned()
    for place, (key_id, subject_id, (key, _)) in enumerate(zip(ids, subject_ids, fresh, strict=True)):
        if key_id in kept:
            _opened[key_id] = (time.monotonic() + _KEEP_SECONDS, key)
        else:
            ids[place] = _data_keys().get(purpose=purpose, subject_id=subject_id, is_active=True).pk
        scope.keys[(purpose.value, subject_id)] = ids[place]
    return ids


def _readable(key_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, Any]]:
    """Return those of these archived keys that whoever acts may open now: id, firm, wrapped key."""
    rows = apps.get_model("cabinets", "ArchivedKey").objects.filter(pk__in=key_ids)
    if (member_id := current_scope().member_id) is not None:
        # The database shuts what somebody closed; the minute an opening runs out is told here.
        openings = apps.get_model("cabinets", "ArchiveOpening").objects.filter(closed_at=None)
        mine = openings.filter(member=member_id, ends_at__gt=timezone.now())
        rows = rows.filter(client__in=mine.values("client"))
    return list(rows.values_list("pk", "cabinet_id", "wrapped"))


def _data_keys() -> models.QuerySet[Any]:
    return apps.get_model("cabinets", "DataKey").objects.all()


def blind_index(text: str, *, column: str) -> bytes | None:
    """Return the exact-search index of a normalised value in the firm acted for; nothing for an empty value."""
    if not text:
        return None
    return crypto.blind_index(text, key=key_bytes(active_key(purpose=KeyPurpose.INDEX)), column=column)


class SealedModel(CabinetOwned):
    """A row with sealed columns; `sealing_subject` says whose key closes them."""

    sealed_names: ClassVar[tuple[str, ...]] = ()

    class Meta(CabinetOwned.Meta):
        abstract = True

    def sealing_subject(self) -> UUID | None:
        """Return the client whose key seals this row, or None for the firm's own key."""
        return None

    def sealing_key(self) -> UUID:
        """Return the id of the key that seals this row's columns."""
        subject = self.sealing_subject()
        purpose = KeyPurpose.FIRM if subject is None else KeyPurpose.CLIENT
        return active_key(purpose=purpose, subject_id=subject)

    def bound_to(self, column: str) -> bytes:
        """Return what binds a value of this row to its place."""
        return crypto.context(
            column=f"{self._meta.db_table}.{column}",
            cabinet_id=self.cabinet_id,
            row_id=self.pk,
        )


class _SealedAttribute:
    """Opens a sealed value when it is read, once per instance."""

    def __init__(self, field: "SealedTextField") -> None:
        self.name = field.attname
        self.memo = f"_opened_{field.attname}"

    def __get__(self, instance: SealedModel | None, owner: type) -> Any:
        if instance is None:
            return self
        if self.name not in instance.__dict__:
            instance.refresh_from_db(fields=[self.name])
        value = instance.__dict__[self.name]
        if not isinstance(value, Sealed):
            return value
        if self.memo not in instance.__dict__:
            instance.__dict__[self.memo] = self._open(instance, value)
        return instance.__dict__[self.memo]

    def _open(self, instance: SealedModel, value: Sealed) -> str:
        try:
            key = key_bytes(crypto.key_id_of(value))
        except ArchivedError:
            if current_scope().member_id is None:
                raise
            return Withheld()
        return crypto.open_sealed(value, key=key, bound_to=instance.bound_to(self.name)).decode()

    def __set__(self, instance: SealedModel, value: object) -> None:
        instance.__dict__.pop(self.memo, None)
        instance.__dict__[self.name] = value


class SealedTextField(models.Field):  # type: ignore[type-arg]
    """A text column stored sealed; it cannot be filtered, ordered or updated in bulk."""

    description = "texte scellé"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        """Store as bytea."""
        return "BinaryField"

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Install the descriptor that opens the value."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SealedAttribute(self))
        if not cls._meta.abstract and issubclass(cls, SealedModel):
            cls.sealed_names = (*cls.sealed_names, self.attname)

    def from_db_value(self, value: object, _expression: object, _connection: object) -> Sealed | None:
        """Keep the sealed bytes until somebody reads them."""
        return None if value is None else Sealed(bytes(value))  # type: ignore[call-overload]

    def pre_save(self, model_instance: Any, add: bool) -> Sealed:  # noqa: FBT001 - Django's signature
        """Seal the text for its row; a value that was not touched goes back as it came."""
        value = model_instance.__dict__.get(self.attname, "")
        if isinstance(value, Sealed):
            return value
        if isinstance(value, Withheld):
            raise ArchivedError(ARCHIVED)
        key_id, key = key_to_write(model_instance, is_new=add)
        sealed = crypto.seal(
            str(value or "").encode(),
            key=key,
            key_id=key_id,
            bound_to=model_instance.bound_to(self.attname),
        )
        return Sealed(sealed)

    def get_db_prep_value(self, value: object, connection: Any, prepared: bool = False) -> object:  # noqa: FBT001, FBT002 - Django's signature
        """Refuse a text that is not sealed: it came through update() or a filter."""
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is sealed: it cannot be filtered or updated in bulk")
        return value if value is None else connection.Database.Binary(value)

    def formfield(self, **kwargs: Any) -> Any:
        """Show as a text field."""
        return models.CharField(verbose_name=self.verbose_name, blank=self.blank, max_length=500).formfield(**kwargs)


def open_together(rows: Iterable[SealedModel]) -> list[Any]:
    """Load every key these rows need in one query and return them as a list."""
    listed = list(rows)
    values = (row.__dict__.get(name) for row in listed for name in row.sealed_names)
    load_keys({crypto.key_id_of(value) for value in values if isinstance(value, Sealed)})
    return listed


def seal_again(row: SealedModel) -> None:
    """Close every sealed column of a row with the key that is active now."""
    for name in row.sealed_names:
        setattr(row, name, getattr(row, name))
    row.save(update_fields=row.sealed_names)
