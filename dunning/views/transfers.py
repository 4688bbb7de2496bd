"""Transfers of data outside the European Union: what allows them, provider by provider."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right, TransferBasis
from cabinets.errors import TransferError
from cabinets.http import CabinetRequest
from cabinets.models import TransferRecord
from cabinets.permissions import requires
from cabinets.services import transfers as register
from dunning.forms.letters import TransferForm
from dunning.services import transfers as services
from dunning.services.letter_accounts import PROFILES
from payments.services.provider_accounts import PROFILES as PAYMENT_PROFILES

page = require_http_methods(["GET", "POST"])
REFUSED = 422
SHOWN = 100
# Providers of this product established outside the European Union.
OUTSIDE = (("twilio", "Twilio (SMS, États-Unis)"), ("stripe", "Stripe (paiement, États-Unis)"))


@page
@never_cache
@requires(Right.MANAGE_FIRM)
def transfers(request: CabinetRequest) -> HttpResponse:
    """Show what transfers rest on, and record one."""
    form = TransferForm(request.POST or None, providers=OUTSIDE)
    if request.method == "POST" and form.is_valid() and _record(request, form):
        return redirect("transfers")
    rows = list(TransferRecord.objects.order_by("revoked_at", "-recorded_at")[:SHOWN])
    journal.listed(TransferRecord, "transfers", count=len(rows))
    places = [(one.label, one.country) for one in PROFILES.values()]
    places += [(one.label, one.country) for one in PAYMENT_PROFILES.values()]
    inside = sorted(label for label, country in places if country in register.EEA)
    context = {"form": form, "rows": rows, "labels": dict(OUTSIDE), "inside": inside, "zone": request.cabinet.zone}
    return render(request, "dunning/transfers.html", context, status=REFUSED if form.errors else 200)


@page
@requires(Right.MANAGE_FIRM)
def transfer_revoke(request: CabinetRequest, transfer_id: UUID) -> HttpResponse:
    """Withdraw what a transfer rests on."""
    record = get_object_or_404(TransferRecord, pk=transfer_id)
    if request.method == "POST":
        stopped = services.revoke(record_id=record.pk, by=request.member)
        messages.success(
            request,
            "Le fondement est retiré et le prestataire est mis hors service."
            if stopped
            else "Le fondement est retiré.",
        )
        return redirect("transfers")
    context = {
        "title": "Retirer ce fondement ?",
        "text": "Le prestataire est mis hors service aussitôt : plus rien ne lui est transmis.",
        "label": "Retirer le fondement",
        "back_url": "/parametres/transferts/",
        "danger": True,
    }
    return render(request, "confirm.html", context)


def _record(request: CabinetRequest, form: TransferForm) -> bool:
    given = form.cleaned_data
    try:
        register.record(
            provider=given["provider"],
            country=given["country"],
            basis=TransferBasis(given["basis"]),
            reference=given["reference"],
            data_sent=given["data_sent"],
            assessed_on=given["assessed_on"],
            by=request.member,
        )
    except TransferError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, "Le transfert est enregistré. Le prestataire peut être mis en service.")
    return True
