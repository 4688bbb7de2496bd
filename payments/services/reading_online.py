"""What the firm reads of online payments: the online part of a payment, and what its providers announced."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from cabinets.enums import TaskKind, TaskState
from cabinets.journal_labels import label_of
from cabinets.models import JournalEntry, Membership, Task
from payments.enums import Mode, NoticeState
from payments.models import Allocation, Checkout, Payment, ProviderNotice

PAGE = 50
MOST_LINES = 60
# In the order of the list's filters; the word of the address, the state, the label.
STATES = (
    ("a-traiter", NoticeState.RECEIVED, "À traiter"),
    ("en-echec", NoticeState.DEAD, "En échec"),
    ("traite", NoticeState.APPLIED, "Traité"),
    ("sans-effet", NoticeState.IGNORED, "Sans effet"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlinePart:
    """What came through a provider."""

    checkout: Checkout
    others: tuple[Payment, ...]
    """The other payments of the same checkout: what was refused before, what stayed after a refund."""
    awaits_review: bool

    @property
    def is_test(self) -> bool:
        """Say whether no money moved."""
        return self.checkout.account.mode == Mode.TEST


@dataclass(frozen=True, slots=True)
class Paid:
    """An invoice a payment settled, as far as its reader sees it."""

    invoice_id: UUID
    number: str
    cents: int


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the journal about a payment."""

    at: dt.datetime
    title: str
    by: str


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Fifty notices at most, the latest first, and where the next ones begin."""

    rows: tuple[ProviderNotice, ...]
    after: str


def checkout_of(payment: Payment) -> Checkout | None:
    """Return the checkout a payment came through, whichever of its payments this one is."""
    root = payment.follows_id or payment.pk
    mine = Checkout.objects.filter(Q(payment=root) | Q(payment__follows=root))
    return mine.select_related("account").first()


def online_part(payment: Payment) -> OnlinePart | None:
    """Return what a payment's page shows of its provider; nothing for one that did not come online."""
    checkout = checkout_of(payment)
    if checkout is None:
        return None
    root = payment.follows_id or payment.pk
    others = Payment.objects.filter(Q(pk=root) | Q(follows=root)).exclude(pk=payment.pk).order_by("recorded_at", "pk")
    asked = Task.objects.filter(kind=TaskKind.PAYMENT_REVERSED, subject_id=root, state=TaskState.OPEN)
    return OnlinePart(checkout=checkout, others=tuple(others), awaits_review=asked.exists())


def paid_by(payment: Payment) -> list[Paid]:
    """Return what a payment settled, by invoice."""
    shares = Allocation.objects.filter(payment=payment).select_related("invoice").order_by("invoice__number_key")
    return [Paid(one.invoice_id, one.invoice.number, one.cents + one.accessory_cents) for one in shares]


def story_of(payment: Payment, checkout: Checkout | None) -> list[Told]:
    """Return what the journal says of a payment and of its checkout, oldest first; readings are left out."""
    ids = [payment.pk, *([checkout.pk] if checkout else [])]
    rows = JournalEntry.objects.filter(subject_id__in=ids).exclude(event__endswith=".seen").order_by("at", "pk")
    lines = list(rows[:MOST_LINES])
    known = Membership.objects.filter(pk__in={one.member_id for one in lines if one.member_id}).select_related("user")
    people = {one.pk: one.user.get_full_name() for one in known}
    return [Told(one.at, label_of(one.event), people.get(one.member_id, "") if one.member_id else "") for one in lines]


def dead_notices() -> int:
    """Return how many notices could not be handled and wait for a person."""
    return ProviderNotice.objects.filter(state=NoticeState.DEAD).count()


def notice_page(*, state: NoticeState | None, after: str = "") -> NoticePage:
    """Return a page of notices, in one state or in all."""
    rows = ProviderNotice.objects.select_related("account").defer("body").order_by("-received_at", "-pk")
    if state is not None:
        rows = rows.filter(state=state)
    moment, _, last = after.partition("_")
    try:
        received_at, notice_id = dt.datetime.fromisoformat(moment), UUID(last)
    except ValueError:
        pass
    else:
        if received_at.tzinfo is not None:
            rows = rows.filter(Q(received_at__lt=received_at) | Q(received_at=received_at, pk__lt=notice_id))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    return NoticePage(tuple(shown), f"{shown[-1].received_at.isoformat()}_{shown[-1].pk}" if len(found) > PAGE else "")
