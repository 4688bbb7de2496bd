"""A person's request, from its arrival to the proof of the answer."""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from cabinets import journal
from cabinets.enums import Role
from cabinets.errors import RightMissingError
from cabinets.journal import Origin, coming_from
from cabinets.journal_labels import label_of
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from dunning.enums import ReminderState
from gdpr.enums import Claim, IdentityProof, RequestOrigin, RightsState
from gdpr.errors import GdprError
from gdpr.models import RetentionSettings, RightsRequest
from gdpr.services import requests as service
from invoices.enums import StopKind
from invoices.models import Standstill
from invoices.services import standstill
from invoices.services.documents import Upload, attach_to_invoice
from payments.enums import DataRight, RequestState
from payments.models import DebtorRequest
from payments.services.links import link_for
from payments.services.rights import ask_about_data
from tests.conftest import FirmBrowser
from tests.factories.cabinets import PASSWORD, make_client, make_contact, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.files import make_pdf
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment

PDF = make_pdf(b"une facture " * 200)


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "documents"
    return tmp_path


def known_client(**facts: Any) -> Client:
    return make_client(company="", last_name="Delorme", first_name="Anne", kind="consumer", **facts)


def recorded(owner: Membership, client: Client, claim: Claim, *, is_known: bool = True) -> RightsRequest:
    cabinet = Cabinet.objects.get()
    row = service.record(by=owner, client=client, claim=claim, origin=RequestOrigin.LETTER, received_on=cabinet.today())
    if is_known:
        service.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)
    return RightsRequest.objects.get(pk=row.pk)


def test_gives_a_month_from_the_day_it_arrived(owner: Membership) -> None:
    row = service.record(
        by=owner,
        client=known_client(),
        claim=Claim.ACCESS,
        origin=RequestOrigin.EMAIL,
        received_on=dt.date(2026, 10, 31),
        words="Je veux tout savoir",
    )

    fresh = RightsRequest.objects.get(pk=row.pk)
    assert (fresh.due_on, fresh.state, fresh.words) == (dt.date(2026, 11, 30), "open", "Je veux tout savoir")


def test_takes_up_once_what_a_client_asks_from_their_page(owner: Membership) -> None:
    client = known_client()
    asked = ask_about_data(
        link=link_for(client=client, contact=None),
        right=DataRight.ERASURE,
        today=Cabinet.objects.get().today(),
        message="Effacez-moi",
    )
    assert asked is not None

    first = service.take_in(by=owner, asked_id=asked.pk)
    second = service.take_in(by=owner, asked_id=asked.pk)

    assert first.pk == second.pk
    assert (first.claim, first.origin, first.words) == (Claim.ERASURE, RequestOrigin.LINK, "Effacez-moi")
    assert RightsRequest.objects.count() == 1


@pytest.mark.parametrize("claim", [Claim.ACCESS, Claim.ERASURE, Claim.RESTRICTION])
def test_does_nothing_for_a_person_nobody_recognised(owner: Membership, claim: Claim) -> None:
    row = recorded(owner, known_client(phone="+33612345678"), claim, is_known=False)
    acts: dict[Claim, Callable[..., object]] = {
        Claim.ACCESS: service.prepare,
        Claim.ERASURE: service.erase,
        Claim.RESTRICTION: service.restrict,
    }

    with pytest.raises(GdprError, match="reconnue"):
        acts[claim](request_id=row.pk, by=owner)

    assert RightsRequest.objects.get(pk=row.pk).stored_as == ""
    assert Client.objects.get().phone == "+33612345678"
    assert not Standstill.objects.exists()


