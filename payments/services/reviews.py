"""What a person decides about online payments: a loss looked at, and whether an invoice may be paid in part."""

from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.enums import Right, TaskKind
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from invoices.enums import StopKind
from invoices.models import Standstill
from invoices.services import standstill
from invoices.services.chores import close_chores
from payments.models import Checkout, CheckoutLine, Payment
from payments.services.applying import ORIGIN
from payments.services.reading_online import checkout_of


@transaction.atomic
def settle_review(*, payment: Payment, by: Membership) -> int:
    """Note that a person looked at money taken back: its invoices are reminded again; return how many holds ended."""
    ensure(by, Right.HOLD_REMINDERS)
    checkout = checkout_of(payment)
    held = _held(checkout) if checkout is not None else []
    for stop_id in held:
        standstill.release(standstill_id=stop_id)
    closed = close_chores(subject_id=payment.follows_id or payment.pk, kind=TaskKind.PAYMENT_REVERSED)
    if held or closed:
        journal.record("payment.reviewed", payment)
    return len(held)


@transaction.atomic
def allow_part_payments(*, to: bool, by: Membership) -> bool:
    """Let debtors pay a part of an invoice online, or no longer; say whether it changed."""
    ensure(by, Right.MANAGE_FIRM)
    changed = bool(Cabinet.objects.exclude(allows_part_payments=to).update(allows_part_payments=to))
    if changed:
        journal.record("cabinet.part_payments_allowed", Cabinet.objects.get(), to=to)
    return changed


def _held(checkout: Checkout) -> list[UUID]:
    invoices = CheckoutLine.objects.filter(checkout=checkout).values("invoice")
    stops = Standstill.objects.filter(
        kind=StopKind.HOLD, origin=ORIGIN, released_at=None, until_on=None, invoice__in=invoices
    )
    return list(stops.order_by("pk").values_list("pk", flat=True))
