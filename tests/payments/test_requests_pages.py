"""« Demandes clients »: who sees what a debtor said, who answers, who lifts a dispute."""

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
import time_machine

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, JournalEntry, Membership
from cabinets.scoping import working_for
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement
from payments.enums import PaymentMeans, ProblemReason
from payments.models import DebtorRequest, PaymentLink
from payments.services import links, requests
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.test_portal import read

Browse = Callable[..., FirmBrowser]


@pytest.fixture
def claim(link: PaymentLink, invoice: Invoice) -> DebtorRequest:
    """Return what the debtor said: paid by cheque on 20 November."""
    [request] = requests.say_already_paid(
        link=link,
        invoices=[invoice],
        today=TODAY,
        paid_on=dt.date(2026, 11, 20),
        means=PaymentMeans.CHEQUE,
        message="Chèque n° 12.",
    )
    return request


@pytest.fixture
def dispute(link: PaymentLink, invoice: Invoice) -> DebtorRequest:
    """Return a dispute about the amount."""
    [request] = requests.report_problem(link=link, invoice=invoice, reason=ProblemReason.AMOUNT, today=TODAY)
    return request


def test_lists_what_waits_the_oldest_first_with_its_age(
    browse: Browse, owner: Membership, claim: DebtorRequest, client: Client
) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC), tick=False):
        later = make_invoice(client=client, number="F-2026-0999")
        requests.say_already_paid(link=links.link_for(client=client), invoices=[later], today=TODAY)
        words = read(browse(owner).get("/demandes/"))

    assert "Menuiserie Leclerc" in words
    assert words.index("il y a 3 jours") < words.index("aujourd’hui")
    assert "À traiter" in words
    entry = JournalEntry.objects.filter(event="debtorrequest.listed").get()
    assert (entry.member_id, entry.facts) == (owner.pk, {"page": "/demandes/", "count": 2})


def test_shows_one_request_and_notes_who_read_it(browse: Browse, owner: Membership, claim: DebtorRequest) -> None:
    words = read(browse(owner).get(f"/demandes/{claim.pk}/"))

    for expected in (
        "J’ai déjà payé",
        "F-2026-0412",
        "20 novembre 2026",
        "Chèque n° 12.",
        "Enregistrez-le sur la facture",
    ):
        assert expected in words
    assert JournalEntry.objects.get(event="debtorrequest.seen").subject_id == claim.pk


def test_an_answer_closes_the_request(
    browse: Browse, owner: Membership, claim: DebtorRequest, invoice: Invoice
) -> None:
    settlement.settle(invoice_id=invoice.pk, cents=144_000)

    response = browse(owner).post(
        f"/demandes/{claim.pk}/repondre/", {"outcome": "paid", "answer": "Reçu."}, follow=True
    )

    claim.refresh_from_db()
    assert (claim.state, claim.answer, claim.answered_by_id) == ("answered", "Reçu.", owner.pk)
    assert "La demande est traitée." in read(response)
    assert "Menuiserie Leclerc" in read(browse(owner).get("/demandes/?etat=traitees"))
    assert "Reçu." in read(browse(owner).get(f"/demandes/{claim.pk}/"))


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({}, "Choisissez la suite donnée"),
        ({"outcome": "silenced"}, "Choisissez une suite de la liste."),
        ({"outcome": "paid"}, "enregistrez d’abord le paiement"),
        ({"outcome": "still_due", "answer": "a" * 2001}, "2 000 caractères"),
    ],
)
def test_an_answer_that_does_not_hold_changes_nothing(
    browse: Browse, owner: Membership, claim: DebtorRequest, facts: dict[str, str], error: str
) -> None:
    response = browse(owner).post(f"/demandes/{claim.pk}/repondre/", facts)

    claim.refresh_from_db()
    assert (response.status_code, claim.state) == (422, "open")
    assert error in read(response)
    assert Standstill.objects.get().released_at is None


