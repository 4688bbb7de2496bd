"""Scenarios: written step by step, published as versions, followed by whom they serve, migrated case by case."""

import datetime as dt
import html
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import ClientKind, Role
from cabinets.models import Cabinet, JournalEntry, Membership
from dunning.enums import ReminderState, Tone
from dunning.errors import ScenarioError
from dunning.models import DunningCase, ReminderLine, Scenario, ScenarioChoice, ScenarioVersion, Step
from dunning.rungs import EXPRESS_LADDER, Rung
from dunning.services import migrating, scenario_editing
from dunning.services.scenarios import default_scenario, publish, rungs_of, steps_of, versions_for
from invoices.ports import ladder
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
SHORT = (Rung(offset_days=5, tone=Tone.COURTEOUS), Rung(offset_days=20, tone=Tone.FIRM))


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode()).replace("\u00a0", " ")


def typed(rungs: tuple[Rung, ...], *, act: str, version: int = 1, gap: int = 7, note: str = "") -> dict[str, Any]:
    data: dict[str, Any] = {
        "acte": act, "etapes": str(len(rungs)), "version": str(version), "min_gap_days": str(gap), "note": note,
    }  # fmt: skip
    for place, rung in enumerate(rungs):
        data |= {
            f"e{place}-offset_days": str(rung.offset_days),
            f"e{place}-tone": rung.tone.value,
            f"e{place}-channel": rung.channel.value,
            f"e{place}-companions": [channel.value for channel in rung.companions],
            f"e{place}-answer_days": str(rung.answer_days),
            f"e{place}-answer_days_others": str(rung.answer_days_others or ""),
            f"e{place}-signed_by": "",
        }
        if rung.needs_approval:
            data[f"e{place}-needs_approval"] = "on"
    return data


def url_of(version: ScenarioVersion, rest: str = "") -> str:
    return f"/scenarios/{version.scenario_id}/{rest}"


def new_scenario(name: str, rungs: tuple[Rung, ...] = SHORT, **facts: Any) -> ScenarioVersion:
    scenario = Scenario(name=name, **facts)
    scenario.save(force_insert=True)
    return publish(scenario=scenario, ladder=rungs)


