"""The claim to declare in a collective proceeding: each debt of the client, with its accessories to the eve."""

import datetime as dt
from dataclasses import dataclass

from cabinets.models import Client
from invoices.enums import InvoiceState, StopKind
from invoices.law.insolvency import last_day_of_interest
from invoices.law.limitation import shift_months
from invoices.models import Invoice, Standstill
from invoices.services.claims import Statement, statement_of
from invoices.services.insolvency import claim_due

RELIEF_MONTHS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One debt, and what it asked on the eve of the judgment."""

    invoice: Invoice
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What is declared, to whom and by when."""

    stop: Standstill
    procedure: str
    eve: dt.date
    due_on: dt.date
    relief_by: dt.date
    lines: tuple[Line, ...]

    @property
    def principal_cents(self) -> int:
        """Add the principals."""
        return sum(line.statement.principal_cents for line in self.lines)

    @property
    def accessories_cents(self) -> int:
        """Add what is known of interest and indemnities."""
        return sum(line.statement.accessories_cents for line in self.lines)

    @property
    def total_cents(self) -> int:
        """Add everything."""
        return self.principal_cents + self.accessories_cents

    @property
    def is_complete(self) -> bool:
        """Say whether every interest could be computed."""
        return all(line.statement.is_interest_known for line in self.lines)


def of(*, client: Client) -> Declaration | None:
    """Return what this client's proceeding asks to declare; nothing when none is in force."""
    stops = Standstill.objects.filter(client=client.pk, kind=StopKind.INSOLVENCY, released_at=None)
    stop = stops.order_by("started_on", "created_at").first()
    if stop is None or stop.started_on is None:
        return None
    born = Invoice.objects.open().filter(client=client.pk, issued_on__lt=stop.started_on, state=InvoiceState.OPEN)
    invoices = list(born.select_related("dossier").order_by("due_on", "number_key"))
    eve = last_day_of_interest(stop.started_on)
    said = statement_of(invoices=invoices, on=eve)
    return Declaration(
        stop=stop,
        procedure=stop.get_grounds_display() or "Procédure collective",
        eve=eve,
        due_on=stop.answer_by or claim_due(client=client, judged_on=stop.started_on, published_on=stop.published_on),
        relief_by=shift_months(stop.published_on or stop.started_on, RELIEF_MONTHS),
        lines=tuple(Line(invoice=invoice, statement=said[invoice.pk]) for invoice in invoices),
    )
