"""What a debtor reads of payment plans beside everything else: on the home page, and among their requests."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from payments.enums import PlanOrigin, PlanState
from payments.models import PaymentLink, PaymentPlan
from payments.services import mandates
from payments.services.plan_reading import plans_of_link
from payments.services.plan_terms import debts_of, settings_in_force, splittable_through
from payments.services.plans import running_plan

MOST_PLANS = 10
_WORDS = {
    PlanState.ACTIVE: ("ok", "circle-check", "L’échéancier est accepté. Ses dates sont sur votre page."),
    PlanState.KEPT: ("ok", "circle-check", "Tous les versements sont arrivés. Merci."),
    PlanState.BROKEN: ("wait", "clock", "Un versement n’est pas arrivé. Le cabinet vous répond."),
    PlanState.CANCELLED: ("neutral", "ban", "Cet échéancier n’est plus en vigueur."),
}
_WAITING = {
    PlanOrigin.DEBTOR: ("info", "hourglass", "Votre proposition est reçue. Le cabinet l’étudie et vous répond ici."),
    PlanOrigin.FIRM: ("info", "calendar-days", "Le cabinet vous propose ces dates. Acceptez-les depuis votre page."),
}


@dataclass(frozen=True, slots=True)
class PlanSaid:
    """A plan as the timeline of its debtor shows it."""

    tone: str
    icon: str
    title: str
    when: dt.date
    text: str


@dataclass(frozen=True, slots=True)
class HomePlan:
    """What the home page says of paying in several times."""

    may_split: bool = False
    is_proposed: bool = False
    is_offered: bool = False
    is_collected: bool = False
    """Its dates are collected by a mandate: nothing is to be done."""


def home_plan(link: PaymentLink, *, on: dt.date) -> HomePlan:
    """Say whether a debtor may propose dates, proposed some, or is offered some."""
    running = running_plan(link)
    if running is not None:
        is_proposed = running.state == PlanState.PROPOSED
        return HomePlan(
            is_proposed=is_proposed and running.origin == PlanOrigin.DEBTOR,
            is_offered=is_proposed and running.origin == PlanOrigin.FIRM,
            is_collected=not is_proposed and bool(mandates.signed_plans([running])),
        )
    limits = settings_in_force().limits
    if not limits.is_offered:
        return HomePlan()
    owed = sum(debt.cents for debt in debts_of(splittable_through(link, on=on)))
    return HomePlan(may_split=owed >= max(limits.smallest_cents, 2 * limits.instalment_cents))


def said_of_plans(link: PaymentLink) -> list[PlanSaid]:
    """Return the plans of a debtor, as they read them among their requests."""
    return [_said(plan) for plan in plans_of_link(link, most=MOST_PLANS)]


def by_day(*groups: Iterable[Any]) -> list[Any]:
    """Put what was said together, the latest day first."""
    return sorted((one for group in groups for one in group), key=lambda one: one.when, reverse=True)


def _said(plan: PaymentPlan) -> PlanSaid:
    who = "Échéancier proposé par le cabinet" if plan.origin == PlanOrigin.FIRM else "Échéancier proposé"
    state = PlanState(plan.state)
    if state == PlanState.PROPOSED:
        tone, icon, text = _WAITING[PlanOrigin(plan.origin)]
    elif state == PlanState.REFUSED:
        tone, icon, text = "neutral", "message-circle", str(plan.answer)
    else:
        tone, icon, text = _WORDS[state]
    return PlanSaid(tone, icon, who, plan.proposed_on, text)
