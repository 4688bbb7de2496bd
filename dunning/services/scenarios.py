"""Scenarios: the default ladder, and which version a new case follows."""

from uuid import UUID

from django.db import transaction

from cabinets.scoping import current_scope
from dunning.enums import Channel, Tone
from dunning.models import Scenario, ScenarioVersion, Step
from templates_lib.library import library

# engine.md § 6: offset, tone, channel, days to answer.
DEFAULT_LADDER: tuple[tuple[int, Tone, Channel, int], ...] = (
    (3, Tone.COURTEOUS, Channel.EMAIL, 7),
    (10, Tone.SOLUTIONS, Channel.EMAIL, 2),
    (30, Tone.FIRM, Channel.EMAIL, 7),
    (45, Tone.FORMAL, Channel.REGISTERED, 8),
)


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
def publish(
    *, scenario: Scenario, ladder: tuple[tuple[int, Tone, Channel, int], ...], min_gap_days: int = 7
) -> ScenarioVersion:
    """Write a new version of a scenario; cases in flight stay on theirs."""
    last = scenario.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = ScenarioVersion(
        scenario=scenario, number=last + 1, min_gap_days=min_gap_days, created_by_id=current_scope().member_id
    )
    version.save(force_insert=True)
    written = {(text.step.value, text.channel.value) for text in library()}
    Step.objects.bulk_create(
        Step(
            version=version,
            rank=rank,
            offset_days=offset,
            tone=tone,
            channel=channel,
            answer_days=days,
            is_written=(tone.value, channel.value) in written,
        )
        for rank, (offset, tone, channel, days) in enumerate(ladder, start=1)
    )
    return version


def version_for(*, kind: str) -> tuple[ScenarioVersion, list[Step]]:
    """Return the version a new case of this client kind follows, with its steps; asked once per scope and kind."""
    own = ScenarioVersion.objects.filter(scenario__client_kind=kind, scenario__is_archived=False)
    version = own.order_by("-number").first() or default_scenario()
    return version, list(Step.objects.filter(version=version))


def steps_of(*, version_id: UUID) -> list[Step]:
    """Return the rungs of a version, lowest first."""
    return list(Step.objects.filter(version=version_id).order_by("rank"))
