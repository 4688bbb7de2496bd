"""The whole copy of a firm: asked for by a partner, made apart, kept sealed a few days, fetched by partners alone."""

import datetime as dt
from typing import BinaryIO
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic
from gdpr.enums import CopyState
from gdpr.errors import GdprError
from gdpr.models import FirmCopy
from gdpr.services.firm_export import Written, write_archive
from gdpr.terms import COPY_DAYS
from invoices.sealed_files import (
    PARTIAL,
    SealedWriter,
    new_name,
    open_whole,
    path_of,
    remove_sealed,
    sealing,
)

SCHEDULER = "scheduler"
FOLDER = "reversibilite"
ARCHIVE = "archive"
# A worker that was killed never says so; past this, its work is given up and may be asked for again.
LONGEST = dt.timedelta(hours=3)
AT_ONCE = 20


@transaction.atomic
def ask(*, by: Membership) -> FirmCopy:
    """Ask for the whole copy of the firm; one that is being made already is the one that is asked for."""
    ensure(by, Right.LEAVE)
    waiting = FirmCopy.objects.filter(state__in=[CopyState.ASKED, CopyState.MAKING]).first()
    if waiting is not None:
        return waiting
    copy = FirmCopy(asked_by=by, asked_at=timezone.now())
    copy.save(force_insert=True)
    journal.record("firmcopy.asked", copy)
    return copy


def due() -> list[tuple[UUID, UUID]]:
    """Return the copies asked for, as the scheduler sees them: firm and id."""
    rows = FirmCopy.all_cabinets.using(SCHEDULER).filter(state=CopyState.ASKED).order_by("asked_at")
    return list(rows.values_list("cabinet_id", "pk")[:AT_ONCE])


def firms_with_old_ones() -> list[UUID]:
    """Return the firms that have a copy past its days, or one whose worker is long gone."""
    rows, now = FirmCopy.all_cabinets.using(SCHEDULER), timezone.now()
    old = rows.filter(state=CopyState.READY, until_at__lte=now)
    lost = rows.filter(state=CopyState.MAKING, started_at__lte=now - LONGEST)
    return sorted({*old.values_list("cabinet_id", flat=True), *lost.values_list("cabinet_id", flat=True)})


def make(*, cabinet_id: UUID, copy_id: UUID) -> str:
    """Make a copy asked for, once: what the database shows at one instant, whatever the firm does meanwhile."""
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic(durable=True):
            asked = FirmCopy.objects.filter(pk=copy_id, state=CopyState.ASKED)
            if asked.update(state=CopyState.MAKING, started_at=timezone.now()) != 1:
                return "left"
            copy, stored_as = FirmCopy.objects.get(pk=copy_id), new_name(FOLDER)
        try:
            written, writer = _write(copy, stored_as)
        except Exception:
            with tenant_atomic(durable=True):
                FirmCopy.objects.filter(pk=copy_id).update(state=CopyState.FAILED)
                journal.record("firmcopy.failed", copy)
            raise
        with tenant_atomic(durable=True):
            _keep(copy, stored_as, written, writer)
        return str(CopyState.READY)


def _write(copy: FirmCopy, stored_as: str) -> tuple[Written, SealedWriter]:
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with tenant_atomic(), sealing(stored_as, bound_to=copy.bound_to(ARCHIVE)) as writer:
            return write_archive(writer), writer


def _keep(copy: FirmCopy, stored_as: str, written: Written, writer: SealedWriter) -> None:
    """Note where it is and for how long; an older one leaves its place."""
    now = timezone.now()
    for former in FirmCopy.objects.filter(state=CopyState.READY):
        _let_go(former)
    FirmCopy.objects.filter(pk=copy.pk).update(
        state=CopyState.READY,
        made_at=now,
        until_at=now + dt.timedelta(days=COPY_DAYS),
        rows=written.total,
        files=written.files,
        missing=len(written.missing),
        stored_as=stored_as,
        size=writer.size,
        digest=writer.sha256,
    )
    journal.record("firmcopy.made", copy, rows=written.total, files=written.files)


@transaction.atomic
def open_archive(*, copy_id: UUID, by: Membership) -> tuple[FirmCopy, BinaryIO]:
    """Return a copy and its archive, opened; the download is journalled."""
    ensure(by, Right.LEAVE)
    copy = FirmCopy.objects.get(pk=copy_id)
    if copy.state != CopyState.READY or (copy.until_at is not None and copy.until_at <= timezone.now()):
        raise GdprError("Cette archive n’est plus gardée : demandez-en une nouvelle.")
    opened = open_whole(copy.stored_as, bound_to=copy.bound_to(ARCHIVE))
    journal.record("firmcopy.downloaded", copy)
    return copy, opened


def let_go_of_old(*, cabinet_id: UUID) -> int:
    """Destroy the copies past their days, and give up those whose worker is gone; return how many."""
    now = timezone.now()
    with acting_for(cabinet_id=cabinet_id), tenant_atomic():
        old = list(FirmCopy.objects.filter(state=CopyState.READY, until_at__lte=now))
        for copy in old:
            _let_go(copy)
        lost = FirmCopy.objects.filter(state=CopyState.MAKING, started_at__lte=now - LONGEST)
        given_up = lost.update(state=CopyState.FAILED)
        if given_up:
            # One copy at a time: what is half-written here is of the worker that is gone.
            for partial in path_of(f"{FOLDER}/x").parent.glob(f"*{PARTIAL}"):
                partial.unlink(missing_ok=True)
        return len(old) + given_up


def _let_go(copy: FirmCopy) -> None:
    name = copy.stored_as
    FirmCopy.objects.filter(pk=copy.pk).update(state=CopyState.GONE, stored_as="")
    transaction.on_commit(lambda: remove_sealed(name))
