"""A person reached for a client asks about their own data: they get theirs, and the client's stays the client's."""

import html
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models
from pypdf import PdfReader

from cabinets.models import Cabinet, Client, Contact, Dossier, Membership
from dunning.enums import ReminderState
from dunning.models import Reminder
from gdpr.enums import Claim, IdentityProof, RequestOrigin, RightsState
from gdpr.errors import GdprError
from gdpr.inventory import HOLDINGS
from gdpr.models import RightsRequest
from gdpr.services import requests as service
from gdpr.services.erasing import OF_CONTACTS
from invoices.models import Invoice
from payments.enums import DataRight
from payments.services.links import link_for
from payments.services.rights import ask_about_data
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "documents"
    return tmp_path


@pytest.fixture
def payer() -> Contact:
    """Who pays for a client: billed for one dossier, written to once, beside a message to the client."""
    client = make_client(company="", last_name="Delorme", first_name="Anne", email="anne@delorme.example", note="calme")
    payer = make_contact(
        client=client,
        role="payer",
        civility="monsieur",
        first_name="Paul",
        last_name="Tiers",
        email="paul@tiers.example",
        phone="+33600000001",
    )
    theirs = make_invoice(dossier=make_dossier(client=client, billing_contact=payer, title="Divorce Delorme"))
    own = make_invoice(dossier=make_dossier(client=client, title="Succession Delorme"))
    texts: list[tuple[Any, Contact | None, str]] = [
        (theirs, payer, "Bonjour Monsieur Tiers"),
        (own, None, "Bonjour Madame"),
    ]
    for invoice, contact, text in texts:
        make_reminder(
            make_case(invoice=invoice), state=ReminderState.ACCEPTED, contact=contact, text=text, recipient="x"
        )
    return payer


def recorded(owner: Membership, payer: Contact, claim: Claim) -> RightsRequest:
    row = service.record(
        by=owner,
        client=payer.client,
        contact=payer,
        claim=claim,
        origin=RequestOrigin.EMAIL,
        received_on=Cabinet.objects.get().today(),
    )
    service.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)
    return row


def opened(owner: Membership, request_id: UUID) -> tuple[dict[str, Any], str, list[str]]:
    """Return what an archive tells, everything legible in it, and the names of its files."""
    service.prepare(request_id=request_id, by=owner)
    _, content = service.read_archive(request_id=request_id, by=owner)
    archive = zipfile.ZipFile(io.BytesIO(content))
    pages = "".join(page.extract_text() for page in PdfReader(io.BytesIO(archive.read("a-lire.pdf"))).pages)
    text = archive.read("donnees.json").decode() + pages + archive.read("consultations.csv").decode()
    return json.loads(archive.read("donnees.json")), text, archive.namelist()


def test_hands_a_contact_their_own_data_and_nothing_of_the_client(owner: Membership, payer: Contact) -> None:
    told, text, _ = opened(owner, recorded(owner, payer, Claim.ACCESS).pk)

    kinds = {one["nature"]: one for one in told["donnees"]}
    assert told["personne"] == "Paul Tiers"
    assert kinds["Contacts"]["lignes"][0]["adresse e-mail"] == "paul@tiers.example"
    assert kinds["Contacts"]["base"] == "Intérêt légitime (art. 6-1-f)"
    assert [line["message en texte"] for line in kinds["Relances"]["lignes"]] == ["Bonjour Monsieur Tiers"]
    assert {"Clients", "Factures", "Dossiers"} & set(kinds) == set()
    assert [word for word in ("Delorme", "Divorce", "Succession", "Anne", "anne@", "calme") if word in text] == []
    assert "vous opposer à ce qu’il vous écrive" in " ".join(text.split())


def test_hands_a_client_nothing_of_those_reached_for_them_and_says_so(owner: Membership, payer: Contact) -> None:
    row = service.record(
        by=owner,
        client=payer.client,
        claim=Claim.ACCESS,
        origin=RequestOrigin.EMAIL,
        received_on=Cabinet.objects.get().today(),
    )
    service.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)

    told, text, _ = opened(owner, row.pk)

    lines = next(one for one in told["donnees"] if one["nature"] == "Relances")["lignes"]
    assert [line["message en texte"] for line in lines] == ["Bonjour Madame"]
    assert [word for word in ("Tiers", "paul@", "Paul", "+33600000001") if word in text] == []
    assert told["tenu_a_part"] == 1
    assert "1 message, formulaire ou ligne de banque de votre dossier porte les données d’une autre" in " ".join(
        text.split()
    )


def test_takes_up_a_request_from_a_contact_s_page_as_theirs(owner: Membership, payer: Contact) -> None:
    asked = ask_about_data(
        link=link_for(client=payer.client, contact=payer),
        right=DataRight.OBJECTION,
        today=Cabinet.objects.get().today(),
    )
    assert asked is not None

    row = service.take_in(by=owner, asked_id=asked.pk)

    assert (row.contact_id, row.client_id, row.claim) == (payer.pk, payer.client_id, Claim.OBJECTION)


