"""« Relancer maintenant »: from an invoice or from a client, to the page where the message is read and approved."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from dunning.errors import DunningError
from dunning.forms.by_hand import ByHandForm
from dunning.services import by_hand
from invoices.models import Invoice
from templates_lib.rendering import typeset


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.APPROVE_REMINDERS)
def invoice_remind(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Prepare a message about an invoice for this person to read and approve; say what stops it otherwise."""
    invoice: Invoice = get_object_or_404(Invoice.objects.select_related("client"), pk=invoice_id)
    steps, next_rank = by_hand.steps_for(invoice=invoice)
    form = ByHandForm(request.POST or None, steps=steps, next_rank=next_rank)
    if request.method == "POST" and form.is_valid():
        try:
            reminder = by_hand.prepare(invoice_id=invoice.pk, by=request.member, **form.cleaned_data)
        except DunningError as error:
            form.add_error(None, typeset(str(error)))
        else:
            messages.success(request, "Message préparé. Relisez-le : rien ne part sans votre accord.")
            return redirect("approval", reminder.pk)
    journal.seen(invoice, "invoice_remind")
    context = {
        "form": form,
        "title": f"Relancer la facture {invoice.number} maintenant",
        "text": f"{invoice.client.display_name} : le message est préparé, puis vous le relisez. Les règles qui arrêtent"
        " une relance valent ici comme la nuit.",
        "label": "Préparer le message",
        "back_url": f"/factures/{invoice.pk}/",
    }
    return render(request, "confirm.html", context, status=422 if form.errors else 200)


@require_GET
@never_cache
@requires(Right.APPROVE_REMINDERS)
def client_remind(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Choose the late invoice a client is to be reminded of; go straight to it when there is one."""
    client = get_object_or_404(Client, pk=client_id)
    late = list(
        Invoice.objects.overdue(on=request.cabinet.today()).filter(client=client).order_by("due_on", "number_key")
    )
    if len(late) == 1:
        return redirect("invoice_remind", late[0].pk)
    journal.seen(client, "client_remind")
    return render(request, "dunning/client_remind.html", {"client": client, "invoices": late})
