"""« Demandes de droits »: what people ask about their data, with its deadline, the steps and the answer."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest, as_download
from cabinets.models import Client, Contact
from cabinets.permissions import requires
from cabinets.sealing import open_together
from gdpr.enums import Basis, Claim, IdentityProof, RequestOrigin, RightsState
from gdpr.errors import GdprError
from gdpr.forms import AnswerForm, ErasureForm, ExtensionForm, IdentityForm, RequestForm
from gdpr.matrix import basis_for, why_not
from gdpr.models import RightsRequest
from gdpr.services import erasing, telling
from gdpr.services import requests as service
from gdpr.services.exporting import EVERYTHING
from gdpr.terms import answer_due_on
from payments.enums import RequestKind
from payments.models import DebtorRequest

page = require_http_methods(["GET", "POST"])
REFUSED = 422
SHOWN = 200
SOON_DAYS = 7
FOUND = {
    Claim.ACCESS: "Voici une copie des données que nous avons sur vous.",
    Claim.PORTABILITY: "Voici, dans un format réutilisable, les données que vous nous avez fournies.",
    Claim.RECTIFICATION: "Vos données sont corrigées.",
    Claim.ERASURE: "Nous avons effacé ce qui pouvait l’être.",
    Claim.OBJECTION: "C’est noté : nous ne vous écrirons plus au sujet de ces factures.",
    Claim.RESTRICTION: "Vos données sont conservées sans être utilisées : nous ne vous écrirons plus à leur sujet.",
}
UNUSED = "Les relances du client sont suspendues jusqu’à ce qu’une personne les reprenne."
UNWRITTEN = (
    "Plus rien n’est adressé à cette personne\u00a0: les factures qui lui étaient envoyées reviennent au client, et ce"
    " qui était prêt attend votre accord. Les relances du client continuent."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One request of the list: taken up already, or still as the client sent it."""

    url: str
    claim: str
    client: str
    received_on: dt.date
    due_on: dt.date
    state: str
    days_left: int
    is_new: bool

    @property
    def is_late(self) -> bool:
        """Say whether the month is over."""
        return self.days_left < 0

    @property
    def is_near(self) -> bool:
        """Say whether a week at most is left."""
        return 0 <= self.days_left <= SOON_DAYS


@require_GET
@requires(Right.ANSWER_RIGHTS)
def listing(request: CabinetRequest) -> HttpResponse:
    """List what waits for an answer, the nearest deadline first, or what was answered."""
    answered, today = request.GET.get("etat") == "repondues", request.cabinet.today()
    rows = RightsRequest.objects.select_related("client", "contact")
    if answered:
        found = list(rows.exclude(state=RightsState.OPEN).order_by("-answered_at")[:SHOWN])
        shown = [_row(one, today) for one in open_together_clients(found)]
    else:
        found = list(rows.filter(state=RightsState.OPEN).order_by("due_on", "pk"))
        shown = [_row(one, today) for one in open_together_clients(found)] + _new(request, today)
        shown.sort(key=lambda row: (row.due_on, row.url))
    journal.listed(RightsRequest, request.path, count=len(shown))
    tabs = [
        {"label": "À répondre", "url": "?", "current": not answered, "count": 0 if answered else len(shown)},
        {"label": "Répondues", "url": "?etat=repondues", "current": answered, "count": 0},
    ]
    return render(request, "gdpr/requests.html", {"rows": shown, "tabs": tabs, "answered": answered})


def open_together_clients(found: list[RightsRequest]) -> list[RightsRequest]:
    """Load the keys of the clients of these requests in one query."""
    clients: list[Client] = [one.client for one in found]
    open_together(clients)
    return found


def _new(request: CabinetRequest, today: dt.date) -> list[Row]:
    """Return what clients asked from their page and nobody took up."""
    found = list(service.untaken().select_related("client", "link__contact"))
    open_together([one.client for one in found])
    rows = []
    for one in found:
        received_on = one.received_at.astimezone(request.cabinet.zone).date()
        due_on = answer_due_on(received_on)
        rows.append(
            Row(
                url=f"/rgpd/demandes/prendre/{one.pk}/",
                claim=str(one.get_reason_display()),
                client=(one.link.contact or one.client).display_name,
                received_on=received_on,
                due_on=due_on,
                state="Nouvelle",
                days_left=(due_on - today).days,
                is_new=True,
            )
        )
    return rows


