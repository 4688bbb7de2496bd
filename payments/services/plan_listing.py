"""The list of plans, page by page: what waits for a person first, then what runs, then what is over."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from cabinets.models import Client
from cabinets.sealing import open_together
from payments.enums import PlanOrigin, PlanState
from payments.models import PaymentPlan
from payments.services.plan_reading import View, views_of

PAGE = 50
TO_DECIDE, RUNNING, OVER = "a-decider", "en-cours", "termines"
_WAITING = Q(state=PlanState.PROPOSED, origin=PlanOrigin.DEBTOR) | Q(state=PlanState.BROKEN, closed_at=None)
_RUNNING = Q(state=PlanState.ACTIVE) | Q(state=PlanState.PROPOSED, origin=PlanOrigin.FIRM)
SETS = {TO_DECIDE: _WAITING, RUNNING: _RUNNING, OVER: ~(_WAITING | _RUNNING)}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as listed."""

    view: View
    client_name: str


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Fifty plans at most, the latest first, and where the next ones begin."""

    rows: tuple[PlanRow, ...]
    after: str


def counts() -> dict[str, int]:
    """Return how many plans wait for a person and how many run; those that are over are not counted."""
    return {name: PaymentPlan.objects.filter(SETS[name]).count() for name in (TO_DECIDE, RUNNING)}


def plan_page(*, which: str, on: dt.date, after: str = "") -> PlanPage:
    """Return a page of plans, as far as the person sees every dossier each covers."""
    found = _after(PaymentPlan.objects.filter(SETS[which]), after).select_related("client", "contact")
    plans = list(found.order_by("-proposed_at", "-pk")[: PAGE + 1])
    shown = plans[:PAGE]
    clients: list[Client] = [plan.client for plan in shown]
    open_together(clients)
    rows = tuple(PlanRow(view, view.plan.client.display_name) for view in views_of(shown, on=on))
    last = shown[-1] if len(plans) > PAGE else None
    return PlanPage(rows, f"{last.proposed_at.isoformat()}_{last.pk}" if last else "")


def _after(plans: QuerySet[PaymentPlan], cursor: str) -> QuerySet[PaymentPlan]:
    at, _, last = cursor.partition("_")
    try:
        moment, plan_id = dt.datetime.fromisoformat(at), UUID(last)
    except ValueError:
        return plans
    if moment.tzinfo is None:
        return plans
    return plans.filter(Q(proposed_at__lt=moment) | Q(proposed_at=moment, pk__lt=plan_id))
