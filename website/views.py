"""The public pages: they ask for no account and set no cookie."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from cabinets.permissions import public
from cabinets.views.sign_in import landing
from reporting.roi import estimate
from website import operator
from website.forms import EXAMPLE, CalculatorForm


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
def legal(request: HttpRequest) -> HttpResponse:
    """Say who publishes and who hosts, as far as the operator has said it."""
    return render(request, "website/legal.html", _frame(request))


@require_GET
@public
def privacy(request: HttpRequest) -> HttpResponse:
    """Say what these pages keep of a visitor, and who answers for a firm's data."""
    return render(request, "website/privacy.html", _frame(request))


@require_GET
@public
def accessibility(request: HttpRequest) -> HttpResponse:
    """State what was checked, what was not, and whom to write to."""
    return render(request, "website/accessibility.html", _frame(request))


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "facts": operator.told(),
        "contact": operator.contact(),
        # What is left to fill in is the operators' business alone.
        "missing": operator.missing() if getattr(request.user, "is_staff", False) else [],
    }
