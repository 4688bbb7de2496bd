"""Mails to the firm's own people: once each, tried again, and to nobody else."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from dunning import tasks
from dunning.enums import StaffMailKind
from dunning.models import StaffMail
from dunning.services import staff_mail
from tests.factories.cabinets import make_cabinet, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@pytest.fixture
def firm(settings: Settings, committed: None) -> Cabinet:
    settings.EMAIL_HOST = "smtp.example"
    return make_cabinet()


@pytest.fixture
def member(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.LAWYER)


def ask(member: Membership, **facts: Any) -> bool:
    mine = {"kind": StaffMailKind.TEST, "key": "v1", "subject": "Essai", "html": "<p>Bonjour</p>", "text": "Bonjour"}
    with working_for(cabinet_id=member.cabinet_id):
        return staff_mail.queue(member=member, **{**mine, **facts})


def only(firm: Cabinet) -> StaffMail:
    with working_for(cabinet_id=firm.pk):
        return StaffMail.objects.get()


def test_asks_for_the_same_mail_once(firm: Cabinet, member: Membership) -> None:
    assert [ask(member), ask(member), ask(member, key="v2")] == [True, False, True]


def test_sends_a_mail_to_its_person_and_to_nobody_else(firm: Cabinet, member: Membership) -> None:
    ask(member)

    for mail_id in staff_mail.due(now=timezone.now()):
        tasks.send_staff_mail(str(mail_id))

    [message] = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    assert (message.to, message.subject, message.body) == ([member.user.email], "Essai", "Bonjour")
    assert [tuple(one) for one in message.alternatives] == [("<p>Bonjour</p>", "text/html")]
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert (only(firm).attempts, only(firm).sent_at is not None) == (1, True)


def test_sends_nothing_twice(firm: Cabinet, member: Membership) -> None:
    ask(member)
    mail_id = only(firm).pk

    assert [staff_mail.deliver(mail_id=mail_id), staff_mail.deliver(mail_id=mail_id)] == [True, False]
    assert (len(mail.outbox), staff_mail.due(now=timezone.now())) == (1, [])


def test_leaves_alone_what_another_worker_is_saying(firm: Cabinet, member: Membership) -> None:
    ask(member)
    mail_id = only(firm).pk
    cache.set(f"staff_mail:{mail_id}", 1, 60)

    assert staff_mail.deliver(mail_id=mail_id) is False
    assert (mail.outbox, only(firm).attempts) == ([], 0)
    cache.delete(f"staff_mail:{mail_id}")


def test_tries_again_later_and_gives_up_in_the_end(
    firm: Cabinet, member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: mail.EmailMessage) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    ask(member)
    asked = timezone.now()
    tries = []
    for minutes in (0, 1, 5, 6, 30, 180, 600):
        now = asked + dt.timedelta(minutes=minutes)
        with time_machine.travel(now, tick=False):
            tries += [(minutes, staff_mail.deliver(mail_id=pk)) for pk in staff_mail.due(now=now)]

    assert tries == [(0, False), (5, False), (30, False), (180, False)]
    assert (only(firm).sent_at, only(firm).attempts, only(firm).failure) == (None, 4, "ConnectionRefusedError")


def test_writes_to_nobody_who_left_the_firm(firm: Cabinet, member: Membership) -> None:
    ask(member)
    with working_for(cabinet_id=firm.pk):
        Membership.objects.update(is_active=False)

    assert staff_mail.deliver(mail_id=only(firm).pk) is False
    assert (mail.outbox, staff_mail.due(now=timezone.now())) == ([], [])
    assert only(firm).failure == "La personne n’a plus accès au cabinet."


def test_says_so_when_the_platform_has_no_server(firm: Cabinet, member: Membership, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    ask(member)

    assert staff_mail.deliver(mail_id=only(firm).pk) is False
    assert (mail.outbox, only(firm).failure) == ([], "Aucun serveur d’envoi n’est réglé pour la plateforme.")


def test_a_demonstration_speaks_to_its_catcher(settings: Settings, committed: None) -> None:
    settings.EMAIL_HOST, settings.DEMO_CATCHER = "smtp.example", "127.0.0.1:2525"
    demo = make_cabinet(is_demo=True)
    with working_for(cabinet_id=demo.pk):
        ask(make_member())

    staff_mail.deliver(mail_id=only(demo).pk)

    [message] = mail.outbox
    assert message.connection is not None
    assert staff_mail._road(demo) is not None
    assert only(demo).sent_at is not None


def test_leaves_an_sms_to_its_own_road(firm: Cabinet, member: Membership) -> None:
    ask(member, kind=StaffMailKind.TEST_SMS)

    assert staff_mail.due(now=timezone.now()) == []
    assert staff_mail.deliver(mail_id=only(firm).pk) is False
    assert mail.outbox == []
