"""Scenarios: the list, one ladder and its versions, who follows it, the coming weeks."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Dossier
from cabinets.permissions import requires
from dunning.errors import ScenarioError
from dunning.forms.scenarios import AssignForm, ChoiceForm, LadderForm, NewScenarioForm
from dunning.models import Scenario, ScenarioChoice, ScenarioVersion
from dunning.presenting import plural
from dunning.rungs import Rung, in_order
from dunning.services import migrating, scenario_editing
from dunning.services.reading import forecasts
from dunning.services.reading import scenarios as reading
from dunning.services.scenarios import default_scenario, rungs_of, steps_of, versions_for
from dunning.services.simulate import HORIZONS
from invoices.models import Invoice

page = require_http_methods(["GET", "POST"])
REFUSED = 422
PREVIEW, SAVE = "apercu", "enregistrer"


@require_GET
@requires(Right.SEE_INVOICES)
def scenarios(request: CabinetRequest) -> HttpResponse:
    """List the firm's ladders: whom each serves, how many cases run on each version."""
    rows = reading.listed()
    may_edit = request.member.can(Right.EDIT_TEXTS)
    return render(request, "dunning/scenarios.html", {"rows": rows, "may_edit": may_edit})


@page
@requires(Right.EDIT_TEXTS)
def scenario_add(request: CabinetRequest) -> HttpResponse:
    """Open a scenario from a ready ladder."""
    form = NewScenarioForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = scenario_editing.create(name=form.cleaned_data["name"], rungs=form.rungs(), by=request.member)
        except ScenarioError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Le scénario est créé. Personne ne le suit encore : dites à qui il s’applique.")
            return redirect("scenario", made.pk)
    return render(request, "dunning/scenario_add.html", {"form": form}, status=REFUSED if form.errors else None)


@page
@never_cache
@requires(Right.EDIT_TEXTS)
def scenario(request: CabinetRequest, scenario_id: UUID) -> HttpResponse:
    """Show a ladder, change it step by step, see what a change changes, publish it as a new version."""
    found, last = _found(scenario_id)
    steps = steps_of(version_id=last.pk)
    rated = frozenset(rung.tone for rung in rungs_of(steps) if rung.needs_rate)
    ladder = LadderForm(signers=scenario_editing.signers(), rated=rated)
    context: dict[str, object] = {"scenario": found, "version": last, "ladder": ladder}
    if request.method == "POST":
        act = request.POST.get("acte", PREVIEW)
        rungs = ladder.read(request.POST) if act in {PREVIEW, SAVE} else None
        if act not in {PREVIEW, SAVE}:
            ladder.change(request.POST, act)
        elif rungs is not None and act == SAVE and _saved(request, found, ladder, rungs):
            return redirect("scenario", found.pk)
        elif rungs is not None:
            gap = ladder.min_gap_days
            context["changes"] = reading.changes(in_order(rungs_of(steps)), rungs)
            context["difference"] = forecasts.difference(
                cabinet=request.cabinet, scenario=found, rungs=rungs, min_gap_days=gap
            )
    else:
        ladder.show(rungs_of(steps), min_gap_days=last.min_gap_days)
    context |= {
        "versions": found.versions.select_related("created_by__user").order_by("-number"),
        "behind": migrating.movable(to=last).count(),
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/scenario.html", context, status=REFUSED if ladder.errors else None)


@page
@requires(Right.EDIT_TEXTS)
def scenario_assign(request: CabinetRequest, scenario_id: UUID) -> HttpResponse:
    """Say whom a scenario serves, and how it is called."""
    found, _ = _found(scenario_id)
    initial = {"name": found.name, "client_kind": found.client_kind, "practice_area": found.practice_area}
    form = AssignForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            if values["name"] != found.name:
                scenario_editing.rename(scenario_id=found.pk, name=values["name"], by=request.member)
            scenario_editing.assign(
                scenario_id=found.pk,
                client_kind=values["client_kind"],
                practice_area=values["practice_area"],
                by=request.member,
            )
        except ScenarioError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "C’est enregistré. Les prochaines factures en tiennent compte.")
            return redirect("scenarios")
    context = {"form": form, "scenario": found}
    return render(request, "dunning/scenario_assign.html", context, status=REFUSED if form.errors else None)


@require_POST
@requires(Right.EDIT_TEXTS)
def scenario_default(request: CabinetRequest, scenario_id: UUID) -> HttpResponse:
    """Let every other new invoice follow this scenario."""
    found, _ = _found(scenario_id)
    try:
        scenario_editing.make_default(scenario_id=found.pk, by=request.member)
    except ScenarioError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"« {found.name} » est le scénario par défaut. Les suivis en cours ne changent pas.")
    return redirect("scenarios")


