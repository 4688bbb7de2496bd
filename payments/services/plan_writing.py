"""The rows of a plan, and what each of its states does to the ladder, the tasks and the messages."""

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils import timezone

from cabinets.enums import ClientKind, TaskKind
from cabinets.models import Cabinet, Client, Contact, Membership
from cabinets.scoping import current_scope, whole_firm
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.services import standstill
from invoices.services.chores import close_chores, open_chore
from payments.enums import MailState, PlanMail, PlanOrigin
from payments.models import Instalment, PaymentLink, PaymentPlan, PlanLine, PlanMessage
from payments.plans import Part
from payments.services import mandates

ORIGIN = "plan"
DAYS_TO_DECIDE = 2
# The most protected reader of all those a plan concerns.
_BY_PROTECTION = (ClientKind.CONSUMER, ClientKind.UNKNOWN, ClientKind.NON_PRO_LEGAL, ClientKind.PUBLIC)


def write_plan(
    *,
    link: PaymentLink,
    invoices: Sequence[Invoice],
    parts: Sequence[Part],
    origin: PlanOrigin,
    on: dt.date,
    message: str = "",
    replaces: PaymentPlan | None = None,
) -> PaymentPlan:
    """Write a proposed plan with its dates and its invoices."""
    plan = PaymentPlan(
        client=link.client,
        contact_id=link.contact_id,
        link=link,
        replaces=replaces,
        origin=origin,
        kind=kind_of(invoices),
        language=link.client.language,
        total_cents=sum(part.cents for part in parts),
        dossier_ids=sorted({invoice.dossier_id for invoice in invoices}),
        message=message.strip(),
        proposed_on=on,
        proposed_by_id=current_scope().member_id,
    )
    plan.save(force_insert=True)
    Instalment.objects.bulk_create(
        Instalment(plan=plan, rank=part.rank, due_on=part.due_on, cents=part.cents) for part in parts
    )
    PlanLine.objects.bulk_create(
        PlanLine(plan=plan, invoice=invoice, owed_cents=invoice.outstanding_cents) for invoice in invoices
    )
    return plan


def kind_of(invoices: Iterable[Invoice]) -> ClientKind:
    """Return as what the debtor is protected: the most protected of what the invoices, with their dossier, say."""
    kinds = {ClientKind(invoice.dossier.kind) for invoice in invoices}
    return next((kind for kind in _BY_PROTECTION if kind in kinds), ClientKind.PROFESSIONAL)


def hold(invoices: Iterable[Invoice], *, reason: str, until_on: dt.date | None = None) -> None:
    """Stop the reminders of these invoices while somebody decides."""
    for invoice in invoices:
        standstill.declare(kind=StopKind.HOLD, target=invoice, until_on=until_on, reason=reason, origin=ORIGIN)


def keep_aside(invoices: Iterable[Invoice], *, until_on: dt.date) -> None:
    """Put a plan in the place of the ladder, until the last day of its last instalment."""
    for invoice in invoices:
        standstill.declare(kind=StopKind.PLAN, target=invoice, until_on=until_on, origin=ORIGIN)


def free(invoice_ids: Iterable[UUID], *kinds: StopKind) -> None:
    """Lift what plans wrote on these invoices, and nothing that anybody else did."""
    mine = Standstill.objects.filter(invoice__in=list(invoice_ids), kind__in=kinds, origin=ORIGIN, released_at=None)
    for stop_id in list(mine.values_list("pk", flat=True)):
        standstill.release(standstill_id=stop_id)


def ask(plan: PaymentPlan, *, due_on: dt.date) -> None:
    """Ask the person in charge to decide about a plan."""
    owner = PlanLine.objects.filter(plan=plan).order_by("invoice__due_on", "pk")
    open_chore(
        TaskKind.PLAN_REQUEST,
        subject_id=plan.pk,
        client_id=plan.client_id,
        due_on=due_on,
        owner_id=owner.values_list("invoice__dossier__lawyer", flat=True).first(),
    )


def answered(plan: PaymentPlan, *, invoice_ids: Iterable[UUID] = ()) -> None:
    """Close what was asked about a plan, and what a call or a reply asked about the invoices it settles."""
    with whole_firm():
        for subject_id in (plan.pk, *invoice_ids):
            close_chores(subject_id=subject_id, kind=TaskKind.PLAN_REQUEST)


def say(plan: PaymentPlan, kind: PlanMail, *, instalment: Instalment | None = None) -> bool:
    """Ask for one message about a plan; False when it was asked for already."""
    message = PlanMessage(
        plan=plan, kind=kind, instalment=instalment, client=plan.client, depart_at=Cabinet.objects.get().now()
    )
    # Nothing is told of a row that was not written: whether it stands is read, by its own id.
    PlanMessage.objects.bulk_create([message], ignore_conflicts=True)
    return PlanMessage.objects.filter(pk=message.pk).exists()


def unsay(plan: PaymentPlan, *kinds: PlanMail) -> None:
    """Take back what was to be said of a plan and has not been."""
    PlanMessage.objects.filter(plan=plan, kind__in=kinds, state=MailState.WAITING).update(state=MailState.CANCELLED)


def close(plan: PaymentPlan, *, by: Membership | None = None) -> None:
    """Note when a plan came to its end, and by whom; nothing more is collected for it."""
    plan.closed_at, plan.closed_by = timezone.now(), by
    plan.save(update_fields=["closed_at", "closed_by"])
    mandates.end_with_plan(plan)


def addressee(plan: PaymentPlan) -> Client | Contact:
    """Return who a plan is agreed with."""
    return plan.contact or plan.client
