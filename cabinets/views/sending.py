"""« Mode d’envoi »: what leaves without a person, for the firm and for one client."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.sending import INSURER, MODES, RHYTHM, SECRECY, ClientModeForm, SendingForm
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from cabinets.sealing import open_together
from cabinets.services import sending as sendings
from cabinets.views.clients import REFUSED, client_url, page

CLIENTS_SHOWN = 50


@page
@never_cache
@requires(Right.MANAGE_FIRM)
def sending(request: CabinetRequest) -> HttpResponse:
    """Show and keep how the firm's messages leave."""
    form = SendingForm(request.POST or None, instance=request.cabinet)
    if request.method == "POST" and form.is_valid():
        sendings.save_sending(cabinet=request.cabinet, changes=form.changes, by=request.member)
        messages.success(request, "Le mode d’envoi est enregistré. Ce qui attend un accord l’attend encore.")
        return redirect("sending")
    if form.errors:
        # The frame around the page shows the firm as it is, not as it was refused.
        request.cabinet.refresh_from_db()
    parts = {"rhythm": RHYTHM, "secrecy": SECRECY, "insurer": INSURER}
    fields = {name: [form[field] for field in names] for name, names in parts.items()}
    exceptions = _exceptions()
    journal.listed(Client, "sending", count=len(exceptions))
    context = {**fields, "form": form, "modes": _modes(form), "exceptions": exceptions, "cabinet": request.cabinet}
    return render(request, "cabinets/sending.html", context, status=REFUSED if form.errors else None)


@page
@never_cache
@requires(Right.MANAGE_FIRM)
def client_mode(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Give a client a mode of its own, or the firm's again."""
    found = get_object_or_404(Client, pk=client_id)
    form = ClientModeForm(request.POST or None, instance=found, firm_mode=request.cabinet.sending_mode)
    if request.method == "POST" and form.is_valid():
        mode = form.cleaned_data["sending_mode"]
        sendings.choose_mode(client_id=client_id, mode=mode, by=request.member)
        messages.success(request, "Le mode d’envoi de ce client est enregistré. Il vaut dès maintenant.")
        return redirect(client_url(client_id))
    journal.seen(found, "client_mode")
    context = {
        "form": form,
        "title": f"Mode d’envoi de {found.display_name}",
        "text": "Il remplace celui du cabinet pour ce client seul. Une mise en demeure attend toujours un avocat.",
        "label": "Enregistrer",
        "back_url": client_url(client_id),
    }
    return render(request, "confirm.html", context, status=REFUSED if form.errors else None)


def _modes(form: SendingForm) -> list[dict[str, object]]:
    chosen = form["sending_mode"].value()
    return [
        {"value": mode.value, "label": mode.label, "icon": icon, "text": text, "is_chosen": mode.value == chosen}
        for mode, (icon, text) in MODES.items()
    ]


def _exceptions() -> list[Client]:
    """Return the clients who have a mode of their own, the first fifty."""
    found = list(Client.objects.exclude(sending_mode="").order_by("sending_mode", "pk")[:CLIENTS_SHOWN])
    open_together(found)
    return sorted(found, key=lambda client: client.display_name.casefold())
