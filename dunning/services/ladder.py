"""The ladder as facts reach it: entering, stopping, waking, in the transaction that writes the fact."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, Task
from cabinets.scoping import whole_firm
from dunning.enums import PENDING, SPOKEN, Code, Entry, ReminderState, Tone
from dunning.models import Decision, DunningCase, Reminder, ReminderLine, ScenarioVersion, Step
from dunning.services.scenarios import versions_for
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill

LATE_FROM_DAYS = 10
# Still unsent: a fact takes it back. A reminder being sent is past recall and says so on the timeline.
RECALLABLE = (
    ReminderState.PLANNED,
    ReminderState.AWAITING_APPROVAL,
    ReminderState.APPROVED,
    # A letter printed and not posted, a call not made: the person who holds it is told.
    ReminderState.IN_HAND,
)
# A step on its way, or one nobody knows the outcome of: it is not looked at again until its reminder is settled.
UNSETTLED = (*PENDING, ReminderState.UNKNOWN)


class Engine:
    """The real ladder, registered with the invoices' floor when the product starts."""

    def enter(self, *, invoice_ids: Collection[UUID], on: dt.date) -> None:
        """Put invoices on their firm's ladder: in time, late with an accord, or old and paused with a task (§ 5)."""
        with transaction.atomic(), whole_firm():
            known = DunningCase.objects.filter(invoice__in=invoice_ids).values_list("invoice_id", flat=True)
            invoices = Invoice.objects.filter(pk__in=invoice_ids).exclude(pk__in=list(known)).select_related("dossier")
            cabinet = Cabinet.objects.get()
            ladders = versions_for(dossiers={invoice.dossier_id: invoice.dossier for invoice in invoices}.values())
            cases = [
                _new_case(invoice, *ladders[invoice.dossier_id], on=on, late_entry_days=cabinet.late_entry_days)
                for invoice in invoices
            ]
            DunningCase.objects.bulk_create(cases, batch_size=1000)
            _pause_old_debts([case for case in cases if case.entry == Entry.OLD], on=on)

    def stop(self, *, invoice_ids: Collection[UUID], code: str) -> None:
        """Take back every unsent reminder that names one of these invoices, and look again tonight."""
        with transaction.atomic(), whole_firm():
            named = ReminderLine.objects.filter(invoice__in=list(invoice_ids)).values("reminder")
            about = Q(pk__in=named) | Q(accompanies__in=named)
            reminders = Reminder.objects.filter(about, state__in=RECALLABLE).order_by("pk")
            recalled = list(reminders.select_for_update(of=("self",), no_key=True))
            cancel(reminders=recalled, code=Code(code))
            self.wake(invoice_ids=invoice_ids)

    def wake(self, *, invoice_ids: Collection[UUID]) -> None:
        """Let the next night look at these invoices again, unless a reminder of theirs is on its way or uncertain."""
        with transaction.atomic(), whole_firm():
            cases = DunningCase.objects.filter(invoice__in=list(invoice_ids)).select_related("invoice", "version")
            busy = set(
                ReminderLine.objects.filter(
                    invoice__in=list(invoice_ids), is_claimed=True, counts=True, reminder__state__in=UNSETTLED
                ).values_list("invoice_id", flat=True)
            )
            schedule([case for case in cases if case.invoice_id not in busy])

    def leave(self, *, invoice_ids: Collection[UUID]) -> set[UUID]:
        """Forget invoices nothing was said about; return those whose nights are on record, which stay as evidence."""
        with transaction.atomic(), whole_firm():
            self.stop(invoice_ids=invoice_ids, code=Code.CLOSED)
            ids = list(invoice_ids)
            decided = Decision.objects.filter(invoice__in=ids).values_list("invoice_id", flat=True)
            named = ReminderLine.objects.filter(invoice__in=ids).values_list("invoice_id", flat=True)
            on_record = set(decided) | set(named)
            DunningCase.objects.filter(invoice__in=set(ids) - on_record).delete()
            return on_record

    def has_spoken(self, *, invoice_ids: Collection[UUID]) -> set[UUID]:
        """Return the invoices for which a message left, or may have."""
        with whole_firm():
            lines = ReminderLine.objects.filter(invoice__in=list(invoice_ids), reminder__state__in=SPOKEN)
            return set(lines.values_list("invoice_id", flat=True))


