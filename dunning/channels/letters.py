"""What a provider of registered letters promises: one letter handed over, where it is, and what proves it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from dunning.channels.postal import PostalAddress
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.enums import LetterState, ProofKind

_PARIS = ZoneInfo("Europe/Paris")


class Proven(StrEnum):
    """How far a connector was proven without its provider's own servers; the settings page says it."""

    CLIENT_AND_CONTRACT = "client officiel + contrat officiel"
    CONTRACT = "contrat officiel"
    DOCUMENTATION = "documentation seule"
    NO_NETWORK = "aucun échange avec l’extérieur"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file that goes with a letter."""

    name: str
    content: bytes
    media_type: str = "application/pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Who an electronic letter is for: the very address of the consent, or a professional's."""

    email: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    is_professional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingLetter:
    """One letter ready to leave. The reference is ours, and the same at each attempt: it finds the letter again."""

    reference: str
    title: str
    """What the recipient and the provider read outside the envelope: neutral, never a matter (R34c)."""
    recipient: PostalAddress
    sender: PostalAddress
    sender_email: str
    pdf: bytes
    attachments: Sequence[Attachment] = ()
    electronic: Addressee | None = None
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a letter costs, VAT excluded, when somebody said it."""

    cents: int | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOutcome:
    """What became of a letter that was handed over, and by which reference its provider knows it."""

    verdict: Verdict
    stage: Stage = Stage.END
    reference: str = ""
    tracking: str = ""
    code: str = ""
    text: str = ""
    cost_cents: int | None = None

    @property
    def is_accepted(self) -> bool:
        """The provider took the letter."""
        return self.verdict is Verdict.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStatus:
    """Where a letter is, by what its provider says; a date nobody gave stays unknown."""

    state: LetterState
    deposited_on: dt.date | None = None
    presented_on: dt.date | None = None
    ended_on: dt.date | None = None
    tracking: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof, as its provider made it."""

    kind: ProofKind
    content: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What an unsigned notice may say: which letters to ask their provider about, and nothing else."""

    references: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing a firm's contract gives, to be kept sealed or shown."""

    name: str
    label: str
    help_text: str = ""
    is_secret: bool = False
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the settings page tells of a provider before there is any account."""

    slug: str
    label: str
    kinds: tuple[str, ...]
    """How its letters are named: « LRE » is said of a qualified service only (R46)."""
    is_electronic: bool
    is_paper: bool
    is_qualified: bool
    proven: Proven
    fields: tuple[Field, ...] = ()
    to_do: tuple[str, ...] = ()
    """What the firm must do on the provider's side."""
    proofs: str = ""
    """How proofs come back, in one sentence."""
    country: str = "FR"
    countries: frozenset[str] = frozenset({"FR"})
    """Where its letters go."""
    asks_code: bool = False
    """Its sender identifies himself with a one-time code (R45)."""
    notifies: bool = False
    """It may tell us that a letter moved."""


class AwaitingCode(DeliveryError):  # noqa: N818 (a step a person takes, not a failure)
    """The sender must identify himself first: nothing left, and nothing else leaves in its place."""

    def __init__(self) -> None:
        super().__init__("L’expéditeur doit s’identifier avec un code à usage unique avant l’envoi.", permanent=False)


class RegisteredLetterProvider(Protocol):
    """A way to have registered letters delivered."""

    @property
    def profile(self) -> Profile:
        """What it is, where it delivers, and how far it was proven."""

    def check(self) -> None:
        """Sign in; raise DeliveryError with what to mend."""

    def quote(self, letter: OutgoingLetter) -> Quote:
        """Say what a letter would cost, without asking anybody."""

    def send(self, letter: OutgoingLetter) -> LetterOutcome:
        """Hand one letter over, once, and tell what became of it.

        Raise AwaitingCode or DeliveryError only while nothing was handed over.
        """

    def find(self, reference: str) -> LetterOutcome | None:
        """Ask what became of a letter by our own reference; None when the provider cannot tell."""

    def status(self, reference: str) -> LetterStatus:
        """Say where a letter is; raise DeliveryError when nobody answers."""

    def proofs(self, reference: str) -> Iterable[Proof]:
        """Yield the proofs that exist now."""

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read which letters a notice speaks of; nothing it says is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A firm's account with a provider: the secrets it sealed, and its settings."""

    secrets: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    unit_price_thousandths: int | None = None
    session_until: dt.datetime | None = None


_ORDER = {
    LetterState.READY: 0,
    LetterState.PRINTED: 1,
    LetterState.SUBMITTED: 2,
    LetterState.DEPOSITED: 3,
    LetterState.PRESENTED: 4,
    # « Retournée » says less than why: it may still become « refusée » or « non réclamée ».
    LetterState.RETURNED: 5,
    LetterState.DELIVERED: 6,
    LetterState.REFUSED: 6,
    LetterState.UNCLAIMED: 6,
    LetterState.VOID: 6,
}
FINAL = frozenset({LetterState.DELIVERED, LetterState.REFUSED, LetterState.UNCLAIMED, LetterState.VOID})


def further(known: LetterState, found: LetterState) -> LetterState:
    """Return the more advanced of two states: a letter never goes back, and an end is never changed."""
    return found if _ORDER[found] > _ORDER[known] else known


def merge(known: LetterStatus, found: LetterStatus) -> LetterStatus:
    """Add what was just learnt to what is known; the earliest presentation stays the first one (R42)."""
    state = further(known.state, found.state)
    presented = [day for day in (known.presented_on, found.presented_on) if day]
    ended = known.ended_on if state == known.state and known.ended_on else found.ended_on
    return LetterStatus(
        state=state,
        deposited_on=known.deposited_on or found.deposited_on,
        presented_on=min(presented) if presented else None,
        ended_on=ended if state in {*FINAL, LetterState.RETURNED} else None,
        tracking=known.tracking or found.tracking,
        words=found.words or known.words,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One event of a letter's way, as a provider tells it."""

    on: dt.date
    state: LetterState
    words: str = ""


def follow(passages: Iterable[Passage], *, start: LetterState = LetterState.SUBMITTED) -> LetterStatus:
    """Read events in the order of their dates: what was delivered or refused was presented, that day at the latest.

    A letter nobody claimed was presented earlier: without that event its date stays unknown, it is never invented.
    """
    status = LetterStatus(state=start)
    for passage in sorted(passages, key=lambda one: (one.on, _ORDER[one.state])):
        at_the_door = {LetterState.PRESENTED, LetterState.DELIVERED, LetterState.REFUSED}
        status = merge(
            status,
            LetterStatus(
                state=passage.state,
                deposited_on=passage.on if passage.state is LetterState.DEPOSITED else None,
                presented_on=passage.on if passage.state in at_the_door else None,
                ended_on=passage.on,
                words=passage.words,
            ),
        )
    return status


def paris_day(value: object) -> dt.date | None:
    """Read the day of an instant a provider wrote, by the clock of Paris; an unreadable one is unknown."""
    try:
        found = dt.datetime.fromisoformat(str(value or ""))
    except ValueError:
        return None
    return (found.astimezone(_PARIS) if found.tzinfo else found).date()


def price(credentials: Credentials) -> Quote:
    """Say the price the firm wrote in its settings; without it, say that nobody knows."""
    thousandths = credentials.unit_price_thousandths
    if thousandths is None:
        return Quote(cents=None, words="Prix de votre contrat, non renseigné.")
    cents = (thousandths + 5) // 10
    return Quote(cents=cents, words="Prix unitaire de vos réglages, hors taxes.")
