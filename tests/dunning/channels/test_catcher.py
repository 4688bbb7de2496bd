"""The mail catcher of the demo keeps what it takes, for invented people only."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from dunning.channels.catcher import catch, is_reserved, keep, list_messages, open_message
from dunning.channels.protocol import DeliveryError, Outgoing, Stage, Verdict
from dunning.channels.smtp import Security, SmtpSession, SmtpSettings
from tests.mail_sink import free_port


@contextmanager
def running(directory: Path) -> Iterator[SmtpSettings]:
    loop, stopped, ready, port = asyncio.new_event_loop(), asyncio.Event(), threading.Event(), free_port()

    def run() -> None:
        loop.run_until_complete(
            catch(host="127.0.0.1", port=port, directory=directory, stopped=stopped, ready=ready.set)
        )
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield SmtpSettings(host="127.0.0.1", port=port, security=Security.NONE, timeout=5.0)
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)


def mail(number: int = 1, *, recipient: str = "jeanne@client.example") -> Outgoing:
    message = EmailMessage(policy=WIRE)
    message["From"] = "Cabinet Aubry <factures@aubry.example>"
    message["To"] = recipient
    message["Subject"] = f"Facture {number} – échéance du 14 novembre 2026"
    message["Message-ID"] = f"<r-{number}@quittance.example>"
    message.set_content("Bonjour,\nréglée à ce jour\n")
    message.add_alternative("<p>Réglée</p>\n", subtype="html")
    return Outgoing(
        message=message.as_bytes(),
        recipient=recipient,
        envelope_from="factures@aubry.example",
        message_id=f"<r-{number}@quittance.example>",
    )


def test_a_message_is_kept_listed_and_read_as_it_was_received(tmp_path: Path) -> None:
    box = tmp_path / "box"

    with running(box) as server, SmtpSession(server) as session:
        verdicts = [session.send(mail(number)).verdict for number in (1, 2)]

    last, first = list_messages(box)
    assert verdicts == [Verdict.ACCEPTED] * 2
    assert [message.message_id for message in (first, last)] == [f"<r-{n}@quittance.example>" for n in (1, 2)]
    assert (last.sender, last.recipient, last.subject) == (
        "Cabinet Aubry <factures@aubry.example>",
        "jeanne@client.example",
        "Facture 2 – échéance du 14 novembre 2026",
    )
    opened = open_message(box, last.key)
    assert opened is not None
    assert (opened.received, opened.text, opened.html) == (last, "Bonjour,\nréglée à ce jour\n", "<p>Réglée</p>\n")
    assert opened.headers[0] == ("From", "Cabinet Aubry <factures@aubry.example>")
    assert dict(opened.headers)["Message-ID"] == "<r-2@quittance.example>"


def test_only_the_product_reads_what_is_kept(tmp_path: Path) -> None:
    box, sent = tmp_path / "box", mail()

    with running(box) as server, SmtpSession(server) as session:
        session.send(sent)

    (path,) = box.iterdir()
    assert (box.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert path.read_bytes().endswith(sent.message)


def test_a_real_address_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    with running(tmp_path) as server, SmtpSession(server) as session:
        outcome = session.send(mail(recipient="jeanne@cabinet-reel.fr"))

    assert (outcome.verdict, outcome.stage, outcome.code) == (Verdict.REJECTED, Stage.RECIPIENT, 550)
    assert list_messages(tmp_path) == []


def test_an_address_that_is_gone_is_refused_as_a_server_refuses_it(tmp_path: Path) -> None:
    with running(tmp_path) as server, SmtpSession(server) as session:
        outcome = session.send(mail(recipient="jeanne@disparue.invalid"))

    assert (outcome.verdict, outcome.stage, outcome.code) == (Verdict.REJECTED, Stage.RECIPIENT, 550)
    assert list_messages(tmp_path) == []


@pytest.mark.parametrize(
    ("address", "reserved"),
    [
        ("a@client.example", True),
        ("a@EXAMPLE.COM", True),
        ("a@sub.example.org", True),
        ("a@example.net.", True),
        ("a@x.test", True),
        ("a@x.invalid", True),
        ("a@localhost", True),
        ("a@example.fr", False),
        ("a@notexample.com", False),
        ("a@test.fr", False),
        ("a@gmail.com", False),
        ("a@x.example@gmail.com", False),
        ("a", False),
        ("", False),
    ],
)
def test_nobody_lives_at_a_reserved_address(address: str, reserved: bool) -> None:
    assert is_reserved(address) is reserved


def test_a_message_that_cannot_be_kept_is_postponed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    with running(tmp_path) as server, SmtpSession(server) as session:
        monkeypatch.setattr("dunning.channels.catcher.os.fsync", full)
        outcome = session.send(mail())

    assert (outcome.verdict, outcome.code) == (Verdict.POSTPONED, 452)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["../secret", "", "x" * 29, "00000000000000000000-0000000g", "0" * 20 + "-00000000"])
def test_a_key_opens_a_message_of_the_folder_or_nothing(tmp_path: Path, key: str) -> None:
    box = tmp_path / "box"
    box.mkdir()
    (tmp_path / "secret.eml").write_text("Subject: secret\n\nx")

    assert open_message(box, key) is None


def test_a_foreign_file_in_the_folder_is_not_a_message(tmp_path: Path) -> None:
    (tmp_path / "note.eml").write_text("x")
    (tmp_path / "note.part").write_text("x")
    key = keep(tmp_path, b"Subject: Un\r\n\r\nx", sender="a@b.example", recipient="c@d.example")

    assert [message.key for message in list_messages(tmp_path)] == [key]
    opened = open_message(tmp_path, key)
    assert opened is not None
    assert (opened.text, opened.html) == ("x", "")


def test_a_folder_that_does_not_exist_yet_holds_nothing(tmp_path: Path) -> None:
    assert list_messages(tmp_path / "absent") == []


def test_the_catcher_listens_to_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cette machine"):
        asyncio.run(catch(host="0.0.0.0", port=2525, directory=tmp_path, stopped=asyncio.Event()))  # noqa: S104


@pytest.mark.parametrize("address", ["", "2525", "127.0.0.1:", "127.0.0.1:x", "192.168.1.2:2525"])
def test_the_command_says_what_is_wrong_with_its_address(address: str) -> None:
    with override_settings(DEMO_CATCHER=address), pytest.raises(CommandError):
        call_command("catcher")


def test_the_command_catches_until_told_to_stop(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "DEMO_CATCHER": f"127.0.0.1:{port}", "QUITTANCE_VAR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, str(settings.ROOT / "manage.py"), "catcher"], env=environment)  # noqa: S603 (our own command)
    try:
        outcome = patiently(SmtpSettings(host="127.0.0.1", port=port, security=Security.NONE))
        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0
        assert outcome is Verdict.ACCEPTED
        assert [message.message_id for message in list_messages(tmp_path / "catcher")] == [mail().message_id]
    finally:
        process.kill()


def patiently(server: SmtpSettings) -> Verdict:
    for _ in range(200):
        try:
            with SmtpSession(server) as session:
                return session.send(mail()).verdict
        except DeliveryError:
            threading.Event().wait(0.1)
    raise AssertionError("nobody listens")
