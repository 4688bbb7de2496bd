"""Payment plans: proposed by the debtor or by the firm, accepted by the other, refused, ended."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Client, Membership
from cabinets.permissions import ensure
from cabinets.scoping import whole_firm
from invoices.enums import StopKind
from invoices.locks import lock_invoices
from invoices.models import Invoice
from invoices.services import limitation
from payments.enums import PlanMail, PlanOrigin, PlanState
from payments.errors import PlanError
from payments.models import Instalment, PaymentLink, PaymentPlan, PlanLine
from payments.plans import MOST_BY_HAND, PROTECTED, last_day_of_grace, refused_by_law, split, why_not
from payments.services import links
from payments.services import plan_terms as terms
from payments.services import plan_writing as writing

RUNNING = (PlanState.PROPOSED, PlanState.ACTIVE)
CHANGED = (
    "Ce qui est dû a changé depuis la proposition. Rien n’a été accepté : proposez de nouvelles dates, calculées sur le"
    " montant d’aujourd’hui."
)
ANSWERED_MEANWHILE = "Le cabinet a accepté ces dates entre-temps : l’échéancier est en cours. Rien n’a été retiré."


@transaction.atomic
def propose(*, link: PaymentLink, count: int, first_on: dt.date, today: dt.date, message: str = "") -> PaymentPlan:
    """Note the dates a debtor proposes, stop the reminders until somebody answers, or accept at once where allowed.

    Proposing while a plan is proposed or runs changes nothing and returns it. Raise PlanError, and write nothing, when
    the firm's limits or the law refuse the dates.
    """
    _lock_link(link)
    if (known := running_plan(link)) is not None:
        return known
    invoices = _locked(terms.splittable_through(link, on=today))
    debts, settings = terms.debts_of(invoices), terms.settings_in_force()
    limits = settings.limits
    parts = terms.parts_of(debts=debts, count=count, first_on=first_on, on=today, months=limits.months)
    if refusal := why_not(debts=debts, parts=parts, limits=limits, on=today):
        raise PlanError(f"{refusal} Rien n’a été envoyé.")
    plan = writing.write_plan(
        link=link,
        invoices=invoices,
        parts=parts,
        origin=PlanOrigin.DEBTOR,
        on=today,
        message=message,
        replaces=_broken(link),
    )
    journal.record("paymentplan.proposed", plan, origin=plan.origin, instalments=len(parts))
    if settings.accepts_alone:
        return _agree(plan, agreed_on=today, by=None, today=today)
    writing.hold(invoices, reason="Échéancier proposé par le client")
    writing.ask(plan, due_on=today + dt.timedelta(days=writing.DAYS_TO_DECIDE))
    return plan


@transaction.atomic
def offer(
    *,
    by: Membership,
    client: Client,
    invoice_ids: Sequence[UUID],
    count: int,
    first_on: dt.date,
    today: dt.date,
    months: int = 0,
    replaces: PaymentPlan | None = None,
) -> PaymentPlan:
    """Propose dates to a debtor, who accepts them from their page; the reminders wait until the eve of the first.

    Raise PlanError, and write nothing, when the law refuses them or another plan is proposed or runs.
    """
    ensure(by, Right.HOLD_REMINDERS)
    chosen = [one for one in terms.splittable_of(client, on=today) if one.pk in set(invoice_ids)]
    if not chosen or len(chosen) != len(set(invoice_ids)):
        raise PlanError("Une facture choisie ne peut pas être payée en plusieurs fois. Rien n’a été proposé.")
    if len({one.dossier.billing_contact_id for one in chosen}) > 1:
        raise PlanError("Ces factures n’ont pas le même destinataire : proposez un échéancier à chacun.")
    link = links.link_for(client=client, contact=chosen[0].dossier.billing_contact)
    _lock_link(link)
    invoices = _locked(chosen)
    if replaces is not None:
        _supersede(replaces)
    if running_plan(link) is not None:
        raise PlanError("Un échéancier est déjà proposé ou en cours pour ce client. Rien n’a été proposé.")
    if count > MOST_BY_HAND:
        raise PlanError(f"Un échéancier compte {MOST_BY_HAND} versements au plus.")
    debts = terms.debts_of(invoices)
    parts = terms.parts_of(debts=debts, count=count, first_on=first_on, on=today, months=months or MOST_BY_HAND)
    if refusal := refused_by_law(debts=debts, parts=parts, on=today):
        raise PlanError(f"{refusal} Rien n’a été proposé.")
    plan = writing.write_plan(
        link=link, invoices=invoices, parts=parts, origin=PlanOrigin.FIRM, on=today, replaces=replaces
    )
    writing.hold(invoices, reason="Échéancier proposé au client", until_on=parts[0].due_on - dt.timedelta(days=1))
    writing.say(plan, PlanMail.OFFER)
    journal.record("paymentplan.proposed", plan, origin=plan.origin, instalments=len(parts))
    return plan


@transaction.atomic
def accept(*, plan_id: UUID, by: Membership, today: dt.date) -> PaymentPlan:
    """Accept what a debtor proposed; accepting again changes nothing. The debt was acknowledged the day it was said."""
    ensure(by, Right.APPROVE_REMINDERS)
    plan = _of(plan_id, PlanOrigin.DEBTOR)
    return _agree(plan, agreed_on=plan.proposed_on, by=by, today=today)


@transaction.atomic
def accept_offer(*, link: PaymentLink, plan_id: UUID, today: dt.date) -> PaymentPlan:
    """Note that the debtor accepts the firm's dates from their page; twice changes nothing."""
    plan = _of(plan_id, PlanOrigin.FIRM)
    if (plan.client_id, plan.contact_id) != (link.client_id, link.contact_id):
        raise PaymentPlan.DoesNotExist
    return _agree(plan, agreed_on=today, by=None, today=today)


