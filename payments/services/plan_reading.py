"""How a plan stands: what was paid since it began, what is next, what is late; read from the invoices themselves."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from cabinets.scoping import whole_firm
from invoices.enums import InvoiceState
from invoices.models import Invoice
from payments.enums import PlanState
from payments.models import Instalment, PaymentLink, PaymentPlan, PlanLine
from payments.plans import Part, PartState, Standing, standings
from payments.services.plan_terms import territory_in_force


@dataclass(frozen=True, slots=True)
class View:
    """A plan as it stands on a day."""

    plan: PaymentPlan
    parts: tuple[Standing, ...]
    invoices: tuple[Invoice, ...]
    left_cents: int
    on: dt.date

    @property
    def paid_cents(self) -> int:
        """Return what was paid of it."""
        return sum(part.paid_cents for part in self.parts)

    @property
    def next(self) -> Standing | None:
        """Return the first instalment that is not paid in full."""
        return next((part for part in self.parts if part.state != PartState.PAID), None)

    @property
    def missed(self) -> tuple[Standing, ...]:
        """Return the instalments whose grace is over."""
        return tuple(part for part in self.parts if part.state == PartState.MISSED)

    @property
    def asked_cents(self) -> int:
        """Return what is to pay now: every instalment whose day has come, or else the next; never more than is owed."""
        come = [part.left_cents for part in self.parts if part.state != PartState.PAID and part.due_on <= self.on]
        upcoming = [self.next.left_cents] if self.next is not None else []
        return min(sum(come or upcoming), self.left_cents)


@dataclass(frozen=True, slots=True)
class NextDue:
    """What a debtor whose plan runs is asked to pay now, and on which invoices."""

    plan_id: UUID
    rank: int
    count: int
    due_on: dt.date
    cents: int
    invoice_ids: tuple[UUID, ...]


def views_of(plans: Iterable[PaymentPlan], *, on: dt.date) -> list[View]:
    """Return how each of these plans stands, in three queries however many they are."""
    listed = list(plans)
    parts: dict[UUID, list[tuple[Part, dt.date | None]]] = defaultdict(list)
    for row in Instalment.objects.filter(plan__in=listed).order_by("plan", "rank"):
        parts[row.plan_id].append((Part(row.rank, row.due_on, row.cents), row.tolerated_until))
    lines: dict[UUID, list[Invoice]] = defaultdict(list)
    rows = PlanLine.objects.filter(plan__in=listed).select_related("invoice")
    for line in rows.order_by("plan", "invoice__due_on", "invoice__number_key"):
        lines[line.plan_id].append(line.invoice)
    territory = territory_in_force() if listed else None
    found = []
    for plan in listed:
        left = sum(max(one.outstanding_cents, 0) for one in lines[plan.pk] if one.state == InvoiceState.OPEN)
        # Nothing is paid of what nobody agreed on yet.
        paid = plan.total_cents - left if plan.accepted_at is not None else 0
        assert territory is not None  # noqa: S101 - read above for any plan at all
        stand = standings(parts[plan.pk], paid_cents=paid, on=on, territory=territory)
        found.append(View(plan, stand, tuple(lines[plan.pk]), left, on))
    return found


def view_of(plan: PaymentPlan, *, on: dt.date) -> View:
    """Return how a plan stands on a day."""
    return views_of([plan], on=on)[0]


def active_view(link: PaymentLink, *, on: dt.date) -> View | None:
    """Return the plan that runs for the addressee of a link, or whose missed instalment waits for a decision."""
    waiting = Q(state=PlanState.BROKEN, closed_at=None)
    mine = PaymentPlan.objects.filter(
        Q(state=PlanState.ACTIVE) | waiting, client=link.client_id, contact=link.contact_id
    )
    # One that runs comes first: it took the place of the other, or is about to.
    plan = mine.select_related("client", "contact").order_by("state", "-accepted_at").first()
    return None if plan is None else view_of(plan, on=on)


def next_due(link: PaymentLink, on: dt.date) -> NextDue | None:
    """Return what a link's debtor is to pay now under a plan; None when there is none, or nothing is left.

    Until a person ended a plan that was not kept, its missed instalment is asked, and not the whole debt.
    """
    view = active_view(link, on=on)
    return None if view is None else due_in(view)


def due_in(view: View) -> NextDue | None:
    """Return what is to be paid now of a running plan."""
    part = view.next
    if part is None or view.asked_cents <= 0:
        return None
    owed = tuple(one.pk for one in view.invoices if one.state == InvoiceState.OPEN and one.outstanding_cents > 0)
    return NextDue(view.plan.pk, part.rank, len(view.parts), part.due_on, view.asked_cents, owed)


def runs_on(*, invoice_id: UUID) -> bool:
    """Say whether a plan that runs covers an invoice, whoever sees it."""
    with whole_firm():
        return PlanLine.objects.filter(invoice=invoice_id, plan__state=PlanState.ACTIVE).exists()


def plan_of_invoice(invoice_id: UUID) -> PaymentPlan | None:
    """Return the plan an invoice is in, proposed, running or waiting for a decision; the latest, as far as seen."""
    live = PaymentPlan.objects.filter(
        lines__invoice=invoice_id, closed_at=None, state__in=[PlanState.PROPOSED, PlanState.ACTIVE, PlanState.BROKEN]
    )
    return live.order_by("-proposed_at").first()


def plans_of_link(link: PaymentLink, *, most: int) -> list[PaymentPlan]:
    """Return the plans of the addressee of a link, the latest first."""
    mine = PaymentPlan.objects.filter(client=link.client_id, contact=link.contact_id)
    return list(mine.order_by("-proposed_at")[:most])


def in_order(plans: Sequence[PaymentPlan]) -> list[PaymentPlan]:
    """Put what waits for a person first, then what runs, then what is over."""
    rank = {PlanState.PROPOSED: 1, PlanState.ACTIVE: 2}
    return sorted(plans, key=lambda plan: 0 if plan.is_waiting else rank.get(PlanState(plan.state), 3))
