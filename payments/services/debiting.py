"""The debits of a plan under its mandate: written ahead of their day, asked of the bank once, taken back while it may.

A debit is a checkout nobody came to a page for. It is written and committed first (« Page demandée »), marked as asked
(« Page ouverte ») and committed again, then asked for outside any transaction, under its own id. A process killed
anywhere leaves a row that says how far it went: one that was never asked may be forgotten, one that was asked is
looked for at the provider before anything else is done about it.
"""

import datetime as dt
from collections.abc import Callable, Collection
from enum import StrEnum
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet
from cabinets.scoping import tenant_atomic
from invoices.enums import InvoiceState, StopKind
from invoices.locks import lock_invoices
from invoices.models import Invoice
from payments.debits import DebitFacts, Verdict, is_time, spread, verdict_of
from payments.enums import UNSETTLED, CheckoutState, MandateState, PaymentMeans, PlanState
from payments.freshness import are_payments_stale
from payments.models import Checkout, CheckoutLine, Instalment, Mandate, PaymentPlan, PlanLine
from payments.plans import Standing
from payments.providers.protocol import Order, Snapshot, Stage
from payments.services import payability, roads
from payments.services import plan_terms as terms
from payments.services.naming import label_of, numbers_of
from payments.services.plan_reading import View, view_of

Put = Callable[[float], Snapshot]
# What is part of a plan that runs well, and stops no debit of it.
_OWN = frozenset({StopKind.PLAN, StopKind.PAYMENT_IN_FLIGHT})
_STOPS = frozenset(StopKind) - _OWN


def write_due(*, on: dt.date) -> int:
    """Write the debits whose time has come, each in a transaction of its own, for the sweep to ask; return how many.

    Run again the same day, it writes nothing more: an instalment is presented to the bank once.
    """
    with tenant_atomic():
        signed = Mandate.objects.filter(state=MandateState.SIGNED, plan__state=PlanState.ACTIVE).order_by("pk")
        ids = list(signed.values_list("pk", flat=True))
    written = 0
    for mandate_id in ids:
        with tenant_atomic():
            written += _write_one(mandate_id, on=on)
    return written


def question_of(checkout: Checkout, *, now: dt.datetime) -> Put | None:
    """Return what to ask of the provider about a debit; nothing while it waits, or when it needed no asking to end.

    Call it in a transaction: the debit is marked as asked before it is.
    """
    provider = roads.collector_of(checkout.account)
    ref, verdict = checkout.ref, verdict_on(checkout)
    if ref:
        if verdict is Verdict.NO and checkout.state == CheckoutState.PROCESSING:
            return lambda timeout: provider.close(ref)
        return lambda timeout: provider.fetch(ref, timeout=timeout)
    mandate_ref, order = _source(checkout)[0].mandate_ref, order_of(checkout)
    if checkout.state == CheckoutState.OPENING:
        if verdict is not Verdict.GO:
            _put_off(checkout, verdict, now=now)
            return None
        mine = Checkout.objects.filter(pk=checkout.pk, state=CheckoutState.OPENING)
        mine.update(state=CheckoutState.OPEN)
        return lambda timeout: provider.charge(mandate_ref, order)
    if verdict is Verdict.GO:
        return lambda timeout: provider.charge(mandate_ref, order)

    def look(timeout: float) -> Snapshot:
        """Find what an unanswered demand became; one that was taken is taken back where the verdict says so."""
        found = provider.charged(mandate_ref, order.reference)
        if found is None:
            return Snapshot(ref="", stage=Stage.EXPIRED if verdict is Verdict.NO else Stage.OPEN)
        return provider.close(found.ref) if verdict is Verdict.NO else found

    return look


def verdict_on(checkout: Checkout) -> Verdict:
    """Say what may become of a debit, as things stand."""
    cabinet = Cabinet.objects.get()
    on = cabinet.today()
    mandate, instalment = _source(checkout)
    view = view_of(mandate.plan, on=on)
    part = next(one for one in view.parts if one.rank == instalment.rank)
    return verdict_of(_facts(mandate, view, cabinet, left=_left(view, part), cents=checkout.cents, but=checkout.pk))


