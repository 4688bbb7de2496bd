"""A plan day by day: what the money that came changes, what the night finds, what a person decides of a missed date."""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import tenant_atomic, whole_firm
from invoices.enums import InvoiceState, StopKind
from invoices.locks import lock_invoices
from invoices.models import Invoice
from payments.enums import PlanMail, PlanOrigin, PlanState
from payments.errors import PlanError
from payments.models import Instalment, PaymentPlan, PlanLine
from payments.plans import PartState, last_day_of_grace, remind_from
from payments.services import debiting
from payments.services import plan_terms as terms
from payments.services import plan_writing as writing
from payments.services.plan_reading import View, view_of
from payments.services.plans import RUNNING, lock_plan

FOLLOWED = (PlanState.ACTIVE, PlanState.KEPT, PlanState.BROKEN)
LONGEST_TOLERANCE_DAYS = 31


@transaction.atomic
def balance_moved(*, invoice_ids: Collection[UUID]) -> None:
    """Tell the plans of these invoices, already locked, that their balance moved: one kept in full ends.

    A payment taken back opens it again: its dates first, a person once they are over, the ladder never.
    """
    with whole_firm():
        lines = PlanLine.objects.filter(invoice__in=list(invoice_ids), plan__state__in=FOLLOWED)
        ids = sorted(set(lines.values_list("plan", flat=True)))
        if not ids:
            return
        today = Cabinet.objects.get().today()
        for plan_id in ids:
            _look_at(view_of(PaymentPlan.objects.select_related("client", "contact").get(pk=plan_id), on=today))
        # What was paid by another road must not be collected as well.
        debiting.hurry(plan_ids=ids)


def watch(*, on: dt.date) -> int:
    """Look at every plan of the firm, once a day: kept, missed, to be reminded or collected; return how many moved.

    Each is looked at in a transaction of its own. Run again the same day, it changes nothing.
    """
    with tenant_atomic():
        running = PaymentPlan.objects.filter(state__in=RUNNING).order_by("pk")
        ids = list(running.values_list("pk", flat=True))
    moved = 0
    for plan_id in ids:
        with tenant_atomic():
            moved += _watch_one(plan_id=plan_id, on=on)
    return moved + debiting.write_due(on=on)


def _watch_one(*, plan_id: UUID, on: dt.date) -> bool:
    # The invoices first, as whoever records a payment does.
    lock_invoices(PlanLine.objects.filter(plan=plan_id).values("invoice_id"))
    plan = lock_plan(plan_id)
    if plan.state == PlanState.PROPOSED:
        return _expire(plan, on=on)
    if plan.state != PlanState.ACTIVE:
        return False
    view = view_of(plan, on=on)
    if _look_at(view):
        return True
    # Money on its way to the bank is neither in nor missed: its answer comes first.
    if view.missed and not debiting.is_any_on_its_way(plan):
        _break(view)
        return True
    return _remind(view, days=terms.settings_in_force().remind_days)


@transaction.atomic
def tolerate(*, plan_id: UUID, by: Membership, until_on: dt.date, today: dt.date) -> PaymentPlan:
    """Wait for a missed instalment until a day: the plan runs again, with its dates."""
    ensure(by, Right.APPROVE_REMINDERS)
    plan = _waiting(plan_id)
    if not today < until_on <= today + dt.timedelta(days=LONGEST_TOLERANCE_DAYS):
        raise PlanError("Choisissez un jour à venir, dans les trente et un jours. Rien n’a été changé.")
    view = view_of(plan, on=today)
    if view.left_cents <= 0:
        raise PlanError("Tout est payé : il n’y a plus rien à attendre. Rien n’a été changé.")
    if PaymentPlan.objects.filter(client=plan.client_id, contact=plan.contact_id, state__in=RUNNING).exists():
        raise PlanError("D’autres dates sont déjà proposées à ce client. Rien n’a été changé.")
    late = [part.rank for part in view.parts if part.state == PartState.MISSED]
    Instalment.objects.filter(plan=plan, rank__in=late).update(tolerated_until=until_on)
    _run_again(plan)
    writing.answered(plan)
    journal.record("paymentplan.tolerated", plan)
    return plan


def needs_a_person() -> list[PaymentPlan]:
    """Return the plans that wait for a decision, as far as the person sees them."""
    rows = PaymentPlan.objects.filter(state__in=[PlanState.PROPOSED, PlanState.BROKEN], closed_at=None)
    return [plan for plan in rows.order_by("proposed_at") if plan.is_waiting]


