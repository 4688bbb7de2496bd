"""Cabinet: its settings, « Tout suspendre », « Règlements à jour au … »."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets.enums import Right
from cabinets.forms.firm import BANK, IDENTITY, MEDIATOR, PLACE, PRIVACY, FirmForm, SettledForm
from cabinets.forms.sign_in import ConfirmPasswordForm
from cabinets.http import CabinetRequest
from cabinets.models import BankChange
from cabinets.permissions import requires
from cabinets.services import bank_account
from cabinets.services import firm as firms
from cabinets.services.bank_account import BankChangeError
from cabinets.views.sign_in import safe_next

page = require_http_methods(["GET", "POST"])
HOME = "/tableau-de-bord/"
IBAN_WAITS = (
    "Le compte bancaire n’a pas changé : un autre associé doit le confirmer depuis cette page, et un jour entier doit "
    "passer. Chaque associé est averti par e-mail."
)
IBAN_DAY = "Le compte bancaire change dans vingt-quatre heures. D’ici là, il peut être annulé depuis cette page."


def back_to(request: HttpRequest) -> str:
    """Return the local page an act came from: the one it names, else the one it was read on."""
    referer = request.headers.get("referer", "")
    here = url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure())
    # A confirmation page is no place to come back to: it would ask again.
    read = referer if here and not referer.split("?")[0].endswith(request.path) else HOME
    return safe_next(request, default=read)


@page
@sensitive_post_parameters("password")
@never_cache
@requires(Right.MANAGE_FIRM)
def firm(request: CabinetRequest) -> HttpResponse:
    """Show and keep the firm's settings."""
    form = FirmForm(request.POST or None, request.FILES or None, instance=request.cabinet, request=request)
    if request.method == "POST" and form.is_valid():
        changes, proposed = form.changes, form.proposed
        firms.save_settings(cabinet=request.cabinet, changes=changes)
        messages.success(request, "Les réglages du cabinet sont enregistrés.")
        if proposed is not None:
            change = bank_account.propose(by=request.member, **proposed)
            messages.warning(request, IBAN_WAITS if bank_account.waits_for_somebody(change) else IBAN_DAY)
        return redirect("firm")
    if form.errors:
        # The frame around the page shows the firm as it is, not as it was refused.
        request.cabinet.refresh_from_db()
    parts = {"identity": IDENTITY, "bank": BANK, "mediator": MEDIATOR, "place": PLACE, "privacy": PRIVACY}
    context: dict[str, Any] = {name: [form[field] for field in fields] for name, fields in parts.items()}
    waiting = bank_account.pending()
    if waiting is not None:
        context |= {
            "change": waiting,
            "change_words": bank_account.in_words(waiting),
            "may_confirm": bank_account.may_confirm(waiting, request.member),
            "waits_for_somebody": bank_account.waits_for_somebody(waiting),
            "effective_at": bank_account.takes_effect_at(waiting),
        }
    status = 422 if form.errors else 200
    return render(request, "cabinets/firm.html", {"form": form, "cabinet": request.cabinet, **context}, status=status)


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.MANAGE_FIRM)
def confirm_iban(request: CabinetRequest, change_id: UUID) -> HttpResponse:
    """Ask the second partner's password, then confirm the account proposed by the first."""
    change = bank_account.pending()
    if change is None or change.pk != change_id:
        raise Http404
    form = ConfirmPasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            bank_account.confirm(change_id=change_id, by=request.member)
        except BankChangeError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Le changement est confirmé. Il prend effet une fois son jour passé.")
            return redirect("firm")
    context = {
        "form": form,
        "title": "Confirmer le changement de compte ?",
        "text": f"{bank_account.in_words(change)} Appelez cette personne avant de confirmer.",
        "label": "Confirmer le changement",
        "back_url": "/parametres/cabinet/",
        "danger": True,
    }
    return render(request, "cabinets/asked.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Right.MANAGE_FIRM)
def refuse_iban(request: CabinetRequest, change_id: UUID) -> HttpResponse:
    """Keep the account as it is."""
    get_object_or_404(BankChange, pk=change_id)
    try:
        bank_account.refuse(change_id=change_id, by=request.member)
    except BankChangeError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Le changement n’aura pas lieu : vos clients paient sur le même compte.")
    return redirect("firm")


@require_GET
@requires(Right.OWN_ACCOUNT)
def logo(request: CabinetRequest) -> HttpResponse:
    """Give the firm's logo to its own pages."""
    if not request.cabinet.logo:
        raise Http404
    return HttpResponse(bytes(request.cabinet.logo), content_type=request.cabinet.logo_type)


@page
@requires(Right.SUSPEND_ALL)
def suspend_all(request: CabinetRequest) -> HttpResponse:
    """Confirm, then silence the firm."""
    if request.method == "POST":
        done = firms.suspend_all(cabinet=request.cabinet, by=request.member, at=request.cabinet.now())
        text = "Tous les envois sont suspendus : plus aucun message ne part." if done else "Ils l’étaient déjà."
        messages.warning(request, text)
        return redirect(back_to(request))
    context = {
        "title": "Suspendre tous les envois ?",
        "text": "Plus aucun message ne part, ni e-mail, ni lettre, jusqu’à ce qu’une personne habilitée reprenne les "
        "envois. Les règlements continuent d’être enregistrés.",
        "label": "Tout suspendre",
        "back_url": back_to(request),
        "danger": True,
    }
    return render(request, "confirm.html", context)


@page
@requires(Right.RESUME_ALL)
def resume_all(request: CabinetRequest) -> HttpResponse:
    """Confirm, then let the firm speak again."""
    if request.method == "POST":
        firms.resume_all(cabinet=request.cabinet)
        messages.success(request, "Les envois reprennent. Ce qui attendait est réexaminé avant de partir.")
        return redirect(back_to(request))
    context = {
        "title": "Reprendre les envois ?",
        "text": "Les relances en attente sont réexaminées une par une, puis partent aux heures d’envoi du cabinet.",
        "label": "Reprendre les envois",
        "back_url": back_to(request),
        "danger": False,
    }
    return render(request, "confirm.html", context)


@require_POST
@requires(Right.RECORD_PAYMENTS)
def declare_settlements(request: CabinetRequest) -> HttpResponse:
    """Note that payments are recorded through a day."""
    today = request.cabinet.today()
    form = SettledForm(request.POST, today=today)
    if form.is_valid():
        firms.declare_settlements(cabinet=request.cabinet, through_on=form.cleaned_data["on"], today=today)
        day = f"{form.cleaned_data['on']:%d/%m/%Y}"
        messages.success(request, f"Règlements à jour au {day} : les relances en tiennent compte.")
    else:
        messages.error(request, f"{' '.join(map(str, form.errors['on']))} Rien n’a été enregistré.")
    return redirect(back_to(request))
