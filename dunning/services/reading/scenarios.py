"""Scenarios as their pages show them: who follows what, what a change changes, where each case would land."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from cabinets.enums import ClientKind
from cabinets.sealing import open_together
from dunning.enums import Channel, Tone
from dunning.models import DunningCase, Scenario, ScenarioChoice, ScenarioVersion, Step
from dunning.rungs import Rung
from dunning.services.migrating import Standing, movable, standings
from dunning.services.scenarios import rungs_of
from invoices.enums import InvoiceState

CASES_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One scenario of the list: its ladder, whom it serves, how many cases run on each of its versions."""

    scenario: Scenario
    number: int
    rungs: tuple[Rung, ...]
    serves: tuple[str, ...]
    flows: tuple[tuple[int, int], ...]

    @property
    def behind(self) -> int:
        """Return how many open cases follow an older version."""
        return sum(count for number, count in self.flows if number != self.number)


@dataclass(frozen=True, slots=True)
class Change:
    """One step before and after: what happens to it."""

    what: str
    tone: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Landing:
    """One case of the migration page, in words."""

    standing: Standing
    client: str
    number: str
    version: int
    here: str
    there: str


def listed() -> list[Row]:
    """Return the firm's scenarios, the default one first, in five queries."""
    scenarios = list(Scenario.objects.order_by("is_archived", "-is_default", "name", "pk"))
    versions = list(ScenarioVersion.objects.order_by("number"))
    newest = {version.scenario_id: version for version in versions}
    steps: dict[UUID, list[Step]] = {}
    for step in Step.objects.filter(version__in=[version.pk for version in newest.values()]).order_by("rank"):
        steps.setdefault(step.version_id, []).append(step)
    open_cases = DunningCase.objects.filter(invoice__state=InvoiceState.OPEN)
    counts = dict(open_cases.values_list("version").annotate(number=Count("pk")))
    dossiers = dict(ScenarioChoice.objects.values_list("scenario").annotate(number=Count("pk")))
    flows: dict[UUID, list[tuple[int, int]]] = {}
    for version in reversed(versions):
        if counts.get(version.pk):
            flows.setdefault(version.scenario_id, []).append((version.number, counts[version.pk]))
    return [
        Row(
            scenario=one,
            number=newest[one.pk].number,
            rungs=rungs_of(steps.get(newest[one.pk].pk, [])),
            serves=_serves(one, dossiers.get(one.pk, 0)),
            flows=tuple(flows.get(one.pk, [])),
        )
        for one in scenarios
        if one.pk in newest
    ]


def _serves(scenario: Scenario, dossiers: int) -> tuple[str, ...]:
    words = []
    if dossiers:
        words.append(f"{dossiers} dossier{'s' if dossiers > 1 else ''} choisi{'s' if dossiers > 1 else ''}")
    if scenario.practice_area:
        words.append(f"domaine : {scenario.practice_area}")
    if scenario.client_kind:
        words.append(f"qualité : {ClientKind(scenario.client_kind).label.lower()}")
    if scenario.is_default:
        words.append("tous les autres")
    return tuple(words)


def rung_words(rung: Rung) -> str:
    """Return "J+10, e-mail puis SMS, réponse sous 2 jours, accord demandé"."""
    ways = [Channel(one).label for one in (rung.channel, *rung.companions)]
    words = [rung.day, f"{ways[0][0].lower()}{ways[0][1:]}" + "".join(f" puis {_small(way)}" for way in ways[1:])]
    words.append(f"réponse sous {rung.answer_days} jours")
    if rung.answer_days_others is not None and rung.answer_days_others != rung.answer_days:
        words.append(f"{rung.answer_days_others} pour les non-professionnels")
    if rung.needs_approval:
        words.append("accord demandé")
    return ", ".join(words)


def _small(label: str) -> str:
    return label if label.isupper() else f"{label[0].lower()}{label[1:]}"


def changes(before: Sequence[Rung], after: Sequence[Rung]) -> list[Change]:
    """Compare two ladders step by step: the n-th step of a tone with the n-th step of that tone."""
    was, now = _placed(before), _placed(after)
    rows = []
    for tone, place in sorted({*was, *now}, key=lambda key: (list(Tone).index(key[0]), key[1])):
        old, new = was.get((tone, place)), now.get((tone, place))
        what = "Ajoutée" if old is None else "Retirée" if new is None else "Inchangée" if old == new else "Modifiée"
        rows.append(Change(what, tone.label, rung_words(old) if old else "", rung_words(new) if new else ""))
    return rows


def _placed(rungs: Sequence[Rung]) -> dict[tuple[Tone, int], Rung]:
    met: Counter[Tone] = Counter()
    placed = {}
    for rung in rungs:
        placed[rung.tone, met[rung.tone]] = rung
        met[rung.tone] += 1
    return placed


def landings(*, to: ScenarioVersion, on: dt.date, dossier_id: UUID | None = None) -> tuple[list[Landing], int]:
    """Return the first two hundred cases behind this version with where each would land, and how many there are."""
    cases = movable(to=to)
    if dossier_id is not None:
        cases = cases.filter(invoice__dossier=dossier_id)
    count = cases.count()
    shown = list(cases.select_related("invoice__client", "version").order_by("next_action_on", "pk")[:CASES_SHOWN])
    open_together([case.invoice.client for case in shown])
    return [_landing(one) for one in standings(to=to, cases=shown, on=on)], count


def _landing(one: Standing) -> Landing:
    return Landing(
        standing=one,
        client=one.case.invoice.client.display_name,
        number=one.case.invoice.number,
        version=one.case.version.number,
        here=_step_words(one.here),
        there=_step_words(one.there),
    )


def _step_words(step: Step | None) -> str:
    return f"{step}, {Tone(step.tone).label.lower()}" if step is not None else "Toutes les étapes sont faites"
