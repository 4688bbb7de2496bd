"""A message came back: it was never received, so its step does not count and its address is written to no more."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, Task
from dunning.enums import Code, ReminderState
from dunning.inbound.bounces import Failure
from dunning.models import DunningCase, Reminder, ReminderLine
from dunning.services.evidence import append_message
from dunning.services.ladder import RECALLABLE, cancel, schedule
from dunning.services.outcomes import open_task, refuse_way

# What may come back: what left, or may have. A message already back, cancelled or never said does not come back.
RETURNABLE = (ReminderState.SENDING, ReminderState.ACCEPTED, ReminderState.DELIVERED, ReminderState.UNKNOWN)


@transaction.atomic
def come_back(*, reminder_id: UUID, failure: Failure) -> bool:
    """Note that a reminder was not delivered, once; False when it had already come back or never left.

    Its step is to be done again, its address is refused until somebody changes it, and a person is asked.
    """
    left = Reminder.objects.select_for_update(of=("self",), no_key=True).select_related("client", "contact")
    reminder = left.filter(pk=reminder_id, state__in=RETURNABLE).first()
    if reminder is None:
        return False
    was_in_doubt = reminder.state == ReminderState.UNKNOWN
    reminder.state, reminder.lease_until = ReminderState.BOUNCED, None
    reminder.provider_code, reminder.failure = failure.status[:12], failure.diagnostic[:300]
    reminder.save(update_fields=["state", "lease_until", "provider_code", "failure"])
    _refuse_address(reminder)
    _step_back(reminder)
    if was_in_doubt:
        doubts = Task.objects.filter(kind=TaskKind.UNKNOWN_OUTCOME, subject_id=reminder.pk, state=TaskState.OPEN)
        doubts.update(state=TaskState.DONE, closed_at=timezone.now())
    open_task(TaskKind.REJECTED_ADDRESS, reminder, Cabinet.objects.get())
    append_message("message.bounced", reminder)
    journal.record("reminder.bounced", reminder, code=failure.status, rank=reminder.rank)
    return True


def _refuse_address(reminder: Reminder) -> None:
    """Refuse the address that was written to, and take back what else was about to leave for it."""
    addressee = reminder.contact or reminder.client
    if addressee.email != (reminder.recipient or addressee.email):
        return  # corrected since: the new one is not to blame
    refuse_way(reminder)
    waiting = Reminder.objects.filter(client=reminder.client_id, contact=reminder.contact_id, state__in=RECALLABLE)
    to_recall = waiting.filter(channel=reminder.channel).order_by("pk").select_for_update(of=("self",), no_key=True)
    cancel(reminders=list(to_recall), code=Code.BOUNCED)


def _step_back(reminder: Reminder) -> None:
    """Let the step be done again, unless a later one has really left since."""
    lines = ReminderLine.objects.filter(reminder=reminder)
    lines.update(counts=False)
    claimed = set(lines.filter(is_claimed=True).values_list("case", flat=True))
    cases = list(DunningCase.objects.filter(pk__in=lines.values("case")).select_related("invoice", "version"))
    for case in cases:
        if case.pk in claimed and case.next_rank == reminder.rank + 1:
            case.next_rank, case.last_step_on = reminder.rank, _last_step_on(case)
    schedule(cases, moved=("next_rank", "last_step_on"))


def _last_step_on(case: DunningCase) -> dt.date | None:
    """Return the day of the last step that really left for an invoice."""
    before = ReminderLine.objects.filter(case=case, is_claimed=True, counts=True, reminder__spoken_on__isnull=False)
    return before.order_by("-reminder__spoken_on").values_list("reminder__spoken_on", flat=True).first()
