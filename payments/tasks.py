"""Wake-ups: the tables are the queue, a task only carries ids. Losing one run loses nothing."""

from itertools import islice
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from payments.services import asking, notices, provider_accounts

BATCH = 25


@shared_task(name="payments.tasks.sweep_payments")
def sweep_payments() -> None:
    """Every minute: handle the notices that wait, and ask about the payments nobody announced anything of."""
    now = timezone.now()
    for ids in notices.due(now=now).values():
        for notice_id in ids:
            handle_notice.delay(str(notice_id))
    for cabinet_id, ids in asking.due(now=now).items():
        rest = iter(ids)
        while batch := [str(checkout_id) for checkout_id in islice(rest, BATCH)]:
            ask_checkouts.delay(str(cabinet_id), batch)


@shared_task(name="payments.tasks.handle_notice")
def handle_notice(notice_id: str) -> None:
    """Handle one notice; told twice at once, it is handled once."""
    cabinet_id = notices.firm_of(notice_id=UUID(notice_id))
    if cabinet_id is not None:
        notices.handle(cabinet_id=cabinet_id, notice_id=UUID(notice_id))


@shared_task(name="payments.tasks.ask_checkouts")
def ask_checkouts(cabinet_id: str, checkout_ids: list[str]) -> None:
    """Ask a firm's providers about some of its checkouts."""
    asking.ask_all(cabinet_id=UUID(cabinet_id), checkout_ids=[UUID(one) for one in checkout_ids])


@shared_task(name="payments.tasks.check_provider_account")
def check_provider_account(account_id: str) -> None:
    """Try a firm's account at a provider and write its answer where the settings page reads it."""
    provider_accounts.check(account_id=UUID(account_id))
