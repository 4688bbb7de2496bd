"""Who pays for somebody else knows what to pay, and nothing of the matter, of the client or of another invoice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.urls import get_resolver

from cabinets.enums import ContactRole
from cabinets.models import Cabinet, Client, Contact, Membership
from gdpr.services import requests as rights_desk
from invoices.models import Document, Invoice
from invoices.services import documents
from invoices.services.documents import Upload
from payments.enums import DataRight
from payments.links import code_for
from payments.models import DebtorRequest, LinkMessage, Payment, PaymentLink
from payments.services import link_messages, links, rights
from payments.services.recording import Receipt, record_payment
from tests.architecture.test_urls import every_pattern
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.test_detail import PDF
from tests.payments.test_portal import place, read

# What belongs to the client alone, each word found nowhere else.
SECRETS = {
    "client": "Leclerc", "first name": "Sophie", "matter": "Divorce", "reference": "D-SECRET-77", "note": "Confidence",
    "other invoice": "F-2026-0999", "sibling invoice": "F-2026-0998", "other contact": "Arnaud", "file": "assignation",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    return browse()


@pytest.fixture
def client(cabinet: Cabinet) -> Client:
    client = make_client(
        company="", first_name="Sophie", last_name="Leclerc", email="sophie@leclerc.example", note="Confidence"
    )
    make_contact(client=client, first_name="Arnaud", last_name="Arnaud")
    return client


@pytest.fixture
def payer(client: Client) -> Contact:
    return make_contact(client=client, role=ContactRole.PAYER, last_name="Moreau", email="moreau@payeur.example")


@pytest.fixture
def paid_for(client: Client, payer: Contact) -> Invoice:
    dossier = make_dossier(client=client, title="Divorce", reference="D-SECRET-77", billing_contact=payer)
    return make_invoice(dossier=dossier, number="F-2026-0412")


@pytest.fixture
def invoice(client: Client, paid_for: Invoice) -> Invoice:
    """Return what the client pays themselves, in the same firm, beside a settled one."""
    own = make_dossier(client=client, title="Divorce", reference="D-SECRET-77-B")
    make_invoice(dossier=own, number="F-2026-0998")
    return make_invoice(dossier=own, number="F-2026-0999")


@pytest.fixture
def paper(paid_for: Invoice, invoice: Invoice) -> Document:
    documents.attach_to_dossier(dossier_id=paid_for.dossier_id, upload=Upload("assignation.pdf", PDF + b" "))
    return documents.attach_to_invoice(invoice_id=paid_for.pk, upload=Upload("assignation-facture.pdf", PDF))


@pytest.fixture
def door(payer: Contact, client: Client, invoice: Invoice) -> PaymentLink:
    return links.link_for(client=client, contact=payer)


def told(text: str) -> list[str]:
    return [name for name, word in SECRETS.items() if word.lower() in text.lower()]


def portal_pages() -> list[str]:
    """Return every address under a link's token that takes nothing else."""
    under = [address for address, _ in every_pattern(get_resolver()) if address.startswith("p/<")]
    pages = [address.partition(">/")[2] for address in under]
    return [page for page in pages if "<" not in page]


def test_every_page_of_the_space_tells_the_sum_and_nothing_of_the_client(
    debtor: FirmBrowser, door: PaymentLink, paper: Document
) -> None:
    pages = portal_pages()
    assert len(pages) > 15

    shown = {page: debtor.get(place(door, page)) for page in pages}

    texts = {page: answer.content.decode(errors="replace") for page, answer in shown.items() if not answer.streaming}
    assert {page: told(text) for page, text in texts.items() if told(text)} == {}
    assert {page: told(str(dict(answer.headers))) for page, answer in shown.items() if told(str(answer.headers))} == {}
    assert "F-2026-0412" in texts[""]


def test_the_client_reads_what_is_theirs_to_pay_and_the_payer_does_not(
    debtor: FirmBrowser, door: PaymentLink, client: Client, paper: Document
) -> None:
    own = links.link_for(client=client)

    mine, theirs = read(debtor.get(place(own))), read(debtor.get(place(door)))

    assert ("F-2026-0999" in mine, "F-2026-0412" in mine) == (True, False)
    assert ("F-2026-0999" in theirs, "F-2026-0412" in theirs) == (False, True)


def test_the_invoice_itself_is_never_handed_to_who_pays_for_somebody_else(
    debtor: FirmBrowser, door: PaymentLink, paper: Document
) -> None:
    assert "Voir la facture elle-même" not in read(debtor.get(place(door)))
    debtor.post(place(door, "detail/"), {"is_addressee": "on"})
    assert not LinkMessage.objects.exists()

    # Even with a code that was asked some other way.
    assert link_messages.ask_code(link=door)
    code = code_for(LinkMessage.objects.latest("asked_at").pk, settings.LINK_KEY)
    debtor.post(place(door, "detail/code/"), {"code": code})
    answer = debtor.get(place(door, f"detail/{paper.pk}/"))

    assert (answer.headers.get("Content-Disposition"), PDF in answer.content) == (None, False)
    assert told(debtor.get(place(door, "detail/")).content.decode()) == []


@pytest.mark.parametrize("role", [ContactRole.BILLING, ContactRole.MANAGER])
def test_the_clients_own_accountant_opens_the_invoice(
    debtor: FirmBrowser, door: PaymentLink, payer: Contact, paper: Document, role: ContactRole
) -> None:
    Contact.objects.filter(pk=payer.pk).update(role=role)

    assert "Voir la facture elle-même" in read(debtor.get(place(door)))
    debtor.post(place(door, "detail/"), {"is_addressee": "on"})
    code = code_for(LinkMessage.objects.latest("asked_at").pk, settings.LINK_KEY)
    debtor.post(place(door, "detail/code/"), {"code": code})
    answer = debtor.get(place(door, f"detail/{paper.pk}/"))

    assert PDF in answer.content


def test_a_receipt_of_the_clients_own_payment_is_not_theirs(
    debtor: FirmBrowser, door: PaymentLink, client: Client, invoice: Invoice, owner: Membership
) -> None:
    receipt = Receipt(client_id=client.pk, received_on=TODAY, cents=100, invoice_ids=(invoice.pk,))
    record_payment(receipt=receipt, on=TODAY)
    payment = Payment.objects.get()

    own = debtor.get(place(links.link_for(client=client), f"recu/{payment.pk}/"))
    theirs = debtor.get(place(door, f"recu/{payment.pk}/"))

    assert (own.content[:4], theirs.status_code, theirs.content) == (b"%PDF", 302, b"")


def test_their_request_about_data_is_theirs_and_opens_nothing_of_the_clients(
    door: PaymentLink, client: Client, owner: Membership
) -> None:
    """What each archive holds: tests/gdpr/test_contacts.py."""
    rights.ask_about_data(link=door, right=DataRight.ACCESS, today=TODAY, message="Je veux tout savoir")
    mine = rights.ask_about_data(link=links.link_for(client=client), right=DataRight.ACCESS, today=TODAY, message="")
    asked = DebtorRequest.objects.get(link=door)
    assert mine is not None

    theirs = rights_desk.take_in(by=owner, asked_id=asked.pk)
    own = rights_desk.take_in(by=owner, asked_id=mine.pk)

    assert (theirs.contact_id, own.contact_id) == (door.contact_id, None)
