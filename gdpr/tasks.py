"""Wake-ups of this app: a task carries ids alone."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services.firm import every_firm
from gdpr.services import (
    archiving,
    centre,
    closing,
    firm_copies,
    incident_news,
    partners_told,
    processor_news,
    retention,
)

# A firm of many years is long to copy or to erase; past this the worker is given up.
LONGEST = 10_000


@shared_task(name="gdpr.tasks.purge")
def purge() -> int:
    """Each night: hand over each firm, whose copies or data may have had their time; return how many."""
    ids = [cabinet_id for cabinet_id, _ in every_firm()]
    for cabinet_id in ids:
        purge_firm.delay(str(cabinet_id))
    return len(ids)


@shared_task(name="gdpr.tasks.purge_firm")
def purge_firm(cabinet_id: str) -> int:
    """Let go of the old copies of one firm, and of what had its time if it says so; return how many rows."""
    with acting_for(cabinet_id=UUID(cabinet_id)):
        with tenant_atomic():
            on = Cabinet.objects.get().today()
        retention.destroy_old_copies(on=on)
        return sum(retention.purge(on=on).values())


@shared_task(name="gdpr.tasks.archive")
def archive() -> int:
    """Each night: hand over each firm, whose clients may have left daily use; return how many."""
    ids = [cabinet_id for cabinet_id, _ in every_firm()]
    for cabinet_id in ids:
        archive_firm.delay(str(cabinet_id))
    return len(ids)


@shared_task(name="gdpr.tasks.archive_firm")
def archive_firm(cabinet_id: str) -> int:
    """Put in the archive the clients of one firm whose daily use is over; return how many."""
    with acting_for(cabinet_id=UUID(cabinet_id)):
        with tenant_atomic():
            on = Cabinet.objects.get().today()
        return archiving.archive_firm(on=on)


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


@shared_task(name="gdpr.tasks.sweep_news")
def sweep_news() -> None:
    """Every twenty seconds: hand over what the operator owes the firms; losing one run loses nothing."""
    for cabinet_id, statement_id in incident_news.untold():
        tell_incident.delay(str(cabinet_id), str(statement_id))
    for cabinet_id, version_id in processor_news.untold():
        tell_processor.delay(str(cabinet_id), str(version_id))
    for cabinet_id, notice_id in processor_news.unanswered():
        tell_answer.delay(str(cabinet_id), str(notice_id))
    for cabinet_id, notice_id in processor_news.moved():
        tell_moved.delay(str(cabinet_id), str(notice_id))
    for cabinet_id, notice_id in processor_news.unrelayed():
        relay_objection.delay(str(cabinet_id), str(notice_id))
    for cabinet_id in partners_told.unmailed():
        note_mailed.delay(str(cabinet_id))


@shared_task(name="gdpr.tasks.tell_incident")
def tell_incident(cabinet_id: str, statement_id: str) -> None:
    """Tell one firm one statement of an incident; asked twice, it is told once."""
    incident_news.tell_firm(cabinet_id=UUID(cabinet_id), statement_id=UUID(statement_id))


@shared_task(name="gdpr.tasks.tell_processor")
def tell_processor(cabinet_id: str, version_id: str) -> None:
    """Tell one firm of one version of a sub-processor; asked twice, it is told once."""
    processor_news.tell_firm(cabinet_id=UUID(cabinet_id), version_id=UUID(version_id))


@shared_task(name="gdpr.tasks.tell_answer")
def tell_answer(cabinet_id: str, notice_id: str) -> None:
    """Tell one firm the answer to its objection."""
    processor_news.tell_answer(cabinet_id=UUID(cabinet_id), notice_id=UUID(notice_id))


@shared_task(name="gdpr.tasks.tell_moved")
def tell_moved(cabinet_id: str, notice_id: str) -> None:
    """Tell one firm that the day of a sub-processor moved."""
    processor_news.tell_moved(cabinet_id=UUID(cabinet_id), notice_id=UUID(notice_id))


@shared_task(name="gdpr.tasks.relay_objection")
def relay_objection(cabinet_id: str, notice_id: str) -> None:
    """Write to the operator that a firm objects."""
    processor_news.relay(cabinet_id=UUID(cabinet_id), notice_id=UUID(notice_id))


@shared_task(name="gdpr.tasks.note_mailed")
def note_mailed(cabinet_id: str) -> None:
    """Complete one firm's proofs with the instant its mails left."""
    partners_told.note_mailed(cabinet_id=UUID(cabinet_id))