@transaction.atomic
def accept_in_writing(*, plan_id: UUID, by: Membership, agreed_on: dt.date, today: dt.date) -> PaymentPlan:
    """Note that the debtor accepted the firm's dates by letter or e-mail: a lawyer's act, since limitation moves."""
    ensure(by, Right.RELEASE_DISPUTES)
    plan = _of(plan_id, PlanOrigin.FIRM)
    if not plan.proposed_on <= agreed_on <= today:
        raise PlanError("L’accord du client suit la proposition, et n’est pas à venir. Rien n’a été enregistré.")
    return _agree(plan, agreed_on=agreed_on, by=by, today=today)


@transaction.atomic
def refuse(*, plan_id: UUID, by: Membership, text: str) -> PaymentPlan:
    """Refuse a debtor's dates with the text they read; the ladder goes on from where it was."""
    ensure(by, Right.APPROVE_REMINDERS)
    if not text.strip():
        raise PlanError("Écrivez la réponse que lira votre client. Rien n’a été refusé.")
    plan = lock_plan(_of(plan_id, PlanOrigin.DEBTOR).pk)
    if plan.state == PlanState.REFUSED:
        return plan
    if plan.state != PlanState.PROPOSED:
        raise PlanError("Cet échéancier a déjà reçu une réponse. Rien n’a été changé.")
    plan.state, plan.answer = PlanState.REFUSED, text.strip()
    plan.save(update_fields=["state", "answer"])
    writing.close(plan, by=by)
    if plan.replaces is None or not plan.replaces.is_waiting:
        writing.free(_ids(plan), StopKind.HOLD)
    writing.answered(plan)
    writing.say(plan, PlanMail.REFUSED)
    journal.record("paymentplan.refused", plan)
    return plan


