"""Mails to people who sign in: ids in, nothing out."""

from uuid import UUID

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from cabinets.services import (
    archive,
    bank_account,
    journal_seals,
    mail_desk,
    people,
    sign_in,
    sign_up,
    subscription,
    support,
)
from cabinets.services.firm import every_firm

HEARTBEAT = "heartbeat"


@shared_task
def send_password_link(user_id: str) -> None:
    """Send a person the link to a new password; an id nobody bears is dropped."""
    sign_in.send_password_link(user_id=UUID(user_id))


@shared_task
def send_invitation(invitation_id: str) -> None:
    """Send an invited person their link."""
    people.send_invitation(invitation_id=UUID(invitation_id))


@shared_task
def send_sign_up_link(token: str) -> None:
    """Send a visitor the link that opens their firm; what they typed is encrypted in the token."""
    sign_up.send_link(token=token)


@shared_task
def forget_sessions() -> int:
    """Each night: delete the sessions that are over, with the address and the browser they came from."""
    return sign_in.forget_sessions(now=timezone.now())


@shared_task
def settle_subscriptions() -> int:
    """Each night: begin the trials, warn of their end, silence the firms whose subscription is over."""
    return subscription.settle_every_firm()


@shared_task
def settle_bank_changes() -> int:
    """Every ten minutes: apply the accounts that two partners want and whose day is over."""
    return bank_account.settle_every_firm()


@shared_task
def sweep_account_mails() -> int:
    """Every twenty seconds: tell people what changed on their account, or on the one their firm is paid on."""
    return mail_desk.sweep()


@shared_task
def settle_support() -> int:
    """Every minute: close the requests nobody answered, and note the end of the accesses that are over."""
    return support.settle_every_firm()


@shared_task
def close_archives() -> int:
    """Every minute: note the end of the archives whose hour is over."""
    return archive.close_what_is_over()


@shared_task
def seal_journals() -> int:
    """Each day: hand over each firm, whose journal may have a finished month to seal; return how many."""
    ids = [cabinet_id for cabinet_id, _ in every_firm()]
    for cabinet_id in ids:
        seal_journal.delay(str(cabinet_id))
    return len(ids)


@shared_task
def seal_journal(cabinet_id: str) -> int:
    """Seal the finished months of one firm's journal; return how many."""
    with working_for(cabinet_id=UUID(cabinet_id)):
        return len(journal_seals.seal_finished_months(on=journal_seals.sealing_day(Cabinet.objects.get())))


@shared_task
def beat() -> None:
    """Every minute: note that the clock and a worker both live."""
    cache.set(HEARTBEAT, timezone.now().isoformat(), None)
