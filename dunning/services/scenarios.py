"""Scenarios: the default ladder, and which version a new case follows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import transaction

from cabinets.scoping import current_scope
from dunning.enums import Channel, Tone
from dunning.models import Scenario, ScenarioVersion, Step


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


# engine.md § 6.
DEFAULT_LADDER: tuple[Rung, ...] = (
    Rung(offset_days=3, tone=Tone.COURTEOUS),
    Rung(offset_days=10, tone=Tone.SOLUTIONS, answer_days=2, companions=(Channel.SMS,)),
    Rung(offset_days=30, tone=Tone.FIRM, companions=(Channel.SMS,)),
    Rung(
        offset_days=45,
        tone=Tone.FORMAL,
        channel=Channel.REGISTERED,
        answer_days=8,
        answer_days_others=15,
        companions=(Channel.EMAIL,),
    ),
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


def version_for(*, kind: str) -> tuple[ScenarioVersion, list[Step]]:
    """Return the version a new case of this client kind follows, with its steps; asked once per scope and kind."""
    own = ScenarioVersion.objects.filter(scenario__client_kind=kind, scenario__is_archived=False)
    version = own.order_by("-number").first() or default_scenario()
    return version, list(Step.objects.filter(version=version))


def steps_of(*, version_id: UUID) -> list[Step]:
    """Return the rungs of a version, lowest first."""
    return list(Step.objects.filter(version=version_id).order_by("rank"))
