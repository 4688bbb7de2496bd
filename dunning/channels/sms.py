"""What a provider of text messages promises: one message handed over, and the truth about what became of it."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from dunning.channels.letters import Proven
from dunning.channels.protocol import Outcome, Stage, Verdict

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingSms:
    """One text message ready to leave: to an E.164 number, from a declared sender, under our own reference."""

    to: str
    sender: str
    text: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsOutcome(Outcome):
    """The outcome of a text message, with the provider's reference once it answers for it."""

    reference: str = ""
    is_opted_out: bool = False


class Delivery(StrEnum):
    """What became of a text message its provider took."""

    ON_ITS_WAY = "on_its_way"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsReceipt:
    """What a provider says of a message it took."""

    reference: str
    delivery: Delivery
    code: str = ""
    at: dt.datetime | None = None
    is_opted_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsProfile:
    """A provider as the settings page presents it."""

    slug: str
    label: str
    country: str
    """Where the data goes: outside the European Union it needs a transfer record (R66)."""
    options: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...]
    proven: Proven
    to_do: tuple[str, ...]


class SmsChannel(Protocol):
    """A way to hand text messages over."""

    @property
    def slug(self) -> str:
        """The name of the provider, as the evidence keeps it."""

    def send(self, outgoing: OutgoingSms) -> SmsOutcome:
        """Hand one message over, once; raise DeliveryError when there is nobody to speak to."""

    def receipt(self, reference: str) -> SmsReceipt | None:
        """Ask what became of a message; nothing where the provider says so by itself."""

    def check(self) -> None:
        """Try the account without sending anything; raise DeliveryError when it does not answer for us."""


def was_unheard(error: BaseException) -> bool:
    """Say whether the line was never open: whatever was to be said was not heard."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    first = error.args[0] if error.args else None
    return isinstance(getattr(first, "reason", first), NewConnectionError | ConnectTimeoutError)


def of_network(error: BaseException) -> SmsOutcome:
    """Return what a broken line means: nothing left when it never opened, nobody knows when it broke later."""
    if was_unheard(error):
        return SmsOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text="Le prestataire est injoignable.")
    return SmsOutcome(verdict=Verdict.UNKNOWN, stage=Stage.END, text="Le prestataire n’a pas confirmé.")
