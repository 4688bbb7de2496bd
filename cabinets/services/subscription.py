"""A firm's subscription: its trial, the offer it chose, its end; the one place that silences a firm for it.

No card is taken here: choosing an offer records an agreement, and the operator invoices it.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import CabinetError
from cabinets.models import Cabinet, Membership, Offer, Subscription
from cabinets.permissions import ensure
from cabinets.ports import meter
from cabinets.scoping import working_for
from cabinets.services import partners
from cabinets.services.firm import every_firm
from cabinets.subscriptions import (
    SILENT,
    TRIAL_DAYS,
    WARNED_DAYS,
    Standing,
    Terms,
    first_day,
    last_day_paid,
    standing_of,
)

logger = logging.getLogger(__name__)


class SubscriptionError(CabinetError):
    """What the subscription's page refuses, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A firm's subscription as its page shows it."""

    standing: Standing
    subscription: Subscription | None
    offers: tuple[Offer, ...]
    followed: int
    """Invoices followed this month: open for at least a day of it."""
    on: dt.date
    is_demo: bool = False

    @property
    def is_beyond(self) -> bool:
        """Say whether the month's invoices exceed the offer's; nothing stops for it."""
        row = self.subscription
        return row is not None and row.offer_id is not None and self.followed > row.invoices

    @property
    def days_left(self) -> int:
        """Return how many days of the trial are left, today included."""
        ends_on = self.subscription.trial_ends_on if self.subscription else None
        return 0 if ends_on is None else max((ends_on - self.on).days + 1, 0)


def public_offers() -> list[Offer]:
    """Return what the operator sells, in its order."""
    return list(Offer.objects.filter(is_public=True))


def view_of(cabinet: Cabinet) -> View:
    """Return a firm's subscription as it stands today."""
    on, row = cabinet.today(), Subscription.objects.select_related("offer", "agreed_by__user").first()
    offers = tuple(public_offers())
    return View(
        standing=standing_of(_terms(row, is_sold=bool(offers), is_demo=cabinet.is_demo), on=on),
        subscription=row,
        offers=offers,
        followed=meter().followed(since=on.replace(day=1)),
        on=on,
        is_demo=cabinet.is_demo,
    )


@transaction.atomic
def begin_trial(*, on: dt.date) -> Subscription:
    """Give a firm its days of trial, once; one that was silenced before it had a subscription stays silent."""
    # The firm's row is there before its subscription's: two at once make one.
    cabinet = Cabinet.objects.select_for_update(of=("self",), no_key=True).get()
    row = Subscription.objects.first()
    if row is None:
        row = Subscription(trial_ends_on=on + dt.timedelta(days=TRIAL_DAYS - 1))
        if cabinet.subscription_suspended_at is not None:
            row.unpaid_since = cabinet.subscription_suspended_at.astimezone(cabinet.zone).date()
            row.silenced_at = cabinet.subscription_suspended_at
        row.save(force_insert=True)
        journal.record("subscription.trial_begun", row, ends_on=str(row.trial_ends_on))
    return row


@transaction.atomic
def choose(*, offer_id: UUID, monthly_cents: int, by: Membership) -> Subscription:
    """Record that a partner agrees to an offer at the price they read; it begins when the trial ends.

    Raise SubscriptionError, and record nothing, when the offer or its price is no longer the one that was read.
    """
    ensure(by, Right.MANAGE_SUBSCRIPTION)
    cabinet = Cabinet.objects.get()
    if cabinet.is_demo:
        raise SubscriptionError("Un cabinet de démonstration ne s’abonne pas. Rien n’a été enregistré.")
    offer = Offer.objects.filter(pk=offer_id, is_public=True).first()
    if offer is None or offer.monthly_cents != monthly_cents:
        raise SubscriptionError("Cette offre a changé pendant votre lecture. Rien n’a été enregistré : relisez-la.")
    begin_trial(on=cabinet.today())
    row = Subscription.objects.select_for_update(of=("self",)).get()
    if row.offer_id == offer.pk and row.monthly_cents == monthly_cents and row.ends_on is None:
        return row
    is_running = row.began_on is not None and (row.ends_on is None or cabinet.today() <= row.ends_on)
    row.began_on = row.began_on if is_running else first_day(trial_ends_on=row.trial_ends_on, on=cabinet.today())
    row.offer, row.monthly_cents, row.invoices = offer, monthly_cents, offer.invoices
    row.agreed_at, row.agreed_by = timezone.now(), by
    row.cancelled_at = row.ends_on = None
    row.save(update_fields=_AGREED)
    journal.record("subscription.chosen", row, offer=offer.name, monthly_cents=monthly_cents)
    settle(cabinet=cabinet)
    return row


@transaction.atomic
def cancel(*, by: Membership) -> Subscription:
    """Cancel: what is begun runs to its end, what is not begun is dropped and the trial runs to its own."""
    ensure(by, Right.MANAGE_SUBSCRIPTION)
    cabinet = Cabinet.objects.get()
    row = Subscription.objects.select_for_update(of=("self",)).select_related("offer").first()
    if row is None or row.began_on is None or row.ends_on is not None:
        raise SubscriptionError("Aucun abonnement n’est en cours. Rien n’a été modifié.")
    row.cancelled_at = timezone.now()
    if row.began_on > cabinet.today():
        row.began_on = row.offer = row.agreed_at = row.agreed_by = None
        row.monthly_cents = row.invoices = 0
    else:
        row.ends_on = last_day_paid(began_on=row.began_on, on=cabinet.today())
    row.save(update_fields=_AGREED)
    journal.record("subscription.cancelled", row, ends_on=str(row.ends_on or row.trial_ends_on))
    settle(cabinet=cabinet)
    return row


