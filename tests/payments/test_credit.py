"""A client's credit pays invoices or goes back, once, and both can be undone."""

import datetime as dt
import html
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, JournalEntry, Membership
from invoices.models import Invoice
from invoices.services import settlement
from payments.enums import PaymentMeans
from payments.errors import ReceiptError
from payments.models import Payment, Refund
from payments.services import credit, recording
from payments.services.credit import Returned
from payments.services.statement import statement_of
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder

Browse = Callable[[Membership | None], FirmBrowser]
FORM = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


@pytest.fixture
def client(cabinet: Cabinet, told: RecordingLadder) -> Client:
    held = make_client(company="Atelier Nord SAS")
    settlement.give_client_credit(client_id=held.pk, cents=200_000)
    return held


def owes(client: Client, *, days: int, cents: int = 144_000) -> Invoice:
    return make_invoice(client=client, due_on=TODAY - dt.timedelta(days=days), total_cents=cents)


def held(client: Client) -> int:
    return Client.objects.get(pk=client.pk).credit_cents


def left(*invoices: Invoice) -> list[int]:
    return [Invoice.objects.get(pk=one.pk).outstanding_cents for one in invoices]


def test_pays_the_oldest_first_as_far_as_it_goes_once(client: Client, told: RecordingLadder) -> None:
    recent, old = owes(client, days=5), owes(client, days=40)

    payments = {
        credit.use(client_id=client.pk, invoice_ids=(recent.pk, old.pk), on=TODAY, payment_id=FORM).pk for _ in range(2)
    }

    assert payments == {FORM}
    assert (held(client), left(old, recent)) == (0, [0, 88_000])
    payment = Payment.objects.get()
    assert (payment.means, payment.cents) == (PaymentMeans.CREDIT, 200_000)
    assert ("PAID", {old.pk}) in told.stopped


def test_keeps_what_the_invoices_do_not_take(client: Client) -> None:
    invoice = owes(client, days=40)

    credit.use(client_id=client.pk, invoice_ids=(invoice.pk,), on=TODAY)

    assert (held(client), left(invoice)) == (56_000, [0])


def test_goes_back_to_the_credit_when_it_is_undone(client: Client) -> None:
    invoice = owes(client, days=40)
    payment = credit.use(client_id=client.pk, invoice_ids=(invoice.pk,), on=TODAY)

    for _ in range(2):
        recording.reverse_payment(payment_id=payment.pk)

    assert (held(client), left(invoice)) == (200_000, [144_000])


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ({"cents": 200_001}, "n’est que de 2 000,00"),
        ({"cents": 0}, "supérieur à zéro"),
        ({"cents": 100, "paid_on": TODAY + dt.timedelta(days=1)}, "dans l’avenir"),
    ],
)
def test_refuses_to_give_back_what_is_not_held(client: Client, returned: dict[str, object], says: str) -> None:
    given = Returned(**{"client_id": client.pk, "paid_on": TODAY, **returned})  # type: ignore[arg-type]

    with pytest.raises(ReceiptError) as refused:
        credit.give_back(returned=given, on=TODAY, refund_id=uuid4())

    assert says in str(refused.value).replace("\u00a0", " ").replace("\u202f", " ")
    assert (held(client), Refund.objects.count()) == (200_000, 0)


def test_refuses_to_pay_when_nothing_is_left(client: Client) -> None:
    invoice = owes(client, days=40)
    settlement.give_client_credit(client_id=client.pk, cents=-200_000)

    with pytest.raises(ReceiptError, match="n’a plus d’avoir"):
        credit.use(client_id=client.pk, invoice_ids=(invoice.pk,), on=TODAY)

    assert (Payment.objects.count(), left(invoice)) == (0, [144_000])


def test_never_pays_another_client(client: Client) -> None:
    other = owes(make_client(), days=40)

    with pytest.raises(ReceiptError):
        credit.use(client_id=client.pk, invoice_ids=(other.pk,), on=TODAY)

    assert (held(client), left(other)) == (200_000, [144_000])


def test_the_statement_counts_the_money_once(cabinet: Cabinet, owner: Membership, told: RecordingLadder) -> None:
    client = make_client()
    first, second = owes(client, days=40), owes(client, days=5)
    receipt = recording.Receipt(
        client_id=client.pk,
        invoice_ids=(first.pk,),
        cents=300_000,
        received_on=TODAY,
        surplus=recording.Surplus.CREDIT,
    )
    recording.record_payment(receipt=receipt, on=TODAY)
    credit.use(client_id=client.pk, invoice_ids=(second.pk,), on=TODAY)
    credit.give_back(returned=Returned(client_id=client.pk, cents=12_000, paid_on=TODAY), on=TODAY, refund_id=uuid4())

    account = statement_of(client_id=client.pk, on=TODAY)

    assert (account.balance_cents, held(client)) == (0, 0)
    assert [line.label for line in account.lines if line.on == TODAY] == [
        "Remboursement (virement)",
        "Paiement (virement)",
    ]


