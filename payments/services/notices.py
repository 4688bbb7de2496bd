"""What providers announce: kept as it came, answered at once, then asked again of the provider, who alone decides."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic, working_for
from payments.enums import NoticeState
from payments.errors import PaymentError, ProviderError
from payments.models import Checkout, ProviderAccount, ProviderNotice
from payments.providers.protocol import Notice
from payments.services import asking, mandates, roads
from payments.services.sweeping import SCHEDULER, by_firm

logger = logging.getLogger(__name__)

MOST_TRIES = 10
MINUTE = dt.timedelta(minutes=1)
# A page may be announced before its opening is written here; after that it is another software's.
TRIES_OF_A_STRANGER = 3


@dataclass(frozen=True, slots=True)
class Named:
    """A notice as it is handled: what it names, and where to ask."""

    notice_id: UUID
    account_id: UUID
    ref: str
    payment_ref: str
    tries: int


def account_of(hook: str) -> tuple[UUID, UUID] | None:
    """Return the account an address belongs to and its firm, before any firm is acted for; None for nobody's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_id, cabinet_id FROM quittance_token('provider', %s)", [roads.hook_digest(hook)])
        row = cursor.fetchone()
    return None if row is None else (UUID(str(row[0])), UUID(str(row[1])))


def receive(*, account_id: UUID, cabinet_id: UUID, body: bytes, headers: Mapping[str, str]) -> list[UUID]:
    """Check and store what a provider announces, in one transaction; return what is new and to be handled.

    Raise NoticeError, with nothing stored, for what is not signed as it should. The same notice twice is one row.
    """
    with working_for(cabinet_id=cabinet_id):
        account = ProviderAccount.objects.get(pk=account_id)
        notices = roads.provider_of(account).read_notices(body=body, headers=headers)
        known = ProviderNotice.objects.filter(account=account, event_id__in=[one.event_id[:120] for one in notices])
        seen = set(known.values_list("event_id", flat=True))
        rows = [_row(account, one) for one in notices if one.event_id[:120] not in seen]
        if rows:
            # A batch is one body: kept once.
            rows[0].body = body.decode(errors="replace")
            ProviderNotice.objects.bulk_create(rows, ignore_conflicts=True)
        return [row.pk for row in rows if row.state == NoticeState.RECEIVED]


def _row(account: ProviderAccount, notice: Notice) -> ProviderNotice:
    is_ours = notice.is_about_payments and bool(notice.ref or notice.payment_ref)
    now = timezone.now()
    return ProviderNotice(
        account=account,
        event_id=notice.event_id[:120],
        kind=notice.kind[:60],
        ref=notice.ref[:100],
        payment_ref=notice.payment_ref[:100],
        state=NoticeState.RECEIVED if is_ours else NoticeState.IGNORED,
        received_at=now,
        handled_at=None if is_ours else now,
    )


def due(*, now: dt.datetime) -> dict[UUID, list[UUID]]:
    """Return the notices to handle, by firm, as the scheduler sees them."""
    waiting = ProviderNotice.all_cabinets.using(SCHEDULER).filter(state=NoticeState.RECEIVED, due_at__lte=now)
    return by_firm(waiting.order_by("due_at", "pk"))


def firm_of(*, notice_id: UUID) -> UUID | None:
    """Return the firm a notice belongs to, as the scheduler sees it; None when it is gone (its store was undone)."""
    rows = ProviderNotice.all_cabinets.using(SCHEDULER).filter(pk=notice_id)
    return rows.values_list("cabinet_id", flat=True).first()


def handle(*, cabinet_id: UUID, notice_id: UUID) -> NoticeState | None:
    """Ask the provider about what a notice names and apply the answer; None when it waits for nobody any more."""
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic(durable=True):
            named = _take(notice_id)
        if named is None:
            return None
        try:
            if (mandate_id := _mandate_of(named)) is not None:
                return _settle_mandate(named, mandate_id)
            checkout_id = _checkout_of(named)
            if checkout_id is None:
                return _settle_stranger(named)
            changed = asking.ask(checkout_id=checkout_id)
        except PaymentError as error:
            return _note_failure(named, error)
        state = NoticeState.APPLIED if changed else NoticeState.IGNORED
        with tenant_atomic(durable=True):
            _end(named, state, checkout_id=checkout_id)
        return state


