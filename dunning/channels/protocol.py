"""What a channel promises: one message handed over, and the truth about what became of it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """What became of a message that was handed over."""

    ACCEPTED = "accepted"
    """The server answers for it from now on."""
    REJECTED = "rejected"
    """The server refused it for good: the same message would be refused again."""
    POSTPONED = "postponed"
    """Nothing left: the same message may be handed over later."""
    UNKNOWN = "unknown"
    """It may have left: only a person decides whether to send it again."""


class Stage(StrEnum):
    """How far the conversation went when its outcome was known."""

    CONNECT = "connect"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one message: a verdict, and the server's own words as proof.

    A refusal at SENDER speaks of the firm's account, at RECIPIENT of the debtor's address, later of the message.
    The text may repeat an address: it belongs in sealed evidence, never in a log.
    """

    verdict: Verdict
    stage: Stage
    code: int | None = None
    text: str = ""

    @property
    def is_accepted(self) -> bool:
        """The server took the message."""
        return self.verdict is Verdict.ACCEPTED

    @property
    def is_permanent(self) -> bool:
        """Handing the same message over again would meet the same refusal."""
        return self.verdict is Verdict.REJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message ready to leave: its bytes, from whom and to whom, and the identifier it bears."""

    message: bytes
    recipient: str
    envelope_from: str
    message_id: str


class DeliveryError(Exception):
    """The channel cannot speak at all; no message was handed over. Permanent: not before somebody mends it."""

    def __init__(self, reason: str, *, permanent: bool, code: int | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.code = code


class EmailSession(Protocol):
    """An open conversation, for as many messages as wanted."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one message over, once, and tell what became of it; never raise for the message's sake."""


class EmailChannel(Protocol):
    """A way to hand e-mails over."""

    @property
    def slug(self) -> str:
        """The name of the channel, as the evidence keeps it."""

    def open(self) -> AbstractContextManager[EmailSession]:
        """Open a conversation; raise DeliveryError when there is nobody to speak to."""
