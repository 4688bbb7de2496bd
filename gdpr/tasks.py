"""Wake-ups of this app: a task carries ids alone."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services.firm import every_firm
from gdpr.services import centre, closing, firm_copies, retention

# A firm of many years is long to copy or to erase; past this the worker is given up.
LONGEST = 10_000


@shared_task(name="gdpr.tasks.purge")
def purge() -> int:
    """Each night: hand over each firm that lets go of what had its time; return how many."""
    ids = retention.firms_due()
    for cabinet_id in ids:
        purge_firm.delay(str(cabinet_id))
    return len(ids)


@shared_task(name="gdpr.tasks.purge_firm")
def purge_firm(cabinet_id: str) -> int:
    """Let go of what had its time in one firm; return how many rows."""
    with acting_for(cabinet_id=UUID(cabinet_id)):
        with tenant_atomic():
            on = Cabinet.objects.get().today()
        return sum(retention.purge(on=on).values())


@shared_task(name="gdpr.tasks.remind_of_audits")
def remind_of_audits() -> int:
    """Each morning: hand over each firm; return how many."""
    ids = [cabinet_id for cabinet_id, _ in every_firm()]
    for cabinet_id in ids:
        remind_of_audit.delay(str(cabinet_id))
    return len(ids)


@shared_task(name="gdpr.tasks.remind_of_audit")
def remind_of_audit(cabinet_id: str) -> int:
    """Tell one firm that its yearly audit is to be done, if it is; return how many people were told."""
    with working_for(cabinet_id=UUID(cabinet_id)):
        return centre.remind_of_audit(on=Cabinet.objects.get().today())


@shared_task(name="gdpr.tasks.sweep_copies")
def sweep_copies() -> None:
    """Hand the copies asked for to a worker, and let go of those past their days."""
    for cabinet_id, copy_id in firm_copies.due():
        copy_firm.delay(str(cabinet_id), str(copy_id))
    for cabinet_id in firm_copies.firms_with_old_ones():
        firm_copies.let_go_of_old(cabinet_id=cabinet_id)


@shared_task(name="gdpr.tasks.copy_firm", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def copy_firm(cabinet_id: str, copy_id: str) -> None:
    """Make one copy; asked twice at once, it is made once."""
    firm_copies.make(cabinet_id=UUID(cabinet_id), copy_id=UUID(copy_id))


@shared_task(name="gdpr.tasks.close_firms")
def close_firms() -> int:
    """Each night: hand over each firm whose closing is due; return how many."""
    ids = closing.firms_due(now=timezone.now())
    for cabinet_id in ids:
        close_firm.delay(str(cabinet_id))
    return len(ids)


@shared_task(name="gdpr.tasks.close_firm", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def close_firm(cabinet_id: str) -> int:
    """Erase one firm whose days are over; return how many rows."""
    return sum(closing.erase(cabinet_id=UUID(cabinet_id)).values())
