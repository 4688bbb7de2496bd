"""Wake-ups of this app: a task carries ids alone."""

from uuid import UUID

from celery import shared_task

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic
from gdpr.services import retention


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
