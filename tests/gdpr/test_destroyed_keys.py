"""A key that was destroyed opens nothing for good: rows, files and copies put back from a backup stay shut."""

import base64
import datetime as dt
import io
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from cabinets import crypto
from cabinets.enums import KeyPurpose
from cabinets.errors import ArchivedError, SealBrokenError
from cabinets.models import ArchivedKey, Cabinet, Client, DataKey
from cabinets.scoping import working_for
from cabinets.sealing import Sealed, blind_index, forget_keys, keks
from cabinets.services import archive
from cabinets.services.keys import Swap
from gdpr.services.erasing import purge_client
from invoices.models import Invoice
from invoices.sealed_files import open_sealed_stream, write_sealed
from tests.factories.cabinets import make_client, make_dossier
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment
from tests.transit_double import transit_service

FAR = dt.date(2037, 1, 1)
EMAIL = "anne@delorme.example"


class Backup:
    """What a backup taken before holds of one client: their rows as sealed, a file on disk, and their wrapped key."""

    def __init__(self, client: Client, invoice: Invoice, stored_as: str, root: Path) -> None:
        self.client, self.invoice, self.stored_as, self.root = client, invoice, stored_as, root
        fresh = Client.objects.get(pk=client.pk)
        self.values = {name: fresh.__dict__[name] for name in fresh.sealed_names}
        self.note = Invoice.objects.get(pk=invoice.pk).__dict__["note"]
        self.file = (root / stored_as).read_bytes()
        self.key = DataKey.objects.get(purpose=KeyPurpose.CLIENT, subject_id=client.pk)

    def restore_data(self) -> None:
        """Put rows and file back, without the table of keys: it has a backup of its own."""
        assert all(isinstance(value, Sealed) for value in self.values.values())
        Client.objects.filter(pk=self.client.pk).update(**self.values)
        Invoice.objects.filter(pk=self.invoice.pk).update(note=self.note)
        path = self.root / self.stored_as
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.file)
        forget_keys()

    def restore_key(self) -> None:
        """Put the wrapped key back too, as an old backup of the whole would."""
        DataKey.objects.filter(pk=self.key.pk).delete()
        self.key.save(force_insert=True)
        forget_keys()

    def opened(self) -> list[str]:
        """Return everything that opens."""
        client, found = Client.objects.get(pk=self.client.pk), []
        readers: list[Any] = [lambda name=name: getattr(client, name) for name in self.values]
        readers.append(lambda: Invoice.objects.get(pk=self.invoice.pk).note)
        readers.append(lambda: b"".join(open_sealed_stream(self.stored_as, bound_to=b"file")).decode())
        for read in readers:
            try:
                found.append(str(read()))
            except (SealBrokenError, ArchivedError):
                continue
        return [text for text in found if text]


@pytest.fixture
def backup(cabinet: Cabinet, tmp_path: Path, settings: Settings) -> Backup:
    settings.MEDIA_ROOT = tmp_path
    client = make_client(
        company="", last_name="Delorme", first_name="Anne", email=EMAIL, kind="consumer",
        email_index=blind_index(EMAIL, column="email"),
    )  # fmt: skip
    dossier = make_dossier(client=client, mandate_ended_on=dt.date(2026, 3, 15))
    invoice = make_invoice(dossier=dossier, issued_on=dt.date(2026, 2, 1), due_on=dt.date(2026, 3, 1), note="rappeler")
    make_payment(invoice=invoice, on=dt.date(2026, 3, 20))
    stored = write_sealed(io.BytesIO(b"piece jointe"), folder="essai", bound_to=b"file", subject_id=client.pk)
    return Backup(client, invoice, stored.stored_as, tmp_path / str(cabinet.pk))


def destroy(backup: Backup) -> None:
    assert "Delorme" in backup.opened()
    assert "piece jointe" in backup.opened()
    purge_client(client_id=backup.client.pk, on=FAR)
    assert not DataKey.objects.filter(purpose=KeyPurpose.CLIENT, subject_id=backup.client.pk).exists()