def test_a_lawyer_lifts_a_dispute_one_invoice_at_a_time(
    browse: Browse, owner: Membership, dispute: DebtorRequest, client: Client, invoice: Invoice
) -> None:
    other = make_invoice(client=client)
    requests.report_problem(link=links.link_for(client=client), invoice=None, reason=ProblemReason.SERVICE, today=TODAY)
    stop = Standstill.objects.get(invoice=invoice)
    browser = browse(owner)

    nothing = browser.post(f"/demandes/{dispute.pk}/lever/", {"standstill": ["x", str(uuid.uuid4())]}, follow=True)
    lifted = browser.post(f"/demandes/{dispute.pk}/lever/", {"standstill": [str(stop.pk)]}, follow=True)

    assert "Rien n’a été levé." in read(nothing)
    assert "La contestation est levée" in read(lifted)
    assert set(Standstill.objects.filter(released_at=None).values_list("invoice_id", flat=True)) == {other.pk}


def test_answering_a_problem_does_not_lift_it(
    browse: Browse, owner: Membership, dispute: DebtorRequest, invoice: Invoice
) -> None:
    browse(owner).post(f"/demandes/{dispute.pk}/repondre/", {"answer": "Voici le détail de l’heure."})

    dispute.refresh_from_db()
    assert dispute.state == "answered"
    assert Standstill.objects.get(invoice=invoice).released_at is None
    assert "Lever la contestation" in read(browse(owner).get(f"/demandes/{dispute.pk}/"))


@pytest.mark.parametrize(
    ("role", "answers", "lifts"),
    [
        (Role.OWNER, 302, 302),
        (Role.LAWYER, 302, 302),
        (Role.ADMIN, 302, 403),
        (Role.ASSISTANT, 302, 403),
        (Role.ACCOUNTANT, 403, 403),
    ],
)
def test_each_role_answers_and_lifts_what_its_rights_allow(
    browse: Browse, dispute: DebtorRequest, invoice: Invoice, role: Role, answers: int, lifts: int
) -> None:
    member = make_member(role=role)
    assign(dossier=invoice.dossier, member=member)
    browser = browse(member)
    stop = Standstill.objects.get()

    assert browser.get(f"/demandes/{dispute.pk}/").status_code == 200
    assert browser.post(f"/demandes/{dispute.pk}/lever/", {"standstill": [str(stop.pk)]}).status_code == lifts
    assert browser.post(f"/demandes/{dispute.pk}/repondre/", {"answer": "Oui."}).status_code == answers


def test_who_is_not_in_charge_of_the_dossier_finds_nothing(
    browse: Browse, claim: DebtorRequest, client: Client
) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    # In charge of another dossier of the same client.
    assign(dossier=make_dossier(client=client), member=assistant)
    browser = browse(assistant)

    assert "Menuiserie" not in read(browser.get("/demandes/"))
    assert browser.get(f"/demandes/{claim.pk}/").status_code == 404
    assert browser.post(f"/demandes/{claim.pk}/repondre/", {"outcome": "still_due"}).status_code == 404


def test_another_firms_request_does_not_exist(
    browse: Browse, owner: Membership, other_cabinet: Cabinet, cabinet: Cabinet
) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs = make_invoice(client=make_client(company="Secret SARL"))
        link = links.link_for(client=Client.objects.get(pk=theirs.client_id))
        [request] = requests.say_already_paid(link=link, invoices=[theirs], today=TODAY)
    browser = browse(owner)

    assert "Secret" not in read(browser.get("/demandes/"))
    assert browser.get(f"/demandes/{request.pk}/").status_code == 404
    assert browser.post(f"/demandes/{request.pk}/lever/").status_code == 404


def test_a_dispute_of_another_client_is_not_lifted_from_here(
    browse: Browse, owner: Membership, dispute: DebtorRequest
) -> None:
    stranger = make_invoice()
    link = links.link_for(client=Client.objects.get(pk=stranger.client_id))
    requests.report_problem(link=link, invoice=stranger, reason=ProblemReason.AMOUNT, today=TODAY)
    stop = Standstill.objects.get(kind=StopKind.DISPUTE, invoice=stranger)

    browse(owner).post(f"/demandes/{dispute.pk}/lever/", {"standstill": [str(stop.pk)]})

    stop.refresh_from_db()
    assert stop.released_at is None
