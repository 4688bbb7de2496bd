"""In the background: imports carried on, proceedings looked for, limitation watched; the clock finds what waits."""

import datetime as dt
import time
from pathlib import Path
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, working_for
from invoices.enums import RUNNING
from invoices.models import ImportBatch
from invoices.services import importing, importing_runs, insolvency, limitation

PICKED_AT_ONCE = 50
FILE_KEPT = dt.timedelta(hours=24)
# A file whose transaction was rolled back has no row; nothing else is that old.
ORPHAN_SECONDS = 48 * 3600


@shared_task(name="invoices.tasks.sweep_imports")
def sweep_imports() -> int:
    """Hand every import that waits to a worker, and delete files that are no longer needed; return how many wait."""
    now, batches = timezone.now(), ImportBatch.all_cabinets.using("scheduler")
    free = batches.filter(Q(lease_until=None) | Q(lease_until__lt=now), state__in=RUNNING)
    waiting = list(free.order_by("uploaded_at").values_list("cabinet_id", "pk")[:PICKED_AT_ONCE])
    for cabinet_id, batch_id in waiting:
        import_batch.delay(str(cabinet_id), str(batch_id))
    ended = Q(finished_at__lt=now - FILE_KEPT) | Q(finished_at=None, uploaded_at__lt=now - FILE_KEPT)
    kept_too_long = batches.filter(ended).exclude(stored_as="").exclude(state__in=RUNNING)
    for cabinet_id, batch_id in kept_too_long.values_list("cabinet_id", "pk")[:PICKED_AT_ONCE]:
        with working_for(cabinet_id=cabinet_id):
            importing.forget_file(batch_id=batch_id)
    _remove_orphans()
    return len(waiting)


@shared_task(name="invoices.tasks.import_batch")
def import_batch(cabinet_id: str, batch_id: str) -> None:
    """Carry one import on, for the person who brought the file; another worker at it is left alone."""
    run_import(cabinet_id=UUID(cabinet_id), batch_id=UUID(batch_id))


def run_import(*, cabinet_id: UUID, batch_id: UUID) -> None:
    """Do in this process what a worker does with an import: one transaction a chunk, as its uploader."""
    with working_for(cabinet_id=cabinet_id):
        uploader = ImportBatch.objects.values_list("uploaded_by_id", flat=True).get(pk=batch_id)
    importing_runs.work(
        batch_id=batch_id,
        opened=lambda: working_for(cabinet_id=cabinet_id, member_id=uploader, durable=True),
    )


@shared_task(name="invoices.tasks.watch_insolvencies")
def watch_insolvencies() -> int:
    """Every night: have each firm's late professional clients looked for at the BODACC; return how many firms."""
    firms = Cabinet.objects.using("scheduler").filter(is_demo=False, activated_on__isnull=False)
    ids = list(firms.values_list("pk", flat=True))
    for cabinet_id in ids:
        watch_insolvencies_of.delay(str(cabinet_id))
    return len(ids)


@shared_task(name="invoices.tasks.watch_insolvencies_of")
def watch_insolvencies_of(cabinet_id: str) -> int:
    """Look for the late professional clients of one firm; return how many were."""
    with acting_for(cabinet_id=UUID(cabinet_id)):
        return insolvency.watch(now=timezone.now())


@shared_task(name="invoices.tasks.watch_limitations")
def watch_limitations() -> int:
    """Every night: have each firm told of the fees that will soon be prescribed; return how many firms."""
    firms = Cabinet.objects.using("scheduler").filter(activated_on__isnull=False)
    ids = list(firms.values_list("pk", flat=True))
    for cabinet_id in ids:
        watch_limitations_of.delay(str(cabinet_id))
    return len(ids)


@shared_task(name="invoices.tasks.watch_limitations_of")
def watch_limitations_of(cabinet_id: str) -> int:
    """Ring the alarms of one firm; return how many tasks were opened."""
    with working_for(cabinet_id=UUID(cabinet_id)):
        return limitation.ring(on=Cabinet.objects.get().today())


def _remove_orphans() -> None:
    limit = time.time() - ORPHAN_SECONDS
    old = [path for path in Path(settings.MEDIA_ROOT).glob(f"*/{importing.FOLDER}/*") if path.stat().st_mtime < limit]
    if old:
        names = {f"{importing.FOLDER}/{path.name}" for path in old}
        known = ImportBatch.all_cabinets.using("scheduler").filter(stored_as__in=names)
        kept = set(known.values_list("stored_as", flat=True))
        for path in old:
            if f"{importing.FOLDER}/{path.name}" not in kept:
                path.unlink(missing_ok=True)
