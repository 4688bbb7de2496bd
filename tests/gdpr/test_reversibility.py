"""A firm leaves whole and arrives whole: exported, brought into an empty installation, exported again, identical."""

import base64
import datetime as dt
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import override_settings

from cabinets import sealing
from cabinets.models import Cabinet, Client, JournalEntry, User
from cabinets.scoping import working_for
from cabinets.services import journal_seals, search
from cabinets.services.clients import email_key
from dunning.services import evidence
from gdpr.services import firm_export, firm_format
from tests.conftest import NOW, empty_every_table

DAY = dt.date(2026, 11, 24)
LATER = NOW + dt.timedelta(days=2)


def another_installation(folder: Path) -> Any:
    """Settings of an installation that shares no key and no folder with the first."""
    return override_settings(
        MEDIA_ROOT=folder,
        KEY_ENCRYPTION_KEYS=f"7:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        LINK_KEY=secrets.token_urlsafe(48),
    )


def exported(cabinet_id: UUID, path: Path) -> firm_export.Written:
    with working_for(cabinet_id=cabinet_id), path.open("wb") as target:
        return firm_export.write_archive(target)


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def told(found: dict[str, bytes]) -> dict[str, Any]:
    """The manifest without its date, which alone may differ."""
    manifest: dict[str, Any] = json.loads(found.pop(firm_format.MANIFEST))
    del manifest["etabli_le"]
    return manifest


@pytest.fixture
def demo(committed: None, tmp_path: Path) -> Iterator[Path]:
    """The demonstration, in a folder of its own."""
    with (
        override_settings(VAR=tmp_path, DEMO_CATCHER="", MEDIA_ROOT=tmp_path / "documents"),
        time_machine.travel(dt.datetime.combine(DAY, dt.time(7, 12), tzinfo=dt.UTC), tick=False),
    ):
        call_command("demo", stdout=io.StringIO())
    yield tmp_path


@pytest.mark.committed
def test_is_identical_once_brought_into_an_empty_installation(demo: Path) -> None:
    first, second = demo / "first.zip", demo / "second.zip"
    with override_settings(MEDIA_ROOT=demo / "documents"):
        firm_id = Cabinet.objects.using("scheduler").order_by("slug").values_list("pk", flat=True)[0]
        import time; t=time.perf_counter()
        written = exported(firm_id, first)
        print("EXPORT", time.perf_counter()-t, first.stat().st_size, written.total, written.files, written.missing, written.unreadable)
        with working_for(cabinet_id=firm_id):
            head = evidence.verify()
            journal = JournalEntry.objects.count()
    empty_every_table()
    sealing.forget_keys()
    with another_installation(demo / "elsewhere"), time_machine.travel(LATER, tick=False):
        User.objects.create_superuser("exploitant@quittance.test", "une longue phrase secrete")
        out = io.StringIO()
        t=time.perf_counter()
        call_command("import_firm", str(first), "--operator", "exploitant@quittance.test", stdout=out)
        print("IMPORT", time.perf_counter()-t, out.getvalue())

        exported(firm_id, second)

        before, after = contents(first), contents(second)
        assert told(before) == told(after)
        assert [name for name in before if before[name] != after.get(name)] == []
        assert set(before) == set(after)
        with working_for(cabinet_id=firm_id):
            assert evidence.verify() == head
            assert JournalEntry.objects.count() == journal
            assert journal_seals.months_that_differ(on=LATER.date()) == []
            client = Client.objects.filter(has_email=True).order_by("pk").first()
            assert client is not None
            assert client in Client.objects.filter(email_index=email_key(client.email))
