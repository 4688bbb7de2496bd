"""The two registers of article 30, letter by letter, and what a firm tells people, made from the same rules."""

import csv
import datetime as dt
import html
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client as Browser
from pypdf import PdfReader

from cabinets.enums import Role, TransferBasis
from cabinets.models import Cabinet, Membership, TransferRecord
from cabinets.scoping import working_for
from dunning.models import Mailbox, MailServer
from gdpr.enums import Basis, Claim
from gdpr.inventory import PURPOSES, RETENTIONS, words_of
from gdpr.matrix import ALLOWED
from gdpr.models import RetentionSettings
from gdpr.services import information
from gdpr.services.agreement import MEASURES
from payments.models import ProviderAccount
from payments.services import links
from tests.cabinets.test_admin import DESK, desk, operator  # noqa: F401 - fixtures of the operators' desk
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_client, make_contact, make_member
from tests.factories.invoices import make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
OPERATOR = {
    "OPERATOR_NAME": "Société d’exploitation",
    "OPERATOR_ADDRESS": "1 rue du Port, Nantes",
    "OPERATOR_EMAIL": "contact@exploitant.example",
}
# Article 30-1, letter by letter: what the page, the PDF and the sheet all say.
LETTERS = {
    "a, controller": ("Cabinet Aubry", "12 rue des Tanneurs", "02 40 00 00 00", "contact@aubry.example"),
    "a, officer": ("Ana Roche, dpo@aubry.example",),
    "b, purposes": tuple(one.name for one in PURPOSES),
    "c, people": ("Clients du cabinet, leurs contacts et tiers payeurs", "Avocats, assistants et comptables"),
    "c, data": ("Factures", "Relances"),
    "d, recipients": ("l’expert-comptable du cabinet", "Société d’exploitation, exploitant de l’installation"),
    "d, processors": ("Stripe (Encaissement en ligne, US)",),
    "e, transfers and guarantees": ("Stripe (US) : Clauses contractuelles types, SCC 2021/914", "24 novembre 2026"),
    "f, lengths": ("6 ans après la fin de l’exercice", "12 mois, par mois entiers"),
    "g, security": MEASURES,
}


def plain(text: str) -> str:
    return " ".join(html.unescape(text).replace("\u00a0", " ").split())


@pytest.fixture
def told(owner: Membership, browse: Browse, settings: Any) -> Callable[[str], str]:
    """Return a reader of one of the firm's register pages, once the firm has said everything."""
    settings.OPERATOR = {**settings.OPERATOR, **OPERATOR}
    firm = Cabinet.objects.get()
    firm.name, firm.address, firm.postcode, firm.city = "Cabinet Aubry", "12 rue des Tanneurs", "44000", "Nantes"
    firm.email, firm.dpo_name, firm.dpo_email = "contact@aubry.example", "Ana Roche", "dpo@aubry.example"
    firm.save(update_fields=["name", "address", "postcode", "city", "email", "dpo_name", "dpo_email"])
    RetentionSettings(accounting_years=6).save(force_insert=True)
    ProviderAccount(provider="stripe", mode="test", is_enabled=True, hook_hash=b"x" * 32).save(force_insert=True)
    TransferRecord(
        provider="stripe", country="US", basis=TransferBasis.SCC, reference="SCC 2021/914",
        data_sent="Numéro de facture et montant", assessed_on=dt.date(2026, 11, 24),
    ).save(force_insert=True)  # fmt: skip

    def read(address: str) -> str:
        content = browse(owner).get(address).content
        if address.endswith(".pdf"):
            return plain(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))
        return plain(content.decode("utf-8-sig").replace('""', '"'))

    return read


@pytest.mark.parametrize("address", ["/rgpd/registre/", "/rgpd/registre.pdf", "/rgpd/registre.csv"])
def test_says_every_letter_of_article_30_1(told: Callable[[str], str], address: str) -> None:
    text = told(address)

    missing = {letter: [one for one in words if plain(one) not in text] for letter, words in LETTERS.items()}
    assert {letter: words for letter, words in missing.items() if words} == {}


