"""« Délivrabilité »: the address messages leave from, the lines to publish, and a real trial."""

from functools import partial

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning import tasks
from dunning.channels import authentication
from dunning.errors import DunningError
from dunning.forms.sending import DomainForm, InstructionsForm, SourceForm
from dunning.models import SendingDomain
from dunning.services import sending_domains, sending_trials
from dunning.services.reading import sending as reading
from templates_lib.rendering import typeset

REFUSED = 422
HOME = "deliverability"


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.MANAGE_FIRM)
def deliverability(request: CabinetRequest) -> HttpResponse:
    """Show the sending address and its lines; take a sub-domain as the firm's own."""
    known = SendingDomain.objects.first()
    form = DomainForm(request.POST or None, initial={"domain": known.domain if known else ""})
    if request.method == "POST" and form.is_valid():
        kept = sending_domains.keep(domain=form.cleaned_data["domain"])
        _check_later(kept)
        messages.success(request, "Le sous-domaine est enregistré. Publiez les lignes ci-dessous dans son DNS.")
        return redirect(HOME)
    return _page(request, form=form)


@require_POST
@requires(Right.MANAGE_FIRM)
def check_now(request: CabinetRequest) -> HttpResponse:
    """Have the lines looked at now."""
    domain = _domain()
    sending_domains.ask_check(domain=domain)
    _check_later(domain)
    messages.success(request, "La vérification est en cours. Actualisez cette page dans un instant.")
    return redirect(HOME)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
def rotate(request: CabinetRequest) -> HttpResponse:
    """Ask, then sign with the spare key."""
    domain = _domain()
    if request.method == "POST":
        try:
            kept = sending_domains.rotate(domain_id=domain.pk)
        except DunningError as error:
            messages.error(request, typeset(str(error)))
        else:
            _check_later(kept)
            messages.success(request, "La clé de rechange signe vos messages. Publiez la nouvelle dans sept jours.")
        return redirect(HOME)
    context = {
        "title": "Changer la clé de signature ?",
        "text": "La clé de rechange, déjà publiée, signe vos messages dès maintenant. Une nouvelle clé de rechange "
        "est créée : sa ligne remplace l’ancienne dans sept jours, quand les messages en chemin sont arrivés.",
        "label": "Changer la clé",
        "back_url": "/parametres/delivrabilite/",
    }
    return render(request, "confirm.html", context)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
def remove(request: CabinetRequest) -> HttpResponse:
    """Ask, then forget the sub-domain and its keys."""
    domain = _domain()
    if request.method == "POST":
        sending_domains.remove(domain=domain)
        messages.success(request, "Le sous-domaine est retiré et ses clés sont effacées.")
        return redirect(HOME)
    context = {
        "title": f"Retirer {domain.domain} ?",
        "text": "Ses clés de signature sont effacées, et vos prochains messages ne partent plus de cette adresse. "
        "Les messages déjà partis gardent leur preuve.",
        "label": "Retirer le sous-domaine",
        "back_url": "/parametres/delivrabilite/",
        "danger": True,
    }
    return render(request, "confirm.html", context)


@require_POST
@requires(Right.MANAGE_FIRM)
def trial(request: CabinetRequest) -> HttpResponse:
    """Send a real message to the signed-in person, as clients receive theirs."""
    if sending_trials.ask(cabinet=request.cabinet, by=request.member):
        messages.success(request, "L’essai part dans la minute vers votre propre adresse.")
    else:
        messages.error(request, "Rien n’est parti : aucune adresse d’envoi n’est réglée, ou un essai vient de l’être.")
    return redirect(HOME)


@require_POST
@never_cache
@requires(Right.MANAGE_FIRM)
def read_back(request: CabinetRequest) -> HttpResponse:
    """Read what the receiving server found in a message; keep nothing of it."""
    form = SourceForm(request.POST)
    if not form.is_valid():
        return _page(request, source=form, status=REFUSED)
    found = authentication.read(form.cleaned_data["source"])
    if found is None:
        form.add_error("source", "Aucune ligne « Authentication-Results » lisible ici. Rien n’a été conservé.")
        return _page(request, source=form, status=REFUSED)
    return _page(request, found=sending_trials.judge(found, cabinet=request.cabinet))


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.MANAGE_FIRM)
def instructions(request: CabinetRequest) -> HttpResponse:
    """Show the e-mail to whoever keeps the DNS, and send it."""
    domain, form = _domain(), InstructionsForm(request.POST or None)
    written = sending_trials.instructions_of(domain, request.cabinet)
    if request.method == "POST" and form.is_valid():
        is_new = sending_trials.send_instructions(
            domain=domain, cabinet=request.cabinet, by=request.member, address=form.cleaned_data["email"]
        )
        if is_new:
            messages.success(request, "Les instructions partent dans la minute. Les réponses vous reviennent.")
        else:
            messages.info(request, "Ces instructions viennent déjà d’être demandées pour cette adresse.")
        return redirect(HOME)
    context = {"form": form, "written": written, "domain": domain}
    return render(request, "dunning/sending_instructions.html", context, status=REFUSED if form.errors else 200)


def _page(
    request: CabinetRequest,
    *,
    form: forms.Form | None = None,
    source: forms.Form | None = None,
    found: sending_trials.Judged | None = None,
    status: int = 200,
) -> HttpResponse:
    page = reading.page_of(cabinet=request.cabinet, member=request.member)
    shown = form or DomainForm(initial={"domain": page.domain.domain if page.domain else ""})
    context = {
        "page": page,
        "form": source if source is not None and source.errors else shown,
        "domain_form": shown,
        "source_form": source or SourceForm(),
        "found": found,
        "zone": request.cabinet.zone,
        "is_demo": request.cabinet.is_demo,
    }
    return render(request, "dunning/deliverability.html", context, status=REFUSED if shown.errors else status)


def _domain() -> SendingDomain:
    domain = SendingDomain.objects.first()
    if domain is None:
        raise Http404
    return domain


def _check_later(domain: SendingDomain) -> None:
    transaction.on_commit(partial(tasks.check_sending_domain.delay, str(domain.pk)))
