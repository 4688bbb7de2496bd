"""Text messages: composed in one part, sent under every rule, their end written once, a refusal honoured."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings
from twilio.request_validator import RequestValidator

from cabinets.enums import Role, TransferBasis
from cabinets.errors import InputError, UncoveredTransferError
from cabinets.models import Cabinet, Client, Membership
from cabinets.scoping import working_for
from cabinets.services import transfers
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.sms import Delivery, OutgoingSms, SmsOutcome, SmsReceipt
from dunning.channels.twilio import TwilioSms
from dunning.enums import Medium, ReminderState
from dunning.models import ChannelAccount, EvidenceEntry, Reminder, SmsCatch
from dunning.services import dispatch, sms_accounts
from dunning.services.composing import compose_text, lines_of
from payments.services import links
from templates_lib.gsm7 import septets
from tests.conftest import FirmBrowser
from tests.factories.cabinets import PASSWORD, make_cabinet, make_client, make_contact, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
KEYS = {"options": {"account_sid": "AC1"}, "secrets": {"auth_token": "token"}}


class Telephone:
    """A provider that remembers what it was told."""

    slug = "ovh_sms"

    def __init__(self, outcome: SmsOutcome) -> None:
        self.outcome, self.said = outcome, list[OutgoingSms]()

    def send(self, outgoing: OutgoingSms) -> SmsOutcome:
        self.said.append(outgoing)
        return self.outcome

    def receipt(self, reference: str) -> SmsReceipt | None:
        return SmsReceipt(reference=reference, delivery=Delivery.DELIVERED)

    def check(self) -> None:
        """Always there."""


def texted(kind: str = "professional", **facts: Any) -> Reminder:
    client = make_client(kind=kind, phone="+33612345678", has_mobile=True, has_phone=True)
    invoice = make_invoice(dossier=make_dossier(client=client), due_on=TODAY.replace(day=14))
    return make_reminder(make_case(invoice=invoice, rank=2), channel="sms", **facts)


def text_of(reminder: Reminder) -> str:
    claimed, _ = lines_of(reminder)
    link = links.short_url_of(links.link_for(client=reminder.client))
    return compose_text(reminder, Cabinet.objects.get(), claimed, link=link).text


def test_a_consumer_reads_no_amount_on_a_locked_screen(cabinet: Cabinet) -> None:
    reminder = texted("consumer")

    hidden = text_of(reminder)
    Cabinet.objects.update(sms_amount_to_consumers=True)
    shown = text_of(reminder)

    assert ("1440,00 EUR" in hidden, "1440,00 EUR" in shown) == (False, True)
    assert septets(hidden) <= 160 >= septets(shown)
    assert "STOP" not in hidden


def test_a_professional_reads_the_amount_and_a_link_that_opens_the_page(cabinet: Cabinet, browse: Browse) -> None:
    reminder = texted()

    said = text_of(reminder)

    assert "1440,00 EUR" in said
    short = said.split("/s/")[1].split("/")[0]
    response = browse(None).get(f"/s/{short}/")
    assert (response.status_code, response["Location"]) == (302, f"/p/{links.unfold(short=short)}/")
    assert browse(None).get("/s/xxxxxxxxxxxxxx/").status_code == 404


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("outcome", "state", "event"),
    [
        (SmsOutcome(verdict=Verdict.ACCEPTED, stage=Stage.END, reference="42"), "accepted", "message.departed"),
        (SmsOutcome(verdict=Verdict.UNKNOWN, stage=Stage.END), "unknown", "message.uncertain"),
        (SmsOutcome(verdict=Verdict.REJECTED, stage=Stage.RECIPIENT), "rejected", "message.rejected"),
    ],
)
def test_is_sent_once_and_recorded_with_its_reference(
    monkeypatch: pytest.MonkeyPatch, outcome: SmsOutcome, state: str, event: str
) -> None:
    firm, phone = make_cabinet(), Telephone(outcome)
    with working_for(cabinet_id=firm.pk):
        reminder = texted()
        ChannelAccount(medium=Medium.SMS, provider="ovh_sms", is_enabled=True).save(force_insert=True)
    monkeypatch.setattr(sms_accounts, "sms_road", lambda _: (phone, "CabAubry"))

    for _ in range(2):
        dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=[reminder.pk])

    with working_for(cabinet_id=firm.pk):
        left = Reminder.objects.get(pk=reminder.pk)
        assert (len(phone.said), left.state, left.provider_ref) == (1, state, outcome.reference)
        assert [one.event for one in EvidenceEntry.objects.all()] == [event]
        assert phone.said[0].to == "+33612345678"
        assert left.text == phone.said[0].text


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_an_account_its_provider_refuses_makes_no_text_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    firm, phone = make_cabinet(), Telephone(SmsOutcome(verdict=Verdict.ACCEPTED, stage=Stage.END, reference="42"))
    with working_for(cabinet_id=firm.pk):
        reminders = [texted().pk for _ in range(2)]
        ChannelAccount(medium=Medium.SMS, provider="ovh_sms", is_enabled=True).save(force_insert=True)
    monkeypatch.setattr(sms_accounts, "sms_road", lambda _: (phone, "CabAubry"))

    with monkeypatch.context() as patch:
        patch.setattr(phone, "send", Mock(side_effect=DeliveryError("OVHcloud refuse ce compte.", permanent=True)))
        assert dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=reminders) == {"unreachable": 2}

    with working_for(cabinet_id=firm.pk):
        assert {(one.state, one.text, one.lease_until) for one in Reminder.objects.all()} == {("planned", "", None)}
        assert ChannelAccount.objects.get().failure == "OVHcloud refuse ce compte."
    assert dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=reminders) == {"accepted": 2}


def test_a_delivery_is_written_once(cabinet: Cabinet) -> None:
    reminder = texted(state=ReminderState.ACCEPTED, spoken_on=TODAY, spoken_at=cabinet.now(), provider_ref="42")
    told = SmsReceipt(reference="42", delivery=Delivery.DELIVERED)

    assert [sms_accounts.note(reminder_id=reminder.pk, told=told) for _ in range(2)] == [True, False]

    assert Reminder.objects.get().state == ReminderState.DELIVERED


def test_a_refusal_of_text_messages_is_honoured(cabinet: Cabinet) -> None:
    reminder = texted(state=ReminderState.ACCEPTED, spoken_on=TODAY, spoken_at=cabinet.now(), provider_ref="42")

    sms_accounts.note(
        reminder_id=reminder.pk, told=SmsReceipt(reference="42", delivery=Delivery.FAILED, is_opted_out=True)
    )

    client = Client.objects.get()
    assert (client.accepts_sms, client.mobile_refused_at, Reminder.objects.get().state) == (False, None, "bounced")


@pytest.mark.parametrize(("said_to", "stops_all"), [("+33698765432", False), ("+33600000000", True)])
def test_a_contacts_stop_is_theirs_alone_unless_their_number_changed_since(
    cabinet: Cabinet, said_to: str, *, stops_all: bool
) -> None:
    spoken: dict[str, Any] = {
        "state": ReminderState.ACCEPTED,
        "spoken_on": TODAY,
        "spoken_at": cabinet.now(),
        "provider_ref": "42",
    }
    reminder = texted(recipient=said_to, **spoken)
    contact = make_contact(client=reminder.client, phone="+33698765432", has_mobile=True)
    Reminder.objects.update(contact=contact)

    sms_accounts.note(
        reminder_id=reminder.pk, told=SmsReceipt(reference="42", delivery=Delivery.FAILED, is_opted_out=True)
    )

    contact.refresh_from_db()
    assert (Client.objects.get().accepts_sms, contact.mobile_refused_at is not None) == (not stops_all, not stops_all)


def keep_twilio(by: Membership, sender: str = "CabAubry") -> ChannelAccount:
    return sms_accounts.keep(provider="twilio", sender=sender, unit_price_thousandths=70, by=by, **KEYS)


def test_a_provider_outside_the_union_waits_for_its_transfer_record(cabinet: Cabinet, owner: Membership) -> None:
    account = keep_twilio(owner)

    with pytest.raises(UncoveredTransferError):
        sms_accounts.switch(account_id=account.pk, to=True, by=owner)
    assert not ChannelAccount.objects.get().is_enabled

    transfers.record(
        provider="twilio", country="US", basis=TransferBasis.DPF, reference="DPF", data_sent="n° et texte",
        assessed_on=TODAY, by=owner,
    )  # fmt: skip
    assert sms_accounts.switch(account_id=account.pk, to=True, by=owner).is_enabled


@pytest.mark.parametrize("sender", ["Cabinet Dupont", "0612345678", "Cab-Aubry"])
def test_a_sender_no_operator_takes_is_refused(cabinet: Cabinet, owner: Membership, sender: str) -> None:
    with pytest.raises(InputError, match="R53"):
        keep_twilio(owner, sender)

    assert ChannelAccount.objects.count() == 0


def test_an_announcement_is_taken_in_when_it_is_signed_and_once(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    account = keep_twilio(owner)
    ChannelAccount.objects.update(is_enabled=True)
    reminder = texted(
        state=ReminderState.ACCEPTED, spoken_on=TODAY, spoken_at=cabinet.now(), provider_ref="SM1", route="twilio"
    )
    hook = json.loads(account.secrets)["hook"]
    url, params = f"/retours/sms/{hook}/", {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signature = RequestValidator("token").compute_signature(f"{settings.SITE_URL}{url}", params)
    browser = browse(None)

    assert browser.post(url, params, headers={"X-Twilio-Signature": "no"}).status_code == 404
    assert Reminder.objects.get(pk=reminder.pk).state == ReminderState.ACCEPTED
    assert browser.post(url, params, headers={"X-Twilio-Signature": signature}).status_code == 204
    assert browser.post(url, params, headers={"X-Twilio-Signature": signature}).status_code == 204
    assert browser.post("/retours/sms/nobody/", params, headers={"X-Twilio-Signature": signature}).status_code == 404
    assert Reminder.objects.get(pk=reminder.pk).state == ReminderState.DELIVERED


def test_a_provider_is_asked_of_its_own_messages_alone(
    cabinet: Cabinet, owner: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_twilio(owner)
    ChannelAccount.objects.update(is_enabled=True)
    left: dict[str, Any] = {"state": ReminderState.ACCEPTED, "spoken_on": TODAY, "spoken_at": cabinet.now()}
    ours = texted(**left, provider_ref="SM1", route="twilio")
    before = texted(**left, provider_ref="42", route="ovh")
    asked: list[str] = []

    def receipt(self: TwilioSms, reference: str) -> SmsReceipt:
        asked.append(reference)
        return SmsReceipt(reference=reference, delivery=Delivery.DELIVERED)

    monkeypatch.setattr(TwilioSms, "receipt", receipt)
    assert sms_accounts.ask_receipts(cabinet_id=cabinet.pk, reminder_ids=[ours.pk, before.pk]) == 1

    assert asked == ["SM1"]
    assert Reminder.objects.get(pk=ours.pk).state == ReminderState.DELIVERED
    assert Reminder.objects.get(pk=before.pk).state == ReminderState.ACCEPTED


def test_a_demonstration_reaches_a_table_and_nobody_else(cabinet: Cabinet) -> None:
    Cabinet.objects.update(is_demo=True)
    road = sms_accounts.sms_road(Cabinet.objects.get())
    assert road is not None

    for _ in range(2):
        road[0].send(OutgoingSms(to="+33612345678", sender=road[1], text="Bonjour", reference="r"))

    assert SmsCatch.objects.count() == 1


def test_the_page_sets_a_provider_up(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    keys = {"service": "sms-1", "application_key": "k", "application_secret": "s", "consumer_key": "c"}
    keys["password"] = PASSWORD

    page = browser.post("/parametres/sms/ovh_sms/", {"sender": "CabAubry", "price": "0.069", **keys})

    account = ChannelAccount.objects.get()
    assert (page.status_code, account.sender, account.unit_price_thousandths) == (302, "CabAubry", 69)
    assert "Non réglé" in browser.get("/parametres/sms/").content.decode()
    assert browser.post(f"/parametres/sms/{account.pk}/service/").status_code == 302
    assert ChannelAccount.objects.get().is_enabled
    assert browse(make_member(role=Role.LAWYER)).get("/parametres/sms/").status_code == 403