def _row(one: RightsRequest, today: dt.date) -> Row:
    return Row(
        url=f"/rgpd/demandes/{one.pk}/",
        claim=str(one.get_claim_display()),
        client=(one.contact or one.client).display_name,
        received_on=one.received_on,
        due_on=one.due_on,
        state=str(one.get_state_display()),
        days_left=(one.due_on - today).days,
        is_new=False,
    )


@page
@requires(Right.ANSWER_RIGHTS)
def add(request: CabinetRequest) -> HttpResponse:
    """Note a request that came by e-mail, by letter or in person."""
    clients = sorted(
        open_together(Client.objects.filter(archived_on=None)), key=lambda one: one.display_name.casefold()
    )
    contacts: dict[UUID, list[Contact]] = defaultdict(list)
    for one in open_together(Contact.objects.filter(client__archived_on=None).order_by("pk")):
        contacts[one.client_id].append(one)
    form = RequestForm(
        request.POST or None,
        clients=clients,
        contacts=contacts,
        today=request.cabinet.today(),
        chosen=request.GET.get("client", ""),
    )
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        client_id, contact_id = given["person"]
        row = service.record(
            by=request.member,
            client=get_object_or_404(Client, pk=client_id),
            contact=get_object_or_404(Contact, pk=contact_id) if contact_id else None,
            claim=Claim(given["claim"]),
            origin=RequestOrigin(given["origin"]),
            received_on=given["received_on"],
            words=given["words"],
        )
        messages.success(request, "La demande est enregistrée. Son délai court depuis le jour où elle est arrivée.")
        return redirect("rights_request", row.pk)
    journal.listed(Client, request.path, count=len(clients))
    return render(request, "gdpr/request_add.html", {"form": form}, status=REFUSED if form.errors else None)


