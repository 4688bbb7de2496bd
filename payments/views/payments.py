"""Record a payment, list them, take one back; the statement of a client."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

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
from payments.forms_payments import PaymentForm
from payments.models import Payment
from payments.services import recording
from payments.services.bank_tying import take_back
from payments.services.listing import listed_payments, payment_page
from payments.services.reading_online import dead_notices
from payments.services.statement import statement_of
from payments.services.statement_document import statement_document
from templates_lib.rendering import typeset

page = require_http_methods(["GET", "POST"])
REFUSED = 422


@page
@requires(Right.RECORD_PAYMENTS)
def payment_record(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Record what came in for an invoice: a page of its own, or a part of the invoice's page through htmx."""
    invoice = get_object_or_404(Invoice.objects.select_related("client"), pk=invoice_id)
    today = request.cabinet.today()
    form = PaymentForm(request.POST or None, initial={"amount": invoice.outstanding_cents, "received_on": today})
    if form.is_bound and form.is_valid():
        try:
            payment_id = form.cleaned_data["form_id"]
            payment = recording.record_payment(receipt=form.receipt(invoice), on=today, payment_id=payment_id)
        except (PaymentError, InvoiceError) as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"Le paiement de {show_euros(payment.cents)} est enregistré.")
            return _to_invoice(request, invoice_id)
    journal.seen(invoice, "payment_form")
    context = {"form": form, "invoice": invoice, "client": invoice.client}
    template = "payments/_payment_form.html" if "HX-Request" in request.headers else "payments/payment_form.html"
    return render(request, template, context, status=REFUSED if form.errors else None)


@require_GET
@requires(Right.SEE_INVOICES)
def payments(request: CabinetRequest) -> HttpResponse:
    """List the payments received."""
    sees_every_file = request.member.can(Right.SEE_EVERY_FILE)
    found = payment_page(sees_every_file=sees_every_file, after=request.GET.get("apres", ""))
    journal.listed(Payment, "payments", count=len(found.rows))
    can_record = request.member.can(Right.RECORD_PAYMENTS)
    context = {
        "page": found,
        "can_record": can_record,
        "sees_bank": can_record and sees_every_file,
        "dead": dead_notices() if request.member.can(Right.MANAGE_FIRM) else 0,
    }
    return render(request, "payments/payments.html", context)


@page
@requires(Right.RECORD_PAYMENTS)
def payment_reverse(request: CabinetRequest, payment_id: UUID) -> HttpResponse:
    """Ask, then take a payment back."""
    payment = get_object_or_404(
        listed_payments(sees_every_file=request.member.can(Right.SEE_EVERY_FILE)), pk=payment_id
    )
    if request.method == "POST":
        try:
            take_back(payment_id=payment_id)
        except (InvoiceError, PaymentError) as refusal:
            messages.error(request, typeset(str(refusal)))
        else:
            messages.success(request, "Le paiement est annulé : ses factures sont de nouveau dues.")
        return redirect("payments")
    journal.seen(payment, "payment_reverse")
    context = {
        "title": f"Annuler le paiement du {payment.received_on:%d/%m/%Y} ?",
        "text": "Ses factures sont de nouveau dues et peuvent être relancées. Le paiement reste dans la liste, annulé.",
        "label": "Annuler le paiement",
        "back_url": "/paiements/",
        "danger": True,
        "form": None,
    }
    return render(request, "confirm.html", context)


@require_GET
@requires(Right.SEE_CLIENTS)
def statement(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Show the account of a client, ready to be printed."""
    client = get_object_or_404(Client, pk=client_id)
    account = statement_of(client_id=client_id, on=request.cabinet.today())
    journal.seen(client, "statement")
    return render(request, "payments/statement.html", {"account": account, "client": client})


@require_GET
@never_cache
@requires(Right.SEE_CLIENTS)
def statement_pdf(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Give the account of a client as a document to hand over."""
    client = get_object_or_404(Client, pk=client_id)
    account = statement_of(client_id=client_id, on=request.cabinet.today())
    journal.seen(client, "statement_pdf")
    made = statement_document(account=account, cabinet=request.cabinet)
    answer = HttpResponse(made.content, content_type="application/pdf")
    name = slugify(f"releve {client.display_name} {account.on.isoformat()}")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


def _to_invoice(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    address = f"/factures/{invoice_id}/"
    if "HX-Request" in request.headers:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
