"""Codes and fresh links: by the firm's own road, once, in time, and to the address on file alone."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache

from cabinets.models import Cabinet, Client
from cabinets.scoping import working_for
from dunning import tasks
from dunning.channels.protocol import DeliveryError, EmailSession, Outcome, Outgoing, Stage, Verdict
from dunning.channels.sms import OutgoingSms, SmsOutcome
from dunning.models import SmsCatch
from dunning.services import link_mail, roads, sms_accounts
from dunning.services.composing import Sender
from payments import ports
from payments.enums import LinkMedium, LinkMessageKind
from payments.links import code_for, hash_of
from payments.models import LinkMessage, PaymentLink
from payments.services import link_messages, links
from tests.conftest import NOW
from tests.factories.cabinets import make_cabinet, make_client
from tests.factories.invoices import make_invoice

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, stage=Stage.END)
MOBILE = {"has_mobile": True, "phone": "+33612345678", "has_email": False, "email": ""}


class Post:
    """A mail server that remembers what it was handed."""

    slug = "smtp"

    def __init__(self, outcome: Outcome = ACCEPTED) -> None:
        self.outcome, self.said = outcome, list[Outgoing]()

    @contextmanager
    def open(self) -> Iterator[EmailSession]:
        yield self

    def send(self, outgoing: Outgoing) -> Outcome:
        self.said.append(outgoing)
        return self.outcome


@pytest.fixture(autouse=True)
def _idle_courier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sweep carry: no broker is spoken to."""
    cache.clear()
    monkeypatch.setattr(tasks.send_link_message, "delay", lambda message_id: None)


@pytest.fixture
def firm() -> Cabinet:
    return make_cabinet(name="Cabinet Aubry & Associés")


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    post = Post()
    road = roads.Road(channel=cast("Any", post), sender=Sender(address="cabinet@aubry.example"))
    monkeypatch.setattr(link_mail, "road_of", lambda _: road)
    return post


def linked(firm: Cabinet, **facts: Any) -> PaymentLink:
    with working_for(cabinet_id=firm.pk):
        client = make_client(**{"company": "Menuiserie Leclerc", "email": "sophie@leclerc.example", **facts})
        make_invoice(client=client)
        return links.link_for(client=client)


def ask(firm: Cabinet, link: PaymentLink, kind: LinkMessageKind = LinkMessageKind.CODE) -> LinkMessage:
    with working_for(cabinet_id=firm.pk):
        if kind == LinkMessageKind.CODE:
            assert link_messages.ask_code(link=link)
            return LinkMessage.objects.latest("asked_at")
    token = links.url_of(link).split("/p/")[1].strip("/")
    digest = hash_of(token)
    answer = link_messages.folded("sophie@leclerc.example")
    assert link_messages.ask_fresh_link(digest=digest, answer=answer)
    return only(firm)


def only(firm: Cabinet) -> LinkMessage:
    with working_for(cabinet_id=firm.pk):
        return LinkMessage.objects.select_related("link").get()


def sweep(now: dt.datetime = NOW) -> list[bool]:
    with time_machine.travel(now, tick=False):
        return [link_mail.deliver(message_id=one) for one in link_mail.due(now=now)]


def opened(outgoing: Outgoing) -> EmailMessage:
    return message_from_bytes(outgoing.message, policy=default)


def test_sends_the_code_to_the_address_on_file_and_names_nothing(firm: Cabinet, post: Post) -> None:
    asked = ask(firm, linked(firm))

    assert sweep() == [True]

    [outgoing] = post.said
    message = opened(outgoing)
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    code = code_for(asked.pk, settings.LINK_KEY)
    assert (outgoing.recipient, message["To"]) == ("sophie@leclerc.example", "sophie@leclerc.example")
    assert message["Subject"] == "Votre code d’accès – Cabinet Aubry & Associés"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"Votre code d’accès\u00a0: {code}" in text
    assert code not in message["Subject"]
    for secret in ("Leclerc", "F-2026", "1 440", "1\u00a0440", "/p/"):
        assert secret not in text + str(message["Subject"])
    assert (only(firm).sent_at, only(firm).failure) == (NOW, "")
    assert sweep() == []


