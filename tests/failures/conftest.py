"""A firm that has spoken for months, its own mail server, and what that server kept."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.models import MailServer
from tests.factories.cabinets import make_cabinet
from tests.mail_sink import SmtpSink


class Mailbox(SmtpSink):
    """A server whose messages are read as their readers do."""

    @property
    def letters(self) -> list[EmailMessage]:
        """Return the messages, oldest first."""
        return [message_from_bytes(one.content, policy=policy.default) for one in self.caught]

    @property
    def texts(self) -> list[str]:
        """Return their plain text, with ordinary spaces and on one line."""
        return [" ".join(body_of(letter).split()) for letter in self.letters]


def body_of(letter: EmailMessage) -> str:
    """Return the plain text of a message."""
    body = letter.get_body(preferencelist=("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Return the server that receives the firm's messages."""
    with Mailbox() as server:
        yield server


@pytest.fixture
def firm(mailbox: Mailbox, committed: None) -> Cabinet:
    """Return a firm of Nantes that sends through its own server."""
    cabinet = make_cabinet()
    give_server(cabinet, mailbox)
    return cabinet


def give_server(cabinet: Cabinet, mailbox: SmtpSink) -> None:
    """Let a firm send through this server."""
    with working_for(cabinet_id=cabinet.pk):
        MailServer(host=mailbox.host, port=mailbox.port, security="none", sender=cabinet.email).save(force_insert=True)
