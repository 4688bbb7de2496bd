"""Add and change clients and the people reached there."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import InputError
from cabinets.forms.clients import ClientForm, ContactForm
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest
from cabinets.models import Client, Contact
from cabinets.permissions import requires
from cabinets.services import clients

page = require_http_methods(["GET", "POST"])
REFUSED = 422


def client_url(client_id: UUID) -> str:
    """Return the address of a client's page."""
    return f"/clients/{client_id}/"


@page
@requires(Right.EDIT_CLIENTS)
def client_add(request: CabinetRequest) -> HttpResponse:
    """Add a client."""
    form = ClientForm(request.POST) if request.method == "POST" else ClientForm()
    if form.is_bound and form.is_valid():
        try:
            client = clients.create_client(facts=form.facts(), client_id=form.cleaned_data["form_id"])
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{client.display_name} est ajouté à vos clients.")
            return redirect(client_url(client.pk))
    context = {"form": form, "client": None, "back_url": "/clients/"}
    return render(request, "cabinets/client_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_CLIENTS)
def client_edit(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Change a client."""
    client = get_object_or_404(Client, pk=client_id)
    form = ClientForm(request.POST) if request.method == "POST" else ClientForm.of(client)
    if form.is_bound and form.is_valid():
        try:
            client = clients.update_client(client_id=client_id, facts=form.facts())
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"La fiche de {client.display_name} est enregistrée.")
            return redirect(client_url(client_id))
    journal.seen(client, "client_form")
    context = {"form": form, "client": client, "back_url": client_url(client_id)}
    return render(request, "cabinets/client_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_CLIENTS)
def contact_add(request: CabinetRequest, client_id: UUID) -> HttpResponse:
    """Add a person reached at a client's."""
    client = get_object_or_404(Client, pk=client_id)
    form = ContactForm(request.POST) if request.method == "POST" else ContactForm()
    if form.is_bound and form.is_valid():
        try:
            clients.create_contact(client_id=client_id, facts=form.facts())
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Le contact est ajouté.")
            return redirect(client_url(client_id))
    journal.seen(client, "contact_form")
    context = {"form": form, "client": client, "contact": None, "back_url": client_url(client_id)}
    return render(request, "cabinets/contact_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_CLIENTS)
def contact_edit(request: CabinetRequest, contact_id: UUID) -> HttpResponse:
    """Change a contact."""
    contact = get_object_or_404(Contact.objects.select_related("client"), pk=contact_id)
    form = ContactForm(request.POST) if request.method == "POST" else ContactForm.of(contact)
    if form.is_bound and form.is_valid():
        try:
            clients.update_contact(contact_id=contact_id, facts=form.facts())
        except InputError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Le contact est enregistré.")
            return redirect(client_url(contact.client_id))
    journal.seen(contact, "contact_form")
    context = {"form": form, "client": contact.client, "contact": contact, "back_url": client_url(contact.client_id)}
    return render(request, "cabinets/contact_form.html", context, status=REFUSED if form.errors else None)


@page
@requires(Right.EDIT_CLIENTS)
def contact_archive(request: CabinetRequest, contact_id: UUID) -> HttpResponse:
    """Ask, then write to this contact no more."""
    contact = get_object_or_404(Contact, pk=contact_id)
    back_url = client_url(contact.client_id)
    if request.method == "POST":
        clients.archive_contact(contact_id=contact_id)
        messages.success(request, "Le contact est archivé : plus rien ne lui est adressé.")
        return redirect(back_url)
    journal.seen(contact, "contact_archive")
    context = {
        "title": "Archiver ce contact ?",
        "text": "Plus rien ne lui est adressé. Les dossiers qui lui étaient facturés reviennent au client.",
        "label": "Archiver le contact",
        "back_url": back_url,
        "danger": True,
    }
    return render(request, "confirm.html", context)
