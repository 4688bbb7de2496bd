"""Speaking to a real server that misbehaves: each message leaves once, or the truth is told."""

import datetime as dt
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import default as parsing
from pathlib import Path

import pytest
import trustme

from dunning.channels.protocol import DeliveryError, EmailChannel, Outcome, Outgoing, Stage, Verdict
from dunning.channels.smtp import Security, SmtpChannel, SmtpSession, SmtpSettings
from templates_lib.email import Composed, Envelope, build_message
from tests.mail_sink import (
    AUTH,
    BODY,
    CONNECT,
    DATA,
    EHLO,
    END,
    MAIL,
    RCPT,
    RSET,
    STARTTLS,
    Behaviour,
    Drop,
    Hang,
    Reply,
    SmtpSink,
    free_port,
)

ACCEPTED, REJECTED, POSTPONED, UNKNOWN = Verdict.ACCEPTED, Verdict.REJECTED, Verdict.POSTPONED, Verdict.UNKNOWN
CREDENTIALS = ("cabinet", "un mot de passe")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


def plain(sink: SmtpSink, *, timeout: float = 5.0) -> SmtpSettings:
    return SmtpSettings(host=sink.host, port=sink.port, security=Security.NONE, timeout=timeout)


def secure(
    sink: SmtpSink, ca_file: Path, security: Security = Security.STARTTLS, username: str = "", password: str = ""
) -> SmtpSettings:
    return SmtpSettings(
        host=sink.host,
        port=sink.port,
        security=security,
        ca_file=ca_file,
        timeout=5.0,
        username=username,
        password=password,
    )


def outgoing(number: int = 1, *, recipient: str = "client@client.example", body: bytes = b"Bonjour") -> Outgoing:
    message_id = f"<r-{number}@quittance.example>"
    head = f"Message-ID: {message_id}\r\nSubject: Facture {number}\r\n\r\n".encode()
    return Outgoing(
        message=head + body, recipient=recipient, envelope_from="factures@firm.example", message_id=message_id
    )


def told(outcome: Outcome) -> tuple[Verdict, Stage, int | None]:
    return outcome.verdict, outcome.stage, outcome.code


@contextmanager
def refused(*, permanent: bool) -> Iterator[None]:
    with pytest.raises(DeliveryError) as caught:
        yield
    assert caught.value.permanent is permanent


def test_a_message_leaves_as_it_is_and_the_servers_words_are_kept(sink: SmtpSink) -> None:
    channel: EmailChannel = SmtpChannel(plain(sink))

    with channel.open() as session:
        outcome = session.send(outgoing(body=b"Un\n.\n..deux\r.trois\r\nfin"))

    assert outcome == Outcome(verdict=ACCEPTED, stage=Stage.END, code=250, text="2.0.0 Ok: queued as SINK")
    (caught,) = sink.caught
    assert (caught.sender, caught.recipients) == ("factures@firm.example", ("client@client.example",))
    assert caught.content.partition(b"\r\n\r\n")[2] == b"Un\r\n.\r\n..deux\r\n.trois\r\nfin\r\n"


def test_one_connection_serves_a_batch_in_four_turns_a_message(sink: SmtpSink) -> None:
    with SmtpSession(plain(sink)) as session:
        verdicts = [session.send(outgoing(number)).verdict for number in range(50)]

    assert verdicts == [ACCEPTED] * 50
    assert sink.message_ids == {f"<r-{number}@quittance.example>": 1 for number in range(50)}
    assert (sink.connections, sink.commands) == (1, [EHLO, *[MAIL, RCPT, DATA, END] * 50])


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        (MAIL, "451 4.3.0 Later", (POSTPONED, Stage.SENDER, 451)),
        (MAIL, "550 5.7.1 Sender refused", (REJECTED, Stage.SENDER, 550)),
        (RCPT, "450 4.2.0 Greylisted", (POSTPONED, Stage.RECIPIENT, 450)),
        (RCPT, "452 4.2.2 Mailbox full", (POSTPONED, Stage.RECIPIENT, 452)),
        (RCPT, "550 5.1.1 No such user", (REJECTED, Stage.RECIPIENT, 550)),
        (DATA, "451 4.3.0 Later", (POSTPONED, Stage.CONTENT, 451)),
        (DATA, "554 5.5.1 No", (REJECTED, Stage.CONTENT, 554)),
        (DATA, "250 Surprise", (POSTPONED, Stage.CONTENT, 250)),
        (END, "452 4.3.1 Disk full", (POSTPONED, Stage.END, 452)),
        (END, "421 4.7.0 Too fast", (POSTPONED, Stage.END, 421)),
        (END, "552 5.3.4 Too big", (REJECTED, Stage.END, 552)),
        (END, "554 5.7.1 Spam", (REJECTED, Stage.END, 554)),
        (END, "354 Surprise", (UNKNOWN, Stage.END, 354)),
        (END, "hello", (UNKNOWN, Stage.END, -1)),
    ],
)
def test_a_refusal_is_told_for_what_it_is_and_the_next_message_leaves(
    sink: SmtpSink, stage: str, reply: str, expected: tuple[Verdict, Stage, int]
) -> None:
    sink.on(stage, Reply(reply))

    with SmtpSession(plain(sink)) as session:
        outcomes = [session.send(outgoing(1)), session.send(outgoing(2))]

    assert [told(outcome) for outcome in outcomes] == [expected, (ACCEPTED, Stage.END, 250)]
    assert sink.message_ids == {"<r-2@quittance.example>": 1}


