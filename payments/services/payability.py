"""What may be paid from a link, and why not: one reading for the pages that ask and the service that takes."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from invoices.enums import InvoiceState, StopKind
from invoices.models import Invoice, Standstill
from invoices.money import show_euros
from payments.enums import UNSETTLED, CheckoutState, PaymentState
from payments.models import Allocation, CheckoutLine

# Nobody may be asked to pay, nor may pay (law.md R35, R38).
NO_PAYMENT = frozenset({StopKind.INSOLVENCY, StopKind.OVER_INDEBTEDNESS})
FORBIDDEN = (
    "Le règlement de ces factures suit une procédure particulière. Ne payez rien depuis cette page : le cabinet répond"
    " à vos questions."
)


def stops_of(client_id: UUID, *, kinds: Collection[StopKind]) -> Sequence[Standstill]:
    """Return what of these kinds reaches a client, its dossiers or its invoices, over or not."""
    mine = Q(client=client_id) | Q(dossier__client=client_id) | Q(invoice__client=client_id)
    return list(
        Standstill.objects.filter(mine, released_at=None, kind__in=list(kinds)).only(
            "kind", "until_on", "released_at", "invoice_id", "dossier_id", "client_id"
        )
    )


def holds(stop: Standstill, on: dt.date) -> bool:
    """Say whether a stop is not over yet."""
    return stop.until_on is None or stop.until_on >= on


def reaches(stop: Standstill, invoice: Invoice) -> bool:
    """Say whether a stop of the client's is about this invoice: each has one target."""
    return bool(stop.client_id) or stop.invoice_id == invoice.pk or stop.dossier_id == invoice.dossier_id


def in_flight(invoice_ids: Iterable[UUID]) -> set[UUID]:
    """Return the invoices a payment is on its way for, as recorded."""
    ids = list(invoice_ids)
    recorded = Allocation.objects.filter(invoice__in=ids, payment__state=PaymentState.PROCESSING)
    # A debit that was asked for may have been taken, whether its answer came or not.
    debit = Q(checkout__mandate__isnull=False, checkout__state__in=UNSETTLED)
    begun = CheckoutLine.objects.filter(debit | Q(checkout__state=CheckoutState.PROCESSING), invoice__in=ids)
    return set(recorded.values_list("invoice_id", flat=True)) | set(begun.values_list("invoice_id", flat=True))


def refusal(invoices: Sequence[Invoice], asked: dict[UUID, int], *, on: dt.date, allows_parts: bool) -> str:
    """Return why these amounts may not be paid on these invoices now; nothing when they may. The rows are locked."""
    kinds = {*NO_PAYMENT, StopKind.CLAIMED_PAID, StopKind.PAYMENT_IN_FLIGHT, StopKind.PLAN}
    stops = [stop for stop in stops_of(invoices[0].client_id, kinds=kinds) if holds(stop, on)]
    if any(stop.kind in NO_PAYMENT for stop in stops):
        return FORBIDDEN
    moving = in_flight(asked)
    for invoice in invoices:
        reaching = {stop.kind for stop in stops if reaches(stop, invoice)}
        is_moving = invoice.pk in moving or StopKind.PAYMENT_IN_FLIGHT in reaching
        is_claimed = StopKind.CLAIMED_PAID in reaching
        if why := _why_not(invoice, asked[invoice.pk], is_moving=is_moving, is_claimed=is_claimed):
            return why
        # A plan in good standing is paid by its instalments.
        in_parts = allows_parts or StopKind.PLAN in reaching
        if asked[invoice.pk] < invoice.outstanding_cents and not in_parts:
            return (
                f"La facture {invoice.number} se règle en une fois : {show_euros(invoice.outstanding_cents)}. Rien n’a"
                " été payé."
            )
    return ""


def _why_not(invoice: Invoice, cents: int, *, is_moving: bool, is_claimed: bool) -> str:
    if invoice.state != InvoiceState.OPEN or invoice.outstanding_cents <= 0:
        return f"La facture {invoice.number} n’attend plus de paiement. Rien n’a été payé une seconde fois."
    if is_moving:
        return f"Un paiement de la facture {invoice.number} est déjà en cours. Rien n’a été payé une seconde fois."
    if is_claimed:
        return (
            f"Vous avez signalé avoir payé la facture {invoice.number} : le cabinet vérifie. Rien n’a été payé une"
            " seconde fois."
        )
    if cents > invoice.outstanding_cents:
        return (
            f"Il reste {show_euros(invoice.outstanding_cents)} à payer sur la facture {invoice.number}, moins que ce"
            " que vous alliez payer. Rien n’a été payé : reprenez la page."
        )
    return ""
