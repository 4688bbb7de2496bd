"""The night puts away who owes nothing and has not moved, and nobody else; whoever moves again comes back."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, transaction

from cabinets import sealing
from cabinets.enums import Role
from cabinets.errors import ArchivedError
from cabinets.models import Client, DataKey, Dossier, Hearing, Membership, Note
from cabinets.scoping import whole_firm, working_for
from cabinets.services import archive
from gdpr import tasks
from gdpr.enums import Claim, RequestOrigin
from gdpr.fates import ClientFacts, may_be_archived
from gdpr.services import archiving, retention
from gdpr.services import requests as rights
from invoices.enums import InvoiceState
from invoices.models import Invoice
from invoices.services import editing, settlement
from invoices.services.entering import InvoiceFacts, enter_invoice
from payments.enums import PaymentMeans
from payments.errors import SurplusError
from payments.services.recording import Receipt, record_payment
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_client, make_contact, make_dossier, make_member
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment

DAY = dt.date(2026, 11, 24)
LONG_AGO = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)

# (owed, last movement, months) -> whether daily use is over; the day after the months are over, and not before.
TABLE = [
    (False, "2025-11-23", 12, True),
    (False, "2025-11-24", 12, False),
    (True, "2015-01-01", 12, False),
    (False, "2026-05-23", 6, True),
    (False, "2026-05-24", 6, False),
    (False, "2023-11-23", 36, True),
    (False, "2023-11-25", 36, False),
    (False, "2026-11-24", 6, False),
]


@pytest.mark.parametrize(("is_owed", "moved", "months", "said"), TABLE)
def test_daily_use_is_over(is_owed: bool, moved: str, months: int, said: bool) -> None:
    facts = ClientFacts(
        on=DAY,
        is_owed=is_owed,
        messages_until=None,
        accounts_until=None,
        last_moved_on=dt.date.fromisoformat(moved),
    )

    assert may_be_archived(facts, months=months) is said


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


def quiet(**facts: Any) -> Client:
    """A client paid long ago, added long ago."""
    client = make_client(**facts)
    Client.objects.filter(pk=client.pk).update(created_at=LONG_AGO)
    dossier = make_dossier(client=client)
    Dossier.objects.filter(pk=dossier.pk).update(created_at=LONG_AGO)
    invoice = make_invoice(dossier=dossier, issued_on=dt.date(2024, 3, 1), due_on=dt.date(2024, 4, 1))
    make_payment(invoice=invoice, on=dt.date(2024, 4, 20))
    return client


def owing(client: Client) -> None:
    make_invoice(dossier=client.dossiers.get(), issued_on=dt.date(2024, 3, 2), due_on=dt.date(2024, 4, 2))


def invoiced_lately(client: Client) -> None:
    invoice = make_invoice(dossier=client.dossiers.get(), issued_on=dt.date(2026, 1, 5), due_on=dt.date(2026, 2, 5))
    make_payment(invoice=invoice, on=dt.date(2026, 2, 5))


def paid_lately(client: Client) -> None:
    make_payment(invoice=Invoice.objects.get(client=client), on=dt.date(2026, 6, 1), cents=0, surplus=1)


def in_credit(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(credit_cents=100)


def just_added(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def just_returned(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(returned_on=dt.date(2026, 1, 1))


def with_a_new_file(client: Client) -> None:
    make_dossier(client=client)


def with_a_hearing(client: Client) -> None:
    Hearing(dossier=client.dossiers.get(), held_on=dt.date(2027, 2, 1)).save(force_insert=True)


def with_a_note(client: Client) -> None:
    Note(client=client, author=make_member(), text="Rappelé ce matin").save(force_insert=True)


def asking(client: Client) -> None:
    rights.record(
        by=make_member(),
        client=client,
        contact=None,
        claim=Claim.ACCESS,
        origin=RequestOrigin.EMAIL,
        received_on=DAY,
        words="Que savez-vous de moi ?",
    )


MOVES: Mapping[str, tuple[Callable[[Client], None], bool]] = {
    "nothing": (lambda client: None, True),
    "owing": (owing, False),
    "invoiced lately": (invoiced_lately, False),
    "paid lately": (paid_lately, False),
    "in credit": (in_credit, False),
    "just added": (just_added, False),
    "just returned": (just_returned, False),
    "with a new file": (with_a_new_file, False),
    "with a hearing": (with_a_hearing, False),
    "with a note": (with_a_note, False),
    "asking": (asking, False),
}


@pytest.mark.parametrize("what", list(MOVES))
@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_the_night_puts_away_who_is_quiet_and_nobody_else(what: str) -> None:
    move, goes = MOVES[what]
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client = quiet(company="Ancienne SARL")
        move(client)
        assert archiving.coming(on=DAY) == int(goes)

    with working_for(cabinet_id=firm.pk):
        before = Client.objects.get(pk=client.pk).archived_on
    assert before is None
    assert tasks.archive_firm(str(firm.pk)) == int(goes)
    assert tasks.archive_firm(str(firm.pk)) == 0

    with working_for(cabinet_id=firm.pk):
        assert Client.objects.get(pk=client.pk).archived_on == (DAY if goes else None)


def test_the_length_is_the_firms(owner: Membership) -> None:
    quiet()

    for months, count in ((12, 1), (24, 1), (36, 0)):
        retention.save_settings(by=owner, accounting_years=10, fiscal_month=12, purges=False, archive_months=months)
        assert archiving.coming(on=DAY) == count


def test_a_new_invoice_brings_a_client_back(owner: Membership) -> None:
    client = quiet()
    archive.put_away([client.pk], on=DAY)

    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        enter_invoice(
            facts=InvoiceFacts(
                dossier_id=client.dossiers.get().pk,
                number="2026-900",
                issued_on=DAY,
                due_on=dt.date(2026, 12, 24),
                total_cents=120_000,
                note="Note",
            ),
            on=DAY,
        )

    back = Client.objects.get(pk=client.pk)
    assert (back.archived_on, back.returned_on) == (None, DAY)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_the_night_brings_back_who_owes_again_however_it_came() -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client = quiet()
        archive.put_away([client.pk], on=DAY)
        Invoice.objects.filter(client=client).update(settled_cents=0)

    assert tasks.archive_firm(str(firm.pk)) == 0

    with working_for(cabinet_id=firm.pk):
        back = Client.objects.get(pk=client.pk)
        assert (back.archived_on, back.returned_on) == (None, DAY)


@pytest.mark.parametrize("what", ["reversed", "credit taken back", "reopened"])
def test_what_makes_a_client_owe_again_brings_them_back(owner: Membership, what: str) -> None:
    client = quiet()
    invoice = Invoice.objects.get(client=client)
    if what == "credit taken back":
        Invoice.objects.filter(pk=invoice.pk).update(credited_cents=1_000, settled_cents=invoice.total_cents - 1_000)
    if what == "reopened":
        Invoice.objects.filter(pk=invoice.pk).update(state=InvoiceState.WRITTEN_OFF, settled_cents=0)
    archive.put_away([client.pk], on=DAY)

    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        if what == "reversed":
            settlement.settle(invoice_id=invoice.pk, cents=-1_000)
        elif what == "reopened":
            editing.reopen(invoice_id=invoice.pk)
        else:
            settlement.credit(invoice_id=invoice.pk, cents=-1_000)

    assert Client.objects.get(pk=client.pk).archived_on is None


def test_a_payment_that_is_refused_leaves_the_archive_shut(owner: Membership) -> None:
    client = quiet()
    archive.put_away([client.pk], on=DAY)
    keys = set(DataKey.objects.filter(subject_id=client.pk).values_list("pk", flat=True))

    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        receipt = Receipt(
            client_id=client.pk,
            invoice_ids=(Invoice.objects.get().pk,),
            received_on=DAY,
            cents=5_000,
            means=PaymentMeans.TRANSFER,
        )
        with pytest.raises(SurplusError):
            record_payment(receipt=receipt, on=DAY)

    assert Client.objects.get(pk=client.pk).archived_on == DAY
    assert not keys & sealing._opened.keys()


def test_a_fact_an_assistant_notes_does_not_open_the_archive(owner: Membership) -> None:
    """Widened to the whole firm, an act is still the person's."""
    client = quiet()
    archive.put_away([client.pk], on=DAY)
    assistant = make_member(role=Role.ASSISTANT, sees_every_file=True)

    note = Note(client=client, author=assistant, text="Un mot")
    with (
        working_for(cabinet_id=owner.cabinet_id, member_id=assistant.pk),
        whole_firm(),
        pytest.raises(ArchivedError),
    ):
        note.save(force_insert=True)

    assert Client.objects.get(pk=client.pk).archived_on == DAY
    assert not Note.objects.exists()