def test_the_servers_words_are_kept_on_one_line_and_short(sink: SmtpSink) -> None:
    sink.on(RCPT, Reply(f"550-5.1.1 No such user\r\n550 {'x' * 900}"))

    with SmtpSession(plain(sink)) as session:
        text = session.send(outgoing()).text

    assert text.startswith("5.1.1 No such user xxx")
    assert (len(text), "\n" in text) == (500, False)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (MAIL, (POSTPONED, Stage.SENDER)),
        (RCPT, (POSTPONED, Stage.RECIPIENT)),
        (DATA, (POSTPONED, Stage.CONTENT)),
        (END, (UNKNOWN, Stage.END)),
    ],
)
def test_a_server_that_hangs_is_waited_for_once_only(
    sink: SmtpSink, stage: str, expected: tuple[Verdict, Stage]
) -> None:
    sink.on(stage, Hang(30))

    with SmtpSession(plain(sink, timeout=0.3)) as session:
        outcomes = [session.send(outgoing(1)), session.send(outgoing(2))]

    assert [(outcome.verdict, outcome.stage) for outcome in outcomes] == [expected, (ACCEPTED, Stage.END)]
    assert outcomes[0].text == "le délai d’attente est écoulé."
    assert sink.message_ids == {"<r-2@quittance.example>": 1}


@pytest.mark.parametrize("stage", [CONNECT, EHLO])
@pytest.mark.parametrize("behaviour", [Hang(30), Drop(), Reply("421 4.3.2 Closing")])
def test_a_server_that_does_not_welcome_is_a_matter_of_time(sink: SmtpSink, stage: str, behaviour: Behaviour) -> None:
    sink.always(stage, behaviour)

    with refused(permanent=False), SmtpSession(plain(sink, timeout=0.3)):
        pass

    assert sink.caught == []


def test_a_server_that_refuses_this_client_is_a_matter_for_a_person(sink: SmtpSink) -> None:
    sink.always(CONNECT, Reply("554 5.7.1 Go away"))

    with refused(permanent=True), SmtpSession(plain(sink)):
        pass


def test_nobody_at_the_door_is_a_matter_of_time() -> None:
    settings = SmtpSettings(host="127.0.0.1", port=free_port(), security=Security.NONE)

    with refused(permanent=False), SmtpSession(settings):
        pass


@pytest.mark.parametrize("kept", [True, False])
def test_a_line_cut_after_the_final_dot_leaves_an_unknown_and_is_not_tried_again(sink: SmtpSink, kept: bool) -> None:
    sink.on(END, None, Drop(keep=kept))

    with SmtpSession(plain(sink)) as session:
        outcomes = [session.send(outgoing(number)) for number in (1, 2, 3)]

    assert [outcome.verdict for outcome in outcomes] == [ACCEPTED, UNKNOWN, ACCEPTED]
    assert sink.message_ids["<r-2@quittance.example>"] == int(kept)
    assert sink.commands.count(END) == 3


@pytest.mark.parametrize("stage", [MAIL, RCPT, DATA])
@pytest.mark.parametrize("behaviour", [Drop(), Reply("421 4.7.0 Enough for one connection")])
def test_a_line_cut_before_the_message_is_taken_up_again_at_once_on_a_kept_connection(
    sink: SmtpSink, stage: str, behaviour: Behaviour
) -> None:
    sink.on(stage, None, behaviour)

    with SmtpSession(plain(sink)) as session:
        session.send(outgoing(1))
        outcomes = [session.send(outgoing(2)), session.send(outgoing(3))]

    assert [outcome.verdict for outcome in outcomes] == [ACCEPTED, ACCEPTED]
    assert sink.message_ids == {f"<r-{number}@quittance.example>": 1 for number in (1, 2, 3)}
    assert sink.connections == 2


