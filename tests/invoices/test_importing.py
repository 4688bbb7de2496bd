"""Imports as a service: the file of the issue end to end, files brought twice, firms that know their clients."""

import datetime as dt
import io
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from cabinets.enums import ClientKind, LegalAid, Role
from cabinets.models import Assignment, Cabinet, Client, Dossier, JournalEntry, Membership
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.services.clients import ClientFacts, ContactFacts, create_client, create_contact
from invoices.enums import ImportState, InvoiceKind, LineNature, StopKind
from invoices.importers.rows import Field
from invoices.models import CreditNote, ImportBatch, ImportFault, ImportProfile, Invoice, Standstill
from invoices.services import importing, importing_runs, importing_undo, standstill
from tests.conftest import NOW
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

SAMPLE = (Path(__file__).with_name("samples") / "factures-300.csv").read_bytes()
HEADER = "N° facture;Date;Échéance;Montant TTC;Déjà réglé;Client;E-mail;Dossier;Qualité;Nature\n"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path, told: RecordingLadder) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


def at_once() -> AbstractContextManager[None]:
    """Open a chunk's transaction inside the test's."""
    return transaction.atomic()


def bring(content: bytes | str, name: str = "factures.csv") -> ImportBatch:
    """Bring a file as far as its check."""
    data = content.encode() if isinstance(content, str) else content
    batch = importing.receive(stream=io.BytesIO(data), file_name=name)
    importing.choose_columns(batch_id=batch.pk, mapping=importing.preview(batch).mapping)
    importing_runs.work(batch_id=batch.pk, opened=at_once)
    return ImportBatch.objects.get(pk=batch.pk)


def let_in(batch: ImportBatch, *, updates_settlements: bool = False) -> ImportBatch:
    """Import what is ready."""
    assert importing.start(batch_id=batch.pk, updates_settlements=updates_settlements)
    importing_runs.work(batch_id=batch.pk, opened=at_once)
    return ImportBatch.objects.get(pk=batch.pk)


def undo(batch: ImportBatch) -> ImportBatch:
    """Take an import back."""
    importing.ask_undo(batch_id=batch.pk)
    importing_runs.work(batch_id=batch.pk, opened=at_once)
    return ImportBatch.objects.get(pk=batch.pk)


def sentences(batch: ImportBatch, nature: LineNature = LineNature.FAULT) -> list[str]:
    """Return what an import says, in the order of the lines."""
    faults = ImportFault.objects.filter(batch=batch, nature=nature).order_by("line")
    return [f"{fault.line} {fault.column} {fault.sentence}" for fault in faults]


def line(number: str, **cells: str) -> str:
    """Write one line under HEADER."""
    words = {
        "issued": "01/10/2026", "due": "31/10/2026", "total": "1200,00", "settled": "",
        "client": "Atelier Nord SAS", "email": "", "dossier": "", "kind": "Professionnel", "nature": "", **cells,
    }  # fmt: skip
    return f"{number};{';'.join(words.values())}\n"


def test_the_file_of_the_issue_gives_290_invoices_and_ten_sentences(cabinet: Cabinet, told: RecordingLadder) -> None:
    batch = bring(SAMPLE)
    assert batch.state == ImportState.CHECKED
    assert (batch.lines, batch.ready, batch.faulty, batch.duplicates) == (300, 290, 10, 0)
    assert Invoice.objects.count() == Client.objects.count() == 0
    assert sentences(batch) == [
        "18 N° facture Le numéro de facture manque : indiquez-le.",
        "42 Nom Le client manque : indiquez son nom ou sa société.",
        "69 Montant TTC Le montant « 12,345 » est ambigu : écrivez deux décimales au plus, comme 1234,56.",
        "96 Montant TTC Le montant « 1.234,56 » mélange point et virgule : écrivez-le sous la forme 1234,56.",
        "123 Date de facture La date « 31/02/2026 » n’existe pas : corrigez-la (jour/mois/année).",
        "150 Échéance L’échéance 01/06/2026 précède la date de facture 15/06/2026 : corrigez l’une des deux.",
        "177 Échéance L’échéance manque : indiquez-la, elle ne se déduit de la loi que pour un client professionnel.",
        "204 N° facture Le numéro « f2026-0100 » existe déjà à la ligne 101 du fichier : "
        "cette ligne n’est pas importée une seconde fois.",
        "231 E-mail L’adresse e-mail « claire.durand@exemple » n’est pas valable : corrigez-la ou videz la cellule.",
        "258 Devise La devise « CHF » n’est pas l’euro : convertissez le montant.",
    ]
    batch = let_in(batch)
    assert (batch.state, batch.created, batch.lines_done) == (ImportState.DONE, 290, 300)
    assert Invoice.objects.filter(batch=batch).count() == 290
    first = Invoice.objects.get(number="F2026-0001")
    assert (first.total_cents, first.issued_on, first.due_on) == (19_919, dt.date(2026, 1, 5), dt.date(2026, 1, 20))
    assert (first.client.first_name, first.client.last_name) == ("Jean-Pierre", "Durand")
    assert (first.client.email, first.client.territory) == ("client1@exemple-1.example", "alsace_moselle")
    assert (first.dossier.reference, first.dossier.kind) == ("D0000", ClientKind.CONSUMER)
    assert Invoice.objects.get(number="F2026-0007").settled_cents == 67_433 // 2
    entered = [ids for word, ids, _ in told.calls if word == "enter"]
    assert len(entered) == 1
    assert len(entered[0]) == 290


