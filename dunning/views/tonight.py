"""« Ce soir »: what the coming night would send and why, and the day a firm goes live."""

from functools import partial

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning import tasks
from dunning.errors import DunningError
from dunning.forms.mail_server import MailServerForm
from dunning.models import MailServer
from dunning.services import activation, mail_servers
from dunning.services.foresight import tonight
from invoices.models import Invoice


@require_GET
@requires(Right.SEE_INVOICES)
def coming_night(request: CabinetRequest) -> HttpResponse:
    """Show what would leave, what would wait and what would be held, and by which rule."""
    night = tonight(request.cabinet)
    journal.listed(Invoice, "tonight", count=len(night.leaving) + len(night.asking) + len(night.held))
    context = {
        "night": night,
        "zone": request.cabinet.zone,
        "is_live": request.cabinet.is_live,
        "missing": [] if request.cabinet.is_live else activation.missing_before_activation(request.cabinet),
        "may_activate": request.member.can(Right.MANAGE_FIRM),
    }
    return render(request, "dunning/tonight.html", context)


@require_POST
@requires(Right.MANAGE_FIRM)
def activate(request: CabinetRequest) -> HttpResponse:
    """Let the next night speak."""
    try:
        activation.activate(by=request.member)
    except DunningError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, "Les envois sont activés. Pendant quatorze jours, chaque message attend votre accord."
        )
    return redirect("coming_night")


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "new_password")
@requires(Right.MANAGE_FIRM)
def mail_server(request: CabinetRequest) -> HttpResponse:
    """Show and keep the server the firm's e-mails leave from."""
    server = MailServer.objects.first()
    form = MailServerForm(request.POST or None, instance=server, request=request)
    if request.method == "POST" and form.is_valid():
        kept = mail_servers.keep(server=form.save(commit=False), password=form.cleaned_data["new_password"])
        transaction.on_commit(partial(tasks.check_mail_server.delay, str(kept.pk)))
        messages.success(request, "Le serveur d’envoi est enregistré. La connexion est en cours d’essai.")
        return redirect("mail_server")
    context = {"form": form, "server": server, "zone": request.cabinet.zone}
    return render(request, "dunning/mail_server.html", context, status=422 if form.errors else 200)
