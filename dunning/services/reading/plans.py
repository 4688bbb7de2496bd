"""Payment plans and promises, as lines of a timeline and of a client's page."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from dunning.presenting import Event, moment_words
from dunning.services.reading.said import Told
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from payments.enums import MailState, PlanMail, PlanOrigin, PlanState, PromiseResult
from payments.models import PaymentPlan, PlanLine, PlanMessage
from payments.services.promises import outcomes_of
from templates_lib.rendering import day_words

SHOWN = 10
_RESULTS = {
    PromiseResult.KEPT: ("ok", "circle-check", "Promesse tenue"),
    PromiseResult.BROKEN: ("late", "circle-x", "Promesse non tenue"),
}
_ENDS = {
    MailState.SENT: ("ok", "mail-check", "Accepté par le serveur."),
    MailState.UNKNOWN: ("wait", "circle-question-mark", "Issue incertaine : rien n’est renvoyé sans une personne."),
    MailState.REJECTED: ("late", "mail-x", "Refusé par le serveur : rien n’a été remis."),
}
_LOOKS = {
    PlanState.PROPOSED: ("info", "calendar-days"),
    PlanState.ACTIVE: ("ok", "calendar-check"),
    PlanState.KEPT: ("ok", "circle-check"),
    PlanState.BROKEN: ("late", "triangle-alert"),
}


def plan_events(invoices: Sequence[Invoice], zone: dt.tzinfo) -> Iterable[Told]:
    """Return the plans these invoices were in, on the day each was proposed."""
    lines = PlanLine.objects.filter(invoice__in=invoices).select_related("plan")
    for line in lines.defer("plan__message", "plan__answer").order_by("plan__proposed_at"):
        plan = line.plan
        tone, icon = _LOOKS.get(PlanState(plan.state), ("neutral", "ban"))
        who = "le client" if plan.origin == PlanOrigin.DEBTOR else "le cabinet"
        agreed = f" Accord du client le {day_words(plan.agreed_on)}." if plan.agreed_on else ""
        event = Event(
            at=plan.proposed_at,
            tone=tone,
            icon=icon,
            title=f"Échéancier proposé par {who}",
            when=moment_words(plan.proposed_at, zone),
            text=f"{plan.get_state_display()}.{agreed}",
            url=f"/echeanciers/{plan.pk}/",
            link_label="Voir l’échéancier",
            source=plan.pk,
        )
        yield line.invoice_id, event


def plan_message_events(invoices: Sequence[Invoice], zone: dt.tzinfo) -> Iterable[Told]:
    """Return what was written to the debtor of the plans these invoices were in: said, perhaps said, or refused."""
    covered: dict[UUID, list[UUID]] = defaultdict(list)
    for plan_id, invoice_id in PlanLine.objects.filter(invoice__in=invoices).values_list("plan", "invoice"):
        covered[plan_id].append(invoice_id)
    rows = PlanMessage.objects.filter(plan__in=list(covered), state__in=_ENDS).select_related("instalment")
    for message in rows.defer("html", "text", "subject", "recipient").order_by("created_at", "pk"):
        event = _message_event(message, zone)
        yield from ((invoice_id, event) for invoice_id in covered[message.plan_id])


def _message_event(message: PlanMessage, zone: dt.tzinfo) -> Event:
    tone, icon, text = _ENDS[MailState(message.state)]
    at, part = message.spoken_at or message.depart_at, message.instalment
    about = f" Versement n° {part.rank}, à payer le {day_words(part.due_on)}." if part else ""
    return Event(
        at=at,
        tone=tone,
        icon=icon,
        title=f"E-mail sur l’échéancier\u00a0: {PlanMail(message.kind).label.lower()}",
        when=moment_words(at, zone),
        text=f"{text}{about}",
        url=f"/echeanciers/{message.plan_id}/",
        link_label="Voir l’échéancier",
        source=message.pk,
    )


def promise_events(stops: Sequence[Standstill]) -> Iterable[Told]:
    """Return what became of the promises among these facts, each with its fact."""
    outcomes = outcomes_of(stop.pk for stop in stops if stop.kind == StopKind.PROMISE)
    for stop_id, outcome in outcomes.items():
        tone, icon, title = _RESULTS[PromiseResult(outcome.result)]
        event = Event(
            at=outcome.created_at,
            tone=tone,
            icon=icon,
            title=title,
            when=day_words(outcome.judged_on),
            text=f"Promis pour le {day_words(outcome.promised_on)}.",
        )
        yield stop_id, event


def plans_of(client_id: UUID) -> list[PaymentPlan]:
    """Return the plans of a client, the latest first, as far as the person sees every dossier each covers."""
    rows = PaymentPlan.objects.filter(client=client_id).defer("message", "answer").order_by("-proposed_at")
    return list(rows[:SHOWN])
