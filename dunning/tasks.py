"""Wake-ups: the tables are the queue, a task only carries ids. Losing one run loses nothing."""

from itertools import islice
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from cabinets.scoping import working_for
from dunning.models import DocumentJob
from dunning.services import (
    batonnier,
    dispatch,
    letter_accounts,
    letter_polling,
    link_mail,
    mail_servers,
    mailboxes,
    morning,
    nights,
    plan_mail,
    plan_nights,
    print_runs,
    sending_domains,
    sms_accounts,
    staff_mail,
)
from payments.services import links


@shared_task(name="dunning.tasks.evaluate_nights")
def evaluate_nights() -> None:
    """Every quarter of an hour: look at the plans of the firms whose local hour has come, then evaluate their night."""
    due = nights.firms_due(now=timezone.now())
    plan_nights.evaluate(due)
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
    for cabinet_id, ids in plan_mail.expired(now=now).items():
        plan_mail.settle_expired(cabinet_id=cabinet_id, message_ids=ids, now=now)
    for ids in plan_mail.due(now=now).values():
        rest = iter(ids)
        while batch := [str(message_id) for message_id in islice(rest, dispatch.BATCH)]:
            send_plan_mails.delay(batch)


@shared_task(name="dunning.tasks.send_reminders")
def send_reminders(reminder_ids: list[str]) -> None:
    """Send a batch of one firm, which the first reminder names."""
    ids = [UUID(one) for one in reminder_ids]
    dispatch.send_batch(cabinet_id=dispatch.firm_of(reminder_id=ids[0]), reminder_ids=ids)


@shared_task(name="dunning.tasks.send_plan_mails")
def send_plan_mails(message_ids: list[str]) -> None:
    """Send a batch of messages about the plans of one firm, which the first one names."""
    ids = [UUID(one) for one in message_ids]
    plan_mail.send_batch(cabinet_id=plan_mail.firm_of(message_id=ids[0]), message_ids=ids)


@shared_task(name="dunning.tasks.check_mail_server")
def check_mail_server(server_id: str) -> None:
    """Try a firm's mail server and write its answer where the settings page reads it."""
    mail_servers.check(server_id=UUID(server_id))


@shared_task(name="dunning.tasks.check_sending_domains")
def check_sending_domains() -> None:
    """Every ten minutes: hand each sending domain whose check has come to a worker of its own."""
    for domain_id in sending_domains.due(now=timezone.now()):
        check_sending_domain.delay(str(domain_id))


@shared_task(name="dunning.tasks.check_sending_domain")
def check_sending_domain(domain_id: str) -> None:
    """Ask the DNS about one sending domain and write what it says."""
    sending_domains.check(domain_id=UUID(domain_id))


@shared_task(name="dunning.tasks.sweep_staff_mail")
def sweep_staff_mail() -> None:
    """Every minute: hand the mails to the firms' own people to the senders."""
    for mail_id in staff_mail.due(now=timezone.now()):
        send_staff_mail.delay(str(mail_id))


@shared_task(name="dunning.tasks.send_staff_mail")
def send_staff_mail(mail_id: str) -> None:
    """Send one mail to a person of the firm."""
    staff_mail.deliver(mail_id=UUID(mail_id))


@shared_task(name="dunning.tasks.sweep_link_messages")
def sweep_link_messages() -> None:
    """Every minute: hand to the senders what debtors asked for and nobody carried at once."""
    for message_id in link_mail.due(now=timezone.now()):
        send_link_message.delay(str(message_id))


@shared_task(name="dunning.tasks.send_link_message")
def send_link_message(message_id: str) -> None:
    """Send one code or one fresh link."""
    link_mail.deliver(message_id=UUID(message_id))


class LinkCourier:
    """Answers `payments.ports.Courier` with a worker."""

    def hurry(self, *, message_id: UUID) -> None:
        """Wake a worker for this message."""
        send_link_message.delay(str(message_id))


