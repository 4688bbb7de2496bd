"""Facts that stop, as a person declares them: what each will do is said before it is done."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from invoices.errors import InvoiceError
from invoices.forms import facts as forms
from invoices.models import Invoice, Standstill
from invoices.services import facts

page = require_http_methods(["GET", "POST"])
REFUSED = 422


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact a page declares: its words, its form, its act."""

    title: str
    text: str
    label: str
    told: str
    form: type[forms.FactForm]
    act: Callable[..., list[Standstill]]


OF_INVOICE: dict[str, Fact] = {
    "contestation": Fact(
        "Le client conteste",
        "Les relances de toutes les factures de ce client s’arrêtent à l’instant, et une réponse vous est demandée à"
        " date. Un avocat les libère ensuite une par une. « Déjà réglé » n’arrête que cette facture, le temps de"
        " retrouver le paiement.",
        "Enregistrer la contestation",
        "Contestation enregistrée. Ce qui se préparait est annulé.",
        forms.DisputeForm,
        facts.contest,
    ),
    "promesse": Fact(
        "Le client promet de payer",
        "Rien ne part pour cette facture jusqu’au jour promis, ce jour compris. Sans paiement, les relances reprennent"
        " d’elles-mêmes le lendemain.",
        "Enregistrer la promesse",
        "Promesse enregistrée. Les relances reprennent d’elles-mêmes après la date promise.",
        forms.PromiseForm,
        facts.promise,
    ),
    "mediation": Fact(
        "Une médiation est convenue",
        "Les relances de toutes les factures de ce client s’arrêtent à l’instant. La prescription du dossier est"
        " suspendue jusqu’à ce qu’un avocat lève l’arrêt.",
        "Enregistrer la médiation",
        "Médiation enregistrée. Les relances de ce client sont arrêtées.",
        forms.MediationForm,
        facts.mediate,
    ),
    "batonnier": Fact(
        "Le bâtonnier est saisi",
        "Les relances du dossier s’arrêtent. Il a quatre mois pour décider ; sans réponse, vous avez un mois pour"
        " saisir le premier président. Ces dates deviennent des tâches.",
        "Enregistrer la saisine",
        "Saisine enregistrée. Les échéances sont dans vos tâches.",
        forms.BatonnierForm,
        facts.seise_batonnier,
    ),
}
OF_CLIENT: dict[str, Fact] = {
    "procedure-collective": Fact(
        "Une procédure collective est ouverte",
        "Tout s’arrête pour ce client, le lien de règlement aussi : payer une dette antérieure lui est interdit."
        " Les pénalités s’arrêtent la veille du jugement. La déclaration de créance vous est demandée à date.",
        "Enregistrer la procédure",
        "Procédure enregistrée. Plus rien ne part, et le lien de règlement refuse tout paiement.",
        forms.InsolvencyForm,
        facts.insolvent,
    ),
    "surendettement": Fact(
        "Un surendettement est déclaré recevable",
        "Tout s’arrête pour ce client, le lien de règlement aussi. Aucun intérêt ne court à partir de la recevabilité.",
        "Enregistrer le surendettement",
        "Surendettement enregistré. Plus rien ne part, et le lien de règlement refuse tout paiement.",
        forms.OverIndebtednessForm,
        facts.over_indebted,
    ),
    "protection": Fact(
        "Décès, tutelle ou minorité",
        "Les relances de toutes les factures de ce client s’arrêtent à l’instant. Un avocat les libère ensuite une par"
        " une.",
        "Enregistrer",
        "Enregistré. Plus rien ne part à ce client.",
        forms.ProtectionForm,
        facts.protect,
    ),
}


@page
@requires(Right.HOLD_REMINDERS)
def invoice_fact(request: CabinetRequest, invoice_id: UUID, fact: str) -> HttpResponse:
    """Declare a fact about an invoice."""
    found = get_object_or_404(Invoice.objects.select_related("dossier", "client"), pk=invoice_id)
    return _declare(
        request, _known(OF_INVOICE, fact), "invoice", found, owed_cents=found.outstanding_cents,
        back_url=f"/factures/{invoice_id}/",
    )  # fmt: skip


@page
@requires(Right.HOLD_REMINDERS)
def client_fact(request: CabinetRequest, client_id: UUID, fact: str) -> HttpResponse:
    """Declare a fact about a client."""
    found = get_object_or_404(Client, pk=client_id)
    return _declare(request, _known(OF_CLIENT, fact), "client", found, back_url=f"/clients/{client_id}/")


@page
@requires(Right.HOLD_REMINDERS)
def batonnier_follow(request: CabinetRequest, invoice_id: UUID, standstill_id: UUID) -> HttpResponse:
    """Move the deadline before the bâtonnier."""
    found = get_object_or_404(Invoice, pk=invoice_id)
    stop = get_object_or_404(Standstill, pk=standstill_id, dossier=found.dossier_id, released_at=None)
    return act_on_form(
        request,
        forms.BatonnierFollowForm(request.POST or None, today=request.cabinet.today()),
        act=lambda values, on: facts.follow_batonnier(standstill_id=stop.pk, by=request.member, on=on, **values),
        subject=found,
        told="Échéance mise à jour.",
        words={
            "title": "Suite de la procédure devant le bâtonnier",
            "text": "Il peut prolonger une fois son délai, de quatre mois au plus. Sa décision notifiée ouvre un mois"
            " pour faire recours devant le premier président.",
            "label": "Mettre à jour l’échéance",
            "back_url": f"/factures/{invoice_id}/",
        },
    )


def act_on_form(
    request: CabinetRequest,
    form: Any,
    *,
    act: Callable[[dict[str, Any], dt.date], object],
    subject: Invoice | Client,
    told: str,
    words: dict[str, str],
) -> HttpResponse:
    """Show a form on the house's confirmation page, and do its act once it is valid."""
    if form.is_bound and form.is_valid():
        try:
            act(form.cleaned_data, request.cabinet.today())
        except InvoiceError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, told)
            return redirect(words["back_url"])
    journal.seen(subject, "fact_form")
    return render(request, "confirm.html", {**words, "form": form}, status=REFUSED if form.errors else None)


def _known(facts_of: dict[str, Fact], name: str) -> Fact:
    if name not in facts_of:
        raise Http404
    return facts_of[name]


def _declare(
    request: CabinetRequest, fact: Fact, name: str, target: Invoice | Client, *, back_url: str, owed_cents: int = 0
) -> HttpResponse:
    return act_on_form(
        request,
        fact.form(request.POST or None, today=request.cabinet.today(), owed_cents=owed_cents),
        act=lambda values, on: fact.act(**{name: target, "by": request.member, "on": on, **values}),
        subject=target,
        told=fact.told,
        words={"title": fact.title, "text": fact.text, "label": fact.label, "back_url": back_url},
    )
