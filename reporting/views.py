"""The dashboard and the help page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from invoices.models import Invoice
from reporting.board import DSO_TARGET, board, settlements_are_stale
from reporting.lists import lists


@require_GET
@requires(Right.SEE_FIGURES)
def dashboard(request: CabinetRequest) -> HttpResponse:
    """Show the decision to take, the figures, and what comes next; a firm without invoices is told how to begin."""
    if not Invoice.objects.exists():
        return render(request, "reporting/empty.html", _frame(request))
    cabinet, sees_all = request.cabinet, request.member.sees_every_file
    today = cabinet.today()
    rows = lists(now=cabinet.now(), on=today, sees_all=sees_all)
    journal.listed(Client, "dashboard", count=rows.names)
    figures = board(cabinet=cabinet, sees_all=sees_all)
    return render(request, "reporting/dashboard.html", _frame(request) | {"board": figures, "lists": rows})


@require_GET
@requires(Right.OWN_ACCOUNT)
def help_page(request: CabinetRequest) -> HttpResponse:
    """Tell how a night works, what the keys do, what the words mean and whom to call."""
    return render(request, "reporting/help.html", {"cabinet": request.cabinet})


def _frame(request: CabinetRequest) -> dict[str, Any]:
    cabinet, member = request.cabinet, request.member
    return {
        "cabinet": cabinet,
        "now": cabinet.now(),
        "today": cabinet.today(),
        "sees_all": member.sees_every_file,
        "is_stale": settlements_are_stale(cabinet, on=cabinet.today()),
        "dso_target": DSO_TARGET,
        "can_import": member.can(Right.IMPORT_INVOICES),
        "can_approve": member.can(Right.APPROVE_REMINDERS),
        "can_record": member.can(Right.RECORD_PAYMENTS),
        "can_manage": member.can(Right.MANAGE_FIRM),
        "can_finish": member.can(Right.EDIT_CLIENTS),
    }