def order_of(checkout: Checkout) -> Order:
    """Return a debit as it is asked for: never before the day announced, under its own reference."""
    _, instalment = _source(checkout)
    return Order(
        reference=str(checkout.pk),
        cents=checkout.cents,
        label=label_of(numbers_of(checkout), before=f"Versement {instalment.rank}, "),
        means=PaymentMeans.DEBIT,
        return_url="",
        cancel_url="",
        notice_url=roads.notice_url(checkout.account),
        charge_on=instalment.due_on,
    )


def hurry(*, plan_ids: Collection[UUID]) -> None:
    """Have the debits of these plans looked at within the minute: one may have to be taken back."""
    mine = Checkout.objects.filter(mandate__plan__in=plan_ids, state__in=UNSETTLED)
    mine.update(ask_at=timezone.now())


def debits_of(plan: PaymentPlan) -> list[Checkout]:
    """Return what was presented to the bank for a plan, in the order of its dates."""
    rows = Checkout.objects.filter(instalment__plan=plan).exclude(state=CheckoutState.EXPIRED)
    return list(rows.select_related("instalment", "payment").order_by("instalment__rank"))


class Collecting(StrEnum):
    """Whether an instalment comes by itself."""

    NO = "no"
    SURE = "sure"
    """Its debit is with the bank, under a mandate in force, and nothing else is on its way for these invoices."""
    UNSURE = "unsure"


def collecting_of(plan: PaymentPlan, instalment: Instalment) -> Collecting:
    """Say whether an instalment is collected: what is written to its debtor before its date depends on it."""
    is_signed = Mandate.objects.filter(plan=plan, state=MandateState.SIGNED).exists()
    debits = Checkout.objects.filter(instalment=instalment).exclude(state=CheckoutState.EXPIRED)
    state = debits.values_list("state", flat=True).first()
    if state in {CheckoutState.FAILED, CheckoutState.REVERSED} or (state is None and not is_signed):
        return Collecting.NO
    lines = CheckoutLine.objects.filter(invoice__in=PlanLine.objects.filter(plan=plan).values("invoice"))
    others = lines.filter(checkout__state=CheckoutState.PROCESSING).exclude(checkout__instalment__plan=plan)
    is_alone = state == CheckoutState.PROCESSING and not others.exists()
    return Collecting.SURE if is_signed and is_alone else Collecting.UNSURE


def is_any_on_its_way(plan: PaymentPlan) -> bool:
    """Say whether money of a plan's invoices is on its way, by whatever road: its dates wait for the answer."""
    return bool(payability.in_flight(PlanLine.objects.filter(plan=plan).values_list("invoice_id", flat=True)))


def _write_one(mandate_id: UUID, *, on: dt.date) -> int:
    plan_id = Mandate.objects.values_list("plan", flat=True).get(pk=mandate_id)
    # The invoices first, as whoever records a payment does.
    lock_invoices(PlanLine.objects.filter(plan=plan_id).values("invoice_id"))
    locked = Mandate.objects.select_for_update(of=("self",), no_key=True).select_related("plan", "account")
    mandate = locked.get(pk=mandate_id)
    cabinet, view = Cabinet.objects.get(), view_of(mandate.plan, on=on)
    rows = {row.rank: row for row in Instalment.objects.filter(plan=plan_id)}
    kept = Checkout.objects.filter(instalment__plan=plan_id).exclude(state=CheckoutState.EXPIRED)
    presented = set(kept.values_list("instalment__rank", flat=True))
    written, territory = 0, terms.territory_in_force()
    for part in view.parts:
        cents = _left(view, part)
        if part.rank in presented or cents <= 0 or not is_time(part.due_on, on=on, territory=territory):
            continue
        facts = _facts(mandate, view, cabinet, left=cents, cents=cents)
        parts = spread(cents, _free(view))
        if verdict_of(facts) is Verdict.GO and sum(parts.values()) == cents:
            _write(mandate, rows[part.rank], parts)
            written += 1
    return written