def test_the_same_file_again_adds_nothing_and_says_it_is_known(cabinet: Cabinet) -> None:
    let_in(bring(SAMPLE))
    clients, dossiers = Client.objects.count(), Dossier.objects.count()
    again = bring(SAMPLE)
    assert (again.ready, again.faulty, again.duplicates) == (0, 10, 290)
    assert sentences(again, LineNature.DUPLICATE)[0] == (
        "2 N° facture La facture « F2026-0001 » est déjà au cabinet : rien n’est importé."
    )
    again = let_in(again)
    assert again.created == 0
    assert (Invoice.objects.count(), Client.objects.count(), Dossier.objects.count()) == (290, clients, dossiers)


def test_the_columns_are_remembered_for_the_next_file_of_this_shape(cabinet: Cabinet) -> None:
    batch = importing.receive(stream=io.BytesIO(SAMPLE), file_name="a.csv")
    guessed = importing.preview(batch)
    assert not guessed.is_remembered
    assert guessed.samples[0][0] == "F2026-0001"
    chosen: dict[Field, int] = {field: place for field, place in guessed.mapping.items() if field is not Field.PHONE}
    importing.choose_columns(batch_id=batch.pk, mapping=chosen)
    assert ImportProfile.objects.count() == 1
    again = importing.preview(importing.receive(stream=io.BytesIO(SAMPLE), file_name="b.csv"))
    assert again.is_remembered
    assert again.mapping == chosen


def test_a_column_no_import_can_do_without_is_named(cabinet: Cabinet) -> None:
    batch = importing.receive(stream=io.BytesIO(SAMPLE), file_name="a.csv")
    with pytest.raises(importing.ImportRefusedError, match="« Numéro de facture », « Montant TTC »"):
        importing.choose_columns(batch_id=batch.pk, mapping={Field.ISSUED_ON: 1, Field.LAST_NAME: 9})


def test_lines_of_one_person_make_one_client_and_one_neutral_dossier(cabinet: Cabinet) -> None:
    let_in(
        bring(HEADER + line("A1", email="Compta@Nord.example") + line("A2", email="compta@nord.example") + line("A3"))
    )
    client = Client.objects.get()
    assert (client.company, client.email, client.kind) == ("Atelier Nord SAS", "compta@nord.example", "professional")
    dossier = Dossier.objects.get()
    assert dossier.reference == f"D-{client.pk.hex[:8].upper()}"
    assert Invoice.objects.filter(client=client, dossier=dossier).count() == 3


def test_two_people_of_one_name_and_two_addresses_never_share_a_debt(cabinet: Cabinet) -> None:
    file = (
        HEADER
        + line("A1", client="Jean Martin", email="a@x.example")
        + line("A2", client="Jean Martin", email="b@x.example")
    )
    batch = let_in(bring(file))
    assert Client.objects.count() == 2
    assert sentences(batch, LineNature.NOTICE) == [
        "3 E-mail Un client du même nom a une autre adresse e-mail : un nouveau client est créé."
    ]


def test_a_name_that_two_known_clients_bear_is_refused_until_the_address_tells(cabinet: Cabinet) -> None:
    for address in ("a@x.example", "b@x.example"):
        create_client(facts=ClientFacts(first_name="Jean", last_name="Martin", email=address))
    header = HEADER.replace("Client", "Prénom;Nom")
    bad = line("A1", client="Jean;Martin", kind="Particulier")
    batch = bring(header + bad)
    assert sentences(batch) == [
        "2 E-mail Plusieurs clients du cabinet répondent à ce nom ou à cette adresse : "
        "indiquez l’adresse e-mail du bon client."
    ]
    good = bring(header + line("A1", client="Jean;Martin", kind="Particulier", email="b@x.example"))
    let_in(good)
    assert Invoice.objects.get().client.email == "b@x.example"