def test_rows_and_files_put_back_stay_shut_and_nothing_finds_the_person(backup: Backup) -> None:
    destroy(backup)

    backup.restore_data()

    assert backup.opened() == []
    with pytest.raises(SealBrokenError, match="détruite"):
        str(Client.objects.get(pk=backup.client.pk).last_name)
    assert not Client.objects.filter(email_index=blind_index(EMAIL, column="email")).exists()


def test_an_archived_clients_key_is_destroyed_too_and_opens_nothing_without_its_own_backup(backup: Backup) -> None:
    archive.put_away([backup.client.pk], on=dt.date(2026, 11, 24))
    backup.key.refresh_from_db()
    kept = ArchivedKey.objects.get(client=backup.client)
    with fresh(backup):
        destroy(backup)
    left = ArchivedKey.objects.filter(client=backup.client).exists()
    backup.restore_data()
    with fresh(backup):
        without_keys = backup.opened()

    # Half of the two tables: the daily key of an archived client is empty.
    backup.restore_key()
    with fresh(backup):
        with_half = backup.opened()
    kept.save(force_insert=True)

    assert (left, without_keys, with_half) == (False, [], [])
    with fresh(backup):
        assert "Delorme" in backup.opened()


def fresh(backup: Backup) -> AbstractContextManager[object]:
    """Work in a scope of its own: an archived key that was read lives as long as the scope that read it."""
    return working_for(cabinet_id=backup.client.cabinet_id)


def test_an_old_table_of_keys_opens_until_the_key_that_wrapped_it_is_let_go_of(
    backup: Backup, settings: Settings
) -> None:
    destroy(backup)
    backup.restore_data()
    backup.restore_key()
    with_the_old_key = backup.opened()
    DataKey.objects.filter(pk=backup.key.pk).delete()

    rotate(settings)
    backup.restore_key()

    assert "Delorme" in with_the_old_key
    assert backup.opened() == []


def rotate(settings: Settings) -> None:
    """Change the installation's key: every key that is left is wrapped by the new one, and the old one goes."""
    ring = settings.KEY_ENCRYPTION_KEYS
    settings.KEY_ENCRYPTION_KEYS = f"{ring},9:{base64.b64encode(os.urandom(32)).decode()}"
    wrap_again()
    settings.KEY_ENCRYPTION_KEYS = settings.KEY_ENCRYPTION_KEYS.split(",")[-1]
    forget_keys()


def wrap_again() -> None:
    """Do in this test's transaction what rotate_keys commits chunk by chunk."""
    ring = keks()
    for row in DataKey.objects.all():
        place = crypto.for_data_key(key_id=row.pk, cabinet_id=row.cabinet_id)
        assert row.wrapped is not None
        swap = Swap(row.pk, bytes(row.wrapped), place)
        [key] = ring.unwrap([crypto.Placed(swap.old, place)])
        [row.wrapped] = ring.wrap([crypto.Placed(key, place)])
        row.save(update_fields=["wrapped"])


def test_a_key_service_that_retires_a_version_shuts_the_backups_made_under_it(
    backup: Backup, settings: Settings
) -> None:
    with transit_service() as service:
        settings.TRANSIT, settings.KEY_HOLDER = service.settings(), "transit"
        wrap_again()
        backup.key.refresh_from_db()
        forget_keys()
        destroy(backup)
        backup.restore_data()
        backup.restore_key()
        before = backup.opened()
        DataKey.objects.filter(pk=backup.key.pk).delete()

        service.keys["quittance"].versions.append(os.urandom(32))
        wrap_again()
        service.keys["quittance"].oldest = 2
        backup.restore_key()

        assert "Delorme" in before
        assert backup.opened() == []
        # What was not destroyed opens as before.
        forget_keys()
        assert make_client(company="Une autre").company == "Une autre"
