"""A print run as a person reads it: what its PDF holds today, what it leaves out, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from cabinets.models import Cabinet
from cabinets.sealing import open_together
from dunning.enums import Channel, JobState, LetterState, ReminderState, RunState
from dunning.models import DocumentJob, Letter, PrintRunLine, Reminder
from dunning.presenting import RULE_MEANS
from dunning.services import post_desk
from dunning.services.claiming import stopped_by
from templates_lib.rendering import typeset

REGISTERED, ORDINARY = "Recommandé avec avis de réception", "Lettre simple"
ALREADY_POSTED = "Elle est déjà postée."
PRINTED_AGAIN = "Elle a été imprimée de nouveau depuis ce tirage : ouvrez-la dans « Courrier »."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLetter:
    """One letter of a run; `why` says what keeps it out of the PDF."""

    letter: Letter
    client: str
    sending: str
    pages: int
    why: str = ""

    @property
    def url(self) -> str:
        """Return where the letter is handled."""
        return f"/courrier/{self.letter.reminder_id}/"

    @property
    def is_registered(self) -> bool:
        """Say whether its receipt bears a number."""
        return self.sending == REGISTERED

    def refused(self, why: str) -> Self:
        """Return this letter, left out for a reason found since."""
        return replace(self, why=typeset(why))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as the person sees it."""

    job: DocumentJob
    letters: tuple[RunLetter, ...]
    apart: tuple[RunLetter, ...]
    waiting: int
    total: int

    @property
    def pages(self) -> int:
        """Return how many pages the letters have, blank ones apart."""
        return sum(one.pages for one in self.letters)

    @property
    def done(self) -> int:
        """Return how many letters were dealt with."""
        return self.total - self.waiting

    @property
    def registered(self) -> int:
        """Return how many letters leave with a receipt."""
        return sum(one.is_registered for one in self.letters)


def run_of(job: DocumentJob, cabinet: Cabinet) -> Run | None:
    """Return what the person sees of a run, every rule asked again of what was printed; None when they see nothing."""
    rows = PrintRunLine.objects.filter(run=job).select_related("reminder__step", "reminder__client").order_by("place")
    lines = list(rows.defer(*(f"reminder__{name}" for name in ("html", "text", "subject", "recipient"))))
    if not lines:
        return None
    kept = Letter.objects.filter(reminder__in=[line.reminder_id for line in lines]).defer("recipient")
    letters = {one.reminder_id: one for one in kept}
    open_together([line.reminder.client for line in lines])
    dealt_with = [line for line in lines if line.state != RunState.WAITING]
    is_ready = job.state == JobState.DONE
    told = [_told(line, letters[line.reminder_id], cabinet, is_ready=is_ready) for line in dealt_with]
    return Run(
        job=job,
        letters=tuple(one for one in told if not one.why),
        apart=tuple(one for one in told if one.why),
        waiting=len(lines) - len(told),
        total=len(lines),
    )


def without(run: Run, failed: Sequence[RunLetter]) -> Run:
    """Return a run whose PDF leaves these out as well."""
    names = {one.letter.pk for one in failed}
    kept = tuple(one for one in run.letters if one.letter.pk not in names)
    return replace(run, letters=kept, apart=(*run.apart, *failed))


def _told(line: PrintRunLine, letter: Letter, cabinet: Cabinet, *, is_ready: bool) -> RunLetter:
    reminder = line.reminder
    why = line.why
    # A page that waits asks every two seconds: the rules are asked once there is something to take.
    if line.state == RunState.PRINTED and is_ready:
        why = _why_left_out(line, letter, reminder, cabinet)
    return RunLetter(
        letter=letter,
        client=reminder.client.display_name,
        sending=REGISTERED if reminder.channel == Channel.REGISTERED else ORDINARY,
        pages=letter.pages or 0,
        why=typeset(why),
    )


def _why_left_out(line: PrintRunLine, letter: Letter, reminder: Reminder, cabinet: Cabinet) -> str:
    """Return what happened since a letter was printed that keeps it from being posted as it is."""
    if letter.state not in {LetterState.READY, LetterState.PRINTED, LetterState.VOID}:
        return ALREADY_POSTED
    if reminder.state != ReminderState.IN_HAND:
        return post_desk.why_unprinted(reminder)
    if reminder.generation != line.generation:
        return PRINTED_AGAIN
    if not post_desk.may_bear_its_date(letter, reminder, cabinet, cabinet.today()):
        return post_desk.STALE
    code = stopped_by(reminder, cabinet)
    return "" if code is None else f"Ne postez pas. {RULE_MEANS[code]}"
