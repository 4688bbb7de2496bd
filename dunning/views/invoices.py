"""One invoice: where it is, what happened, why nothing left, and what silences it."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import RightMissingError
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.forms.approvals import ReasonForm, UntilForm
from dunning.models import Reminder
from dunning.services import silencing
from dunning.services.composing import lines_of
from dunning.services.reading import invoice as reading
from dunning.services.reading.queue import message_of
from dunning.services.reading.sending import sender_words
from invoices.models import Invoice, Standstill
from payments.errors import PlanError

page = require_http_methods(["GET", "POST"])


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def invoice(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Show one invoice: amounts, state, everything that happened, and what may be done."""
    found = _found(invoice_id)
    journal.seen(found, "invoice")
    can = request.member.can
    context = {
        "page": reading.page_of(invoice=found, cabinet=request.cabinet, member=request.member),
        "may_hold": can(Right.HOLD_REMINDERS),
        "may_pay": can(Right.RECORD_PAYMENTS),
        "may_edit": can(Right.EDIT_INVOICES),
        "may_approve": can(Right.APPROVE_REMINDERS),
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/invoice.html", context)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def invoice_why(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Say what the rules answer now, and what each night answered."""
    found = _found(invoice_id)
    journal.seen(found, "invoice_why")
    return render(request, "dunning/why.html", {"why": reading.why(invoice=found, cabinet=request.cabinet)})


@page
@requires(Right.HOLD_REMINDERS)
def invoice_suspend(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Hold the reminders of an invoice."""
    found = _found(invoice_id)
    form = UntilForm(request.POST or None, today=request.cabinet.today())
    return _confirm(
        request,
        found,
        form,
        act=lambda: silencing.suspend(target=found, by=request.member, **form.cleaned_data),
        told="Relances suspendues pour cette facture. Ce qui se préparait est annulé.",
        words={
            "title": f"Suspendre les relances de la facture {found.number}",
            "text": "Rien ne part à son sujet jusqu’à la date choisie, ou jusqu’à ce qu’une personne les reprenne.",
            "label": "Suspendre les relances",
        },
    )


@page
@requires(Right.HOLD_REMINDERS)
def invoice_contest(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Note that an invoice is contested."""
    found = _found(invoice_id)
    form = ReasonForm(request.POST or None)
    return _confirm(
        request,
        found,
        form,
        act=lambda: silencing.contest(invoice=found, by=request.member, **form.cleaned_data),
        told="Contestation enregistrée. Toutes les relances de ce client s’arrêtent.",
        words={
            "title": f"Contestation de la facture {found.number}",
            "text": "Les relances de toutes les factures de ce client s’arrêtent à l’instant. Un avocat les libère"
            " ensuite une par une.",
            "label": "Enregistrer la contestation",
        },
    )


@page
@requires(Right.HOLD_REMINDERS)
def invoice_never(request: CabinetRequest, invoice_id: UUID) -> HttpResponse:
    """Never speak of an invoice again, or speak of it again."""
    found = _found(invoice_id)
    never = not found.is_never_reminded
    if request.method == "POST":
        wanted = request.POST.get("relancer") != "1"
        silencing.never_remind(invoice_id=invoice_id, by=request.member, never=wanted)
        told = (
            "Cette facture ne sera plus relancée." if wanted else "La prochaine nuit examine de nouveau cette facture."
        )
        messages.success(request, told)
        return redirect("invoice", invoice_id)
    journal.seen(found, "invoice_never")
    context = {
        "title": f"Ne jamais relancer la facture {found.number} ?"
        if never
        else f"Relancer de nouveau la facture {found.number} ?",
        "text": "Plus aucun message ne part à son sujet. Elle reste due et dans les chiffres du cabinet."
        if never
        else "La prochaine nuit l’examine de nouveau, à l’étape où elle en est.",
        "label": "Ne jamais relancer" if never else "Relancer de nouveau",
        "extra": "" if never else "1",
        "back_url": f"/factures/{invoice_id}/",
    }
    return render(request, "dunning/never.html", context)


@page
@requires(Right.HOLD_REMINDERS)
def invoice_lift(request: CabinetRequest, invoice_id: UUID, standstill_id: UUID) -> HttpResponse:
    """Lift one fact that stops an invoice."""
    found, stop = _found(invoice_id), get_object_or_404(Standstill, pk=standstill_id)
    if request.method == "POST":
        try:
            silencing.lift(standstill_id=stop.pk, by=request.member)
        except RightMissingError as error:
            journal.record("access.refused", None, right=silencing.right_to_lift(stop.kind).value)
            messages.error(request, f"{error} Rien n’a été changé.")
            return redirect("invoice", invoice_id)
        except PlanError as error:
            messages.error(request, str(error))
            return redirect("invoice", invoice_id)
        messages.success(request, f"{stop.get_kind_display()} : levée. La prochaine nuit examine la facture.")
        return redirect("invoice", invoice_id)
    journal.seen(found, "invoice_lift")
    context = {
        "title": f"Lever : {stop.get_kind_display().lower()}",
        "text": "La prochaine nuit examine de nouveau ce qui était arrêté. Rien ne part avant elle.",
        "label": "Lever",
        "back_url": f"/factures/{invoice_id}/",
    }
    return render(request, "confirm.html", context)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def message(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Show a message as it left: to whom, when, and what the server answered."""
    rows = Reminder.objects.select_related("client", "contact", "step", "approved_by__user", "seconded_by__user")
    reminder = get_object_or_404(rows, pk=reminder_id)
    journal.seen(reminder, "message")
    claimed, mentioned = lines_of(reminder)
    context = {
        "reminder": reminder,
        "name": reminder.client.display_name,
        "sender": sender_words(reminder, request.cabinet),
        "composed": message_of(reminder=reminder, cabinet=request.cabinet),
        "claimed": claimed,
        "mentioned": mentioned,
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/message.html", context)


def _found(invoice_id: UUID) -> Invoice:
    rows = Invoice.objects.select_related("client", "dossier__lawyer__user", "dossier__billing_contact")
    found: Invoice = get_object_or_404(rows, pk=invoice_id)
    return found


def _confirm(
    request: CabinetRequest,
    found: Invoice,
    form: Form,
    *,
    act: Callable[[], object],
    told: str,
    words: dict[str, str],
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        act()
        messages.success(request, told)
        return redirect("invoice", found.pk)
    journal.seen(found, "invoice_act")
    context = {**words, "form": form, "back_url": f"/factures/{found.pk}/"}
    return render(request, "confirm.html", context, status=422 if form.errors else 200)
