"""One client, and the calendar of what leaves."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import RightMissingError
from cabinets.http import CabinetRequest
from cabinets.models import Client, Dossier
from cabinets.permissions import archived_too, requires
from cabinets.services import archive
from dunning.forms.approvals import UntilForm
from dunning.models import Reminder
from dunning.services import silencing
from dunning.services.chronology_document import chronology_document
from dunning.services.reading import agenda, client
from invoices.models import Invoice, Standstill

page = require_http_methods(["GET", "POST"])


@require_GET
@never_cache
@requires(Right.SEE_CLIENTS)
@archived_too
def client_page(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Show one client: what is owed, whom we write to, what was said."""
    found = get_object_or_404(Client, pk=client_id)
    opening = archive.opening_of(client_id=client_id, member=request.member) if found.archived_on else None
    if found.archived_on and opening is None:
        return _archived(request, found)
    journal.seen(found, "client")
    read = client.page_of(client=found, cabinet=request.cabinet, member=request.member)

    def can(right: Right) -> bool:
        # What is read in the archive is not acted on.
        return opening is None and request.member.can(right)

    context = {
        "page": read,
        "may_hold": can(Right.HOLD_REMINDERS),
        "may_approve": can(Right.APPROVE_REMINDERS),
        "may_edit": can(Right.EDIT_CLIENTS),
        "may_invoice": can(Right.EDIT_INVOICES),
        "may_manage": can(Right.MANAGE_FIRM),
        "may_check": can(Right.APPROVE_FORMAL_NOTICES),
        "zone": request.cabinet.zone,
        "opening": opening,
    }
    return render(request, "dunning/client.html", context)


def _archived(request: CabinetRequest, found: Client) -> HttpResponse:
    """Say that a client is in the archive, and who may open it: nothing of theirs."""
    journal.seen(found, "client_archived")
    context = {
        "client": found,
        "dossiers": Dossier.objects.filter(client=found).only("pk", "reference").order_by("reference"),
        "invoices": Invoice.objects.filter(client=found).count(),
        "may_open": request.member.can(Right.OPEN_ARCHIVE),
    }
    return render(request, "dunning/client_archived.html", context)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def client_chronology(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Give what happened to the client's invoices as a document: the words of their pages, together."""
    found = get_object_or_404(Client, pk=client_id)
    journal.seen(found, "chronology")
    is_partial = not request.member.can(Right.SEE_EVERY_FILE)
    made = chronology_document(client=found, cabinet=request.cabinet, is_partial=is_partial)
    answer = HttpResponse(made.content, content_type="application/pdf")
    name = slugify(f"chronologie {found.display_name} {request.cabinet.today().isoformat()}")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


@page
@requires(Right.HOLD_REMINDERS)
def client_suspend(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Hold the reminders of a client, whoever is in charge of the dossier."""
    found = get_object_or_404(Client, pk=client_id)
    form = UntilForm(request.POST or None, today=request.cabinet.today())
    if request.method == "POST" and form.is_valid():
        silencing.suspend(target=found, by=request.member, **form.cleaned_data)
        messages.success(request, "Relances suspendues pour ce client. Ce qui se préparait est annulé.")
        return redirect("client", client_id)
    journal.seen(found, "client_suspend")
    context = {
        "form": form,
        "title": "Suspendre les relances de ce client",
        "text": f"{found.display_name} : aucun message ne part, pour aucun de ses dossiers, jusqu’à la date choisie.",
        "label": "Suspendre les relances",
        "back_url": f"/clients/{client_id}/",
    }
    return render(request, "confirm.html", context, status=422 if form.errors else 200)


@page
@requires(Right.HOLD_REMINDERS)
def client_never(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Never speak to a client again, or speak to them again."""
    found = get_object_or_404(Client, pk=client_id)
    if request.method == "POST":
        never = request.POST.get("relancer") != "1"
        silencing.never_remind_client(client_id=client_id, by=request.member, never=never)
        messages.success(
            request, "Ce client ne sera plus relancé." if never else "La prochaine nuit examine ses factures."
        )
        return redirect("client", client_id)
    journal.seen(found, "client_never")
    never = not found.is_never_reminded
    context = {
        "title": f"Ne jamais relancer {found.display_name} ?"
        if never
        else f"Relancer de nouveau {found.display_name} ?",
        "text": "Plus aucun message ne part à ce client. Ses factures restent dues et dans les chiffres du cabinet."
        if never
        else "La prochaine nuit examine ses factures, à l’étape où elles en sont.",
        "label": "Ne jamais relancer" if never else "Relancer de nouveau",
        "extra": "" if never else "1",
        "back_url": f"/clients/{client_id}/",
    }
    return render(request, "dunning/never.html", context)


@page
@requires(Right.HOLD_REMINDERS)
def client_lift(request: CabinetRequest, client_id: UUID, standstill_id: UUID) -> HttpResponse:
    """Lift one fact that stops a whole client."""
    found = get_object_or_404(Client, pk=client_id)
    stop = get_object_or_404(Standstill, pk=standstill_id, client=found)
    if request.method == "POST":
        try:
            silencing.lift(standstill_id=stop.pk, by=request.member)
        except RightMissingError as error:
            journal.record("access.refused", None, right=silencing.right_to_lift(stop.kind).value)
            messages.error(request, f"{error} Rien n’a été changé.")
        else:
            messages.success(request, f"{stop.get_kind_display()} : levée. La prochaine nuit examine ses factures.")
        return redirect("client", client_id)
    journal.seen(found, "client_lift")
    context = {
        "title": f"Lever : {stop.get_kind_display().lower()}",
        "text": "La prochaine nuit examine de nouveau les factures de ce client. Rien ne part avant elle.",
        "label": "Lever",
        "back_url": f"/clients/{client_id}/",
    }
    return render(request, "confirm.html", context)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def calendar(request: CabinetRequest) -> HttpResponse:
    """Show by day what leaves, what waits for an accord, and what the ladders foresee."""
    days = agenda.agenda(cabinet=request.cabinet)
    journal.listed(Reminder, "calendar", count=sum(len(day.departures) for day in days))
    context = {
        "days": days,
        "today": request.cabinet.today(),
        "opens_at": request.cabinet.opens_at,
        "closes_at": request.cabinet.closes_at,
        "may_move": request.member.can(Right.APPROVE_REMINDERS),
    }
    return render(request, "dunning/calendar.html", context)
