"""The firm's pages of online payments: one payment, what providers announced, and what debtors may pay in part."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from payments.forms_payments import PartPaymentsForm
from payments.models import ProviderNotice
from payments.services import notices, reading_online, reviews
from payments.services.listing import listed_payments


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def payment(request: CabinetRequest, payment_id: UUID) -> HttpResponse:
    """Show one payment: what it settled, what its provider says, what happened to it."""
    sees_every_file = request.member.can(Right.SEE_EVERY_FILE)
    found = get_object_or_404(
        listed_payments(sees_every_file=sees_every_file).select_related("client", "recorded_by__user"), pk=payment_id
    )
    online = reading_online.online_part(found)
    paid = reading_online.paid_by(found)
    journal.seen(found, "payment")
    context = {
        "payment": found,
        "client": found.client,
        "cents": found.cents if sees_every_file else sum(one.cents for one in paid),
        "paid": paid,
        "online": online,
        "sees_every_file": sees_every_file,
        "story": reading_online.story_of(found, online.checkout if online else None),
        "may_reverse": online is None and found.state == "settled" and request.member.can(Right.RECORD_PAYMENTS),
        "may_review": request.member.can(Right.HOLD_REMINDERS),
        "zone": request.cabinet.zone,
    }
    return render(request, "payments/payment.html", context)


@require_POST
@requires(Right.HOLD_REMINDERS)
def payment_reviewed(request: CabinetRequest, payment_id: UUID) -> HttpResponse:
    """Let the reminders of a payment that was taken back go on: a person looked."""
    rows = listed_payments(sees_every_file=request.member.can(Right.SEE_EVERY_FILE))
    found = get_object_or_404(rows, pk=payment_id)
    reviews.settle_review(payment=found, by=request.member)
    messages.success(request, "C’est noté. Les relances de ces factures reprennent à leur tour.")
    return redirect("payment", payment_id)


@require_GET
@never_cache
@requires(Right.MANAGE_FIRM)
def provider_notices(request: CabinetRequest) -> HttpResponse:
    """List what providers announced, and what became of it."""
    asked = request.GET.get("etat", "")
    state = next((state for word, state, _ in reading_online.STATES if word == asked), None)
    found = reading_online.notice_page(state=state, after=request.GET.get("apres", ""))
    journal.listed(ProviderNotice, "provider_notices", count=len(found.rows))
    tabs = [{"label": "Toutes", "url": "?", "current": state is None}]
    tabs += [
        {"label": label, "url": f"?etat={word}", "current": state == one} for word, one, label in reading_online.STATES
    ]
    context = {"page": found, "tabs": tabs, "zone": request.cabinet.zone, "state": state}
    return render(request, "payments/provider_notices.html", context)


@require_POST
@requires(Right.MANAGE_FIRM)
def notice_replay(request: CabinetRequest, notice_id: UUID) -> HttpResponse:
    """Put a notice back among those to handle."""
    get_object_or_404(ProviderNotice, pk=notice_id)
    notices.replay(notice_id=notice_id, by=request.member)
    messages.success(request, "L’annonce est rejouée dans la minute : le prestataire est interrogé de nouveau.")
    return redirect("provider_notices")


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.MANAGE_FIRM)
def part_payments(request: CabinetRequest) -> HttpResponse:
    """Say whether a debtor may pay a part of an invoice online."""
    form = PartPaymentsForm(initial={"allows": request.cabinet.allows_part_payments})
    if request.method == "POST":
        form = PartPaymentsForm(request.POST)
        if form.is_valid():
            reviews.allow_part_payments(to=form.cleaned_data["allows"], by=request.member)
            messages.success(request, "Le réglage est enregistré. Il vaut dès maintenant dans l’espace de règlement.")
            return redirect("part_payments")
    journal.seen(request.cabinet, "part_payments")
    return render(request, "payments/part_payments.html", {"form": form})
