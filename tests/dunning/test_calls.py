"""Calls: asked of a person after every rule, and each of the seven outcomes with all it changes."""

import datetime as dt
import html
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from cabinets.enums import ClientKind, Role, TaskKind
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from cabinets.scoping import working_for
from dunning.enums import CallResult, ReminderState
from dunning.errors import CallError, TooLateError
from dunning.models import Call, DunningCase, Reminder, ReminderLine
from dunning.services import calls, dispatch
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
DAY = dt.timedelta(days=1)
PHONE = "+33240112233"


def in_hand(*, owner: Membership | None = None, rank: int = 2, kind: str = "professional", **facts: Any) -> Reminder:
    client = make_client(company="Atelier Nord", phone=PHONE, has_phone=True, kind=kind)
    case = make_case(invoice=make_invoice(dossier=make_dossier(client=client, lawyer=owner)), rank=rank)
    mine = {"state": ReminderState.IN_HAND, "channel": "phone", "attempts": 1, "recipient": PHONE}
    reminder = make_reminder(case, **{**mine, **facts})
    Task(kind=TaskKind.CALL, client=client, subject_id=reminder.pk, due_on=TODAY).save(force_insert=True)
    return reminder


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def tasks_left() -> list[str]:
    return list(Task.objects.filter(state="open").order_by("kind").values_list("kind", flat=True))


@pytest.mark.committed
def test_a_call_whose_hour_has_come_is_asked_of_the_dossiers_lawyer(committed: None) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        lawyer = make_member(role=Role.LAWYER)
        client = make_client(phone=PHONE, has_phone=True)
        case = make_case(invoice=make_invoice(dossier=make_dossier(client=client, lawyer=lawyer)))
        reminder = make_reminder(case, channel="phone")

    assert reminder.pk in dispatch.due_reminders(now=firm.now())[firm.pk]
    said = dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=[reminder.pk, reminder.pk])

    assert said == Counter({"in_hand": 1, "left": 1})
    with working_for(cabinet_id=firm.pk):
        held, task = Reminder.objects.get(), Task.objects.get()
        assert (held.state, held.recipient, held.spoken_on) == ("in_hand", PHONE, None)
        assert (task.kind, task.subject_id, task.owner_id, task.due_on) == ("call", held.pk, lawyer.pk, TODAY)


@pytest.mark.committed
def test_nobody_is_asked_to_call_about_an_invoice_paid_meanwhile(committed: None) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client = make_client(phone=PHONE, has_phone=True)
        reminder = make_reminder(make_case(invoice=make_invoice(client=client)), channel="phone")
        Invoice.objects.update(settled_cents=144_000)

    dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=[reminder.pk])

    with working_for(cabinet_id=firm.pk):
        assert (Reminder.objects.get().cancel_code, Task.objects.count()) == ("PAID", 0)


def test_a_promise_stops_everything_until_its_day(owner: Membership) -> None:
    reminder = in_hand()

    calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.PROMISED, promised_on=dt.date(2026, 12, 4))

    stop, case = Standstill.objects.get(), DunningCase.objects.get()
    assert (stop.kind, stop.until_on, stop.origin) == (StopKind.PROMISE, dt.date(2026, 12, 4), "call")
    assert stop.promised_cents == 144_000
    assert (case.next_rank, case.last_step_on, tasks_left()) == (3, TODAY, ["promise_over"])
    reminder.refresh_from_db()
    assert (reminder.state, reminder.spoken_on) == ("accepted", TODAY)
    assert (Call.objects.get().result, Call.objects.get().promised_on) == ("promised", dt.date(2026, 12, 4))
    assert JournalEntry.objects.get(event="call.recorded").facts == {"result": "promised"}


@pytest.mark.parametrize(
    ("result", "kind", "until_on", "task"),
    [
        (CallResult.SAYS_PAID, StopKind.CLAIMED_PAID, None, "already_paid"),
        (CallResult.WANTS_PLAN, StopKind.HOLD, dt.date(2026, 12, 8), "plan_request"),
        (CallResult.DISPUTES, StopKind.DISPUTE, None, "dispute"),
    ],
)
def test_what_the_debtor_says_stops_and_asks_a_person(
    owner: Membership, result: CallResult, kind: StopKind, until_on: dt.date | None, task: str
) -> None:
    reminder = in_hand(owner=owner)

    calls.record(reminder_id=reminder.pk, by=owner, result=result, note="Vu au téléphone")

    stop, asked = Standstill.objects.get(), Task.objects.get(state="open")
    assert (stop.kind, stop.until_on, stop.reason, stop.invoice_id) == (
        kind, until_on, "Vu au téléphone", Invoice.objects.get().pk,
    )  # fmt: skip
    assert (asked.kind, asked.subject_id, asked.owner_id) == (task, Invoice.objects.get().pk, owner.pk)
    reminder.refresh_from_db()
    assert (reminder.state, DunningCase.objects.get().next_rank) == ("accepted", 3)


def test_a_dispute_heard_on_the_telephone_stops_the_whole_client(owner: Membership) -> None:
    reminder = in_hand()
    other = make_invoice(client=reminder.client)

    calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.DISPUTES)

    assert Standstill.objects.filter(invoice=other, kind=StopKind.DISPUTE).count() == 1


def test_a_word_left_is_a_contact_and_the_step_is_done(owner: Membership) -> None:
    reminder = in_hand()

    calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.LEFT_WORD)

    reminder.refresh_from_db()
    assert (reminder.state, reminder.spoken_on, tasks_left()) == ("accepted", TODAY, [])
    assert Standstill.objects.count() == 0


