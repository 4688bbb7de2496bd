"""One invoice: where it is, what happened, and why nothing left."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from cabinets.models import Cabinet, Membership
from dunning.enums import PENDING, Code
from dunning.models import Decision, DunningCase, Reminder, Step
from dunning.policy import Facts, decide
from dunning.presenting import (
    RULE_MEANS,
    Event,
    facts_words,
    moment_words,
    offset_words,
    step_words,
    verdict_words,
)
from dunning.services.facts import load_facts
from dunning.services.reading.beside import Beside, beside, fact_words
from dunning.services.reading.chronology import NIGHTS_SHOWN, TOLD_BY_REMINDERS, events_of, past_of
from dunning.services.reading.said import author_of
from dunning.services.silencing import right_to_lift
from invoices.enums import InvoiceState, InvoiceStatus, StopKind
from invoices.models import Invoice, Standstill
from invoices.money import show_euros
from invoices.services.statuses import statuses
from invoices.status import in_force
from payments.enums import RequestState
from payments.models import PaymentPlan
from payments.services.plan_reading import plan_of_invoice
from payments.services.plan_writing import ORIGIN as PLAN_ORIGIN
from templates_lib.rendering import day_words

OFF_LADDER = "Cette facture n’est suivie par aucun scénario : rien ne part à son sujet."
AMONG = {"invoice_id": "cette facture", "dossier_id": "tout le dossier", "client_id": "tout le client"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A fact in force that stops this invoice."""

    row: Standstill
    label: str
    reach: str
    since: str
    until_on: dt.date | None
    by: str
    may_lift: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePage:
    """One invoice as its page shows it."""

    invoice: Invoice
    client_name: str
    status: InvoiceStatus
    days_late: int
    events: tuple[Event, ...]
    stops: tuple[Stop, ...]
    pending: Reminder | None
    case: DunningCase | None
    next_step: str
    requests_open: int
    beside: Beside
    plan: PaymentPlan | None

    @property
    def is_closed(self) -> bool:
        """Say whether nothing more is asked of it."""
        return self.invoice.state != InvoiceState.OPEN or self.invoice.outstanding_cents <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night answered."""

    on: dt.date
    label: str
    meaning: str
    facts: tuple[str, ...]
    again_on: dt.date | None
    reminder_id: UUID | None
    was_said: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """« Pourquoi rien n’est parti ? »: what the rules say now, and what each night said."""

    invoice: Invoice
    client_name: str
    now_label: str
    now_meaning: str
    now_facts: tuple[str, ...]
    next_on: dt.date | None
    is_ready: bool
    nights: tuple[Night, ...]


def page_of(*, invoice: Invoice, cabinet: Cabinet, member: Membership) -> InvoicePage:
    """Return everything the page of an invoice shows; its client and dossier are loaded with it."""
    on, zone = cabinet.today(), cabinet.zone
    case = DunningCase.objects.filter(invoice=invoice).select_related("version").first()
    past = past_of([invoice])
    waiting = next((line.reminder for line in past.lines if line.reminder.state in PENDING), None)
    events = [event for _, event in events_of(past, cabinet)]
    plan = plan_of_invoice(invoice.pk)
    return InvoicePage(
        invoice=invoice,
        client_name=invoice.client.display_name,
        status=statuses([invoice], on=on)[invoice.pk],
        days_late=invoice.days_late(on=on) if invoice.outstanding_cents > 0 else 0,
        events=tuple(sorted(events, key=lambda event: (event.future, event.at), reverse=True)),
        stops=tuple(_stop_row(stop, member, zone, plan) for stop in past.stops if in_force(stop, on)),
        pending=waiting,
        case=case,
        next_step=_next_step(case),
        requests_open=sum(one.state == RequestState.OPEN for one in past.asked),
        beside=beside(invoice=invoice, cabinet=cabinet, member=member),
        plan=plan,
    )


def why(*, invoice: Invoice, cabinet: Cabinet) -> Why:
    """Return what the rules say of an invoice now, and the last sixty nights."""
    on = cabinet.today()
    case = DunningCase.objects.filter(invoice=invoice).first()
    pending = Reminder.objects.filter(lines__invoice=invoice, state__in=PENDING).values_list("pk", flat=True).first()
    facts = load_facts(invoice_ids=[invoice.pk], on=on, now=cabinet.now(), apart_from=pending).get(invoice.pk)
    label, meaning, seen, is_ready = "Hors scénario", OFF_LADDER, [], False
    if case is not None and facts is not None:
        verdict = decide(facts, on=on)
        is_ready = verdict.code in TOLD_BY_REMINDERS
        label, meaning = verdict.code.label, verdict_words(verdict)
        if is_ready and case.next_action_on is not None and case.next_action_on > on:
            label = "Rien à envoyer aujourd’hui"
            meaning = f"Aucune règle ne s’y oppose : prochaine étape la nuit du {day_words(case.next_action_on)}."
        elif is_ready and pending is not None:
            label, meaning = "Un message est prêt", "Il attend son départ ou votre accord."
        seen = _seen_now(facts)
    nights = Decision.objects.filter(invoice=invoice).order_by("-on", "-round")[:NIGHTS_SHOWN]
    return Why(
        invoice=invoice,
        client_name=invoice.client.display_name,
        now_label=label,
        now_meaning=meaning,
        now_facts=tuple(seen),
        next_on=case.next_action_on if case else None,
        is_ready=is_ready,
        nights=tuple(_night(row) for row in nights),
    )


def _seen_now(facts: Facts) -> list[str]:
    seen = [f"Reste dû : {show_euros(facts.owed_cents)}"]
    if facts.step is not None:
        seen.append(f"Étape : {offset_words(facts.step.offset_days)}, {facts.step.tone.label.lower()}")
    if facts.last_contact_on is not None:
        seen.append(f"Dernier contact : {day_words(facts.last_contact_on)}")
    return seen


def _night(row: Decision) -> Night:
    code = Code(row.code)
    return Night(
        on=row.on,
        label=code.label,
        meaning=RULE_MEANS[code],
        facts=tuple(facts_words(row.facts)),
        again_on=row.again_on,
        reminder_id=row.reminder_id,
        was_said=code in TOLD_BY_REMINDERS,
    )


def _next_step(case: DunningCase | None) -> str:
    if case is None:
        return ""
    step = Step.objects.filter(version=case.version_id, rank=case.next_rank).first()
    return step_words(step) if step else ""


def _stop_row(stop: Standstill, member: Membership, zone: dt.tzinfo, plan: PaymentPlan | None) -> Stop:
    # What a plan wrote is decided on the plan's own page.
    is_plans = plan is not None and stop.origin == PLAN_ORIGIN
    reach = next((words for name, words in AMONG.items() if getattr(stop, name)), "")
    return Stop(
        row=stop,
        label=StopKind(stop.kind).label,
        reach=reach or ("l’avocat responsable" if stop.lawyer_id else "tout le cabinet"),
        since=moment_words(stop.created_at, zone),
        until_on=None if is_plans else stop.until_on,
        by=author_of(stop.created_by, stop.origin),
        may_lift=bool(reach) and not is_plans and member.can(right_to_lift(stop.kind)),
        words=fact_words(stop),
    )
