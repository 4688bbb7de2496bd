"""Reading a firm's mailbox for real: each message once, whatever breaks or dies between the server and the database."""

import datetime as dt
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connections

from cabinets.enums import TaskState
from cabinets.models import Cabinet, Task
from cabinets.scoping import acting_for, working_for
from cabinets.services.clients import email_key
from dunning.enums import InboundKind, InboundState
from dunning.inbound.mailbox import Fetched
from dunning.models import InboundMessage, Mailbox
from dunning.services import mailboxes, receiving
from invoices.models import Standstill
from tests.dunning.inbound.imap_server import HOST, PASSWORD, USER, ImapServer
from tests.dunning.inbound.letters import answer
from tests.factories.cabinets import make_cabinet, make_client, make_dossier
from tests.factories.invoices import make_invoice
from tests.mail_sink import free_port

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
KILLED = -9


@pytest.fixture(autouse=True)
def _real_clock(_frozen_clock: None) -> Iterator[None]:
    """Live by the real clock: the server does."""
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=True):
        yield


@pytest.fixture(scope="module")
def running() -> Iterator[ImapServer]:
    with ImapServer() as server:
        yield server


@pytest.fixture
def server(running: ImapServer) -> ImapServer:
    """Return a server whose folder is new and empty."""
    running.make_folder()
    return running


@pytest.fixture
def firm(committed: None) -> Cabinet:
    """Return a firm with one client, who owes something."""
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        client = make_client(email="client@x.example", email_index=email_key("client@x.example"))
        make_invoice(dossier=make_dossier(client=client))
    return cabinet


def box_of(cabinet: Cabinet, port: int, **facts: Any) -> UUID:
    with working_for(cabinet_id=cabinet.pk):
        box = Mailbox(host=HOST, port=port, security="none", username=USER, folder="Retours", **facts)
        return mailboxes.keep(mailbox=box, password=PASSWORD).pk


def kept(cabinet: Cabinet) -> list[tuple[str, str, str]]:
    with working_for(cabinet_id=cabinet.pk):
        rows = InboundMessage.objects.order_by("mailbox_uid")
        return [(row.kind, row.state, row.text) for row in rows]


def elsewhere(act: Callable[[], Any]) -> Any:
    """Do something on a connection of its own, as another worker would."""

    def done() -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result(timeout=60)


def write(number: int) -> bytes:
    return answer(sender="client@x.example", text=f"Mot {number}")


def told(*numbers: int) -> list[tuple[str, str, str]]:
    return [(InboundKind.REPLY, InboundState.TO_CLASSIFY, f"Mot {number}") for number in numbers]


def test_takes_in_each_message_once_and_remembers_where_it_was(firm: Cabinet, server: ImapServer) -> None:
    box = box_of(firm, server.port)
    server.drop(write(1), write(2))

    assert mailboxes.read(mailbox_id=box) == {"reply": 2}
    assert mailboxes.read(mailbox_id=box) == {}
    server.drop(write(3))
    assert mailboxes.read(mailbox_id=box) == {"reply": 1}

    assert kept(firm) == told(1, 2, 3)
    with working_for(cabinet_id=firm.pk):
        assert (Standstill.objects.count(), Task.objects.filter(state=TaskState.OPEN).count()) == (1, 3)
        assert Mailbox.objects.get().failure == ""
        assert Mailbox.objects.get().read_at is not None


def test_a_folder_numbered_anew_gives_nothing_twice(firm: Cabinet, server: ImapServer) -> None:
    box = box_of(firm, server.port)
    letters = [write(1), write(2)]
    server.drop(*letters)
    mailboxes.read(mailbox_id=box)
    server.make_folder()
    server.drop(write(3), *letters)

    assert mailboxes.read(mailbox_id=box) == {"reply": 1, "known": 2}
    assert sorted(kept(firm)) == told(1, 2, 3)


def test_a_reader_killed_before_it_commits_loses_nothing_and_repeats_nothing(
    firm: Cabinet, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = box_of(firm, server.port)
    server.drop(write(1), write(2), write(3))
    real, calls = receiving.receive, []

    def die_at_the_second(**facts: Any) -> Any:
        message = real(**facts)
        calls.append(message)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return message

    connections.close_all()
    child = os.fork()
    if not child:
        monkeypatch.setattr(receiving, "receive", die_at_the_second)
        mailboxes.read(mailbox_id=box)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED

    with working_for(cabinet_id=firm.pk):
        Mailbox.objects.select_for_update().get()  # the dead reader's connection is gone
    assert kept(firm) == told(1)
    assert mailboxes.read(mailbox_id=box) == {"reply": 2}
    assert kept(firm) == told(1, 2, 3)
    with working_for(cabinet_id=firm.pk):
        assert Task.objects.count() == 3


def test_a_mailbox_another_worker_is_at_is_left_to_it_and_nobody_waits(firm: Cabinet, server: ImapServer) -> None:
    box = box_of(firm, server.port)
    server.drop(write(1))
    fetched = Fetched(uid_validity=1, uid=1, received_at=dt.datetime.now(dt.UTC), raw=write(2))

    def take() -> str:
        with acting_for(cabinet_id=firm.pk):
            return mailboxes.take(mailbox_id=box, fetched=fetched)

    with working_for(cabinet_id=firm.pk):
        Mailbox.objects.select_for_update().get()
        assert elsewhere(lambda: mailboxes.read(mailbox_id=box)) == {}
        assert elsewhere(take) == mailboxes.ELSEWHERE

    assert kept(firm) == []
    with working_for(cabinet_id=firm.pk):
        found = Mailbox.objects.get()
        assert (found.last_uid, found.uid_validity, found.read_at, found.failure) == (0, None, None, "")
    assert mailboxes.read(mailbox_id=box) == {"reply": 1}


def test_a_message_nobody_foresaw_is_kept_for_a_person_and_the_others_pass(
    firm: Cabinet, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = box_of(firm, server.port)
    server.drop(write(1), write(2))
    real = receiving.receive

    def fail_once(**facts: Any) -> Any:
        if b"Mot 1" in facts["raw"]:
            raise KeyError("nobody foresaw it")
        return real(**facts)

    monkeypatch.setattr(receiving, "receive", fail_once)

    assert mailboxes.read(mailbox_id=box) == {"unreadable": 1, "reply": 1}
    assert kept(firm) == [(InboundKind.UNREADABLE, InboundState.UNMATCHED, ""), *told(2)]
    with working_for(cabinet_id=firm.pk):
        assert set(Task.objects.values_list("kind", flat=True)) == {"unmatched_reply", "classify_reply"}


def test_a_mailbox_that_does_not_answer_says_so_and_delays_no_other_firm(firm: Cabinet, server: ImapServer) -> None:
    other = make_cabinet()
    silent = free_port()
    broken, fine = box_of(firm, silent), box_of(other, server.port)
    server.drop(write(1))

    assert sorted(mailboxes.mailboxes_to_read()) == sorted([broken, fine])
    assert (mailboxes.read(mailbox_id=broken), mailboxes.read(mailbox_id=fine)) == ({}, {"reply": 1})

    with working_for(cabinet_id=firm.pk):
        assert Mailbox.objects.get().failure == f"{HOST}:{silent} ne répond pas\u00a0: Connection refused."
    assert kept(firm) == []
    # The address is a client's of the first firm: the second one does not know it.
    assert kept(other) == [(InboundKind.REPLY, InboundState.UNMATCHED, "Mot 1")]
