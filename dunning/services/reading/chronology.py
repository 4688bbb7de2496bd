"""What happened to invoices of one client: told apart on each invoice's page, together in the client's document."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db.models import Q, Window
from django.db.models.functions import RowNumber

from cabinets.models import Cabinet
from cabinets.sealing import open_together
from dunning.enums import Code
from dunning.models import Decision, ReminderLine
from dunning.presenting import RULE_MEANS, Event, moment_words, plural
from dunning.services.reading.beside import claim_events, fact_words
from dunning.services.reading.heard import inbound_events
from dunning.services.reading.opened import openings
from dunning.services.reading.plans import plan_events, plan_message_events, promise_events
from dunning.services.reading.said import Told, author_of, reminder_events
from invoices.enums import StopKind
from invoices.models import CreditNote, Invoice, Standstill
from invoices.money import show_euros
from payments.enums import PaymentMeans, PaymentState
from payments.models import Allocation, DebtorRequest, LinkVisit
from templates_lib.rendering import day_words

NIGHTS_SHOWN = 60
VISITS_SHOWN = 50
# Beyond this, a line about all of them says so, and a line about many counts them before it names them.
NAMED_AT_MOST = 3
# The reminders themselves tell these nights.
TOLD_BY_REMINDERS = (Code.SEND, Code.NEEDS_APPROVAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the database keeps of these invoices, and what their pages ask again: messages, stops, requests."""

    invoices: Sequence[Invoice]
    lines: Sequence[ReminderLine]
    stops: Sequence[Standstill]
    asked: Sequence[DebtorRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a client's document, and the invoices it is about: named, or all of them, or counted then named."""

    event: Event
    numbers: Sequence[str] = ()
    words: str = ""


def past_of(invoices: Sequence[Invoice]) -> Past:
    """Read what these invoices of one client share; their dossiers are loaded with them."""
    lines = ReminderLine.objects.filter(invoice__in=invoices).select_related(
        "reminder__step", "reminder__approved_by__user", "reminder__ended_by__user"
    )
    clients = {one.client_id for one in invoices}
    asked = DebtorRequest.objects.filter(Q(invoice__in=invoices) | Q(invoice=None, client__in=clients))
    return Past(
        invoices=invoices,
        lines=list(lines.defer("reminder__html", "reminder__text", "reminder__subject", "reminder__recipient")),
        stops=_stops_of(invoices),
        asked=list(asked.defer("message", "answer")),
    )


def events_of(past: Past, cabinet: Cabinet) -> list[Told]:
    """Return every event with the invoice whose page tells it, in as many queries for one invoice as for all."""
    zone = cabinet.zone
    return [
        *reminder_events(past.lines, cabinet),
        *_payment_events(past.invoices, zone),
        *_stop_events(past, zone),
        *_promise_events(past),
        *plan_events(past.invoices, zone),
        *plan_message_events(past.invoices, zone),
        *claim_events(invoices=past.invoices, zone=zone),
        *_request_events(past, zone),
        *inbound_events(invoices=past.invoices, lines=past.lines, zone=zone),
        *_visit_events(past.invoices, zone),
        *_night_events(past.invoices, zone),
        *(_entered(one, zone) for one in past.invoices),
    ]


def chronology_of(*, invoices: Sequence[Invoice], cabinet: Cabinet) -> list[Entry]:
    """Return what already happened to these invoices of one client, oldest first.

    What is told in the same words at the same moment is told once, with every invoice it concerns.
    """
    together: dict[tuple[str, str, str, UUID | None], tuple[Event, set[UUID]]] = {}
    for invoice_id, event in events_of(past_of(invoices), cabinet):
        if not event.future:
            words = (event.when, event.title, event.text, event.source)
            together.setdefault(words, (event, set()))[1].add(invoice_id)
    told = sorted(together.values(), key=lambda one: (one[0].at, one[0].title, one[0].text))
    return [_entry(event, [one.number for one in invoices if one.pk in about], len(invoices)) for event, about in told]


def _entry(event: Event, numbers: Sequence[str], of: int) -> Entry:
    count = len(numbers)
    if count == of > NAMED_AT_MOST:
        return Entry(event=event, words=f"Toutes ({of})")
    words = plural(count, "facture", "factures") if count > NAMED_AT_MOST else ""
    return Entry(event=event, numbers=numbers, words=words)


def _stops_of(invoices: Sequence[Invoice]) -> list[Standstill]:
    reach = (
        Q(invoice__in=invoices)
        | Q(dossier__in={one.dossier_id for one in invoices})
        | Q(client__in={one.client_id for one in invoices})
        | Q(lawyer__in={one.dossier.lawyer_id for one in invoices if one.dossier.lawyer_id})
        | Q(invoice=None, dossier=None, client=None, lawyer=None)
    )
    rows = Standstill.objects.filter(reach).select_related("created_by__user", "released_by__user")
    return open_together(rows.order_by("created_at"))


def _is_reached(invoice: Invoice, stop: Standstill) -> bool:
    aims = (stop.invoice_id, stop.dossier_id, stop.client_id, stop.lawyer_id)
    places = (invoice.pk, invoice.dossier_id, invoice.client_id, invoice.dossier.lawyer_id)
    return not any(aims) or any(aim and aim == place for aim, place in zip(aims, places, strict=True))


def _entered(invoice: Invoice, zone: dt.tzinfo) -> Told:
    word = "importée" if invoice.batch_id else "saisie"
    return invoice.pk, Event(
        at=invoice.created_at,
        tone="neutral",
        icon="receipt-text",
        title=f"{invoice.get_kind_display()} {word}",
        when=moment_words(invoice.created_at, zone),
        text=f"{show_euros(invoice.total_cents)} TTC, échéance le {day_words(invoice.due_on)}",
        source=invoice.pk,
    )


def _payment_events(invoices: Sequence[Invoice], zone: dt.tzinfo) -> Iterable[Told]:
    shares = Allocation.objects.filter(invoice__in=invoices).select_related("payment").defer("payment__note")
    for share in shares:
        payment = share.payment
        state, means = PaymentState(payment.state), PaymentMeans(payment.means).label.lower()
        at = dt.datetime.combine(payment.received_on, dt.time(12), tzinfo=zone)
        is_settled, added = state == PaymentState.SETTLED, share.accessory_cents
        apart = f", dont {show_euros(added)} de pénalités et d’indemnité" if added else ""
        event = Event(
            at=at,
            tone="ok" if is_settled else "neutral",
            icon="hand-coins" if is_settled else "undo-2",
            title=f"Paiement de {show_euros(share.cents + added)}"
            + ("" if is_settled else f" : {state.label.lower()}"),
            when=day_words(payment.received_on),
            text=f"Par {means}{apart}",
            source=share.pk,
        )
        yield share.invoice_id, event
    for note in CreditNote.objects.filter(invoice__in=invoices):
        if note.invoice_id is None:
            continue
        event = Event(
            at=dt.datetime.combine(note.issued_on, dt.time(12), tzinfo=zone),
            tone="neutral",
            icon="file-text",
            title=f"Avoir {note.number}" + (" : annulé" if note.cancelled_at else ""),
            when=day_words(note.issued_on),
            text=show_euros(note.cents),
            source=note.pk,
        )
        yield note.invoice_id, event


def _stop_events(past: Past, zone: dt.tzinfo) -> Iterable[Told]:
    for stop in past.stops:
        reached = [one.pk for one in past.invoices if _is_reached(one, stop)]
        for event in _told_of(stop, zone):
            yield from ((pk, event) for pk in reached)


def _promise_events(past: Past) -> Iterable[Told]:
    stops = {one.pk: one for one in past.stops}
    for stop_id, event in promise_events(past.stops):
        yield from ((one.pk, event) for one in past.invoices if _is_reached(one, stops[stop_id]))


def _told_of(stop: Standstill, zone: dt.tzinfo) -> Iterable[Event]:
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


def _request_events(past: Past, zone: dt.tzinfo) -> Iterable[Told]:
    for request in past.asked:
        event = Event(
            at=request.received_at,
            tone="dispute",
            icon="message-circle-warning",
            title=f"Le client écrit : {request.get_kind_display().lower()}",
            when=moment_words(request.received_at, zone),
            text=request.get_state_display(),
            url=f"/demandes/{request.pk}/",
            link_label="Voir la demande",
            source=request.pk,
        )
        yield from ((one.pk, event) for one in past.invoices if request.invoice_id in {None, one.pk})


def _visit_events(invoices: Sequence[Invoice], zone: dt.tzinfo) -> Iterable[Told]:
    opened = {(one.client_id, one.dossier.billing_contact_id) for one in invoices}
    contacts = [contact for _, contact in opened if contact]
    visits = (
        LinkVisit.objects.filter(
            Q(link__contact__in=contacts) | Q(link__contact=None), link__client__in={client for client, _ in opened}
        )
        .annotate(back=Window(RowNumber(), partition_by=["link__client", "link__contact"], order_by="-at"))
        .filter(back__lte=VISITS_SHOWN)
        .order_by("link__client", "link__contact", "-at")
    )
    by_addressee: dict[tuple[UUID, UUID | None], list[tuple[dt.datetime, UUID | None, str | None]]] = defaultdict(list)
    names = ("link__client", "link__contact", "at", "invoice", "invoice__number")
    for client, contact, at, invoice_id, number in visits.values_list(*names):
        by_addressee[client, contact].append((at, invoice_id, number))
    for addressee, rows in by_addressee.items():
        told = [one.pk for one in invoices if (one.client_id, one.dossier.billing_contact_id) == addressee]
        for opening in openings(rows, zone):
            event = opening.event()
            yield from ((pk, event) for pk in told if opening.invoice_id in {None, pk})


def _night_events(invoices: Sequence[Invoice], zone: dt.tzinfo) -> Iterable[Told]:
    nights = (
        Decision.objects.filter(invoice__in=invoices)
        .annotate(back=Window(RowNumber(), partition_by="invoice", order_by=["-on", "-round"]))
        .filter(back__lte=NIGHTS_SHOWN)
        .order_by("invoice", "-on", "-round")
    )
    for (invoice_id, code), same in groupby(nights.values_list("invoice", "on", "code"), key=lambda row: row[::2]):
        silent = [on for _, on, _ in same]
        if code in TOLD_BY_REMINDERS:
            continue
        span = ""
        if len(silent) > 1:
            span = f" {plural(len(silent), 'nuit', 'nuits')}, depuis le {day_words(silent[-1])}."
        event = Event(
            at=dt.datetime.combine(silent[0], dt.time(4, 30), tzinfo=zone),
            tone="neutral",
            icon="hourglass",
            title=f"Rien n’est parti : {Code(code).label.lower()}",
            when=f"nuit du {day_words(silent[0])}",
            text=f"{RULE_MEANS[Code(code)]}{span}",
            url=f"/factures/{invoice_id}/pourquoi/",
            link_label="Pourquoi ?",
        )
        yield invoice_id, event
