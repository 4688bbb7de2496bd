"""« Voir la facture »: a code to the address on file, five tries, ten minutes; then the file, and its trace."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache

from cabinets.models import Cabinet, Client, JournalEntry
from invoices.enums import DocumentKind
from invoices.models import Document, Invoice
from invoices.services import documents
from invoices.services.documents import Upload
from payments.enums import LinkMedium
from payments.links import code_for
from payments.models import LinkMessage, LinkVisit, PaymentLink
from payments.services import link_messages, links
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.files import make_pdf
from tests.factories.invoices import make_invoice
from tests.payments.test_portal import place, read

PDF = make_pdf(b"Facture, divorce Leclerc")


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()


@pytest.fixture
def paper(invoice: Invoice) -> Document:
    """Return the invoice's own document."""
    return documents.attach_to_invoice(invoice_id=invoice.pk, upload=Upload("Facture F-2026-0412.pdf", PDF))


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    """Return the browser of somebody without an account."""
    return browse()


def ask(debtor: FirmBrowser, link: PaymentLink) -> str:
    """Ask for a code and return its digits."""
    debtor.post(place(link, "detail/"), {"is_addressee": "on"})
    return digits()


def digits() -> str:
    return code_for(LinkMessage.objects.latest("asked_at").pk, settings.LINK_KEY)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def give(debtor: FirmBrowser, link: PaymentLink, code: str) -> Any:
    return debtor.post(place(link, "detail/code/"), {"code": code})


def test_a_code_is_six_digits_that_the_message_and_the_key_decide(link: PaymentLink) -> None:
    one, other = (code_for(pk, "clé") for pk in (link.pk, link.client_id))

    assert (len(one), one.isdigit(), one == code_for(link.pk, "clé")) == (6, True, True)
    assert len({one, other, code_for(link.pk, "autre")}) == 3


def test_the_code_opens_the_list_and_the_file(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, paper: Document
) -> None:
    file = place(link, f"detail/{paper.pk}/")
    assert "Voir la facture elle-même" in read(debtor.get(place(link)))
    assert debtor.get(file)["Location"] == place(link, "detail/")
    code = ask(debtor, link)

    assert give(debtor, link, f" {code[:3]} {code[3:]} ")["Location"] == place(link, "detail/")

    assert "Facture F-2026-0412" in read(debtor.get(place(link, "detail/")))
    response = debtor.get(file)
    assert (response.status_code, response.content, response["Content-Type"]) == (200, PDF, "application/pdf")
    assert response["Content-Disposition"] == 'attachment; filename="Facture F-2026-0412.pdf"'
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert list(LinkVisit.objects.exclude(invoice=None).values_list("invoice", flat=True)) == [invoice.pk]
    assert JournalEntry.objects.filter(event="paymentlink.document_opened", subject_id=link.pk).count() == 1


def test_the_documents_close_after_half_an_hour_and_on_another_device(
    debtor: FirmBrowser, browse: Callable[..., FirmBrowser], link: PaymentLink, paper: Document
) -> None:
    give(debtor, link, ask(debtor, link))
    file = place(link, f"detail/{paper.pk}/")

    assert browse().get(file).status_code == 302
    with time_machine.travel(NOW + dt.timedelta(minutes=29), tick=False):
        assert debtor.get(file).status_code == 200
    with time_machine.travel(NOW + dt.timedelta(minutes=31), tick=False):
        assert debtor.get(file).status_code == 302


@pytest.mark.parametrize(("minutes", "status"), [(9, 302), (10, 422)])
def test_a_code_lives_ten_minutes(
    debtor: FirmBrowser, link: PaymentLink, paper: Document, minutes: int, status: int
) -> None:
    code = ask(debtor, link)

    with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
        assert give(debtor, link, code).status_code == status


def test_a_code_serves_once_and_the_last_one_alone(debtor: FirmBrowser, link: PaymentLink, paper: Document) -> None:
    first = ask(debtor, link)
    with time_machine.travel(NOW + dt.timedelta(seconds=5), tick=False):
        second = ask(debtor, link)

        assert link_messages.check_code(link=link, typed=first) is (first == second)
        assert link_messages.check_code(link=link, typed=second)
        assert not link_messages.check_code(link=link, typed=second)


def test_a_code_is_tried_five_times(debtor: FirmBrowser, link: PaymentLink, paper: Document) -> None:
    code = ask(debtor, link)

    answers = [give(debtor, link, wrong(code)).status_code for _ in range(5)]

    assert [*answers, give(debtor, link, code).status_code] == [422] * 6
    assert LinkMessage.objects.get().tries == 5
    assert debtor.get(place(link, f"detail/{paper.pk}/")).status_code == 302


