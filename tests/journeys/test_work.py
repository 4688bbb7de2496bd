"""What a lawyer and a debtor come to do, from the first page to the database; with scripts, and without."""

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import QuerySet
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cabinets.models import Cabinet, User
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services import second_factor
from config.demo.firms import PASSWORD
from dunning.enums import ReminderState
from dunning.models import Reminder, ReminderLine
from invoices.enums import StopKind
from invoices.models import ImportBatch, Invoice, Standstill
from invoices.money import show_euros
from payments.enums import RequestState
from payments.models import DebtorRequest, Payment
from payments.services import links
from payments.services.recording import Receipt, record_payment
from tests.journeys.conftest import DESK, PHONE, member_of, new_context, serving

PARIS, STRASBOURG, MARTINIQUE = "aubry-lemaire", "cabinet-kessler", "celestine-associes"
SAMPLE = Path(__file__).parents[1] / "invoices" / "samples" / "factures-300.csv"
WITH_AND_WITHOUT = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "sans script"])
# Courteous steps are approved; firm ones wait for their text.
FIRM_STEP = 30
# On the wire, compressed, with nothing in the cache: the page, its styles, fonts, scripts and icons.
APP_PAGE_BYTES, CLIENT_PAGE_BYTES = 130_000, 110_000
# Scripts are modules served one by one: there is no build step.
APP_PAGE_REQUESTS, CLIENT_PAGE_REQUESTS = 22, 15

Open = Callable[..., Page]


def waiting(*, firm_steps: bool = False) -> QuerySet[Reminder]:
    """Return what waits for one person's approval, the first to leave first."""
    rows = Reminder.objects.filter(state=ReminderState.AWAITING_APPROVAL, client__needs_two_approvals=False)
    rows = rows.filter(step__offset_days__gte=FIRM_STEP) if firm_steps else rows.filter(step__offset_days__lt=FIRM_STEP)
    return rows.order_by("depart_at", "pk")


def state_of(cabinet: Cabinet, reminder_id: UUID) -> str:
    """Return where a reminder is, as the database says."""
    with working_for(cabinet_id=cabinet.pk):
        return Reminder.objects.get(pk=reminder_id).state


def quiet_invoice(cabinet: Cabinet, *, place: int) -> Invoice:
    """Return one of the invoices already reminded, on which something is owed and that nothing stops."""
    with working_for(cabinet_id=cabinet.pk):
        said = ReminderLine.objects.filter(reminder__state=ReminderState.ACCEPTED).values("invoice")
        stopped = Standstill.objects.filter(released_at=None)
        rows = Invoice.objects.open().filter(pk__in=said, is_never_reminded=False)
        rows = rows.exclude(pk__in=stopped.exclude(invoice=None).values("invoice"))
        rows = rows.exclude(client__in=stopped.exclude(client=None).values("client"))
        invoice: Invoice = rows.order_by("number_key")[place]
        return invoice


