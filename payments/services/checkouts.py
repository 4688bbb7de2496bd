"""Begin an online payment: one page per debt at a time, written before it is asked for, and told to nobody before.

The row is committed, then the provider is spoken to outside any transaction, then its page is recorded: a process
killed anywhere leaves a page nobody was shown, and the same order sent again opens the same page.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet
from cabinets.scoping import tenant_atomic
from invoices.locks import lock_invoices
from invoices.models import Invoice
from payments.enums import UNSETTLED, CheckoutState, PaymentMeans
from payments.errors import CheckoutError, PaidMeanwhileError, ProviderError
from payments.models import Checkout, CheckoutLine, PaymentLink, ProviderAccount
from payments.providers.protocol import Order, Page
from payments.services import asking, links, payability, roads
from payments.services.applying import next_question
from payments.services.naming import label_of, numbers_of

logger = logging.getLogger(__name__)

PAGE_LASTS = dt.timedelta(hours=2)
# Nearer to its end than this, a page is not given to anybody any more.
MARGIN = dt.timedelta(minutes=5)
LEAST_CENTS = 100
MOST_INVOICES = 50
_TURNS = 3
_GONE = "Un autre paiement de cette facture a été commencé dans une autre fenêtre. Rien n’a été payé ici."
_SILENT = (
    "La page de paiement ne répond pas pour le moment. Rien n’a été payé ni enregistré : réessayez dans quelques"
    " minutes, ou payez par virement."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a turn found: the checkout to open, or the pages that stand in its way."""

    checkout_id: UUID | None
    in_the_way: tuple[UUID, ...] = ()


def begin(
    *, link: PaymentLink, shares: Mapping[UUID, int], means: PaymentMeans, account: ProviderAccount, form_id: UUID
) -> Checkout:
    """Return a checkout whose page is open for these invoices and amounts; the same wish twice gives the same page.

    Call it while acting for the firm, outside any transaction: it speaks to the provider. Raise CheckoutError with a
    sentence for the debtor when these sums may not be paid now, PaidMeanwhileError when they just were, ProviderError
    when the provider does not answer; in no case is anything recorded as paid but what the provider says is.
    """
    for _ in range(_TURNS):
        with tenant_atomic(durable=True):
            plan = _plan(link, dict(shares), means, account, form_id)
        if plan.checkout_id is not None:
            return _open(plan.checkout_id)
        for checkout_id in plan.in_the_way:
            _clear(checkout_id)
    raise CheckoutError(_GONE)


def _plan(
    link: PaymentLink, shares: dict[UUID, int], means: PaymentMeans, account: ProviderAccount, form_id: UUID
) -> Plan:
    """Find or write the checkout of a wish, its invoices locked."""
    _check_shares(shares)
    cabinet = Cabinet.objects.get()
    if means not in account.means or not roads.is_open(account, cabinet):
        raise CheckoutError("Ce moyen de paiement n’est plus proposé. Rien n’a été payé : choisissez-en un autre.")
    invoices = _locked(link, shares)
    known = Checkout.objects.filter(pk=form_id).first()
    if known is not None and known.link_id != link.pk:
        raise CheckoutError("Ce formulaire a déjà servi. Rien n’a été payé : reprenez la page.")
    if known is not None and known.state in {CheckoutState.PROCESSING, CheckoutState.PAID}:
        raise PaidMeanwhileError(known.pk)
    if why := payability.refusal(invoices, shares, on=cabinet.today(), allows_parts=cabinet.allows_part_payments):
        raise CheckoutError(why)
    waiting = _waiting(shares)
    same = [row for row in waiting if _is_same(row, link, shares, means, account)]
    if same and len(waiting) == 1:
        return Plan(same[0].pk)
    if waiting:
        return Plan(None, tuple(row.pk for row in waiting if row not in same[:1]))
    return Plan(_write(link, shares, means, account, form_id if known is None else uuid4()))


def _check_shares(shares: Mapping[UUID, int]) -> None:
    if not 0 < len(shares) <= MOST_INVOICES:
        raise CheckoutError("Choisissez au moins une facture. Rien n’a été payé.")
    if min(shares.values()) <= 0 or sum(shares.values()) < LEAST_CENTS:
        raise CheckoutError("Un paiement en ligne est d’un euro au moins. Rien n’a été payé.")


def _locked(link: PaymentLink, shares: Mapping[UUID, int]) -> list[Invoice]:
    """Lock the invoices a link opens; one it does not open is refused like one that does not exist."""
    opened = set(links.opened_by(link).filter(pk__in=list(shares)).values_list("pk", flat=True))
    if opened != set(shares):
        raise CheckoutError("Une facture choisie n’est plus dans cet espace. Rien n’a été payé : reprenez la page.")
    return lock_invoices(shares)


