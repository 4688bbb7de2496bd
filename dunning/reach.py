"""By which channel a step reaches its debtor: its own, else one that accompanies it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from dunning.enums import Channel, Tone


@dataclass(frozen=True, slots=True)
class Way:
    """One way to somebody: whether it is known, and whether it was refused."""

    exists: bool = False
    is_refused: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether a message may go that way."""
        return self.exists and not self.is_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The ways to one addressee; an SMS needs their consent and the firm's provider as well as a mobile."""

    email: Way = Way()
    sms: Way = Way()
    post: Way = Way()
    phone: Way = Way()

    def by(self, channel: Channel) -> Way:
        """Return the way a channel takes."""
        return {Channel.EMAIL: self.email, Channel.SMS: self.sms, Channel.PHONE: self.phone}.get(channel, self.post)


def ways_of(*, channel: Channel, companions: Sequence[Channel], tone: Tone) -> tuple[Channel, ...]:
    """Return the channels that may carry a step, in order; nothing stands for the letter of a formal notice."""
    return (channel,) if tone == Tone.FORMAL else (channel, *companions)


def best_way(reach: Reach, *, channel: Channel, companions: Sequence[Channel], tone: Tone) -> tuple[Channel, Way]:
    """Return the channel that carries a step and its way: the first open one, else the step's own, shut as it is."""
    for candidate in ways_of(channel=channel, companions=companions, tone=tone):
        if reach.by(candidate).is_open:
            return candidate, reach.by(candidate)
    known = [reach.by(one) for one in ways_of(channel=channel, companions=companions, tone=tone)]
    return channel, next((way for way in known if way.exists), reach.by(channel))
