"""The pages where clients, contacts and dossiers are written, and people put in charge."""

import re
from collections.abc import Callable

import pytest

from cabinets.enums import Role
from cabinets.models import Assignment, Cabinet, Client, Contact, Dossier, Hearing, JournalEntry, Membership
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_contact, make_dossier, make_member
from tests.factories.ladder import RecordingLadder

Browse = Callable[[Membership | None], FirmBrowser]
CLIENT = {
    "form_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "company": "Le Goff", "civility": "none",
    "kind": "professional", "email": "A@LeGoff.example", "phone": "02 40 12 34 56", "country": "FR",
    "postcode": "44000", "language": "fr", "accepts_sms": "on",
}  # fmt: skip


def test_adds_a_client_once_however_often_the_form_is_sent(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    answers = [browser.post("/clients/ajouter/", CLIENT) for _ in range(2)]

    client = Client.objects.get()
    assert [answer["Location"] for answer in answers] == [f"/clients/{client.pk}/"] * 2
    assert (client.email, client.phone, client.territory) == ("a@legoff.example", "+33240123456", "metropole")


def test_shows_a_refusal_beside_its_field(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    answer = browse(owner).post("/clients/ajouter/", {**CLIENT, "email": "personne"})

    content = answer.content.decode()
    assert (answer.status_code, Client.objects.count()) == (422, 0)
    assert 'id="id_email_error"' in content
    assert 'href="#id_email"' in content


def test_shows_a_client_as_kept_and_changes_it(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    client, browser = make_client(company="Le Goff", phone="+33612345678"), browse(owner)

    page = browser.get(f"/clients/{client.pk}/modifier/").content.decode()
    answer = browser.post(f"/clients/{client.pk}/modifier/", {**CLIENT, "city": "Nantes"})

    client.refresh_from_db()
    assert 'value="06 12 34 56 78"' in page
    assert (answer.status_code, client.city, client.email) == (302, "Nantes", "a@legoff.example")
    assert JournalEntry.objects.filter(event="client.seen", subject_id=client.pk).count() == 1


def test_writes_contacts_and_archives_them(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client, browser = make_client(), browse(owner)
    form = {"role": "billing", "civility": "none", "last_name": "Le Bris", "email": "paie@societe.example"}

    browser.post(f"/clients/{client.pk}/contacts/ajouter/", form)
    contact = Contact.objects.get()
    browser.post(f"/contacts/{contact.pk}/modifier/", {**form, "last_name": "Le Braz"})
    asked = browser.get(f"/contacts/{contact.pk}/archiver/")
    browser.post(f"/contacts/{contact.pk}/archiver/")

    contact.refresh_from_db()
    assert (contact.last_name, contact.is_archived, asked.status_code) == ("Le Braz", True, 200)


def test_opens_a_dossier_and_changes_what_the_law_needs(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    client, browser = make_client(), browse(owner)
    accounts = make_contact(client=client, last_name="Le Bris")

    browser.post(f"/clients/{client.pk}/dossiers/ajouter/", {"kind": "consumer", "legal_aid": "none"})
    dossier = Dossier.objects.get()
    answer = browser.post(
        f"/dossiers/{dossier.pk}/modifier/",
        {
            "reference": "AUB-12", "kind": "professional", "legal_aid": "partial", "fee_agreement_on": "02/11/2026",
            "batonnier_notified_on": "2026-11-10", "contract_rate": "12,5", "lawyer": str(owner.pk),
            "billing_contact": str(accounts.pk),
        },
    )  # fmt: skip

    dossier.refresh_from_db()
    assert answer.status_code == 302
    assert (dossier.reference, dossier.kind, dossier.legal_aid) == ("AUB-12", "professional", "partial")
    assert (str(dossier.contract_rate), dossier.lawyer_id, dossier.billing_contact_id) == (
        "12.50", owner.pk, accounts.pk,
    )  # fmt: skip


def test_notes_hearings_and_people_on_the_page_of_a_dossier(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    dossier, assistant, browser = make_dossier(), make_member(role=Role.ASSISTANT), browse(owner)

    browser.post(f"/dossiers/{dossier.pk}/audiences/", {"held_on": "2026-12-03"})
    twice = browser.post(f"/dossiers/{dossier.pk}/audiences/", {"held_on": "2026-12-03"})
    browser.post(f"/dossiers/{dossier.pk}/affectations/", {"member": str(assistant.pk)})
    page = browser.get(f"/dossiers/{dossier.pk}/").content.decode()
    seen = browse(assistant).get(f"/dossiers/{dossier.pk}/").status_code
    browser.post(f"/dossiers/{dossier.pk}/affectations/{assistant.pk}/retirer/")

    assert (twice.status_code, Hearing.objects.count()) == (422, 1)
    assert "jeudi 3 décembre 2026" in page
    assert re.search(rf"{assistant.user}\s*<span", page)
    assert (seen, Assignment.objects.count()) == (200, 0)
    assert browse(assistant).get(f"/dossiers/{dossier.pk}/").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/clients/{client}/modifier/", "/clients/{client}/contacts/ajouter/", "/clients/{client}/dossiers/ajouter/",
        "/contacts/{contact}/modifier/", "/contacts/{contact}/archiver/", "/dossiers/{dossier}/",
        "/dossiers/{dossier}/modifier/",
    ],
)  # fmt: skip
def test_an_assistant_reaches_nothing_of_a_dossier_they_do_not_have(
    cabinet: Cabinet, browse: Browse, address: str
) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=make_dossier(), member=assistant)
    dossier = make_dossier()
    contact = make_contact(client=dossier.client)

    answer = browse(assistant).get(address.format(client=dossier.client_id, contact=contact.pk, dossier=dossier.pk))

    assert answer.status_code == 404


def test_an_assistant_assigns_nobody(cabinet: Cabinet, browse: Browse) -> None:
    assistant, dossier = make_member(role=Role.ASSISTANT), make_dossier()
    assign(dossier=dossier, member=assistant)

    answer = browse(assistant).post(f"/dossiers/{dossier.pk}/affectations/", {"member": str(assistant.pk)})

    assert (answer.status_code, Assignment.objects.count()) == (403, 1)
    assert JournalEntry.objects.get(event="access.refused").facts == {"right": "assign_files"}
