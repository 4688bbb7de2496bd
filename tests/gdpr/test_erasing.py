"""What goes and what stays when a client asks, and when their time is over."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cabinets.enums import KeyPurpose
from cabinets.models import Cabinet, Client, Contact, DataKey, Dossier, JournalEntry, Membership
from cabinets.sealing import forget_keys
from dunning.enums import ReminderState
from dunning.models import Call, Reminder
from dunning.services import evidence
from gdpr.fates import CLAIMS, LAW, OWED
from gdpr.services.emptying import let_go, not_emptied, rows_of
from gdpr.services.erasing import OF_CLIENTS, Line, erase, preview, purge_client
from invoices.models import Document, Invoice
from invoices.services.documents import Upload, attach_to_invoice
from payments.models import LinkVisit, Payment, PaymentLink
from payments.services.links import link_for
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.files import make_pdf
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment

TODAY = dt.date(2026, 11, 24)
PDF = make_pdf(b"une facture " * 2_000)


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "documents"
    return tmp_path


@dataclass
class Known:
    """A consumer with everything a firm keeps of one."""

    client: Client
    contact: Contact
    dossier: Dossier
    invoice: Invoice
    reminder: Reminder
    link: PaymentLink

    @property
    def fresh(self) -> Client:
        forget_keys()
        return Client.objects.get(pk=self.client.pk)


@pytest.fixture
def known(cabinet: Cabinet, owner: Membership) -> Known:
    client = make_client(
        company="",
        last_name="Delorme",
        first_name="Anne",
        phone="+33612345678",
        note="appeler le soir",
        kind="consumer",
    )
    contact = make_contact(client=client, last_name="Delorme")
    dossier = make_dossier(client=client, title="Divorce Delorme", mandate_ended_on=dt.date(2026, 3, 15))
    invoice = make_invoice(dossier=dossier, issued_on=dt.date(2026, 2, 1), due_on=dt.date(2026, 3, 1), note="rappeler")
    reminder = make_reminder(make_case(invoice=invoice), state=ReminderState.ACCEPTED)
    reminder.subject, reminder.text, reminder.recipient = (
        "Votre facture",
        "Bonjour Madame Delorme",
        "anne@delorme.example",
    )
    reminder.save(update_fields=["subject", "text", "recipient"])
    link = link_for(client=client, contact=None)
    LinkVisit(link=link, at=dt.datetime(2026, 3, 9, tzinfo=dt.UTC)).save(force_insert=True)
    Call(
        reminder=reminder,
        client=client,
        result="no_answer",
        note="messagerie",
        by=owner,
        at=dt.datetime(2026, 3, 9, tzinfo=dt.UTC),
    ).save(force_insert=True)
    attach_to_invoice(invoice_id=invoice.pk, upload=Upload("facture.pdf", PDF))
    return Known(client, contact, dossier, invoice, reminder, link)


def pay(known: Known) -> None:
    make_payment(invoice=known.invoice, on=dt.date(2026, 3, 20))


def files(disk: Path) -> list[Path]:
    return [path for path in disk.rglob("*") if path.is_file()]


def by_label(lines: list[Line]) -> dict[str, Line]:
    return {line.label: line for line in lines}


def test_keeps_what_serves_the_contract_while_something_is_owed(known: Known, disk: Path) -> None:
    lines = by_label(erase(client_id=known.client.pk, on=TODAY))

    client = known.fresh
    assert (client.last_name, client.email, client.phone) == ("Delorme", known.client.email, "+33612345678")
    assert Reminder.objects.get(pk=known.reminder.pk).text == "Bonjour Madame Delorme"
    assert (lines["facture"].is_gone, lines["facture"].until_on, lines["facture"].reason) == (
        False,
        dt.date(2036, 12, 31),
        LAW,
    )
    assert (lines["relance"].until_on, lines["relance"].reason) == (None, OWED)
    assert lines["visite"].is_gone
    assert not LinkVisit.objects.exists()
    assert len(files(disk)) == 1
    assert (lines["client"].is_gone, lines["contact"].is_gone) == (False, False)
    assert [label for label in lines if "adresse e-mail" in label] == []


def test_erases_on_demand_what_no_voucher_needs_once_all_is_paid(known: Known, disk: Path) -> None:
    pay(known)

    lines = by_label(erase(client_id=known.client.pk, on=TODAY))

    client, contact = known.fresh, Contact.objects.get(pk=known.contact.pk)
    assert (client.last_name, client.city) == ("Delorme", "Paris")
    assert (client.email, client.phone, client.note, client.has_email, client.email_index) == ("", "", "", False, None)
    assert (contact.last_name, contact.email) == ("", "")
    assert Reminder.objects.get(pk=known.reminder.pk).text == "Bonjour Madame Delorme"
    assert (lines["relance"].until_on, lines["relance"].reason) == (dt.date(2028, 3, 20), CLAIMS)
    assert lines["facture"].reason == LAW
    assert client.is_never_reminded
    assert len(files(disk)) == 1
    assert (lines["contact"].is_gone, lines["contact"].until_on, lines["contact"].reason) == (True, None, "")
    assert (lines["client"].is_gone, lines["client"].reason) == (False, LAW)
    assert lines["client\u00a0: adresse e-mail, téléphone, note"].is_gone


def test_forgets_messages_once_limitation_is_over_and_keeps_vouchers(known: Known, disk: Path) -> None:
    pay(known)

    before = purge_client(client_id=known.client.pk, on=dt.date(2028, 3, 20))
    counts = purge_client(client_id=known.client.pk, on=dt.date(2028, 3, 21))

    reminder = Reminder.objects.get(pk=known.reminder.pk)
    assert before == {}
    assert (counts["dunning.Reminder"], counts["dunning.Call"]) == (1, 1)
    assert (reminder.subject, reminder.text, reminder.recipient) == ("", "", "")
    assert reminder.total_cents == known.reminder.total_cents
    assert Invoice.objects.get(pk=known.invoice.pk).number == known.invoice.number
    assert known.fresh.last_name == "Delorme"
    assert known.fresh.email == ""
    assert len(files(disk)) == 1


def test_forgets_everything_and_destroys_the_key_after_the_last_voucher(
    known: Known, disk: Path, django_capture_on_commit_callbacks: Any
) -> None:
    pay(known)

    purge_client(client_id=known.client.pk, on=dt.date(2036, 12, 31))
    kept = known.fresh.last_name
    with django_capture_on_commit_callbacks(execute=True):
        purge_client(client_id=known.client.pk, on=dt.date(2037, 1, 1))

    client, invoice = known.fresh, Invoice.objects.get(pk=known.invoice.pk)
    assert kept == "Delorme"
    assert (client.last_name, client.address, client.display_name) == ("", "", "Client sans nom")
    assert (invoice.number, invoice.note, invoice.total_cents) == (
        f"x{invoice.pk.hex}"[: len(invoice.number)],
        "",
        known.invoice.total_cents,
    )
    assert Dossier.objects.get(pk=known.dossier.pk).title == ""
    assert not DataKey.objects.filter(purpose=KeyPurpose.CLIENT, subject_id=known.client.pk).exists()
    assert not Document.objects.exists()
    assert Payment.objects.get().cents == known.invoice.total_cents
    assert files(disk) == []


def test_erases_nothing_more_the_second_time(known: Known) -> None:
    pay(known)
    erase(client_id=known.client.pk, on=TODAY)
    told = JournalEntry.objects.filter(event="client.erased").order_by("pk")

    erase(client_id=known.client.pk, on=TODAY)

    assert [line.facts["rows"] for line in told][1] == 0


def test_the_database_says_as_many_rows_as_erasing_changes_and_none_afterwards(known: Known) -> None:
    """`not_emptied` asks of all rows what emptying asks of each: table by table, the same answer."""
    tables = OF_CLIENTS[::-1]
    before = {one.model: not_emptied(one, rows_of(one, [known.client.pk])).count() for one in tables}

    changed = {one.model: let_go(one, rows_of(one, [known.client.pk])) for one in tables}

    after = {one.model: not_emptied(one, rows_of(one, [known.client.pk])).count() for one in tables}
    assert before == changed
    assert sum(before.values()) > 5
    assert after == dict.fromkeys(before, 0)


def test_tells_before_it_does_anything(known: Known, disk: Path) -> None:
    pay(known)

    lines = by_label(preview(client_id=known.client.pk, on=TODAY))

    assert lines["visite"].is_gone
    assert LinkVisit.objects.count() == 1
    assert known.fresh.email == known.client.email
    assert not JournalEntry.objects.filter(event="client.erased").exists()


def test_says_in_the_chain_of_evidence_what_was_emptied(known: Known) -> None:
    pay(known)
    evidence.append_message("message.accepted", Reminder.objects.get(pk=known.reminder.pk))
    before = evidence.verify()

    purge_client(client_id=known.client.pk, on=dt.date(2028, 3, 21))
    after = evidence.verify()

    assert (before.holds, before.erased) == (True, 0)
    assert (after.holds, after.links, after.erased) == (True, before.links + 1, 1)


def test_still_calls_altered_a_message_that_somebody_emptied(known: Known) -> None:
    evidence.append_message("message.accepted", Reminder.objects.get(pk=known.reminder.pk))
    reminder = Reminder.objects.get(pk=known.reminder.pk)
    reminder.subject = reminder.text = reminder.recipient = ""
    reminder.save(update_fields=["subject", "text", "recipient"])

    assert evidence.verify().altered == (known.reminder.pk,)
