"""« Payer en plusieurs fois »: two steps without script, what the home page asks, and what nobody is offered."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.cache import cache

from cabinets.enums import ClientKind, Role, TaskKind, TaskState
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement, standstill
from payments.enums import PlanOrigin, PlanState
from payments.models import Instalment, PaymentLink, PaymentPlan
from payments.services import links, plan_terms, plans
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.test_portal import place, read

NBSP = "\u00a0"
FIRST = dt.date(2026, 12, 1)
CHOSEN = {"versements": "3", "premier": "2026-12-01"}
SENT = {**CHOSEN, "montant": "144000", "message": "Fin de mois difficile."}


@pytest.fixture(autouse=True)
def _no_count_survives() -> None:
    cache.clear()


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
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    return browse()


def test_the_home_page_leads_to_it(debtor: FirmBrowser, link: PaymentLink) -> None:
    assert "Payer en plusieurs fois" in read(debtor.get(place(link)))


def test_reads_the_dates_and_amounts_before_anything_is_sent(debtor: FirmBrowser, link: PaymentLink) -> None:
    choose = debtor.get(place(link, "echeancier/"))
    confirm = debtor.get(place(link, "echeancier/"), CHOSEN)

    assert (choose.status_code, confirm.status_code) == (200, 200)
    assert f"1{NBSP}440,00{NBSP}€" in read(choose)
    assert "4 versements" not in read(choose)
    words = read(confirm)
    for expected in (
        f"480,00{NBSP}€",
        "1er décembre 2026",
        "4 janvier 2027",
        "1er février 2027",
        "Sans frais ni intérêts",
        "vous reconnaissez devoir cette somme",
    ):
        assert expected in words
    assert not PaymentPlan.objects.exists()


def test_sends_them_and_says_so(debtor: FirmBrowser, link: PaymentLink) -> None:
    response = debtor.post(place(link, "echeancier/"), SENT, follow=True)

    plan = PaymentPlan.objects.get()
    assert (plan.state, plan.message) == (PlanState.PROPOSED, "Fin de mois difficile.")
    assert "Votre proposition est reçue" in read(response)
    home = read(debtor.get(place(link)))
    assert "Les rappels sont suspendus le temps de la réponse" in home
    assert "Payer en plusieurs fois" not in home


def test_two_tabs_propose_one_plan(debtor: FirmBrowser, link: PaymentLink) -> None:
    debtor.post(place(link, "echeancier/"), SENT)
    second = debtor.post(place(link, "echeancier/"), {**SENT, "versements": "2"})

    assert second.status_code == 302
    assert Instalment.objects.count() == 3


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"premier": ""}, "Indiquez le jour du premier versement"),
        ({"premier": "2026-11-24"}, "Choisissez un jour entre le 25/11/2026 et le 09/12/2026"),
        ({"premier": "2026-12-10"}, "Choisissez un jour entre le 25/11/2026 et le 09/12/2026"),
        ({"premier": "demain"}, "au format 24/11/2026"),
        ({"versements": "4"}, "Choisissez un nombre de la liste"),
        ({"versements": ""}, "Choisissez le nombre de versements"),
    ],
)
def test_says_what_is_wrong_with_the_dates(
    debtor: FirmBrowser, link: PaymentLink, changed: dict[str, str], said: str
) -> None:
    for answer in (
        debtor.get(place(link, "echeancier/"), {**CHOSEN, **changed}),
        debtor.post(place(link, "echeancier/"), {**SENT, **changed}),
    ):
        assert answer.status_code == 422
        assert said in read(answer)
    assert not PaymentPlan.objects.exists()


def test_shows_the_new_amounts_when_the_debt_changed_meanwhile(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice
) -> None:
    settlement.settle(invoice_id=invoice.pk, cents=44_000)

    answer = debtor.post(place(link, "echeancier/"), SENT)

    assert answer.status_code == 422
    assert "Le montant dû a changé" in read(answer)
    assert f"333,34{NBSP}€" in read(answer)
    assert not PaymentPlan.objects.exists()


def test_offers_four_dates_where_the_firm_does(debtor: FirmBrowser, link: PaymentLink, owner: Membership) -> None:
    plan_terms.save_settings(by=owner, most_instalments=4)

    assert "4 versements" in read(debtor.get(place(link, "echeancier/")))
    assert debtor.post(place(link, "echeancier/"), {**SENT, "versements": "4"}).status_code == 302
    assert Instalment.objects.count() == 4


@pytest.mark.parametrize("why", ["off", "small", "not_due", "disputed", "insolvent"])
def test_is_neither_shown_nor_taken_where_it_may_not_be(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, owner: Membership, why: str
) -> None:
    match why:
        case "off":
            plan_terms.save_settings(by=owner, is_offered=False)
        case "small":
            settlement.settle(invoice_id=invoice.pk, cents=124_001)
        case "not_due":
            Invoice.objects.filter(pk=invoice.pk).update(due_on=TODAY)
        case "disputed":
            standstill.declare(kind=StopKind.DISPUTE, target=invoice)
        case "insolvent":
            standstill.declare(kind=StopKind.OVER_INDEBTEDNESS, target=invoice.client)

    assert "Payer en plusieurs fois" not in read(debtor.get(place(link)))
    assert debtor.get(place(link, "echeancier/")).status_code == 302
    assert debtor.post(place(link, "echeancier/"), SENT).status_code == 302
    assert not PaymentPlan.objects.exists()


def test_asks_for_the_next_instalment_only_once_it_runs(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = plans.propose(link=link, count=3, first_on=FIRST, today=TODAY)
    plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
    settlement.settle(invoice_id=invoice.pk, cents=60_000)

    home = debtor.get(place(link))

    words = read(home)
    assert "Versement 2 sur 3, à payer le 4 janvier 2027" in words
    assert f"Montant 360,00{NBSP}€" in words
    assert words.index(f"360,00{NBSP}€") < words.index("Versement 2 sur 3")
    assert f"dont 120,00{NBSP}€ payés" in words
    show = read(debtor.get(place(link, "echeancier/")))
    assert f"Payé{NBSP}: 600,00{NBSP}€ . Reste{NBSP}: 840,00{NBSP}€" in show


def test_accepts_the_firms_dates(debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, lawyer: Membership) -> None:
    plan = plans.offer(by=lawyer, client=invoice.client, invoice_ids=[invoice.pk], count=2, first_on=FIRST, today=TODAY)
    assert "Le cabinet vous propose de payer en plusieurs fois" in read(debtor.get(place(link)))
    page = debtor.get(place(link, "echeancier/"))
    assert "Accepter ces dates" in read(page)
    assert page["Referrer-Policy"] == "same-origin"

    assert debtor.get(place(link, "echeancier/accepter/")).status_code == 405
    assert debtor.post(place(link, "echeancier/accepter/")).status_code == 302
    assert debtor.post(place(link, "echeancier/accepter/")).status_code == 302

    plan.refresh_from_db()
    assert (plan.state, plan.origin) == (PlanState.ACTIVE, PlanOrigin.FIRM)


def test_gives_the_plan_as_a_document(debtor: FirmBrowser, link: PaymentLink, lawyer: Membership) -> None:
    assert debtor.get(place(link, "echeancier/echeancier.pdf")).status_code == 404
    plans.propose(link=link, count=3, first_on=FIRST, today=TODAY)

    answer = debtor.get(place(link, "echeancier/echeancier.pdf"))

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_a_refusal_is_read_among_the_requests(debtor: FirmBrowser, link: PaymentLink, lawyer: Membership) -> None:
    plan = plans.propose(link=link, count=3, first_on=FIRST, today=TODAY)
    plans.refuse(plan_id=plan.pk, by=lawyer, text="Deux versements au plus.")

    assert "Deux versements au plus." in read(debtor.get(place(link, "demande/")))
    assert "Payer en plusieurs fois" in read(debtor.get(place(link)))


def test_takes_a_proposal_back_while_nobody_answered(debtor: FirmBrowser, link: PaymentLink, invoice: Invoice) -> None:
    plan = plans.propose(link=link, count=3, first_on=FIRST, today=TODAY)
    page = debtor.get(place(link, "demande/"))
    assert "Retirer ma proposition" in read(page)
    assert page["Referrer-Policy"] == "same-origin"

    assert debtor.get(place(link, "echeancier/retirer/")).status_code == 405
    assert debtor.post(place(link, "echeancier/retirer/")).status_code == 302
    assert debtor.post(place(link, "echeancier/retirer/")).status_code == 302

    plan.refresh_from_db()
    assert (plan.state, plan.closed_by, plan.closed_at is not None) == (PlanState.CANCELLED, None, True)
    assert not Standstill.objects.filter(invoice=invoice, kind=StopKind.HOLD, released_at=None).exists()
    assert not Task.objects.filter(kind=TaskKind.PLAN_REQUEST, state=TaskState.OPEN).exists()
    assert JournalEntry.objects.filter(event="paymentplan.withdrawn", subject_id=plan.pk).count() == 1
    assert "Retirer ma proposition" not in read(debtor.get(place(link, "demande/")))
    assert "Payer en plusieurs fois" in read(debtor.get(place(link)))


def test_takes_nothing_back_once_the_firm_accepted(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = plans.propose(link=link, count=3, first_on=FIRST, today=TODAY)
    plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)

    answer = debtor.post(place(link, "echeancier/retirer/"))

    assert "Le cabinet a accepté ces dates entre-temps" in read(answer)
    plan.refresh_from_db()
    assert plan.state == PlanState.ACTIVE
    assert Standstill.objects.filter(invoice=invoice, kind=StopKind.PLAN, released_at=None).count() == 1
    assert not JournalEntry.objects.filter(event="paymentplan.withdrawn").exists()


def test_takes_back_neither_the_firms_dates_nor_anothers(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, lawyer: Membership
) -> None:
    plan = plans.offer(by=lawyer, client=invoice.client, invoice_ids=[invoice.pk], count=2, first_on=FIRST, today=TODAY)
    assert debtor.post(place(link, "echeancier/retirer/")).status_code == 302
    plan.refresh_from_db()
    assert plan.state == PlanState.PROPOSED
    PaymentPlan.objects.filter(pk=plan.pk).update(origin=PlanOrigin.DEBTOR)
    other = make_client(email="autre@exemple.example")

    with pytest.raises(PaymentPlan.DoesNotExist):
        plans.withdraw(link=links.link_for(client=other), plan_id=plan.pk)

    plan.refresh_from_db()
    assert plan.state == PlanState.PROPOSED


def test_a_dead_link_proposes_nothing(debtor: FirmBrowser, link: PaymentLink) -> None:
    address = place(link, "echeancier/")
    links.revoke(link_id=link.pk)

    assert debtor.get(address).status_code == 404
    assert debtor.post(address, SENT).status_code == 404
    assert not PaymentPlan.objects.exists()


def test_a_sensitive_account_asks_its_known_fact_first(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice
) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(is_sensitive=True)

    for page in ("echeancier/", "echeancier/echeancier.pdf"):
        assert debtor.get(place(link, page))["Location"].endswith("/verification/")
    assert debtor.post(place(link, "echeancier/"), SENT)["Location"].endswith("/verification/")
    assert not PaymentPlan.objects.exists()