@transaction.atomic
def withdraw(*, link: PaymentLink, plan_id: UUID) -> PaymentPlan:
    """Take back the dates a debtor proposed, while nobody answered; the ladder goes on from where it was.

    Twice changes nothing. Raise PlanError once the firm accepted them: from then on, they bind both.
    """
    plan = _of(plan_id, PlanOrigin.DEBTOR)
    if (plan.client_id, plan.contact_id) != (link.client_id, link.contact_id):
        raise PaymentPlan.DoesNotExist
    ids = _ids(plan)
    lock_invoices(ids)
    plan = lock_plan(plan_id)
    if plan.state in (PlanState.CANCELLED, PlanState.REFUSED):
        return plan
    if plan.state != PlanState.PROPOSED:
        raise PlanError(ANSWERED_MEANWHILE)
    plan.state = PlanState.CANCELLED
    plan.save(update_fields=["state"])
    writing.close(plan)
    if plan.replaces is None or not plan.replaces.is_waiting:
        writing.free(ids, StopKind.HOLD)
    writing.answered(plan)
    journal.record("paymentplan.withdrawn", plan)
    return plan


@transaction.atomic
def counter(*, plan_id: UUID, by: Membership, count: int, first_on: dt.date, today: dt.date) -> PaymentPlan:
    """Answer a debtor's dates, or a plan that was not kept, with other dates on the same invoices."""
    plan = PaymentPlan.objects.select_related("client").get(pk=plan_id)
    owed = Invoice.objects.open().filter(pk__in=_ids(plan)).values_list("pk", flat=True)
    return offer(
        by=by,
        client=plan.client,
        invoice_ids=list(owed),
        count=count,
        first_on=first_on,
        today=today,
        replaces=plan,
    )


@transaction.atomic
def cancel(*, plan_id: UUID, by: Membership) -> PaymentPlan:
    """End a plan, whatever became of it: the ladder goes on from where it was. Twice changes nothing."""
    ensure(by, Right.APPROVE_REMINDERS)
    ids = _ids(PaymentPlan.objects.get(pk=plan_id))
    lock_invoices(ids)
    plan = lock_plan(plan_id)
    if plan.closed_at is not None:
        return plan
    if plan.state != PlanState.BROKEN:
        plan.state = PlanState.CANCELLED
        plan.save(update_fields=["state"])
    writing.close(plan, by=by)
    writing.unsay(plan, PlanMail.OFFER, PlanMail.REMINDER)
    if plan.replaces is None or not plan.replaces.is_waiting:
        writing.free(ids, StopKind.HOLD, StopKind.PLAN)
    writing.answered(plan)
    journal.record("paymentplan.ended", plan, state=plan.state)
    return plan


def running_plan(link: PaymentLink) -> PaymentPlan | None:
    """Return the plan proposed to, or by, the addressee of a link, or the one that runs."""
    mine = PaymentPlan.objects.filter(client=link.client_id, contact=link.contact_id, state__in=RUNNING)
    return mine.select_related("client", "contact").first()


def lock_plan(plan_id: UUID) -> PaymentPlan:
    """Lock a plan until the transaction ends; its invoices come first, as for whoever records a payment."""
    rows = PaymentPlan.objects.select_related("client", "contact", "replaces")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=plan_id)


def _agree(plan: PaymentPlan, *, agreed_on: dt.date, by: Membership | None, today: dt.date) -> PaymentPlan:
    """Make a proposed plan run: amounts read again, stops, limitation, confirmation, in one transaction."""
    lock_invoices(_ids(plan))
    plan = lock_plan(plan.pk)
    if plan.state in (PlanState.ACTIVE, PlanState.KEPT):
        return plan
    if plan.state != PlanState.PROPOSED:
        raise PlanError("Cet échéancier n’est plus proposé. Rien n’a été accepté.")
    with whole_firm():
        invoices = list(Invoice.objects.filter(pk__in=_ids(plan)).select_related("dossier", "client"))
        open_ones = terms.unbarred(invoices, on=today)
        _settle_amounts(plan, invoices, open_ones, today=today)
        parts = list(Instalment.objects.filter(plan=plan).order_by("rank"))
        plan.state, plan.agreed_on, plan.accepted_at = PlanState.ACTIVE, agreed_on, timezone.now()
        plan.accepted_by = by
        plan.ends_on = last_day_of_grace(parts[-1].due_on, tolerated_until=None, territory=terms.territory_in_force())
        plan.save(update_fields=["state", "agreed_on", "accepted_at", "accepted_by", "ends_on", "total_cents"])
        if plan.replaces is not None and plan.replaces.is_waiting:
            writing.close(plan.replaces, by=by)
            writing.answered(plan.replaces)
        writing.keep_aside(open_ones, until_on=plan.ends_on)
        writing.free([one.pk for one in invoices], StopKind.HOLD)
    limitation.note_agreement(dossiers={one.dossier for one in open_ones}, on=agreed_on, by=by)
    writing.answered(plan, invoice_ids=[one.pk for one in open_ones])
    writing.unsay(plan, PlanMail.OFFER)
    writing.say(plan, PlanMail.CONFIRMED)
    journal.record("paymentplan.accepted", plan, instalments=len(parts), origin=plan.origin)
    return plan


