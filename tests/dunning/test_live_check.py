"""Before anything leaves, the providers say whether its debtor is paying; silence holds, and never lets through."""

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from cabinets.models import Client
from cabinets.scoping import acting_for, tenant_atomic, working_for
from dunning.channels.protocol import Stage as SmsStage
from dunning.channels.protocol import Verdict
from dunning.channels.sms import SmsOutcome
from dunning.enums import Code, Medium, Reason, ReminderState
from dunning.models import ChannelAccount, MailServer, Reminder
from dunning.services import claiming, dispatch, post_desk, sms_accounts
from dunning.services.claiming import UNASKED
from payments.enums import CheckoutState
from payments.models import Checkout
from payments.providers.protocol import Stage
from payments.services import live
from tests.conftest import NOW
from tests.dunning.letter_world import FORMAL_RANK
from tests.dunning.test_sms import Telephone
from tests.factories.cabinets import make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import make_check
from tests.mail_sink import SmtpSink
from tests.payments.online import Online, online_world

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

CHANNELS = ("email", "sms", "registered", "phone")
LEFT = {"email": "accepted", "sms": "accepted", "registered": "in_hand", "phone": "in_hand"}
ACCEPTED = SmsOutcome(verdict=Verdict.ACCEPTED, stage=SmsStage.END, reference="42")


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def online(committed: None, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Online]:
    """Return a firm that is paid online and sends by every channel."""
    with online_world(address="3 place Royale", postcode="44000", city="Nantes") as world:
        with working_for(cabinet_id=world.cabinet.pk):
            MailServer(host="127.0.0.1", port=sink.port, security="none", sender=world.cabinet.email).save(
                force_insert=True
            )
            ChannelAccount(medium=Medium.SMS, provider="ovh_sms", is_enabled=True).save(force_insert=True)
            client = Client.objects.get(pk=world.link.client_id)
            client.phone, client.has_mobile, client.has_phone = "+33612345678", True, True
            client.save(update_fields=["phone", "has_mobile", "has_phone"])
            make_check(client=client)
        monkeypatch.setattr(sms_accounts, "sms_road", lambda _: (Telephone(ACCEPTED), "CabAubry"))
        yield world


def ready(online: Online, channel: str) -> Reminder:
    """Make a reminder whose departure has come, approved for every reason."""
    with working_for(cabinet_id=online.cabinet.pk):
        case = make_case(invoice=online.invoice, rank=FORMAL_RANK if channel == "registered" else 2)
        reasons = [reason.value for reason in Reason if reason != Reason.BY_HAND]
        return make_reminder(
            case,
            channel=channel,
            state=ReminderState.APPROVED,
            approved_at=NOW - dt.timedelta(hours=1),
            reasons=reasons,
        )


def send(online: Online, reminder: Reminder) -> Reminder:
    dispatch.send_batch(cabinet_id=online.cabinet.pk, reminder_ids=[reminder.pk])
    with working_for(cabinet_id=online.cabinet.pk):
        return Reminder.objects.get(pk=reminder.pk)


@pytest.mark.parametrize("channel", CHANNELS)
def test_leaves_when_the_provider_says_nobody_is_paying(online: Online, channel: str) -> None:
    online.begin()
    reminder = ready(online, channel)

    assert send(online, reminder).state == LEFT[channel]

    assert [act for act, _ in online.provider.calls] == ["open", "fetch"]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("stage", "code"), [(Stage.PROCESSING, Code.PAYMENT_IN_FLIGHT), (Stage.SETTLED, Code.PAID)])
