"""« Vos demandes »: what its author said from the link, and what the firm answered, the last first."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from cabinets.http import FORM_REFERRER
from cabinets.models import Cabinet
from payments.enums import DataRight, PaymentMeans, PlanOrigin, PlanState, Preference, RequestKind, RequestState
from payments.models import DebtorRequest
from payments.portal.access import LinkRequest, opens_link
from payments.portal.account import account_of
from payments.portal.pages import page
from payments.portal.plan_words import by_day, said_of_plans
from payments.portal.views import is_checked, is_said_not_theirs
from payments.ports import DelayTold, copies
from payments.services import details, links, plans, requests
from templates_lib.rendering import day_words

MOST_REQUESTS = 20
RECEIVED = "Votre demande est reçue. Le cabinet l’étudie et vous répond ici."


@dataclass(frozen=True, slots=True)
class Said:
    """One moment of a request, as the timeline of its author shows it."""

    at: dt.datetime
    tone: str
    icon: str
    title: str
    when: dt.date
    text: str
    has_copy: bool = False


@opens_link
@require_safe
def follow_up(request: LinkRequest) -> HttpResponse:
    """Show what was said and what the firm answered; of somebody who is not concerned, nothing of the account."""
    asked = DebtorRequest.objects.filter(link=request.link)
    hidden = is_said_not_theirs(request)
    if hidden:
        asked = asked.filter(kind=RequestKind.DATA)
    elif account_of(request.link, on=request.cabinet.today()).is_sensitive and not is_checked(request):
        return redirect("portal_check", token=request.token)
    rows = list(asked.select_related("invoice").order_by("-received_at")[:MOST_REQUESTS])
    copied = set() if hidden else {one.asked_id for one in details.copies_for(request.link)}
    delayed = {one.asked_id: one for one in copies().delays([row.pk for row in rows if row.kind == RequestKind.DATA])}
    waiting = [row for row in rows if row.state == RequestState.OPEN and row.kind in requests.STOPS]
    events = [
        event
        for row in rows
        for event in _moments(row, request.cabinet, delay=delayed.get(row.pk), has_copy=row.pk in copied)
    ]
    running = None if hidden else plans.running_plan(request.link)
    may_withdraw = running is not None and running.state == PlanState.PROPOSED and running.origin == PlanOrigin.DEBTOR
    response = page(
        request,
        "request",
        events=by_day(
            [] if hidden else said_of_plans(request.link),
            sorted(events, key=lambda event: event.at, reverse=True),
        ),
        is_suspended=bool(waiting) and all(requests.is_suspending(row) for row in waiting),
        is_over=request.link.settled_on is not None,
        until=links.read_until(request.link),
        hidden=hidden,
        may_withdraw=may_withdraw,
    )
    if may_withdraw:
        response["Referrer-Policy"] = FORM_REFERRER
    return response


def _moments(asked: DebtorRequest, cabinet: Cabinet, *, delay: DelayTold | None, has_copy: bool) -> Iterator[Said]:
    title, is_open = _title(asked), asked.state == RequestState.OPEN
    if delay is not None:
        yield _put_off(asked, delay, cabinet, title)
    text = " ".join(part for part in (_told(asked), RECEIVED if is_open else "") if part)
    yield _said(asked.received_at, cabinet, "info", "hourglass" if is_open else "message-circle-warning", title, text)
    if asked.answered_at is None:
        return
    if asked.kind == RequestKind.CHANNEL and asked.answered_by_id is None:
        yield _said(asked.answered_at, cabinet, "neutral", "circle-check", title, "Un choix plus récent l’a remplacé.")
        return
    answer = str(asked.answer) or "Le cabinet a traité votre demande."
    said = _said(asked.answered_at, cabinet, "ok", "circle-check", f"Réponse du cabinet – {title}", answer)
    yield replace(said, has_copy=has_copy)


def _put_off(asked: DebtorRequest, delay: DelayTold, cabinet: Cabinet, title: str) -> Said:
    text = f"Le cabinet vous répond au plus tard le {day_words(delay.due_on)}. Son motif\u00a0: {delay.reason}"
    # Its day alone is known: it comes after the request of the same day.
    at = max(asked.received_at, dt.datetime.combine(delay.said_on, dt.time(), tzinfo=cabinet.zone))
    return _said(at, cabinet, "info", "clock", f"Délai prolongé – {title}", text)


def _said(at: dt.datetime, cabinet: Cabinet, tone: str, icon: str, title: str, text: str) -> Said:
    return Said(at, tone, icon, title, at.astimezone(cabinet.zone).date(), text)


def _title(asked: DebtorRequest) -> str:
    kind = RequestKind(asked.kind)
    name, about = kind.label, ""
    if kind == RequestKind.DATA:
        name, about = "Demande sur vos données", DataRight(asked.reason).label.lower()
    elif kind == RequestKind.CHANNEL:
        about = Preference(asked.reason).label.lower() if asked.reason else "sans préférence"
    elif kind != RequestKind.WRONG_RECIPIENT and asked.invoice is not None:
        about = f"facture {asked.invoice.number}"
    return f"{name} – {about}" if about else name


def _told(asked: DebtorRequest) -> str:
    parts = []
    if asked.paid_on is not None:
        means = f", par {PaymentMeans(asked.paid_by).label.lower()}" if asked.paid_by else ""
        parts.append(f"Payée le {day_words(asked.paid_on)}{means}.")
    if asked.proof_id is not None:
        parts.append("Un justificatif est joint.")
    return " ".join(parts)