def test_hands_over_all_and_only_what_concerns_the_person(owner: Membership) -> None:
    client = known_client(email="anne@delorme.example", note="appeler le soir")
    make_contact(client=client, last_name="Voisin", email="voisin@autre.example")
    invoice = make_invoice(dossier=make_dossier(client=client, title="Divorce"), total_cents=144_000)
    reminder = make_reminder(make_case(invoice=invoice), state=ReminderState.ACCEPTED)
    reminder.subject, reminder.text, reminder.recipient = "Votre facture", "Bonjour Madame", "anne@delorme.example"
    reminder.save(update_fields=["subject", "text", "recipient"])
    attach_to_invoice(invoice_id=invoice.pk, upload=Upload("facture.pdf", PDF))
    stranger = make_client(company="", last_name="Autrui", email="autrui@ailleurs.example")
    make_invoice(dossier=make_dossier(client=stranger, title="Succession Autrui"))
    row = recorded(owner, client, Claim.ACCESS)

    service.prepare(request_id=row.pk, by=owner)
    _, content = service.read_archive(request_id=row.pk, by=owner)

    archive = zipfile.ZipFile(io.BytesIO(content))
    told = json.loads(archive.read("donnees.json"))
    by_kind = {one["nature"]: one for one in told["donnees"]}
    pages = "".join(page.extract_text() for page in PdfReader(io.BytesIO(archive.read("a-lire.pdf"))).pages)
    files = [name for name in archive.namelist() if name.startswith("fichiers/")]
    whole = archive.read("donnees.json").decode() + pages + archive.read("consultations.csv").decode()
    assert told["personne"] == client.display_name
    assert by_kind["Clients"]["lignes"][0]["adresse e-mail"] == "anne@delorme.example"
    assert by_kind["Clients"]["lignes"][0]["note"] == "appeler le soir"
    assert by_kind["Factures"]["base"] == "Obligation légale (art. 6-1-c)"
    assert by_kind["Relances"]["lignes"][0]["message en texte"] == "Bonjour Madame"
    assert [archive.read(name) for name in files] == [PDF]
    assert "Divorce" in pages
    assert [word for word in ("Autrui", "autrui@", "Voisin", "voisin@") if word in whole] == []


def test_says_how_long_the_firm_chose_to_keep(owner: Membership) -> None:
    RetentionSettings(accounting_years=7).save(force_insert=True)
    client = known_client()
    make_invoice(dossier=make_dossier(client=client))
    row = recorded(owner, client, Claim.ACCESS)

    service.prepare(request_id=row.pk, by=owner)

    _, content = service.read_archive(request_id=row.pk, by=owner)
    archive = zipfile.ZipFile(io.BytesIO(content))
    told = {one["nature"]: one["duree"] for one in json.loads(archive.read("donnees.json"))["donnees"]}
    pages = "".join(page.extract_text() for page in PdfReader(io.BytesIO(archive.read("a-lire.pdf"))).pages)
    assert told["Factures"] == "7 ans après la fin de l’exercice"
    assert ("7 ans après la fin" in pages, "10 ans" in pages) == (True, False)


def test_says_who_looked_by_role_and_never_by_name(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    client = known_client()
    invoice = make_invoice(dossier=make_dossier(client=client))
    assert browse(owner).get(f"/factures/{invoice.pk}/").status_code == 200
    row = recorded(owner, client, Claim.ACCESS)

    service.prepare(request_id=row.pk, by=owner)

    _, content = service.read_archive(request_id=row.pk, by=owner)
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("consultations.csv").decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(sheet), delimiter=";"))
    assert "Associé" in {line["Par"] for line in lines}
    assert owner.user.last_name not in sheet


def looked_at(owner: Membership, client: Client) -> list[tuple[str, str]]:
    """Return what the list of a client's consultations says, act by act."""
    row = recorded(owner, client, Claim.ACCESS)
    service.prepare(request_id=row.pk, by=owner)
    _, content = service.read_archive(request_id=row.pk, by=owner)
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("consultations.csv").decode("utf-8-sig")
    return [(line["Acte"], line["Par"]) for line in csv.DictReader(io.StringIO(sheet), delimiter=";")]


def test_lists_who_looked_at_every_row_that_leads_to_them(owner: Membership) -> None:
    client, stranger = known_client(), make_client(company="Autrui SARL")
    seen = 0
    for one in (client, stranger):
        dossier = make_dossier(client=one)
        invoice = make_invoice(dossier=dossier)
        reminder = make_reminder(make_case(invoice=invoice))
        payment = make_payment(invoice=invoice, on=invoice.due_on)
        asked = ask_about_data(link=link_for(client=one), right=DataRight.ACCESS, today=invoice.due_on)
        rows = (one, dossier, invoice, reminder, payment, asked, attach_to_invoice(
            invoice_id=invoice.pk, upload=Upload("facture.pdf", PDF)
        ))  # fmt: skip
        for row in rows:
            assert row is not None
            journal.record("page.looked", row)
        seen = len(rows)

    told = looked_at(owner, client)

    assert told.count(("page.looked", "Le logiciel")) == seen == 7


