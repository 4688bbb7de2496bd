"""« Demandes clients »: what debtors said, the oldest first, and what the firm answers."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Cabinet
from cabinets.permissions import requires
from cabinets.sealing import open_together
from invoices.law.limitation import shift_months
from invoices.models import Invoice
from payments.enums import DataRight, PaymentMeans, RequestKind, RequestOutcome, RequestState
from payments.errors import PaymentError
from payments.forms import AnswerForm
from payments.models import DebtorRequest
from payments.ports import copies
from payments.services import requests as service
from payments.services import rights

MOST_ANSWERED = 100


# What each right is worth here (law.md R58): the reminders rest on the contract.
RIGHT_HINTS = {
    DataRight.ACCESS: "Remettez une copie de ses données, gratuitement : sa fiche, ses factures, les messages envoyés.",
    DataRight.RECTIFICATION: "Corrigez ce qui est inexact, puis dites-le.",
    DataRight.ERASURE: "Effacez ce qui ne sert plus ; dites ce que la comptabilité et la prescription obligent à"
    " garder, et jusqu’à quand.",
    DataRight.RESTRICTION: "Gardez les données sans les utiliser, le temps de vérifier ce qui est contesté.",
    DataRight.PORTABILITY: "Remettez les données qu’il a fournies dans un format réutilisable.",
    DataRight.OBJECTION: "Le traitement repose sur le contrat : le droit d’opposition ne s’y applique pas. Une personne"
    " le vérifie et motive la réponse.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One request of the list."""

    request: DebtorRequest
    client: str
    age: str


@require_GET
@requires(Right.SEE_CLIENTS)
def listing(request: CabinetRequest) -> HttpResponse:
    """List what waits for an answer, or what was answered lately."""
    answered = request.GET.get("etat") == "traitees"
    every = visible().select_related("client", "invoice")
    if answered:
        found = list(every.filter(state=RequestState.ANSWERED).order_by("-answered_at")[:MOST_ANSWERED])
    else:
        found = list(every.filter(state=RequestState.OPEN).order_by("received_at"))
    open_together([row.client for row in found])
    rows = [Row(row, row.client.display_name, in_words(row.received_at, request.cabinet)) for row in found]
    journal.listed(DebtorRequest, request.path, count=len(rows))
    waiting = len(rows) if not answered else visible().filter(state=RequestState.OPEN).count()
    tabs = [
        {"label": "À traiter", "url": "?", "current": not answered, "count": waiting},
        {"label": "Traitées", "url": "?etat=traitees", "current": answered, "count": 0},
    ]
    return render(request, "payments/requests.html", {"rows": rows, "tabs": tabs, "answered": answered})


@require_GET
@requires(Right.SEE_CLIENTS)
def one(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Show one request, what it stopped, and how to answer."""
    asked = get_object_or_404(visible(), pk=pk)
    return _page(request, asked, AnswerForm(kind=RequestKind(asked.kind)))


@require_POST
@requires(Right.HOLD_REMINDERS)
def answer(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Close a request with what was found."""
    asked = get_object_or_404(visible(), pk=pk)
    form = AnswerForm(request.POST, kind=RequestKind(asked.kind))
    if not form.is_valid():
        return _page(request, asked, form, status=422)
    try:
        service.answer(
            request_id=asked.pk, outcome=RequestOutcome(form.outcome_chosen()), text=form.cleaned_data["answer"]
        )
    except PaymentError as refusal:
        form.add_error(None, str(refusal))
        return _page(request, asked, form, status=422)
    messages.success(request, "La demande est traitée. Le client lit votre réponse sur sa page.")
    return redirect("requests")


@require_POST
@requires(Right.RELEASE_DISPUTES)
def release(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Lift the disputes chosen one by one."""
    asked = get_object_or_404(visible(), pk=pk)
    chosen = [found for found in map(_uuid, request.POST.getlist("standstill")) if found is not None]
    lifted = service.release_disputes(member=request.member, client=asked.client, standstill_ids=chosen)
    if lifted:
        messages.success(request, "La contestation est levée : les relances reprennent au prochain passage de nuit.")
    else:
        messages.warning(request, "Aucune facture n’est cochée. Rien n’a été levé.")
    return redirect("request", pk=asked.pk)


def in_words(instant: dt.datetime, cabinet: Cabinet) -> str:
    """Say how long ago something happened, in days of the firm."""
    days = (cabinet.today() - instant.astimezone(cabinet.zone).date()).days
    if days <= 0:
        return "aujourd’hui"
    return "hier" if days == 1 else f"il y a {days} jours"


def visible() -> QuerySet[DebtorRequest]:
    """Return the requests a person may read: not those about an invoice of a dossier they do not see."""
    return DebtorRequest.objects.filter(Q(invoice=None) | Q(invoice__in=Invoice.objects.all()))


def _page(request: CabinetRequest, asked: DebtorRequest, form: AnswerForm, *, status: int = 200) -> HttpResponse:
    journal.seen(asked, request.path)
    disputes = list(service.disputes_of(asked.client).select_related("invoice"))
    put_off = copies().delays([asked.pk]) if asked.kind == RequestKind.DATA else []
    context: dict[str, Any] = {
        "asked": asked,
        "form": form,
        "client": asked.client.display_name,
        "means": PaymentMeans(asked.paid_by).label if asked.paid_by else "",
        "age": in_words(asked.received_at, request.cabinet),
        "disputes": disputes if asked.kind == RequestKind.PROBLEM else [],
        "is_open": asked.state == RequestState.OPEN,
        "proof": asked.proof,
        "is_about_invoices": asked.kind not in {RequestKind.DATA, RequestKind.CHANNEL},
        "answer_by": put_off[0].due_on if put_off else _a_month_after(asked, request.cabinet),
        "is_put_off": bool(put_off),
        "is_about_data": asked.kind == RequestKind.DATA,
        "hint": RIGHT_HINTS[DataRight(asked.reason)] if asked.kind == RequestKind.DATA else "",
        "is_paid_claim": asked.kind == RequestKind.ALREADY_PAID,
        # A request about personal data is answered once the person is recognised: on the page of the rights request.
        "may_answer": request.member.can(Right.HOLD_REMINDERS) and asked.kind != RequestKind.DATA,
        "may_answer_rights": request.member.can(Right.ANSWER_RIGHTS),
        "may_release": request.member.can(Right.RELEASE_DISPUTES),
    }
    return render(request, "payments/request.html", context, status=status)


def _a_month_after(asked: DebtorRequest, cabinet: Cabinet) -> dt.date:
    return shift_months(asked.received_at.astimezone(cabinet.zone).date(), rights.MONTHS_TO_ANSWER)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