@page
@requires(Right.EDIT_TEXTS)
def scenario_archive(request: CabinetRequest, scenario_id: UUID) -> HttpResponse:
    """Confirm, then let no new invoice follow a scenario."""
    found, _ = _found(scenario_id)
    if request.method == "POST":
        try:
            scenario_editing.archive(scenario_id=found.pk, by=request.member)
        except ScenarioError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"« {found.name} » est archivé. Les suivis en cours vont à leur terme.")
        return redirect("scenarios")
    context = {
        "title": f"Archiver « {found.name} » ?",
        "text": "Plus aucune nouvelle facture ne le suit, et les dossiers qui l’avaient choisi suivent celui que le"
        " cabinet leur donne. Les suivis en cours vont à leur terme.",
        "label": "Archiver",
        "back_url": "/scenarios/",
    }
    return render(request, "confirm.html", context)


@page
@never_cache
@requires(Right.EDIT_TEXTS)
def scenario_migration(request: CabinetRequest, scenario_id: UUID) -> HttpResponse:
    """Show where each case in flight would land on the newest version, and move those that are chosen."""
    found, last = _found(scenario_id)
    if request.method == "POST":
        ids = [UUID(one) for one in request.POST.getlist("case") if _is_uuid(one)]
        count = migrating.move(case_ids=ids, to=last, by=request.member)
        moved = plural(count, "suivi a changé", "suivis ont changé")
        messages.success(request, f"{moved} de version. Chacun reprend après ce qui a déjà été dit.")
        return redirect("scenario_migration", found.pk)
    landings, count = reading.landings(to=last, on=request.cabinet.today())
    journal.listed(Invoice, "scenario_migration", count=len(landings))
    after = in_order(rungs_of(steps_of(version_id=last.pk)))
    behind = {one.standing.case.version_id: one.version for one in landings}
    context = {
        "scenario": found,
        "version": last,
        "landings": landings,
        "count": count,
        "today": request.cabinet.today(),
        "versions": [
            (
                f"De la version {number} à la version {last.number}",
                reading.changes(in_order(rungs_of(steps_of(version_id=version_id))), after),
            )
            for version_id, number in sorted(behind.items(), key=lambda pair: -pair[1])
        ],
    }
    return render(request, "dunning/scenario_migration.html", context)


@page
@requires(Right.EDIT_TEXTS)
def dossier_scenario(request: CabinetRequest, dossier_id: UUID) -> HttpResponse:
    """Choose the ladder a dossier's next invoices follow."""
    dossier = get_object_or_404(Dossier.objects.select_related("client"), pk=dossier_id)
    open_ones = Scenario.objects.filter(is_archived=False).order_by("name")
    chosen = ScenarioChoice.objects.filter(dossier=dossier).values_list("scenario_id", flat=True).first()
    form = ChoiceForm(request.POST or None, scenarios=list(open_ones), initial={"scenario": str(chosen or "")})
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["scenario"]
        scenario_editing.choose(dossier=dossier, scenario_id=UUID(wanted) if wanted else None, by=request.member)
        messages.success(request, "Le scénario des prochaines factures de ce dossier est choisi.")
        return redirect("dossier", dossier.pk)
    journal.seen(dossier, "dossier_scenario")
    version, steps = versions_for(dossiers=[dossier])[dossier.pk]
    context = {"form": form, "dossier": dossier, "current": version.scenario, "rungs": rungs_of(steps)}
    return render(request, "dunning/dossier_scenario.html", context, status=REFUSED if form.errors else None)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def simulation(request: CabinetRequest) -> HttpResponse:
    """Show what would leave in the coming weeks, what would wait, and what would be held by which rule."""
    asked = request.GET.get("jours", "")
    days = int(asked) if asked in {str(one) for one in HORIZONS} else HORIZONS[1]
    gives_accords = request.GET.get("accords") != "0"
    weeks = forecasts.weeks(cabinet=request.cabinet, days=days, gives_accords=gives_accords)
    journal.listed(Invoice, "simulation", count=weeks.messages)
    context = {"weeks": weeks, "days": days, "horizons": HORIZONS, "gives_accords": gives_accords}
    return render(request, "dunning/simulation.html", {**context, "is_live": request.cabinet.is_live})


def _found(scenario_id: UUID) -> tuple[Scenario, ScenarioVersion]:
    found = get_object_or_404(Scenario, pk=scenario_id)
    last = found.versions.order_by("-number").first()
    return found, last or default_scenario()


def _saved(request: CabinetRequest, found: Scenario, ladder: LadderForm, rungs: Sequence[Rung]) -> bool:
    try:
        version = scenario_editing.keep(
            scenario_id=found.pk,
            rungs=rungs,
            min_gap_days=ladder.min_gap_days,
            note=ladder.note,
            read=int(request.POST.get("version", "0")) if request.POST.get("version", "").isdecimal() else 0,
            by=request.member,
        )
    except ScenarioError as refusal:
        ladder.gap.add_error(None, str(refusal))
        return False
    messages.success(request, f"La version {version.number} est enregistrée. Les suivis en cours restent sur la leur.")
    return True


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
