"""Change keys without losing a value: wrap every key again under the newest, or seal every value with new ones."""

from collections.abc import Iterator
from uuid import UUID

from django.apps import apps
from django.db import transaction

from cabinets import crypto, journal, passkeys, totp
from cabinets.enums import KeyPurpose
from cabinets.models import DataKey, PasskeyDevice, TotpDevice
from cabinets.scoping import working_for
from cabinets.sealing import Sealed, SealedModel, keks, make_keys, open_together, seal_again

CHUNK = 500


@transaction.atomic
def rewrap_keys() -> int:
    """Wrap every data key of the firm acted for under the newest key; return how many were not yet."""
    ring, changed = keks(), []
    for row in DataKey.objects.in_pk_order().select_for_update(of=("self",)):
        wrapped = bytes(row.wrapped)
        if crypto.version_of(wrapped) != ring.newest:
            key = ring.unwrap(wrapped=wrapped, key_id=row.pk, cabinet_id=row.cabinet_id)
            row.wrapped = ring.wrap(key=key, key_id=row.pk, cabinet_id=row.cabinet_id)
            changed.append(row)
    DataKey.objects.bulk_update(changed, ["wrapped"], batch_size=CHUNK)
    return len(changed)


@transaction.atomic
def rewrap_seeds() -> int:
    """Seal every second factor under the newest key; return how many were not yet."""
    ring, changed = keks(), []
    for device in TotpDevice.objects.order_by("pk").select_for_update(of=("self",)):
        sealed = bytes(device.seed)
        if crypto.version_of(sealed) != ring.newest:
            seed = totp.open_seed(sealed, user_id=device.user_id, ring=ring)
            device.seed = totp.seal(seed, user_id=device.user_id, ring=ring)
            changed.append(device)
    TotpDevice.objects.bulk_update(changed, ["seed"], batch_size=CHUNK)
    return len(changed) + _rewrap_passkeys()


def _rewrap_passkeys() -> int:
    ring, changed = keks(), []
    for device in PasskeyDevice.objects.order_by("pk").select_for_update(of=("self",)):
        sealed, place = (
            bytes(device.public_key),
            {"user_id": device.user_id, "credential_id": bytes(device.credential_id)},
        )
        if crypto.version_of(sealed) != ring.newest:
            device.public_key = passkeys.seal_key(passkeys.open_key(sealed, ring=ring, **place), ring=ring, **place)
            changed.append(device)
    PasskeyDevice.objects.bulk_update(changed, ["public_key"], batch_size=CHUNK)
    return len(changed)


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
    active = DataKey.objects.filter(is_active=True).exclude(purpose=KeyPurpose.INDEX)
    subjects = list(active.order_by("pk").values_list("purpose", "subject_id"))
    active.update(is_active=False)
    for purpose in (KeyPurpose.FIRM, KeyPurpose.CLIENT):
        make_keys(purpose=purpose, subject_ids=[subject for known, subject in subjects if known == purpose])


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
