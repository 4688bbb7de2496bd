"""A ladder as a firm writes it: its rungs, the ladders that are ready, and what a ladder may not do. Pure."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from dunning.enums import Channel, Tone

EARLIEST_DAY, LATEST_DAY = -30, 365
LEAST_GAP, GREATEST_GAP = 7, 60
MOST_RUNGS = 12
SHORTEST_ANSWER, LONGEST_ANSWER = 2, 60
# A formal notice gives eight days to a professional, fifteen to the others (engine.md § 6).
FORMAL_ANSWER, FORMAL_ANSWER_OTHERS = 8, 15
TONES = list(Tone)

# By tone: the channels that may carry the step, and those that may follow it.
CARRIERS: dict[Tone, frozenset[Channel]] = {
    Tone.NOTICE: frozenset({Channel.EMAIL}),
    Tone.COURTEOUS: frozenset({Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.PHONE}),
    Tone.SOLUTIONS: frozenset({Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.PHONE}),
    Tone.FIRM: frozenset({Channel.EMAIL, Channel.LETTER, Channel.REGISTERED, Channel.PHONE}),
    Tone.FORMAL: frozenset({Channel.REGISTERED}),
}
FOLLOWERS: dict[Tone, frozenset[Channel]] = {
    Tone.NOTICE: frozenset(),
    Tone.COURTEOUS: frozenset({Channel.EMAIL, Channel.SMS}),
    Tone.SOLUTIONS: frozenset({Channel.EMAIL, Channel.SMS, Channel.LETTER}),
    Tone.FIRM: frozenset({Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.REGISTERED}),
    Tone.FORMAL: frozenset({Channel.EMAIL}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step as it is published: when, how, in which tone, what follows in its wake, how long the debtor has."""

    offset_days: int
    tone: Tone
    channel: Channel = Channel.EMAIL
    answer_days: int = 7
    companions: tuple[Channel, ...] = ()
    answer_days_others: int | None = None
    needs_approval: bool = False
    signed_by_id: UUID | None = None
    needs_rate: bool = False

    @property
    def day(self) -> str:
        """Return "J+10", or "J-7" before the due date."""
        return f"J{self.offset_days:+d}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a ladder may not do: the place of the rung at fault, from 0, or None for the whole ladder."""

    place: int | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyLadder:
    """A ladder the product comes with."""

    slug: str
    name: str
    text: str
    rungs: tuple[Rung, ...]


_NOTICE = Rung(offset_days=-7, tone=Tone.NOTICE)
_FORMAL = Rung(
    offset_days=45,
    tone=Tone.FORMAL,
    channel=Channel.REGISTERED,
    answer_days=FORMAL_ANSWER,
    answer_days_others=FORMAL_ANSWER_OTHERS,
    companions=(Channel.EMAIL,),
)

# engine.md § 6.
DEFAULT_LADDER: tuple[Rung, ...] = (
    Rung(offset_days=3, tone=Tone.COURTEOUS),
    Rung(offset_days=10, tone=Tone.SOLUTIONS, answer_days=2, companions=(Channel.SMS,)),
    Rung(offset_days=30, tone=Tone.FIRM, companions=(Channel.SMS,)),
    _FORMAL,
)
EXPRESS_LADDER: tuple[Rung, ...] = (
    Rung(offset_days=7, tone=Tone.COURTEOUS),
    Rung(offset_days=15, tone=Tone.FIRM, companions=(Channel.SMS,)),
    replace(_FORMAL, offset_days=30),
)

READY: tuple[ReadyLadder, ...] = (
    ReadyLadder(
        slug="quatre-etapes",
        name="Relance en quatre étapes",
        text="J+3, J+10, J+30, J+45 : le rythme par défaut.",
        rungs=DEFAULT_LADDER,
    ),
    ReadyLadder(
        slug="express",
        name="Relance express",
        text="J+7, J+15, J+30 : trois étapes, fermes plus tôt.",
        rungs=EXPRESS_LADDER,
    ),
    ReadyLadder(
        slug="avec-avis",
        name="Relance avec avis avant échéance",
        text="J-7, puis J+3, J+10, J+30, J+45.",
        rungs=(_NOTICE, *DEFAULT_LADDER),
    ),
)


