"""Delivery, money on the message, law (failures F59–F75)."""

import pytest

from cabinets.models import Cabinet, Client, Task
from cabinets.scoping import working_for
from dunning.enums import Code, Reason, ReminderState, Tone
from dunning.models import Decision, DunningCase, Reminder, Step
from dunning.services import approving, dispatch
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import standstill
from payments.services import links
from templates_lib.errors import TextError
from tests.factories.cabinets import make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.failures.conftest import Mailbox
from tests.failures.days import case_of, days, depart, live, night, owe
from tests.mail_sink import RCPT, Reply

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


def test_f59_a_refused_message_is_not_said_to_be_sent_and_may_be_sent_to_a_better_address(
    firm: Cabinet, mailbox: Mailbox
) -> None:
    mailbox.on(RCPT, Reply("550 5.1.1 no such user"))
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    live(firm)
    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().state == ReminderState.REJECTED
        assert (case_of(invoice.pk).next_rank, case_of(invoice.pk).last_step_on) == (1, None)
        Client.objects.update(email_refused_at=None)
    live(firm, start=TODAY + days(1))

    with working_for(cabinet_id=firm.pk):
        assert sorted(Reminder.objects.values_list("rank", "state")) == [(1, "accepted"), (1, "rejected")]
    assert len(mailbox.caught) == 1


def test_f60_a_refusal_says_what_the_server_said_and_asks_a_person(firm: Cabinet, mailbox: Mailbox) -> None:
    mailbox.on(RCPT, Reply("550 5.1.1 no such user"))
    with working_for(cabinet_id=firm.pk):
        owe()

    live(firm, count=3)

    with working_for(cabinet_id=firm.pk):
        refused = Reminder.objects.get()
        assert (refused.provider_code, refused.failure) == ("550", "5.1.1 no such user")
        assert [(task.kind, task.subject_id) for task in Task.objects.all()] == [("rejected_address", refused.pk)]
        assert DunningCase.objects.get().code == Code.BOUNCED


def test_f61_the_link_of_an_old_message_is_the_link_of_the_next(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(late=3)
    live(firm, count=8)

    with working_for(cabinet_id=firm.pk):
        address = links.url_of(links.link_for(client=Client.objects.get()))
    assert [address in text for text in mailbox.texts] == [True, True]


def test_f62_a_message_changes_nothing_on_the_invoice(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(late=3)
        before = Invoice.objects.values().get()

    live(firm, count=12)

    with working_for(cabinet_id=firm.pk):
        assert Invoice.objects.values().get() == before
    assert len(mailbox.caught) == 2


def test_f63_the_first_two_messages_ask_for_the_invoice_and_nothing_else(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(late=3)

    live(firm, count=12)

    with working_for(cabinet_id=firm.pk):
        assert set(Reminder.objects.values_list("total_cents", flat=True)) == {144_000}
    assert len(mailbox.texts) == 2
    for text in mailbox.texts:
        assert {word for word in ("pénalité", "indemnité", "intérêt", "forfaitaire") if word in text.lower()} == set()


def test_f67_a_formal_notice_is_read_alone_and_never_approved_in_a_batch(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        notice = make_reminder(
            make_case(invoice=make_invoice(due_on=TODAY - days(46)), rank=4), state=ReminderState.AWAITING_APPROVAL
        )
        by = make_member()

        assert not approving.is_batchable(notice)
        done, refused = approving.approve_many(reminder_ids=[notice.pk], by=by)

        assert (done, [identifier for identifier, _ in refused]) == ([], [notice.pk])
        assert Reminder.objects.get().state == ReminderState.AWAITING_APPROVAL


@pytest.mark.parametrize("level", ["invoice", "dossier", "client", "lawyer", "firm"])
def test_f68_a_pause_has_a_day_and_ends_by_itself_at_each_level(firm: Cabinet, mailbox: Mailbox, level: str) -> None:
    with working_for(cabinet_id=firm.pk):
        lawyer = make_member()
        invoice = owe()
        invoice.dossier.lawyer = lawyer
        invoice.dossier.save(update_fields=["lawyer"])
        targets = {
            "invoice": invoice,
            "dossier": invoice.dossier,
            "client": invoice.client,
            "lawyer": lawyer,
            "firm": None,
        }
        standstill.declare(kind=StopKind.HOLD, target=targets[level], until_on=TODAY + days(2))

    live(firm, count=3)
    assert mailbox.caught == []
    live(firm, start=TODAY + days(3))

    assert len(mailbox.caught) == 1
    with working_for(cabinet_id=firm.pk):
        assert list(Decision.objects.order_by("on").values_list("on", "code")) == [
            (TODAY, Code.HOLD), (TODAY + days(3), Code.SEND),
        ]  # fmt: skip


def test_f71_a_message_that_cannot_be_written_uses_no_attempt_and_no_step(
    firm: Cabinet, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe()
    night(firm)

    def fail(checked: object, **facts: object) -> None:
        raise TextError("A merge field has no value.")

    with monkeypatch.context() as faulty:
        faulty.setattr(dispatch, "write_email", fail)
        assert depart(firm) == {"left": 1}
    with working_for(cabinet_id=firm.pk):
        unsaid = Reminder.objects.get()
        assert (unsaid.state, unsaid.cancel_code, unsaid.attempts) == ("cancelled", Code.TEXT_REFUSED, 0)
        assert case_of(invoice.pk).next_rank == 1
    live(firm, start=TODAY + days(1))

    assert len(mailbox.caught) == 1


@pytest.mark.parametrize("late", [45, 60, 89])
def test_f75_the_formal_notice_is_met_however_old_the_invoice_is(firm: Cabinet, late: int) -> None:
    with working_for(cabinet_id=firm.pk):
        make_case(invoice=make_invoice(due_on=TODAY - days(late)), rank=4, last_step_on=TODAY - days(15))

    night(firm)

    with working_for(cabinet_id=firm.pk):
        waiting = Reminder.objects.get()
        assert (waiting.rank, waiting.state, Step.objects.get(pk=waiting.step_id).tone) == (
            4, ReminderState.AWAITING_APPROVAL, Tone.FORMAL,
        )  # fmt: skip
        assert Reason.FORMAL in waiting.reasons