def test_a_known_client_is_found_by_the_address_of_a_contact(cabinet: Cabinet) -> None:
    client = create_client(facts=ClientFacts(company="SCI Les Tilleuls", email="gerant@tilleuls.example"))
    create_contact(client_id=client.pk, facts=ContactFacts(last_name="Roy", email="compta@tilleuls.example"))
    batch = let_in(bring(HEADER + line("A1", client="SCI Tilleuls", email="compta@tilleuls.example")))
    assert Invoice.objects.get().client_id == client.pk
    assert sentences(batch, LineNature.NOTICE) == [
        "2 E-mail L’adresse e-mail est celle d’un client connu sous un autre nom : la facture lui est rattachée."
    ]


def test_a_dossier_is_found_by_its_reference_and_keeps_its_kind(cabinet: Cabinet) -> None:
    client = create_client(facts=ClientFacts(company="Atelier Nord SAS"))
    dossier = make_dossier(client=client, reference="2026-114", kind=ClientKind.CONSUMER)
    batch = let_in(bring(HEADER + line("A1", dossier="2026-114")))
    assert Invoice.objects.get().dossier_id == dossier.pk
    assert Dossier.objects.get().kind == ClientKind.CONSUMER
    assert sentences(batch, LineNature.NOTICE) == [
        "2 Qualité Le dossier dit « Particulier », le fichier « Professionnel » : le dossier l’emporte."
    ]


def test_a_dossier_of_another_client_never_takes_the_invoice(cabinet: Cabinet) -> None:
    make_dossier(client=create_client(facts=ClientFacts(company="Autre SAS")), reference="2026-114")
    batch = let_in(bring(HEADER + line("A1", dossier="2026-114")))
    invoice = Invoice.objects.get()
    assert invoice.dossier.reference == f"D-{invoice.client_id.hex[:8].upper()}"
    assert sentences(batch, LineNature.NOTICE) == [
        "2 Dossier Ce dossier est celui d’un autre client : la facture va au dossier neutre du sien."
    ]


def test_full_legal_aid_refuses_the_invoice(cabinet: Cabinet) -> None:
    client = create_client(facts=ClientFacts(company="Atelier Nord SAS"))
    make_dossier(client=client, reference="AJ-1", legal_aid=LegalAid.TOTAL)
    batch = bring(HEADER + line("A1", dossier="AJ-1") + line("A2"))
    assert (batch.ready, batch.faulty) == (1, 1)
    assert sentences(batch) == [
        "2 Dossier Le dossier bénéficie de l’aide juridictionnelle totale : aucun honoraire ne peut y être demandé"
        " (loi du 10 juillet 1991, art. 32). La facture n’est pas importée."
    ]
    assert let_in(batch).created == 1


def test_an_archived_dossier_is_refused(cabinet: Cabinet) -> None:
    client = create_client(facts=ClientFacts(company="Atelier Nord SAS"))
    make_dossier(client=client, reference="OLD", is_archived=True)
    assert sentences(bring(HEADER + line("A1", dossier="OLD"))) == [
        "2 Dossier Le dossier est archivé : rouvrez-le ou indiquez-en un autre."
    ]


def test_new_invoices_inherit_the_stops_of_their_client(cabinet: Cabinet) -> None:
    client = create_client(facts=ClientFacts(company="Atelier Nord SAS"))
    standstill.declare(kind=StopKind.DISPUTE, target=make_invoice(client=client))
    let_in(bring(HEADER + line("A1") + line("A2", client="Autre SAS")))
    stopped = Invoice.objects.get(number="A1")
    assert Standstill.objects.get(invoice=stopped).origin == "inherited"
    assert Standstill.objects.count() == 2


def test_what_is_already_settled_enters_settled_and_stays_off_the_ladder(
    cabinet: Cabinet, told: RecordingLadder
) -> None:
    batch = let_in(bring(HEADER + line("A1", settled="1200,00") + line("A2", settled="200,00")))
    paid, partly = Invoice.objects.get(number="A1"), Invoice.objects.get(number="A2")
    assert (paid.outstanding_cents, partly.outstanding_cents) == (0, 100_000)
    assert told.calls == [("enter", [partly.pk], "2026-11-24")]
    events = JournalEntry.objects.filter(event="invoice.settled", facts={"batch": str(batch.pk)})
    assert events.count() == 2