def test_the_page_pays_refunds_and_undoes(cabinet: Cabinet, owner: Membership, browse: Browse, client: Client) -> None:
    invoice, browser = owes(client, days=40), browse(owner)
    address = f"/clients/{client.pk}/avoir-disponible/"

    paid = browser.post(address, {"faire": "regler", "form_id": str(FORM), "invoices": [str(invoice.pk)]})
    back = {
        "faire": "rembourser",
        "form_id": str(FORM),
        "amount": "560,00",
        "paid_on": "24/11/2026",
        "means": "cash",
    }
    again = [browser.post(address, back).status_code for _ in range(2)]

    assert (paid.status_code, again) == (302, [302, 302])
    assert (held(client), left(invoice)) == (0, [0])
    refund = Refund.objects.get()
    page = html.unescape(browser.get(address).content.decode()).replace("\u00a0", " ")
    assert 'remboursement de <span class="number">560,00 €</span> (espèces)' in page
    assert browser.post(f"/remboursements/{refund.pk}/annuler/").status_code == 302
    assert (held(client), JournalEntry.objects.filter(event="refund.taken_back").count()) == (56_000, 1)


def test_a_refund_that_exceeds_keeps_its_answers(
    cabinet: Cabinet, owner: Membership, browse: Browse, client: Client
) -> None:
    form = {"faire": "rembourser", "form_id": str(FORM), "amount": "3000", "paid_on": "24/11/2026", "means": "cheque"}

    page = browse(owner).post(f"/clients/{client.pk}/avoir-disponible/", form)

    assert page.status_code == 422
    assert "n’est que de" in page.content.decode()
    assert (held(client), Refund.objects.count()) == (200_000, 0)


@pytest.fixture
def shared(client: Client) -> tuple[Membership, Refund]:
    """Return a lawyer in charge of one of the client's two dossiers, and a refund; the credit paid both dossiers."""
    mine = make_invoice(dossier=make_dossier(client=client), number="F-MIENNE", total_cents=60_000)
    theirs = make_invoice(dossier=make_dossier(client=client), number="F-AUTRUI", total_cents=71_100)
    apart = make_invoice(dossier=theirs.dossier, number="F-AUTRUI2", total_cents=23_400)
    credit.use(client_id=client.pk, invoice_ids=(mine.pk, theirs.pk), on=TODAY)
    credit.use(client_id=client.pk, invoice_ids=(apart.pk,), on=TODAY)
    given = Returned(client_id=client.pk, cents=12_300, paid_on=TODAY, note="Chèque remis au gérant")
    refund = credit.give_back(returned=given, on=TODAY, refund_id=uuid4())
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=mine.dossier, member=lawyer)
    return lawyer, refund


def test_shows_of_the_credit_what_the_person_sees_alone(
    owner: Membership, browse: Browse, client: Client, shared: tuple[Membership, Refund]
) -> None:
    address = f"/clients/{client.pk}/avoir-disponible/"
    narrow, wide = (
        html.unescape(browse(one).get(address).content.decode()).replace("\u00a0", " ").replace("\u202f", " ")
        for one in (shared[0], owner)
    )

    hidden = ("1 311,00 €", "F-AUTRUI", "234,00 €", "123,00 €", "Chèque remis", "Enregistrer le remboursement")
    assert [words in narrow for words in hidden] == [False] * 6
    assert [words in wide for words in hidden] == [True] * 6
    assert '<span class="number">600,00 €</span> pour' in narrow
    assert "par une personne qui voit tous les dossiers du cabinet." in narrow


def test_gives_back_nothing_for_who_sees_some_dossiers_only(
    browse: Browse, client: Client, shared: tuple[Membership, Refund]
) -> None:
    lawyer, refund = shared
    browser, before = browse(lawyer), held(client)
    form = {"faire": "rembourser", "form_id": str(FORM), "amount": "10,00", "paid_on": "24/11/2026", "means": "cash"}

    answers = [
        browser.post(f"/clients/{client.pk}/avoir-disponible/", form),
        browser.post(f"/remboursements/{refund.pk}/annuler/"),
    ]

    assert [one.status_code for one in answers] == [403, 403]
    assert (held(client), Refund.objects.get().taken_back_at) == (before, None)
    assert JournalEntry.objects.filter(event="access.refused", facts={"right": "see_every_file"}).count() == 2


def test_an_accountant_reads_no_such_page(cabinet: Cabinet, browse: Browse, client: Client) -> None:
    accountant = make_member(role=Role.ACCOUNTANT)

    assert browse(accountant).get(f"/clients/{client.pk}/avoir-disponible/").status_code == 403