def test_says_in_words_what_was_looked_at_and_what_came_from_a_link(owner: Membership) -> None:
    client = known_client()
    with coming_from(Origin(request_id="a1")):
        journal.record("client.seen", client, page="x")
    journal.record("client.changed", client)

    told = looked_at(owner, client)

    assert ("Client\u00a0: consultation", "Qui a ouvert le lien envoyé par le cabinet") in told
    assert [who for act, who in told if act == label_of("client.changed")] == ["Le logiciel"]


def test_carries_only_what_the_person_gave(owner: Membership) -> None:
    client = known_client()
    make_reminder(make_case(invoice=make_invoice(dossier=make_dossier(client=client))))
    row = recorded(owner, client, Claim.PORTABILITY)

    service.prepare(request_id=row.pk, by=owner)

    _, content = service.read_archive(request_id=row.pk, by=owner)
    archive = zipfile.ZipFile(io.BytesIO(content))
    kinds = {one["nature"] for one in json.loads(archive.read("donnees.json"))["donnees"]}
    assert kinds == {"Clients", "Factures"}
    assert "consultations.csv" not in archive.namelist()


def test_erases_and_keeps_with_the_request_what_stays(owner: Membership) -> None:
    client = known_client(phone="+33612345678")
    invoice = make_invoice(dossier=make_dossier(client=client))
    make_payment(invoice=invoice, on=invoice.due_on)
    row = recorded(owner, client, Claim.ERASURE)

    service.erase(request_id=row.pk, by=owner)

    report = {line["label"]: line for line in RightsRequest.objects.get(pk=row.pk).report}
    assert Client.objects.get(pk=client.pk).phone == ""
    assert (report["facture"]["is_gone"], report["facture"]["until_on"]) == (False, "2036-12-31")
    assert "Delorme" not in json.dumps(list(report.values()))


def test_the_usual_answer_names_what_stays_and_not_what_went(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    client = known_client(phone="+33612345678")
    make_contact(client=client, last_name="Voisin", email="voisin@autre.example")
    invoice = make_invoice(dossier=make_dossier(client=client))
    make_payment(invoice=invoice, on=invoice.due_on)
    row = recorded(owner, client, Claim.ERASURE)
    service.erase(request_id=row.pk, by=owner)

    page = browse(owner).get(f"/rgpd/demandes/{row.pk}/")

    text = page.context["answer_form"].initial["text"]
    assert "- facture\u00a0: Pièces que la loi" in text
    assert "- client\u00a0: Pièces que la loi" in text
    assert "contact" not in text
    assert "adresse e-mail" not in text


def test_stops_every_reminder_of_a_client_who_asks_for_restriction(owner: Membership) -> None:
    client = known_client()
    invoice = make_invoice(dossier=make_dossier(client=client))
    row = recorded(owner, client, Claim.RESTRICTION)

    service.restrict(request_id=row.pk, by=owner)

    stop = Standstill.objects.get()
    assert (stop.kind, stop.client_id, stop.released_at) == (StopKind.HOLD, client.pk, None)
    assert invoice.client_id == client.pk


def test_calls_nothing_restricted_that_starts_again_by_itself(owner: Membership) -> None:
    """The planner ignores a hold after its day: only one without a day answers a restriction."""
    client = known_client()
    make_invoice(dossier=make_dossier(client=client))
    standstill.declare(kind=StopKind.HOLD, target=client, until_on=dt.date(2027, 3, 1), reason="Congés")
    row = recorded(owner, client, Claim.RESTRICTION)

    with pytest.raises(GdprError, match="Rien n’a encore été suspendu"):
        service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="C’est fait")
    assert RightsRequest.objects.get().state == RightsState.OPEN
    service.restrict(request_id=row.pk, by=owner)
    service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="C’est fait")

    assert RightsRequest.objects.get().state == RightsState.GRANTED
    assert set(Standstill.objects.values_list("until_on", flat=True)) == {dt.date(2027, 3, 1), None}


def test_extends_once_within_the_month_and_with_a_reason(owner: Membership) -> None:
    row = recorded(owner, known_client(), Claim.ACCESS)
    with pytest.raises(GdprError, match="motif"):
        service.extend(request_id=row.pk, by=owner, reason="  ")

    service.extend(request_id=row.pk, by=owner, reason="Trois demandes à la fois")
    with pytest.raises(GdprError, match="déjà été prolongé"):
        service.extend(request_id=row.pk, by=owner, reason="Encore")

    assert RightsRequest.objects.get(pk=row.pk).due_on == dt.date(2027, 2, 24)


