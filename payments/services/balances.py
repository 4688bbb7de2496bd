"""What follows the balance of an invoice, told by the floor that moves it."""

from collections.abc import Collection
from uuid import UUID

from payments.services import plan_following, promises


class FollowedBalances:
    """Plans and promises look again whenever money comes or goes, whatever road it took."""

    def moved(self, *, invoice_ids: Collection[UUID]) -> None:
        """Look again at the plans and the promises of these invoices."""
        plan_following.balance_moved(invoice_ids=invoice_ids)
        promises.balance_moved(invoice_ids=invoice_ids)
