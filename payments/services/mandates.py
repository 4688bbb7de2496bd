"""A debtor's leave to collect a plan: agreed on our page, signed on the provider's, ended by whoever ends it first.

Ending is written and committed before the provider is told: from that instant nothing more is asked of the bank, and
the provider is told again until it says so itself.
"""

import datetime as dt
import logging
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic
from invoices.money import show_euros
from payments.enums import STANDING_MANDATES, MandateEnd, MandateState, PaymentMeans, PlanState
from payments.errors import CheckoutError, ProviderError
from payments.models import Instalment, Mandate, PaymentLink, PaymentPlan, ProviderAccount
from payments.providers.protocol import TIMEOUT_SECONDS, MandateFacts, MandateProvider, MandateStage, Order, Page
from payments.services import debiting, links, roads
from payments.services.sweeping import SCHEDULER, by_firm
from templates_lib.rendering import day_words, typeset

logger = logging.getLogger(__name__)

# A page nobody signed on is closed after a week.
PAGE_LASTS = dt.timedelta(days=7)
MARGIN = dt.timedelta(minutes=5)
# How often a mandate is asked about by itself: a notice may be lost.
SOON, DAILY = dt.timedelta(minutes=30), dt.timedelta(days=1)
_NOT_NOW = "Le prélèvement n’est pas possible pour cet échéancier en ce moment. Rien n’a été demandé."


def standing(plan: PaymentPlan) -> Mandate | None:
    """Return the mandate of a plan that waits for its signature or is in force."""
    return Mandate.objects.filter(plan=plan, state__in=STANDING_MANDATES).select_related("account").first()


def signed_plans(plans: Collection[PaymentPlan]) -> set[UUID]:
    """Return which of these plans are collected by a mandate in force."""
    rows = Mandate.objects.filter(plan__in=plans, state=MandateState.SIGNED)
    return set(rows.values_list("plan_id", flat=True))


def history(plan: PaymentPlan) -> list[Mandate]:
    """Return every mandate of a plan, the latest first."""
    return list(Mandate.objects.filter(plan=plan).select_related("account").order_by("-agreed_at"))


def is_offered(plan: PaymentPlan, cabinet: Cabinet) -> bool:
    """Say whether a debtor may ask that this plan be collected."""
    return plan.state == PlanState.ACTIVE and roads.collecting_account(cabinet) is not None


def consent_to(plan: PaymentPlan, *, cabinet: Cabinet) -> str:
    """Return what a debtor agrees to, word for word: who collects what, on which days, and how it is stopped.

    The dates and the amounts are announced here once for all, which stands for the notice SEPA asks before each debit.
    """
    parts = Instalment.objects.filter(plan=plan).order_by("rank").values_list("cents", "due_on")
    dated = ", ".join(f"{show_euros(cents)} le {day_words(day)}" for cents, day in parts)
    return typeset(
        f"J’autorise {cabinet.name} à prélever sur mon compte les versements de cet échéancier qui restent à payer, et"
        f" eux seuls : {dated}. Ces dates et ces montants me sont annoncés ici une fois pour toutes, en plus du rappel"
        " envoyé avant chaque date. Un versement déjà payé autrement n’est pas prélevé. Je peux arrêter à tout moment"
        " depuis cette page, et demander à ma banque le remboursement d’un prélèvement pendant huit semaines."
    )


def begin(*, link: PaymentLink, plan_id: UUID, consent: str) -> Mandate:
    """Note what the debtor agreed to and return the mandate with a page to sign it on; twice gives the same page.

    Call it while acting for the firm, outside any transaction: it speaks to the provider. Raise CheckoutError with a
    sentence for the debtor when it may not be, ProviderError when the provider does not answer.
    """
    with tenant_atomic(durable=True):
        mandate = _find_or_write(link, plan_id, consent)
        if mandate.state == MandateState.SIGNED or _is_open(mandate):
            return mandate
        order, provider = _order(mandate, link), roads.collector_of(mandate.account)
    page = provider.authorise(order)
    with tenant_atomic(durable=True):
        return _note_page(mandate.pk, page)