def test_provisions_and_credit_notes_are_told_from_invoices(cabinet: Cabinet) -> None:
    let_in(bring(HEADER + line("P1", nature="Provision") + line("AV1", nature="Avoir", total="300", settled="100")))
    assert Invoice.objects.get().kind == InvoiceKind.PROVISION
    note = CreditNote.objects.get()
    assert (note.number, note.cents, note.invoice_id) == ("AV1", 20_000, None)
    assert Client.objects.get().credit_cents == 20_000
    again = let_in(bring(HEADER + line("AV1", nature="Avoir", total="300", settled="100")))
    assert (again.duplicates, Client.objects.get().credit_cents) == (1, 20_000)


def test_a_known_invoice_is_settled_only_when_the_person_chooses(cabinet: Cabinet, told: RecordingLadder) -> None:
    let_in(bring(HEADER + line("A1") + line("A2")))
    more = HEADER + line("A1", settled="500,00") + line("A2", total="1500,00")
    batch = bring(more)
    assert (batch.ready, batch.duplicates, batch.to_settle) == (0, 2, 1)
    assert sentences(batch, LineNature.SETTLEMENT) == [
        "2 N° facture La facture « A1 » est réglée de 500,00\u00a0€ dans le fichier, de 0,00\u00a0€ au cabinet."
    ]
    assert sentences(batch, LineNature.DIFFERENCE) == [
        "3 N° facture La facture « A2 » est connue pour 1\u00a0200,00\u00a0€, le fichier dit "
        "1\u00a0500,00\u00a0€\u00a0: elle n’est pas modifiée, vérifiez le bon montant."
    ]
    assert let_in(batch).settled == 0
    assert Invoice.objects.get(number="A1").settled_cents == 0
    batch = let_in(bring(more), updates_settlements=True)
    assert batch.settled == 1
    invoice = Invoice.objects.get(number="A1")
    assert (invoice.settled_cents, invoice.last_payment_at is not None) == (50_000, True)
    assert told.calls[-1] == ("stop", [invoice.pk], "GRACE")
    assert bring(more).to_settle == 0


def test_a_second_click_imports_once(cabinet: Cabinet) -> None:
    batch = bring(HEADER + line("A1"))
    assert importing.start(batch_id=batch.pk, updates_settlements=False)
    assert not importing.start(batch_id=batch.pk, updates_settlements=False)


def test_undoing_removes_what_the_import_created(cabinet: Cabinet) -> None:
    known = create_client(facts=ClientFacts(company="Atelier Nord SAS"))
    batch = let_in(bring(SAMPLE + line("X", client="").encode()))
    let_in(bring(HEADER + line("K1")))
    undone = undo(batch)
    assert undone.state == ImportState.UNDONE
    assert Invoice.objects.filter(batch=batch).count() == 0
    assert [invoice.number for invoice in Invoice.objects.all()] == ["K1"]
    assert [client.pk for client in Client.objects.all()] == [known.pk]
    assert Dossier.objects.count() == 1
    assert let_in(bring(SAMPLE)).created == 290


def test_undoing_keeps_what_was_said_paid_or_used_since(cabinet: Cabinet, told: RecordingLadder) -> None:
    batch = let_in(bring(HEADER + "".join(line(f"A{n}", client=f"Client {n} SAS") for n in range(1, 6))))
    spoken, _paid, seen, busy, free = Invoice.objects.order_by("number")
    told.spoken, told.on_record = {spoken.pk}, {seen.pk}
    let_in(bring(HEADER + line("A2", client="Client 2 SAS", settled="10")), updates_settlements=True)
    make_dossier(client=busy.client, reference="NEW")
    assert importing_undo.outlook(batch) == importing_undo.Outlook(removed=3, spoken=1, used=1)
    undone = undo(batch)
    assert importing_undo.count_kept(undone) == 2
    assert sorted(Invoice.objects.values_list("number", "state")) == [
        ("A1", "open"),
        ("A2", "open"),
        ("A3", "cancelled"),
    ]
    assert {client.company for client in Client.objects.all()} == {f"Client {n} SAS" for n in range(1, 5)}
    assert free.number == "A5"
    again = let_in(bring(HEADER + line("A3", client="Client 3 SAS")))
    assert again.created == 1


def test_an_import_is_not_undone_after_a_day(cabinet: Cabinet) -> None:
    batch = let_in(bring(HEADER + line("A1")))
    ImportBatch.objects.filter(pk=batch.pk).update(finished_at=NOW - dt.timedelta(hours=24))
    with pytest.raises(importing.ImportRefusedError, match="plus de 24 heures"):
        importing.ask_undo(batch_id=batch.pk)


