"""What debtors say: it stops the ladder at once, is told once, and waits for an answer."""

import datetime as dt

import pytest
import time_machine

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.errors import RightMissingError
from cabinets.models import Cabinet, Client, Contact, JournalEntry, Membership, Task
from cabinets.scoping import working_for
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement, standstill
from payments.enums import PaymentMeans, ProblemReason, RequestKind, RequestOutcome, RequestState
from payments.errors import RequestError
from payments.models import DebtorRequest, PaymentLink
from payments.services import links, requests
from tests.factories.cabinets import assign, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder

PAID_ON = dt.date(2026, 11, 20)


def in_force(kind: StopKind) -> set[object]:
    return {
        stop.invoice_id or stop.client_id for stop in Standstill.objects.filter(kind=kind, released_at=None)
    }  # fmt: skip


def say_paid(link: PaymentLink, *invoices: Invoice) -> list[DebtorRequest]:
    return requests.say_already_paid(
        link=link,
        invoices=invoices,
        today=TODAY,
        paid_on=PAID_ON,
        means=PaymentMeans.CHEQUE,
        message="Chèque du 20.",
    )


def test_a_claimed_payment_stops_its_invoice_and_opens_a_task(
    link: PaymentLink, invoice: Invoice, client: Client, ladder: RecordingLadder
) -> None:
    other = make_invoice(client=client)

    [request] = say_paid(link, invoice)

    request.refresh_from_db()
    assert (request.kind, request.paid_on, request.paid_by) == (RequestKind.ALREADY_PAID, PAID_ON, PaymentMeans.CHEQUE)
    assert (request.message, request.state) == ("Chèque du 20.", RequestState.OPEN)
    assert in_force(StopKind.CLAIMED_PAID) == {invoice.pk}
    assert other.pk not in in_force(StopKind.CLAIMED_PAID)
    assert ladder.stopped == [("CLAIMED_PAID", {invoice.pk})]
    task = Task.objects.get()
    assert (task.kind, task.subject_id, task.due_on) == (TaskKind.ALREADY_PAID, request.pk, dt.date(2026, 11, 26))


def test_the_journal_says_it_came_from_the_link_and_holds_no_word_of_it(link: PaymentLink, invoice: Invoice) -> None:
    say_paid(link, invoice)

    entries = {entry.event: entry.facts for entry in JournalEntry.objects.exclude(event="paymentlink.created")}
    assert entries == {
        "debtorrequest.received": {"kind": "already_paid", "origin": "link"},
        "claimed_paid.declared": {"origin": "link"},
    }


def test_saying_it_twice_changes_nothing_more(link: PaymentLink, invoice: Invoice) -> None:
    say_paid(link, invoice)

    assert say_paid(link, invoice) == []
    assert (DebtorRequest.objects.count(), Standstill.objects.count(), Task.objects.count()) == (1, 1, 1)


def test_a_problem_stops_every_invoice_of_the_client(
    link: PaymentLink, invoice: Invoice, client: Client, ladder: RecordingLadder
) -> None:
    other = make_invoice(client=client)

    [request] = requests.report_problem(
        link=link, invoice=invoice, reason=ProblemReason.AMOUNT, today=TODAY, message="Trop élevé."
    )

    assert in_force(StopKind.DISPUTE) == {invoice.pk, other.pk}
    assert ladder.stopped == [("DISPUTE", {invoice.pk, other.pk})]
    assert (request.reason, request.message) == (ProblemReason.AMOUNT, "Trop élevé.")
    assert Task.objects.get().kind == TaskKind.DISPUTE


def test_a_second_reason_is_told_and_the_same_reason_is_not(link: PaymentLink, invoice: Invoice) -> None:
    for reason in (ProblemReason.AMOUNT, ProblemReason.AMOUNT, ProblemReason.SERVICE):
        requests.report_problem(link=link, invoice=None, reason=reason, today=TODAY)

    assert sorted(DebtorRequest.objects.values_list("reason", flat=True)) == ["amount", "service"]
    assert Standstill.objects.count() == 1


def test_an_invoice_reported_as_paid_is_a_payment_to_look_for(link: PaymentLink, invoice: Invoice) -> None:
    requests.report_problem(link=link, invoice=None, reason=ProblemReason.PAID, today=TODAY, message="Réglée.")

    assert in_force(StopKind.CLAIMED_PAID) == {invoice.pk}
    assert DebtorRequest.objects.get().invoice_id == invoice.pk


def test_a_wrong_recipient_stops_the_client_and_the_address(link: PaymentLink, invoice: Invoice) -> None:
    requests.report_problem(link=link, invoice=None, reason=ProblemReason.RECIPIENT, today=TODAY)

    assert requests.wrong_recipient(link=link, today=TODAY) == []
    assert in_force(StopKind.WRONG_RECIPIENT) == {invoice.client_id}
    assert Client.objects.get(pk=invoice.client_id).email_stopped_at is not None
    assert Task.objects.get().kind == TaskKind.WRONG_RECIPIENT


def test_a_wrong_billing_contact_is_stopped_and_the_clients_own_address_is_not(client: Client) -> None:
    contact = make_contact(client=client)
    make_invoice(dossier=make_dossier(client=client, billing_contact=contact))

    requests.wrong_recipient(link=links.link_for(client=client, contact=contact), today=TODAY)

    assert Contact.objects.get().email_stopped_at is not None
    assert Client.objects.get().email_stopped_at is None


