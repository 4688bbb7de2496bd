"""What stands beside an invoice: accessories to waive, limitation to move, proceedings to check and declare."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from invoices.enums import ClaimKind
from invoices.forms import facts as forms
from invoices.models import Invoice
from invoices.services import claims, declaration, insolvency, limitation
from invoices.views.facts import act_on_form

page = require_http_methods(["GET", "POST"])
WAIVED = {
    "penalites": (ClaimKind.INTEREST, "Renoncer aux pénalités"),
    "indemnite": (ClaimKind.INDEMNITY, "Renoncer à l’indemnité de 40\u00a0€"),
}


@page
@requires(Right.APPROVE_FORMAL_NOTICES)
def claim_waive(request: CabinetRequest, invoice_id: UUID, claim: str) -> HttpResponse:
    """Give up interest or the indemnity of an invoice, with a reason."""
    if claim not in WAIVED:
        raise Http404
    kind, title = WAIVED[claim]
    found = get_object_or_404(Invoice.objects.select_related("dossier", "client"), pk=invoice_id)
    return act_on_form(
        request,
        forms.WaiverForm(request.POST or None),
        act=lambda values, on: claims.waive(invoice_id=invoice_id, kind=kind, by=request.member, on=on, **values),
        subject=found,
        told="C’est noté : cette somme n’est plus demandée. La facture n’a pas changé.",
        words={
            "title": title,
            "text": "Plus aucun message ne la demande, et elle ne court plus. La raison, votre nom et la date sont"
            " gardés.",
            "label": title,
            "back_url": f"/factures/{invoice_id}/",
        },
    )


@page
@requires(Right.RELEASE_DISPUTES)
def limitation_event(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Record what moves the limitation of the fees of an invoice's dossier."""
    found = get_object_or_404(Invoice.objects.select_related("dossier", "client"), pk=invoice_id)
    return act_on_form(
        request,
        forms.LimitationForm(request.POST or None, today=request.cabinet.today()),
        act=lambda values, on: limitation.record_event(dossier=found.dossier, by=request.member, today=on, **values),
        subject=found,
        told="C’est noté : la prescription du dossier est recalculée.",
        words={
            "title": "Ce qui interrompt ou suspend la prescription",
            "text": "Vaut pour tous les honoraires du dossier. Une relance, même recommandée, n’a aucun effet.",
            "label": "Enregistrer",
            "back_url": f"/factures/{invoice_id}/",
        },
    )


@page
@requires(Right.APPROVE_FORMAL_NOTICES)
def insolvency_check(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """State that no proceeding was found by hand."""
    found = get_object_or_404(Client, pk=client_id)
    return act_on_form(
        request,
        forms.CheckForm(request.POST or None, today=request.cabinet.today()),
        act=lambda values, on: insolvency.state_by_hand(client=found, by=request.member, **values),
        subject=found,
        told="Vérification enregistrée : elle vaut vingt-quatre heures.",
        words={
            "title": "Aucune procédure collective, vérifié à la main",
            "text": "Vous avez consulté le BODACC ou le greffe pour ce client et n’y avez trouvé aucune procédure. Sans"
            " vérification de moins de vingt-quatre heures, la mise en demeure ne part pas.",
            "label": "Je l’ai vérifié",
            "back_url": f"/clients/{client_id}/",
        },
    )


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def claim_declaration(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Show what is to be declared to the mandataire: each debt born before the judgment, stopped on its eve."""
    found = get_object_or_404(Client, pk=client_id)
    declared = declaration.of(client=found)
    if declared is None:
        raise Http404
    journal.seen(found, "claim_declaration")
    return render(request, "invoices/claim_declaration.html", {"client": found, "declared": declared})
