"""Reading a real IMAP server: by number, without leaving a trace, and starting again where the line broke."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import time_machine
import trustme

from dunning.inbound.imap import ImapMailbox
from dunning.inbound.mailbox import Fetched, MailboxError, MailboxSettings, Mark, Security
from tests.dunning.inbound.imap_server import HOST, PASSWORD, USER, CutLine, ImapServer
from tests.mail_sink import free_port

MANY = 100


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


def letter(number: int) -> bytes:
    return (
        f"From: a@x.example\r\nMessage-ID: <{number}@x.example>\r\nSubject: {number}\r\n\r\nMot {number}.\r\n".encode()
    )


def read(settings: MailboxSettings, mark: Mark | None = None, *, at_most: int = MANY) -> list[Fetched]:
    with ImapMailbox(settings).open() as reading:
        since = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=2)
        return list(reading.after(mark or Mark(), since=since, at_most=at_most))


def mark_of(fetched: Fetched) -> Mark:
    return Mark(uid_validity=fetched.uid_validity, last_uid=fetched.uid)


def test_gives_every_message_whole_in_the_order_of_their_arrival(server: ImapServer) -> None:
    letters = [letter(number) for number in range(3)]
    server.drop(*letters)

    found = read(server.settings)

    assert [one.raw for one in found] == letters
    assert [one.uid for one in found] == sorted(one.uid for one in found)
    assert abs(found[0].received_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=2)


def test_gives_only_what_follows_the_mark(server: ImapServer) -> None:
    server.drop(letter(1), letter(2))
    first = read(server.settings, at_most=1)
    mark = mark_of(first[0])

    assert [one.raw for one in read(server.settings, mark)] == [letter(2)]
    last = mark_of(read(server.settings, mark)[0])
    assert read(server.settings, last) == []
    server.drop(letter(3))
    assert [one.raw for one in read(server.settings, last)] == [letter(3)]


def test_leaves_no_trace_in_the_mailbox(server: ImapServer) -> None:
    server.drop(letter(1))

    read(server.settings)

    assert [{"\\Seen", "\\Deleted"} & set(flags) for flags in server.flags()] == [set()]


def test_starts_over_from_a_day_where_the_numbering_is_new(server: ImapServer) -> None:
    server.drop(letter(1), letter(2))
    mark = mark_of(read(server.settings)[-1])
    server.make_folder()
    server.drop(letter(2), letter(3))

    found = read(server.settings, mark)

    assert [one.raw for one in found] == [letter(2), letter(3)]
    assert found[0].uid_validity != mark.uid_validity


def test_a_message_taken_out_meanwhile_is_passed_over(server: ImapServer) -> None:
    server.drop(letter(1), letter(2))
    with ImapMailbox(server.settings).open() as reading:
        found = reading.after(Mark(), since=dt.date(2020, 1, 1), at_most=MANY)
        first = next(found)
        server.remove(first.uid + 1)

        assert [one.raw for one in found] in ([], [letter(2)])


@pytest.mark.parametrize("after", [*range(0, 1600, 130)])
def test_a_line_cut_anywhere_loses_no_message_and_gives_none_in_part(server: ImapServer, after: int) -> None:
    letters = [letter(number) for number in range(3)]
    server.drop(*letters)
    found: list[Fetched] = []
    verdicts: list[bool] = []
    with CutLine(server.port, after=after) as line:
        try:
            with ImapMailbox(replace(server.settings_at(line.port), timeout=2)).open() as reading:
                for fetched in reading.after(Mark(), since=dt.date(2020, 1, 1), at_most=MANY):
                    found.append(fetched)
        except MailboxError as error:
            verdicts.append(error.permanent)

    assert verdicts in ([], [False])
    mark = mark_of(found[-1]) if found else Mark()
    assert [one.raw for one in (*found, *read(server.settings, mark))] == letters


def test_says_what_refuses(server: ImapServer) -> None:
    settings, silent = server.settings, free_port()
    cases = [
        (replace(settings, secret="faux"), server.port, "refuse l’identifiant ou le mot de passe.", True),
        (replace(settings, folder="Perdu"), server.port, "n’a pas de dossier «\u00a0Perdu\u00a0».", True),
        (server.settings_at(silent), silent, "ne répond pas\u00a0: Connection refused.", False),
    ]
    for wrong, port, reason, permanent in cases:
        with pytest.raises(MailboxError) as refused, ImapMailbox(wrong).open():
            pass
        assert (str(refused.value), refused.value.permanent) == (f"{HOST}:{port} {reason}", permanent)


def test_speaks_tls_and_refuses_who_it_does_not_know(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate, trusted, other = tmp_path / "server.pem", tmp_path / "ca.pem", tmp_path / "other.pem"
    issued = authority.issue_cert(HOST)
    certificate.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    authority.cert_pem.write_to_path(str(trusted))
    trustme.CA().cert_pem.write_to_path(str(other))
    with ImapServer(certificate=certificate) as server:
        settings = MailboxSettings(
            host=HOST, port=server.port, username=USER, secret=PASSWORD, security=Security.STARTTLS, ca_file=trusted
        )
        with ImapMailbox(settings).open() as reading:
            assert reading.uid_validity > 0
        with (
            pytest.raises(MailboxError, match="certificat") as refused,
            ImapMailbox(replace(settings, ca_file=other)).open(),
        ):
            pass
        assert refused.value.permanent


@pytest.mark.parametrize(
    "wrong",
    [{"host": "imap.cabinet.example"}, {"port": 0}, {"username": "a\r\nB"}, {"folder": "a\nb"}, {"host": ""}],
)
def test_refuses_settings_that_would_betray_the_password(wrong: dict[str, object]) -> None:
    facts = {"host": HOST, "port": 143, "username": USER, "secret": PASSWORD, "security": Security.NONE, **wrong}

    with pytest.raises(ValueError, match=r"\w"):
        MailboxSettings(**facts)  # type: ignore[arg-type]


def test_a_password_is_not_shown() -> None:
    settings = MailboxSettings(host=HOST, port=143, username=USER, secret=PASSWORD, security=Security.NONE)

    assert PASSWORD not in repr(settings)
