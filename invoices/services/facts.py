"""Facts a person declares: each stops what it must at once, keeps its own days, and asks for what must follow."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.enums import ClientKind, Right, TaskKind
from cabinets.models import Client, Dossier, Membership
from cabinets.permissions import ensure
from cabinets.scoping import whole_firm
from cabinets.territories import Territory
from invoices.calendar import previous_working_day
from invoices.enums import Grounds, LimitationEffect, StopKind
from invoices.errors import InvoiceError
from invoices.law.batonnier import Act, deadlines
from invoices.law.limitation import Nature, shift_months
from invoices.models import Invoice, LimitationEvent, Standstill
from invoices.money import show_euros
from invoices.services import insolvency, standstill
from invoices.services.chores import open_chore
from invoices.services.standstill import Details

# A lawyer has two months to answer a consumer's complaint (R31); a professional is answered within a fortnight.
CONSUMER_ANSWER_MONTHS = 2
PROFESSIONAL_ANSWER_DAYS = 15
DAYS_TO_LOOK = 2
_SLOW = frozenset({ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL, ClientKind.UNKNOWN})


def answer_due(*, kind: str, on: dt.date) -> dt.date:
    """Return the working day by which a contestation made on a day is answered."""
    last = shift_months(on, CONSUMER_ANSWER_MONTHS) if kind in _SLOW else on + dt.timedelta(PROFESSIONAL_ANSWER_DAYS)
    return previous_working_day(last, territory=Territory.METROPOLE)


@transaction.atomic
def contest(*, invoice: Invoice, by: Membership, grounds: Grounds, reason: str, on: dt.date) -> list[Standstill]:
    """Note that an invoice is contested since a day: every invoice of its client stops; a lawyer answers in time.

    « Already paid » is a payment to look for: this invoice alone stops until somebody looked.
    """
    ensure(by, Right.HOLD_REMINDERS)
    is_paid = grounds == Grounds.ALREADY_PAID
    due = on + dt.timedelta(days=DAYS_TO_LOOK) if is_paid else answer_due(kind=invoice.dossier.kind, on=on)
    stops = standstill.declare(
        kind=StopKind.CLAIMED_PAID if is_paid else StopKind.DISPUTE,
        target=invoice,
        reason=reason,
        details=Details(started_on=on, grounds=grounds, answer_by=due),
    )
    if stops:
        _ask(TaskKind.DISPUTE, invoice, due_on=due)
    return stops


@transaction.atomic
def promise(
    *,
    invoice: Invoice,
    by: Membership,
    until_on: dt.date,
    cents: int,
    on: dt.date,
    reason: str = "",
    origin: str = "firm",
) -> list[Standstill]:
    """Note that the client promised to pay on a day: the ladder waits until then and resumes the day after by itself.

    A new promise takes the place of the one before.
    """
    ensure(by, Right.HOLD_REMINDERS)
    if until_on < on:
        raise InvoiceError("La date promise est passée : choisissez un jour à venir. Rien n’a été enregistré.")
    if not 0 < cents <= invoice.outstanding_cents:
        raise InvoiceError(
            f"Le montant promis est compris entre 0,01 € et {show_euros(invoice.outstanding_cents)}."
            " Rien n’a été enregistré."
        )
    for before in Standstill.objects.filter(invoice=invoice, kind=StopKind.PROMISE, released_at=None):
        standstill.release(standstill_id=before.pk)
    stops = standstill.declare(
        kind=StopKind.PROMISE,
        target=invoice,
        until_on=until_on,
        reason=reason,
        origin=origin,
        details=Details(started_on=on, promised_cents=cents),
    )
    _ask(TaskKind.PROMISE_OVER, invoice, due_on=until_on + dt.timedelta(days=1))
    return stops


@transaction.atomic
def insolvent(
    *,
    client: Client,
    by: Membership,
    grounds: Grounds,
    judged_on: dt.date,
    published_on: dt.date | None,
    mandataire: str,
    on: dt.date,
) -> list[Standstill]:
    """Note collective proceedings: everything stops, the payment link too, and the claim is to be declared."""
    ensure(by, Right.HOLD_REMINDERS)
    _not_to_come(judged_on, on)
    if published_on is not None:
        _not_to_come(published_on, on)
        if published_on < judged_on:
            raise InvoiceError("La publication suit le jugement : corrigez l’une des deux dates.")
    return insolvency.declare(
        client=client, grounds=grounds, judged_on=judged_on, published_on=published_on, details=mandataire
    )


@transaction.atomic
def over_indebted(
    *, client: Client, by: Membership, admitted_on: dt.date, reason: str, on: dt.date
) -> list[Standstill]:
    """Note that a person's over-indebtedness was admitted: everything stops, the link too, and interest the eve."""
    ensure(by, Right.HOLD_REMINDERS)
    _not_to_come(admitted_on, on)
    return standstill.declare(
        kind=StopKind.OVER_INDEBTEDNESS, target=client, reason=reason, details=Details(started_on=admitted_on)
    )


