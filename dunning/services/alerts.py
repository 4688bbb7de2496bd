"""Tell the person in charge what a step that really left calls for: a file to watch, a formal phase, the insurer."""

import datetime as dt
from uuid import UUID

from cabinets.enums import TaskKind
from cabinets.models import Cabinet, Task
from dunning.enums import Tone
from dunning.models import Reminder, ReminderLine

DAYS_TO_LOOK = 2
# What is asked of the dossier's lawyer once a step of this tone has left.
CALLED_FOR = {
    Tone.FIRM: (TaskKind.WATCH_FILE,),
    Tone.FORMAL: (TaskKind.FORMAL_PHASE, TaskKind.INSURER_NOTICE),
}


def after_departure(reminder: Reminder, cabinet: Cabinet) -> list[Task]:
    """Open, once a reminder has left, the tasks its tone calls for, in the name of the dossier's lawyer.

    Nobody outside the firm is told anything: a person reads, and decides. What only accompanies a step calls for
    nothing, and a task already open is not opened again.
    """
    kinds = () if reminder.accompanies_id is not None else CALLED_FOR.get(Tone(reminder.step.tone), ())
    if not kinds:
        return []
    owner_id = lawyer_of(reminder)
    due_on = cabinet.today() + dt.timedelta(days=DAYS_TO_LOOK)
    tasks = [
        Task(kind=kind, client_id=reminder.client_id, subject_id=reminder.pk, owner_id=owner_id, due_on=due_on)
        for kind in kinds
    ]
    return Task.objects.bulk_create(tasks, ignore_conflicts=True)


def lawyer_of(reminder: Reminder) -> UUID | None:
    """Return who is in charge of what a reminder claims: its oldest invoice's lawyer, while still at the firm."""
    lines = ReminderLine.objects.filter(reminder=reminder.accompanies_id or reminder.pk, is_claimed=True)
    mine = lines.filter(invoice__dossier__lawyer__is_active=True).order_by("invoice__due_on", "invoice__number_key")
    found: UUID | None = mine.values_list("invoice__dossier__lawyer", flat=True).first()
    return found
