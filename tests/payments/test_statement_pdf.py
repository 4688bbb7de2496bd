"""The statement of a client as a document: the words of its page, on the firm's paper, for who may read that page."""

import datetime as dt
import io
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, JournalEntry, Membership
from cabinets.scoping import working_for
from invoices.models import CreditNote
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.payments import make_payment

Browse = Callable[[Membership | None], FirmBrowser]


def pages_of(browser: FirmBrowser, client: Client) -> list[str]:
    """Return the words of each page of the document, whatever cut their lines."""
    answer = browser.get(f"/clients/{client.pk}/releve.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    reader = PdfReader(io.BytesIO(answer.content))
    return [" ".join(page.extract_text().replace("\u00a0", " ").split()) for page in reader.pages]


def test_holds_the_account_in_the_words_of_its_page_on_the_firms_paper(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    late = make_invoice(dossier=dossier, number="F-7", due_on=dt.date(2026, 10, 10), total_cents=100_000)
    make_invoice(dossier=dossier, number="F-8", due_on=dt.date(2026, 12, 10), total_cents=25_050)
    make_payment(invoice=late, on=dt.date(2026, 11, 2), cents=40_000)
    CreditNote(
        client=client, invoice=late, number="AV-1", number_key="AV-1", issued_on=dt.date(2026, 11, 5), cents=1_000
    ).save(force_insert=True)

    (page,) = pages_of(browse(owner), client)

    assert page == (
        f"{cabinet.name} Avocats au barreau de Nantes 02 40 00 00 00 {cabinet.email} "
        "Relevé de compte Menuiserie Leclerc, au 24 novembre 2026 "
        "Date Écriture Échéance État Facturé Réglé ou crédité Solde "
        "10/09/2026 Facture F-7 10/10/2026 Partiellement payée 1 000,00 € — 1 000,00 € "
        "02/11/2026 Paiement (virement) — — — 400,00 € 600,00 € "
        "05/11/2026 Avoir AV-1 — — — 10,00 € 590,00 € "
        "10/11/2026 Facture F-8 10/12/2026 À échoir 250,50 € — 840,50 € "
        "Reste dû 1 250,50 € 410,00 € 840,50 € "
        "Relevé de compte · Menuiserie Leclerc · 24 novembre 2026 Page 1 / 1"
    )


def test_says_what_the_firm_owes(cabinet: Cabinet, client: Client, owner: Membership, browse: Browse) -> None:
    make_payment(invoice=make_invoice(client=client), on=TODAY, surplus=5_000)

    (page,) = pages_of(browse(owner), client)

    assert "En faveur du client 1 440,00 € 1 490,00 € −50,00 €" in page


def test_says_in_a_sentence_that_nothing_is_on_the_account(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    (page,) = pages_of(browse(owner), client)

    assert "Aucune facture, aucun avoir ni aucun paiement n’est au compte de ce client." in page
    assert "Solde" not in page


def test_repeats_its_head_and_numbers_its_pages(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    for _ in range(60):
        make_invoice(dossier=dossier)

    pages = pages_of(browse(owner), client)

    assert len(pages) > 1
    for rank, page in enumerate(pages, start=1):
        assert "Date Écriture Échéance État Facturé Réglé ou crédité Solde" in page
        assert page.endswith(f"· 24 novembre 2026 Page {rank} / {len(pages)}")


def test_asks_as_much_for_five_invoices_as_for_one(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    browser, dossier = browse(owner), make_dossier(client=client)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            pages_of(browser, client)
        return len(caught)

    make_payment(invoice=make_invoice(dossier=dossier), on=TODAY, cents=100)
    queries()
    one = queries()
    for _ in range(4):
        make_payment(invoice=make_invoice(dossier=dossier), on=TODAY, cents=100)

    assert queries() == one


def test_keeps_the_matter_and_the_debtors_address_to_the_firm(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    contact = make_contact(client=client, last_name="Secretan")
    dossier = make_dossier(
        client=client, title="Leclerc contre Opposant", reference="D-SECRET", practice_area="Divorce",
        billing_contact=contact,
    )  # fmt: skip
    make_invoice(dossier=dossier, number="F-7", note="Note secrète")

    (page,) = pages_of(browse(owner), client)

    hidden = ("Opposant", "D-SECRET", "Divorce", "Secretan", "secrète", client.email, client.address, client.city)
    assert [word for word in hidden if word in page] == []


def test_journals_who_took_it(cabinet: Cabinet, client: Client, owner: Membership, browse: Browse) -> None:
    pages_of(browse(owner), client)

    line = JournalEntry.objects.get(event="client.seen")
    assert (line.subject_id, line.member_id, line.facts) == (client.pk, owner.pk, {"page": "statement_pdf"})


def test_gives_a_colleague_what_their_dossiers_hold_and_nothing_else(cabinet: Cabinet, browse: Browse) -> None:
    assistant, shared, hidden = make_member(role=Role.ASSISTANT), make_client(), make_client()
    mine = make_invoice(dossier=make_dossier(client=shared), number="F-1", total_cents=10_000)
    make_invoice(dossier=make_dossier(client=shared), number="F-2", total_cents=77_700)
    make_invoice(client=hidden)
    assign(dossier=mine.dossier, member=assistant)
    browser = browse(assistant)

    (page,) = pages_of(browser, shared)

    assert "Ce relevé ne porte que sur les dossiers affectés à la personne qui l’a établi." in page
    assert ("F-1" in page, [word for word in ("F-2", "777,00", "877,00") if word in page]) == (True, [])
    assert browser.get(f"/clients/{hidden.pk}/releve.pdf").status_code == 404
    assert list(JournalEntry.objects.values_list("subject_id", flat=True)) == [shared.pk]


def test_gives_another_firm_nothing(cabinet: Cabinet, client: Client, other_cabinet: Cabinet, browse: Browse) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        stranger = make_member()

    assert browse(stranger).get(f"/clients/{client.pk}/releve.pdf").status_code == 404