def test_keeps_no_code(firm: Cabinet, post: Post) -> None:
    asked = ask(firm, linked(firm))

    row = [str(getattr(asked, field.attname)) for field in LinkMessage._meta.concrete_fields]

    assert code_for(asked.pk, settings.LINK_KEY) not in [part for value in row for part in value.split()]


def test_sends_a_fresh_link_that_opens(firm: Cabinet, post: Post) -> None:
    link = linked(firm)
    with working_for(cabinet_id=firm.pk):
        links.revoke(link_id=link.pk)
    asked = ask(firm, link, LinkMessageKind.FRESH_LINK)

    assert sweep() == [True]

    text = opened(post.said[0]).get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert links.url_of(asked.link) in text
    assert links.url_of(link) not in text


def test_sends_by_text_message_in_one_part_when_only_a_mobile_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    firm, said = make_cabinet(name="Selarl " + "Aubry Lemaire et Associés " * 4), list[OutgoingSms]()

    class Telephone:
        slug = "ovh_sms"

        def send(self, outgoing: OutgoingSms) -> SmsOutcome:
            said.append(outgoing)
            return SmsOutcome(verdict=Verdict.ACCEPTED, stage=Stage.END, reference="42")

    monkeypatch.setattr(sms_accounts, "sms_road", lambda _: (Telephone(), "CabAubry"))
    asked = ask(firm, linked(firm, **MOBILE))

    assert sweep() == [True]

    assert (said[0].to, said[0].sender, len(said[0].text) <= 160) == ("+33612345678", "CabAubry", True)
    assert code_for(asked.pk, settings.LINK_KEY) in said[0].text


@pytest.mark.parametrize("kind", [LinkMessageKind.ANSWER, LinkMessageKind.EXTENDED, LinkMessageKind.LAST])
def test_says_in_one_text_message_where_an_answer_is_read(firm: Cabinet, kind: LinkMessageKind) -> None:
    link = linked(firm, **MOBILE)
    with working_for(cabinet_id=firm.pk):
        tell = {
            LinkMessageKind.ANSWER: lambda: link_messages.tell_answered(link=link),
            LinkMessageKind.EXTENDED: lambda: link_messages.tell_extended(link=link),
            LinkMessageKind.LAST: lambda: link_messages.tell_last(link=link, ways=link_messages.ways_to(link)),
        }
        tell[kind]()
        note = link_messages.write(message=LinkMessage.objects.get(), cabinet=Cabinet.objects.get())

    said = {
        LinkMessageKind.ANSWER: "réponse à votre demande: ",
        LinkMessageKind.EXTENDED: "délai prolongé pour votre demande: ",
        LinkMessageKind.LAST: "suite donnée à votre demande, la réponse se lira ici: ",
    }
    assert note is not None
    assert (note.recipient, note.text.startswith("Cabinet Aubry & Associés: " + said[kind])) == ("+33612345678", True)
    assert len(note.text) <= 160


def test_a_demonstration_s_text_message_reaches_a_table() -> None:
    firm = make_cabinet(is_demo=True)
    ask(firm, linked(firm, **MOBILE))

    assert sweep() == [True]

    with working_for(cabinet_id=firm.pk):
        assert SmsCatch.objects.get().recipient == "+33612345678"


def test_drops_a_code_that_comes_too_late(firm: Cabinet, post: Post) -> None:
    ask(firm, linked(firm))

    assert sweep(NOW + dt.timedelta(minutes=10)) == [False]

    assert (post.said, sweep(NOW + dt.timedelta(hours=1))) == ([], [])


def test_writes_to_nobody_who_was_stopped_meanwhile(firm: Cabinet, post: Post) -> None:
    ask(firm, linked(firm))
    with working_for(cabinet_id=firm.pk):
        Client.objects.update(email_stopped_at=NOW)

    assert sweep() == [False]

    assert (post.said, only(firm).failure) == ([], "Trop tard, ou plus aucune adresse à qui écrire.")


