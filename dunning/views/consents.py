"""The register of a client's consents to electronic registered letters."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import ClientKind, Right
from cabinets.errors import CabinetError
from cabinets.http import CabinetRequest
from cabinets.models import Client, Contact
from cabinets.permissions import requires
from cabinets.sealing import open_together
from dunning.errors import DunningError
from dunning.forms.letters import ConsentForm
from dunning.models import LetterConsent
from dunning.services import consents as services
from invoices.models import Document

page = require_http_methods(["GET", "POST"])
REFUSED = 422
SHOWN = 50


@page
@never_cache
@requires(Right.EDIT_CLIENTS)
def consents(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Show the consents of a client, and record one."""
    client = get_object_or_404(Client, pk=client_id)
    contacts = list(Contact.objects.filter(client=client, is_archived=False))
    documents = list(Document.objects.filter(client=client).order_by("-pk")[:SHOWN])
    form = ConsentForm(
        request.POST or None,
        today=request.cabinet.today(),
        contacts=contacts,
        documents=documents,
        initial={"email": client.email},
    )
    if request.method == "POST" and form.is_valid() and _record(request, client, form):
        return redirect("consents", client_id)
    journal.seen(client, "consents")
    rows = list(LetterConsent.objects.filter(client=client).select_related("contact", "proof")[:SHOWN])
    open_together([*rows, *contacts, *documents])
    context = {
        "client": client,
        "form": form,
        "rows": sorted(rows, key=lambda row: (row.withdrawn_on is not None, -row.given_on.toordinal())),
        "needs_consent": client.kind in {ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL, ClientKind.UNKNOWN},
    }
    return render(request, "dunning/consents.html", context, status=REFUSED if form.errors else 200)


@page
@requires(Right.EDIT_CLIENTS)
def consent_withdraw(request: CabinetRequest, client_id: UUID, consent_id: UUID) -> HttpResponse:
    """End a consent."""
    consent = get_object_or_404(LetterConsent, pk=consent_id, client=client_id)
    if request.method == "POST":
        services.withdraw(consent_id=consent.pk, on=request.cabinet.today())
        messages.success(request, "Le consentement est retiré. Les prochaines lettres partent sur papier.")
        return redirect("consents", client_id)
    context = {
        "title": "Retirer ce consentement ?",
        "text": "Les lettres recommandées de ce client partent de nouveau sur papier. Les lettres déjà parties gardent "
        "leurs preuves.",
        "label": "Retirer le consentement",
        "back_url": f"/clients/{client_id}/consentements/",
        "danger": True,
    }
    return render(request, "confirm.html", context)


def _record(request: CabinetRequest, client: Client, form: ConsentForm) -> bool:
    given = form.cleaned_data
    try:
        services.record(
            client_id=client.pk,
            email=given["email"],
            given_on=given["given_on"],
            scope=given["scope"],
            proof_id=given["proof"].pk if given["proof"] else None,
            contact_id=given["contact"].pk if given["contact"] else None,
            by=request.member,
        )
    except (DunningError, CabinetError) as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, "Le consentement est enregistré, pour cette adresse et pour elle seule.")
    return True