def in_order(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """Return the rungs by day, and settle what is never a choice: a lawyer always approves a formal notice."""
    return tuple(
        replace(rung, needs_approval=True) if rung.tone == Tone.FORMAL else rung
        for rung in sorted(rungs, key=lambda rung: rung.offset_days)
    )


def faults_of(rungs: Sequence[Rung], *, min_gap_days: int) -> tuple[Fault, ...]:
    """Return everything this ladder may not do, in sentences; none: it may be published."""
    found = [*_of_the_whole(rungs, min_gap_days)]
    for place, rung in enumerate(rungs):
        found += [Fault(place, sentence) for sentence in _of_one(rung)]
    for place, (before, rung) in enumerate(itertools.pairwise(rungs), start=1):
        found += [Fault(place, sentence) for sentence in _of_two(before, rung, min_gap_days)]
    return tuple(found)


def _of_the_whole(rungs: Sequence[Rung], min_gap_days: int) -> Iterator[Fault]:
    if not any(rung.offset_days > 0 for rung in rungs):
        yield Fault(None, "Un scénario a au moins une étape après l’échéance : ajoutez-en une.")
    if len(rungs) > MOST_RUNGS:
        yield Fault(None, f"Un scénario a {MOST_RUNGS} étapes au plus : retirez-en.")
    if not LEAST_GAP <= min_gap_days <= GREATEST_GAP:
        yield Fault(
            None,
            f"L’écart minimal va de {LEAST_GAP} à {GREATEST_GAP} jours : un client n’est jamais contacté deux fois en"
            " sept jours.",
        )
    if sum(rung.tone == Tone.FORMAL for rung in rungs) > 1:
        yield Fault(None, "Une seule mise en demeure par scénario : retirez l’autre.")


def _of_one(rung: Rung) -> Iterator[str]:
    yield from _of_its_day(rung)
    if rung.channel not in CARRIERS[rung.tone]:
        yield _wrong_carrier(rung)
    for companion in rung.companions:
        if companion not in FOLLOWERS[rung.tone]:
            yield f"« {rung.tone.label} » n’est pas accompagné par : {companion.label.lower()}. Décochez ce canal."
        elif companion == rung.channel:
            yield f"{companion.label} est déjà le canal de l’étape : décochez-le parmi ceux qui l’accompagnent."
    yield from _of_its_answer(rung)


def _of_its_day(rung: Rung) -> Iterator[str]:
    if not EARLIEST_DAY <= rung.offset_days <= LATEST_DAY or rung.offset_days == 0:
        yield f"Le jour va de J{EARLIEST_DAY:+d} à J{LATEST_DAY:+d}, sans le jour de l’échéance : il n’y a pas retard."
    if rung.tone == Tone.NOTICE and rung.offset_days > 0:
        yield "Un avis vient avant l’échéance : donnez-lui un jour négatif, par exemple -7, ou un autre ton."
    if rung.tone != Tone.NOTICE and rung.offset_days < 0:
        yield "Avant l’échéance, rien n’est en retard : seul un avis peut partir."


def _of_its_answer(rung: Rung) -> Iterator[str]:
    if not SHORTEST_ANSWER <= rung.answer_days <= LONGEST_ANSWER:
        yield f"Le délai de réponse va de {SHORTEST_ANSWER} à {LONGEST_ANSWER} jours."
    if rung.answer_days_others is not None and not SHORTEST_ANSWER <= rung.answer_days_others <= LONGEST_ANSWER:
        yield f"Le délai des non-professionnels va de {SHORTEST_ANSWER} à {LONGEST_ANSWER} jours."
    if rung.tone == Tone.FORMAL and rung.answer_days < FORMAL_ANSWER:
        yield f"Une mise en demeure laisse au moins {FORMAL_ANSWER} jours à un professionnel."
    if rung.tone == Tone.FORMAL and (rung.answer_days_others or 0) < FORMAL_ANSWER_OTHERS:
        yield f"Une mise en demeure laisse au moins {FORMAL_ANSWER_OTHERS} jours à qui n’est pas professionnel."


def _wrong_carrier(rung: Rung) -> str:
    if rung.tone == Tone.FORMAL:
        return "Une mise en demeure part en lettre recommandée, et rien ne la remplace : choisissez ce canal."
    allowed = ", ".join(channel.label.lower() for channel in Channel if channel in CARRIERS[rung.tone])
    return f"« {rung.tone.label} » part par : {allowed}. Choisissez l’un de ces canaux."


def _of_two(before: Rung, rung: Rung, min_gap_days: int) -> Iterator[str]:
    gap = rung.offset_days - before.offset_days
    if gap < min_gap_days:
        yield f"Il faut au moins {min_gap_days} jours après {before.day} : avancez ou reculez l’une des deux étapes."
    if before.tone == Tone.FORMAL:
        yield "Rien ne suit une mise en demeure dans un scénario : le dossier passe à une personne."
    elif TONES.index(rung.tone) < TONES.index(before.tone):
        yield f"Le ton ne redescend pas : « {before.tone.label} » vient avant. Choisissez un ton au moins aussi ferme."


def landing(rungs: Sequence[Rung], *, said: Mapping[Tone, int], notices_over: bool) -> int:
    """Return the place at which a case goes on in this ladder, from 0; past the last one when nothing is left to say.

    What was said is never said again: nothing softer than the firmest message, and as many of its tone are skipped as
    were said. A notice whose due date is over is skipped too.
    """
    firmest = max((TONES.index(tone) for tone, count in said.items() if count), default=-1)
    met: Counter[Tone] = Counter()
    for place, rung in enumerate(rungs):
        level = TONES.index(rung.tone)
        is_new = level > firmest or (level == firmest and met[rung.tone] >= said[rung.tone])
        if is_new and not (rung.tone == Tone.NOTICE and notices_over):
            return place
        met[rung.tone] += 1
    return len(rungs)