def test_no_reply_is_tried_on_three_working_days_then_a_person_chooses(owner: Membership) -> None:
    reminder = in_hand()
    tried = []
    # Thursday, Friday, then Monday: 24 November 2026 is a Tuesday.
    for day in (26, 27, 30):
        with time_machine.travel(dt.datetime(2026, 11, day, 9, 30, tzinfo=dt.UTC), tick=False):
            calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.NO_REPLY)
            task = Task.objects.filter(kind="call", state="open").first()
            reminder.refresh_from_db()
            tried.append((reminder.state, task.due_on if task else None))

    assert tried == [("in_hand", dt.date(2026, 11, 27)), ("in_hand", dt.date(2026, 11, 30)), ("accepted", None)]
    assert tasks_left() == ["no_answer"]
    assert DunningCase.objects.get().next_rank == 3


def test_no_second_try_is_noted_the_same_day(owner: Membership) -> None:
    reminder = in_hand()
    calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.NO_REPLY)

    with pytest.raises(CallError, match="rappelez un autre jour ouvré"):
        calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.NO_REPLY)

    assert Call.objects.count() == 1


def test_a_wrong_number_is_called_no_more_and_its_step_does_not_count(owner: Membership) -> None:
    reminder = in_hand()

    calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.WRONG_NUMBER)

    reminder.refresh_from_db()
    case = DunningCase.objects.get()
    assert (reminder.state, reminder.spoken_on, case.next_rank, case.last_step_on) == ("rejected", None, 2, None)
    assert Client.objects.get().mobile_refused_at is not None
    assert list(ReminderLine.objects.values_list("counts", flat=True)) == [False]
    assert tasks_left() == ["rejected_address"]


def test_an_outcome_is_noted_once(owner: Membership) -> None:
    reminder = in_hand()
    calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.LEFT_WORD)

    with pytest.raises(TooLateError):
        calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.DISPUTES)

    assert (Call.objects.count(), Standstill.objects.count()) == (1, 0)


@pytest.mark.parametrize("promised_on", [None, TODAY - DAY, TODAY + 61 * DAY])
def test_a_promise_has_a_day_to_come(owner: Membership, promised_on: dt.date | None) -> None:
    reminder = in_hand()

    with pytest.raises(CallError):
        calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.PROMISED, promised_on=promised_on)

    reminder.refresh_from_db()
    assert (reminder.state, Call.objects.count(), Standstill.objects.count()) == ("in_hand", 0, 0)


def test_the_page_says_whom_to_call_and_what_is_never_said(owner: Membership, browse: Browse) -> None:
    reminder = in_hand(kind=ClientKind.CONSUMER)

    page = text_of(browse(owner).get(f"/appels/{reminder.pk}/"))

    assert f'href="tel:{PHONE}"' in page
    assert "02 40 11 22 33" in page
    assert "1 440,00 €</span> restant dus" in page
    assert "L’affaire, son numéro, l’adversaire, la juridiction" in page
    assert "Des pénalités ou des frais de recouvrement" in page
    assert page.count('name="result"') == 7


def test_a_payment_while_the_call_is_in_hand_says_do_not_call(owner: Membership, browse: Browse) -> None:
    reminder = in_hand()
    settlement.settle(invoice_id=Invoice.objects.get().pk, cents=144_000)

    page = text_of(browse(owner).get(f"/appels/{reminder.pk}/"))

    assert "N’appelez pas. Plus rien n’est dû." in page
    assert "tel:" not in page
    assert tasks_left() == []


def test_what_was_said_in_a_call_stopped_meanwhile_is_noted_all_the_same(owner: Membership) -> None:
    reminder = in_hand()
    other = make_invoice(client=reminder.client)
    settlement.settle(invoice_id=ReminderLine.objects.get().invoice_id, cents=144_000)

    calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.DISPUTES)

    reminder.refresh_from_db()
    assert (reminder.state, Call.objects.count()) == ("cancelled", 1)
    assert Standstill.objects.filter(invoice=other, kind=StopKind.DISPUTE).count() == 1


def test_the_form_asks_for_the_day_of_a_promise(owner: Membership, browse: Browse) -> None:
    reminder = in_hand()

    response = browse(owner).post(f"/appels/{reminder.pk}/", {"result": "promised"})

    assert (response.status_code, Call.objects.count()) == (422, 0)
    assert "Indiquez le jour promis." in text_of(response)


def test_an_outcome_is_noted_from_the_page(owner: Membership, browse: Browse) -> None:
    reminder = in_hand()

    page = text_of(browse(owner).post(f"/appels/{reminder.pk}/", {"result": "left_word", "note": ""}, follow=True))

    assert "Appel noté : message laissé." in page
    assert Call.objects.get().by_id == owner.pk


@pytest.mark.usefixtures("cabinet")
def test_an_accountant_calls_nobody(browse: Browse) -> None:
    reminder = in_hand()

    assert browse(make_member(role=Role.ACCOUNTANT)).get(f"/appels/{reminder.pk}/").status_code == 403


def test_an_email_is_no_call(owner: Membership, browse: Browse, cabinet: Cabinet) -> None:
    reminder = make_reminder(state=ReminderState.IN_HAND, attempts=1)

    assert browse(owner).get(f"/appels/{reminder.pk}/").status_code == 404
    with pytest.raises(Reminder.DoesNotExist):
        calls.record(reminder_id=reminder.pk, by=owner, result=CallResult.LEFT_WORD)