@pytest.mark.parametrize("address", ["/rgpd/registre/", "/rgpd/registre.pdf"])
def test_says_that_there_is_no_representative_nor_joint_controller(told: Callable[[str], str], address: str) -> None:
    text = told(address)

    assert "Sans objet : le cabinet est établi dans l’Union européenne" in text
    assert "Responsable conjoint" in text


def test_says_so_when_a_transfer_rests_on_nothing(owner: Membership, browse: Browse) -> None:
    ProviderAccount(provider="stripe", mode="test", is_enabled=True, hook_hash=b"x" * 32).save(force_insert=True)

    page = plain(browse(owner).get("/rgpd/registre/").content.decode())

    assert "Stripe (US) : aucune garantie enregistrée" in page
    assert "Aucun délégué désigné : le cabinet répond lui-même." in page


def test_a_sheet_holds_no_formula(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    Cabinet.objects.update(name="=HYPERLINK(1)")

    sheet = browse(owner).get("/rgpd/registre.csv").content.decode("utf-8-sig")

    cells = [cell for line in csv.reader(io.StringIO(sheet), delimiter=";") for cell in line]
    assert [cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}] == []


def test_gives_the_firm_the_operator_s_register_of_itself(told: Callable[[str], str]) -> None:
    text = told("/rgpd/registre-exploitant.pdf")

    for words in ("paragraphe 2", *OPERATOR.values(), "Cabinet Aubry", "contact@aubry.example", *MEASURES):
        assert plain(words) in text
    assert "Stripe (US) : Clauses contractuelles types" in text
    assert all(one.name in text for one in PURPOSES if not one.by_vendor)


@pytest.mark.parametrize("address", ["/rgpd/registre-exploitant.pdf", "/rgpd/information/"])
def test_is_for_those_who_run_the_firm(cabinet: object, address: str, browse: Browse) -> None:
    assert browse(make_member(role=Role.LAWYER)).get(address).status_code == 403


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("form", ["registre/", "registre.pdf"])
def test_the_operator_reads_who_it_works_for_and_no_file(
    desk: Browser,  # noqa: F811 - the fixture
    settings: Any,
    form: str,
) -> None:
    settings.OPERATOR = {**settings.OPERATOR, **OPERATOR}
    firm, silent = make_cabinet(name="Aubry"), make_cabinet(name="Roche", activated_on=None)
    with working_for(cabinet_id=firm.pk):
        make_client(company="CANARI SARL", email="canari@canari.example")
        TransferRecord(
            provider="stripe", country="US", basis=TransferBasis.SCC, reference="x", data_sent="x",
            assessed_on=dt.date(2026, 11, 24),
        ).save(force_insert=True)  # fmt: skip

    answer = desk.get(f"{DESK}gdpr/subprocessor/{form}")

    content = answer.content
    if form.endswith(".pdf"):
        text = plain(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))
    else:
        text = plain(content.decode())
    for words in ("Aubry", "Roche", firm.email, silent.email, "En service depuis le 2 janvier 2026"):
        assert words in text
    assert "Envois non activés" in text
    assert "Stripe (US) : Clauses contractuelles types" in text
    assert all(plain(one) in text for one in MEASURES)
    assert "CANARI" not in text


def test_tells_people_each_use_with_the_rights_of_its_basis(cabinet: Cabinet) -> None:
    """Articles 13 and 14, from the register: no use forgotten, and no right promised that the basis refuses."""
    RetentionSettings(accounting_years=7).save(force_insert=True)
    found = information.of_firm(cabinet)

    by_name = {one.name: one for one in PURPOSES}
    assert [one.name for one in found.uses] == [
        "Recouvrement amiable des honoraires",
        "Tenue des factures et des règlements",
        "Preuve des envois et défense des droits du cabinet",
        "Consentement à la lettre recommandée électronique",
        "Réponse aux demandes des personnes",
    ]
    for use in found.uses:
        purpose = by_name[use.name]
        assert use.rights == tuple(str(one.label) for one in Claim if one in ALLOWED[purpose.basis])
        assert use.recipients == purpose.recipients
        assert (use.interest != "") is (purpose.basis is Basis.LEGITIMATE_INTEREST)
        assert use.lengths
    assert "7 ans après la fin de l’exercice" in " ".join(found.uses[1].lengths)
    assert found.has_consent


