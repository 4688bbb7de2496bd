"""Bring a checkout to what its provider says: one idempotent act, whatever the order of the news.

Every answer is a whole truth (`Snapshot`), so the act compares states and never adds events up: a notice that comes
twice, late or never changes nothing of where it ends.
"""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind
from cabinets.models import Cabinet
from invoices.enums import InvoiceState, StopKind
from invoices.locks import lock_invoices
from invoices.models import Invoice, Standstill
from invoices.services import standstill
from invoices.services.chores import close_chores, open_chore
from payments.enums import CheckoutState, PaymentMeans, PaymentState
from payments.models import Checkout, CheckoutLine, Payment
from payments.providers.protocol import Snapshot, Stage
from payments.services import collecting, roads

ORIGIN = "online"
DAYS_TO_LOOK = 1
_ENDED = (CheckoutState.PAID, CheckoutState.REVERSED)
# A notice may be lost: until when, and how often, a provider is asked by itself, by the age of what is asked.
_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
_WAITING = ((_HOUR, dt.timedelta(minutes=5)), (_DAY, dt.timedelta(minutes=30)), (90 * _DAY, 6 * _HOUR))
# A refund comes when it wants, a card is disputed for months, a debit for thirteen.
_AFTERWARDS = ((10 * _DAY, _DAY), (70 * _DAY, 7 * _DAY), (400 * _DAY, 30 * _DAY))


@transaction.atomic
def apply(*, checkout_id: UUID, snapshot: Snapshot, asked_at: dt.datetime) -> bool:
    """Make our state the provider's, in one transaction with the invoices locked; say whether anything changed.

    `asked_at` is when the question was asked: an answer older than the last one applied is dropped, since what it
    could tell is in the later one.
    """
    lines = CheckoutLine.objects.filter(checkout=checkout_id)
    lock_invoices(lines.values("invoice"))
    locked = Checkout.objects.select_for_update(of=("self",), no_key=True)
    checkout = locked.select_related("account", "payment", "client").get(pk=checkout_id)
    if checkout.asked_at is not None and asked_at < checkout.asked_at:
        return False
    before = _told(checkout)
    cabinet = Cabinet.objects.get()
    checkout.asked_at = asked_at
    checkout.ref = checkout.ref or snapshot.ref
    if checkout.state not in _ENDED or snapshot.stage not in {Stage.OPEN, Stage.EXPIRED}:
        _move(checkout, snapshot, cabinet)
    changed = _told(checkout) != before
    if changed and not checkout.is_unsettled:
        checkout.ended_at = timezone.now()
    checkout.ask_at = next_question(checkout, now=timezone.now())
    checkout.save(update_fields=_WRITTEN)
    if changed:
        journal.record("checkout.moved", checkout, state=checkout.state, provider=checkout.account.provider)
    return changed


_WRITTEN = (
    "asked_at", "ask_at", "ref", "payment_ref", "failure", "refunded_cents", "disputed_cents", "payment", "state",
    "ended_at",
)  # fmt: skip


def next_question(checkout: Checkout, *, now: dt.datetime) -> dt.datetime | None:
    """Return when to ask about a checkout by ourselves; never again once nothing more can come."""
    if checkout.is_unsettled:
        return _after(now, since=checkout.created_at, paces=_WAITING)
    if checkout.state == CheckoutState.EXPIRED or checkout.ended_at is None:
        return None
    # A refused debit may be presented again.
    paces = _AFTERWARDS[:1] if checkout.state == CheckoutState.FAILED else _AFTERWARDS
    return _after(now, since=checkout.ended_at, paces=paces)


def _after(
    now: dt.datetime, *, since: dt.datetime, paces: Sequence[tuple[dt.timedelta, dt.timedelta]]
) -> dt.datetime | None:
    age = now - since
    return next((now + pace for limit, pace in paces if age < limit), None)


def _told(checkout: Checkout) -> tuple[object, ...]:
    return (
        checkout.state,
        checkout.payment_id,
        checkout.payment.state if checkout.payment else "",
        checkout.refunded_cents,
        checkout.disputed_cents,
    )


def _move(checkout: Checkout, snapshot: Snapshot, cabinet: Cabinet) -> None:
    checkout.payment_ref = snapshot.payment_ref[:100] or checkout.payment_ref
    checkout.failure = snapshot.failure[:100]
    checkout.refunded_cents, checkout.disputed_cents = snapshot.refunded_cents, snapshot.disputed_cents
    paid = snapshot.cents or checkout.cents
    left = max(paid - checkout.lost_cents, 0) if snapshot.stage is Stage.SETTLED else 0
    if roads.settles(checkout.account, cabinet):
        _move_money(checkout, snapshot, paid=paid, left=left, cabinet=cabinet)
    was_paid = checkout.state in _ENDED
    checkout.state = {
        Stage.OPEN: CheckoutState.OPEN,
        Stage.PROCESSING: CheckoutState.PROCESSING,
        Stage.SETTLED: CheckoutState.PAID if left else CheckoutState.REVERSED,
        Stage.FAILED: CheckoutState.REVERSED if was_paid else CheckoutState.FAILED,
        Stage.EXPIRED: CheckoutState.EXPIRED,
    }[snapshot.stage]
    if roads.settles(checkout.account, cabinet):
        _hold_or_release(checkout)