def test_extends_nothing_once_the_month_is_over(owner: Membership) -> None:
    row = service.record(
        by=owner,
        client=known_client(),
        claim=Claim.ACCESS,
        origin=RequestOrigin.EMAIL,
        received_on=dt.date(2026, 9, 1),
    )

    with pytest.raises(GdprError, match="mois est passé"):
        service.extend(request_id=row.pk, by=owner, reason="Beaucoup de demandes")

    assert RightsRequest.objects.get(pk=row.pk).due_on == dt.date(2026, 10, 1)


def test_says_nothing_was_given_that_was_not(owner: Membership) -> None:
    access = recorded(owner, known_client(), Claim.ACCESS)
    erasure = recorded(owner, known_client(), Claim.ERASURE)

    for row in (access, erasure):
        with pytest.raises(GdprError, match="Rien n’a été enregistré"):
            service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="Voici")

    assert set(RightsRequest.objects.values_list("state", flat=True)) == {RightsState.OPEN}


def test_answers_the_client_on_their_page_and_closes_the_task(owner: Membership) -> None:
    client = known_client()
    asked = ask_about_data(
        link=link_for(client=client, contact=None), right=DataRight.OBJECTION, today=Cabinet.objects.get().today()
    )
    assert asked is not None
    row = service.take_in(by=owner, asked_id=asked.pk)
    service.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)

    service.answer(request_id=row.pk, by=owner, state=RightsState.REFUSED, text="Une facture reste due.")

    told = DebtorRequest.objects.get(pk=asked.pk)
    assert (told.state, told.answer) == (RequestState.ANSWERED, "Une facture reste due.")
    assert not Task.objects.filter(subject_id=asked.pk, state="open").exists()
    with pytest.raises(GdprError, match="déjà reçu"):
        service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="Autre chose")


@pytest.mark.parametrize("role", [Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
def test_is_for_those_who_answer_for_the_firm(
    cabinet: Cabinet, role: Role, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    member = make_member(role=role)

    with pytest.raises(RightMissingError):
        service.record(
            by=member,
            client=known_client(),
            claim=Claim.ACCESS,
            origin=RequestOrigin.EMAIL,
            received_on=cabinet.today(),
        )

    assert browse(member).get("/rgpd/demandes/").status_code == 403
    assert not RightsRequest.objects.exists()


def test_walks_an_erasure_from_its_page(owner: Membership, browse: Callable[[Membership | None], FirmBrowser]) -> None:
    client = known_client(phone="+33612345678")
    invoice = make_invoice(dossier=make_dossier(client=client))
    make_payment(invoice=invoice, on=invoice.due_on)
    desk = browse(owner)
    desk.post(
        "/rgpd/demandes/ajouter/",
        {"person": str(client.pk), "claim": "erasure", "origin": "email", "received_on": "2026-11-20", "words": "svp"},
    )
    row = RightsRequest.objects.get()

    listed = desk.get("/rgpd/demandes/").content.decode()
    desk.post(f"/rgpd/demandes/{row.pk}/identite/", {"identity": "met"})
    before = desk.get(f"/rgpd/demandes/{row.pk}/").content.decode()
    erase = f"/rgpd/demandes/{row.pk}/effacer/"
    unsure = desk.post(erase, {"current": PASSWORD})
    unproved = desk.post(erase, {"certain": "oui", "current": "autre chose"})
    kept = Client.objects.get(pk=client.pk).phone
    desk.post(erase, {"certain": "oui", "current": PASSWORD})
    desk.post(f"/rgpd/demandes/{row.pk}/repondre/", {"state": "partly", "text": "Nous gardons vos factures."})
    after = desk.get(f"/rgpd/demandes/{row.pk}/").content.decode()

    assert "Mme Delorme" in listed or "Anne Delorme" in listed
    assert "jusqu’au 31 décembre 2036" in before
    assert (unsure.status_code, unproved.status_code) == (422, 422)
    assert (kept, Client.objects.get(pk=client.pk).phone) == ("+33612345678", "")
    assert "Nous gardons vos factures." in after
    assert RightsRequest.objects.get().state == RightsState.PARTLY
    events = set(JournalEntry.objects.filter(subject_id=row.pk).values_list("event", flat=True))
    assert {"rightsrequest.recorded", "rightsrequest.identified", "rightsrequest.erased", "rightsrequest.answered"} <= (
        events
    )
