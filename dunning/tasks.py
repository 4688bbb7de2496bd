"""Wake-ups: the tables are the queue, a task only carries ids. Losing one run loses nothing."""

from itertools import islice
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from cabinets.scoping import working_for
from dunning.services import dispatch, mail_servers, nights, staff_mail
from payments.services import links


@shared_task(name="dunning.tasks.evaluate_nights")
def evaluate_nights() -> None:
    """Every quarter of an hour: evaluate the firms whose local hour has come, and date the links of settled debts."""
    due = nights.firms_due(now=timezone.now())
    nights.evaluate(due)
    for night in due:
        with working_for(cabinet_id=night.cabinet.pk):
            links.note_settled(on=night.on)


@shared_task(name="dunning.tasks.sweep")
def sweep() -> None:
    """Every minute: hand what is due to the senders, and show a person what was claimed and never recorded."""
    now = timezone.now()
    for cabinet_id, ids in dispatch.expired_claims(now=now).items():
        dispatch.settle_expired(cabinet_id=cabinet_id, reminder_ids=ids, now=now)
    for ids in dispatch.due_reminders(now=now).values():
        rest = iter(ids)
        while batch := [str(reminder_id) for reminder_id in islice(rest, dispatch.BATCH)]:
            send_reminders.delay(batch)


@shared_task(name="dunning.tasks.send_reminders")
def send_reminders(reminder_ids: list[str]) -> None:
    """Send a batch of one firm, which the first reminder names."""
    ids = [UUID(one) for one in reminder_ids]
    dispatch.send_batch(cabinet_id=dispatch.firm_of(reminder_id=ids[0]), reminder_ids=ids)


@shared_task(name="dunning.tasks.check_mail_server")
def check_mail_server(server_id: str) -> None:
    """Try a firm's mail server and write its answer where the settings page reads it."""
    mail_servers.check(server_id=UUID(server_id))


@shared_task(name="dunning.tasks.sweep_staff_mail")
def sweep_staff_mail() -> None:
    """Every minute: hand the mails to the firms' own people to the senders."""
    for mail_id in staff_mail.due(now=timezone.now()):
        send_staff_mail.delay(str(mail_id))


@shared_task(name="dunning.tasks.send_staff_mail")
def send_staff_mail(mail_id: str) -> None:
    """Send one mail to a person of the firm."""
    staff_mail.deliver(mail_id=UUID(mail_id))