@pytest.mark.parametrize("claim", [Claim.OBJECTION, Claim.RESTRICTION])
def test_writes_no_more_to_a_contact_who_asks_for_it(owner: Membership, payer: Contact, claim: Claim) -> None:
    row = recorded(owner, payer, claim)
    with pytest.raises(GdprError, match="suspendez d’abord"):
        service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="C’est fait")
    assert not Contact.objects.get().is_archived

    service.restrict(request_id=row.pk, by=owner)
    service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="C’est fait")

    assert (Contact.objects.get().is_archived, RightsRequest.objects.get().state) == (True, RightsState.GRANTED)
    assert not Dossier.objects.exclude(billing_contact=None).exists()
    assert Contact.objects.get().last_name == "Tiers"


def test_keeps_who_settles_what_is_owed_and_says_why(owner: Membership, payer: Contact) -> None:
    row = recorded(owner, payer, Claim.ERASURE)

    service.erase(request_id=row.pk, by=owner)

    report = {line["label"]: line for line in RightsRequest.objects.get().report}
    assert (report["contact"]["is_gone"], "reste à régler par cette personne" in report["contact"]["reason"]) == (
        False,
        True,
    )
    assert (Contact.objects.get().email, Contact.objects.get().is_archived) == ("paul@tiers.example", False)


def test_erases_a_contact_once_they_settle_nothing_and_leaves_the_client(owner: Membership, payer: Contact) -> None:
    for invoice in Invoice.objects.filter(dossier__billing_contact=payer):
        make_payment(invoice=invoice, on=invoice.due_on)
    row = recorded(owner, payer, Claim.ERASURE)

    service.erase(request_id=row.pk, by=owner)

    gone = Contact.objects.get()
    assert (gone.first_name, gone.last_name, gone.email, gone.phone, gone.email_index) == ("", "", "", "", None)
    assert (gone.has_email, gone.is_archived) == (False, True)
    kept = Client.objects.get()
    assert (kept.last_name, kept.email, kept.note) == ("Delorme", "anne@delorme.example", "calme")
    # The other invoice is still owed: what was written stays a proof until then.
    report = {line["label"]: line["is_gone"] for line in RightsRequest.objects.get().report}
    assert (report["contact"], report["relance"]) == (True, False)
    assert sorted(Reminder.objects.values_list("state", flat=True)) == ["accepted", "accepted"]


def test_refuses_a_contact_of_somebody_else(owner: Membership, payer: Contact) -> None:
    with pytest.raises(GdprError, match="pas un contact de ce client"):
        service.record(
            by=owner,
            client=make_client(),
            contact=payer,
            claim=Claim.ACCESS,
            origin=RequestOrigin.EMAIL,
            received_on=Cabinet.objects.get().today(),
        )

    assert not RightsRequest.objects.exists()


def test_walks_a_contact_s_objection_from_its_page(
    owner: Membership, payer: Contact, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    browser = browse(owner)
    page = browser.get("/rgpd/demandes/ajouter/").content.decode()
    assert f'value="{payer.client_id}_{payer.pk}"' in page
    assert "Paul Tiers, joint pour" in page

    made = browser.post(
        "/rgpd/demandes/ajouter/",
        {
            "person": f"{payer.client_id}_{payer.pk}",
            "claim": "objection",
            "origin": "email",
            "received_on": f"{Cabinet.objects.get().today():%Y-%m-%d}",
            "words": "Ne m’écrivez plus",
        },
    )
    url = f"/rgpd/demandes/{RightsRequest.objects.get().pk}/"
    assert made["Location"] == url
    browser.post(f"{url}identite/", {"identity": "known"})
    shown = browser.get(url).content.decode()
    assert "Ne plus lui écrire" in shown
    assert "ne s’applique pas" not in shown
    browser.post(f"{url}limiter/")
    done = html.unescape(browser.get(url).content.decode())

    assert Contact.objects.get().is_archived
    assert "Plus rien n’est adressé à cette personne" in done
    assert "Les relances du client sont suspendues" not in done
    assert ("Plus rien ne lui est adressé." in done, "Ne plus lui écrire</button>" in done) == (True, False)


def test_names_every_table_that_leads_to_a_contact() -> None:
    """A table with a link to a contact says so in the register, and each path it names leads to one."""
    ruled = {one.model: one.contact for one in HOLDINGS}
    direct = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is Contact and model is not Dossier
    }
    assert sorted(label for label in direct if not ruled[label]) == []
    for holding in OF_CONTACTS:
        for path in holding.contact:
            model: type[models.Model] = apps.get_model(holding.model)
            for step in [] if path == "pk" else path.split("__"):
                target = model._meta.get_field(step).related_model
                assert isinstance(target, type)
                model = target
            assert model is Contact