def ask(*, mandate_id: UUID, timeout: float = TIMEOUT_SECONDS) -> bool:
    """Ask the provider about a mandate, end it there when it ended here; say whether anything changed.

    Raise ProviderError, with nothing changed, when no answer comes.
    """
    with tenant_atomic(durable=True):
        found = _question(mandate_id)
    if found is None:
        return False
    provider, ref, must_end = found
    facts = provider.end_mandate(ref) if must_end else provider.mandate(ref, timeout=timeout)
    with tenant_atomic(durable=True):
        return _apply(mandate_id, facts)


def ask_all(*, cabinet_id: UUID, mandate_ids: Sequence[UUID]) -> None:
    """Ask about each of these mandates of one firm; silence is asked again later."""
    with acting_for(cabinet_id=cabinet_id):
        for mandate_id in mandate_ids:
            try:
                ask(mandate_id=mandate_id)
            except ProviderError as error:
                logger.warning(
                    "mandate.unanswered", extra={"mandate_id": str(mandate_id), "is_refusal": error.is_refusal}
                )


def due(*, now: dt.datetime) -> dict[UUID, list[UUID]]:
    """Return the mandates to ask about, by firm, as the scheduler sees them."""
    return by_firm(Mandate.all_cabinets.using(SCHEDULER).filter(ask_at__lte=now).order_by("ask_at", "pk"))


def named(*, account_id: UUID, ref: str) -> UUID | None:
    """Return the mandate a notice names, by its page or by itself."""
    mine = Mandate.objects.filter(Q(ref=ref) | Q(mandate_ref=ref), account=account_id)
    return mine.values_list("pk", flat=True).first()


@transaction.atomic
def withdraw(*, link: PaymentLink, plan_id: UUID) -> bool:
    """End what a debtor allowed, from this instant; False when nothing was in force."""
    mine = Mandate.objects.filter(plan=plan_id, plan__client=link.client_id, plan__contact=link.contact_id)
    return _end(mine, MandateEnd.DEBTOR)


@transaction.atomic
def stop(*, plan_id: UUID, by: Membership) -> bool:
    """End, for the firm, what a debtor allowed: the dates stand, and are paid by the debtor's own hand."""
    ensure(by, Right.HOLD_REMINDERS)
    return _end(Mandate.objects.filter(plan=plan_id), MandateEnd.FIRM)


def end_every(*, by: MandateEnd) -> bool:
    """End every mandate of the firm acted for, in the caller's transaction: it leaves."""
    return _end(Mandate.objects.all(), by)


def end_with_plan(plan: PaymentPlan) -> None:
    """End the mandate of a plan that came to its end, in the caller's transaction."""
    _end(Mandate.objects.filter(plan=plan), MandateEnd.PLAN)


def _find_or_write(link: PaymentLink, plan_id: UUID, consent: str) -> Mandate:
    mine = PaymentPlan.objects.filter(client=link.client_id, contact=link.contact_id)
    plan = mine.select_for_update(no_key=True).filter(pk=plan_id).first()
    cabinet = Cabinet.objects.get()
    account = roads.collecting_account(cabinet)
    if plan is None or plan.state != PlanState.ACTIVE or account is None:
        raise CheckoutError(_NOT_NOW)
    if consent != consent_to(plan, cabinet=cabinet):
        raise CheckoutError(
            "L’échéancier a changé pendant votre lecture. Rien n’a été demandé : relisez les versements ci-dessous."
        )
    if (known := standing(plan)) is not None:
        if known.state == MandateState.SIGNED or not _is_over(known):
            return known
        _end(Mandate.objects.filter(pk=known.pk), MandateEnd.NOBODY)
    return _write(plan, account, consent)


def _write(plan: PaymentPlan, account: ProviderAccount, consent: str) -> Mandate:
    mandate = Mandate(plan=plan, client_id=plan.client_id, account=account, consent=consent)
    mandate.ask_at = timezone.now() + SOON
    try:
        with transaction.atomic():
            mandate.save(force_insert=True)
    except IntegrityError:
        raise CheckoutError(_NOT_NOW) from None
    journal.record("mandate.asked", mandate, provider=account.provider)
    return mandate


def _is_over(mandate: Mandate) -> bool:
    limit = mandate.expires_at or mandate.agreed_at + PAGE_LASTS
    return bool(mandate.ref) and limit <= timezone.now() + MARGIN


def _is_open(mandate: Mandate) -> bool:
    return bool(mandate.ref and mandate.url) and not _is_over(mandate)