def _settle_amounts(
    plan: PaymentPlan, invoices: Sequence[Invoice], open_ones: Sequence[Invoice], *, today: dt.date
) -> None:
    """Lower the instalments to what is left when money came since the proposal; refuse any other change."""
    barred = {one.pk for one in invoices if one.outstanding_cents > 0} - {one.pk for one in open_ones}
    owed = sum(one.outstanding_cents for one in open_ones)
    if barred or owed <= 0 or owed > plan.total_cents:
        raise PlanError(CHANGED)
    parts = list(Instalment.objects.filter(plan=plan).order_by("rank"))
    if parts[0].due_on <= today:
        raise PlanError("La première date est passée. Rien n’a été accepté : proposez de nouvelles dates.")
    if plan.kind in PROTECTED and any(one.due_on >= today for one in open_ones):
        raise PlanError("Un échéancier ne se convient avec un particulier qu’après l’échéance. Rien n’a été accepté.")
    if owed < plan.total_cents:
        plan.total_cents = owed
        for part, cents in zip(parts, split(owed, len(parts)), strict=True):
            Instalment.objects.filter(pk=part.pk).update(cents=cents)
    for one in invoices:
        PlanLine.objects.filter(plan=plan, invoice=one).update(owed_cents=max(one.outstanding_cents, 0))


def _supersede(plan: PaymentPlan) -> None:
    """Give way to other dates: a proposal is over, a plan that was not kept waits until they are accepted."""
    plan = lock_plan(plan.pk)
    if not plan.is_waiting:
        raise PlanError("Cet échéancier a déjà reçu une réponse. Rien n’a été proposé.")
    if plan.state == PlanState.PROPOSED:
        plan.state = PlanState.CANCELLED
        plan.save(update_fields=["state"])
        writing.close(plan)
        writing.free(_ids(plan), StopKind.HOLD)
        writing.answered(plan)


def _broken(link: PaymentLink) -> PaymentPlan | None:
    mine = PaymentPlan.objects.filter(client=link.client_id, contact=link.contact_id)
    return mine.filter(state=PlanState.BROKEN, closed_at=None).order_by("-accepted_at").first()


def _of(plan_id: UUID, origin: PlanOrigin) -> PaymentPlan:
    plan = PaymentPlan.objects.get(pk=plan_id)
    if plan.origin != origin:
        raise PlanError("C’est à l’autre partie d’accepter ces dates. Rien n’a été changé.")
    return plan


def _ids(plan: PaymentPlan) -> list[UUID]:
    return list(PlanLine.objects.filter(plan=plan).values_list("invoice_id", flat=True))


def _locked(invoices: Sequence[Invoice]) -> list[Invoice]:
    """Lock invoices and read their sums again; what was paid meanwhile is left out, each keeps its dossier."""
    dossiers = {one.pk: one.dossier for one in invoices}
    rows = lock_invoices([one.pk for one in invoices])
    for row in rows:
        row.dossier = dossiers[row.pk]
    return sorted((row for row in rows if row.outstanding_cents > 0), key=lambda row: (row.due_on, row.number_key))


def _lock_link(link: PaymentLink) -> None:
    # Two tabs that propose at once wait for each other here, so that the second finds the first.
    PaymentLink.objects.select_for_update(no_key=True).get(pk=link.pk)