def _waiting(shares: Mapping[UUID, int]) -> list[Checkout]:
    """Return the checkouts that may still be paid and touch one of these invoices."""
    touching = CheckoutLine.objects.filter(invoice__in=list(shares)).values("checkout")
    rows = Checkout.objects.filter(pk__in=touching, state__in=UNSETTLED).order_by("created_at", "pk")
    return list(rows.prefetch_related("lines"))


def _is_same(
    row: Checkout, link: PaymentLink, shares: Mapping[UUID, int], means: PaymentMeans, account: ProviderAccount
) -> bool:
    now = timezone.now()
    is_fresh = (row.expires_at or row.created_at + PAGE_LASTS) > now + MARGIN
    wish = (row.link_id, row.account_id, row.means, {line.invoice_id: line.cents for line in row.lines.all()})
    return is_fresh and wish == (link.pk, account.pk, means, dict(shares))


def _write(
    link: PaymentLink, shares: Mapping[UUID, int], means: PaymentMeans, account: ProviderAccount, pk: UUID
) -> UUID:
    now = timezone.now()
    checkout = Checkout(
        id=pk,
        account=account,
        link=link,
        client=link.client,
        means=means,
        cents=sum(shares.values()),
        expires_at=now + PAGE_LASTS,
        ask_at=now + asking.OPENING_LASTS,
    )
    checkout.save(force_insert=True)
    lines = [CheckoutLine(checkout=checkout, invoice_id=pk, cents=cents) for pk, cents in sorted(shares.items())]
    CheckoutLine.objects.bulk_create(lines)
    journal.record("checkout.begun", checkout, provider=account.provider, invoices=[str(pk) for pk in shares])
    return checkout.pk


def _open(checkout_id: UUID) -> Checkout:
    """Ask the provider for the page of a checkout, unless it is open already, and record it."""
    with tenant_atomic(durable=True):
        checkout = Checkout.objects.select_related("account", "link").get(pk=checkout_id)
        if checkout.state == CheckoutState.OPEN and checkout.url:
            return checkout
        order, provider = _order(checkout), roads.provider_of(checkout.account)
    try:
        page = provider.open(order)
    except ProviderError as error:
        with tenant_atomic(durable=True):
            _note_silence(checkout_id, error)
        raise
    with tenant_atomic(durable=True):
        opened = _note_page(checkout_id, page)
    if opened is None:
        _close_what_nobody_was_shown(checkout, page)
        raise CheckoutError(_GONE)
    return opened


def _order(checkout: Checkout) -> Order:
    home = links.url_of(checkout.link)  # type: ignore[arg-type]  # what a debtor begins has a link
    return Order(
        reference=str(checkout.pk),
        cents=checkout.cents,
        label=label_of(numbers_of(checkout)),
        means=PaymentMeans(checkout.means),
        return_url=f"{home}retour/{checkout.pk}/",
        cancel_url=f"{home}retour/{checkout.pk}/?abandon=1",
        notice_url=roads.notice_url(checkout.account),
        expires_at=checkout.expires_at,
    )


def _note_page(checkout_id: UUID, page: Page) -> Checkout | None:
    """Record an open page; None when the checkout was given up while it was asked for."""
    locked = Checkout.objects.select_for_update(of=("self",), no_key=True).select_related("account")
    checkout: Checkout = locked.get(pk=checkout_id)
    if checkout.state == CheckoutState.OPEN and checkout.ref == page.ref:
        return checkout
    if checkout.state != CheckoutState.OPENING:
        return None
    checkout.state, checkout.ref, checkout.url = CheckoutState.OPEN, page.ref, page.url
    checkout.expires_at = page.expires_at or checkout.expires_at
    checkout.failure = ""
    checkout.ask_at = next_question(checkout, now=timezone.now())
    checkout.save(update_fields=["state", "ref", "url", "expires_at", "failure", "ask_at"])
    return checkout


def _note_silence(checkout_id: UUID, error: ProviderError) -> None:
    """A refusal ends the checkout; silence leaves it to be asked for again, under the same reference."""
    mine = Checkout.objects.filter(pk=checkout_id, state=CheckoutState.OPENING)
    if error.is_refusal:
        mine.update(state=CheckoutState.FAILED, failure="refused", ended_at=timezone.now(), ask_at=None)
    else:
        mine.update(failure="unanswered")


def _close_what_nobody_was_shown(checkout: Checkout, page: Page) -> None:
    """Close a page opened for a checkout that was given up meanwhile: its address was told to nobody."""
    try:
        roads.provider_of(checkout.account).close(page.ref)
    except ProviderError:
        logger.warning("checkout.left_open", extra={"checkout_id": str(checkout.pk)})


def _clear(checkout_id: UUID) -> None:
    """Close a page that stands in the way of another; PaidMeanwhileError when it turns out to be paid."""
    state = asking.close(checkout_id=checkout_id)
    if state in {CheckoutState.PAID, CheckoutState.PROCESSING}:
        raise PaidMeanwhileError(checkout_id)
    if state in UNSETTLED:
        raise ProviderError(_SILENT)