@transaction.atomic
def protect(
    *, client: Client, by: Membership, grounds: Grounds, since: dt.date | None, reason: str, on: dt.date
) -> list[Standstill]:
    """Note a death, a guardianship or a minor: every invoice of the client stops until a lawyer releases it."""
    ensure(by, Right.HOLD_REMINDERS)
    if since is not None:
        _not_to_come(since, on)
    return standstill.declare(
        kind=StopKind.PROTECTED_PERSON,
        target=client,
        reason=reason,
        details=Details(started_on=since, grounds=grounds),
    )


@transaction.atomic
def mediate(*, invoice: Invoice, by: Membership, agreed_on: dt.date, reason: str, on: dt.date) -> list[Standstill]:
    """Note an agreed mediation: every invoice of the client stops, and the dossier's limitation is suspended."""
    ensure(by, Right.HOLD_REMINDERS)
    _not_to_come(agreed_on, on)
    stops = standstill.declare(
        kind=StopKind.MEDIATION, target=invoice, reason=reason, details=Details(started_on=agreed_on)
    )
    if stops:
        _moves_limitation(invoice.dossier, Nature.MEDIATION, LimitationEffect.SUSPEND, agreed_on, by)
    return stops


@transaction.atomic
def seise_batonnier(
    *, invoice: Invoice, by: Membership, seised_on: dt.date, is_by_firm: bool, reason: str, on: dt.date
) -> list[Standstill]:
    """Note that the bâtonnier was seised: the dossier stops, his four months run, then one to go further (R22).

    The firm's own request interrupts limitation; the client's does not.
    """
    ensure(by, Right.HOLD_REMINDERS)
    _not_to_come(seised_on, on)
    if invoice.dossier.kind == ClientKind.PUBLIC:
        raise InvoiceError(
            "Le bâtonnier n’est pas compétent pour un marché public : le juge administratif l’est seul."
            " Rien n’a été enregistré."
        )
    decision, further = deadlines(seised_on=seised_on)
    stops = standstill.declare(
        kind=StopKind.BATONNIER_SEISED,
        target=invoice.dossier,
        reason=reason,
        details=Details(started_on=seised_on, answer_by=further.act_by),
    )
    for stop in stops:
        _ask_of(stop, invoice, due_on=decision.act_by)
    if stops and is_by_firm:
        _moves_limitation(invoice.dossier, Nature.BATONNIER, LimitationEffect.INTERRUPT, seised_on, by)
    return stops


@transaction.atomic
def follow_batonnier(
    *, standstill_id: UUID, by: Membership, extended_months: int = 0, notified_on: dt.date | None = None, on: dt.date
) -> Standstill:
    """Move the deadline before the bâtonnier: he took more time, or his decision was notified (one month to appeal)."""
    ensure(by, Right.HOLD_REMINDERS)
    found = Standstill.objects.select_for_update(of=("self",)).select_related("dossier")
    stop: Standstill = found.get(pk=standstill_id, kind=StopKind.BATONNIER_SEISED, released_at=None)
    if notified_on is not None:
        _not_to_come(notified_on, on)
    first, *rest = deadlines(seised_on=stop.started_on or on, extended_months=extended_months, notified_on=notified_on)
    stop.answer_by = (rest[0] if rest else first).act_by
    stop.save(update_fields=["answer_by"])
    client_id = stop.dossier.client_id if stop.dossier else None
    if client_id is not None:
        with whole_firm():
            open_chore(TaskKind.BATONNIER_DEADLINE, subject_id=stop.pk, client_id=client_id, due_on=first.act_by)
    journal.record("batonnier_seised.followed", stop.dossier, act=(Act.APPEAL if notified_on else Act.DECISION).value)
    return stop


def _ask(kind: TaskKind, invoice: Invoice, *, due_on: dt.date) -> None:
    with whole_firm():
        open_chore(
            kind,
            subject_id=invoice.pk,
            client_id=invoice.client_id,
            owner_id=invoice.dossier.lawyer_id,
            due_on=due_on,
        )


def _ask_of(stop: Standstill, invoice: Invoice, *, due_on: dt.date) -> None:
    with whole_firm():
        open_chore(
            TaskKind.BATONNIER_DEADLINE,
            subject_id=stop.pk,
            client_id=invoice.client_id,
            owner_id=invoice.dossier.lawyer_id,
            due_on=due_on,
        )


def _moves_limitation(dossier: Dossier, nature: Nature, effect: LimitationEffect, on: dt.date, by: Membership) -> None:
    LimitationEvent(dossier=dossier, on=on, effect=effect, nature=nature.value, recorded_by=by).save(force_insert=True)


def _not_to_come(day: dt.date, on: dt.date) -> None:
    if day > on:
        raise InvoiceError("Cette date est dans l’avenir : corrigez-la. Rien n’a été enregistré.")
