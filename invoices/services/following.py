"""Carry a change of a client or of a dossier to the ladder of its invoices, whoever sees them."""

from uuid import UUID

from cabinets.scoping import whole_firm
from invoices.enums import InvoiceState
from invoices.models import Invoice
from invoices.ports import ladder


class InvoiceFollower:
    """Answers `cabinets.ports.Follower` for the invoices of a client or of one of its dossiers."""

    def stop(self, *, client_id: UUID, dossier_id: UUID | None = None, code: str) -> None:
        """Cancel what was to be said about these invoices."""
        with whole_firm():
            if reached := _open_invoices(client_id, dossier_id):
                ladder().stop(invoice_ids=reached, code=code)

    def wake(self, *, client_id: UUID, dossier_id: UUID | None = None) -> None:
        """Ask the next night to look at these invoices again."""
        with whole_firm():
            if reached := _open_invoices(client_id, dossier_id):
                ladder().wake(invoice_ids=reached)


def _open_invoices(client_id: UUID, dossier_id: UUID | None) -> list[UUID]:
    invoices = Invoice.objects.filter(client=client_id, state=InvoiceState.OPEN)
    if dossier_id:
        invoices = invoices.filter(dossier=dossier_id)
    return list(invoices.order_by("pk").values_list("pk", flat=True))