def test_a_line_cut_twice_before_the_message_postpones_it(sink: SmtpSink) -> None:
    sink.always(MAIL, Drop())

    with SmtpSession(plain(sink)) as session:
        outcome = session.send(outgoing())

    assert (outcome.verdict, outcome.stage, sink.connections) == (POSTPONED, Stage.SENDER, 2)


@pytest.mark.parametrize("behaviour", [Drop(), Hang(30)])
def test_a_line_cut_inside_the_message_leaves_nothing_behind(sink: SmtpSink, behaviour: Behaviour) -> None:
    sink.always(BODY, behaviour)

    with SmtpSession(plain(sink, timeout=0.5)) as session:
        outcome = session.send(outgoing(body=b"x" * 20_000_000))

    assert (outcome.verdict, outcome.stage) == (POSTPONED, Stage.CONTENT)
    assert sink.caught == []


def test_a_server_gone_between_two_messages_postpones_the_second(sink: SmtpSink) -> None:
    sink.on(MAIL, None, Drop())

    with SmtpSession(plain(sink)) as session:
        session.send(outgoing(1))
        sink.always(CONNECT, Drop())
        outcome = session.send(outgoing(2))

    assert (outcome.verdict, outcome.stage) == (POSTPONED, Stage.CONNECT)
    assert sink.message_ids == {"<r-1@quittance.example>": 1}


def test_a_refused_reset_costs_the_connection_and_not_the_next_message(sink: SmtpSink) -> None:
    sink.on(RCPT, Reply("550 5.1.1 No such user")).on(RSET, Drop())

    with SmtpSession(plain(sink)) as session:
        outcomes = [session.send(outgoing(1)), session.send(outgoing(2))]

    assert [outcome.verdict for outcome in outcomes] == [REJECTED, ACCEPTED]
    assert sink.connections == 2


