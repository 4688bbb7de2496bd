"""Grouping, recipients, identity (failures F47–F57)."""

import datetime as dt

import pytest

from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Dossier, Task
from cabinets.scoping import working_for
from cabinets.services import clients
from dunning.enums import Code, ReminderState
from dunning.models import DunningCase, Reminder, ReminderLine
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import editing, standstill
from invoices.services.entering import InvoiceFacts
from payments.enums import ProblemReason
from payments.services import links, requests
from tests.factories.cabinets import make_cabinet, make_client, make_contact, make_dossier
from tests.factories.invoices import TODAY
from tests.failures.conftest import Mailbox, give_server
from tests.failures.days import case_of, days, depart, live, night, owe

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


def test_f47_a_client_of_many_invoices_receives_one_message(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        for late in (3, 4, 5, 6, 7):
            owe(late=late, client=client)

    live(firm, count=6)

    assert len(mailbox.caught) == 1
    with working_for(cabinet_id=firm.pk):
        assert ReminderLine.objects.filter(is_claimed=True).count() == 5


def test_f48_each_line_bears_its_own_amount_and_the_total_is_their_sum(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        cents = [100_000, 20_000, 3_050]
        for late, total in zip((5, 4, 3), cents, strict=True):
            owe(late=late, client=client, total_cents=total)

    live(firm)

    (text,) = mailbox.texts
    assert [amount in text for amount in ("1 000,00 €", "200,00 €", "30,50 €", "1 230,50 €")] == [True] * 4
    with working_for(cabinet_id=firm.pk):
        assert sorted(ReminderLine.objects.values_list("owed_cents", flat=True)) == sorted(cents)
        assert Reminder.objects.get().total_cents == sum(cents)


def test_f48_a_claim_made_to_a_professional_never_reaches_a_consumers_message(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        for kind in (ClientKind.PROFESSIONAL, ClientKind.CONSUMER):
            owe(late=4, dossier=make_dossier(client=client, kind=kind))

    live(firm, count=15)

    with working_for(cabinet_id=firm.pk):
        assert len(mailbox.caught) == Reminder.objects.count() == 3
        kinds = ReminderLine.objects.values_list("reminder__client_kind", "invoice__dossier__kind")
        assert set(kinds) == {("consumer", "consumer"), ("professional", "professional")}


def test_f51_writes_to_the_billing_contact_of_the_dossier(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        make_contact(client=client, email="premier@societe.example")
        chosen = make_contact(client=client, email="comptabilite@societe.example")
        owe(dossier=make_dossier(client=client, billing_contact=chosen))

    live(firm)

    assert [one.recipients for one in mailbox.caught] == [("comptabilite@societe.example",)]


def test_f51_a_contact_changed_after_planning_is_not_written_to(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        former = make_contact(client=client, email="ancien@societe.example")
        newer = make_contact(client=client, email="nouveau@societe.example")
        invoice = owe(dossier=make_dossier(client=client, billing_contact=former))
    night(firm)
    with working_for(cabinet_id=firm.pk):
        Dossier.objects.filter(pk=invoice.dossier_id).update(billing_contact=newer)
    depart(firm)
    live(firm, start=TODAY + days(1))

    assert [one.recipients for one in mailbox.caught] == [("nouveau@societe.example",)]


@pytest.mark.parametrize("level", ["client", "dossier", "invoice"])
def test_f52_who_is_never_reminded_hears_nothing(firm: Cabinet, mailbox: Mailbox, level: str) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client(is_never_reminded=level == "client")
        dossier = make_dossier(client=client, is_never_reminded=level == "dossier")
        invoice = owe(dossier=dossier, is_never_reminded=level == "invoice")

    live(firm, count=12)

    assert mailbox.caught == []
    with working_for(cabinet_id=firm.pk):
        assert case_of(invoice.pk).code == Code.NEVER


def test_f53_each_firm_writes_from_its_own_server_under_its_own_name(firm: Cabinet, mailbox: Mailbox) -> None:
    other = make_cabinet(name="Cabinet voisin")
    with Mailbox() as elsewhere:
        give_server(other, elsewhere)
        for cabinet in (firm, other):
            with working_for(cabinet_id=cabinet.pk):
                owe()
        live(firm)
        live(other)

        assert [one.sender for one in mailbox.caught] == [firm.email]
        assert [one.sender for one in elsewhere.caught] == [other.email]
        assert [str(letter["From"]) for letter in elsewhere.letters] == [f"Cabinet voisin <{other.email}>"]


def test_f53_a_firm_without_a_server_borrows_nobody_elses(firm: Cabinet, mailbox: Mailbox) -> None:
    bare = make_cabinet()
    with working_for(cabinet_id=bare.pk):
        owe()
    night(bare)

    assert depart(bare) == {"no_server": 1}
    assert mailbox.caught == []


def test_f54_an_archived_contact_is_not_written_to(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client(email="direction@societe.example")
        contact = make_contact(client=client, email="parti@societe.example", is_archived=True)
        owe(dossier=make_dossier(client=client, billing_contact=contact))

    live(firm)

    assert [one.recipients for one in mailbox.caught] == [("direction@societe.example",)]


def test_f54_a_contact_archived_after_planning_is_not_written_to(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client(email="direction@societe.example")
        contact = make_contact(client=client, email="parti@societe.example")
        owe(dossier=make_dossier(client=client, billing_contact=contact))
    night(firm)
    with working_for(cabinet_id=firm.pk):
        clients.archive_contact(contact_id=contact.pk)
    depart(firm)
    live(firm, start=TODAY + days(1))

    assert [one.recipients for one in mailbox.caught] == [("direction@societe.example",)]


def test_f55_what_a_debtor_says_reaches_a_person(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    live(firm)
    with working_for(cabinet_id=firm.pk):
        link = links.link_for(client=invoice.client)
        requests.report_problem(link=link, invoice=invoice, reason=ProblemReason.AMOUNT, today=TODAY)

        assert [task.kind for task in Task.objects.all()] == ["dispute"]
    assert [firm.email in str(letter["Reply-To"]) for letter in mailbox.letters] == [True]


def test_f56_an_answer_to_be_classified_stops_every_invoice_of_the_client(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        first = owe(late=3, client=client)
        owe(late=2, client=client)
    night(firm)
    with working_for(cabinet_id=firm.pk):
        standstill.declare(kind=StopKind.REPLIED, target=first)
        assert Reminder.objects.get().state == ReminderState.CANCELLED
    depart(firm)
    live(firm, start=TODAY + days(1), count=10)

    assert mailbox.caught == []
    with working_for(cabinet_id=firm.pk):
        assert set(DunningCase.objects.values_list("code", flat=True)) == {Code.REPLIED}


def test_f57_an_edit_that_changes_no_date_moves_no_step(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=1)
        before = case_of(invoice.pk).next_action_on
        editing.edit_invoice(invoice_id=invoice.pk, facts=facts_of(invoice, note="À rappeler avant midi"))

        assert case_of(invoice.pk).next_action_on == before == TODAY + days(2)


def test_f57_a_cancelled_invoice_is_in_no_message(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        kept, cancelled = owe(client=client), owe(client=client)
        editing.cancel_invoice(invoice_id=cancelled.pk, reason="Double saisie")

    live(firm)

    (text,) = mailbox.texts
    assert (kept.number in text, cancelled.number in text) == (True, False)


def facts_of(invoice: Invoice, *, note: str) -> InvoiceFacts:
    return InvoiceFacts(
        dossier_id=invoice.dossier_id,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=dt.date.fromisoformat(str(invoice.due_on)),
        total_cents=invoice.total_cents,
        note=note,
    )