def test_publishing_writes_a_new_version_and_moves_no_case(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    case = make_case()

    answer = browse(owner).post(url_of(case.version), typed(EXPRESS_LADDER, act="enregistrer", note="Plus court"))

    case.refresh_from_db()
    newest = default_scenario()
    assert answer.status_code == 302
    assert (newest.number, newest.note, newest.created_by_id) == (2, "Plus court", owner.pk)
    written = rungs_of(steps_of(version_id=newest.pk))
    assert written == (*EXPRESS_LADDER[:2], replace(EXPRESS_LADDER[2], needs_approval=True))
    assert (case.version.number, Step.objects.filter(version=case.version).count()) == (1, 4)
    assert JournalEntry.objects.get(event="scenario.published").facts == {"number": 2, "steps": 3}


def test_a_faulty_ladder_is_refused_with_its_reasons_and_nothing_is_written(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    version = default_scenario()
    wrong = (Rung(offset_days=3, tone=Tone.FIRM), Rung(offset_days=6, tone=Tone.COURTEOUS))

    answer = browse(owner).post(url_of(version), typed(wrong, act="enregistrer"))

    page = text_of(answer)
    assert answer.status_code == 422
    assert "J+6 : Il faut au moins 7 jours après J+3" in page
    assert "J+6 : Le ton ne redescend pas" in page
    assert ScenarioVersion.objects.count() == 1


def test_a_number_that_is_none_is_refused_in_words(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    version = default_scenario()

    answer = browse(owner).post(
        url_of(version), {**typed(SHORT, act="enregistrer"), "e0-offset_days": "bientôt", "e1-tone": "rude"}
    )

    assert answer.status_code == 422
    assert "Jour à préciser : Écrivez un nombre de jours, par exemple 10." in text_of(answer)
    assert ScenarioVersion.objects.count() == 1


def test_two_people_who_publish_at_once_do_not_overwrite_each_other(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    version = default_scenario()
    browser = browse(owner)
    browser.post(url_of(version), typed(SHORT, act="enregistrer"))

    answer = browser.post(url_of(version), typed(EXPRESS_LADDER, act="enregistrer", version=1))

    assert answer.status_code == 422
    assert "Une autre personne a enregistré la version 2 entre-temps." in text_of(answer)
    assert ScenarioVersion.objects.count() == 2


def test_saving_without_a_change_makes_no_version(cabinet: Cabinet, owner: Membership) -> None:
    version = default_scenario()

    kept = rungs_of(steps_of(version_id=version.pk))
    scenario_editing.keep(
        scenario_id=version.scenario_id, rungs=SHORT, min_gap_days=7, note="", read=version.number, by=owner
    )

    with pytest.raises(ScenarioError, match="Rien n’a changé"):
        scenario_editing.keep(
            scenario_id=version.scenario_id, rungs=SHORT, min_gap_days=7, note="", read=version.number + 1, by=owner
        )

    assert (len(kept), ScenarioVersion.objects.count()) == (4, 2)


def test_steps_are_added_removed_and_moved_by_buttons_alone(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    version, browser = default_scenario(), browse(owner)

    pages = {
        act: browser.post(url_of(version), typed(SHORT, act=act))
        for act in ("ajouter", "retirer-0", "avant-1", "apres-0", "retirer-9", "nonsense")
    }

    days = {
        act: [(step["offset_days"].value(), step["tone"].value()) for step in page.context["ladder"].steps]
        for act, page in pages.items()
    }
    assert {act: page.status_code for act, page in pages.items()} == dict.fromkeys(pages, 200)
    assert days["ajouter"] == [("5", "courteous"), ("20", "firm"), (27, "firm")]
    assert days["retirer-0"] == [("20", "firm")]
    assert days["avant-1"] == days["apres-0"] == [("5", "firm"), ("20", "courteous")]
    assert days["retirer-9"] == days["nonsense"] == [("5", "courteous"), ("20", "firm")]
    assert ScenarioVersion.objects.count() == 1


def test_shows_what_a_change_changes_before_it_is_saved(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client = make_client(company="Atelier Nord")
    invoice = make_invoice(client=client, due_on=TODAY - dt.timedelta(days=3))
    ladder().enter(invoice_ids=[invoice.pk], on=TODAY)

    answer = browse(owner).post(url_of(default_scenario()), typed(SHORT, act="apercu"))

    page, difference = text_of(answer), answer.context["difference"]
    assert answer.status_code == 200
    assert [(change.what, change.tone) for change in answer.context["changes"]] == [
        ("Modifiée", "Rappel courtois"),
        ("Retirée", "Rappel avec solutions"),
        ("Modifiée", "Relance ferme"),
        ("Retirée", "Mise en demeure"),
    ]
    assert difference.messages == (3, 2)
    assert difference.clients == (
        (
            "Atelier Nord",
            (
                "24/11 rappel courtois (J+3)", "01/12 rappel avec solutions (J+10)", "21/12 relance ferme (J+30)",
            ),
            ("26/11 rappel courtois (J+5)", "11/12 relance ferme (J+20)"),
        ),
    )  # fmt: skip
    assert "Enregistrer une nouvelle version" in page
    assert (ScenarioVersion.objects.count(), DunningCase.objects.get().version.number) == (1, 1)


def test_each_step_leads_to_its_text_where_one_is_written(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    page = text_of(browse(owner).get(url_of(default_scenario())))

    links = [f'href="/modeles/{key}/"' for key in ("courteous-professional-email-fr", "formal-professional-letter-fr")]
    assert [link in page for link in links] == [True, True]


def test_a_dossier_goes_before_its_area_its_kind_and_the_default(cabinet: Cabinet, owner: Membership) -> None:
    default = default_scenario()
    by_kind = new_scenario("Particuliers", client_kind=ClientKind.CONSUMER)
    by_area = new_scenario("Social", practice_area="Droit du  travail")
    chosen = new_scenario("Choisi")
    archived = new_scenario("Ancien", is_archived=True, client_kind=ClientKind.PUBLIC)
    consumer = make_client(kind=ClientKind.CONSUMER)
    dossiers = {
        "default": make_dossier(),
        "kind": make_dossier(client=consumer),
        "area": make_dossier(client=consumer, practice_area="droit du Travail"),
        "dossier": make_dossier(client=consumer, practice_area="Droit du travail"),
        "archived": make_dossier(client=make_client(kind=ClientKind.PUBLIC)),
    }
    scenario_editing.choose(dossier=dossiers["dossier"], scenario_id=chosen.scenario_id, by=owner)

    found = versions_for(dossiers=dossiers.values())

    assert {name: found[dossier.pk][0] for name, dossier in dossiers.items()} == {
        "default": default, "kind": by_kind, "area": by_area, "dossier": chosen, "archived": default,
    }  # fmt: skip
    assert [step.offset_days for step in found[dossiers["kind"].pk][1]] == [5, 20]
    assert archived.pk not in {version.pk for version, _ in found.values()}


def test_asks_as_many_queries_for_one_dossier_as_for_five(cabinet: Cabinet) -> None:
    default_scenario()
    counts = []
    for number in (1, 5):
        dossiers = [make_dossier() for _ in range(number)]
        with CaptureQueriesContext(connection) as queries:
            versions_for(dossiers=dossiers)
        counts.append(len(queries))

    assert counts == [3, 3]


def test_new_invoices_follow_the_newest_version_of_their_dossiers_choice(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier()
    chosen = new_scenario("Choisi")
    browse(owner).post(f"/dossiers/{dossier.pk}/scenario/", {"scenario": str(chosen.scenario_id)})
    newer = publish(scenario=chosen.scenario, ladder=EXPRESS_LADDER)
    invoice = make_invoice(dossier=dossier)

    ladder().enter(invoice_ids=[invoice.pk], on=TODAY)

    assert DunningCase.objects.get(invoice=invoice).version == newer
    assert JournalEntry.objects.filter(event="dossier.scenario_chosen", subject_id=dossier.pk).count() == 1


def test_a_dossier_may_follow_its_firm_again(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    dossier = make_dossier()
    scenario_editing.choose(dossier=dossier, scenario_id=new_scenario("Choisi").scenario_id, by=owner)

    browse(owner).post(f"/dossiers/{dossier.pk}/scenario/", {"scenario": ""})

    assert ScenarioChoice.objects.count() == 0


def test_one_kind_and_one_area_are_served_once(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    new_scenario("Particuliers", client_kind=ClientKind.CONSUMER, practice_area="Famille")
    other = new_scenario("Autre")

    answers = [
        browse(owner).post(url_of(other, "affectation/"), {"name": "Autre", **values})
        for values in ({"client_kind": "consumer"}, {"practice_area": "famille "}, {"name": "particuliers"})
    ]

    other.scenario.refresh_from_db()
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert (other.scenario.name, other.scenario.client_kind, other.scenario.practice_area) == ("Autre", "", "")


def test_another_scenario_becomes_the_default_one_and_the_default_is_never_archived(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    first, second = default_scenario(), new_scenario("Courte")
    browser = browse(owner)
    browser.post(url_of(first, "archiver/"))
    first.scenario.refresh_from_db()
    kept = first.scenario.is_archived

    browser.post(url_of(second, "par-defaut/"))
    browser.post(url_of(first, "archiver/"))

    first.scenario.refresh_from_db()
    assert (kept, first.scenario.is_archived, default_scenario()) == (False, True, second)


def test_a_scenario_is_opened_from_a_ready_ladder(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browse(owner).post("/scenarios/nouveau/", {"name": "Express", "ready": "express"})

    version = ScenarioVersion.objects.get(scenario__name="Express")
    assert [step.offset_days for step in steps_of(version_id=version.pk)] == [7, 15, 30]


def said(case: DunningCase, *, days_ago: int) -> None:
    day = TODAY - dt.timedelta(days=days_ago)
    make_reminder(case, state=ReminderState.ACCEPTED, spoken_on=day)
    DunningCase.objects.filter(pk=case.pk).update(
        next_rank=case.next_rank + 1, last_step_on=day, next_action_on=day + dt.timedelta(days=7)
    )


def test_a_moved_case_goes_on_after_what_was_said_and_not_before_the_gap(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    invoice = make_invoice(due_on=TODAY - dt.timedelta(days=30))
    case = make_case(invoice=invoice)
    said(case, days_ago=2)
    newest = publish(scenario=case.version.scenario, ladder=EXPRESS_LADDER)
    browser = browse(owner)
    page = text_of(browser.get(url_of(newest, "migration/")))

    browser.post(url_of(newest, "migration/"), {"case": [str(case.pk), "nonsense"]})

    case.refresh_from_db()
    assert "J+10, rappel avec solutions" in page
    assert "J+15, relance ferme" in page
    assert (case.version, case.next_rank, case.next_action_on) == (newest, 2, TODAY + dt.timedelta(days=5))
    assert ReminderLine.objects.filter(case=case, is_current=False, counts=True).count() == 1
    line = JournalEntry.objects.get(event="invoice.ladder_changed")
    assert (line.subject_id, line.facts) == (invoice.pk, {"version": str(newest.pk), "number": 2})


def test_a_case_that_was_moved_is_planned_again_at_a_rank_it_had_met(cabinet: Cabinet, owner: Membership) -> None:
    case = make_case(invoice=make_invoice(due_on=TODAY - dt.timedelta(days=30)))
    said(case, days_ago=20)
    case.refresh_from_db()
    said(case, days_ago=10)
    newest = publish(scenario=case.version.scenario, ladder=EXPRESS_LADDER)

    migrating.move(case_ids=[case.pk], to=newest, by=owner)

    case.refresh_from_db()
    make_reminder(case)
    assert (case.next_rank, ReminderLine.objects.filter(invoice=case.invoice_id, rank=2).count()) == (2, 2)


def test_a_case_whose_message_is_on_its_way_stays_where_it_is(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    case = make_case()
    make_reminder(case, state=ReminderState.AWAITING_APPROVAL)
    newest = publish(scenario=case.version.scenario, ladder=EXPRESS_LADDER)

    browse(owner).post(url_of(newest, "migration/"), {"case": [str(case.pk)]})

    case.refresh_from_db()
    assert (case.version.number, case.next_rank) == (1, 1)
    assert JournalEntry.objects.filter(event="invoice.ladder_changed").count() == 0


def test_a_case_that_met_the_end_of_the_new_ladder_waits_for_nothing(cabinet: Cabinet, owner: Membership) -> None:
    case = make_case(rank=4)
    newest = publish(scenario=case.version.scenario, ladder=SHORT)

    migrating.move(case_ids=[case.pk], to=newest, by=owner)

    case.refresh_from_db()
    assert (case.version, case.next_rank, case.next_action_on) == (newest, 3, None)


def test_a_lawyer_moves_only_the_cases_they_see(cabinet: Cabinet, browse: Browse) -> None:
    lawyer = make_member(role=Role.LAWYER)
    mine, other = make_case(), make_case()
    assign(dossier=mine.invoice.dossier, member=lawyer)
    newest = publish(scenario=mine.version.scenario, ladder=SHORT)
    browser = browse(lawyer)
    page = text_of(browser.get(url_of(newest, "migration/")))

    browser.post(url_of(newest, "migration/"), {"case": [str(mine.pk), str(other.pk)]})

    assert (mine.invoice.number in page, other.invoice.number in page) == (True, False)
    assert [DunningCase.objects.get(pk=case.pk).version.number for case in (mine, other)] == [2, 1]


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.ACCOUNTANT])
def test_who_writes_no_text_reads_the_list_and_changes_nothing(cabinet: Cabinet, browse: Browse, role: Role) -> None:
    version, browser = default_scenario(), browse(make_member(role=role))

    listed = browser.get("/scenarios/")
    statuses = [
        browser.post(url).status_code
        for url in (
            url_of(version), url_of(version, "affectation/"), url_of(version, "par-defaut/"),
            url_of(version, "archiver/"), url_of(version, "migration/"), "/scenarios/nouveau/",
        )
    ]  # fmt: skip

    assert (listed.status_code, "Modifier les étapes" in text_of(listed)) == (200, False)
    assert statuses == [403] * 6
    assert ScenarioVersion.objects.count() == 1


def test_the_list_says_who_follows_what_and_on_which_version(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    case = make_case()
    publish(scenario=case.version.scenario, ladder=SHORT)
    make_case()
    scenario_editing.choose(dossier=case.invoice.dossier, scenario_id=new_scenario("Choisi").scenario_id, by=owner)

    page = text_of(browse(owner).get("/scenarios/"))

    assert "1 suivi en version 2, 1 suivi en version 1" in page
    assert "Passer 1 suivi à la version 2" in page
    assert "1 dossier choisi" in page


def test_the_list_asks_as_many_queries_for_one_scenario_as_for_five(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser, counts = browse(owner), []
    default_scenario()
    for added in (0, 4):
        for number in range(added):
            new_scenario(f"Autre {number}")
        browser.get("/scenarios/")
        with CaptureQueriesContext(connection) as queries:
            browser.get("/scenarios/")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_simulation_shows_what_leaves_and_what_is_held(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    for company, facts in (("Atelier Nord", {}), ("Garage Sud", {"is_never_reminded": True})):
        invoice = make_invoice(client=make_client(company=company, **facts), due_on=TODAY - dt.timedelta(days=3))
        ladder().enter(invoice_ids=[invoice.pk], on=TODAY)

    answer = browse(owner).get("/scenarios/simulation/", {"jours": "14"})

    page = text_of(answer)
    assert page.count("Atelier Nord") == 2
    assert "Garage Sud" not in page
    assert "Ne jamais relancer · 1" in page
    assert answer.context["weeks"].messages == 2


def test_the_simulation_names_nobody_the_person_does_not_see(cabinet: Cabinet, browse: Browse) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    for company in ("Atelier Nord", "Garage Sud"):
        invoice = make_invoice(client=make_client(company=company), due_on=TODAY - dt.timedelta(days=3))
        ladder().enter(invoice_ids=[invoice.pk], on=TODAY)
        if company == "Atelier Nord":
            assign(dossier=invoice.dossier, member=assistant)

    answer = browse(assistant).get("/scenarios/simulation/")

    assert ("Atelier Nord" in text_of(answer), "Garage Sud" in text_of(answer)) == (True, False)
    assert {line.client for _, lines in answer.context["weeks"].days for line in lines} == {"Atelier Nord"}
