"""A provider in memory: the test moves its payments, and its notices are lost, doubled or late as the test likes."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from payments.enums import Mode, PaymentMeans
from payments.errors import NoticeError, ProviderError
from payments.models import ProviderAccount
from payments.providers.protocol import (
    TIMEOUT_SECONDS,
    AccountFacts,
    MandateFacts,
    MandateStage,
    Notice,
    Order,
    Page,
    Snapshot,
    Stage,
)
from payments.services import roads

SECRET = b"whsec_fake"
TOLERANCE_SECONDS = 300


@dataclass
class Held:
    """One order, as the provider knows it."""

    order: Order
    page: Page
    stage: Stage = Stage.OPEN
    refunded: int = 0
    disputed: int = 0
    failure: str = ""
    # A debit that is with the bank is taken back by nobody.
    is_handed_over: bool = True


@dataclass
class FakeProvider:
    """Answers `PaymentProvider`; `calls` is what it was asked, in order."""

    slug: str = "stripe"
    held: dict[str, Held] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    # How many of the next calls get no answer.
    silent: int = 0
    refuses: bool = False
    before_close: Callable[[str], object] | None = None
    before_open: Callable[[Order], object] | None = None
    base_url: str = "https://pay.fake.example"
    mandates: dict[str, MandateFacts] = field(default_factory=dict)
    asked: dict[str, Order] = field(default_factory=dict)
    # Take the debit, and lose the answer.
    loses_answer: bool = False

    def check(self) -> AccountFacts:
        """Say the account is there."""
        return AccountFacts(label="Compte fictif", is_live=True, means=frozenset({PaymentMeans.CARD}))

    def open(self, order: Order) -> Page:
        """Open a page, the same one for the same reference."""
        self._answer("open", order.reference)
        if self.before_open is not None:
            self.before_open(order)
        ref = f"cs_{order.reference}"
        if ref not in self.held:
            page = Page(ref=ref, url=f"{self.base_url}/{ref}", expires_at=order.expires_at)
            self.held[ref] = Held(order, page)
        return self.held[ref].page

    def authorise(self, order: Order) -> Page:
        """Open a page to sign a mandate on, the same one for the same reference."""
        self._answer("authorise", order.reference)
        if self.before_open is not None:
            self.before_open(order)
        ref = f"brq_{order.reference}"
        self.mandates.setdefault(ref, MandateFacts(ref=ref, stage=MandateStage.OPEN))
        self.asked[ref] = order
        return Page(ref=ref, url=f"{self.base_url}/{ref}")

    def mandate(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> MandateFacts:
        """Return the truth about a mandate."""
        self._answer("mandate", ref)
        return self.mandates[ref]

    def end_mandate(self, ref: str) -> MandateFacts:
        """End a mandate, with the debits not yet handed over."""
        self._answer("end_mandate", ref)
        self.move_mandate(MandateStage.ENDED, ref=ref, failure="cancelled")
        for held in self.held.values():
            if held.stage is Stage.PROCESSING and not held.is_handed_over:
                held.stage = Stage.FAILED
        return self.mandates[ref]

    def charge(self, mandate_ref: str, order: Order) -> Snapshot:
        """Collect an order once."""
        self._answer("charge", order.reference)
        ref = f"pm_{order.reference}"
        stands = any(
            one.mandate_ref == mandate_ref and one.stage is MandateStage.SIGNED for one in self.mandates.values()
        )
        if ref not in self.held and not stands:
            return Snapshot(ref="", stage=Stage.FAILED, failure="mandate_is_inactive")
        self.held.setdefault(ref, Held(order, Page(ref=ref, url=""), stage=Stage.PROCESSING, is_handed_over=False))
        if self.loses_answer:
            self.loses_answer = False
            raise ProviderError("Pas de réponse.")
        return self.snapshot(ref)

    def charged(self, mandate_ref: str, reference: str) -> Snapshot | None:
        """Return the debit an order became."""
        self._answer("charged", reference)
        ref = f"pm_{reference}"
        return self.snapshot(ref) if ref in self.held else None

    def fetch(self, ref: str, *, timeout: float = TIMEOUT_SECONDS) -> Snapshot:
        """Return the truth about an order."""
        self._answer("fetch", ref)
        return self.snapshot(ref)

    def find(self, payment_ref: str, *, timeout: float = TIMEOUT_SECONDS) -> str:
        """Return whose payment it is."""
        self._answer("find", payment_ref)
        ref = payment_ref.removeprefix("pi_")
        return ref if ref in self.held else ""

    def close(self, ref: str) -> Snapshot:
        """Make a page unpayable, unless it was paid just before."""
        self._answer("close", ref)
        if self.before_close is not None:
            self.before_close(ref)
        held = self.held[ref]
        if held.stage is Stage.OPEN:
            held.stage = Stage.EXPIRED
        elif held.stage is Stage.PROCESSING and not held.is_handed_over:
            held.stage = Stage.FAILED
        return self.snapshot(ref)

    def read_notices(self, *, body: bytes, headers: Mapping[str, str]) -> list[Notice]:
        """Check the signature and its age, and return what is announced."""
        known = {name.lower(): value for name, value in headers.items()}
        stamp = known.get("fake-time", "")
        expected = sign(body, stamp)
        if not hmac.compare_digest(known.get("fake-signature", ""), expected):
            raise NoticeError("signature")
        now = dt.datetime.now(dt.UTC).timestamp()
        if abs(now - float(stamp or 0)) > TOLERANCE_SECONDS:
            raise NoticeError("age")
        return [Notice(**one) for one in json.loads(body)]

    def snapshot(self, ref: str) -> Snapshot:
        """Return what is true now."""
        held = self.held[ref]
        moved = held.stage in {Stage.PROCESSING, Stage.SETTLED}
        return Snapshot(
            ref=ref,
            stage=held.stage,
            cents=held.order.cents if moved else 0,
            refunded_cents=held.refunded,
            disputed_cents=held.disputed,
            payment_ref=f"pi_{ref}" if moved else "",
            failure=held.failure,
        )

    def move(self, stage: Stage, *, ref: str = "", refunded: int = 0, disputed: int = 0, failure: str = "") -> str:
        """Move an order (the only one when none is named), and return its reference."""
        ref = ref or next(iter(self.held))
        held = self.held[ref]
        held.stage, held.refunded, held.disputed, held.failure = stage, refunded, disputed, failure
        return ref

    def move_mandate(self, stage: MandateStage, *, ref: str = "", failure: str = "") -> str:
        """Move a mandate (the latest when none is named), and return its reference."""
        ref = ref or list(self.mandates)[-1]
        signed = stage is not MandateStage.OPEN
        self.mandates[ref] = MandateFacts(
            ref=ref, stage=stage, mandate_ref=f"md_{ref}" if signed else "", reference="RUM-42", failure=failure
        )
        return ref

    def net(self) -> int:
        """Return what the firm holds of all orders."""
        return sum(
            max(held.order.cents - held.refunded - held.disputed, 0)
            for held in self.held.values()
            if held.stage is Stage.SETTLED
        )

    def _answer(self, act: str, subject: str) -> None:
        self.calls.append((act, subject))
        if self.refuses:
            raise ProviderError("Clé refusée.", is_refusal=True)
        if self.silent:
            self.silent -= 1
            raise ProviderError("Pas de réponse.")


def sign(body: bytes, stamp: str) -> str:
    """Return the signature of a body at an instant."""
    return hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def announcement(*notices: Mapping[str, object], at: dt.datetime) -> tuple[bytes, dict[str, str]]:
    """Return a signed body and its headers."""
    body = json.dumps(list(notices)).encode()
    stamp = str(at.timestamp())
    return body, {"Fake-Signature": sign(body, stamp), "Fake-Time": stamp}


def hook_of(cabinet: Cabinet) -> str:
    """Return the unguessable part of the address this firm's provider announces to."""
    return f"hook-of-the-fake-provider-{cabinet.slug}"


def make_account(cabinet: Cabinet, **facts: Any) -> ProviderAccount:
    """Make an account in service, that takes cards and debits for real."""
    with working_for(cabinet_id=cabinet.pk):
        account = ProviderAccount(
            **{
                "provider": "stripe",
                "mode": Mode.LIVE,
                "is_enabled": True,
                "means": [PaymentMeans.CARD, PaymentMeans.DEBIT],
                "secrets": json.dumps({"hook": hook_of(cabinet)}),
                "hook_hash": roads.hook_digest(hook_of(cabinet)),
                **facts,
            }
        )
        account.save(force_insert=True)
        return account
