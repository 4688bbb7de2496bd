"""What accompanies a step: planned once its lead has left, said the same day under the same rules, or not at all."""

import datetime as dt
from collections.abc import Callable

import pytest

from cabinets.models import Cabinet, Client, Membership
from dunning.channels.protocol import Outcome, Stage, Verdict
from dunning.enums import Channel, Code, Medium, ReminderState
from dunning.models import ChannelAccount, DunningCase, Reminder
from dunning.services import claiming, outcomes
from invoices.enums import StopKind
from invoices.services import standstill
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, stage=Stage.END, code=250)


@pytest.fixture
def sms(cabinet: Cabinet) -> None:
    ChannelAccount(medium=Medium.SMS, provider="ovh_sms", is_enabled=True).save(force_insert=True)


def reachable(**facts: object) -> Client:
    return make_client(phone="+33612345678", has_mobile=True, has_phone=True, **facts)


def leave(rank: int, client: Client | None = None, **facts: object) -> Reminder:
    """Make a reminder at a rank of the default ladder, and let it leave."""
    case = make_case(invoice=make_invoice(client=client or reachable()), rank=rank)
    reminder = make_reminder(case, state=ReminderState.SENDING, **facts)
    outcomes.record(reminder_id=reminder.pk, generation=reminder.generation, outcome=ACCEPTED)
    return Reminder.objects.get(pk=reminder.pk)


def followers(reminder: Reminder) -> list[Reminder]:
    return list(Reminder.objects.filter(accompanies=reminder))


def nothing_said(_: claiming.Checked) -> claiming.Words[str]:
    return claiming.Words(subject="", html="", text="Facture", recipient="+33612345678", payload="said")


@pytest.mark.usefixtures("sms")
def test_plans_the_text_message_of_j10_once_its_email_has_left() -> None:
    lead = leave(2)

    (follower,) = followers(lead)
    assert (follower.channel, follower.state, follower.rank) == (Channel.SMS, ReminderState.PLANNED, 2)
    assert (follower.total_cents, follower.dossier_ids) == (lead.total_cents, lead.dossier_ids)
    assert DunningCase.objects.get().next_rank == 3


def test_plans_nothing_without_a_provider(cabinet: Cabinet) -> None:
    assert followers(leave(2)) == []


@pytest.mark.usefixtures("sms")
@pytest.mark.parametrize(
    "facts",
    [{"accepts_sms": False}, {"mobile_refused_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC)}, {"has_mobile": False}],
)
def test_plans_nothing_for_who_cannot_be_reached_that_way(facts: dict[str, object]) -> None:
    client = make_client(**{"phone": "+33612345678", "has_mobile": True, **facts})

    assert followers(leave(2, client)) == []


@pytest.mark.usefixtures("sms")
def test_plans_no_text_message_at_j10_for_who_answered() -> None:
    client = reachable()
    invoice = make_invoice(client=client)
    (promise,) = standstill.declare(kind=StopKind.PROMISE, target=invoice, until_on=TODAY)
    standstill.release(standstill_id=promise.pk)
    reminder = make_reminder(make_case(invoice=invoice, rank=2), state=ReminderState.SENDING)

    outcomes.record(reminder_id=reminder.pk, generation=0, outcome=ACCEPTED)

    assert followers(reminder) == []


@pytest.mark.usefixtures("sms")
def test_lets_what_accompanies_leave_the_same_day() -> None:
    (follower,) = followers(leave(2))

    taken = claiming.take(reminder_id=follower.pk, write=nothing_said)

    assert taken is not None
    assert taken.payload == "said"
    assert Reminder.objects.get(pk=follower.pk).state == ReminderState.SENDING


@pytest.mark.usefixtures("sms")
def test_a_payment_takes_back_what_accompanies() -> None:
    lead = leave(2)
    (follower,) = followers(lead)

    standstill.declare(kind=StopKind.CLAIMED_PAID, target=DunningCase.objects.get().invoice)

    follower.refresh_from_db()
    assert (follower.state, follower.cancel_code) == (ReminderState.CANCELLED, Code.CLAIMED_PAID)
    assert claiming.take(reminder_id=follower.pk, write=nothing_said) is None


@pytest.mark.usefixtures("sms")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": ReminderState.BOUNCED}, Code.CONTACT_CAP),
        ({"spoken_on": TODAY - dt.timedelta(days=1)}, Code.CONTACT_CAP),
    ],
)
def test_says_nothing_after_a_lead_that_bounced_or_left_another_day(change: dict[str, object], code: Code) -> None:
    lead = leave(2)
    (follower,) = followers(lead)
    Reminder.objects.filter(pk=lead.pk).update(**change)

    assert claiming.take(reminder_id=follower.pk, write=nothing_said) is None

    follower.refresh_from_db()
    assert (follower.state, follower.cancel_code, follower.spoken_on) == (ReminderState.CANCELLED, code, None)


@pytest.mark.usefixtures("sms")
def test_a_sum_that_changed_meanwhile_silences_what_accompanies() -> None:
    (follower,) = followers(leave(2))
    invoice = DunningCase.objects.get().invoice
    type(invoice).objects.filter(pk=invoice.pk).update(settled_cents=1)

    assert claiming.take(reminder_id=follower.pk, write=nothing_said) is None

    assert Reminder.objects.get(pk=follower.pk).state == ReminderState.CANCELLED


@pytest.mark.usefixtures("sms")
def test_what_accompanies_moves_no_step_and_counts_no_second_contact() -> None:
    (follower,) = followers(leave(2))
    claiming.take(reminder_id=follower.pk, write=nothing_said)
    before = DunningCase.objects.values("next_rank", "last_step_on", "next_action_on").get()

    outcomes.record(reminder_id=follower.pk, generation=1, outcome=ACCEPTED)

    assert DunningCase.objects.values("next_rank", "last_step_on", "next_action_on").get() == before
    assert Reminder.objects.filter(state=ReminderState.ACCEPTED).values("spoken_on").distinct().count() == 1


@pytest.mark.usefixtures("sms")
def test_a_refused_mobile_leaves_the_address_alone() -> None:
    (follower,) = followers(leave(2))
    claiming.take(reminder_id=follower.pk, write=nothing_said)

    outcomes.record(
        reminder_id=follower.pk,
        generation=1,
        outcome=Outcome(verdict=Verdict.REJECTED, stage=Stage.RECIPIENT, text="21211"),
    )

    client = Client.objects.get()
    assert (client.mobile_refused_at is None, client.email_refused_at) == (False, None)
    assert DunningCase.objects.get().next_rank == 3


@pytest.mark.usefixtures("sms")
def test_the_page_of_what_accompanies_reads_as_it_will_be_said_then_as_it_was(
    browse: Callable[[Membership | None], FirmBrowser], owner: Membership
) -> None:
    (follower,) = followers(leave(2))
    browser = browse(owner)

    before = browser.get(f"/relances/{follower.pk}/")
    claiming.take(reminder_id=follower.pk, write=nothing_said)
    outcomes.record(reminder_id=follower.pk, generation=follower.generation + 1, outcome=ACCEPTED)
    after = browser.get(f"/relances/{follower.pk}/")

    number = DunningCase.objects.get().invoice.number
    assert (before.status_code, number in before.content.decode()) == (200, True)
    assert (after.status_code, Reminder.objects.get(pk=follower.pk).text) == (200, "Facture")
    assert browser.get(f"/a-valider/{follower.pk}/apercu/").content.decode() == "<pre>Facture</pre>"
