"""A transfer outside the European Union withdrawn: every account that relied on it goes out of service (R66)."""

from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.models import Membership
from cabinets.services import transfers
from dunning.models import ChannelAccount
from payments.models import ProviderAccount
from payments.services import provider_accounts


@transaction.atomic
def revoke(*, record_id: UUID, by: Membership) -> list[ChannelAccount | ProviderAccount]:
    """Withdraw what a transfer rests on, and return the accounts it stopped."""
    kept = transfers.revoke(record_id=record_id)
    if kept.country in transfers.EEA:
        return []
    stopped = list(ChannelAccount.objects.filter(provider=kept.provider, is_enabled=True))
    for account in stopped:
        account.is_enabled, account.changed_by = False, by
        account.save(update_fields=["is_enabled", "changed_by", "changed_at"])
        journal.record("letter_account.disabled", account, provider=account.provider)
    return [*stopped, *provider_accounts.stop(provider=kept.provider, by=by)]