def test_a_payment_said_found_must_be_recorded_first(link: PaymentLink, invoice: Invoice) -> None:
    [request] = say_paid(link, invoice)

    with pytest.raises(RequestError, match="enregistrez d’abord le paiement"):
        requests.answer(request_id=request.pk, outcome=RequestOutcome.PAID)

    request.refresh_from_db()
    assert request.state == RequestState.OPEN
    assert in_force(StopKind.CLAIMED_PAID) == {invoice.pk}


def test_a_recorded_payment_closes_the_request_its_stop_and_its_task(
    link: PaymentLink, invoice: Invoice, owner: Membership
) -> None:
    [request] = say_paid(link, invoice)
    with time_machine.travel(dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC), tick=False):
        settlement.settle(invoice_id=invoice.pk, cents=44_000)
        with outside_any_firm(), working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
            requests.answer(request_id=request.pk, outcome=RequestOutcome.PAID, text="Bien reçu, merci.")

    request.refresh_from_db()
    assert (request.state, request.answer, request.answered_by_id) == ("answered", "Bien reçu, merci.", owner.pk)
    assert in_force(StopKind.CLAIMED_PAID) == set()
    assert (Task.objects.get().state, Task.objects.get().closed_by_id) == (TaskState.DONE, owner.pk)


def test_a_claim_that_matches_nothing_lets_the_ladder_look_again(
    link: PaymentLink, invoice: Invoice, ladder: RecordingLadder
) -> None:
    [request] = say_paid(link, invoice)

    requests.answer(request_id=request.pk, outcome=RequestOutcome.STILL_DUE)
    requests.answer(request_id=request.pk, outcome=RequestOutcome.STILL_DUE, text="Deux fois.")

    request.refresh_from_db()
    assert request.answer == ""
    assert ladder.woken == [{invoice.pk}]


def test_a_claim_made_through_two_links_holds_until_both_are_answered(
    link: PaymentLink, invoice: Invoice, client: Client
) -> None:
    [first] = say_paid(link, invoice)
    [second] = say_paid(links.link_for(client=client, contact=make_contact(client=client)), invoice)

    requests.answer(request_id=first.pk, outcome=RequestOutcome.STILL_DUE)
    assert in_force(StopKind.CLAIMED_PAID) == {invoice.pk}
    requests.answer(request_id=second.pk, outcome=RequestOutcome.STILL_DUE)
    assert in_force(StopKind.CLAIMED_PAID) == set()


def test_an_outcome_of_another_kind_of_request_is_refused(link: PaymentLink, invoice: Invoice) -> None:
    [request] = say_paid(link, invoice)

    with pytest.raises(RequestError, match="ne convient pas"):
        requests.answer(request_id=request.pk, outcome=RequestOutcome.SILENCED)


def test_an_answered_problem_stays_stopped_until_a_lawyer_releases_each_invoice(
    link: PaymentLink, invoice: Invoice, client: Client, owner: Membership
) -> None:
    other = make_invoice(client=client)
    [request] = requests.report_problem(link=link, invoice=invoice, reason=ProblemReason.SERVICE, today=TODAY)

    requests.answer(request_id=request.pk, outcome=RequestOutcome.ANSWERED, text="Voici notre réponse.")
    assert in_force(StopKind.DISPUTE) == {invoice.pk, other.pk}
    stop = Standstill.objects.get(invoice=invoice)
    assert requests.release_disputes(member=owner, client=client, standstill_ids=[stop.pk]) == 1

    assert in_force(StopKind.DISPUTE) == {other.pk}


def test_an_assistant_does_not_release_a_dispute(link: PaymentLink, invoice: Invoice, client: Client) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=invoice.dossier, member=assistant)
    requests.report_problem(link=link, invoice=invoice, reason=ProblemReason.SERVICE, today=TODAY)
    stop = Standstill.objects.get()

    with pytest.raises(RightMissingError):
        requests.release_disputes(member=assistant, client=client, standstill_ids=[stop.pk])

    assert in_force(StopKind.DISPUTE) == {invoice.pk}


@pytest.mark.parametrize(
    ("outcome", "version", "revoked", "stopped"),
    [
        (RequestOutcome.ADDRESS_CHANGED, 2, False, False),
        (RequestOutcome.RIGHT_ADDRESS, 1, False, False),
        (RequestOutcome.SILENCED, 1, True, True),
    ],
)
def test_the_answer_about_a_recipient_decides_of_the_link_and_of_the_address(
    cabinet: Cabinet, link: PaymentLink, outcome: RequestOutcome, version: int, revoked: bool, stopped: bool
) -> None:
    [request] = requests.wrong_recipient(link=link, today=TODAY)

    requests.answer(request_id=request.pk, outcome=outcome)

    link.refresh_from_db()
    assert (link.version, link.revoked_at is not None) == (version, revoked)
    assert (Client.objects.get(pk=link.client_id).email_stopped_at is not None) == stopped
    assert (in_force(StopKind.WRONG_RECIPIENT) != set()) == stopped


def test_what_is_contested_again_after_a_release_stops_again(link: PaymentLink, invoice: Invoice) -> None:
    requests.report_problem(link=link, invoice=invoice, reason=ProblemReason.AMOUNT, today=TODAY)
    standstill.release(standstill_id=Standstill.objects.get().pk)

    assert requests.report_problem(link=link, invoice=invoice, reason=ProblemReason.AMOUNT, today=TODAY) == []

    assert in_force(StopKind.DISPUTE) == {invoice.pk}


def test_what_is_said_paid_again_after_a_release_stops_again(link: PaymentLink, invoice: Invoice) -> None:
    say_paid(link, invoice)
    standstill.release(standstill_id=Standstill.objects.get().pk)

    assert say_paid(link, invoice) == []

    assert in_force(StopKind.CLAIMED_PAID) == {invoice.pk}
