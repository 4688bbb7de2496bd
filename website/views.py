"""The public pages: they ask for no account and set no cookie."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets.http import address_of
from cabinets.permissions import public
from cabinets.services import throttle, visiting
from cabinets.services.subscription import public_offers
from cabinets.views.sign_in import landing
from reporting.roi import estimate
from website import operator
from website.forms import EXAMPLE, CalculatorForm, DemonstrationForm

DEMONSTRATIONS = throttle.Gate("demonstration", tries=5, seconds=3600)
# The day the statement was last true of what is checked: changed with its words.
STATED_ON = dt.date(2026, 11, 26)
VISITS = throttle.Gate("demonstration-visit", tries=20, seconds=3600)


@require_GET
@public
def home(request: HttpRequest) -> HttpResponse:
    """Show a visitor what the product is, and lead a signed-in person to work."""
    if request.user.is_authenticated:
        return redirect(landing(request))
    return render(request, "website/home.html", _frame(request))


@require_GET
@public
def how(request: HttpRequest) -> HttpResponse:
    """Tell the five steps of a firm, and what the product does not do."""
    return render(request, "website/how.html", _frame(request))


@require_GET
@public
def security(request: HttpRequest) -> HttpResponse:
    """Tell what guards professional secrecy, and what nobody can promise."""
    return render(request, "website/security.html", _frame(request))


@require_GET
@public
def calculator(request: HttpRequest) -> HttpResponse:
    """Work out what the address says; its fields are the assumptions, the example's where it is silent."""
    form = CalculatorForm({**EXAMPLE, **request.GET.dict()})
    found = estimate(form.assumptions()) if form.is_valid() else None
    return render(request, "website/calculator.html", _frame(request) | {"form": form, "found": found})


@require_GET
@public
def prices(request: HttpRequest) -> HttpResponse:
    """Give the operator's prices, or say that none is published."""
    return render(request, "website/prices.html", _frame(request) | {"offers": public_offers()})


@require_GET
@public
def terms(request: HttpRequest) -> HttpResponse:
    """Say what a firm and the operator owe each other."""
    told = {"offers": public_offers(), "operator_name": operator.name()}
    return render(request, "website/terms.html", _frame(request) | told)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@public
def demonstration(request: HttpRequest) -> HttpResponse:
    """Take a visitor's wish to be shown the product, and send it on; nothing of it is kept here."""
    form, is_sent = DemonstrationForm(request.POST or None), False
    if request.method == "POST" and operator.contact() and form.is_valid():
        refusal = _ask(request, form)
        is_sent = not refusal
        if refusal:
            form.add_error(None, refusal)
    status = 422 if form.errors else 200
    return render(
        request,
        "website/demonstration.html",
        _frame(request) | {"form": form, "is_sent": is_sent, "may_enter": visiting.firm_to_visit() is not None},
        status=status,
    )


@require_POST
@public
def enter(request: HttpRequest) -> HttpResponse:
    """Let a visitor into the demonstration, to read."""
    if VISITS.take(address_of(request) or "") or not visiting.enter(request):
        return redirect("demonstration")
    return redirect(landing(request))


def _ask(request: HttpRequest, form: DemonstrationForm) -> str:
    """Send a wish to the operator; return why it did not leave, or nothing."""
    if form.is_robot:
        return ""
    if wait := DEMONSTRATIONS.take(address_of(request) or ""):
        return f"Trop de demandes. Rien n’est parti : réessayez dans {throttle.in_words(wait)}."
    try:
        form.send(to=operator.contact())
    except OSError:
        return f"Votre demande n’est pas partie. Écrivez à {operator.contact()}."
    return ""


@require_GET
@public
def legal(request: HttpRequest) -> HttpResponse:
    """Say who publishes and who hosts, as far as the operator has said it."""
    return render(request, "website/legal.html", _frame(request))


@require_GET
@public
def privacy(request: HttpRequest) -> HttpResponse:
    """Say what these pages keep of a visitor, and who answers for a firm's data."""
    return render(request, "website/privacy.html", _frame(request) | {"operator_name": operator.name()})


@require_GET
@public
def accessibility(request: HttpRequest) -> HttpResponse:
    """State what was checked, what was not, when, whom to write to and to whom to complain."""
    told = {"stated_on": STATED_ON, "operator_name": operator.name()}
    return render(request, "website/accessibility.html", _frame(request) | told)


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "facts": operator.told(),
        "contact": operator.contact(),
        # What is left to fill in is the operators' business alone.
        "missing": operator.missing() if getattr(request.user, "is_staff", False) else [],
    }
