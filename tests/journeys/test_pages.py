"""Every page at two widths: nothing refused by the policy, no sideways scroll, one title, no axe violation."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Visitor
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from cabinets.models import Cabinet, Client, Dossier, Membership
from cabinets.scoping import working_for
from cabinets.services import archive
from cabinets.services.clients import ClientFacts, create_client
from dunning.channels.catcher import list_messages
from dunning.enums import ReminderState
from dunning.models import Reminder, ReminderLine, Scenario
from gdpr.enums import BreachOrigin, Claim, IdentityProof, RequestOrigin
from gdpr.models import Breach, IncidentNotice, ProcessorNotice, RightsRequest
from gdpr.services import breaches
from gdpr.services import requests as rights
from invoices.models import Invoice
from invoices.services.documents import Upload, attach_to_invoice
from payments.enums import LineState
from payments.models import BankLine, DebtorRequest, PaymentLink
from payments.services import links
from tests.conftest import sign_in
from tests.factories.files import make_pdf
from tests.invoices.test_importing import SAMPLE
from tests.journeys.conftest import DESK, PHONE, member_of, new_context

WIDTHS = {"1440": DESK, "390": PHONE}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe()

SIGNED_IN = [
    "tableau-de-bord", "rapports", "rapport-dso", "rapport-balance", "rapport-recouvrement", "rapport-temps",
    "rapport-encaissements", "rapport-etapes", "rapport-pertes", "ce-soir", "a-valider", "a-valider-un",
    "a-valider-incertain", "a-valider-bloquee", "a-valider-reporter", "a-valider-ecarter", "a-valider-lot", "relance",
    "factures", "factures-filtrees", "facture", "facture-pourquoi", "facture-suspendre", "facture-contester",
    "facture-ne-jamais-relancer", "facture-ajouter", "facture-modifier", "facture-avoir", "facture-document",
    "paiement", "clients", "client", "client-releve", "client-suspendre", "client-ajouter", "client-modifier",
    "contact-ajouter", "dossier", "dossier-ajouter", "dossier-modifier", "dossier-documents", "importer",
    "importer-colonnes", "importer-controle", "factures-lot-suspendre", "factures-lot-exporter", "importer-resultat",
    "importer-annuler", "calendrier", "demandes", "demande", "paiements", "banque", "banque-deposer", "banque-ligne",
    "banque-reglages", "recherche", "recherche-montant", "note-ecrire", "notifications", "notifications-toutes",
    "vues", "vue-enregistrer", "recherche-vide", "journal", "equipe", "personne", "droits", "cabinet", "abonnement",
    "abonnement-resilier", "mode-d-envoi", "serveur-d-envoi", "delivrabilite", "encaissement", "encaissement-compte",
    "quand-rien-ne-part", "modeles", "modele", "modeles-importer", "scenarios", "scenario", "scenario-nouveau",
    "simulation", "profil", "aide", "tout-suspendre", "documents-en-lot", "messages-recus", "message-recu", "style",
    "introuvable", "conformite", "registre", "durees", "accord", "sous-traitants", "attester", "violations",
    "violation-noter", "violation", "violation-exploitant", "sous-traitant-s-opposer", "information",
    "demandes-de-droits", "demande-de-droits-noter", "demande-de-droits",
    "mise-en-route", "audit-express", "essai-a-blanc", "avant-apres", "export", "cloture", "cloture-reprendre",
    "archive", "archive-ouvrir", "client-archive", "client-archive-ouvert",
]  # fmt: skip
VISITED = [
    "accueil", "fonctionnement", "securite", "calculateur", "calculateur-refuse", "tarifs", "cgu", "demonstration",
    "mentions-legales",
    "confidentialite", "accessibilite", "connexion", "inscription", "mot-de-passe-oublie",
    "etat", "lien-inconnu", "espace", "espace-deja-paye", "espace-probleme",
    "espace-pas-pour-moi", "espace-demandes", "espace-donnees", "espace-recours", "espace-verification",
    "espace-canal", "espace-detail", "espace-detail-code",
]  # fmt: skip

# A form, and the button that sends it with nothing in it.
REFUSALS = [
    ("connexion", "Se connecter"),
    ("facture-ajouter", "Enregistrer"),
    ("client-ajouter", "Ajouter le client"),
    ("facture-suspendre", "Suspendre les relances"),
    ("paiement", "Enregistrer le paiement"),
    ("importer", "Continuer"),
    ("export", "Tout exporter"),
    ("cloture", "Clore le compte"),
    ("espace-deja-paye", "Envoyer au cabinet"),
    ("espace-probleme", "Envoyer au cabinet"),
    ("espace-donnees", "Envoyer au cabinet"),
    ("espace-detail", "Recevoir un code"),
    ("espace-detail-code", "Ouvrir"),
    ("lien-inconnu", "Recevoir un nouveau lien"),
]


@pytest.fixture(scope="module")
def addresses(demo: dict[str, Cabinet]) -> dict[str, str]:
    """Name the address of every page, on the rows the demonstration made."""
    cabinet = demo["aubry-lemaire"]
    owner = member_of(cabinet)
    with working_for(cabinet_id=cabinet.pk):
        pages = {**of_the_queue(), **of_the_firm(owner), **of_the_debtor()}
    pages |= of_an_import(owner)
    return pages


def of_the_queue() -> dict[str, str]:
    """Return the pages of one message, in the states a person meets."""
    waiting = Reminder.objects.filter(state=ReminderState.AWAITING_APPROVAL).order_by("depart_at", "pk")
    one = waiting.filter(step__offset_days__lt=30).first()
    blocked = waiting.filter(step__offset_days__gte=30).first()
    unknown = Reminder.objects.filter(state=ReminderState.UNKNOWN).first()
    left = Reminder.objects.filter(state=ReminderState.ACCEPTED).first()
    assert one is not None
    assert blocked is not None
    assert unknown is not None
    assert left is not None
    return {
        "a-valider": reverse("approvals"),
        "a-valider-un": reverse("approval", args=[one.pk]),
        "a-valider-bloquee": reverse("approval", args=[blocked.pk]),
        "a-valider-incertain": reverse("approval", args=[unknown.pk]),
        "a-valider-reporter": reverse("approval_postpone", args=[one.pk]),
        "a-valider-ecarter": reverse("approval_decline", args=[one.pk]),
        "a-valider-lot": reverse("approvals_batch"),
        "relance": reverse("message", args=[left.pk]),
    }


def of_the_firm(owner: Membership) -> dict[str, str]:
    """Return the pages of the daily work and of the settings."""
    said = ReminderLine.objects.filter(reminder__state=ReminderState.ACCEPTED, invoice__in=Invoice.objects.open())
    line = said.select_related("invoice").order_by("invoice__number_key").first()
    request = DebtorRequest.objects.first()
    waiting = BankLine.objects.filter(state=LineState.UNMATCHED, guesses__isnull=False).first()
    assert line is not None
    assert request is not None
    assert waiting is not None
    invoice = line.invoice
    client, dossier = Client.objects.get(pk=invoice.client_id), Dossier.objects.get(pk=invoice.dossier_id)
    received = list_messages(Path(settings.VAR) / "catcher")
    ours = set(Reminder.objects.values_list("message_id", flat=True))
    message = next(one for one in received if one.message_id in ours)
    of_invoice = {
        name: reverse(view, args=[invoice.pk])
        for name, view in {
            "facture": "invoice",
            "facture-pourquoi": "invoice_why",
            "facture-suspendre": "invoice_suspend",
            "facture-contester": "invoice_contest",
            "facture-ne-jamais-relancer": "invoice_never",
            "facture-modifier": "invoice_edit",
            "facture-avoir": "credit_note_add",
            "facture-document": "document_add",
            "paiement": "payment_record",
        }.items()
    }
    of_client = {
        name: reverse(view, args=[client.pk])
        for name, view in {
            "client": "client",
            "client-releve": "statement",
            "client-suspendre": "client_suspend",
            "client-modifier": "client_edit",
            "contact-ajouter": "contact_add",
            "dossier-ajouter": "dossier_add",
        }.items()
    }
    plain = {
        name: reverse(view)
        for name, view in {
            "tableau-de-bord": "dashboard",
            "rapports": "reports",
            "rapport-dso": "report_dso",
            "rapport-balance": "report_balance-agee",
            "rapport-recouvrement": "report_recouvrement",
            "rapport-temps": "report_temps",
            "rapport-encaissements": "report_encaissements-attendus",
            "rapport-etapes": "report_etapes",
            "rapport-pertes": "report_pertes-et-promesses",
            "ce-soir": "coming_night",
            "factures": "invoices",
            "facture-ajouter": "invoice_add",
            "clients": "clients",
            "client-ajouter": "client_add",
            "importer": "import_file",
            "calendrier": "calendar",
            "demandes": "requests",
            "paiements": "payments",
            "banque": "bank",
            "banque-deposer": "bank_upload",
            "banque-reglages": "bank_settings",
            "journal": "journal",
            "mise-en-route": "onboarding",
            "audit-express": "onboarding_audit",
            "essai-a-blanc": "onboarding_trial",
            "avant-apres": "before_after",
            "registre": "gdpr_register",
            "conformite": "gdpr_centre",
            "accord": "gdpr_agreement",
            "sous-traitants": "gdpr_processors",
            "information": "gdpr_information",
            "violations": "breaches",
            "violation-noter": "breach_add",
            "durees": "gdpr_retention",
            "export": "firm_export",
            "cloture": "firm_close",
            "cloture-reprendre": "firm_take_back",
            "demandes-de-droits": "rights_requests",
            "demande-de-droits-noter": "rights_add",
            "equipe": "team",
            "droits": "rights",
            "cabinet": "firm",
            "mode-d-envoi": "sending",
            "abonnement": "subscription",
            "abonnement-resilier": "subscription_cancel",
            "scenarios": "scenarios",
            "modeles": "texts",
            "modeles-importer": "texts_import",
            "scenario-nouveau": "scenario_add",
            "simulation": "simulation",
            "quand-rien-ne-part": "stop_rules",
            "serveur-d-envoi": "mail_server",
            "delivrabilite": "deliverability",
            "encaissement": "payment_accounts",
            "profil": "security",
            "aide": "help",
            "tout-suspendre": "suspend_all",
            "documents-en-lot": "documents_batch",
            "messages-recus": "demo_messages",
            "style": "style",
        }.items()
    }
    return {
        **plain,
        **of_invoice,
        **of_client,
        "modele": reverse("text", args=["firm-professional-email-fr"]),
        "scenario": reverse("scenario", args=[Scenario.objects.get(is_default=True).pk]),
        "factures-lot-suspendre": reverse("invoices_batch") + "?action=hold&toutes=1&filtre=etat%3Dechue",
        "factures-lot-exporter": reverse("invoices_batch") + "?action=export&toutes=1&filtre=etat%3Dtoutes",
        "factures-filtrees": reverse("invoices") + "?q=zzzz",
        "dossier": reverse("dossier", args=[dossier.pk]),
        "dossier-modifier": reverse("dossier_edit", args=[dossier.pk]),
        "dossier-documents": reverse("dossier_documents", args=[dossier.pk]),
        "demande": reverse("request", args=[request.pk]),
        "banque-ligne": reverse("bank_line", args=[waiting.pk]),
        "recherche": reverse("search") + f"?q={client.display_name.split()[0]}",
        "recherche-montant": reverse("search") + "?q=1440",
        "note-ecrire": reverse("note_add", args=[client.pk]),
        "vues": reverse("saved_views"),
        "vue-enregistrer": reverse("saved_view_add") + "?etat=echue",
        "notifications": reverse("notifications"),
        "notifications-toutes": reverse("notifications") + "?vue=toutes",
        "recherche-vide": reverse("search") + "?q=zzzz",
        "personne": reverse("member", args=[owner.pk]),
        "message-recu": reverse("demo_message", args=[message.key]),
        "encaissement-compte": reverse("payment_account", args=["stripe", "reel"]),
        "attester": reverse("gdpr_attest", args=["privacy"]),
        **of_the_archive(owner),
        "violation": reverse("breach", args=[breach_of(owner).pk]),
        "violation-exploitant": reverse("breach", args=[told_breach(owner).pk]),
        "sous-traitant-s-opposer": reverse("gdpr_object", args=[announced().pk]),
        "demande-de-droits": reverse("rights_request", args=[asked_of(client, owner).pk]),
        "introuvable": "/factures/00000000-0000-4000-8000-000000000000/",
    }


def of_the_archive(owner: Membership) -> dict[str, str]:
    """Put two clients away and open one of them, so that their pages say so."""
    shut, opened = [create_client(facts=ClientFacts(company=f"Ancienne société {name}")) for name in ("A", "B")]
    archive.put_away([shut.pk, opened.pk], on=Cabinet.objects.get().today())
    archive.open_for(client_id=opened.pk, by=owner, reason="Demande du bâtonnier du 3 novembre")
    return {
        "archive": reverse("gdpr_archive") + "?q=ancienne+soci%C3%A9t%C3%A9+a",
        "archive-ouvrir": reverse("gdpr_archive_open", args=[shut.pk]),
        "client-archive": reverse("client", args=[shut.pk]),
        "client-archive-ouvert": reverse("client", args=[opened.pk]),
    }


def breach_of(owner: Membership) -> Breach:
    """Note a breach, so that its page has a clock."""
    known_at = timezone.now() - dt.timedelta(hours=20)
    return breaches.record(by=owner, known_at=known_at, what="Un e-mail au mauvais client.", whose="Une personne.")


def told_breach(owner: Membership) -> Breach:
    """Tell the firm of an incident of the installation, which somebody read already."""
    now, incident = timezone.now(), uuid4()
    breach = Breach(known_at=now, origin=BreachOrigin.OPERATOR, incident_ref=incident, what="Une sauvegarde a été lue.")
    breach.save(force_insert=True)
    IncidentNotice(
        breach=breach, incident_ref=incident, statement_ref=uuid4(), number=1, known_at=now,
        what=breach.what,
        whose="Clients et factures.", contact="securite@exploitant.example", told_at=now, told_to="Une associée",
        opened_at=now, opened_by=owner,
    ).save(force_insert=True)  # fmt: skip
    return breach


def announced() -> ProcessorNotice:
    """Announce a company, so that its page asks for a reason."""
    now = timezone.now()
    notice = ProcessorNotice(
        version_ref=uuid4(), name="Relais de courrier", country="DE", role="Relais des e-mails", data="Messages",
        applies_on=now.date(), told_at=now,
    )  # fmt: skip
    notice.save(force_insert=True)
    return notice


def asked_of(client: Client, owner: Membership) -> RightsRequest:
    """Ask for the erasure of a client and recognise them, so that the page says what would go."""
    row = rights.record(
        by=owner,
        client=client,
        claim=Claim.ERASURE,
        origin=RequestOrigin.LETTER,
        received_on=Cabinet.objects.get().today(),
        words="Je souhaite que vous effaciez mes données.",
    )
    return rights.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)


def of_the_debtor() -> dict[str, str]:
    """Return what a visitor sees: the sign-in, and the pages of two links, one of which asks a fact first."""
    live = PaymentLink.objects.filter(revoked_at=None).order_by("created_at", "pk")
    plain, asking = [link for link in live if links.owed_through(link).exists()][:2]
    links.opened_by(asking).update(is_sensitive=True)
    billed = links.owed_through(plain).first()
    assert billed is not None
    attach_to_invoice(invoice_id=billed.pk, upload=Upload("Facture.pdf", make_pdf()))
    space = urlsplit(links.url_of(plain)).path
    return {
        "accueil": reverse("home"),
        "fonctionnement": reverse("how_it_works"),
        "securite": reverse("security_promises"),
        "calculateur": reverse("calculator"),
        "calculateur-refuse": reverse("calculator") + "?ca=-1",
        "tarifs": reverse("prices"),
        "cgu": reverse("terms"),
        "demonstration": reverse("demonstration"),
        "mentions-legales": reverse("legal_notice"),
        "confidentialite": reverse("privacy"),
        "accessibilite": reverse("accessibility"),
        "connexion": reverse("connection"),
        "inscription": reverse("signup"),
        "mot-de-passe-oublie": reverse("password_forgotten"),
        "etat": reverse("status"),
        "lien-inconnu": "/p/" + "a" * 43 + "/",
        "espace": space,
        "espace-deja-paye": space + "deja-paye/",
        "espace-probleme": space + "probleme/",
        "espace-pas-pour-moi": space + "pas-pour-moi/",
        "espace-demandes": space + "demande/",
        "espace-donnees": space + "donnees/",
        "espace-recours": space + "recours/",
        "espace-canal": space + "canal/",
        "espace-detail": space + "detail/",
        "espace-detail-code": space + "detail/code/",
        "espace-verification": urlsplit(links.url_of(asking)).path,
    }


def of_an_import(owner: Membership) -> dict[str, str]:
    """Bring the sample twice: once to its result, once to its check."""
    browser = Visitor()
    sign_in(browser, owner)

    def brought() -> tuple[str, str]:
        uploaded = browser.post(reverse("import_file"), {"file": SimpleUploadedFile("factures.csv", SAMPLE)})
        columns = uploaded["Location"]
        form = browser.get(columns).context["form"]
        chosen = browser.post(columns, {name: field.initial for name, field in form.fields.items()})
        return columns, chosen["Location"]

    _, first = brought()
    result = browser.post(first)["Location"]
    columns, check = brought()
    return {
        "importer-colonnes": columns,
        "importer-controle": check,
        "importer-resultat": result,
        "importer-annuler": result.replace("resultat", "annuler"),
    }


@pytest.fixture(scope="module")
def pages(chromium: Browser, server: str, demo: dict[str, Cabinet]) -> Iterator[dict[tuple[str, bool], Page]]:
    """Open one page per width and per reader: an owner of the firm, and a visitor."""
    owner = member_of(demo["aubry-lemaire"])
    contexts = {
        (width, signed): new_context(chromium, server, owner if signed else None, size=size)
        for width, size in WIDTHS.items()
        for signed in (True, False)
    }
    yield {which: context.new_page() for which, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SIGNED_IN)
def test_a_page_of_the_firm_breaks_no_rule(
    name: str, width: str, pages: dict[tuple[str, bool], Page], addresses: dict[str, str]
) -> None:
    # The page of every component is for who builds the pages: it opens in development only.
    with override_settings(DEBUG=name == "style"):
        assert faults_of(pages[width, True], addresses[name]) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", VISITED)
def test_a_page_of_a_visitor_breaks_no_rule(
    name: str, width: str, pages: dict[tuple[str, bool], Page], addresses: dict[str, str]
) -> None:
    assert faults_of(pages[width, False], addresses[name]) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "button"), REFUSALS)
def test_a_form_sent_empty_comes_back_readable(
    name: str, button: str, width: str, pages: dict[tuple[str, bool], Page], addresses: dict[str, str]
) -> None:
    page = pages[width, name in SIGNED_IN]
    page.goto(addresses[name])
    for field in page.locator("main input[required]:is([type=text], [type=date], [type=email])").all():
        field.fill("")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.locator("main").get_by_role("button", name=button, exact=True).click()
    page.locator("[aria-invalid=true]").first.wait_for(state="attached")

    assert answered.value.status == 422
    assert seen_on(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_dialog_that_suspends_everything_breaks_no_rule(
    width: str, pages: dict[tuple[str, bool], Page], addresses: dict[str, str]
) -> None:
    page = pages[width, True]
    page.goto(addresses["clients"])
    page.get_by_role("link", name="Tout suspendre").first.click()
    page.get_by_role("dialog").wait_for()

    assert seen_on(page) == []


def test_every_named_page_is_walked(addresses: dict[str, str]) -> None:
    assert sorted(addresses) == sorted([*SIGNED_IN, *VISITED])


def faults_of(page: Page, address: str) -> list[str]:
    """Open a page and return everything that is wrong with it, in words."""
    errors: list[str] = []

    def heard(message: Any) -> None:
        if message.type == "error" and "404" not in message.text:
            errors.append(f"console : {message.text}")

    def broken(error: Any) -> None:
        errors.append(f"script : {error}")

    page.on("console", heard)
    page.on("pageerror", broken)
    try:
        answer = page.goto(address, wait_until="load")
        assert answer is not None
        page.evaluate("document.fonts.ready.then(() => true)")
        expected = 404 if name_of_nothing(address) else 200
        wrong = [] if answer.status == expected else [f"{answer.status} au lieu de {expected} : {address}"]
        if urlsplit(page.url).path.startswith("/connexion/") and not address.startswith("/connexion/"):
            wrong.append(f"renvoyé à {page.url}")
        return errors + wrong + seen_on(page)
    finally:
        page.remove_listener("console", heard)
        page.remove_listener("pageerror", broken)


def name_of_nothing(address: str) -> bool:
    """Tell whether an address was made to open nothing."""
    return "00000000-0000-4000-8000" in address or "aaaaaaaa" in address


def seen_on(page: Page) -> list[str]:
    """Return what is wrong with the open page, once it is whole."""
    page.wait_for_load_state()
    faults = [f"refusé par la politique : {one}" for one in page.evaluate("window.__refused")]
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wider > 0:
        faults.append(f"déborde de {wider} px : {page.evaluate(WIDEST)}")
    titles = page.locator("h1").all_text_contents()
    if len(titles) != 1:
        faults.append(f"{len(titles)} titres : {titles}")
    if page.evaluate("document.documentElement.lang") != "fr":
        faults.append("la langue n’est pas le français")
    found = AXE.run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    for violation in found.response["violations"]:
        nodes = [f"{node['target']} {node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"][:4]]
        faults.append(f"axe {violation['id']} : {violation['help']}\n" + "\n".join(nodes))
    return faults


# The elements that reach furthest to the right of the window.
WIDEST = """() => [...document.querySelectorAll('body *')]
  .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 1)
  .slice(0, 5).map((node) => node.tagName + '.' + node.className)"""
