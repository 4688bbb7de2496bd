"""Print the letters of the post desk together: chosen, then printed one by one, each in a transaction of its own.

The lines of a run are its queue. Killed anywhere, a run is carried on by the next sweep from the first letter that
waits: what was printed stays printed, and a letter is printed only as it was when it was chosen.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import CabinetError
from cabinets.models import Membership
from cabinets.permissions import ensure
from cabinets.scoping import current_cabinet_id, whole_firm
from dunning.enums import JobKind, JobState, LetterState, ReminderState, RunState
from dunning.errors import DunningError
from dunning.models import DocumentJob, Letter, PrintRunLine, Reminder
from dunning.routes import POST_DESK
from dunning.services import post_desk
from dunning.services.nights import SCHEDULER
from invoices.errors import InvoiceError

logger = logging.getLogger(__name__)

AT_MOST = 100
MAX_ATTEMPTS = 3
# A worker lets go before the task's own limit; the next sweep takes the rest.
AT_MOST_SECONDS = 600.0
NOTHING = "Aucune lettre n’est à imprimer. Rien n’a été changé."
NOT_TICKED = "Cochez au moins une lettre. Rien n’a été changé."
IN_ANOTHER = "Elle est déjà dans un tirage en préparation."
ALL_IN_ANOTHER = "Ces lettres sont déjà dans un tirage en préparation. Rien n’a été changé."
FAULT = "Son PDF n’a pas pu être préparé. La lettre est restée telle qu’elle était : essayez de l’imprimer seule."
OUT_OF_SIGHT = "Le dossier n’est plus accessible à la personne qui a demandé ce tirage."

Opened = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A letter as a person saw it when they ticked it."""

    reminder_id: UUID
    generation: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was asked for, and how many letters it could not hold."""

    run: DocumentJob
    left_over: int


@transaction.atomic
def ask(*, by: Membership, chosen: Sequence[Chosen] | None = None) -> Asked:
    """Ask for the letters ready to print, or for those a person ticked, to be printed together.

    A letter ticked that is no longer as it was seen is told apart at once; raise Reminder.DoesNotExist for one that
    the person does not see. Nothing is printed yet.
    """
    ensure(by, Right.APPROVE_REMINDERS)
    _one_at_a_time()
    waiting = PrintRunLine.objects.filter(state=RunState.WAITING)
    elsewhere = set(waiting.values_list("reminder", flat=True))
    letters = _ready(elsewhere) if chosen is None else _ticked(chosen)
    seen = {one.reminder_id: one.generation for one in chosen or ()}
    run = DocumentJob(kind=JobKind.PRINT_RUN, asked_by=by)
    run.save(force_insert=True)
    lines = [
        _line(run, letter.reminder, place, seen.get(letter.reminder_id), elsewhere)
        for place, letter in enumerate(letters[:AT_MOST], start=1)
    ]
    PrintRunLine.objects.bulk_create(lines)
    journal.record("print_run.asked", run, letters=len(lines))
    return Asked(run, len(letters) - len(lines))


def due_runs() -> list[tuple[UUID, UUID]]:
    """Return the runs that are not finished, as the scheduler sees them: firm and id."""
    rows = DocumentJob.all_cabinets.using(SCHEDULER).filter(state=JobState.ASKED, kind=JobKind.PRINT_RUN)
    return list(rows.order_by("asked_at").values_list("cabinet_id", "pk")[:50])


def work(*, run_id: UUID, opened: Opened, seconds: float = AT_MOST_SECONDS) -> None:
    """Print what a run waits for. Do nothing when another worker is at it.

    `opened` opens the transaction of each letter, in the scope of the person who asked.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with opened():
            line = _next(run_id)
        if line is None:
            return
        try:
            with opened():
                _print(line)
        except OperationalError:
            raise  # the database is away or two acts crossed: the next sweep tries this letter again
        except Exception as error:
            logger.exception("letter.unprinted", extra={"line_id": str(line.pk), "error": type(error).__name__})
            with opened():
                _put_apart(line, FAULT)


