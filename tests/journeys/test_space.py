"""What a debtor does on a telephone without scripts: the invoice itself, a proof, a choice, a right, a dead link."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pypdf import PdfReader, PdfWriter

from cabinets.models import Cabinet, Client, Dossier, Task
from cabinets.scoping import working_for
from dunning.models import Reminder
from invoices.models import Invoice
from invoices.services.documents import Upload, attach_to_invoice
from payments import tasks
from payments.enums import RequestKind
from payments.links import code_for
from payments.models import DebtorRequest, LinkMessage, PaymentLink
from payments.services import link_messages, links
from tests.journeys.conftest import PHONE, member_of

Open = Callable[..., Page]
FIRM = "cabinet-kessler"


@pytest.fixture(autouse=True)
def _no_count_survives() -> None:
    cache.clear()


def one_page_pdf() -> bytes:
    writer, written = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.write(written)
    return written.getvalue()


@pytest.fixture
def space(demo: dict[str, Cabinet], request: pytest.FixtureRequest) -> tuple[PaymentLink, str]:
    """Return a link through which something is owed, another for each test, and its address."""
    place = sorted(name for name in globals() if name.startswith("test_")).index(request.node.originalname)
    with working_for(cabinet_id=demo[FIRM].pk):
        live = PaymentLink.objects.filter(revoked_at=None, contact=None).order_by("created_at", "pk")
        link = [one for one in live.select_related("client") if links.owed_through(one).exists()][place]
        return link, urlsplit(links.url_of(link)).path


def test_reads_the_invoice_itself_behind_a_code(
    demo: dict[str, Cabinet], space: tuple[PaymentLink, str], open_page: Open
) -> None:
    link, address = space
    with working_for(cabinet_id=demo[FIRM].pk):
        invoice = links.owed_through(link).first()
        assert invoice is not None
        attach_to_invoice(invoice_id=invoice.pk, upload=Upload("Facture.pdf", one_page_pdf()))
    page = open_page(scripts=False, size=PHONE)
    page.goto(address)
    page.get_by_role("link", name="Voir la facture elle-même").click()
    page.get_by_label("Je suis le destinataire de ces factures").check()
    page.get_by_role("button", name="Recevoir un code").click()
    with working_for(cabinet_id=demo[FIRM].pk):
        code = code_for(LinkMessage.objects.get(link=link).pk, settings.LINK_KEY)
    page.get_by_label("Code reçu").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Ouvrir").click()

    with page.expect_download() as download:
        page.get_by_role("link", name=invoice.number).click()

    assert download.value.suggested_filename == "Facture.pdf"
    assert download.value.path().read_bytes() == one_page_pdf()


def test_joins_a_proof_to_what_was_paid(
    demo: dict[str, Cabinet], space: tuple[PaymentLink, str], open_page: Open
) -> None:
    link, address = space
    page = open_page(scripts=False, size=PHONE)
    page.goto(f"{address}deja-paye/")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("Date du paiement").fill(demo[FIRM].today().isoformat())
    page.get_by_label("Virement").check()
    page.get_by_label("Une précision pour le cabinet").fill("Compte de ma mère.")
    joined: Any = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"bonjour"}
    page.get_by_label("Un justificatif").set_input_files(joined)
    page.get_by_role("button", name="Envoyer au cabinet").click()
    expect(page.get_by_text("n’est ni un PDF, ni une image PNG ou JPEG").first).to_be_visible()
    expect(page.get_by_label("Une précision pour le cabinet")).to_have_value("Compte de ma mère.")
    expect(page.get_by_label("Virement")).to_be_checked()

    joined = {"name": "Virement.pdf", "mimeType": "application/pdf", "buffer": one_page_pdf()}
    page.get_by_label("Un justificatif").set_input_files(joined)
    page.get_by_role("button", name="Envoyer au cabinet").click()

    expect(page.get_by_text("Un justificatif est joint.").first).to_be_visible()
    with working_for(cabinet_id=demo[FIRM].pk):
        proof = DebtorRequest.objects.filter(link=link).select_related("proof")[0].proof
        assert proof is not None
        assert proof.file_name == "Virement.pdf"


def test_asks_for_a_copy_of_one_s_data_and_for_letters(
    demo: dict[str, Cabinet], space: tuple[PaymentLink, str], open_page: Open
) -> None:
    link, address = space
    page = open_page(scripts=False, size=PHONE)
    page.goto(address)
    page.get_by_role("link", name="Vos données").click()
    page.get_by_label("Recevoir une copie de mes données").check()
    page.get_by_role("button", name="Envoyer au cabinet").click()
    expect(page.get_by_text("Demande sur vos données – accès")).to_be_visible()
    page.get_by_role("link", name="Choisir un canal").click()
    page.get_by_label("De préférence par courrier").check()
    page.get_by_role("button", name="Enregistrer mon choix").click()

    expect(page.get_by_text("Votre choix est enregistré.")).to_be_visible()
    with working_for(cabinet_id=demo[FIRM].pk):
        mine = DebtorRequest.objects.filter(link=link, kind__in=[RequestKind.DATA, RequestKind.CHANNEL])
        assert Task.objects.filter(subject_id__in=mine.values("pk")).count() == 2


def test_a_request_for_one_s_data_is_answered_from_end_to_end(
    demo: dict[str, Cabinet], space: tuple[PaymentLink, str], open_page: Open
) -> None:
    """Seven pages at the firm's; the archive holds what concerns this client, and nobody else of the firm."""
    link, address = space
    theirs = open_page(scripts=False, size=PHONE)
    theirs.goto(f"{address}donnees/")
    theirs.get_by_label("Recevoir une copie de mes données").check()
    theirs.get_by_role("button", name="Envoyer au cabinet").click()

    page = open_page(member_of(demo[FIRM]), scripts=False)
    page.goto("/rgpd/demandes/")
    with working_for(cabinet_id=demo[FIRM].pk):
        client = Client.objects.get(pk=link.client_id)
        name = client.display_name
        others = list(Client.objects.exclude(pk=client.pk))
        canaries = [one.email for one in others if one.email] + [one.phone for one in others if one.phone]
        canaries += list(Invoice.objects.exclude(client=client).values_list("number", flat=True))
        canaries += list(Dossier.objects.exclude(client=client).values_list("reference", flat=True))
        own = list(Invoice.objects.filter(client=client).values_list("number", flat=True))
        sent = [one.text for one in Reminder.objects.filter(client=client, contact=None) if one.text]
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("button", name="Traiter cette demande").click()
    page.get_by_label("Écrit depuis l’adresse connue du cabinet").check()
    page.get_by_role("button", name="C’est bien elle").click()
    page.get_by_role("button", name="Préparer la copie").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger").click()
    page.get_by_role("button", name="Enregistrer la réponse").click()
    expect(page.get_by_text("La réponse est enregistrée, avec sa date et son auteur.")).to_be_visible()
    theirs.goto(f"{address}demande/")
    expect(theirs.get_by_text("une copie des données")).to_be_visible()

    with zipfile.ZipFile(download.value.path()) as archive:
        told = json.loads(archive.read("donnees.json"))
        read = PdfReader(io.BytesIO(archive.read("a-lire.pdf")))
        pages = "".join(sheet.extract_text() for sheet in read.pages)
        looked = archive.read("consultations.csv").decode()
    text = json.dumps(told, ensure_ascii=False) + pages + looked
    lines = {one["nature"]: one["lignes"] for one in told["donnees"]}
    assert len(canaries) > 200
    assert [canary for canary in canaries if canary in text] == []
    assert sorted(line["numéro"] for line in lines["Factures"]) == sorted(own)
    assert sorted(line["message en texte"] for line in lines.get("Relances", []) if "message en texte" in line) == (
        sorted(sent)
    )
    assert lines["Clients"][0]["adresse e-mail"] == client.email


