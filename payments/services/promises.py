"""Promises to pay: kept when the money came by their day, broken once its grace is over; written beside the fact."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from cabinets import journal
from cabinets.enums import TaskKind
from cabinets.models import Cabinet, Client
from cabinets.scoping import tenant_atomic, whole_firm
from cabinets.territories import Territory
from invoices.enums import InvoiceState, StopKind
from invoices.locks import lock_invoices
from invoices.models import Standstill
from invoices.services.chores import close_chores, open_chore
from payments.enums import PaymentState, PromiseResult
from payments.models import Allocation, PromiseOutcome
from payments.plans import last_day_of_grace


@dataclass(frozen=True, slots=True)
class PromiseCounts:
    """How many promises due in a period were kept, and how many were not."""

    kept: int
    broken: int

    @property
    def judged(self) -> int:
        """Return how many were either."""
        return self.kept + self.broken


def promise_counts(*, since: dt.date, until: dt.date, client: Client | None = None) -> PromiseCounts:
    """Count the promises for a day of this period, both ends included, by what became of them."""
    rows = PromiseOutcome.objects.filter(promised_on__range=(since, until))
    if client is not None:
        rows = rows.filter(invoice__client=client)
    sums = rows.aggregate(
        kept=Count("pk", filter=Q(result=PromiseResult.KEPT)), broken=Count("pk", filter=Q(result=PromiseResult.BROKEN))
    )
    return PromiseCounts(sums["kept"], sums["broken"])


def outcomes_of(standstill_ids: Iterable[UUID]) -> dict[UUID, PromiseOutcome]:
    """Return what became of these promises, by fact."""
    rows = PromiseOutcome.objects.filter(standstill__in=list(standstill_ids))
    return {row.standstill_id: row for row in rows}


@transaction.atomic
def balance_moved(*, invoice_ids: Collection[UUID]) -> None:
    """Note a promise as kept as soon as its money is there; take the word back when the money is."""
    with whole_firm():
        rows = Standstill.objects.filter(kind=StopKind.PROMISE, invoice__in=list(invoice_ids), until_on__isnull=False)
        promised = list(rows.select_related("invoice").order_by("created_at"))
        if not promised:
            return
        today, territory = _today()
        known = outcomes_of(stop.pk for stop in promised)
        for stop in promised:
            outcome = known.get(stop.pk)
            is_kept = _is_kept(stop, territory=territory)
            if outcome is not None and outcome.result == PromiseResult.KEPT and not is_kept:
                PromiseOutcome.objects.filter(pk=outcome.pk).delete()
                journal.record("promise.reopened", stop)
            elif outcome is None and is_kept and _was_standing(stop):
                _judge(stop, PromiseResult.KEPT, on=today)


def judge(*, on: dt.date) -> int:
    """Note every promise whose grace is over as kept or broken, and ask a person about the latter; return how many.

    Each is judged in a transaction of its own. Run again the same day, it changes nothing.
    """
    with tenant_atomic():
        _, territory = _today()
        over = _unjudged().filter(until_on__lt=on)
        ids = [stop.pk for stop in over if _grace_of(stop, territory) < on and _was_standing(stop)]
    for stop_id in ids:
        with tenant_atomic():
            _judge_one(stop_id, on=on, territory=territory)
    return len(ids)


def _judge_one(stop_id: UUID, *, on: dt.date, territory: Territory) -> None:
    # The invoice first, as whoever records a payment does: money that comes at this moment is seen, or sees.
    lock_invoices(Standstill.objects.filter(pk=stop_id).values("invoice_id"))
    stop = _unjudged().filter(pk=stop_id).select_related("invoice__dossier").first()
    if stop is None or stop.invoice is None:
        return
    is_kept = _is_kept(stop, territory=territory)
    _judge(stop, PromiseResult.KEPT if is_kept else PromiseResult.BROKEN, on=on)
    if not is_kept and stop.invoice.state == InvoiceState.OPEN:
        open_chore(
            TaskKind.PROMISE_OVER,
            subject_id=stop.invoice.pk,
            client_id=stop.invoice.client_id,
            owner_id=stop.invoice.dossier.lawyer_id,
            due_on=on,
        )


def _unjudged() -> QuerySet[Standstill]:
    judged = PromiseOutcome.objects.filter(standstill=OuterRef("pk"))
    rows: QuerySet[Standstill] = Standstill.objects.filter(
        ~Exists(judged), kind=StopKind.PROMISE, invoice__isnull=False, until_on__isnull=False
    )
    return rows


def _judge(stop: Standstill, result: PromiseResult, *, on: dt.date) -> None:
    outcome = PromiseOutcome(
        standstill=stop, invoice=stop.invoice, result=result, promised_on=_day_of(stop), judged_on=on
    )
    outcome.save(force_insert=True)
    if result == PromiseResult.KEPT and stop.invoice_id is not None:
        close_chores(subject_id=stop.invoice_id, kind=TaskKind.PROMISE_OVER)
    journal.record(f"promise.{result.value}", stop)


def _is_kept(stop: Standstill, *, territory: Territory) -> bool:
    """Say whether what was promised came in by its day and grace; nothing left to pay is enough, whatever the road."""
    invoice = stop.invoice
    if invoice is None:
        return False
    if invoice.state == InvoiceState.OPEN and invoice.outstanding_cents <= 0:
        return True
    if stop.promised_cents is None:
        return False
    since = stop.started_on or stop.created_at.date()
    came = Allocation.objects.filter(
        invoice=invoice,
        payment__state=PaymentState.SETTLED,
        payment__received_on__range=(since, _grace_of(stop, territory)),
    )
    return (came.aggregate(cents=Sum("cents"))["cents"] or 0) >= stop.promised_cents


def _was_standing(stop: Standstill) -> bool:
    """Say whether a promise was still the last word on its day: one replaced by another is not judged."""
    if stop.released_at is None or stop.until_on is None:
        return True
    return stop.released_at.astimezone(Cabinet.objects.get().zone).date() > stop.until_on


def _grace_of(stop: Standstill, territory: Territory) -> dt.date:
    return last_day_of_grace(_day_of(stop), tolerated_until=None, territory=territory)


def _day_of(stop: Standstill) -> dt.date:
    assert stop.until_on is not None  # noqa: S101 - only dated promises are read
    return stop.until_on


def _today() -> tuple[dt.date, Territory]:
    cabinet = Cabinet.objects.get()
    return cabinet.today(), Territory(cabinet.territory)
