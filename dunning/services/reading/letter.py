"""The post desk as a person reads it: what is to print, to post, to follow, and what must not leave."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Count
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.sealing import open_together
from dunning.channels.post_desk import STEPS, show_tracking
from dunning.enums import Code, JobKind, LetterState, ReminderState
from dunning.models import DocumentJob, Letter, LetterProof
from dunning.presenting import RULE_MEANS, step_words
from dunning.routes import POST_DESK
from templates_lib.rendering import day_words

FOLLOWED_SHOWN = 100
# A letter is posted within two working days of its date: a bridge of holidays is shorter than this.
RUNS_KEPT = dt.timedelta(days=7)
RUNS_SHOWN = 5
ON_ITS_WAY = (LetterState.SUBMITTED, LetterState.DEPOSITED, LetterState.PRESENTED)
OVER = (LetterState.DELIVERED, LetterState.REFUSED, LetterState.UNCLAIMED, LetterState.RETURNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One letter of a list."""

    letter: Letter
    client: str
    step: str
    total_cents: int
    state: str
    when: str
    tracking: str
    stopped_by: str = ""

    @property
    def url(self) -> str:
        """Return where the letter is handled."""
        return f"/courrier/{self.letter.reminder_id}/"

    @property
    def ticked_as(self) -> str:
        """Return what a box says of this very letter: printed since, it is another one."""
        return f"{self.letter.reminder_id}:{self.letter.reminder.generation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The letters of a firm, by what a person has to do with them."""

    stopped: tuple[Line, ...]
    to_print: tuple[Line, ...]
    to_post: tuple[Line, ...]
    on_their_way: tuple[Line, ...]
    over: tuple[Line, ...]
    runs: tuple[DocumentJob, ...] = ()
    """The last print runs the person sees a letter of, each with how many letters it holds (`letters`)."""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was ever written on paper."""
        return not any((self.stopped, self.to_print, self.to_post, self.on_their_way, self.over))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One letter, what became of it, and what may be done."""

    line: Line
    proofs: tuple[LetterProof, ...]
    steps: tuple[str, ...]
    can_print: bool
    can_post: bool
    may_keep_proofs: bool
    is_stale: bool
    dates: tuple[tuple[str, str], ...]


def desk_of(cabinet: Cabinet) -> Desk:
    """Return the letters the person sees, most urgent first."""
    rows = Letter.objects.exclude(state=LetterState.VOID).select_related("client", "reminder__step")
    heavy = ("reminder__html", "reminder__text", "reminder__subject", "reminder__recipient")
    recent = list(rows.defer(*heavy, "recipient").order_by("-created_at")[: 4 * FOLLOWED_SHOWN])
    open_together([letter.client for letter in recent])
    lines = [line_of(letter) for letter in recent]
    return Desk(
        stopped=_where(lines, lambda one: bool(one.stopped_by)),
        to_print=_where(lines, lambda one: _in_hand(one) and one.letter.state == LetterState.READY),
        to_post=_where(lines, lambda one: _in_hand(one) and one.letter.state == LetterState.PRINTED),
        on_their_way=_where(lines, lambda one: one.letter.state in ON_ITS_WAY),
        over=_where(lines, lambda one: one.letter.state in OVER),
        runs=_runs(),
    )


def _runs() -> tuple[DocumentJob, ...]:
    recent = DocumentJob.objects.filter(kind=JobKind.PRINT_RUN, asked_at__gte=timezone.now() - RUNS_KEPT)
    # Counted behind the wall: a run of which the person sees no letter is not theirs.
    mine = recent.annotate(letters=Count("lines")).filter(letters__gt=0)
    return tuple(mine.defer("file_name").order_by("-asked_at")[:RUNS_SHOWN])


def page_of(letter: Letter, cabinet: Cabinet) -> Page:
    """Return everything of one letter."""
    line = line_of(letter)
    in_hand = letter.reminder.state == ReminderState.IN_HAND and letter.route == POST_DESK
    is_stale = letter.dated_on is not None and letter.dated_on < cabinet.today()
    return Page(
        line=line,
        proofs=tuple(LetterProof.objects.filter(letter=letter).order_by("added_at")),
        steps=STEPS if letter.is_registered else STEPS[:2],
        can_print=in_hand,
        can_post=letter.state == LetterState.PRINTED,
        may_keep_proofs=letter.state not in {LetterState.READY, LetterState.PRINTED, LetterState.VOID},
        is_stale=is_stale and letter.state in {LetterState.READY, LetterState.PRINTED},
        dates=tuple(
            (label, day_words(day))
            for label, day in (
                ("Datée du", letter.dated_on),
                ("Déposée le", letter.deposited_on),
                ("Première présentation le", letter.presented_on),
                ("Distribuée, refusée ou revenue le", letter.ended_on),
                ("Réponse attendue le", letter.answer_by),
            )
            if day is not None
        ),
    )


def line_of(letter: Letter) -> Line:
    """Return a letter in a few words."""
    reminder = letter.reminder
    return Line(
        letter=letter,
        client=letter.client.display_name,
        step=step_words(reminder.step),
        total_cents=reminder.total_cents,
        state=LetterState(letter.state).label,
        when=_day(letter),
        tracking=show_tracking(letter.tracking) if letter.tracking else "",
        stopped_by=_stopped_by(letter),
    )


def _day(letter: Letter) -> str:
    day = letter.deposited_on or letter.dated_on
    return "" if day is None else day_words(day)


def _stopped_by(letter: Letter) -> str:
    reminder = letter.reminder
    if reminder.state != ReminderState.CANCELLED or letter.state not in {LetterState.READY, LetterState.PRINTED}:
        return ""
    return RULE_MEANS[Code(reminder.cancel_code)] if reminder.cancel_code else "Une règle l’a arrêtée."


def _in_hand(line: Line) -> bool:
    return bool(line.letter.reminder.state == ReminderState.IN_HAND)


def _where(lines: Iterable[Line], keep: Callable[[Line], bool]) -> tuple[Line, ...]:
    return tuple([line for line in lines if keep(line)][:FOLLOWED_SHOWN])