@shared_task(name="dunning.tasks.check_letter_account")
def check_letter_account(account_id: str) -> None:
    """Sign in to a provider of letters and write its answer where the settings page reads it."""
    letter_accounts.check(account_id=UUID(account_id))


@shared_task(name="dunning.tasks.open_letter_session")
def open_letter_session(account_id: str) -> None:
    """Open a sender's session with the code he just gave, and send what waited for it."""
    letter_accounts.open_session(account_id=UUID(account_id))
    sweep.delay()


@shared_task(name="dunning.tasks.follow_letters")
def follow_letters() -> None:
    """Every ten minutes: ask where the letters are whose question has come."""
    for ids in letter_polling.due_letters(now=timezone.now()).values():
        rest = iter(ids)
        while batch := [str(letter_id) for letter_id in islice(rest, dispatch.BATCH)]:
            poll_letters.delay(batch)


@shared_task(name="dunning.tasks.poll_letters")
def poll_letters(letter_ids: list[str]) -> None:
    """Ask about a batch of letters of one firm, which the first one names."""
    ids = [UUID(one) for one in letter_ids]
    letter_polling.poll(cabinet_id=letter_polling.firm_of(letter_id=ids[0]), letter_ids=ids)


@shared_task(name="dunning.tasks.read_mailboxes")
def read_mailboxes() -> None:
    """Every five minutes: hand each firm's mailbox to a worker of its own; one that does not answer delays nobody."""
    for mailbox_id in mailboxes.mailboxes_to_read():
        read_mailbox.delay(str(mailbox_id))


@shared_task(name="dunning.tasks.read_mailbox")
def read_mailbox(mailbox_id: str) -> None:
    """Take in what is new in one mailbox."""
    mailboxes.read(mailbox_id=UUID(mailbox_id))


@shared_task(name="dunning.tasks.write_morning_mails")
def write_morning_mails() -> None:
    """Every quarter of an hour: ask for the morning mails of the firms where it is eight."""
    for cabinet_id in morning.firms_due(now=timezone.now()):
        morning.write(cabinet_id=cabinet_id)


@shared_task(name="dunning.tasks.sweep_documents")
def sweep_documents() -> None:
    """Hand the documents asked for to a worker, each on its own."""
    for cabinet_id, job_id in batonnier.due_jobs():
        make_document.delay(str(cabinet_id), str(job_id))
    for cabinet_id, run_id in print_runs.due_runs():
        print_letters.delay(str(cabinet_id), str(run_id))


@shared_task(name="dunning.tasks.make_document")
def make_document(cabinet_id: str, job_id: str) -> None:
    """Make one document; asked twice at once, it is made once."""
    batonnier.build(cabinet_id=UUID(cabinet_id), job_id=UUID(job_id))


@shared_task(name="dunning.tasks.print_letters")
def print_letters(cabinet_id: str, run_id: str) -> None:
    """Print the letters of one run, for the person who asked; another worker at it is left alone."""
    carry_run(cabinet_id=UUID(cabinet_id), run_id=UUID(run_id))


def carry_run(*, cabinet_id: UUID, run_id: UUID) -> None:
    """Do in this process what a worker does with a run: one transaction a letter, as the person who asked."""
    with working_for(cabinet_id=cabinet_id):
        asked_by = DocumentJob.objects.values_list("asked_by_id", flat=True).get(pk=run_id)
    print_runs.work(
        run_id=run_id,
        opened=lambda: working_for(cabinet_id=cabinet_id, member_id=asked_by, durable=True),
    )


@shared_task(name="dunning.tasks.check_sms_account")
def check_sms_account(account_id: str) -> None:
    """Try a provider of text messages and write its answer where the settings page reads it."""
    sms_accounts.check(account_id=UUID(account_id))


@shared_task(name="dunning.tasks.ask_sms_receipts")
def ask_sms_receipts() -> None:
    """Every ten minutes: ask what became of the text messages whose end nobody knows yet."""
    for cabinet_id, ids in sms_accounts.to_ask().items():
        sms_accounts.ask_receipts(cabinet_id=cabinet_id, reminder_ids=ids)