def cancel(*, reminders: Collection[Reminder], code: Code) -> None:
    """Cancel unsent reminders for a rule, free their steps, and let the next night look at every invoice they named."""
    ids = [reminder.pk for reminder in reminders]
    Reminder.objects.filter(pk__in=ids, state__in=RECALLABLE).update(
        state=ReminderState.CANCELLED, cancel_code=code, lease_until=None
    )
    # Nobody calls any more, and no second accord is awaited; a letter printed keeps its task: it says not to post it.
    Task.objects.filter(
        kind__in=[TaskKind.CALL, TaskKind.SECOND_ACCORD], subject_id__in=ids, state=TaskState.OPEN
    ).update(state=TaskState.CANCELLED, closed_at=timezone.now())
    lines = ReminderLine.objects.filter(reminder__in=ids)
    lines.update(counts=False)
    cases = DunningCase.objects.filter(pk__in=lines.values("case")).select_related("invoice", "version")
    schedule(cases)
    if reminders:
        journal.record_many("reminder.cancelled", list(reminders), code=code.value)


def schedule(cases: Collection[DunningCase], *, moved: Sequence[str] = ()) -> None:
    """Write on each case the day its next step falls, with what was `moved`; the night decides whether it is said."""
    steps = {
        (step.version_id, step.rank): step
        for step in Step.objects.filter(version__in={case.version_id for case in cases})
    }
    for case in cases:
        case.next_action_on = day_of_next_step(case, case.invoice, case.version, steps)
    DunningCase.objects.bulk_update(cases, [*moved, "next_action_on"], batch_size=500)


def day_of_next_step(
    case: DunningCase, invoice: Invoice, version: ScenarioVersion, steps: dict[tuple[UUID, int], Step]
) -> dt.date | None:
    """Return the day the next step falls: after the due date, and after the gaps from the step that really left.

    A debt that entered late keeps the scenario's own gaps between steps. Nothing is left to do after the last step.
    """
    step = steps.get((case.version_id, case.next_rank))
    if step is None:
        return None
    day = invoice.due_on + dt.timedelta(days=step.offset_days)
    if case.last_step_on is None:
        return max(day, case.entered_on)
    gap = version.min_gap_days
    before = steps.get((case.version_id, case.next_rank - 1))
    if case.entry == Entry.LATE and before is not None:
        gap = max(gap, step.offset_days - before.offset_days)
    return max(day, case.last_step_on + dt.timedelta(days=gap))


def entry_of(*, days_late: int, late_entry_days: int) -> Entry:
    """Say how an invoice enters: 0–9 days late in time, up to the firm's limit (90) late, beyond it old."""
    if days_late < LATE_FROM_DAYS:
        return Entry.NORMAL
    return Entry.LATE if days_late <= late_entry_days else Entry.OLD


def first_rank(invoice: Invoice, steps: Sequence[Step], *, on: dt.date) -> int:
    """Return the step an invoice enters at: the first, less the notices whose due date is over."""
    left = [step.rank for step in steps if step.tone != Tone.NOTICE or on <= invoice.due_on]
    return min(left, default=1)


def _new_case(
    invoice: Invoice, version: ScenarioVersion, steps: list[Step], *, on: dt.date, late_entry_days: int
) -> DunningCase:
    case = DunningCase(
        invoice=invoice,
        client_id=invoice.client_id,
        version=version,
        next_rank=first_rank(invoice, steps, on=on),
        entry=entry_of(days_late=invoice.days_late(on=on), late_entry_days=late_entry_days),
        entered_on=on,
    )
    case.next_action_on = day_of_next_step(case, invoice, version, {(version.pk, step.rank): step for step in steps})
    return case


def _pause_old_debts(cases: Collection[DunningCase], *, on: dt.date) -> None:
    # The invoice comes with its client: a backlog of thousands is sealed without a query a row.
    holds = [Standstill(kind=StopKind.HOLD, invoice=case.invoice, origin="old_debt") for case in cases]
    Standstill.objects.bulk_create(holds, batch_size=1000)
    ids = [case.invoice_id for case in cases]
    open_tasks = Task.objects.filter(kind=TaskKind.REVIEW_OLD_DEBT, closed_at=None, subject_id__in=ids)
    asked = set(open_tasks.values_list("subject_id", flat=True))
    Task.objects.bulk_create(
        Task(
            kind=TaskKind.REVIEW_OLD_DEBT,
            client_id=case.client_id,
            subject_id=case.invoice_id,
            due_on=on + dt.timedelta(days=7),
            created_at=timezone.now(),
        )
        for case in cases
        if case.invoice_id not in asked
    )
