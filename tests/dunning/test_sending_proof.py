"""What left says from where: on the wire, in the reminder, in the chain of evidence; and the trial takes that road."""

from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import dkim
import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning import tasks
from dunning.channels.signing import published
from dunning.enums import StaffMailKind
from dunning.models import EvidenceEntry, Reminder, SendingDomain, StaffMail
from dunning.services import dispatch, sending_domains, sending_trials, staff_mail
from tests.dns_double import DnsDouble
from tests.factories.cabinets import make_cabinet, make_member
from tests.factories.dunning import make_reminder
from tests.mail_sink import SmtpSink

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
DOMAIN = "factures.cabinet.test"


@pytest.fixture
def sink(settings: Any) -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        settings.SENDING_DOMAIN, settings.BOUNCE_DOMAIN = "envoi.plateforme.test", "rebonds.envoi.plateforme.test"
        yield server


@pytest.fixture
def firm(sink: SmtpSink, committed: None) -> Cabinet:
    return make_cabinet()


@pytest.fixture
def member(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER)


@pytest.fixture
def verified(firm: Cabinet, settings: Any) -> SendingDomain:
    with DnsDouble() as names:
        settings.DNS_RESOLVERS, settings.DNS_PORT = ["127.0.0.1"], names.port
        with working_for(cabinet_id=firm.pk):
            domain = sending_domains.keep(domain=DOMAIN)
            for line in sending_domains.lines_of(domain, firm):
                names.zone[line.name, line.type] = [line.value]
        tasks.check_sending_domain(str(domain.pk))
    with working_for(cabinet_id=firm.pk):
        return SendingDomain.objects.get()


def send(firm: Cabinet) -> Counter[str]:
    with working_for(cabinet_id=firm.pk):
        reminder = make_reminder()
    return dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=[reminder.pk])


def deliver() -> None:
    for mail_id in staff_mail.due(now=timezone.now()):
        tasks.send_staff_mail(str(mail_id))


def key_of(domain: SendingDomain) -> Any:
    return lambda name, **_: published(domain.public_key).encode() if DOMAIN.encode() in name else None


def test_leaves_signed_from_the_verified_domain_and_the_proof_says_so(
    firm: Cabinet, verified: SendingDomain, sink: SmtpSink
) -> None:
    assert send(firm) == Counter({"accepted": 1})

    [caught] = sink.caught
    message = message_from_bytes(caught.content)
    assert (message["From"], caught.sender) == (
        f"{firm.name} <factures@{DOMAIN}>",
        f"{firm.slug}@rebonds.{DOMAIN}",
    )
    assert "s=quittance1;" in message["DKIM-Signature"]
    assert dkim.verify(caught.content, dnsfunc=key_of(verified))
    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().sent_from == f"factures@{DOMAIN}"
        assert EvidenceEntry.objects.get(event="message.departed").facts["sent_from"] == f"factures@{DOMAIN}"


def test_leaves_from_the_platform_when_the_domain_is_broken_and_the_proof_says_so(
    firm: Cabinet, verified: SendingDomain, sink: SmtpSink
) -> None:
    with working_for(cabinet_id=firm.pk):
        SendingDomain.objects.update(is_carrying=False, state="broken")

    assert send(firm) == Counter({"accepted": 1})

    [caught] = sink.caught
    ours = f"factures.{firm.slug}@envoi.plateforme.test"
    message = message_from_bytes(caught.content)
    assert (message["From"], message["DKIM-Signature"]) == (f"{firm.name} <{ours}>", None)
    assert firm.email in message["Reply-To"]
    with working_for(cabinet_id=firm.pk):
        assert EvidenceEntry.objects.get(event="message.departed").facts["sent_from"] == ours


def test_a_firm_the_platform_cannot_carry_says_nothing(firm: Cabinet, sink: SmtpSink, settings: Any) -> None:
    settings.SENDING_DOMAIN = ""

    assert send(firm) == Counter({"no_server": 1})

    assert sink.caught == []
    with working_for(cabinet_id=firm.pk):
        assert (Reminder.objects.get().state, Reminder.objects.get().sent_from) == ("planned", "")


def test_a_trial_takes_the_road_of_clients_messages_to_oneself(
    firm: Cabinet, member: Membership, verified: SendingDomain, sink: SmtpSink
) -> None:
    with working_for(cabinet_id=firm.pk, member_id=member.pk):
        assert [sending_trials.ask(cabinet=firm, by=member) for _ in range(2)] == [True, False]

    deliver()

    [caught] = sink.caught
    assert (caught.recipients, message_from_bytes(caught.content)["From"]) == (
        (member.user.email,),
        f"{firm.name} <factures@{DOMAIN}>",
    )
    assert dkim.verify(caught.content, dnsfunc=key_of(verified))
    with working_for(cabinet_id=firm.pk):
        assert StaffMail.objects.get().sent_at == timezone.now()
        assert JournalEntry.objects.filter(event="sending_domain.tried").count() == 1


def test_a_refused_trial_says_so(firm: Cabinet, member: Membership, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    with working_for(cabinet_id=firm.pk, member_id=member.pk):
        sending_trials.ask(cabinet=firm, by=member)

    deliver()

    with working_for(cabinet_id=firm.pk):
        assert (StaffMail.objects.get().failure, StaffMail.objects.get().sent_at) == ("ConnectionError", None)


def test_instructions_reach_the_named_address_and_answers_return_to_the_person(
    firm: Cabinet, member: Membership, verified: SendingDomain
) -> None:
    with working_for(cabinet_id=firm.pk, member_id=member.pk):
        told = [
            sending_trials.send_instructions(domain=verified, cabinet=firm, by=member, address="info@presta.test")
            for _ in range(2)
        ]
    assert told == [True, False]

    deliver()

    [message] = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    assert (message.to, message.reply_to) == (["info@presta.test"], [member.user.email])
    assert published(verified.public_key) in message.body
    assert f"rebonds.{DOMAIN}." in message.body
    assert "PRIVATE" not in message.body
    with working_for(cabinet_id=firm.pk):
        assert StaffMail.objects.get().kind == StaffMailKind.DNS
        assert JournalEntry.objects.filter(event="sending_domain.instructions_sent").count() == 1
