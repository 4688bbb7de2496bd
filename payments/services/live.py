"""Before a reminder leaves: is a payment on its way that nobody told us of yet? The providers are asked, live.

A provider that does not answer holds the reminder; it never lets it through.
"""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from cabinets.scoping import tenant_atomic
from payments.enums import CheckoutState
from payments.errors import ProviderError
from payments.models import Checkout
from payments.providers.protocol import SHORT_TIMEOUT_SECONDS
from payments.services import asking

# An answer older than that no longer says that nobody is paying; a person who prints a letter takes longer to come.
FRESH = dt.timedelta(seconds=60)
FRESH_FOR_A_PERSON = dt.timedelta(minutes=10)
# A page that was asked for and not yet opened was shown to nobody.
_MAY_BE_PAID = (CheckoutState.OPEN, CheckoutState.PROCESSING)


def is_unasked(*, client_id: UUID, fresh: dt.timedelta = FRESH) -> bool:
    """Say whether a client may be paying at this very moment as far as we know; one query.

    Any of the client's payments: of the invoices a reminder names, and of whatever else its link lets pay.
    """
    return _unasked(fresh).filter(client=client_id).exists()


def ask(*, client_ids: Collection[UUID], timeout: float = SHORT_TIMEOUT_SECONDS) -> None:
    """Ask about every payment these clients may be making, and apply what is learnt; silence leaves them unasked.

    Call it while acting for the firm, outside any transaction: it calls over the network. Nobody paying costs one
    query and no call; a provider that is silent once is not waited for again.
    """
    with tenant_atomic():
        rows = list(_unasked(FRESH).filter(client__in=list(client_ids)).values_list("pk", "account_id"))
    silent: set[UUID] = set()
    for checkout_id, account_id in rows:
        if account_id in silent:
            continue
        try:
            asking.ask(checkout_id=checkout_id, timeout=timeout)
        except ProviderError:
            silent.add(account_id)


def ask_soon(*, client_id: UUID) -> None:
    """Have the clock ask within the minute, for a person who waits: a page makes no call over the network."""
    _unasked(FRESH).filter(client=client_id).update(ask_at=timezone.now())


def _unasked(fresh: dt.timedelta) -> QuerySet[Checkout]:
    stale = Q(asked_at=None) | Q(asked_at__lt=timezone.now() - fresh)
    return Checkout.objects.filter(stale, state__in=_MAY_BE_PAID).order_by("created_at", "pk")