def test_a_session_cut_in_the_middle_of_a_message_starts_over(sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    with SmtpSession(plain(sink)) as session:
        monkeypatch.setattr(session, "_hand_over", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            session.send(outgoing(1))
        monkeypatch.undo()
        outcome = session.send(outgoing(2))

    assert (outcome.verdict, sink.message_ids) == (ACCEPTED, {"<r-2@quittance.example>": 1})


@pytest.mark.parametrize(
    "recipient",
    ["a@b.example>\r\nRCPT TO:<x@y.example", "a b@c.example", "a", "", "hélène@client.example", "a@b@c.example\n"],
)
def test_an_address_that_would_bend_the_conversation_is_refused_without_a_word(sink: SmtpSink, recipient: str) -> None:
    with SmtpSession(plain(sink)) as session:
        outcome = session.send(outgoing(recipient=recipient))

    assert told(outcome) == (REJECTED, Stage.RECIPIENT, None)
    assert sink.commands == [EHLO]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_message_leaves_behind_tls_with_a_password(authority: trustme.CA, ca_file: Path, security: Security) -> None:
    with SmtpSink(
        tls=server_context(authority),
        implicit_tls=security is Security.TLS,
        require_starttls=security is Security.STARTTLS,
        credentials=CREDENTIALS,
    ) as sink:
        with SmtpSession(secure(sink, ca_file, security, *CREDENTIALS)) as session:
            outcomes = [session.send(outgoing(number)) for number in (1, 2)]

        assert [outcome.verdict for outcome in outcomes] == [ACCEPTED, ACCEPTED]
        assert len(sink.caught) == 2


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_an_unknown_authority_is_not_trusted(security: Security, ca_file: Path) -> None:
    with (
        SmtpSink(tls=server_context(trustme.CA()), implicit_tls=security is Security.TLS) as sink,
        refused(permanent=True),
        SmtpSession(secure(sink, ca_file, security)),
    ):
        pass


def test_a_certificate_for_another_server_is_not_trusted(authority: trustme.CA, ca_file: Path) -> None:
    with (
        SmtpSink(tls=server_context(authority, "autre.example")) as sink,
        refused(permanent=True),
        SmtpSession(secure(sink, ca_file)),
    ):
        pass


def test_nothing_is_said_in_clear_when_starttls_is_asked_and_not_offered(sink: SmtpSink, ca_file: Path) -> None:
    with refused(permanent=True), SmtpSession(secure(sink, ca_file, Security.STARTTLS, *CREDENTIALS)):
        pass

    assert sink.commands == [EHLO]


@pytest.mark.parametrize(
    ("behaviour", "permanent"),
    [(Reply("454 4.7.0 TLS not available"), False), (Reply("554 5.7.3 No"), True), (Drop(), False), (Hang(30), False)],
)
def test_starttls_that_fails_stops_there(
    authority: trustme.CA, ca_file: Path, behaviour: Behaviour, permanent: bool
) -> None:
    with SmtpSink(tls=server_context(authority)) as sink:
        sink.always(STARTTLS, behaviour)
        settings = SmtpSettings(host=sink.host, port=sink.port, ca_file=ca_file, timeout=0.5)

        with refused(permanent=permanent), SmtpSession(settings):
            pass

        assert sink.commands == [EHLO, STARTTLS]


def test_a_plain_client_is_told_by_a_server_that_demands_tls(authority: trustme.CA) -> None:
    with SmtpSink(tls=server_context(authority), require_starttls=True) as sink:
        with SmtpSession(plain(sink)) as session:
            outcome = session.send(outgoing())

        assert told(outcome) == (REJECTED, Stage.SENDER, 530)


def test_a_wrong_password_is_a_matter_for_a_person(authority: trustme.CA, ca_file: Path) -> None:
    with SmtpSink(tls=server_context(authority), credentials=CREDENTIALS) as sink:
        with pytest.raises(DeliveryError, match="refuse l’identifiant ou le mot de passe") as caught:
            SmtpSession(secure(sink, ca_file, Security.STARTTLS, "cabinet", "faux")).__enter__()

        assert (caught.value.permanent, caught.value.code) == (True, 535)
        assert "faux" not in str(caught.value)


def test_a_sign_in_out_of_order_for_a_while_is_a_matter_of_time(authority: trustme.CA, ca_file: Path) -> None:
    with SmtpSink(tls=server_context(authority), credentials=CREDENTIALS) as sink:
        sink.always(AUTH, Reply("454 4.7.0 Temporary failure"))

        with refused(permanent=False), SmtpSession(secure(sink, ca_file, Security.STARTTLS, *CREDENTIALS)):
            pass


def test_a_tls_client_before_a_plain_server_is_a_matter_for_a_person(sink: SmtpSink, ca_file: Path) -> None:
    with refused(permanent=True), SmtpSession(secure(sink, ca_file, Security.TLS)):
        pass


def test_an_authority_that_cannot_be_read_is_a_matter_for_a_person(sink: SmtpSink, tmp_path: Path) -> None:
    with refused(permanent=True), SmtpSession(secure(sink, tmp_path / "absent.pem")):
        pass


@pytest.mark.parametrize("host", ["smtp.example", "192.168.1.2", "10.0.0.1", "127.0.0.1.example", "::2"])
def test_without_tls_only_this_machine_is_spoken_to(host: str) -> None:
    with pytest.raises(ValueError, match="Sans TLS"):
        SmtpSettings(host=host, port=25, security=Security.NONE)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])
def test_this_machine_needs_no_tls(host: str) -> None:
    assert SmtpSettings(host=host, port=25, security=Security.NONE).host == host


@pytest.mark.parametrize("change", [{"port": 0}, {"port": 70000}, {"host": ""}, {"timeout": 0.0}, {"password": "é"}])
def test_settings_that_cannot_work_are_refused(change: dict[str, str | float]) -> None:
    with pytest.raises(ValueError, match="envoi"):
        SmtpSettings(**{"host": "smtp.example", "port": 587, **change})  # type: ignore[arg-type]


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(SmtpSettings(host="smtp.example", port=587, username="a", password="secret"))


def test_a_composed_reminder_arrives_as_it_was_written(sink: SmtpSink) -> None:
    composed = Composed(
        subject="Facture F-2026-0412 – échéance du 14 novembre 2026",
        html="<p>Réglée\u00a0?</p>\n",
        text=".\nRéglée\u00a0?\n..\n" + "à" * 900 + "\n",
    )
    envelope = Envelope(
        sender_name="Cabinet Aubry",
        sender_address="factures@firm.example",
        recipient="client@client.example",
        reply_to="contact@firm.example",
        message_id="<r-1@quittance.example>",
        sent_at=dt.datetime(2026, 11, 17, 10, 0, tzinfo=dt.UTC),
    )
    message = build_message(composed, envelope).as_bytes()

    with SmtpSession(plain(sink)) as session:
        session.send(replace(outgoing(), message=message))

    (caught,) = sink.caught
    received = message_from_bytes(caught.content, policy=parsing)
    text = received.get_body(("plain",))
    assert text is not None
    assert (caught.content, caught.message_id) == (message, "<r-1@quittance.example>")
    assert (str(received["Subject"]), text.get_content().replace("\r\n", "\n")) == (composed.subject, composed.text)