def test_credit_given_by_an_import_is_taken_back_unless_used(cabinet: Cabinet) -> None:
    batch = let_in(bring(HEADER + line("AV1", nature="Avoir") + line("AV2", nature="Avoir", client="B SAS")))
    used = CreditNote.objects.get(number="AV2").client
    Client.objects.filter(pk=used.pk).update(credit_cents=0)
    undo(batch)
    assert [note.number for note in CreditNote.objects.all()] == ["AV2"]
    assert [client.pk for client in Client.objects.all()] == [used.pk]


def test_whoever_sees_assigned_files_only_is_put_in_charge_of_what_they_bring(cabinet: Cabinet) -> None:
    hidden = create_client(facts=ClientFacts(company="Client d’un confrère SAS", email="c@confrere.example"))
    assistant = make_member(role=Role.ASSISTANT)
    make_invoice(client=hidden, number="SECRET-1")
    file = HEADER + line("A1") + line("A2", client="Client d’un confrère SAS", email="c@confrere.example")
    with acting_for(cabinet_id=cabinet.pk, member_id=assistant.pk), tenant_atomic():
        batch = let_in(bring(file + line("SECRET-1", total="5")))
        assert batch.created == 2
        assert [invoice.number for invoice in Invoice.objects.all()] == ["A1"]
        assert sentences(batch, LineNature.DUPLICATE) == [
            "4 N° facture Le numéro « SECRET-1 » est déjà au cabinet : rien n’est importé."
        ]
    assert Assignment.objects.get().dossier.client.company == "Atelier Nord SAS"


def test_a_lawyer_named_in_the_file_is_put_in_charge(cabinet: Cabinet, owner: Membership) -> None:
    lawyer = make_member(role=Role.LAWYER)
    header = HEADER.replace("Nature", "Avocat")
    batch = let_in(
        bring(header + line("A1", nature=lawyer.user.email.upper()) + line("A2", client="B SAS", nature="x@y.fr"))
    )
    dossier = Invoice.objects.get(number="A1").dossier
    assert dossier.lawyer_id == lawyer.pk
    assert Assignment.objects.get(dossier=dossier).member_id == lawyer.pk
    assert sentences(batch, LineNature.NOTICE) == [
        "3 Avocat Cet avocat n’est pas membre du cabinet : le dossier reste à affecter."
    ]


def test_an_import_is_seen_by_its_uploader_and_by_people_with_the_wider_right(
    cabinet: Cabinet, owner: Membership
) -> None:
    one, other = make_member(role=Role.ASSISTANT), make_member(role=Role.ASSISTANT)
    with acting_for(cabinet_id=cabinet.pk, member_id=one.pk), tenant_atomic():
        bring(HEADER + line("", client=""))
    seen = {}
    for member in (one, other, owner):
        with acting_for(cabinet_id=cabinet.pk, member_id=member.pk), tenant_atomic():
            seen[member.pk] = (ImportBatch.objects.count(), ImportFault.objects.count() > 0)
    assert seen == {one.pk: (1, True), other.pk: (0, False), owner.pk: (1, True)}


def test_a_line_that_went_wrong_between_the_check_and_the_import_is_said(cabinet: Cabinet) -> None:
    client = create_client(facts=ClientFacts(company="Atelier Nord SAS"))
    dossier = make_dossier(client=client, reference="R1")
    batch = bring(HEADER + line("A1", dossier="R1") + line("A2"))
    Dossier.objects.filter(pk=dossier.pk).update(legal_aid=LegalAid.TOTAL)
    make_invoice(number="A2", client=make_client())
    batch = let_in(batch)
    assert batch.created == 0
    assert len(sentences(batch)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_usual_encodings_are_read(cabinet: Cabinet, encoding: str) -> None:
    batch = let_in(bring((HEADER + line("A1", client="Hœrdt & Fils SARL")).encode(encoding)))
    assert (batch.created, Client.objects.get().company) == (1, "Hœrdt & Fils SARL")


def test_a_cell_that_begins_like_a_formula_stays_text(cabinet: Cabinet) -> None:
    let_in(bring(HEADER + line("A1", client="=HYPERLINK(1) SAS")))
    assert Client.objects.get().company == "=HYPERLINK(1) SAS"


def test_lines_pasted_from_a_spreadsheet_are_a_file(cabinet: Cabinet) -> None:
    batch = importing.paste(text=(HEADER + line("A1")).replace(";", "\t"), on=dt.date(2026, 11, 24))
    assert (batch.file_name, batch.lines) == ("Collage du 24/11/2026", 1)
    with pytest.raises(importing.ImportRefusedError, match="Rien n’a été collé"):
        importing.paste(text=" \n ", on=dt.date(2026, 11, 24))