def _order(mandate: Mandate, link: PaymentLink) -> Order:
    home = links.url_of(link)
    return Order(
        reference=str(mandate.pk),
        cents=0,
        label="Versements d’un échéancier",
        means=PaymentMeans.DEBIT,
        return_url=f"{home}echeancier/retour/",
        cancel_url=f"{home}echeancier/retour/",
        notice_url=roads.notice_url(mandate.account),
    )


def _note_page(mandate_id: UUID, page: Page) -> Mandate:
    mandate = _locked(mandate_id)
    if mandate.state != MandateState.ASKED:
        # Ended while its page was asked for: it is closed there by the sweep, which knows its reference now.
        mandate.ref = mandate.ref or page.ref
        mandate.ask_at = timezone.now()
        mandate.save(update_fields=["ref", "ask_at"])
        raise CheckoutError(_NOT_NOW)
    mandate.ref, mandate.url = page.ref, page.url
    mandate.expires_at = page.expires_at or timezone.now() + PAGE_LASTS
    mandate.save(update_fields=["ref", "url", "expires_at"])
    return mandate


def _question(mandate_id: UUID) -> tuple[MandateProvider, str, bool] | None:
    """Prepare a question, and date the next one first; a mandate whose page was never opened asks nothing."""
    mandate, now = _locked(mandate_id), timezone.now()
    if mandate.closed_at is not None:
        return None
    is_signed = mandate.state == MandateState.SIGNED
    mandate.ask_at = now + (DAILY if is_signed else SOON)
    if mandate.state == MandateState.ASKED and now - mandate.agreed_at > PAGE_LASTS:
        _close_row(mandate, MandateEnd.NOBODY)
    if not mandate.ref and mandate.state == MandateState.ENDED:
        mandate.closed_at, mandate.ask_at = now, None
    mandate.save(update_fields=["ask_at", "closed_at"])
    if not mandate.ref:
        return None
    return roads.collector_of(mandate.account), mandate.ref, mandate.state == MandateState.ENDED


def _apply(mandate_id: UUID, facts: MandateFacts) -> bool:
    """Make our state the provider's; what ended here never comes back."""
    mandate = _locked(mandate_id)
    before = (mandate.state, mandate.closed_at)
    mandate.mandate_ref = facts.mandate_ref or mandate.mandate_ref
    mandate.reference = facts.reference or mandate.reference
    if facts.stage is MandateStage.ENDED:
        mandate.failure = facts.failure[:100]
        if mandate.state != MandateState.ENDED:
            was_signed = mandate.state == MandateState.SIGNED
            _close_row(mandate, MandateEnd.BANK if was_signed or mandate.mandate_ref else MandateEnd.NOBODY)
        mandate.closed_at, mandate.ask_at = mandate.closed_at or timezone.now(), None
    elif facts.stage is MandateStage.SIGNED and mandate.state == MandateState.ASKED:
        mandate.state, mandate.signed_at = MandateState.SIGNED, timezone.now()
        mandate.ask_at = timezone.now() + DAILY
        journal.record("mandate.signed", mandate, provider=mandate.account.provider)
    mandate.save(update_fields=["state", "mandate_ref", "reference", "failure", "signed_at", "closed_at", "ask_at"])
    return (mandate.state, mandate.closed_at) != before


def _end(mandates: QuerySet[Mandate], by: MandateEnd) -> bool:
    rows = list(mandates.filter(state__in=STANDING_MANDATES).select_for_update(of=("self",), no_key=True))
    for mandate in rows:
        _close_row(mandate, by)
        mandate.ask_at = timezone.now()
        mandate.save(update_fields=["ask_at"])
    return bool(rows)


def _close_row(mandate: Mandate, by: MandateEnd) -> None:
    mandate.state, mandate.ended_at, mandate.ended_by = MandateState.ENDED, timezone.now(), by
    mandate.save(update_fields=["state", "ended_at", "ended_by"])
    debiting.hurry(plan_ids=[mandate.plan_id])
    journal.record("mandate.ended", mandate, by=by.value)


def _locked(mandate_id: UUID) -> Mandate:
    locked = Mandate.objects.select_for_update(of=("self",), no_key=True).select_related("account")
    found: Mandate = locked.get(pk=mandate_id)
    return found
