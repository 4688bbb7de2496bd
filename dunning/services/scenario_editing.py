"""Acts on scenarios: write one, publish a version, say who follows it, archive it. Cases in flight never move here."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.enums import ClientKind, Right
from cabinets.models import Dossier, Membership
from cabinets.permissions import ensure
from dunning.errors import ScenarioError
from dunning.models import Scenario, ScenarioChoice, ScenarioVersion
from dunning.rungs import Rung, faults_of, in_order
from dunning.services.scenarios import publish, rungs_of, same_area, steps_of

MOST_SCENARIOS = 50


@transaction.atomic
def create(*, name: str, rungs: Sequence[Rung], by: Membership) -> Scenario:
    """Open a scenario that nobody follows yet, with its first version."""
    ensure(by, Right.EDIT_TEXTS)
    scenario = Scenario(name=_free_name(name))
    if Scenario.objects.filter(is_archived=False).count() >= MOST_SCENARIOS:
        raise ScenarioError(f"Un cabinet a {MOST_SCENARIOS} scénarios au plus : archivez-en un.", field="name")
    scenario.save(force_insert=True)
    journal.record("scenario.created", scenario)
    _publish(scenario, rungs, min_gap_days=7, note="", by=by)
    return scenario


@transaction.atomic
def keep(
    *, scenario_id: UUID, rungs: Sequence[Rung], min_gap_days: int, note: str, read: int, by: Membership
) -> ScenarioVersion:
    """Publish a new version; `read` is the number of the version the person changed. Cases in flight stay on theirs."""
    ensure(by, Right.EDIT_TEXTS)
    scenario = _lock(scenario_id)
    last = scenario.versions.order_by("-number").first()
    if last is not None and last.number != read:
        raise ScenarioError(
            f"Une autre personne a enregistré la version {last.number} entre-temps. Rien n’a été enregistré :"
            " rouvrez la page pour partir de la sienne."
        )
    written = in_order(rungs)
    known = in_order(rungs_of(steps_of(version_id=last.pk))) if last is not None else ()
    if last is not None and last.min_gap_days == min_gap_days and known == written:
        raise ScenarioError("Rien n’a changé : aucune version n’a été créée.")
    return _publish(scenario, written, min_gap_days=min_gap_days, note=note.strip(), by=by)


@transaction.atomic
def rename(*, scenario_id: UUID, name: str, by: Membership) -> None:
    """Give a scenario another name."""
    ensure(by, Right.EDIT_TEXTS)
    scenario = _lock(scenario_id)
    scenario.name = _free_name(name, apart_from=scenario.pk)
    scenario.save(update_fields=["name"])
    journal.record("scenario.changed", scenario, fields=["name"])


@transaction.atomic
def assign(*, scenario_id: UUID, client_kind: str, practice_area: str, by: Membership) -> None:
    """Say which kind of client and which practice area a scenario serves; new invoices follow it from then on."""
    ensure(by, Right.EDIT_TEXTS)
    scenario = _lock(scenario_id)
    kind = ClientKind(client_kind).value if client_kind else ""
    area = " ".join(practice_area.split())
    for other in Scenario.objects.filter(is_archived=False).exclude(pk=scenario.pk):
        if kind and other.client_kind == kind:
            raise ScenarioError(f"« {other.name} » sert déjà cette qualité de client.", field="client_kind")
        if area and same_area(other.practice_area) == same_area(area):
            raise ScenarioError(f"« {other.name} » sert déjà ce domaine.", field="practice_area")
    scenario.client_kind, scenario.practice_area = kind, area
    scenario.save(update_fields=["client_kind", "practice_area"])
    journal.record("scenario.assigned", scenario, kind=kind, has_area=bool(area))


@transaction.atomic
def make_default(*, scenario_id: UUID, by: Membership) -> None:
    """Let every new invoice nobody else claims follow this scenario."""
    ensure(by, Right.EDIT_TEXTS)
    scenario = _lock(scenario_id)
    Scenario.objects.filter(is_default=True).exclude(pk=scenario.pk).update(is_default=False)
    scenario.is_default = True
    scenario.save(update_fields=["is_default"])
    journal.record("scenario.made_default", scenario)


@transaction.atomic
def archive(*, scenario_id: UUID, by: Membership) -> None:
    """Let no new invoice follow a scenario; those that follow it already go on to its end."""
    ensure(by, Right.EDIT_TEXTS)
    scenario = _lock(scenario_id)
    if scenario.is_default:
        raise ScenarioError("Le scénario par défaut ne s’archive pas : choisissez-en un autre par défaut d’abord.")
    ScenarioChoice.objects.filter(scenario=scenario).delete()
    scenario.is_archived, scenario.client_kind, scenario.practice_area = True, "", ""
    scenario.save(update_fields=["is_archived", "client_kind", "practice_area"])
    journal.record("scenario.archived", scenario)


@transaction.atomic
def choose(*, dossier: Dossier, scenario_id: UUID | None, by: Membership) -> None:
    """Let a dossier's next invoices follow a scenario of its own, or the one its firm gives it."""
    ensure(by, Right.EDIT_TEXTS)
    if scenario_id is None:
        ScenarioChoice.objects.filter(dossier=dossier).delete()
        journal.record("dossier.scenario_chosen", dossier, scenario="")
        return
    scenario = _lock(scenario_id)
    ScenarioChoice.objects.update_or_create(
        dossier=dossier, defaults={"scenario": scenario, "chosen_by_id": by.pk, "cabinet_id": dossier.cabinet_id}
    )
    journal.record("dossier.scenario_chosen", dossier, scenario=str(scenario.pk))


def refuse_faults(rungs: Sequence[Rung], *, min_gap_days: int) -> None:
    """Refuse a ladder that may not be published, with the first reason."""
    if faults := faults_of(rungs, min_gap_days=min_gap_days):
        raise ScenarioError(faults[0].sentence)


def signers() -> list[Membership]:
    """Return the people who may sign a step: those who approve formal notices."""
    members = Membership.objects.filter(is_active=True).select_related("user").order_by("joined_at", "pk")
    return [member for member in members if member.can(Right.APPROVE_FORMAL_NOTICES)]


def _publish(
    scenario: Scenario, rungs: Sequence[Rung], *, min_gap_days: int, note: str, by: Membership
) -> ScenarioVersion:
    written = in_order(rungs)
    refuse_faults(written, min_gap_days=min_gap_days)
    known = {member.pk for member in signers()}
    if any(rung.signed_by_id is not None and rung.signed_by_id not in known for rung in written):
        raise ScenarioError("Le signataire d’une étape est un avocat du cabinet : choisissez-en un autre.")
    version = publish(scenario=scenario, ladder=written, min_gap_days=min_gap_days, note=note)
    journal.record("scenario.published", scenario, number=version.number, steps=len(written))
    return version


def _lock(scenario_id: UUID) -> Scenario:
    scenario = Scenario.objects.select_for_update(of=("self",)).get(pk=scenario_id)
    if scenario.is_archived:
        raise ScenarioError("Ce scénario est archivé : il ne change plus.")
    return scenario


def _free_name(name: str, *, apart_from: UUID | None = None) -> str:
    words = " ".join(name.split())
    if not words:
        raise ScenarioError("Donnez un nom au scénario.", field="name")
    others = Scenario.objects.filter(is_archived=False).values_list("pk", "name")
    if words.casefold() in {other.casefold() for other_id, other in others if other_id != apart_from}:
        raise ScenarioError("Un autre scénario porte déjà ce nom.", field="name")
    return words