@transaction.atomic
def replay(*, notice_id: UUID, by: Membership) -> bool:
    """Put a notice back among those to handle; False when it waits already. The provider decides again."""
    ensure(by, Right.MANAGE_FIRM)
    mine = ProviderNotice.objects.filter(pk=notice_id).exclude(state=NoticeState.RECEIVED)
    again = mine.update(state=NoticeState.RECEIVED, tries=0, failure="", due_at=timezone.now(), handled_at=None)
    if again:
        journal.record("providernotice.replayed", ProviderNotice.objects.get(pk=notice_id))
    return bool(again)


def _take(notice_id: UUID) -> Named | None:
    """Count a try and date the next one first: whatever happens in between, it will be tried again."""
    locked = ProviderNotice.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    notice = locked.filter(pk=notice_id, state=NoticeState.RECEIVED).first()
    if notice is None:
        return None
    notice.tries += 1
    notice.due_at = timezone.now() + MINUTE * 2 ** (notice.tries - 1)
    notice.save(update_fields=["tries", "due_at"])
    return Named(notice.pk, notice.account_id, notice.ref, notice.payment_ref, notice.tries)


def _mandate_of(named: Named) -> UUID | None:
    if not named.ref:
        return None
    with tenant_atomic(durable=True):
        return mandates.named(account_id=named.account_id, ref=named.ref)


def _settle_mandate(named: Named, mandate_id: UUID) -> NoticeState:
    state = NoticeState.APPLIED if mandates.ask(mandate_id=mandate_id) else NoticeState.IGNORED
    with tenant_atomic(durable=True):
        _end(named, state)
    return state


def _checkout_of(named: Named) -> UUID | None:
    """Find the checkout a notice is about: by its page, by its payment, or by asking whose payment it is."""
    with tenant_atomic(durable=True):
        mine = Checkout.objects.filter(account=named.account_id)
        if named.ref:
            return mine.filter(ref=named.ref).values_list("pk", flat=True).first()
        known = mine.filter(payment_ref=named.payment_ref).values_list("pk", flat=True).first()
        if known is not None:
            return known
        provider = roads.provider_of(ProviderAccount.objects.get(pk=named.account_id))
    ref = provider.find(named.payment_ref)
    if not ref:
        return None
    with tenant_atomic(durable=True):
        found = Checkout.objects.filter(account=named.account_id, ref=ref)
        return found.values_list("pk", flat=True).first()


def _settle_stranger(named: Named) -> NoticeState:
    state = NoticeState.IGNORED if named.tries >= TRIES_OF_A_STRANGER else NoticeState.RECEIVED
    if state == NoticeState.IGNORED:
        with tenant_atomic(durable=True):
            _end(named, state, failure="Ce paiement n’est pas passé par Quittance.")
    return state


def _note_failure(named: Named, error: PaymentError) -> NoticeState:
    """Keep why a notice could not be handled; a refusal is final, silence is tried again for seventeen hours."""
    is_final = named.tries >= MOST_TRIES or (isinstance(error, ProviderError) and error.is_refusal)
    state = NoticeState.DEAD if is_final else NoticeState.RECEIVED
    with tenant_atomic(durable=True):
        _end(named, state, failure=str(error)[:200])
    logger.warning("notice.unhandled", extra={"notice_id": str(named.notice_id), "is_final": is_final})
    return state


def _end(named: Named, state: NoticeState, *, checkout_id: UUID | None = None, failure: str = "") -> None:
    mine = ProviderNotice.objects.filter(pk=named.notice_id, state=NoticeState.RECEIVED)
    handled_at = None if state == NoticeState.RECEIVED else timezone.now()
    mine.update(state=state, checkout_id=checkout_id, failure=failure, handled_at=handled_at)