def test_a_contact_reads_the_basis_and_the_rights_of_whom_no_contract_binds(cabinet: Cabinet) -> None:
    by_name = {one.name: one for one in PURPOSES}
    of_client, of_contact = (information.of_firm(cabinet, is_contact=told).uses for told in (False, True))

    changed = [(one, other) for one, other in zip(of_client, of_contact, strict=True) if one != other]

    assert [one.name for one, _ in changed] == ["Recouvrement amiable des honoraires"]
    [(before, after)] = changed
    assert (before.basis, before.interest) == ("Exécution du contrat (art. 6-1-b)", "")
    assert (after.basis, after.interest) == ("Intérêt légitime (art. 6-1-f)", by_name[after.name].text)
    assert ("Portabilité" in before.rights, "Opposition" in before.rights) == (True, False)
    assert ("Portabilité" in after.rights, "Opposition" in after.rights) == (False, True)
    assert information.of_contacts(cabinet) == (after,)


@pytest.mark.parametrize("is_contact", [False, True])
def test_each_link_reads_its_own_basis(cabinet: Cabinet, browse: Browse, is_contact: bool) -> None:
    client = make_client()
    link = links.link_for(client=client, contact=make_contact(client=client) if is_contact else None)

    text = plain(browse(None).get(f"{urlsplit(links.url_of(link)).path}donnees/").content.decode())

    told = text.partition("<h3>Recouvrement amiable des honoraires</h3>")[2].partition("<h3>")[0]
    rights = told.partition("<dt>Vos droits</dt><dd>")[2].partition("</dd>")[0]
    basis, given = {
        False: ("Exécution du contrat (art. 6-1-b)", "accès, rectification, effacement, limitation, portabilité"),
        True: ("Intérêt légitime (art. 6-1-f)", "accès, rectification, effacement, limitation, opposition"),
    }[is_contact]
    assert f"<dt>Fondement</dt><dd>{basis}" in told
    assert rights == given
    assert ("vous n’êtes pas tenu de les donner" in text) is is_contact
    assert ("nécessaires au contrat" in text) is not is_contact


def test_the_text_to_copy_says_both_cases(told: Callable[[str], str]) -> None:
    text = told("/rgpd/information/")

    clients, _, contacts = text.partition("Si vous êtes joint pour un client du cabinet")
    assert "Fondement : Exécution du contrat (art. 6-1-b)." in clients
    assert (
        "Recouvrement amiable des honoraires.<br> Fondement : Intérêt légitime (art. 6-1-f)."
        " L’intérêt poursuivi est cette finalité même.<br> Vos droits : accès, rectification, effacement, limitation,"
        " opposition."
    ) in contacts


@pytest.mark.parametrize(("years", "words"), [(10, "10 ans après la fin de l’exercice"), (6, "6 ans après la fin")])
def test_writes_the_years_the_firm_chose(years: int, words: str) -> None:
    accounting = next(one for one in RETENTIONS if one.slug == "accounting")

    assert words_of(accounting, accounting_years=years).startswith(words)


# What articles 13 and 14 ask, and the words that say it on both pages.
INFORMATION = {
    "controller": ("Cabinet Aubry", "12 rue des Tanneurs"),
    "officer": ("Ana Roche, dpo@aubry.example",),
    "purposes and bases": ("Recouvrement amiable des honoraires", "Exécution du contrat (art. 6-1-b)"),
    "interest pursued": ("L’intérêt poursuivi est cette finalité même",),
    "recipients": ("le bâtonnier, le médiateur ou le juge saisi",),
    "transfers": ("Stripe (US) : Clauses contractuelles types",),
    "lengths": ("6 ans après la fin de l’exercice", "2 ans pour un particulier"),
    "rights": ("accès, rectification, effacement, limitation, portabilité", "opposition"),
    "withdrawal": ("Un consentement se retire à tout moment",),
    "complaint": ("Commission nationale de l’informatique et des libertés",),
    "source": ("la personne ou la société qui a confié le dossier",),
    "categories": ("vos nom, société, adresse, e-mail et téléphone",),
    "duty to give": ("sont nécessaires au contrat et à la loi",),
    "no decision by a machine": ("Aucune décision n’est prise par un calcul seul",),
    "a month": ("dans le mois",),
}


