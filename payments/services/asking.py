"""Ask a provider what became of a checkout, and apply its answer: question outside any transaction, answer in one."""

import datetime as dt
import logging
from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic
from payments.enums import CheckoutState
from payments.errors import ProviderError
from payments.models import Checkout, CheckoutLine
from payments.providers.protocol import TIMEOUT_SECONDS
from payments.services import debiting, payability, roads
from payments.services.applying import apply
from payments.services.sweeping import SCHEDULER, by_firm

logger = logging.getLogger(__name__)

# A page asked for and never answered was shown to nobody: after that it is forgotten.
OPENING_LASTS = dt.timedelta(hours=1)
AGAIN = dt.timedelta(minutes=5)


def ask(*, checkout_id: UUID, timeout: float = TIMEOUT_SECONDS) -> bool:
    """Ask about one checkout of the firm acted for, apply the answer, and say whether anything changed.

    Raise ProviderError, with nothing changed, when no answer comes.
    """
    with tenant_atomic(durable=True):
        put = _question(checkout_id)
    if put is None:
        return False
    asked_at = timezone.now()
    snapshot = put(timeout)
    with tenant_atomic(durable=True):
        return apply(checkout_id=checkout_id, snapshot=snapshot, asked_at=asked_at)


def close(*, checkout_id: UUID) -> CheckoutState:
    """Make a checkout's page unpayable and return what it became: it may have been paid meanwhile.

    Raise ProviderError when no answer comes: the page may still be paid.
    """
    with tenant_atomic(durable=True):
        checkout = Checkout.objects.select_related("account").get(pk=checkout_id, mandate=None)
        if not checkout.ref:
            _forget(checkout_id)
            return CheckoutState.EXPIRED
        provider = roads.provider_of(checkout.account)
    asked_at = timezone.now()
    snapshot = provider.close(checkout.ref)
    with tenant_atomic(durable=True):
        apply(checkout_id=checkout_id, snapshot=snapshot, asked_at=asked_at)
        return CheckoutState(Checkout.objects.values_list("state", flat=True).get(pk=checkout_id))


def due(*, now: dt.datetime) -> dict[UUID, list[UUID]]:
    """Return the checkouts to ask about, by firm, as the scheduler sees them."""
    return by_firm(Checkout.all_cabinets.using(SCHEDULER).filter(ask_at__lte=now).order_by("ask_at", "pk"))


def ask_all(*, cabinet_id: UUID, checkout_ids: Sequence[UUID]) -> None:
    """Ask about each of these checkouts of one firm, each committed on its own; silence is asked again later."""
    with acting_for(cabinet_id=cabinet_id):
        for checkout_id in checkout_ids:
            try:
                ask(checkout_id=checkout_id)
            except ProviderError as error:
                logger.warning(
                    "checkout.unanswered", extra={"checkout_id": str(checkout_id), "is_refusal": error.is_refusal}
                )


def _question(checkout_id: UUID) -> debiting.Put | None:
    """Prepare a question, and date the next one first: whatever happens in between, it will be asked again."""
    locked = Checkout.objects.select_for_update(of=("self",), no_key=True).select_related("account")
    checkout = locked.get(pk=checkout_id)
    now = timezone.now()
    Checkout.objects.filter(pk=checkout_id, ask_at__lte=now).update(ask_at=now + AGAIN)
    if checkout.is_debit:
        return debiting.question_of(checkout, now=now)
    if not checkout.ref:
        if checkout.is_unsettled and now - checkout.created_at > OPENING_LASTS:
            _forget(checkout_id)
        return None
    provider, ref = roads.provider_of(checkout.account), checkout.ref
    # A page that must no longer be paid is closed, which answers too.
    if checkout.state == CheckoutState.OPEN and _asks_too_much(checkout):
        return lambda timeout: provider.close(ref)
    return lambda timeout: provider.fetch(ref, timeout=timeout)


def _forget(checkout_id: UUID) -> None:
    mine = Checkout.objects.filter(pk=checkout_id, state=CheckoutState.OPENING)
    mine.update(state=CheckoutState.EXPIRED, ended_at=timezone.now(), ask_at=None)


def _asks_too_much(checkout: Checkout) -> bool:
    """Say whether a page left open asks for what is no longer owed, or may no longer be paid at all."""
    lines = list(CheckoutLine.objects.filter(checkout=checkout).select_related("invoice"))
    asked = {line.invoice_id: line.cents for line in lines}
    on = Cabinet.objects.get().today()
    invoices = [line.invoice for line in lines]
    return bool(invoices) and bool(payability.refusal(invoices, asked, on=on, allows_parts=True))
