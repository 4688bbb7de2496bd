"""The night by hand: the same night, told in a table or in JSON; a rehearsal writes nothing."""

import datetime as dt
import io
import json

import pytest
from django.core.management import CommandError, call_command

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.enums import Code
from dunning.models import Decision, NightlyRun, Reminder
from dunning.services import nights
from dunning.services.reporting_night import client_shown, read_night
from invoices.enums import StopKind
from invoices.services import standstill
from tests.factories.cabinets import make_cabinet, make_client, outside_any_firm
from tests.factories.dunning import make_case
from tests.factories.invoices import TODAY, make_invoice

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@pytest.fixture
def firm(committed: None) -> Cabinet:
    """A firm where tonight one message leaves, one waits and one invoice is held."""
    cabinet = make_cabinet(slug="aubry", name="Cabinet Aubry")
    with working_for(cabinet_id=cabinet.pk):
        make_case(invoice=make_invoice(client=make_client(company="Garage du Lez"), number="F-1", total_cents=90_000))
        strategic = make_client(company="Imprimerie Belle-Rive", is_strategic=True)
        make_case(invoice=make_invoice(client=strategic, number="F-2", total_cents=120_000))
        held = make_case(invoice=make_invoice(number="F-3"))
        standstill.declare(kind=StopKind.HOLD, target=held.invoice)
        type(held).objects.filter(pk=held.pk).update(next_action_on=TODAY)
    return cabinet


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("night", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_prints_what_leaves_what_waits_and_what_is_held(firm: Cabinet) -> None:
    table = run()

    assert "Cabinet Aubry · nuit du mardi 24 novembre 2026" in table
    assert "Prévus (1)" in table
    assert "Garage du Lez" in table
    assert "900,00\u00a0€" in table
    assert "À valider (1)" in table
    assert "Client stratégique" in table
    assert "Retenues (1)" in table
    assert "Relances suspendues" in table
    assert max(len(line) for line in table.splitlines()) <= 100


def test_gives_the_same_figures_in_json(firm: Cabinet) -> None:
    (night,) = json.loads(run("--json"))

    assert (night["cabinet"], night["on"], night["examined"], night["held"]) == ("aubry", "2026-11-24", 3, {"HOLD": 1})
    assert [(one["client"], one["invoices"], one["cents"], one["state"]) for one in night["planned"]] == [
        ("Garage du Lez", ["F-1"], 90_000, "planned")
    ]
    assert [(one["invoices"], one["reasons"]) for one in night["awaiting_approval"]] == [(["F-2"], ["strategic"])]


def test_adds_nothing_when_it_is_run_twice(firm: Cabinet) -> None:
    first = run("--json")

    assert run("--json") == first
    with working_for(cabinet_id=firm.pk):
        assert (Reminder.objects.count(), Decision.objects.count(), NightlyRun.objects.count()) == (2, 3, 1)


@pytest.mark.parametrize("words", [("--dry-run",), ("--on", "2026-11-25")])
def test_rehearses_without_writing(firm: Cabinet, words: tuple[str, ...]) -> None:
    (night,) = json.loads(run("--json", *words))
    table = run(*words)

    assert (night["would_send"], night["would_ask"], night["held"], night["planned"]) == (1, 1, {"HOLD": 1}, [])
    assert "Essai : rien n’est écrit, rien ne part." in table
    with working_for(cabinet_id=firm.pk):
        assert (Reminder.objects.count(), Decision.objects.count(), NightlyRun.objects.count()) == (0, 0, 0)


def test_evaluates_another_day_of_a_demonstration(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        Cabinet.objects.update(is_demo=True, demo_on=TODAY)

    (night,) = json.loads(run("--json", "--on", "2026-11-25"))

    assert (night["on"], len(night["planned"]), len(night["awaiting_approval"])) == ("2026-11-25", 1, 1)


def test_takes_one_firm(firm: Cabinet) -> None:
    make_cabinet(slug="autre")

    assert [night["cabinet"] for night in json.loads(run("--json", "--cabinet", "aubry"))] == ["aubry"]
    with outside_any_firm(), pytest.raises(CommandError, match="Aucun cabinet ne porte l’identifiant « personne »"):
        run("--cabinet", "personne")


def test_tells_each_invoice_once_when_a_night_was_confirmed(firm: Cabinet) -> None:
    nights.evaluate([nights.night_of(slug="aubry", on=TODAY, now=firm.now())])
    with working_for(cabinet_id=firm.pk):
        held = Decision.objects.get(code=Code.HOLD)
        Decision(
            invoice_id=held.invoice_id, on=TODAY, round=2, code=Code.DISPUTE, rank=1, again_on=None, facts={}
        ).save(force_insert=True)

        night = read_night(cabinet=Cabinet.objects.get(), on=TODAY)

    assert night.held == ((Code.DISPUTE, 1),)


def test_shows_a_person_by_their_initials(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        person = make_client(company="", civility="madame", first_name="Marie-Ange", last_name="Louisy")

        assert client_shown(person) == "Mme M.\u00a0A.\u00a0L."
    assert dt.date(2026, 11, 24) == TODAY