def test_three_codes_an_hour_are_asked_for(debtor: FirmBrowser, link: PaymentLink, paper: Document) -> None:
    for _ in range(3):
        ask(debtor, link)

    refused = debtor.post(place(link, "detail/"), {"is_addressee": "on"})

    assert (refused.status_code, LinkMessage.objects.count()) == (429, 3)
    assert "Trois codes ont déjà été demandés" in read(refused)
    with time_machine.travel(NOW + dt.timedelta(minutes=61), tick=False):
        assert debtor.post(place(link, "detail/"), {"is_addressee": "on"}).status_code == 302


@pytest.mark.parametrize(
    ("facts", "medium"),
    [
        ({}, LinkMedium.EMAIL),
        ({"has_email": False, "email": "", "has_mobile": True, "phone": "+33612345678"}, LinkMedium.SMS),
        ({"email_refused_at": NOW, "has_mobile": True, "phone": "+33612345678"}, LinkMedium.SMS),
        ({"email_refused_at": NOW, "has_mobile": True, "phone": "+33612345678", "accepts_sms": False}, LinkMedium.NONE),
        ({"email_stopped_at": NOW, "has_mobile": True, "phone": "+33612345678"}, LinkMedium.NONE),
        ({"has_email": False, "email": ""}, LinkMedium.NONE),
    ],
)
def test_the_answer_is_the_same_whoever_can_be_reached(
    debtor: FirmBrowser, cabinet: Cabinet, facts: dict[str, Any], medium: str
) -> None:
    client = make_client(**facts)
    invoice = make_invoice(client=client)
    documents.attach_to_invoice(invoice_id=invoice.pk, upload=Upload("F.pdf", PDF))
    link = links.link_for(client=client)

    response = debtor.post(place(link, "detail/"), {"is_addressee": "on"}, follow=True)

    assert "Si le cabinet connaît une adresse où vous écrire, un code vient d’y partir." in read(response)
    assert LinkMessage.objects.get().medium == medium


def test_a_code_needs_the_box_to_be_ticked(debtor: FirmBrowser, link: PaymentLink, paper: Document) -> None:
    response = debtor.post(place(link, "detail/"))

    assert (response.status_code, LinkMessage.objects.exists()) == (422, False)


def test_shows_nobody_else_s_document_nor_the_firm_s_other_papers(
    debtor: FirmBrowser, client: Client, link: PaymentLink, invoice: Invoice, paper: Document
) -> None:
    contact = make_contact(client=client)
    billed = make_invoice(dossier=make_dossier(client=client, billing_contact=contact))
    hidden = [
        documents.attach_to_invoice(invoice_id=billed.pk, upload=Upload("a.pdf", PDF)),
        documents.attach_to_invoice(invoice_id=make_invoice().pk, upload=Upload("b.pdf", PDF)),
        documents.attach_to_invoice(
            invoice_id=invoice.pk, upload=Upload("c.pdf", PDF + b"!"), kind=DocumentKind.FEE_AGREEMENT
        ),
        documents.attach_to_dossier(dossier_id=invoice.dossier_id, upload=Upload("d.pdf", PDF)),
    ]
    give(debtor, link, ask(debtor, link))

    statuses = [debtor.get(place(link, f"detail/{one.pk}/")).status_code for one in [*hidden, paper]]

    assert statuses == [404, 404, 404, 404, 200]
    assert debtor.get(place(link, "detail/")).content.decode().count("main-link") == 1


def test_without_a_document_no_code_is_offered(debtor: FirmBrowser, link: PaymentLink) -> None:
    assert "Voir la facture elle-même" not in read(debtor.get(place(link)))
    assert "Le cabinet n’a joint aucun document ici" in read(debtor.get(place(link, "detail/")))
    assert debtor.post(place(link, "detail/"), {"is_addressee": "on"}).status_code == 200
    assert not LinkMessage.objects.exists()


def test_a_sensitive_invoice_asks_its_known_fact_first(debtor: FirmBrowser, cabinet: Cabinet) -> None:
    client = make_client(postcode="44000")
    invoice = make_invoice(client=client, number="F-9", is_sensitive=True)
    document = documents.attach_to_invoice(invoice_id=invoice.pk, upload=Upload("F.pdf", PDF))
    link = links.link_for(client=client)

    for page in ("detail/", "detail/code/", f"detail/{document.pk}/"):
        assert debtor.get(place(link, page))["Location"] == place(link, "verification/")
    assert debtor.post(place(link, "detail/"), {"is_addressee": "on"}).status_code == 302
    assert not LinkMessage.objects.exists()


def test_a_document_lost_from_the_disk_is_said_so(
    debtor: FirmBrowser, link: PaymentLink, paper: Document, tmp_path: Path
) -> None:
    give(debtor, link, ask(debtor, link))
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.unlink()

    response = debtor.get(place(link, f"detail/{paper.pk}/"))

    assert (response.status_code, "Ce document n’est pas disponible" in read(response)) == (404, True)
    assert not LinkVisit.objects.exclude(invoice=None).exists()