def _look_at(view: View) -> bool:
    """End a plan that is paid, open again one that is not any more; False when nothing changed."""
    plan, is_owed = view.plan, view.left_cents > 0
    if plan.state == PlanState.KEPT and is_owed:
        return _reopen(view)
    if is_owed or plan.state == PlanState.KEPT or plan.closed_at is not None:
        return False
    # What was cancelled or given up is not money: nobody kept a promise.
    is_paid = all(one.state == InvoiceState.OPEN for one in view.invoices)
    before = PlanState(plan.state)
    if before == PlanState.ACTIVE:
        plan.state = PlanState.KEPT if is_paid else PlanState.CANCELLED
        plan.save(update_fields=["state"])
    writing.close(plan)
    writing.unsay(plan, PlanMail.REMINDER)
    writing.free([one.pk for one in view.invoices], StopKind.PLAN, StopKind.HOLD)
    writing.answered(plan)
    journal.record("paymentplan.kept" if is_paid else "paymentplan.ended", plan, state=plan.state)
    return True


def _reopen(view: View) -> bool:
    plan = view.plan
    others = PaymentPlan.objects.filter(client=plan.client_id, contact=plan.contact_id, state__in=RUNNING)
    plan.closed_at = plan.closed_by = None
    plan.save(update_fields=["closed_at", "closed_by"])
    if view.missed or others.exists():
        _break(view)
    else:
        _run_again(plan)
    journal.record("paymentplan.reopened", plan, state=plan.state)
    return True


def _run_again(plan: PaymentPlan) -> None:
    plan.state, plan.ends_on = PlanState.ACTIVE, _end_of(plan)
    plan.save(update_fields=["state", "ends_on"])
    owed = _owed(plan)
    writing.keep_aside(owed, until_on=plan.ends_on)
    writing.free([one.pk for one in owed], StopKind.HOLD)


def _break(view: View) -> None:
    """Give a plan that was not kept back to a person: the ladder waits for them, and says nothing by itself."""
    plan, owed = view.plan, _owed(view.plan)
    plan.state = PlanState.BROKEN
    plan.save(update_fields=["state"])
    missed = [part.rank for part in view.missed]
    Instalment.objects.filter(plan=plan, rank__in=missed).update(missed_at=timezone.now())
    # The hold stands before the plan is lifted: no night may look between the two.
    writing.hold(owed, reason="Versement manqué : à décider")
    writing.free([one.pk for one in view.invoices], StopKind.PLAN)
    writing.unsay(plan, PlanMail.REMINDER)
    writing.ask(plan, due_on=view.on + dt.timedelta(days=writing.DAYS_TO_DECIDE))
    journal.record("paymentplan.broken", plan, missed=len(missed))


def _remind(view: View, *, days: int) -> bool:
    """Ask for the reminder of each instalment whose eve has come and whose day has not; once each."""
    asked, territory = False, terms.territory_in_force()
    for part in view.parts:
        if part.left_cents > 0 and remind_from(part.due_on, days=days, territory=territory) <= view.on < part.due_on:
            row = Instalment.objects.get(plan=view.plan, rank=part.rank)
            asked = writing.say(view.plan, PlanMail.REMINDER, instalment=row) or asked
    return asked


def _expire(plan: PaymentPlan, *, on: dt.date) -> bool:
    """End the firm's offer nobody accepted before its first date; a debtor's proposal keeps waiting for an answer."""
    first_on = Instalment.objects.filter(plan=plan).order_by("rank").values_list("due_on", flat=True).first()
    if plan.origin != PlanOrigin.FIRM or first_on is None or on < first_on:
        return False
    plan.state = PlanState.CANCELLED
    plan.save(update_fields=["state"])
    writing.close(plan)
    writing.unsay(plan, PlanMail.OFFER)
    journal.record("paymentplan.ended", plan, state=plan.state)
    return True


def _waiting(plan_id: UUID) -> PaymentPlan:
    lock_invoices(PlanLine.objects.filter(plan=plan_id).values("invoice_id"))
    plan = lock_plan(plan_id)
    if not (plan.state == PlanState.BROKEN and plan.is_waiting):
        raise PlanError("Cet échéancier n’attend plus de décision. Rien n’a été changé.")
    return plan


def _owed(plan: PaymentPlan) -> list[Invoice]:
    lines = PlanLine.objects.filter(plan=plan).values("invoice_id")
    return list(Invoice.objects.open().filter(pk__in=lines).select_related("dossier", "client"))


def _end_of(plan: PaymentPlan) -> dt.date:
    territory = terms.territory_in_force()
    rows = Instalment.objects.filter(plan=plan).values_list("due_on", "tolerated_until")
    return max(last_day_of_grace(due_on, tolerated_until=until, territory=territory) for due_on, until in rows)