@page
@requires(Right.ANSWER_RIGHTS)
def take_in(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Take up what a client asked from their page."""
    asked = get_object_or_404(
        DebtorRequest.objects.select_related("client", "link__contact"), pk=pk, kind=RequestKind.DATA
    )
    if request.method == "POST":
        return redirect("rights_request", service.take_in(by=request.member, asked_id=pk).pk)
    known = RightsRequest.objects.filter(asked=asked).first()
    if known is not None:
        return redirect("rights_request", known.pk)
    journal.seen(asked, request.path)
    return render(
        request, "gdpr/request_new.html", {"asked": asked, "client": (asked.link.contact or asked.client).display_name}
    )


@require_GET
@never_cache
@requires(Right.ANSWER_RIGHTS)
def one(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Show a request, what was done of it, and what to do next."""
    row = get_object_or_404(RightsRequest.objects.select_related("client", "contact", "identity_by__user"), pk=pk)
    return _page(request, row)


@require_POST
@requires(Right.ANSWER_RIGHTS)
def identify(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Note how the person was recognised."""
    form = IdentityForm(request.POST)
    if not form.is_valid():
        return _page(request, get_object_or_404(RightsRequest, pk=pk), identity_form=form)
    return _do(
        request,
        pk,
        lambda: service.identify(request_id=pk, by=request.member, proof=IdentityProof(form.cleaned_data["identity"])),
        "C’est noté. Vous pouvez traiter la demande.",
    )


@require_POST
@requires(Right.ANSWER_RIGHTS)
def extend(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Take two months more."""
    row, form = get_object_or_404(RightsRequest, pk=pk), ExtensionForm(request.POST)
    if not form.is_valid():
        return _page(request, row, extension_form=form)
    return _do(
        request,
        pk,
        lambda: service.extend(request_id=pk, by=request.member, reason=form.cleaned_data["reason"]),
        f"Le délai est prolongé. {telling.told_of_delay(row)}",
    )


@require_POST
@requires(Right.ANSWER_RIGHTS)
def prepare(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Make the copy of the data."""
    return _do(
        request,
        pk,
        lambda: service.prepare(request_id=pk, by=request.member),
        "La copie est prête : relisez-la avant de la remettre.",
    )


@require_GET
@never_cache
@requires(Right.ANSWER_RIGHTS)
def archive(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Give the copy of the data."""
    get_object_or_404(RightsRequest, pk=pk)
    try:
        _, content = service.read_archive(request_id=pk, by=request.member)
    except GdprError as refusal:
        raise Http404(str(refusal)) from refusal
    return as_download(content, media_type="application/zip", name=f"donnees-{pk.hex[:8]}.zip")


@require_POST
@sensitive_post_parameters("current")
@requires(Right.ANSWER_RIGHTS)
def erase(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Erase what the law lets go of, once the password is given again."""
    row = get_object_or_404(RightsRequest, pk=pk)
    form = ErasureForm(request.POST, request=request)
    if not form.is_valid():
        return _page(request, row, erasure_form=form)
    return _do(
        request,
        pk,
        lambda: service.erase(request_id=pk, by=request.member),
        "Ce qui pouvait l’être est effacé. Le compte rendu dit ce qui reste, et jusqu’à quand.",
    )


@require_POST
@requires(Right.ANSWER_RIGHTS)
def restrict(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Suspend every use of a client's data, or write to a contact no more."""
    row = get_object_or_404(RightsRequest, pk=pk)
    done = UNUSED if row.contact_id is None else UNWRITTEN
    return _do(request, pk, lambda: service.restrict(request_id=pk, by=request.member), done)


@require_POST
@requires(Right.ANSWER_RIGHTS)
def answer(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Close a request with its answer."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, get_object_or_404(RightsRequest, pk=pk), answer_form=form)
    given = form.cleaned_data
    return _do(
        request,
        pk,
        lambda: service.answer(request_id=pk, by=request.member, state=RightsState(given["state"]), text=given["text"]),
        "La réponse est enregistrée, avec sa date et son auteur.",
        answer_form=form,
    )


def _do(request: CabinetRequest, pk: UUID, act: Callable[[], object], done: str, **forms: Any) -> HttpResponse:
    """Act on a request, or show its page again with the refusal."""
    row = get_object_or_404(RightsRequest, pk=pk)
    try:
        act()
    except GdprError as refusal:
        messages.error(request, str(refusal))
        return _page(request, row, status=REFUSED, **forms)
    messages.success(request, done)
    return redirect("rights_request", pk)


def _page(request: CabinetRequest, row: RightsRequest, *, status: int | None = None, **forms: Any) -> HttpResponse:
    journal.seen(row, request.path)
    today, claim = request.cabinet.today(), Claim(row.claim)
    is_refused = any(getattr(form, "errors", None) for form in forms.values())
    is_erasure = claim == Claim.ERASURE and row.is_open and not row.report
    context = {
        "row": row,
        "person": (row.contact or row.client).display_name,
        "client": row.client.display_name,
        "days_left": (row.due_on - today).days,
        "needs_copy": claim in EVERYTHING,
        "is_erasure": claim == Claim.ERASURE,
        "is_restriction": service.may_restrict(row),
        "is_restricted": service.is_restricted(row),
        "preview": erasing.preview(client_id=row.client_id, contact_id=row.contact_id, on=today) if is_erasure else [],
        "report": [_line(line) for line in row.report],
        "refusal": _refusal(row),
        "told": telling.told_of_answer(row, has_copy=claim in EVERYTHING) if row.is_open else "",
        "told_since": "" if row.is_open else telling.told_since(row, zone=request.cabinet.zone),
        "may_extend": row.is_open and row.extended_on is None and today <= row.due_on,
        "identity_form": forms.get("identity_form") or IdentityForm(),
        "extension_form": forms.get("extension_form") or ExtensionForm(),
        "erasure_form": forms.get("erasure_form") or ErasureForm(request=request),
        "answer_form": forms.get("answer_form") or AnswerForm(initial=_usual(row, claim)),
        "form": next((form for form in forms.values() if getattr(form, "errors", None)), None),
    }
    return render(request, "gdpr/request.html", context, status=REFUSED if is_refused else status)


def _line(line: dict[str, Any]) -> dict[str, Any]:
    until = line["until_on"]
    return line | {"until_on": dt.date.fromisoformat(until) if until else None}


def _refusal(row: RightsRequest) -> str:
    """Return the sentence of a refusal; empty when this person may use this right on what serves recovery."""
    return why_not(Claim(row.claim), basis=basis_for(Basis.CONTRACT, is_contact=row.contact_id is not None))


def _usual(row: RightsRequest, claim: Claim) -> dict[str, str]:
    """Return the answer a person starts from."""
    refusal = _refusal(row)
    if refusal:
        return {"state": RightsState.REFUSED, "text": refusal}
    kept = [line for line in row.report if not line["is_gone"]]
    if kept:
        reasons = "\n".join(f"- {line['label']} : {line['reason']}" for line in kept)
        return {"state": RightsState.PARTLY, "text": f"{FOUND[claim]} Nous conservons :\n{reasons}"}
    return {"state": RightsState.GRANTED, "text": FOUND[claim]}