def _move_money(checkout: Checkout, snapshot: Snapshot, *, paid: int, left: int, cabinet: Cabinet) -> None:
    """Make the payments of a checkout those of the provider: one on its way, or one of what is in, or none."""
    on = cabinet.today()
    means = PaymentMeans(snapshot.means or checkout.means)
    if snapshot.stage is Stage.SETTLED and _state_of(checkout) not in {PaymentState.SETTLED, PaymentState.REVERSED}:
        received_on = min(snapshot.at.astimezone(cabinet.zone).date(), on) if snapshot.at else on
        checkout.payment = collecting.collect(checkout, cents=paid, means=means, received_on=received_on, on=on)
        _tell_surplus(checkout.payment, on=on)
    settled = checkout.payment
    if settled is not None and settled.state == PaymentState.SETTLED and settled.cents != left:
        checkout.payment = collecting.take_back(checkout, settled, left=left, on=on)
        _tell_loss(checkout, checkout.payment, was=settled.cents, left=left, on=on)
    elif settled is not None and settled.state == PaymentState.REVERSED and left:
        # A dispute that was won: the money is the firm's again.
        checkout.payment = collecting.collect(checkout, cents=left, means=means, received_on=settled.received_on, on=on)
    moving = checkout.payment
    is_moving = moving is not None and moving.state == PaymentState.PROCESSING
    is_same = is_moving and moving is not None and moving.cents == paid and snapshot.stage is Stage.PROCESSING
    if is_moving and not is_same and moving is not None:
        collecting.give_up(moving)
    if snapshot.stage is Stage.PROCESSING and not is_same:
        checkout.payment = collecting.expect(checkout, cents=paid, means=means, on=on)


def _state_of(checkout: Checkout) -> str:
    return "" if checkout.payment is None else str(checkout.payment.state)


def _tell_surplus(payment: Payment, *, on: dt.date) -> None:
    """Tell a person that more came in than was owed: it is the client's, and waits as a credit."""
    if collecting.surplus_of(payment):
        open_chore(
            TaskKind.DOUBLE_PAYMENT,
            subject_id=payment.follows_id or payment.pk,
            client_id=payment.client_id,
            due_on=on + dt.timedelta(days=DAYS_TO_LOOK),
        )


def _tell_loss(checkout: Checkout, payment: Payment, *, was: int, left: int, on: dt.date) -> None:
    """Hold the reminders of what is owed again until a person has looked; what was in excess is simply given back."""
    root = payment.follows_id or payment.pk
    if not collecting.surplus_of(payment):
        close_chores(subject_id=root, kind=TaskKind.DOUBLE_PAYMENT)
    reopened = [row for row in _invoices(checkout) if row.state == InvoiceState.OPEN and row.outstanding_cents > 0]
    if left >= was or not reopened:
        return
    for invoice in reopened:
        standstill.declare(
            kind=StopKind.HOLD,
            target=invoice,
            reason="Un paiement en ligne a été remboursé ou repris par la banque : à examiner.",
            origin=ORIGIN,
        )
    open_chore(TaskKind.PAYMENT_REVERSED, subject_id=root, client_id=checkout.client_id, due_on=on)


def _hold_or_release(checkout: Checkout) -> None:
    """Hold the reminders of what is on its way to be paid; let them go on when it no longer is."""
    invoices = _invoices(checkout)
    if checkout.state == CheckoutState.PROCESSING:
        for invoice in invoices:
            if invoice.state == InvoiceState.OPEN and invoice.outstanding_cents > 0:
                standstill.declare(kind=StopKind.PAYMENT_IN_FLIGHT, target=invoice, origin=ORIGIN)
        return
    moving = CheckoutLine.objects.filter(checkout__state=CheckoutState.PROCESSING).exclude(checkout=checkout)
    held = Standstill.objects.filter(
        kind=StopKind.PAYMENT_IN_FLIGHT,
        origin=ORIGIN,
        released_at=None,
        invoice__in=[row.pk for row in invoices],
    )
    for stop_id in held.exclude(invoice__in=moving.values("invoice")).order_by("pk").values_list("pk", flat=True):
        standstill.release(standstill_id=stop_id)


def _invoices(checkout: Checkout) -> list[Invoice]:
    lines = CheckoutLine.objects.filter(checkout=checkout).values("invoice")
    return list(Invoice.objects.filter(pk__in=lines).order_by("due_on", "number_key"))