def test_a_message_taken_again_after_a_failure_brings_its_client_back(
    owner: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process still holds of a key says nothing of where its client is."""
    client = quiet()
    with monkeypatch.context() as another_process:
        another_process.setattr(sealing, "forget", lambda _ids: None)
        archive.put_away([client.pk], on=DAY)

    def fail() -> None:
        with working_for(cabinet_id=owner.cabinet_id), transaction.atomic():
            make_contact(client=client)
            raise OperationalError("the connection was lost")

    with pytest.raises(OperationalError):
        fail()
    assert Client.objects.get(pk=client.pk).archived_on == DAY
    with working_for(cabinet_id=owner.cabinet_id):
        make_contact(client=client)

    assert Client.objects.get(pk=client.pk).archived_on is None


def test_the_page_says_what_the_next_night_puts_away(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    quiet()
    archived = quiet()
    archive.put_away([archived.pk], on=DAY)

    page = browse(owner).get("/rgpd/durees/").content.decode()

    assert "La prochaine nuit met 1 client en archive." in page
    assert "1 client y est." in page


def test_an_archived_client_is_forgotten_when_nothing_keeps_them(owner: Membership) -> None:
    """The archive is not a place where data outlive their time."""
    client = quiet(company="", last_name="Ancienne", kind="consumer")
    archive.put_away([client.pk], on=DAY)
    retention.save_settings(by=owner, accounting_years=6, fiscal_month=12, purges=True)

    gone = retention.purge(on=dt.date(2040, 1, 2))

    assert gone["cabinets.DataKey"] >= 1
    assert Client.objects.get(pk=client.pk).last_name == ""
    assert archive.find("Ancienne") == []
