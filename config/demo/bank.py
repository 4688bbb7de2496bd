"""A month of the firm's bank: what people recorded is recognised, the rest is certain, suggested, or nobody's."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from cabinets.models import Client
from invoices.enums import InvoiceState
from invoices.models import Invoice
from invoices.money import show_amount
from payments.enums import BankSource, PaymentState
from payments.models import Allocation, Payment
from payments.services.bank_intake import take_in

MONTH = dt.timedelta(days=30)
# Invoices that nobody reminds yet: the nights of the story stay what they are.
NOT_DUE_FOR = dt.timedelta(days=3)
CERTAIN, SUGGESTED = 2, 2


@dataclass(frozen=True, slots=True, order=True)
class _Row:
    on: dt.date
    label: str
    cents: int
    payer: str = ""


def bring_a_month(*, firm_iban: str, today: dt.date) -> None:
    """Take in the statement of the last thirty days, as the bank's site exports it."""
    rows = sorted([*_known(today), *_new(today), *_others(today)])
    data = _written(rows, firm_iban)
    take_in(data=data, file_name=f"releve-{today:%Y-%m}.csv", today=today, source=BankSource.UPLOAD)


def _known(today: dt.date) -> list[_Row]:
    """The transfers somebody recorded as they came."""
    paid = Payment.objects.filter(state=PaymentState.SETTLED, received_on__range=(today - MONTH, today))
    named = Allocation.objects.filter(payment__in=paid).select_related("payment", "invoice").order_by("invoice__number")
    return [
        _Row(share.payment.received_on, f"VIR SEPA RECU FACTURE {share.invoice.number}", share.payment.cents)
        for share in named
    ]


def _new(today: dt.date) -> list[_Row]:
    """Invoices paid before they are due: some say their number, others only who pays."""
    alone = Count("pk", filter=Q(state=InvoiceState.OPEN))
    single = Invoice.objects.order_by().values("client").annotate(number=alone).filter(number=1).values("client")
    waiting = Invoice.objects.open().filter(due_on__gt=today + NOT_DUE_FOR, settled_cents=0, client__in=single)
    rows = []
    for place, invoice in enumerate(waiting.select_related("client").order_by("number")[: CERTAIN + SUGGESTED]):
        client: Client = invoice.client
        label = f"VIR SEPA RECU FACTURE {invoice.number}" if place < CERTAIN else "VIR SEPA RECU REGLEMENT HONORAIRES"
        rows.append(_Row(today, label, invoice.outstanding_cents, client.display_name.upper()))
    return rows


def _others(today: dt.date) -> list[_Row]:
    return [
        _Row(today, "VIR SEPA RECU SANS REFERENCE", 31_700, "M DURAND-NOWAK"),
        _Row(today - dt.timedelta(days=6), "COTISATION CARTE AFFAIRES", -2_400),
        _Row(today - dt.timedelta(days=12), "PRLV SEPA LOYER DES BUREAUX", -284_000),
    ]


def _written(rows: list[_Row], firm_iban: str) -> bytes:
    lines = [f"Compte;{firm_iban}", "Date;Libellé;Débit;Crédit;Contrepartie"]
    for row in rows:
        amount = show_amount(abs(row.cents))
        debit, credit = ("", amount) if row.cents > 0 else (amount, "")
        lines.append(f"{row.on:%d/%m/%Y};{row.label};{debit};{credit};{row.payer}")
    return "\r\n".join(lines).encode("cp1252", errors="replace")