def _write(mandate: Mandate, instalment: Instalment, parts: dict[UUID, int]) -> None:
    checkout = Checkout(
        account=mandate.account,
        client_id=mandate.client_id,
        mandate=mandate,
        instalment=instalment,
        means=PaymentMeans.DEBIT,
        cents=sum(parts.values()),
        ask_at=timezone.now(),
    )
    checkout.save(force_insert=True)
    CheckoutLine.objects.bulk_create(
        CheckoutLine(checkout=checkout, invoice_id=pk, cents=cents) for pk, cents in sorted(parts.items())
    )
    journal.record("checkout.planned", checkout, instalment=instalment.rank, invoices=[str(pk) for pk in parts])


def _facts(
    mandate: Mandate, view: View, cabinet: Cabinet, *, left: int, cents: int, but: UUID | None = None
) -> DebitFacts:
    ids = [one.pk for one in view.invoices if one.state == InvoiceState.OPEN and one.outstanding_cents > 0]
    owed = list(Invoice.objects.filter(pk__in=ids).select_related("dossier"))
    stops = [stop for stop in payability.stops_of(mandate.client_id, kinds=_STOPS) if payability.holds(stop, view.on)]
    lines = CheckoutLine.objects.filter(invoice__in=ids, checkout__state__in=UNSETTLED)
    return DebitFacts(
        is_mandate_signed=mandate.state == MandateState.SIGNED,
        is_plan_running=view.plan.state == PlanState.ACTIVE,
        is_stopped=any(payability.reaches(stop, one) for stop in stops for one in owed)
        or not all(terms.may_be_asked(one.dossier) for one in owed),
        is_road_open=roads.is_open(mandate.account, cabinet) and (cabinet.is_live or cabinet.is_demo),
        is_paid_elsewhere=lines.exclude(checkout=but).filter(checkout__mandate=None).exists(),
        is_source_stale=are_payments_stale(
            declared_on=cabinet.settlements_declared_on, feed_fresh_until_on=cabinet.feed_fresh_until_on, on=view.on
        ),
        left_cents=left,
        cents=cents,
    )


def _left(view: View, part: Standing) -> int:
    """Return what is left of an instalment; never more than is owed at all."""
    return min(part.left_cents, view.left_cents)


def _free(view: View) -> list[tuple[UUID, int]]:
    """Return what is left of each invoice beyond the debits already on their way."""
    ids = [one.pk for one in view.invoices if one.state == InvoiceState.OPEN]
    lines = CheckoutLine.objects.filter(invoice__in=ids, checkout__state__in=UNSETTLED).values("invoice")
    taken = dict(lines.annotate(cents=Sum("cents")).values_list("invoice", "cents"))
    return [(one.pk, one.outstanding_cents - taken.get(one.pk, 0)) for one in view.invoices if one.pk in ids]


def _source(checkout: Checkout) -> tuple[Mandate, Instalment]:
    """Return by what a debit is collected, and for which date, as they are now."""
    found = Checkout.objects.select_related("mandate__plan", "mandate__account", "instalment").get(pk=checkout.pk)
    assert found.mandate is not None and found.instalment is not None  # noqa: S101, PT018 - the check of its table
    return found.mandate, found.instalment


def _put_off(checkout: Checkout, verdict: Verdict, *, now: dt.datetime) -> None:
    """Forget a debit the bank was never asked for: while its plan runs, another night writes it again."""
    mine = Checkout.objects.filter(pk=checkout.pk, state=CheckoutState.OPENING)
    mine.update(state=CheckoutState.EXPIRED, ended_at=now, ask_at=None)
    journal.record("checkout.forgotten", checkout, verdict=verdict.value)
