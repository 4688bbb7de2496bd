"""What a payment provider promises: a hosted page to pay on, and the truth about each payment when it is asked.

The product never holds funds nor card data: the debtor pays on the provider's own page, straight to the firm's account
(SAQ A of PCI DSS). A notice that arrives is only a bell: its signature is checked, then the object itself is fetched.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from payments.enums import Mode, PaymentMeans

# A debtor waits for the first on a page; a reminder that is about to leave waits for the second, and stays on silence.
TIMEOUT_SECONDS = 15.0
SHORT_TIMEOUT_SECONDS = 4.0


class Stage(StrEnum):
    """How far a payment is, in the words of no provider in particular."""

    OPEN = "open"
    """The page waits for the debtor."""
    PROCESSING = "processing"
    """The debtor agreed; the money is on its way and may still not come."""
    SETTLED = "settled"
    FAILED = "failed"
    EXPIRED = "expired"
    """The page can no longer be paid, and nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a debtor is about to pay. Nothing in it says who they are, nor what the fees are for."""

    reference: str
    """Our own reference, which is the idempotency key too: the same order sent twice opens one page."""
    cents: int
    label: str
    """Invoice numbers alone, as the provider's page shows them."""
    means: PaymentMeans
    return_url: str
    cancel_url: str
    notice_url: str
    email: str = ""
    """Filled in on the provider's page when known; empty otherwise."""
    language: str = "fr"
    expires_at: dt.datetime | None = None
    """When its page closes by itself, where the provider takes it: half an hour to a day away."""
    charge_on: dt.date | None = None
    """The day a debit under a mandate was announced for: it is never collected before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A hosted page, open."""

    ref: str
    url: str
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The truth about one order at one instant, fetched from the provider."""

    ref: str
    stage: Stage
    cents: int = 0
    """What was paid, or is on its way; refunds not taken off."""
    refunded_cents: int = 0
    disputed_cents: int = 0
    """Taken back by the debtor's bank (chargeback, late return of a debit): the money left the firm again."""
    means: PaymentMeans | None = None
    payment_ref: str = ""
    failure: str = ""
    """The provider's own code of a refusal."""
    at: dt.datetime | None = None
    """When the payment reached its stage, by the provider's clock."""
    mandate_ref: str = ""
    """The mandate the debtor signed on the way, when there is one: later instalments may be collected by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing a provider announced: it names what to fetch again, and proves nothing else."""

    event_id: str
    kind: str
    ref: str = ""
    """The order's `ref`, or the mandate's own reference, when the notice names it."""
    payment_ref: str = ""
    """The payment's own reference, when it names that instead."""
    is_about_payments: bool = True
    """Whether anything here could change; the rest is kept and ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What a connection test found."""

    label: str
    """The account as its owner would recognise it."""
    is_live: bool
    means: frozenset[PaymentMeans] = frozenset()
    warnings: Sequence[str] = ()


class PaymentProvider(Protocol):
    """One firm's account at one provider. Each call raises ProviderError; only `read_notices` raises NoticeError."""

    slug: str

    def check(self) -> AccountFacts:
        """Say whether the keys work, for which account."""

    def open(self, order: Order) -> Page:
        """Open a page to pay an order on; the same reference again gives the same order, so nobody pays twice."""

    def fetch(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> Snapshot:
        """Return the truth about an order.

        Where a debit takes two acts, a mandate signed then a payment asked for, it asks for the second, once.
        """

    def find(self, payment_ref: str, *, timeout: float = TIMEOUT_SECONDS) -> str:
        """Return the `ref` of the order a payment belongs to; empty when it is none of ours."""

    def close(self, ref: str) -> Snapshot:
        """Make a page unpayable if it still can be, and return what it became: it may have been paid meanwhile."""

    def read_notices(self, *, body: bytes, headers: Mapping[str, str]) -> list[Notice]:
        """Return what a notice announces, its signature checked on the raw body; NoticeError for any other."""


class MandateStage(StrEnum):
    """How far a mandate is, in the words of no provider in particular."""

    OPEN = "open"
    """The page waits for the debtor's signature."""
    SIGNED = "signed"
    """Debits may be asked for under it."""
    ENDED = "ended"
    """Nothing can be collected under it, any more or ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateFacts:
    """The truth about one mandate at one instant, fetched from the provider."""

    ref: str
    """The page's own reference, the one `authorise` gave."""
    stage: MandateStage
    mandate_ref: str = ""
    reference: str = ""
    """The unique mandate reference (RUM), as the debtor reads it on a bank statement."""
    failure: str = ""
    """The provider's own word for why it ended."""


class MandateProvider(Protocol):
    """A provider that also collects by itself, under a mandate a debtor signed. Each call raises ProviderError."""

    slug: str

    def authorise(self, order: Order) -> Page:
        """Open a page to sign a mandate on, and collect nothing; the same reference again gives the same mandate."""

    def mandate(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> MandateFacts:
        """Return the truth about a mandate, by the reference of its page."""

    def end_mandate(self, ref: str) -> MandateFacts:
        """End a mandate, and whatever debit under it is not yet with the bank; one that ended before is only read."""

    def charge(self, mandate_ref: str, order: Order) -> Snapshot:
        """Collect an order by a mandate; the same reference again collects it once. Its `ref` is the payment's own.

        A refusal of this very debit is an answer (`Stage.FAILED`); ProviderError leaves open whether it was taken.
        """

    def charged(self, mandate_ref: str, reference: str) -> Snapshot | None:
        """Return the debit an order became; nothing when it was never taken."""

    def fetch(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> Snapshot:
        """Return the truth about what was collected."""

    def close(self, ref: str) -> Snapshot:
        """Take a debit back if it is not yet with the bank, and return what it became."""

    def read_notices(self, *, body: bytes, headers: Mapping[str, str]) -> list[Notice]:
        """Return what a notice announces, its signature checked on the raw body; NoticeError for any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One secret of a provider's settings form."""

    name: str
    label: str
    hint: str = ""
    pattern: str = ""
    mistake: str = ""
    """What is said of a value that does not match the pattern."""
    is_asked_first: bool = True
    """Whether the account cannot even be tried without it; the rest is asked before it goes into service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A provider as the settings page presents it."""

    slug: str
    label: str
    country: str
    """ISO 3166 code of the company that takes the data: outside the Union, a transfer record is asked first (R66)."""
    custody: str
    """Who takes the data, and where, as far as it is known."""
    means: tuple[PaymentMeans, ...]
    settings: tuple[Setting, ...]
    """The first one is the key that opens the account."""
    prefixes: Mapping[str, Mode]
    """How that key begins, in each mode."""
    proven: str
    """How far this connector was proven without the live service, as told to the firm."""
    proves: str
    """What a payment through it proves."""
    steps: tuple[str, ...] = field(default=())
    """What the firm does at the provider's, in order."""
    is_hooked: bool = True
    """Whether the firm declares the address of notices itself; otherwise each payment carries it."""

    def mode_of(self, key: str) -> Mode | None:
        """Return the mode a key opens; nothing for what is no key of this provider."""
        return next((mode for prefix, mode in self.prefixes.items() if key.startswith(prefix)), None)
