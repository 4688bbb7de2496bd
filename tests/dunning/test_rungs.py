"""What a ladder may and may not do, by table; and where a case lands when it changes ladders."""

from collections import Counter
from dataclasses import replace

import pytest

from dunning.enums import Channel, Tone
from dunning.rungs import (
    DEFAULT_LADDER,
    EXPRESS_LADDER,
    MOST_RUNGS,
    READY,
    Rung,
    faults_of,
    in_order,
    landing,
)

NOTICE = Rung(offset_days=-7, tone=Tone.NOTICE)
COURTEOUS = Rung(offset_days=3, tone=Tone.COURTEOUS)
FIRM = Rung(offset_days=30, tone=Tone.FIRM)
FORMAL = DEFAULT_LADDER[-1]


@pytest.mark.parametrize("ready", READY, ids=lambda ready: ready.slug)
def test_the_ready_ladders_may_be_published(ready: object) -> None:
    assert faults_of(ready.rungs, min_gap_days=7) == ()  # type: ignore[attr-defined]


def test_the_ready_ladders_are_those_of_the_book() -> None:
    assert {ready.slug: [rung.day for rung in ready.rungs] for ready in READY} == {
        "quatre-etapes": ["J+3", "J+10", "J+30", "J+45"],
        "express": ["J+7", "J+15", "J+30"],
        "avec-avis": ["J-7", "J+3", "J+10", "J+30", "J+45"],
    }


@pytest.mark.parametrize(
    ("rungs", "place", "words"),
    [
        ((), None, "au moins une étape après l’échéance"),
        ((NOTICE,), None, "au moins une étape après l’échéance"),
        (tuple(replace(COURTEOUS, offset_days=10 * n) for n in range(1, MOST_RUNGS + 2)), None, "12 étapes au plus"),
        ((FORMAL, replace(FORMAL, offset_days=60)), None, "Une seule mise en demeure"),
        ((replace(COURTEOUS, offset_days=0),), 0, "sans le jour de l’échéance"),
        ((replace(COURTEOUS, offset_days=366),), 0, "J+365"),
        ((replace(NOTICE, offset_days=-31), COURTEOUS), 0, "J-30"),
        ((replace(NOTICE, offset_days=2), FIRM), 0, "Un avis vient avant l’échéance"),
        ((replace(COURTEOUS, offset_days=-5), FIRM), 0, "seul un avis peut partir"),
        ((replace(FORMAL, channel=Channel.EMAIL, companions=()),), 0, "part en lettre recommandée"),
        ((replace(FORMAL, channel=Channel.LETTER),), 0, "part en lettre recommandée"),
        ((replace(FIRM, channel=Channel.SMS),), 0, "part par : e-mail, lettre, lettre recommandée, appel"),
        ((replace(COURTEOUS, channel=Channel.REGISTERED),), 0, "part par : e-mail, sms, lettre, appel"),
        ((replace(NOTICE, channel=Channel.SMS), COURTEOUS), 0, "part par : e-mail."),
        ((replace(FORMAL, companions=(Channel.SMS,)),), 0, "n’est pas accompagné par : sms"),
        ((replace(FIRM, companions=(Channel.EMAIL,)),), 0, "E-mail est déjà le canal de l’étape"),
        ((replace(COURTEOUS, answer_days=1),), 0, "de 2 à 60 jours"),
        ((replace(COURTEOUS, answer_days_others=61),), 0, "des non-professionnels va de 2 à 60"),
        ((replace(FORMAL, answer_days=7),), 0, "au moins 8 jours"),
        ((replace(FORMAL, answer_days_others=14),), 0, "au moins 15 jours"),
        ((replace(FORMAL, answer_days_others=None),), 0, "au moins 15 jours"),
        ((COURTEOUS, replace(COURTEOUS, offset_days=9)), 1, "au moins 7 jours après J+3"),
        ((COURTEOUS, replace(COURTEOUS, offset_days=3)), 1, "au moins 7 jours après J+3"),
        ((FIRM, replace(COURTEOUS, offset_days=40)), 1, "Le ton ne redescend pas"),
        ((FORMAL, replace(FIRM, offset_days=60)), 1, "Rien ne suit une mise en demeure"),
    ],
)
def test_says_what_a_ladder_may_not_do(rungs: tuple[Rung, ...], place: int | None, words: str) -> None:
    found = [(fault.place, fault.sentence.replace("\u00a0", " ")) for fault in faults_of(rungs, min_gap_days=7)]

    assert any(where == place and words in sentence for where, sentence in found), found


@pytest.mark.parametrize(("gap", "is_fault"), [(6, True), (7, False), (60, False), (61, True)])
def test_the_least_gap_is_a_week(gap: int, is_fault: bool) -> None:
    faults = faults_of((COURTEOUS, replace(FIRM, offset_days=100)), min_gap_days=gap)

    assert [fault.place for fault in faults] == ([None] if is_fault else [])


def test_a_lawyer_always_approves_a_formal_notice_whatever_was_ticked() -> None:
    assert [rung.needs_approval for rung in in_order((FORMAL, COURTEOUS))] == [False, True]


@pytest.mark.parametrize(
    ("rungs", "said", "notices_over", "place"),
    [
        (DEFAULT_LADDER, {}, True, 0),
        (EXPRESS_LADDER, {Tone.COURTEOUS: 1}, True, 1),
        (EXPRESS_LADDER, {Tone.COURTEOUS: 1, Tone.SOLUTIONS: 1}, True, 1),
        (EXPRESS_LADDER, {Tone.FIRM: 1}, True, 2),
        (EXPRESS_LADDER, {Tone.FORMAL: 1}, True, 3),
        (DEFAULT_LADDER, {Tone.COURTEOUS: 1, Tone.FIRM: 1}, True, 3),
        ((NOTICE, *DEFAULT_LADDER), {}, False, 0),
        ((NOTICE, *DEFAULT_LADDER), {}, True, 1),
        ((NOTICE, *DEFAULT_LADDER), {Tone.COURTEOUS: 1}, True, 2),
        ((COURTEOUS, replace(COURTEOUS, offset_days=10), FIRM), {Tone.COURTEOUS: 1}, True, 1),
        ((COURTEOUS, replace(COURTEOUS, offset_days=10), FIRM), {Tone.COURTEOUS: 2}, True, 2),
        (DEFAULT_LADDER[:2], {Tone.FIRM: 1}, True, 2),
    ],
)
def test_a_case_lands_after_what_was_really_said(
    rungs: tuple[Rung, ...], said: dict[Tone, int], notices_over: bool, place: int
) -> None:
    assert landing(rungs, said=Counter(said), notices_over=notices_over) == place
