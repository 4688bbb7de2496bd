"""The list of payments, page by page, as far as the person sees what they paid."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from cabinets.models import Client
from cabinets.sealing import open_together
from payments.enums import PaymentMeans
from payments.models import Allocation, Checkout, Payment

PAGE = 50


@dataclass(frozen=True, slots=True)
class Paid:
    """An invoice a payment settled, as far as it did."""

    invoice_id: UUID
    number: str
    cents: int


@dataclass(frozen=True, slots=True)
class ListedPayment:
    """A payment as listed: its amount is what the person may know of it."""

    payment: Payment
    client_name: str
    cents: int
    paid: tuple[Paid, ...]
    is_online: bool = False
    """Whether it is in through a provider, where it is refunded."""


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """Fifty payments at most, the latest first, and where the next ones begin."""

    rows: tuple[ListedPayment, ...]
    after: str


def listed_payments(*, sees_every_file: bool) -> QuerySet[Payment]:
    """Return the payments a person may read or take back: those of their dossiers, unless they see every file."""
    payments: QuerySet[Payment] = Payment.objects.all()
    if sees_every_file:
        return payments
    return payments.filter(Exists(Allocation.objects.filter(payment=OuterRef("pk"))))


def payment_page(*, sees_every_file: bool, after: str = "") -> PaymentPage:
    """Return a page of payments; who sees some dossiers only sees what these received."""
    payments = listed_payments(sees_every_file=sees_every_file).order_by("-received_on", "-pk")
    rows = list(_after(payments, after).select_related("client")[: PAGE + 1])
    shown = rows[:PAGE]
    last = shown[-1] if len(rows) > PAGE else None
    listed = _listed(shown, sees_every_file=sees_every_file)
    return PaymentPage(tuple(listed), f"{last.received_on:%Y-%m-%d}_{last.pk}" if last else "")


def payments_of(cents: int, *, sees_every_file: bool, limit: int) -> list[ListedPayment]:
    """Return the latest payments of this amount; to who sees some dossiers only, the amount is what these received."""
    payments = listed_payments(sees_every_file=sees_every_file)
    if sees_every_file:
        payments = payments.filter(cents=cents)
    else:
        # The wall hides the shares of other dossiers: the sum is of what the person may see.
        seen = Allocation.objects.filter(payment=OuterRef("pk")).order_by().values("payment")
        whole = seen.annotate(whole=Sum(F("cents") + F("accessory_cents"))).values("whole")
        payments = payments.annotate(seen_cents=Subquery(whole)).filter(seen_cents=cents)
    rows = list(payments.select_related("client").order_by("-received_on", "-pk")[:limit])
    return _listed(rows, sees_every_file=sees_every_file)


def paid_by_credit(*, client_id: UUID, sees_every_file: bool) -> list[ListedPayment]:
    """Return what a client's credit paid, the latest first, as far as the person sees it."""
    payments = listed_payments(sees_every_file=sees_every_file)
    rows = payments.filter(client=client_id, means=PaymentMeans.CREDIT).select_related("client")
    return _listed(list(rows.order_by("-received_on", "-recorded_at")), sees_every_file=sees_every_file)


def _listed(shown: list[Payment], *, sees_every_file: bool) -> list[ListedPayment]:
    paid = _paid(shown)
    online = set(Checkout.objects.filter(payment__in=shown).values_list("payment_id", flat=True))
    clients: list[Client] = [row.client for row in shown]
    open_together(clients)
    return [
        ListedPayment(
            payment=row,
            client_name=row.client.display_name,
            cents=row.cents if sees_every_file else sum(part.cents for part in paid[row.pk]),
            paid=tuple(paid[row.pk]),
            is_online=row.pk in online,
        )
        for row in shown
    ]


def _after(payments: QuerySet[Payment], cursor: str) -> QuerySet[Payment]:
    day, _, last = cursor.partition("_")
    try:
        received_on, payment_id = dt.date.fromisoformat(day), UUID(last)
    except ValueError:
        return payments
    return payments.filter(Q(received_on__lt=received_on) | Q(received_on=received_on, pk__lt=payment_id))


def _paid(payments: list[Payment]) -> dict[UUID, list[Paid]]:
    found: dict[UUID, list[Paid]] = defaultdict(list)
    shares = Allocation.objects.filter(payment__in=payments).order_by("invoice__number_key")
    whole = shares.annotate(whole=F("cents") + F("accessory_cents"))
    for payment_id, invoice_id, number, cents in whole.values_list("payment", "invoice", "invoice__number", "whole"):
        found[payment_id].append(Paid(invoice_id, number, cents))
    return found
