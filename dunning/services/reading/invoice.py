"""One invoice: where it is, what happened, and why nothing left."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db.models import Q, QuerySet

from cabinets.models import Cabinet, Membership
from cabinets.sealing import open_together
from dunning.enums import PENDING, Code
from dunning.models import Decision, DunningCase, Reminder, ReminderLine, Step
from dunning.policy import Facts, decide
from dunning.presenting import (
    RULE_MEANS,
    Event,
    facts_words,
    moment_words,
    offset_words,
    plural,
    step_words,
    verdict_words,
)
from dunning.services.facts import load_facts
from dunning.services.reading.beside import Beside, beside, claim_events, fact_words
from dunning.services.reading.heard import inbound_events
from dunning.services.reading.opened import visit_events
from dunning.services.reading.said import author_of, reminder_events
from dunning.services.silencing import right_to_lift
from invoices.enums import InvoiceState, InvoiceStatus, StopKind
from invoices.models import CreditNote, Invoice, Standstill
from invoices.money import show_euros
from invoices.services.statuses import statuses
from invoices.status import in_force
from payments.enums import PaymentMeans, PaymentState, RequestState
from payments.models import Allocation, DebtorRequest
from templates_lib.rendering import day_words

NIGHTS_SHOWN = 60
# The reminders themselves tell these nights.
TOLD_BY_REMINDERS = (Code.SEND, Code.NEEDS_APPROVAL)
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
    stops = _stops_of(invoice)
    lines = _lines_of(invoice)
    reminders = [line.reminder for line in lines]
    waiting = next((one for one in reminders if one.state in PENDING), None)
    asked = list(_requests_of(invoice).defer("message", "answer"))
    events = [
        *reminder_events(lines, cabinet),
        *_payment_events(invoice, zone),
        *_stop_events(stops, zone),
        *claim_events(invoice=invoice, zone=zone),
        *_request_events(asked, zone),
        *inbound_events(invoice=invoice, reminder_ids=[one.pk for one in reminders], zone=zone),
        *visit_events(invoice=invoice, zone=zone),
        *_night_events(invoice, zone),
        _entered(invoice, zone),
    ]
    return InvoicePage(
        invoice=invoice,
        client_name=invoice.client.display_name,
        status=statuses([invoice], on=on)[invoice.pk],
        days_late=invoice.days_late(on=on) if invoice.outstanding_cents > 0 else 0,
        events=tuple(sorted(events, key=lambda event: (event.future, event.at), reverse=True)),
        stops=tuple(_stop_row(stop, member, zone) for stop in stops if in_force(stop, on)),
        pending=waiting,
        case=case,
        next_step=_next_step(case),
        requests_open=sum(one.state == RequestState.OPEN for one in asked),
        beside=beside(invoice=invoice, cabinet=cabinet, member=member),
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


def _lines_of(invoice: Invoice) -> list[ReminderLine]:
    rows = ReminderLine.objects.filter(invoice=invoice).select_related(
        "reminder__step", "reminder__approved_by__user", "reminder__ended_by__user"
    )
    return list(rows.defer("reminder__html", "reminder__text", "reminder__subject", "reminder__recipient"))


def _stops_of(invoice: Invoice) -> list[Standstill]:
    lawyer = invoice.dossier.lawyer_id
    reach = (
        Q(invoice=invoice)
        | Q(dossier=invoice.dossier_id)
        | Q(client=invoice.client_id)
        | Q(invoice=None, dossier=None, client=None, lawyer=None)
    )
    if lawyer is not None:
        reach |= Q(lawyer=lawyer)
    rows = Standstill.objects.filter(reach).select_related("created_by__user", "released_by__user")
    return open_together(rows.order_by("created_at"))


def _requests_of(invoice: Invoice) -> QuerySet[DebtorRequest]:
    return DebtorRequest.objects.filter(Q(invoice=invoice) | Q(invoice=None, client=invoice.client_id))


def _stop_row(stop: Standstill, member: Membership, zone: dt.tzinfo) -> Stop:
    reach = next((words for name, words in AMONG.items() if getattr(stop, name)), "")
    return Stop(
        row=stop,
        label=StopKind(stop.kind).label,
        reach=reach or ("l’avocat responsable" if stop.lawyer_id else "tout le cabinet"),
        since=moment_words(stop.created_at, zone),
        until_on=stop.until_on,
        by=author_of(stop.created_by, stop.origin),
        may_lift=bool(reach) and member.can(right_to_lift(stop.kind)),
        words=fact_words(stop),
    )


def _entered(invoice: Invoice, zone: dt.tzinfo) -> Event:
    word = "importée" if invoice.batch_id else "saisie"
    return Event(
        at=invoice.created_at,
        tone="neutral",
        icon="receipt-text",
        title=f"{invoice.get_kind_display()} {word}",
        when=moment_words(invoice.created_at, zone),
        text=f"{show_euros(invoice.total_cents)} TTC, échéance le {day_words(invoice.due_on)}",
    )


def _payment_events(invoice: Invoice, zone: dt.tzinfo) -> Iterable[Event]:
    shares = Allocation.objects.filter(invoice=invoice).select_related("payment").defer("payment__note")
    for share in shares:
        payment = share.payment
        state, means = PaymentState(payment.state), PaymentMeans(payment.means).label.lower()
        at = dt.datetime.combine(payment.received_on, dt.time(12), tzinfo=zone)
        is_settled, added = state == PaymentState.SETTLED, share.accessory_cents
        apart = f", dont {show_euros(added)} de pénalités et d’indemnité" if added else ""
        yield Event(
            at=at,
            tone="ok" if is_settled else "neutral",
            icon="hand-coins" if is_settled else "undo-2",
            title=f"Paiement de {show_euros(share.cents + added)}"
            + ("" if is_settled else f" : {state.label.lower()}"),
            when=day_words(payment.received_on),
            text=f"Par {means}{apart}",
        )
    for note in CreditNote.objects.filter(invoice=invoice):
        yield Event(
            at=dt.datetime.combine(note.issued_on, dt.time(12), tzinfo=zone),
            tone="neutral",
            icon="file-text",
            title=f"Avoir {note.number}" + (" : annulé" if note.cancelled_at else ""),
            when=day_words(note.issued_on),
            text=show_euros(note.cents),
        )


def _stop_events(stops: Sequence[Standstill], zone: dt.tzinfo) -> Iterable[Event]:
    for stop in stops:
        kind = StopKind(stop.kind)
        tone, icon = ("dispute", "scale") if kind == StopKind.DISPUTE else ("wait", "circle-pause")
        until = f" Jusqu’au {day_words(stop.until_on)}." if stop.until_on else ""
        reason = f" « {stop.reason} »" if stop.reason else ""
        yield Event(
            at=stop.created_at,
            tone=tone,
            icon=icon,
            title=kind.label,
            when=moment_words(stop.created_at, zone),
            text=f"Par {author_of(stop.created_by, stop.origin)}.{until} {fact_words(stop)}{reason}".strip(),
        )
        if stop.released_at:
            yield Event(
                at=stop.released_at,
                tone="ok",
                icon="play",
                title=f"{kind.label} : levée",
                when=moment_words(stop.released_at, zone),
                text=f"Par {author_of(stop.released_by)}.",
            )


def _request_events(asked: Sequence[DebtorRequest], zone: dt.tzinfo) -> Iterable[Event]:
    for request in asked:
        yield Event(
            at=request.received_at,
            tone="dispute",
            icon="message-circle-warning",
            title=f"Le client écrit : {request.get_kind_display().lower()}",
            when=moment_words(request.received_at, zone),
            text=request.get_state_display(),
            url=f"/demandes/{request.pk}/",
            link_label="Voir la demande",
        )


def _night_events(invoice: Invoice, zone: dt.tzinfo) -> Iterable[Event]:
    rows = Decision.objects.filter(invoice=invoice).order_by("-on", "-round").values_list("on", "code")[:NIGHTS_SHOWN]
    for code, same in groupby(rows, key=lambda row: row[1]):
        nights = [on for on, _ in same]
        if code in TOLD_BY_REMINDERS:
            continue
        span = ""
        if len(nights) > 1:
            span = f" {plural(len(nights), 'nuit', 'nuits')}, depuis le {day_words(nights[-1])}."
        yield Event(
            at=dt.datetime.combine(nights[0], dt.time(4, 30), tzinfo=zone),
            tone="neutral",
            icon="hourglass",
            title=f"Rien n’est parti : {Code(code).label.lower()}",
            when=f"nuit du {day_words(nights[0])}",
            text=f"{RULE_MEANS[Code(code)]}{span}",
            url=f"/factures/{invoice.pk}/pourquoi/",
            link_label="Pourquoi ?",
        )
