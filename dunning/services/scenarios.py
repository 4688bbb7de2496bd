"""Scenarios: the default ladder, and which version a new case follows."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery

from cabinets.models import Dossier
from cabinets.scoping import current_scope
from dunning.enums import Channel, Tone
from dunning.models import Scenario, ScenarioChoice, ScenarioVersion, Step
from dunning.rungs import DEFAULT_LADDER, Rung


@transaction.atomic
def default_scenario() -> ScenarioVersion:
    """Return the newest version of the firm's default ladder; write J+3, J+10, J+30, J+45 the first time."""
    known = ScenarioVersion.objects.filter(scenario__is_default=True).order_by("-number").first()
    if known is not None:
        return known
    scenario = Scenario(name="Relance en quatre étapes", is_default=True)
    scenario.save(force_insert=True)
    return publish(scenario=scenario, ladder=DEFAULT_LADDER)


@transaction.atomic
def publish(*, scenario: Scenario, ladder: Sequence[Rung], min_gap_days: int = 7, note: str = "") -> ScenarioVersion:
    """Write a new version of a scenario; cases in flight stay on theirs."""
    last = scenario.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = ScenarioVersion(
        scenario=scenario,
        number=last + 1,
        min_gap_days=min_gap_days,
        note=note,
        created_by_id=current_scope().member_id,
    )
    version.save(force_insert=True)
    Step.objects.bulk_create(
        Step(version=version, rank=rank, **{**asdict(rung), "companions": list(rung.companions)})
        for rank, rung in enumerate(ladder, start=1)
    )
    return version


Ladder = tuple[ScenarioVersion, list[Step]]


def versions_for(*, dossiers: Collection[Dossier]) -> dict[UUID, Ladder]:
    """Return the ladder a new invoice of each dossier follows, with its steps: three queries, however many they are.

    The dossier's own choice wins, then its practice area's, then its kind of client's, then the default one.
    """
    newest = ScenarioVersion.objects.filter(scenario=OuterRef("scenario")).order_by("-number").values("number")[:1]
    versions = ScenarioVersion.objects.filter(scenario__is_archived=False, number=Subquery(newest))
    found = {version.scenario_id: version for version in versions.select_related("scenario")}
    if not any(version.scenario.is_default for version in found.values()):
        default = default_scenario()
        found[default.scenario_id] = default
    chosen = dict(
        ScenarioChoice.objects.filter(dossier__in=[one.pk for one in dossiers]).values_list("dossier_id", "scenario_id")
    )
    own = {dossier_id: found[scenario_id] for dossier_id, scenario_id in chosen.items() if scenario_id in found}
    picked = {one.pk: own.get(one.pk) or _pick(one, list(found.values())) for one in dossiers}
    steps: dict[UUID, list[Step]] = {}
    for step in Step.objects.filter(version__in={version.pk for version in picked.values()}).order_by("rank"):
        steps.setdefault(step.version_id, []).append(step)
    return {dossier_id: (version, steps.get(version.pk, [])) for dossier_id, version in picked.items()}


def _pick(dossier: Dossier, versions: Sequence[ScenarioVersion]) -> ScenarioVersion:
    area = same_area(dossier.practice_area)
    by_area = [one for one in versions if area and same_area(one.scenario.practice_area) == area]
    by_kind = [one for one in versions if one.scenario.client_kind == dossier.kind]
    by_default = [one for one in versions if one.scenario.is_default]
    return next(iter([*by_area, *by_kind, *by_default]))


def same_area(words: str) -> str:
    """Return a practice area as two spellings of it compare: without case nor spare spaces."""
    return " ".join(words.split()).casefold()


def steps_of(*, version_id: UUID) -> list[Step]:
    """Return the rungs of a version, lowest first."""
    return list(Step.objects.filter(version=version_id).order_by("rank"))


def rungs_of(steps: Sequence[Step]) -> tuple[Rung, ...]:
    """Return published steps as the rungs they were written from."""
    return tuple(
        Rung(
            offset_days=step.offset_days,
            tone=Tone(step.tone),
            channel=Channel(step.channel),
            answer_days=step.answer_days,
            companions=tuple(Channel(one) for one in step.companions),
            answer_days_others=step.answer_days_others,
            needs_approval=step.needs_approval,
            signed_by_id=step.signed_by_id,
            needs_rate=step.needs_rate,
        )
        for step in steps
    )