def test_reaches_nobody_where_no_address_is_known(firm: Cabinet, post: Post) -> None:
    asked = ask(firm, linked(firm, has_email=False, email=""))

    assert asked.medium == LinkMedium.NONE
    assert (sweep(), post.said) == ([False], [])


@pytest.mark.parametrize(
    ("outcome", "tries"),
    [
        (Outcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT), 3),
        (Outcome(verdict=Verdict.REJECTED, stage=Stage.RECIPIENT, code=550), 1),
        (Outcome(verdict=Verdict.UNKNOWN, stage=Stage.END), 1),
    ],
)
def test_says_again_what_was_put_off_and_nothing_else(firm: Cabinet, post: Post, outcome: Outcome, tries: int) -> None:
    post.outcome = outcome
    ask(firm, linked(firm))

    for seconds in range(0, 3600, 30):
        sweep(NOW + dt.timedelta(seconds=seconds))

    assert len(post.said) == tries
    assert only(firm).failure


def farewell(firm: Cabinet, link: PaymentLink) -> None:
    """Erase the address of a link's addressee, once the last message to it is asked for."""
    with working_for(cabinet_id=firm.pk):
        link_messages.tell_last(link=link, ways=link_messages.ways_to(link))
        client = Client.objects.get()
        client.email, client.has_email = "", False
        client.save(update_fields=["email", "has_email"])


def test_says_a_last_word_to_an_address_that_was_erased_and_forgets_it(firm: Cabinet, post: Post) -> None:
    farewell(firm, linked(firm))
    assert only(firm).recipient == "sophie@leclerc.example"

    assert sweep() == [True]

    assert [outgoing.recipient for outgoing in post.said] == ["sophie@leclerc.example"]
    assert opened(post.said[0])["Subject"] == "Suite donnée à votre demande – Cabinet Aubry & Associés"
    assert (only(firm).sent_at, only(firm).recipient) == (NOW, None)


@pytest.mark.parametrize(
    ("outcome", "minutes"),
    [
        (Outcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT), [0, 1, 5, 30]),
        (Outcome(verdict=Verdict.REJECTED, stage=Stage.RECIPIENT, code=550), [0]),
        (Outcome(verdict=Verdict.UNKNOWN, stage=Stage.END), [0]),
    ],
)
def test_forgets_the_address_of_a_last_word_with_its_last_try(
    firm: Cabinet, post: Post, outcome: Outcome, minutes: list[int]
) -> None:
    post.outcome = outcome
    farewell(firm, linked(firm))
    kept = []

    for minute in minutes:
        sweep(NOW + dt.timedelta(minutes=minute))
        kept.append(only(firm).recipient)

    assert kept == ["sophie@leclerc.example"] * (len(minutes) - 1) + [None]
    assert {outgoing.recipient for outgoing in post.said} == {"sophie@leclerc.example"}


def test_forgets_the_address_of_a_last_word_whose_page_is_closed(firm: Cabinet, post: Post) -> None:
    link = linked(firm)
    farewell(firm, link)
    with working_for(cabinet_id=firm.pk):
        links.revoke(link_id=link.pk)

    assert sweep() == [False]

    assert (post.said, only(firm).recipient) == ([], None)


def test_waits_for_a_server_that_does_not_answer(firm: Cabinet, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise DeliveryError("Connexion refusée.", permanent=False)

    ask(firm, linked(firm))
    monkeypatch.setattr(post, "open", refuse)
    assert sweep() == [False]
    monkeypatch.undo()

    assert (only(firm).sent_at, only(firm).attempts) == (None, 1)


def test_leaves_alone_what_another_worker_is_saying(firm: Cabinet, post: Post) -> None:
    asked = ask(firm, linked(firm))
    cache.set(f"link_message:{asked.pk}", 1, 60)

    assert (sweep(), only(firm).attempts) == ([False], 0)


def test_a_request_wakes_a_worker_once_it_is_committed(firm: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr(tasks.send_link_message, "delay", woken.append)
    assert isinstance(ports.courier(), tasks.LinkCourier)
    link = linked(firm)

    with working_for(cabinet_id=firm.pk):
        link_messages.ask_code(link=link)
        assert woken == []

    assert woken == [str(only(firm).pk)]