def _ready(elsewhere: set[UUID]) -> list[Letter]:
    found = list(_in_order().filter(reminder__state=ReminderState.IN_HAND, state=LetterState.READY))
    free = [letter for letter in found if letter.reminder_id not in elsewhere]
    if not free:
        raise DunningError(ALL_IN_ANOTHER if found else NOTHING)
    return free


def _ticked(chosen: Sequence[Chosen]) -> list[Letter]:
    if not chosen:
        raise DunningError(NOT_TICKED)
    wanted = {one.reminder_id for one in chosen}
    found = list(_in_order().filter(reminder__in=wanted))
    if len(found) != len(wanted):
        raise Reminder.DoesNotExist
    return found


def _in_order() -> QuerySet[Letter]:
    """Return the letters of the desk, in the order in which the desk shows them."""
    rows = Letter.objects.filter(route=POST_DESK).select_related("reminder")
    heavy = ("recipient", "reminder__html", "reminder__text", "reminder__subject", "reminder__recipient")
    return rows.defer(*heavy).order_by("-created_at", "pk")


def _line(run: DocumentJob, reminder: Reminder, place: int, seen: int | None, elsewhere: set[UUID]) -> PrintRunLine:
    why = ""
    if reminder.state != ReminderState.IN_HAND:
        why = post_desk.why_unprinted(reminder)
    elif reminder.pk in elsewhere:
        why = IN_ANOTHER
    elif seen is not None and seen != reminder.generation:
        why = post_desk.PRINTED_SINCE
    return PrintRunLine(
        run=run,
        reminder=reminder,
        place=place,
        chosen_generation=reminder.generation,
        state=RunState.APART if why else RunState.WAITING,
        why=why,
    )


def _one_at_a_time() -> None:
    """Let the runs of a firm be asked for one by one: two tabs never choose the same letter."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"print_run {current_cabinet_id()}"])


def _locked(run_id: UUID) -> DocumentJob | None:
    """Take a run that is not finished; None when another worker is at it."""
    runs = DocumentJob.objects.filter(pk=run_id, kind=JobKind.PRINT_RUN, state=JobState.ASKED)
    return runs.select_for_update(of=("self",), no_key=True, skip_locked=True).first()


def _next(run_id: UUID) -> PrintRunLine | None:
    """Return the letter whose turn it is, counted as tried; None when there is none, or another worker is at it."""
    run = _locked(run_id)
    if run is None:
        return None
    waiting = PrintRunLine.objects.filter(run=run, state=RunState.WAITING).order_by("place")
    # One that ends its process each time, whatever the reason, lets the others go on.
    waiting.filter(attempts__gte=MAX_ATTEMPTS).update(state=RunState.APART, why=FAULT)
    line = waiting.first()
    if line is None:
        _finish(run)
        return None
    line.attempts += 1
    line.save(update_fields=["attempts"])
    return line


def _print(line: PrintRunLine) -> None:
    run = _locked(line.run_id)
    still_waits = PrintRunLine.objects.filter(pk=line.pk, state=RunState.WAITING).exists()
    if run is None or run.asked_by_id is None or not still_waits:
        return
    by = Membership.objects.get(pk=run.asked_by_id)
    try:
        why = post_desk.print_letter(reminder_id=line.reminder_id, by=by, generation=line.chosen_generation)
    except (DunningError, CabinetError, InvoiceError) as error:
        why = str(error)
    if why:
        _put_apart(line, why)
        return
    line.state = RunState.PRINTED
    line.generation = Reminder.objects.values_list("generation", flat=True).get(pk=line.reminder_id)
    line.save(update_fields=["state", "generation"])


def _put_apart(line: PrintRunLine, why: str) -> None:
    waiting = PrintRunLine.objects.filter(pk=line.pk, state=RunState.WAITING)
    waiting.update(state=RunState.APART, why=why[:300])


def _finish(run: DocumentJob) -> None:
    with whole_firm():
        lines = PrintRunLine.objects.filter(run=run)
        lines.filter(state=RunState.WAITING).update(state=RunState.APART, why=OUT_OF_SIGHT)
        printed, total = lines.filter(state=RunState.PRINTED).count(), lines.count()
    run.state, run.done_at = JobState.DONE, timezone.now()
    run.save(update_fields=["state", "done_at"])
    journal.record("print_run.made", run, printed=printed, apart=total - printed)