def test_a_dead_link_asks_for_another(
    demo: dict[str, Cabinet], space: tuple[PaymentLink, str], open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, address = space
    queued: list[tuple[str, str]] = []
    monkeypatch.setattr(tasks.send_fresh_link, "delay", lambda *values: queued.append(values))
    with working_for(cabinet_id=demo[FIRM].pk):
        links.revoke(link_id=link.pk)
        email = str(Client.objects.get(pk=link.client_id).email)
    page = open_page(scripts=False, size=PHONE)
    page.goto(address)
    expect(page.get_by_role("heading", name="Ce lien n’ouvre plus rien")).to_be_visible()
    page.get_by_label("Adresse e-mail ou mobile").fill(email)
    page.get_by_role("button", name="Recevoir un nouveau lien").click()
    expect(page.get_by_text("un nouveau lien y arrive dans quelques minutes")).to_be_visible()

    [(digest, answer)] = queued
    assert link_messages.ask_fresh_link(digest=bytes.fromhex(digest), answer=answer)
    with working_for(cabinet_id=demo[FIRM].pk):
        fresh = LinkMessage.objects.select_related("link").get(link__client=link.client_id).link
        page.goto(urlsplit(links.url_of(fresh)).path)

    expect(page.get_by_role("link", name="J’ai déjà payé")).to_be_visible()