@pytest.mark.parametrize("page", ["site", "portal"])
def test_says_everything_articles_13_and_14_ask(told: Callable[[str], str], browse: Browse, page: str) -> None:
    if page == "site":
        text = told("/rgpd/information/")
    else:
        address = urlsplit(links.url_of(links.link_for(client=make_client()))).path
        text = plain(browse(None).get(f"{address}donnees/").content.decode())

    missing = {name: [one for one in words if plain(one) not in text] for name, words in INFORMATION.items()}
    assert {name: words for name, words in missing.items() if words} == {}


def own_mail(*, is_read: bool = True) -> None:
    """Send from the firm's own server, and read its own mailbox."""
    MailServer(host="smtp.ailleurs.example", sender="c@aubry.example").save(force_insert=True)
    Mailbox(host="imap.ailleurs.example", username="c", is_enabled=is_read).save(force_insert=True)


def notice(browse: Browse, owner: Membership, page: str) -> str:
    if page == "site":
        return plain(browse(owner).get("/rgpd/information/").content.decode())
    address = urlsplit(links.url_of(links.link_for(client=make_client()))).path
    return plain(browse(None).get(f"{address}donnees/").content.decode())


@pytest.mark.parametrize("page", ["site", "portal"])
def test_no_record_of_a_transfer_is_no_proof_that_there_is_none(owner: Membership, browse: Browse, page: str) -> None:
    text = notice(browse, owner, page)

    said = "Aucun transfert n’est enregistré." if page == "site" else "Aucun transfert hors de l’Union européenne n’est"
    assert said in text
    assert "n’en sortent pas" not in text
    assert "ne sortent pas" not in text
    assert "Pays non enregistré" not in text


@pytest.mark.parametrize("page", ["site", "portal"])
def test_says_whose_country_nobody_recorded_without_naming_the_host(
    owner: Membership, browse: Browse, page: str
) -> None:
    own_mail()

    text = notice(browse, owner, page)

    assert "Pays non enregistré : serveur d’envoi du cabinet ; boîte de réception du cabinet." in text
    assert "ailleurs.example" not in text


def test_a_mailbox_nobody_reads_receives_nothing(cabinet: Cabinet) -> None:
    own_mail(is_read=False)

    assert information.of_firm(cabinet).unplaced == ("Serveur d’envoi du cabinet",)


@pytest.mark.parametrize("address", ["/rgpd/registre/", "/rgpd/registre.pdf", "/rgpd/registre.csv"])
def test_the_register_names_the_firms_own_mail_hosts(owner: Membership, browse: Browse, address: str) -> None:
    own_mail()

    content = browse(owner).get(address).content
    if address.endswith(".pdf"):
        text = plain(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))
    else:
        text = plain(content.decode("utf-8-sig"))

    assert "smtp.ailleurs.example (Serveur d’envoi du cabinet, pays non enregistré)" in text
    assert "imap.ailleurs.example (Boîte de réception du cabinet, pays non enregistré)" in text


def test_the_page_of_processors_calls_no_unknown_country_european(owner: Membership, browse: Browse) -> None:
    own_mail()

    page = plain(browse(owner).get("/rgpd/sous-traitants/").content.decode())

    assert page.count("Pays à vérifier") == 2
    assert "Espace européen" not in page


@pytest.mark.parametrize("page", ["", "virement/", "deja-paye/", "probleme/", "demande/", "echeancier/"])
def test_the_notice_is_linked_from_the_pages_where_one_pays(owner: Membership, browse: Browse, page: str) -> None:
    link = links.link_for(client=make_invoice().client)
    address = urlsplit(links.url_of(link)).path

    answer = browse(None).get(f"{address}{page}", follow=True)

    assert f'href="{address}donnees/"' in answer.content.decode()


def test_the_text_to_copy_has_no_mark_up(told: Callable[[str], str], owner: Membership, browse: Browse) -> None:
    response = browse(owner).get("/rgpd/information/")

    text = response.context["text"]
    assert text.startswith("Vos données personnelles")
    assert not {"<", ">", "{", "&"} & set(text)
