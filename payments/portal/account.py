"""What a debtor reads of what they owe: numbers, dates, amounts, and how to pay."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q
from segno import helpers

from cabinets.models import Cabinet
from invoices.enums import InvoiceState, InvoiceStatus, StopKind
from invoices.models import Invoice, Standstill
from invoices.money import from_cents
from invoices.status import status_of
from payments.enums import PaymentState
from payments.models import Allocation, PaymentLink
from payments.services import links

# Nobody may be asked to pay, nor may pay (law.md R35, R38).
NO_PAYMENT = frozenset({StopKind.INSOLVENCY, StopKind.OVER_INDEBTEDNESS})
# What the firm decides for itself (a hold, a promise) is not the debtor's to read.
SHOWN = frozenset({StopKind.PAYMENT_IN_FLIGHT, StopKind.DISPUTE, StopKind.PLAN})
CLOSED_SHOWN = 10
CLOSED_DAYS = 180
LONGEST_REFERENCE = 140
LONGEST_HOLDER = 70


@dataclass(frozen=True, slots=True)
class Line:
    """An invoice as its debtor reads it."""

    invoice: Invoice
    status: InvoiceStatus
    is_claimed: bool
    days_late: int

    @property
    def owed_cents(self) -> int:
        """Return what is still owed on it."""
        return 0 if self.invoice.state == InvoiceState.CANCELLED else self.invoice.outstanding_cents

    @property
    def is_payable(self) -> bool:
        """Say whether paying now is not paying twice."""
        return self.owed_cents > 0 and not self.is_claimed and self.status != InvoiceStatus.IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Account:
    """Everything a link shows on a day."""

    owed: tuple[Line, ...]
    closed: tuple[Line, ...]
    may_pay: bool
    on: dt.date

    @property
    def asked(self) -> tuple[Line, ...]:
        """Return what is to be paid now: what fell due, or else what is about to."""
        payable = tuple(line for line in self.owed if line.is_payable)
        return tuple(line for line in payable if line.invoice.due_on <= self.on) or payable

    @property
    def asked_cents(self) -> int:
        """Return the sum to pay now."""
        return sum(line.owed_cents for line in self.asked)

    @property
    def only(self) -> Line | None:
        """Return the invoice, when the link shows a single one."""
        lines = self.owed or self.closed
        return lines[0] if len(lines) == 1 else None

    @property
    def others(self) -> tuple[Line, ...]:
        """Return what is owed and not asked now."""
        asked = {line.invoice.pk for line in self.asked}
        return tuple(line for line in self.owed if line.invoice.pk not in asked)

    @property
    def invoices(self) -> list[Invoice]:
        """Return the invoices the link shows."""
        return [line.invoice for line in (*self.owed, *self.closed)]

    @property
    def is_sensitive(self) -> bool:
        """Say whether one known fact is asked before anything is shown."""
        return any(line.invoice.is_sensitive for line in (*self.owed, *self.closed))


@dataclass(frozen=True, slots=True)
class Transfer:
    """How to pay by transfer: the account, the amount and the reference that tells whose money it is."""

    holder: str
    iban: str
    bic: str
    cents: int
    reference: str

    @property
    def iban_groups(self) -> list[str]:
        """Return the IBAN in groups of four, as banks print it."""
        return [self.iban[start : start + 4] for start in range(0, len(self.iban), 4)]

    @property
    def qr(self) -> str:
        """Return the EPC code a banking application reads, as an image; nothing when one does not hold these facts."""
        if not self.reference:
            return ""
        try:
            code = helpers.make_epc_qr(
                name=self.holder[:LONGEST_HOLDER],
                iban=self.iban,
                amount=from_cents(self.cents),
                text=self.reference,
                bic=self.bic or None,
                encoding="utf-8",
            )
        except ValueError:
            return ""
        return str(code.svg_data_uri(scale=4, border=2, xmldecl=False, svgns=True, nl=False))


def account_of(link: PaymentLink, *, on: dt.date) -> Account:
    """Return what a link shows on this day."""
    lately = Q(last_payment_at__date__gte=on - dt.timedelta(days=links.READ_ONLY_DAYS)) | Q(
        due_on__gte=on - dt.timedelta(days=CLOSED_DAYS)
    )
    done = Q(state=InvoiceState.CANCELLED) | Q(settled_cents__gte=F("total_cents") - F("credited_cents"))
    owed = list(links.owed_through(link).select_related("dossier"))
    closed = list(
        links.opened_by(link).filter(done).filter(lately).select_related("dossier").order_by("-due_on")[:CLOSED_SHOWN]
    )
    stops = _stops(link)
    processing = set(
        Allocation.objects.filter(
            invoice__in=[invoice.pk for invoice in owed], payment__state=PaymentState.PROCESSING
        ).values_list("invoice_id", flat=True)
    )

    def line(invoice: Invoice) -> Line:
        reaching = [stop for stop in stops if _reaches(stop, invoice) and _holds(stop, on)]
        shown = [stop for stop in reaching if stop.kind in SHOWN]
        status = status_of(invoice, shown, on)
        return Line(
            invoice=invoice,
            status=InvoiceStatus.IN_FLIGHT if invoice.pk in processing else status,
            is_claimed=any(stop.kind == StopKind.CLAIMED_PAID for stop in reaching),
            days_late=invoice.days_late(on=on),
        )

    return Account(
        owed=tuple(line(invoice) for invoice in owed),
        closed=tuple(line(invoice) for invoice in closed),
        may_pay=not any(stop.kind in NO_PAYMENT and _holds(stop, on) for stop in stops),
        on=on,
    )


def transfer_for(account: Account, *, cabinet: Cabinet) -> Transfer | None:
    """Return how to pay what is asked by transfer; nothing when nothing may be asked."""
    if not (account.may_pay and account.asked and cabinet.iban):
        return None
    reference = " ".join(line.invoice.number for line in account.asked)
    return Transfer(
        holder=cabinet.account_holder or cabinet.name,
        iban=cabinet.iban.replace(" ", ""),
        bic=cabinet.bic,
        cents=account.asked_cents,
        reference=reference if len(reference) <= LONGEST_REFERENCE else "",
    )


def _stops(link: PaymentLink) -> Sequence[Standstill]:
    mine = Q(client=link.client_id) | Q(dossier__client=link.client_id) | Q(invoice__client=link.client_id)
    return list(
        Standstill.objects.filter(mine, released_at=None, kind__in=[*SHOWN, *NO_PAYMENT, StopKind.CLAIMED_PAID]).only(
            "kind", "until_on", "released_at", "invoice_id", "dossier_id", "client_id"
        )
    )


def _reaches(stop: Standstill, invoice: Invoice) -> bool:
    # Each stop has one target, and every stop read here is the client's.
    return bool(stop.client_id) or stop.invoice_id == invoice.pk or stop.dossier_id == invoice.dossier_id


def _holds(stop: Standstill, on: dt.date) -> bool:
    return stop.until_on is None or stop.until_on >= on
