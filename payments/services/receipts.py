"""The days payments came in, for the floor that counts interest."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from invoices.ports import Received
from payments.enums import PaymentState
from payments.models import Allocation


class DatedReceipts:
    """Payments by invoice, on the day they were received."""

    def received(self, *, invoice_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Received]]:
        """Return what settled these invoices, in the order of days; a payment taken back settled nothing."""
        found: dict[UUID, list[Received]] = defaultdict(list)
        shares = Allocation.objects.filter(invoice__in=list(invoice_ids), payment__state=PaymentState.SETTLED)
        for invoice_id, on, cents in shares.order_by("payment__received_on").values_list(
            "invoice", "payment__received_on", "cents"
        ):
            found[invoice_id].append(Received(on, cents))
        return found