@WITH_AND_WITHOUT
def test_a_person_signs_in_with_a_password_and_a_code(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    email = f"{'claire.aubry' if scripts else 'thomas.lemaire'}@aubry-lemaire.example"
    page = open_page(scripts=scripts)
    page.goto("/factures/")
    page.get_by_label("Adresse e-mail").fill(email)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second facteur")
    code, _ = second_factor.code_of(user=User.objects.get(email=email), now=time.time())
    page.get_by_label("Code à six chiffres").fill(code)
    page.get_by_role("button", name="Valider").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Factures")


def test_a_wrong_code_opens_nothing(open_page: Open) -> None:
    page = open_page()
    page.goto("/connexion/")
    page.get_by_label("Adresse e-mail").fill("maryse.celestine@celestine-associes.example")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_label("Code à six chiffres").fill("000000")
    page.get_by_role("button", name="Valider").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Second facteur")
    page.goto("/factures/")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Factures")


@WITH_AND_WITHOUT
def test_a_person_holds_several_invoices_after_reading_what_will_be_done(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    cabinet = demo[PARIS]
    page = open_page(member_of(cabinet), size=PHONE, scripts=scripts)
    # The invoice the first way held is quiet no more.
    row = quiet_invoice(cabinet, place=0)
    page.goto(f"/factures/?etat=toutes&q={row.number}")
    page.get_by_role("checkbox", name=re.compile(rf"Choisir la facture {row.number}")).check()
    page.get_by_label("Que faire des factures cochées").select_option(label="Suspendre les relances")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", level=1, name="Suspendre les relances")).to_be_visible()
    page.get_by_label("Pourquoi").fill("Négociation en cours avec le client")
    page.get_by_role("button", name="Suspendre 1 facture").click()
    expect(page.get_by_text("Relances suspendues pour 1 facture.")).to_be_visible()

    with working_for(cabinet_id=cabinet.pk):
        held = Standstill.objects.filter(invoice=row, kind=StopKind.HOLD, released_at=None)
        assert held.count() == 1


@WITH_AND_WITHOUT
def test_a_file_goes_through_the_four_screens_then_is_taken_back(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    cabinet = demo[STRASBOURG]
    before = count_of_invoices(cabinet)
    page = open_page(member_of(cabinet), scripts=scripts)
    page.goto("/factures/importer/")
    page.get_by_label("Choisissez un fichier").set_input_files(SAMPLE)
    page.get_by_role("button", name="Continuer", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Colonnes du fichier")
    page.get_by_role("button", name="Contrôler les lignes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Contrôle du fichier")
    refused = page.locator("#a-corriger legend")
    expect(refused).to_have_count(10)
    page.get_by_label("Échéance, ligne 177").fill("31/12/2026")
    page.get_by_label("Écarter la ligne").first.check()
    page.get_by_role("button", name="Corriger et revérifier").click()
    expect(refused).to_have_count(8)
    expect(page.get_by_role("table", name="Cellules corrigées à l’écran").get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Importer les 291 lignes prêtes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import terminé")

    assert count_of_invoices(cabinet) == before + 291

    page.get_by_role("link", name="Annuler cet import").click()
    page.get_by_role("button", name="Annuler l’import").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Import annulé")
    assert count_of_invoices(cabinet) == before
    with working_for(cabinet_id=cabinet.pk):
        assert ImportBatch.objects.order_by("-uploaded_at").values_list("created", flat=True)[0] == 291


def count_of_invoices(cabinet: Cabinet) -> int:
    """Return how many invoices a firm has."""
    with working_for(cabinet_id=cabinet.pk):
        return Invoice.objects.count()


def test_the_keys_walk_the_queue_approve_and_postpone(demo: dict[str, Cabinet], open_page: Open) -> None:
    cabinet = demo[PARIS]
    with working_for(cabinet_id=cabinet.pk):
        one = waiting()[0]
    page = open_page(member_of(cabinet))
    page.goto("/a-valider/")
    first = page.locator(".queue a[aria-current=true]").get_attribute("href")
    page.keyboard.press("j")
    page.wait_for_url(re.compile(r"/a-valider/[0-9a-f-]{36}/$"))
    assert urlsplit(page.url).path != first
    page.keyboard.press("k")
    page.wait_for_url(f"**{first}")

    page.goto(f"/a-valider/{one.pk}/")
    page.keyboard.press("a")
    expect(page.get_by_text("Accord enregistré.")).to_be_visible()
    assert state_of(cabinet, one.pk) == ReminderState.APPROVED

    page.goto(f"/a-valider/{one.pk}/")
    page.get_by_role("button", name="Annuler l’accord").click()
    expect(page.get_by_text("Accord annulé. Rien ne partira sans un nouvel accord.")).to_be_visible()
    assert state_of(cabinet, one.pk) == ReminderState.AWAITING_APPROVAL

    page.keyboard.press("r")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reporter le départ")
    later = cabinet.today() + dt.timedelta(days=9)
    page.get_by_label("Nouveau jour de départ").fill(later.isoformat())
    page.get_by_role("button", name="Reporter").click()
    expect(page.get_by_text("Départ déplacé au")).to_be_visible()
    with working_for(cabinet_id=cabinet.pk):
        moved = Reminder.objects.get(pk=one.pk)
    assert moved.depart_at.astimezone(cabinet.zone).date() >= later


def test_the_keys_are_only_letters_in_a_field(demo: dict[str, Cabinet], open_page: Open) -> None:
    page = open_page(member_of(demo[PARIS]))
    page.goto("/factures/")
    page.keyboard.press("/")
    page.keyboard.type("jakar")

    expect(page.get_by_role("searchbox", name="Rechercher un client")).to_have_value("jakar")


def test_a_question_mark_shows_the_keys_and_escape_closes_them(demo: dict[str, Cabinet], open_page: Open) -> None:
    page = open_page(member_of(demo[PARIS]))
    page.goto("/factures/")
    keys = page.get_by_role("dialog", name="Raccourcis clavier")

    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.get_by_label("Client ou numéro").focus()
    page.keyboard.press("?")
    expect(keys).to_be_hidden()


def test_the_keys_are_on_the_help_page_without_script(demo: dict[str, Cabinet], open_page: Open) -> None:
    page = open_page(member_of(demo[PARIS]), scripts=False)
    page.goto("/factures/")

    page.get_by_role("link", name="Raccourcis clavier").click()

    expect(page).to_have_url(re.compile("/aide/#keys$"))
    expect(page.get_by_role("main").get_by_text("Afficher ces raccourcis")).to_be_visible()


@WITH_AND_WITHOUT
def test_an_amount_is_searched_and_its_invoice_opened(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    cabinet = demo[PARIS]
    invoice = quiet_invoice(cabinet, place=0)
    page = open_page(member_of(cabinet), scripts=scripts)
    page.goto("/factures/")
    field = page.get_by_label("Rechercher un client, un dossier, un numéro de facture ou un montant")

    field.fill(show_euros(invoice.total_cents))
    field.press("Enter")

    answer = page.locator(f"[data-row][href='/factures/{invoice.pk}/']")
    expect(answer).to_be_visible()
    if scripts:
        field.focus()
        for _ in range(page.locator("[data-row]").count()):
            page.keyboard.press("ArrowDown")
            if answer.evaluate("node => node === document.activeElement"):
                break
        page.keyboard.press("Enter")
    else:
        answer.click()
    expect(page).to_have_url(re.compile(f"/factures/{invoice.pk}/$"))


def test_a_message_is_approved_then_taken_back_without_script(demo: dict[str, Cabinet], open_page: Open) -> None:
    cabinet = demo[MARTINIQUE]
    with working_for(cabinet_id=cabinet.pk):
        one = waiting()[0]
    page = open_page(member_of(cabinet), scripts=False)
    page.goto(f"/a-valider/{one.pk}/")
    page.get_by_role("button", name="Approuver l’envoi").click()
    expect(page.get_by_text("Accord enregistré.")).to_be_visible()
    assert state_of(cabinet, one.pk) == ReminderState.APPROVED
    page.goto(f"/a-valider/{one.pk}/")
    page.get_by_role("button", name="Annuler l’accord").click()

    expect(page.get_by_text("Accord annulé.")).to_be_visible()
    assert state_of(cabinet, one.pk) == ReminderState.AWAITING_APPROVAL


@WITH_AND_WITHOUT
def test_a_selection_is_summed_up_before_it_is_approved(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    cabinet = demo[STRASBOURG]
    with working_for(cabinet_id=cabinet.pk):
        one = waiting()[0]
    page = open_page(member_of(cabinet), scripts=scripts)
    page.goto("/a-valider/")
    page.locator(f"input[name=reminder][value='{one.pk}']").check()
    if scripts:
        expect(page.get_by_text("1 message coché")).to_be_visible()
    page.get_by_role("button", name="Approuver la sélection").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approbation groupée")
    assert state_of(cabinet, one.pk) == ReminderState.AWAITING_APPROVAL
    page.get_by_role("button", name="Approuver ce message").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("1 message approuvé")
    assert state_of(cabinet, one.pk) == ReminderState.APPROVED
    page.goto(f"/a-valider/{one.pk}/")
    page.get_by_role("button", name="Annuler l’accord").click()
    expect(page.get_by_text("Accord annulé.")).to_be_visible()


def test_an_invoice_paid_meanwhile_is_said_and_nothing_leaves(demo: dict[str, Cabinet], open_page: Open) -> None:
    cabinet = demo[PARIS]
    owner = member_of(cabinet)
    with working_for(cabinet_id=cabinet.pk):
        one = waiting().order_by("-depart_at", "-pk")[0]
        lines = list(one.lines.all())
    page = open_page(owner)
    page.goto(f"/a-valider/{one.pk}/")
    with acting_for(cabinet_id=cabinet.pk, member_id=owner.pk), tenant_atomic():
        today = cabinet.today()
        owed = sum(line.invoice.outstanding_cents for line in lines)
        receipt = Receipt(
            client_id=one.client_id,
            invoice_ids=tuple(line.invoice_id for line in lines),
            cents=owed,
            received_on=today,
        )
        record_payment(receipt=receipt, on=today)
    page.get_by_role("button", name="Approuver l’envoi").click()

    expect(page.get_by_text("Cette facture vient d’être payée. Rien ne partira.")).to_be_visible()
    assert state_of(cabinet, one.pk) == ReminderState.CANCELLED


@WITH_AND_WITHOUT
def test_the_reminders_of_an_invoice_are_held_then_the_page_says_why(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    cabinet = demo[PARIS]
    invoice = quiet_invoice(cabinet, place=0)
    page = open_page(member_of(cabinet), scripts=scripts)
    page.goto(f"/factures/{invoice.pk}/")
    page.get_by_role("link", name="Suspendre les relances").click()
    page.get_by_label("Pourquoi ?").fill("Appel du client, il règle la semaine prochaine.")
    page.get_by_role("button", name="Suspendre les relances").click()
    expect(page.get_by_text("Relances suspendues pour cette facture.")).to_be_visible()
    with working_for(cabinet_id=cabinet.pk):
        stop = Standstill.objects.get(invoice=invoice, kind=StopKind.HOLD, released_at=None)
        assert stop.reason == "Appel du client, il règle la semaine prochaine."

    page.get_by_role("link", name="Pourquoi rien n’est parti ?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pourquoi rien n’est parti ?")
    now = page.get_by_role("region", name="En ce moment")
    expect(now).to_contain_text("Relances suspendues")


@WITH_AND_WITHOUT
def test_a_payment_received_is_recorded(demo: dict[str, Cabinet], open_page: Open, *, scripts: bool) -> None:
    cabinet = demo[STRASBOURG]
    invoice = quiet_invoice(cabinet, place=0)
    page = open_page(member_of(cabinet), scripts=scripts)
    page.goto(f"/factures/{invoice.pk}/")
    page.get_by_role("link", name="Enregistrer un paiement").click()
    page.get_by_label("Montant reçu").fill("10,50")
    page.get_by_label("Reçu le").fill(cabinet.today().isoformat())
    page.get_by_role("button", name="Enregistrer le paiement").click()
    expect(page.get_by_text("Le paiement de 10,50\u00a0€ est enregistré.")).to_be_visible()

    expect(page.get_by_role("heading", level=1)).to_contain_text(invoice.number)
    with working_for(cabinet_id=cabinet.pk):
        after = Invoice.objects.get(pk=invoice.pk)
        assert Payment.objects.filter(allocations__invoice=invoice, cents=1050).exists()
    assert after.settled_cents == invoice.settled_cents + 1050


def test_everything_is_suspended_from_the_dialog_then_resumed(demo: dict[str, Cabinet], open_page: Open) -> None:
    cabinet = demo[MARTINIQUE]
    page = open_page(member_of(cabinet))
    page.goto("/tableau-de-bord/")
    page.get_by_role("link", name="Tout suspendre").click()
    box = page.get_by_role("dialog", name="Suspendre tous les envois ?")
    expect(box).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    assert not is_suspended(cabinet)
    page.get_by_role("link", name="Tout suspendre").click()
    box.get_by_role("button", name="Tout suspendre").click()
    check_the_firm_is_silent_then_resume(page, cabinet)


def test_everything_is_suspended_and_resumed_without_script(demo: dict[str, Cabinet], open_page: Open) -> None:
    cabinet = demo[MARTINIQUE]
    page = open_page(member_of(cabinet), scripts=False, size=PHONE)
    page.goto("/tableau-de-bord/")
    page.get_by_role("link", name="Tout suspendre").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Suspendre tous les envois ?")
    assert not is_suspended(cabinet)
    page.get_by_role("button", name="Tout suspendre").first.click()
    check_the_firm_is_silent_then_resume(page, cabinet)


def check_the_firm_is_silent_then_resume(page: Page, cabinet: Cabinet) -> None:
    """The banner says it, the database holds it, and a person ends it."""
    expect(page.get_by_text("Tous les envois sont suspendus").first).to_be_visible()
    assert is_suspended(cabinet)
    page.get_by_role("link", name="Reprendre les envois").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reprendre les envois ?")
    page.get_by_role("button", name="Reprendre les envois").click()
    expect(page.get_by_text("Les envois reprennent.")).to_be_visible()
    assert not is_suspended(cabinet)


def is_suspended(cabinet: Cabinet) -> bool:
    """Say whether a firm is silent."""
    with working_for(cabinet_id=cabinet.pk):
        return Cabinet.objects.get(pk=cabinet.pk).suspended_at is not None


@WITH_AND_WITHOUT
def test_a_debtor_who_has_paid_is_no_longer_reminded(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    cabinet = demo[PARIS if scripts else MARTINIQUE]
    reminder, address = pending_for_a_debtor(cabinet, place=0)
    page = open_page(scripts=scripts, size=PHONE)
    page.goto(address)
    page.get_by_role("link", name="J’ai déjà payé").click()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("Date du paiement").fill((cabinet.today() - dt.timedelta(days=1)).isoformat())
    page.get_by_label("Virement").check()
    page.get_by_role("button", name="Envoyer au cabinet").click()

    expect(page.get_by_text("suspendus tant que le cabinet n’a pas répondu")).to_be_visible()
    check_nothing_leaves(cabinet, reminder, StopKind.CLAIMED_PAID)


@WITH_AND_WITHOUT
def test_a_debtor_who_reports_a_problem_is_no_longer_reminded(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    cabinet = demo[PARIS if scripts else MARTINIQUE]
    reminder, address = pending_for_a_debtor(cabinet, place=-1)
    page = open_page(scripts=scripts, size=PHONE)
    page.goto(address)
    page.get_by_role("link", name="Signaler un problème").click()
    if page.get_by_label("Facture concernée").count():
        page.get_by_label("Facture concernée").select_option("all")
    page.get_by_label("Le montant ne me paraît pas exact").check()
    page.get_by_role("button", name="Envoyer au cabinet").click()

    expect(page.get_by_text("suspendus tant que le cabinet n’a pas répondu")).to_be_visible()
    check_nothing_leaves(cabinet, reminder, StopKind.DISPUTE)


def pending_for_a_debtor(cabinet: Cabinet, *, place: int) -> tuple[Reminder, str]:
    """Return a reminder that waits and the address of its debtor's page."""
    with working_for(cabinet_id=cabinet.pk):
        rows = list(waiting(firm_steps=True).order_by("client_id").select_related("client", "contact"))
        reminder = rows[place]
        link = links.link_for(client=reminder.client, contact=reminder.contact)
        return reminder, urlsplit(links.url_of(link)).path


def check_nothing_leaves(cabinet: Cabinet, reminder: Reminder, kind: StopKind) -> None:
    """The fact is recorded, the message that waited is cancelled, and the firm has a question to answer."""
    with working_for(cabinet_id=cabinet.pk):
        after = Reminder.objects.get(pk=reminder.pk)
        invoices = list(ReminderLine.objects.filter(reminder=reminder).values_list("invoice", flat=True))
        stops = Standstill.objects.filter(kind=kind, released_at=None)
        assert after.state == ReminderState.CANCELLED
        assert stops.filter(invoice__in=invoices).exists() or stops.filter(client=reminder.client_id).exists()
        assert DebtorRequest.objects.filter(client=reminder.client_id, state=RequestState.OPEN).exists()


def test_a_debtor_reads_on_a_phone_what_is_owed_and_how_to_pay(demo: dict[str, Cabinet], open_page: Open) -> None:
    cabinet = demo[STRASBOURG]
    invoice, address = debt_with_a_link(cabinet)
    page = open_page(size=PHONE)
    page.goto(address)

    amount = page.locator(".amount")
    assert amount.inner_text() == show_euros(invoice.outstanding_cents)
    for seen in (amount, page.get_by_role("heading", name="Payer par virement")):
        box = seen.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"]
    transfer = page.get_by_role("region", name="Payer par virement")
    expect(transfer).to_contain_text(cabinet.name)
    expect(transfer).to_contain_text(invoice.number)
    assert cabinet.iban in re.sub(r"\s", "", transfer.inner_text())
    expect(transfer.get_by_role("img")).to_be_visible()


def debt_with_a_link(cabinet: Cabinet) -> tuple[Invoice, str]:
    """Return an invoice already reminded, the only one of its debtor's page, and the address of that page."""
    place = 1
    while True:
        invoice = quiet_invoice(cabinet, place=place)
        with working_for(cabinet_id=cabinet.pk):
            link = links.link_for(client=invoice.client, contact=invoice.dossier.billing_contact)
            if links.opened_by(link).count() == 1:
                return invoice, urlsplit(links.url_of(link)).path
        place += 1


class Bare:
    """Serves nothing of its own: static files go through WhiteNoise, compressed, as on a real installation."""

    def __new__(cls, application: Any) -> Any:
        """Return the application as it is."""
        return application


@pytest.fixture
def compressed(demo: dict[str, Cabinet], tmp_path: Path) -> Iterator[str]:
    """Serve the product with the static files of a real installation."""
    storage = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES={**settings.STORAGES, "staticfiles": storage}):
        call_command("collectstatic", "--ignore=admin", interactive=False, verbosity=0)
        with serving(Bare) as address:
            yield address


def test_a_page_never_seen_before_is_light(demo: dict[str, Cabinet], chromium: Browser, compressed: str) -> None:
    cabinet = demo[STRASBOURG]
    owner, (_, space) = member_of(cabinet), debt_with_a_link(cabinet)

    seen = {
        path: weight_of(path, new_context(chromium, compressed, owner, size=DESK))
        for path in ("/tableau-de-bord/", "/a-valider/", "/factures/", "/clients/")
    }
    read_by_clients = {
        page: weight_of(space + page, new_context(chromium, compressed, size=PHONE))
        for page in ("", "deja-paye/", "demande/", "detail/", "donnees/", "canal/")
    }

    assert {path: size for path, (size, _) in seen.items() if size > APP_PAGE_BYTES} == {}
    assert {path: count for path, (_, count) in seen.items() if count > APP_PAGE_REQUESTS} == {}
    assert {page: size for page, (size, _) in read_by_clients.items() if size > CLIENT_PAGE_BYTES} == {}
    assert {page: count for page, (_, count) in read_by_clients.items() if count > CLIENT_PAGE_REQUESTS} == {}


def weight_of(path: str, context: BrowserContext) -> tuple[int, int]:
    """Open a page with nothing in the cache; return its bytes on the wire, headers included, and its requests."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    received: list[int] = []
    wire.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    answer = page.goto(path, wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200
    context.close()
    return sum(received), len(received)