def test_says_nothing_to_who_is_paying_or_has_just_paid(
    online: Online, sink: SmtpSink, channel: str, stage: Stage, code: Code
) -> None:
    online.begin()
    reminder = ready(online, channel)
    online.provider.move(stage)

    said = send(online, reminder)

    assert (said.state, said.cancel_code, sink.caught) == (ReminderState.CANCELLED, code, [])


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_provider_that_does_not_answer_holds_the_reminder_until_it_does(
    online: Online, sink: SmtpSink, channel: str
) -> None:
    online.begin()
    reminder = ready(online, channel)
    online.provider.silent = 1

    held = send(online, reminder)
    assert (held.state, held.failure, sink.caught) == (ReminderState.APPROVED, UNASKED, [])
    assert held.depart_at == NOW + dt.timedelta(minutes=10)

    with time_machine.travel(NOW + dt.timedelta(minutes=10), tick=False):
        assert send(online, reminder).state == LEFT[channel]


def test_asks_nobody_and_costs_one_query_a_batch_and_one_a_claim_when_nobody_is_paying(online: Online) -> None:
    reminder = ready(online, "email")

    with CaptureQueriesContext(connection) as caught:
        assert send(online, reminder).state == "accepted"

    asked = [one["sql"] for one in caught.captured_queries if "payments_checkout" in one["sql"]]
    assert (len(asked), online.provider.calls) == (2, [])


def test_holds_what_follows_a_page_opened_since_the_providers_were_asked(
    online: Online, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    reminder, ask = ready(online, "email"), live.ask

    def then_a_debtor_opens(**facts: Any) -> None:
        ask(**facts)
        online.begin()

    monkeypatch.setattr(live, "ask", then_a_debtor_opens)

    assert (send(online, reminder).failure, sink.caught) == (UNASKED, [])


def test_asks_a_silent_provider_once_a_batch(online: Online) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        for number in range(3):
            Checkout(
                account=online.account,
                client=online.link.client,
                means="card",
                cents=100,
                state=CheckoutState.OPEN,
                ref=f"cs_{number}",
            ).save(force_insert=True)
    online.provider.silent = 99

    with acting_for(cabinet_id=online.cabinet.pk):
        live.ask(client_ids=[online.link.client_id])

    # The three were written in the same instant: which of them is asked about is not said.
    assert [(verb, ref in {"cs_0", "cs_1", "cs_2"}) for verb, ref in online.provider.calls] == [("fetch", True)]


def test_prints_no_letter_of_somebody_who_may_be_paying(online: Online) -> None:
    reminder = ready(online, "registered")
    assert send(online, reminder).state == "in_hand"
    checkout = online.begin()

    with working_for(cabinet_id=online.cabinet.pk):
        owner = make_member()
        why = post_desk.print_letter(reminder_id=reminder.pk, by=owner)

    assert why == f"{UNASKED} Rien n’est imprimé."
    assert online.read(checkout).ask_at == NOW


def test_a_payment_and_a_claim_at_the_same_moment_never_both_win(online: Online, sink: SmtpSink) -> None:
    checkout, reminder = online.begin(), ready(online, "email")
    online.provider.move(Stage.SETTLED)
    gate = threading.Barrier(2)

    def pay() -> None:
        gate.wait()
        online.apply(checkout)
        connections.close_all()

    payer = threading.Thread(target=pay)
    payer.start()
    gate.wait()
    said = send(online, reminder)
    payer.join()

    assert (said.state, sink.caught) == (ReminderState.CANCELLED, [])
    assert online.invoice.settled_cents == 144_000


def test_a_payment_recorded_while_the_message_is_being_said_has_crossed_it(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, reminder = online.begin(), ready(online, "email")
    take = claiming.take

    def and_then_paid(**facts: Any) -> Any:
        taken = take(**facts)
        connection.on_commit(lambda: online.provider.move(Stage.SETTLED))
        return taken

    monkeypatch.setattr(dispatch, "take", and_then_paid)

    assert send(online, reminder).state == "accepted"
    online.ask(checkout)
    assert online.invoice.outstanding_cents == 0
    with acting_for(cabinet_id=online.cabinet.pk), tenant_atomic():
        assert Reminder.objects.get(pk=reminder.pk).state == "accepted"
