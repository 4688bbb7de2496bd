"""A client's credit: pay invoices with it, give it back, undo either."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from invoices.errors import InvoiceError
from invoices.models import Invoice
from invoices.money import show_euros
from payments.errors import PaymentError
from payments.forms_payments import RefundForm, UseCreditForm
from payments.models import Refund
from payments.services import credit
from payments.services.listing import paid_by_credit
from payments.views.bank import ensure_every_file, for_every_file

USE, REFUND = "regler", "rembourser"
REFUSED = 422


@require_http_methods(["GET", "POST"])
@requires(Right.RECORD_PAYMENTS)
def client_credit(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Show what a client holds at the firm, and do one of two things with it."""
    client = get_object_or_404(Client, pk=client_id)
    sees_every_file = request.member.can(Right.SEE_EVERY_FILE)
    owed = list(Invoice.objects.open().filter(client=client_id).order_by("due_on", "number_key"))
    today, asked = request.cabinet.today(), request.POST.get("faire", "")
    if asked == REFUND:
        ensure_every_file(request)
    posted = request.POST if request.method == "POST" else None
    using = UseCreditForm(
        posted if asked == USE else None, owed=owed, initial={"invoices": [str(row.pk) for row in owed]}
    )
    refund = RefundForm(posted if asked == REFUND else None, initial={"amount": client.credit_cents, "paid_on": today})
    if using.is_bound and using.is_valid():
        try:
            form_id = using.cleaned_data["form_id"]
            paid = credit.use(client_id=client_id, invoice_ids=using.chosen(), on=today, payment_id=form_id)
        except (PaymentError, InvoiceError) as refusal:
            add_refusal(using, refusal)
        else:
            messages.success(request, f"L’avoir a réglé {show_euros(paid.cents)}.")
            return redirect("client_credit", client_id=client_id)
    if refund.is_bound and refund.is_valid():
        try:
            form_id = refund.cleaned_data["form_id"]
            done = credit.give_back(returned=refund.returned(client_id), on=today, refund_id=form_id)
        except (PaymentError, InvoiceError) as refusal:
            add_refusal(refund, refusal)
        else:
            messages.success(request, f"Le remboursement de {show_euros(done.cents)} est enregistré.")
            return redirect("client_credit", client_id=client_id)
    journal.seen(client, "credit")
    context = {
        "client": client,
        "owed": owed,
        "using": using,
        "refund": refund,
        "sees_every_file": sees_every_file,
        "uses": paid_by_credit(client_id=client_id, sees_every_file=sees_every_file),
        # The credit is the client's, and so of all their dossiers: what was paid back is of no one of them.
        "refunds": credit.refunds_of(client_id=client_id) if sees_every_file else [],
    }
    status = REFUSED if using.errors or refund.errors else 200
    return render(request, "payments/credit.html", context, status=status)


@require_POST
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def refund_take_back(request: CabinetRequest, refund_id: UUID) -> HttpResponse:
    """Take a refund back: the client holds the credit again."""
    refund = get_object_or_404(Refund, pk=refund_id)
    credit.take_back(refund_id=refund_id)
    messages.success(request, "Le remboursement est annulé : le client retrouve cet avoir.")
    return redirect("client_credit", client_id=refund.client_id)
