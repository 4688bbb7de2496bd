"""The drop folder: where a firm's bank leaves its statements, taken in as they come, refused with a sentence.

The operator serves `<QUITTANCE_VAR>/depot/<firm>/` by SFTP (docs/operations.md). A file still being written ends in
`.part` or changes between two looks; both are left alone.
"""

import datetime as dt
import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, Task
from cabinets.scoping import current_cabinet_id, current_scope
from cabinets.services.firm import rely_on_feed
from payments.bank.days import fresh_until
from payments.bank.reading import MAX_BYTES
from payments.enums import BankSource
from payments.errors import AlreadyTakenError, FileRefusedError
from payments.models import BankFeed
from payments.services.bank_intake import take_in

DONE, REFUSED = "faits", "refuses"
# A transfer without a `.part` name writes on until it ends: what moved this lately is not complete.
QUIET = dt.timedelta(seconds=60)
PICKED_AT_ONCE = 20


def folder_of(cabinet: Cabinet) -> Path:
    """Return the folder of a firm; it may not exist yet."""
    return Path(settings.VAR) / "depot" / cabinet.slug


def every_folder() -> list[Path]:
    """Return the folders of all firms that exist on this machine."""
    try:
        return [Path(entry.path) for entry in os.scandir(Path(settings.VAR) / "depot") if entry.is_dir()]
    except FileNotFoundError:
        return []


@transaction.atomic
def open_feed(*, is_open: bool) -> None:
    """Rely on the bank's deposits, or stop: from then on what is missing holds reminders back."""
    feed, _ = BankFeed.objects.get_or_create(cabinet_id=current_cabinet_id())
    cabinet = Cabinet.objects.get()
    feed.is_open, feed.changed_by_id = is_open, current_scope().member_id
    feed.save(update_fields=["is_open", "changed_by", "changed_at"])
    known = cabinet.settled_through_on or cabinet.today()
    rely_on_feed(fresh_until_on=fresh_until(known) if is_open else None)
    journal.record("bankfeed.changed", feed, open=is_open)


def waiting_files(cabinet: Cabinet, *, now: dt.datetime) -> list[Path]:
    """Return the complete files of a firm's folder, the oldest first."""
    try:
        found = [entry for entry in os.scandir(folder_of(cabinet)) if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    quiet = (now - QUIET).timestamp()
    whole = [
        (entry.stat(follow_symlinks=False).st_mtime, Path(entry.path))
        for entry in found
        if not entry.name.startswith(".") and not entry.name.endswith((".part", ".filepart", ".tmp"))
    ]
    return [path for written, path in sorted(whole) if written <= quiet][:PICKED_AT_ONCE]


def pick_up(path: Path, *, today: dt.date) -> str:
    """Take one file of the folder in; return why it is refused, or nothing. A person is told of a refusal.

    The file is put away once this is committed: one left by a stop between the two is known again, and put away then.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        take_in(data=data, file_name=path.name, today=today, source=BankSource.FEED)
    except AlreadyTakenError:
        return ""
    except PermissionError:
        return _refuse("Le fichier ne se lit pas : ses droits ne permettent pas de l’ouvrir.", today)
    except FileRefusedError as refusal:
        return _refuse(str(refusal), today)
    _note(taken_at=timezone.now())
    return ""


def put_away(path: Path, *, refusal: str) -> None:
    """Move a file that was looked at, a refused one beside its sentence."""
    moved = _move(path, REFUSED if refusal else DONE)
    if refusal:
        moved.with_name(f"{moved.name}.txt").write_text(f"{refusal}\n", encoding="utf-8")


@transaction.atomic
def _note(*, taken_at: dt.datetime) -> None:
    BankFeed.objects.update(taken_at=taken_at)
    opened = Task.objects.filter(kind=TaskKind.REFUSED_STATEMENT, state=TaskState.OPEN)
    opened.update(state=TaskState.DONE, closed_at=taken_at)


@transaction.atomic
def _refuse(sentence: str, today: dt.date) -> str:
    feed = BankFeed.objects.get()
    feed.refusal, feed.refused_at = sentence, timezone.now()
    feed.save(update_fields=["refusal", "refused_at"])
    task = Task(kind=TaskKind.REFUSED_STATEMENT, subject_id=feed.pk, due_on=today)
    Task.objects.bulk_create([task], ignore_conflicts=True)
    journal.record("bankfile.refused", feed)
    return sentence


def _move(path: Path, place: str) -> Path:
    target = path.parent / place / path.name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    number = 1
    while target.exists():
        target = target.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    with suppress(FileNotFoundError):
        path.rename(target)
    return target
