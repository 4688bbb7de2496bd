"""Cases, nights and reminders for tests."""

import datetime as dt
from typing import Any

from cabinets.models import Cabinet, Membership
from dunning.enums import JobKind, JobState, ReminderState
from dunning.models import DocumentJob, DunningCase, NightlyRun, PrintRunLine, Reminder, ReminderLine, Step
from dunning.services.scenarios import default_scenario
from invoices.models import Invoice
from tests.factories.invoices import TODAY, make_invoice


def make_case(*, invoice: Invoice | None = None, rank: int = 1, **facts: Any) -> DunningCase:
    """Put an invoice on the default ladder, due tonight at this rank."""
    invoice = invoice or make_invoice()
    case = DunningCase(
        invoice=invoice,
        client_id=invoice.client_id,
        version=default_scenario(),
        next_rank=rank,
        **{"next_action_on": TODAY, "entered_on": invoice.due_on, **facts},
    )
    case.save(force_insert=True)
    return case


def make_reminder(*cases: DunningCase, state: ReminderState = ReminderState.PLANNED, **facts: Any) -> Reminder:
    """Make a reminder that claims these cases' invoices and departs now; one fresh case when none is given."""
    cases = cases or (make_case(),)
    lead = cases[0]
    cabinet = Cabinet.objects.get()
    night, _ = NightlyRun.objects.get_or_create(
        on=TODAY, defaults={"started_at": cabinet.now(), "finished_at": cabinet.now()}
    )
    reminder = Reminder(
        client=lead.client,
        step=Step.objects.get(version=lead.version, rank=lead.next_rank),
        rank=lead.next_rank,
        night=night,
        state=state,
        **{
            "client_kind": lead.invoice.dossier.kind,
            "language": "fr",
            "channel": "email",
            "on": TODAY,
            "depart_at": cabinet.now() - dt.timedelta(minutes=1),
            "total_cents": sum(case.invoice.outstanding_cents for case in cases),
            "dossier_ids": sorted({case.invoice.dossier_id for case in cases}),
            **facts,
        },
    )
    reminder.save(force_insert=True)
    for case in cases:
        ReminderLine(
            reminder=reminder,
            case=case,
            invoice=case.invoice,
            rank=case.next_rank,
            is_claimed=True,
            owed_cents=case.invoice.outstanding_cents,
        ).save(force_insert=True)
        DunningCase.objects.filter(pk=case.pk).update(next_action_on=None)
    return reminder


def make_print_run(*reminders: Reminder, by: Membership | None = None, **facts: Any) -> DocumentJob:
    """Make a finished print run whose letters were printed as they are now."""
    run = DocumentJob(kind=JobKind.PRINT_RUN, asked_by=by, **{"state": JobState.DONE, **facts})
    run.save(force_insert=True)
    for place, reminder in enumerate(reminders, start=1):
        PrintRunLine(
            run=run,
            reminder=reminder,
            place=place,
            state="printed",
            chosen_generation=reminder.generation,
            generation=reminder.generation,
        ).save(force_insert=True)
    return run
