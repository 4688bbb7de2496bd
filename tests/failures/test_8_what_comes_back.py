"""What comes back: replies and bounces (failures F55, F56, F59, F60)."""

import pytest

from cabinets.enums import ClientKind, TaskKind
from cabinets.models import Cabinet, Task
from cabinets.scoping import working_for
from cabinets.services import clients
from cabinets.services.clients import email_key
from dunning.enums import Code, InboundState, ReminderState
from dunning.models import DunningCase, InboundMessage, Reminder
from dunning.services import receiving
from invoices.enums import StopKind
from invoices.models import Standstill
from tests.conftest import NOW
from tests.dunning.inbound.letters import answer, bounce
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY
from tests.failures.conftest import Mailbox
from tests.failures.days import days, live, owe

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


def test_f55_an_answer_reaches_the_lawyer_of_the_file(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        lawyer = make_member()
        owe(dossier=make_dossier(lawyer=lawyer))
    live(firm)
    with working_for(cabinet_id=firm.pk):
        receiving.receive(raw=answer(sender="nouveau@ailleurs.example", to=Reminder.objects.get()), received_at=NOW)

        task = Task.objects.get(kind=TaskKind.CLASSIFY_REPLY)
        assert (task.owner_id, task.subject_id) == (lawyer.pk, InboundMessage.objects.get().pk)
    assert len(mailbox.caught) == 1


def test_f56_an_answer_stops_the_ladder_before_anybody_has_read_it(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(late=3)
    live(firm)
    with working_for(cabinet_id=firm.pk):
        receiving.receive(raw=answer(to=Reminder.objects.get()), received_at=NOW)

    live(firm, start=TODAY + days(1), count=30)

    assert len(mailbox.caught) == 1
    with working_for(cabinet_id=firm.pk):
        assert DunningCase.objects.get().code == Code.REPLIED


def test_f56_two_clients_who_share_a_contact_are_both_held_and_the_answer_is_kept(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    shared = "comptable@groupe.example"
    with working_for(cabinet_id=firm.pk):
        both = [make_client(email=shared, email_index=email_key(shared)) for _ in range(2)]
        owed = {owe(client=client).pk for client in both}
        message = receiving.receive(raw=answer(sender=shared), received_at=NOW)

        assert message is not None
        assert message.state == InboundState.UNMATCHED
        assert set(message.candidate_ids) == {client.pk for client in both}
        assert set(Standstill.objects.filter(kind=StopKind.REPLIED).values_list("invoice_id", flat=True)) == owed
    live(firm, count=5)

    assert mailbox.caught == []


def test_f59_a_message_refused_downstream_leaves_again_once_its_address_is_mended(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    live(firm)
    with working_for(cabinet_id=firm.pk):
        reminder = Reminder.objects.select_related("client").get()
        receiving.receive(raw=bounce(reminder, address=reminder.client.email), received_at=NOW)
        assert Reminder.objects.get().state == ReminderState.BOUNCED
    live(firm, start=TODAY + days(1), count=3)
    assert len(mailbox.caught) == 1

    with working_for(cabinet_id=firm.pk):
        client = invoice.client
        facts = clients.ClientFacts(company=client.company, email="bonne@adresse.example", kind=ClientKind(client.kind))
        clients.update_client(client_id=client.pk, facts=facts)
    live(firm, start=TODAY + days(6))

    assert [one.recipients for one in mailbox.caught[1:]] == [("bonne@adresse.example",)]
    with working_for(cabinet_id=firm.pk):
        assert sorted(Reminder.objects.values_list("rank", "state")) == [(1, "accepted"), (1, "bounced")]


def test_f60_a_bounce_names_the_address_the_reason_and_the_message(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe()
    live(firm)
    with working_for(cabinet_id=firm.pk):
        reminder = Reminder.objects.select_related("client").get()
        report = bounce(reminder, address=reminder.client.email, status="5.2.2")
        message = receiving.receive(raw=report, received_at=NOW)

        assert message is not None
        assert (message.reminder_id, message.bounce_code) == (reminder.pk, "5.2.2")
        assert reminder.client.email.encode() in report
        reminder.refresh_from_db()
        assert reminder.failure == "550 5.2.2 unknown user"
        assert Task.objects.get().kind == TaskKind.REJECTED_ADDRESS
    assert len(mailbox.caught) == 1
