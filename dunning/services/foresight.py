"""What the coming night would send and why, as a person reads it."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from cabinets.models import Cabinet
from cabinets.sealing import open_together
from dunning.enums import Code, Reason
from dunning.models import DunningCase, Step
from dunning.services.nights import Foreseen, foresee, next_night
from invoices.models import Invoice

SHOWN_HELD = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice the night would look at: to whom, for how much, and what would be answered."""

    invoice_id: UUID
    number: str
    client: str
    client_id: UUID
    owed_cents: int
    due_on: dt.date
    days_late: int
    step: str
    code: Code
    reasons: tuple[str, ...]
    depart_at: dt.datetime | None
    is_mentioned: bool


@dataclass(frozen=True, slots=True)
class Tonight:
    """A coming night: what would leave, what would wait for a person, what would be held and by which rule."""

    on: dt.date
    leaving: tuple[Line, ...]
    asking: tuple[Line, ...]
    held: tuple[Line, ...]
    held_by: tuple[tuple[Code, int], ...]

    @property
    def messages(self) -> int:
        """Return how many debtors would hear from the firm."""
        return len({line.client_id for line in self.leaving})


def tonight(cabinet: Cabinet) -> Tonight:
    """Return what the coming night would answer, among the files the person sees."""
    night = next_night(cabinet)
    foreseen = {row.invoice_id: row for row in foresee(night)}
    lines = _lines(foreseen, on=night.on)
    held = [line for line in lines if line.code not in {Code.SEND, Code.NEEDS_APPROVAL}]
    counts = Counter(line.code for line in held)
    return Tonight(
        on=night.on,
        leaving=tuple(line for line in lines if line.code == Code.SEND),
        asking=tuple(line for line in lines if line.code == Code.NEEDS_APPROVAL),
        held=tuple(held[:SHOWN_HELD]),
        held_by=tuple(sorted(counts.items(), key=lambda pair: list(Code).index(pair[0]))),
    )


def _lines(foreseen: dict[UUID, Foreseen], *, on: dt.date) -> list[Line]:
    invoices = Invoice.objects.filter(pk__in=list(foreseen)).select_related("client").order_by("due_on", "number")
    rows = list(invoices)
    open_together([invoice.client for invoice in rows])
    steps = _steps(invoice.pk for invoice in rows)
    return [_line(invoice, foreseen[invoice.pk], steps.get(invoice.pk, ""), on=on) for invoice in rows]


def _line(invoice: Invoice, row: Foreseen, step: str, *, on: dt.date) -> Line:
    return Line(
        invoice_id=invoice.pk,
        number=invoice.number,
        client=invoice.client.display_name,
        client_id=invoice.client_id,
        owed_cents=invoice.outstanding_cents,
        due_on=invoice.due_on,
        days_late=invoice.days_late(on=on),
        step=step,
        code=row.code,
        reasons=tuple(Reason(reason).label for reason in row.reasons) if row.is_claimed else (),
        depart_at=row.depart_at,
        is_mentioned=row.reminder_id is not None and not row.is_claimed,
    )


def _steps(invoice_ids: Iterable[UUID]) -> dict[UUID, str]:
    cases = DunningCase.objects.filter(invoice__in=list(invoice_ids)).values_list(
        "invoice_id", "version_id", "next_rank"
    )
    rows = list(cases)
    labels = {
        (step.version_id, step.rank): f"J{step.offset_days:+d}"
        for step in Step.objects.filter(version__in={version for _, version, _ in rows})
    }
    return {invoice: labels.get((version, rank), "") for invoice, version, rank in rows}
