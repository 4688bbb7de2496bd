"""What comes back takes effect at once: an answer holds, a bounce takes its step back, a machine's answer is noted."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.models import Cabinet, Client, Contact, JournalEntry, Task
from cabinets.scoping import working_for
from cabinets.services.clients import email_key
from dunning.enums import Code, InboundKind, InboundState, ReminderState
from dunning.models import DunningCase, EvidenceEntry, InboundMessage, Reminder, ReminderLine
from dunning.services import receiving
from dunning.services.reply_marks import reply_address
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from tests.conftest import NOW, outside_any_firm
from tests.dunning.inbound.letters import absence, answer, bounce
from tests.factories.cabinets import make_client, make_contact, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

WRITTEN_TO = "compta@atelier.example"


@pytest.fixture
def client(cabinet: Cabinet) -> Client:
    """Return a client whose address is known."""
    return make_client(company="Atelier Nord", email=WRITTEN_TO, email_index=email_key(WRITTEN_TO))


def sent(client: Client, **facts: Any) -> Reminder:
    """Make a first reminder that left four days ago."""
    case = make_case(invoice=make_invoice(dossier=make_dossier(client=client)))
    on = TODAY - dt.timedelta(days=4)
    past = {"state": ReminderState.ACCEPTED, "spoken_on": on, "spoken_at": NOW - dt.timedelta(days=4)}
    reminder = make_reminder(case, **{**past, "recipient": client.email, **facts})
    DunningCase.objects.filter(pk=case.pk).update(next_rank=2, last_step_on=on)
    return reminder


def receive(raw: bytes) -> InboundMessage:
    message = receiving.receive(raw=raw, received_at=NOW)
    assert message is not None
    return message


def stops() -> list[tuple[str, object]]:
    rows = Standstill.objects.filter(released_at=None)
    return sorted((stop.kind, stop.invoice_id or stop.client_id) for stop in rows)


def tasks() -> list[tuple[str, object]]:
    return [(task.kind, task.subject_id) for task in Task.objects.filter(state=TaskState.OPEN).order_by("kind")]


def test_an_answer_holds_every_invoice_of_its_client_and_asks_the_files_lawyer(client: Client) -> None:
    lawyer = make_member(role=Role.LAWYER)
    reminder = sent(client)
    line = ReminderLine.objects.select_related("invoice__dossier").get(reminder=reminder)
    line.invoice.dossier.lawyer = lawyer
    line.invoice.dossier.save(update_fields=["lawyer"])
    other = make_reminder(make_case(invoice=make_invoice(dossier=make_dossier(client=client))))

    message = receive(answer(sender="quelqu-un@ailleurs.example", to=reminder))

    other.refresh_from_db()
    assert (message.kind, message.state) == (InboundKind.REPLY, InboundState.TO_CLASSIFY)
    assert (message.client_id, message.reminder_id) == (client.pk, reminder.pk)
    assert (message.subject, message.text) == ("Re: Votre facture", "Je paie lundi.")
    assert [kind for kind, _ in stops()] == [StopKind.REPLIED, StopKind.REPLIED]
    assert (other.state, other.cancel_code) == (ReminderState.CANCELLED, Code.REPLIED)
    assert tasks() == [(TaskKind.CLASSIFY_REPLY, message.pk)]
    assert Task.objects.get().owner_id == lawyer.pk


def test_an_answer_is_recognised_by_the_address_it_comes_from(client: Client) -> None:
    contact = make_contact(client=client, email="daf@atelier.example", email_index=email_key("daf@atelier.example"))
    invoice = make_invoice(dossier=make_dossier(client=client))

    message = receive(answer(sender="DAF <Daf@Atelier.example>"))

    assert (message.client_id, message.contact_id, message.reminder_id) == (client.pk, contact.pk, None)
    assert stops() == [(StopKind.REPLIED, invoice.pk)]


def test_an_answer_is_recognised_by_the_mark_of_the_address_it_was_sent_to(client: Client) -> None:
    reminder = sent(client)
    marked = reply_address(address="reponses@cabinet.example", reminder=reminder)

    message = receive(answer(sender="inconnu@ailleurs.example", To=marked))

    assert (message.client_id, message.reminder_id) == (client.pk, reminder.pk)


def test_a_client_who_owes_nothing_yet_is_held_too(client: Client) -> None:
    receive(answer(sender=WRITTEN_TO))

    assert stops() == [(StopKind.REPLIED, client.pk)]


def test_two_clients_who_share_an_address_are_both_held_and_the_message_is_kept(client: Client) -> None:
    other = make_client(email=WRITTEN_TO, email_index=email_key(WRITTEN_TO))
    invoices = [make_invoice(dossier=make_dossier(client=one)) for one in (client, other)]

    message = receive(answer(sender=WRITTEN_TO))

    assert (message.state, message.client_id) == (InboundState.UNMATCHED, None)
    assert set(message.candidate_ids) == {client.pk, other.pk}
    assert {invoice for _, invoice in stops()} == {invoice.pk for invoice in invoices}
    assert tasks() == [(TaskKind.UNMATCHED_REPLY, message.pk)]


def test_a_message_of_nobody_waits_for_a_person_and_holds_nobody(client: Client) -> None:
    message = receive(answer(sender="inconnu@ailleurs.example"))

    assert (message.kind, message.state, message.client_id) == (InboundKind.REPLY, InboundState.UNMATCHED, None)
    assert (stops(), tasks()) == ([], [(TaskKind.UNMATCHED_REPLY, message.pk)])


@pytest.mark.parametrize("raw", [b"", bytes(range(256)), b"From: \xff\xfe\r\n\r\n"])
def test_nonsense_is_kept_for_a_person(cabinet: Cabinet, raw: bytes) -> None:
    message = receive(raw)

    assert (message.kind, message.state) == (InboundKind.UNREADABLE, InboundState.UNMATCHED)
    assert message.raw.encode("latin-1") == raw
    assert tasks() == [(TaskKind.UNMATCHED_REPLY, message.pk)]


def test_a_machines_answer_is_noted_and_holds_nothing(client: Client) -> None:
    message = receive(absence(to=sent(client)))

    assert (message.kind, message.state, message.client_id) == (InboundKind.AUTOMATIC, InboundState.LOGGED, client.pk)
    assert (stops(), tasks()) == ([], [])


def test_a_newsletter_asks_nobody_but_a_clients_list_does(client: Client) -> None:
    assert receive(answer(sender="lettre@editeur.example", Precedence="bulk")).state == InboundState.LOGGED
    assert receive(answer(sender=WRITTEN_TO, Precedence="list")).state == InboundState.TO_CLASSIFY
    assert [kind for kind, _ in tasks()] == [TaskKind.CLASSIFY_REPLY]


def test_a_bounce_takes_its_step_back_refuses_the_address_and_asks_a_person(client: Client) -> None:
    reminder = sent(client)

    message = receive(bounce(reminder, address=WRITTEN_TO))

    reminder.refresh_from_db()
    client.refresh_from_db()
    case = DunningCase.objects.get()
    assert (message.kind, message.state, message.bounce_code) == (InboundKind.BOUNCE, InboundState.LOGGED, "5.1.1")
    assert (reminder.state, reminder.provider_code) == (ReminderState.BOUNCED, "5.1.1")
    assert client.email_refused_at == NOW
    assert (case.next_rank, case.last_step_on) == (1, None)
    assert case.next_action_on is not None
    assert EvidenceEntry.objects.latest("seq").event == "message.bounced"
    assert not ReminderLine.objects.get().counts
    assert (stops(), tasks()) == ([], [(TaskKind.REJECTED_ADDRESS, reminder.pk)])


def test_a_bounce_takes_back_what_was_about_to_leave_for_the_same_address(client: Client) -> None:
    reminder = sent(client)
    waiting = make_reminder(make_case(invoice=make_invoice(dossier=make_dossier(client=client))))

    receive(bounce(reminder, address=WRITTEN_TO))

    waiting.refresh_from_db()
    assert (waiting.state, waiting.cancel_code) == (ReminderState.CANCELLED, Code.BOUNCED)


def test_a_bounce_of_an_address_corrected_since_does_not_refuse_the_new_one(client: Client) -> None:
    reminder = sent(client, recipient="ancienne@atelier.example")

    receive(bounce(reminder, address="ancienne@atelier.example"))

    reminder.refresh_from_db()
    client.refresh_from_db()
    assert (reminder.state, client.email_refused_at) == (ReminderState.BOUNCED, None)


def test_a_bounce_of_a_first_step_leaves_the_later_one_that_was_received(client: Client) -> None:
    reminder = sent(client)
    DunningCase.objects.update(next_rank=3, last_step_on=TODAY)

    receive(bounce(reminder, address=WRITTEN_TO))

    assert list(DunningCase.objects.values_list("next_rank", "last_step_on")) == [(3, TODAY)]


def test_a_delay_is_noted_only(client: Client) -> None:
    reminder = sent(client)

    message = receive(bounce(reminder, address=WRITTEN_TO, action="delayed", status="4.4.1"))

    reminder.refresh_from_db()
    assert (message.kind, message.state, message.reminder_id) == ("soft_bounce", "logged", reminder.pk)
    assert (reminder.state, stops(), tasks()) == (ReminderState.ACCEPTED, [], [])


def test_a_bounce_of_somebody_elses_message_waits_for_a_person_and_touches_no_reminder(client: Client) -> None:
    reminder = sent(client)
    stranger = Reminder(pk=client.pk)
    raw = bounce(stranger, address=WRITTEN_TO).replace(b"To: contact", b"References: <%s@x.example>\r\nTo: contact")
    raw = raw.replace(b"%s", str(reminder.pk).encode())

    message = receive(raw)

    reminder.refresh_from_db()
    assert (message.state, reminder.state) == (InboundState.UNMATCHED, ReminderState.ACCEPTED)
    assert tasks() == [(TaskKind.UNMATCHED_REPLY, message.pk)]


def test_the_same_message_twice_is_one(client: Client) -> None:
    reminder, raw = sent(client), answer(sender=WRITTEN_TO)
    report = bounce(reminder, address=WRITTEN_TO)
    receive(raw)
    receive(report)

    again = b"Received: by another road\r\n" + raw

    assert [receiving.receive(raw=one, received_at=NOW) for one in (raw, again, report)] == [None, None, None]
    assert (InboundMessage.objects.count(), Task.objects.count()) == (2, 2)


def test_another_message_under_the_same_identifier_is_not_silenced(client: Client) -> None:
    first = answer(sender="attaquant@ailleurs.example", Message_ID="<meme@client.example>")
    second = answer(sender=WRITTEN_TO, Message_ID="<meme@client.example>")

    assert receive(first).state == InboundState.UNMATCHED
    assert receive(second).state == InboundState.TO_CLASSIFY


def test_the_words_of_a_message_are_sealed_and_the_journal_holds_none(client: Client) -> None:
    message = receive(answer(sender=WRITTEN_TO, text="Secret de famille"))

    row = InboundMessage.objects.filter(pk=message.pk).values("sender", "subject", "text", "raw").get()
    assert [name for name, value in row.items() if "Secret" in repr(value) or "atelier" in repr(value)] == []
    told = JournalEntry.objects.get(event="inboundmessage.received")
    assert told.facts == {"kind": "reply", "state": "to_classify", "how": "sender"}


def test_the_message_id_of_another_firm_does_nothing_across_firms(client: Client, other_cabinet: Cabinet) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs = sent(make_client(email="autre@ailleurs.example"))
        marked = reply_address(address="reponses@cabinet.example", reminder=theirs)

    for raw in (answer(to=theirs), bounce(theirs, address="autre@ailleurs.example"), answer(To=marked)):
        message = receive(raw)
        assert (message.state, message.client_id, message.reminder_id) == (InboundState.UNMATCHED, None, None)
    assert stops() == []
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs.refresh_from_db()
        assert theirs.state == ReminderState.ACCEPTED
        assert (Standstill.objects.count(), InboundMessage.objects.count()) == (0, 0)
        assert Client.objects.get().email_refused_at is None


KINDS = ("reply", "sender", "shared", "nobody", "absence", "bounce", "delay", "noise", "list", "twice")


@given(sequence=st.lists(st.sampled_from(KINDS), min_size=1, max_size=7), noise=st.binary(max_size=60))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sequence_of_messages_leaves_an_answer_without_a_hold_or_a_task(
    cabinet: Cabinet, sequence: list[str], noise: bytes
) -> None:
    one, two = (make_client(email=f"{name}@x.example", email_index=email_key(f"{name}@x.example")) for name in "ab")
    make_contact(client=one, email="nous@x.example", email_index=email_key("nous@x.example"))
    make_contact(client=two, email="nous@x.example", email_index=email_key("nous@x.example"))
    reminder = sent(one)
    last = b""
    makers = {
        "reply": lambda: answer(to=reminder, sender="x@y.example"),
        "sender": lambda: answer(sender="b@x.example"),
        "shared": lambda: answer(sender="nous@x.example"),
        "nobody": lambda: answer(sender="personne@x.example"),
        "absence": lambda: absence(to=reminder),
        "bounce": lambda: bounce(reminder, address="a@x.example"),
        "delay": lambda: bounce(reminder, address="a@x.example", action="delayed", status="4.0.0"),
        "noise": lambda: noise,
        "list": lambda: answer(to=reminder, Precedence="list"),
        "twice": lambda: last,
    }
    before = set(InboundMessage.objects.values_list("pk", flat=True))
    for kind in sequence:
        last = makers[kind]()
        receiving.receive(raw=last, received_at=NOW)

    for message in InboundMessage.objects.exclude(pk__in=before).filter(kind__in=["reply", "unreadable"]):
        held = [message.client_id] if message.client_id else message.candidate_ids
        for client_id in held:
            of_client = Standstill.objects.filter(kind=StopKind.REPLIED, released_at=None)
            invoices = Invoice.objects.open().filter(client=client_id)
            assert (
                of_client.filter(client=client_id).exists()
                or invoices.count() == of_client.filter(invoice__in=invoices).count() > 0
            )
        assert Task.objects.filter(subject_id=message.pk, state=TaskState.OPEN).count() == 1
    for client in (one, two):
        Contact.objects.filter(client=client).update(email_index=None)
        Client.objects.filter(pk=client.pk).update(email_index=None)
