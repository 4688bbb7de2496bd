"""In the background: what asks a provider something nobody waits for on a page."""

from uuid import UUID

from celery import shared_task

from payments.services import provider_accounts


@shared_task(name="payments.tasks.check_provider_account")
def check_provider_account(account_id: str) -> None:
    """Try a firm's account at a provider and write its answer where the settings page reads it."""
    provider_accounts.check(account_id=UUID(account_id))