_AGREED = (
    "offer", "monthly_cents", "invoices", "began_on", "agreed_at", "agreed_by", "cancelled_at", "ends_on",
)  # fmt: skip


def last_day_of(cabinet: Cabinet) -> tuple[dt.date, bool] | None:
    """Return the last day there would be if it were cancelled now, and whether that may be taken back."""
    row = Subscription.objects.first()
    if row is None or row.began_on is None or row.ends_on is not None:
        return None
    if row.began_on > cabinet.today():
        return row.began_on - dt.timedelta(days=1), False
    return last_day_paid(began_on=row.began_on, on=cabinet.today()), True


@transaction.atomic
def take_back(*, by: Membership) -> Subscription:
    """Go on with what was cancelled and is not over yet, at the same price."""
    ensure(by, Right.MANAGE_SUBSCRIPTION)
    cabinet = Cabinet.objects.get()
    row = Subscription.objects.select_for_update(of=("self",)).first()
    if row is None or row.ends_on is None or cabinet.today() > row.ends_on:
        raise SubscriptionError("Cet abonnement n’est pas en cours de résiliation. Rien n’a été modifié.")
    row.ends_on = row.cancelled_at = None
    row.save(update_fields=["ends_on", "cancelled_at"])
    journal.record("subscription.resumed", row)
    return row


@transaction.atomic
def settle(*, cabinet: Cabinet) -> Standing:
    """Make the firm silent, or not, as its subscription stands; nothing else of it changes.

    A firm that has none yet is left as it is.
    """
    row = Subscription.objects.first()
    if row is None:
        return Standing.FREE
    is_sold = Offer.objects.filter(is_public=True).exists()
    standing = standing_of(_terms(row, is_sold=is_sold, is_demo=cabinet.is_demo), on=cabinet.today())
    silent, now = standing in SILENT, timezone.now()
    mine = Cabinet.objects.filter(pk=cabinet.pk)
    if silent and mine.filter(subscription_suspended_at=None).update(subscription_suspended_at=now):
        Subscription.objects.filter(pk=row.pk).update(silenced_at=now)
        journal.record("cabinet.subscription_suspended", cabinet, standing=standing.value)
    elif not silent and row.silenced_at is not None:
        Subscription.objects.filter(pk=row.pk).update(silenced_at=None)
        if mine.filter(subscription_suspended_at=row.silenced_at).update(subscription_suspended_at=None):
            journal.record("cabinet.subscription_restored", cabinet, standing=standing.value)
    return standing


def settle_every_firm() -> int:
    """Each night: give a firm without one its trial, warn of its end, silence what is over; return how many are."""
    silent = 0
    for cabinet_id, _ in every_firm():
        try:
            silent += _settle_one(cabinet_id)
        except Exception as error:
            logger.exception("subscription.unsettled", extra={"error": type(error).__name__})
    return silent


def _settle_one(cabinet_id: UUID) -> bool:
    with working_for(cabinet_id=cabinet_id):
        cabinet = Cabinet.objects.get()
        is_silenced = cabinet.subscription_suspended_at is not None
        if not cabinet.is_demo and (is_silenced or Offer.objects.filter(is_public=True).exists()):
            # A firm that was here before anything was sold is not silenced by surprise.
            begin_trial(on=cabinet.today())
        standing = settle(cabinet=cabinet)
        to_warn = _to_warn(cabinet, standing)
    if to_warn is not None:
        _warn(cabinet, to_warn)
    return standing in SILENT


def _to_warn(cabinet: Cabinet, standing: Standing) -> tuple[dt.date, Sequence[str]] | None:
    row = Subscription.objects.first()
    if standing is not Standing.TRIAL or row is None or row.trial_ends_on is None or row.began_on is not None:
        return None
    if row.warned_on is not None or (row.trial_ends_on - cabinet.today()).days >= WARNED_DAYS:
        return None
    Subscription.objects.filter(pk=row.pk).update(warned_on=cabinet.today())
    return row.trial_ends_on, partners.addresses()


def _warn(cabinet: Cabinet, warned: tuple[dt.date, Sequence[str]]) -> None:
    ends_on, to = warned
    text = render_to_string(
        "cabinets/mail_trial.txt",
        {"firm": cabinet, "ends_on": ends_on, "link": f"{settings.SITE_URL}/parametres/abonnement/"},
    )
    partners.tell(to, subject="Votre essai de Quittance se termine bientôt", text=text)


def _terms(row: Subscription | None, *, is_sold: bool, is_demo: bool) -> Terms:
    if row is None:
        return Terms(is_sold=False)
    return Terms(
        is_sold=is_sold and not is_demo,
        trial_ends_on=row.trial_ends_on,
        began_on=row.began_on,
        ends_on=row.ends_on,
        is_unpaid=row.unpaid_since is not None and not is_demo,
    )
