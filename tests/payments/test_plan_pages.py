"""« Échéanciers »: the list, one plan and what may be decided of it, the firm's offer, what the firm allows."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import ClientKind, Role
from cabinets.models import Cabinet, Client, Membership, Task
from dunning.services import silencing, todo
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from payments.enums import PlanOrigin, PlanState
from payments.errors import PlanError
from payments.models import PaymentLink, PaymentPlan, PlanSettings
from payments.services import links, plan_following, plans
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.test_portal import read

NBSP = "\u00a0"
FIRST = dt.date(2026, 12, 1)


@pytest.fixture
def client(cabinet: Cabinet) -> Client:
    return make_client(kind=ClientKind.CONSUMER, company="", last_name="Martin", email="jeanne@martin.example")


@pytest.fixture
def invoice(client: Client) -> Invoice:
    return make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER), number="F-2026-0412")


@pytest.fixture
def lawyer(cabinet: Cabinet) -> Membership:
    return make_member(role=Role.LAWYER, sees_every_file=True)


@pytest.fixture
def browser(browse: Callable[..., FirmBrowser], lawyer: Membership) -> FirmBrowser:
    return browse(lawyer)


@pytest.fixture
def plan(link: PaymentLink) -> PaymentPlan:
    return plans.propose(link=link, count=3, first_on=FIRST, today=TODAY, message="Fin de mois difficile.")


def state(plan: PaymentPlan) -> str:
    return PaymentPlan.objects.values_list("state", flat=True).get(pk=plan.pk)


def test_lists_first_what_waits_for_a_decision(browser: FirmBrowser, plan: PaymentPlan) -> None:
    words = read(browser.get("/echeanciers/"))

    for expected in ("Martin", "1er décembre 2026", f"1{NBSP}440,00{NBSP}€", "À étudier"):
        assert expected in words
    assert "Martin" not in read(browser.get("/echeanciers/?etat=en-cours"))
    assert "Martin" not in read(browser.get("/echeanciers/?etat=termines"))


def test_five_plans_cost_as_many_queries_as_one(browser: FirmBrowser, plan: PaymentPlan) -> None:
    browser.get("/echeanciers/")
    with CaptureQueriesContext(connection) as one:
        browser.get("/echeanciers/")
    for _ in range(4):
        client = make_client(kind=ClientKind.CONSUMER)
        make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER))
        plans.propose(link=links.link_for(client=client), count=2, first_on=FIRST, today=TODAY)
    with CaptureQueriesContext(connection) as five:
        browser.get("/echeanciers/")

    # A key of its own for each client's name.
    assert len(five) - len(one) <= 1


def test_shows_what_is_proposed_and_accepts_it(browser: FirmBrowser, plan: PaymentPlan) -> None:
    words = read(browser.get(f"/echeanciers/{plan.pk}/"))
    for expected in ("Proposé par le client", "Fin de mois difficile.", "F-2026-0412", "Accepter ces dates", "Refuser"):
        assert expected in words

    answer = browser.post(f"/echeanciers/{plan.pk}/accepter/", follow=True)

    assert state(plan) == PlanState.ACTIVE
    assert "L’échéancier est accepté" in read(answer)
    assert "Martin" in read(browser.get("/echeanciers/?etat=en-cours"))


def test_refuses_with_a_text(browser: FirmBrowser, plan: PaymentPlan) -> None:
    empty = browser.post(f"/echeanciers/{plan.pk}/refuser/", {"answer": " "})
    assert (empty.status_code, state(plan)) == (422, PlanState.PROPOSED)
    assert "Écrivez la réponse que lira votre client" in read(empty)

    browser.post(f"/echeanciers/{plan.pk}/refuser/", {"answer": "Deux versements au plus."})

    assert state(plan) == PlanState.REFUSED
    assert "Deux versements au plus." in read(browser.get(f"/echeanciers/{plan.pk}/"))


def test_says_why_it_cannot_be_accepted(browser: FirmBrowser, plan: PaymentPlan, invoice: Invoice) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(total_cents=150_000)

    answer = browser.post(f"/echeanciers/{plan.pk}/accepter/")

    assert (answer.status_code, state(plan)) == (422, PlanState.PROPOSED)
    assert "Ce qui est dû a changé" in read(answer)


def test_proposes_dates_read_before_they_leave(browser: FirmBrowser, invoice: Invoice, client: Client) -> None:
    address, chosen = f"/clients/{client.pk}/echeancier/", {"invoices": str(invoice.pk), "count": "3"}
    assert "F-2026-0412" in read(browser.get(f"{address}?facture={invoice.pk}"))

    seen = browser.post(address, {**chosen, "first_on": "2026-12-01", "voir": "1"})
    assert (seen.status_code, PaymentPlan.objects.count()) == (200, 0)
    assert "4 janvier 2027" in read(seen)
    past = browser.post(address, {**chosen, "first_on": "2026-11-24", "proposer": "1"})
    assert past.status_code == 422

    browser.post(address, {**chosen, "first_on": "2026-12-01", "proposer": "1"})

    plan = PaymentPlan.objects.get()
    assert (plan.origin, plan.state) == (PlanOrigin.FIRM, PlanState.PROPOSED)
    assert "Attend le client" in read(browser.get(f"/echeanciers/{plan.pk}/"))
    again = browser.post(address, {**chosen, "first_on": "2026-12-01", "proposer": "1"})
    assert (again.status_code, PaymentPlan.objects.count()) == (422, 1)
    assert "déjà proposé ou en cours" in read(again)


def test_answers_with_other_dates(browser: FirmBrowser, plan: PaymentPlan) -> None:
    address = f"/echeanciers/{plan.pk}/autres-dates/"
    assert browser.get(address).status_code == 200

    browser.post(address, {"count": "2", "first_on": "2026-12-01", "proposer": "1"})

    assert state(plan) == PlanState.CANCELLED
    assert PaymentPlan.objects.get(replaces=plan).origin == PlanOrigin.FIRM
    assert browser.get(address).status_code == 302


def test_notes_a_written_agreement(browser: FirmBrowser, invoice: Invoice, lawyer: Membership) -> None:
    plan = plans.offer(by=lawyer, client=invoice.client, invoice_ids=[invoice.pk], count=2, first_on=FIRST, today=TODAY)

    browser.post(f"/echeanciers/{plan.pk}/accord-ecrit/", {"agreed_on": "2026-11-24"})

    assert state(plan) == PlanState.ACTIVE


def test_decides_of_a_missed_instalment(browser: FirmBrowser, plan: PaymentPlan, lawyer: Membership) -> None:
    plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
    plan_following.watch(on=dt.date(2026, 12, 4))
    words = read(browser.get(f"/echeanciers/{plan.pk}/"))
    for expected in ("Les relances attendent votre décision", "Proposer d’autres dates", "Attendre ce versement"):
        assert expected in words
    assert "Versement manqué" in read(browser.get("/echeanciers/"))
    far = browser.post(f"/echeanciers/{plan.pk}/attendre/", {"until_on": "2027-06-01"})
    assert (far.status_code, state(plan)) == (422, PlanState.BROKEN)

    browser.post(f"/echeanciers/{plan.pk}/attendre/", {"until_on": "2026-12-10"})

    assert state(plan) == PlanState.ACTIVE


def test_ends_a_plan_after_asking(browser: FirmBrowser, plan: PaymentPlan, lawyer: Membership) -> None:
    plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
    assert "Mettre fin à cet échéancier" in read(browser.get(f"/echeanciers/{plan.pk}/terminer/"))
    assert state(plan) == PlanState.ACTIVE

    browser.post(f"/echeanciers/{plan.pk}/terminer/")

    assert state(plan) == PlanState.CANCELLED
    assert not Standstill.objects.filter(released_at=None).exists()


def test_the_stop_of_a_plan_that_runs_is_not_lifted_alone(
    plan: PaymentPlan, invoice: Invoice, lawyer: Membership
) -> None:
    plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
    stop = Standstill.objects.get(kind=StopKind.PLAN)

    with pytest.raises(PlanError, match="mettez-y fin depuis sa page"):
        silencing.lift(standstill_id=stop.pk, by=lawyer)
    stop.refresh_from_db()
    assert stop.released_at is None


def test_the_pages_of_the_client_and_of_the_invoice_lead_to_it(
    browser: FirmBrowser, plan: PaymentPlan, invoice: Invoice, client: Client
) -> None:
    for address in (f"/clients/{client.pk}/", f"/factures/{invoice.pk}/"):
        page = browser.get(address)
        assert f"/echeanciers/{plan.pk}/" in page.content.decode()
    assert "Échéancier proposé par le client" in read(browser.get(f"/factures/{invoice.pk}/"))
    [task] = Task.objects.all()
    told = todo.about([task])[task.pk]
    assert (told.url, told.words) == (f"/echeanciers/{plan.pk}/", "proposition reçue")


def test_a_reader_decides_nothing(browse: Callable[..., FirmBrowser], plan: PaymentPlan) -> None:
    browser = browse(make_member(role=Role.ACCOUNTANT))

    words = read(browser.get(f"/echeanciers/{plan.pk}/"))

    assert "Accepter ces dates" not in words
    for page in ("accepter", "refuser", "attendre", "accord-ecrit", "terminer"):
        assert browser.post(f"/echeanciers/{plan.pk}/{page}/").status_code == 403
    assert browser.get("/parametres/echeanciers/").status_code == 403
    assert state(plan) == PlanState.PROPOSED


def test_keeps_what_the_firm_allows(browse: Callable[..., FirmBrowser], owner: Membership) -> None:
    browser = browse(owner)
    assert "200,00" in browser.get("/parametres/echeanciers/").content.decode()
    given = {
        "is_offered": "on",
        "most_instalments": "4",
        "smallest": "300,00",
        "instalment": "100",
        "longest_months": "6",
        "first_within_days": "10",
        "remind_days": "5",
    }
    for name, value, said in (
        ("longest_months", "13", "entre 1 et 12"),
        ("instalment", "200", "Deux versements dépassent"),
        ("smallest", "abc", "montant"),
        ("most_instalments", "5", "choix valide"),
    ):
        answer = browser.post("/parametres/echeanciers/", {**given, name: value})
        assert answer.status_code == 422
        assert said in read(answer)
    assert not PlanSettings.objects.exists()

    browser.post("/parametres/echeanciers/", given)

    kept = PlanSettings.objects.get()
    assert (kept.most_instalments, kept.smallest_cents, kept.instalment_cents) == (4, 30_000, 10_000)
    assert (kept.longest_months, kept.first_within_days, kept.remind_days) == (6, 10, 5)
    assert (kept.is_offered, kept.accepts_alone) == (True, False)
