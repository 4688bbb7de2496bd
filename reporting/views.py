"""The dashboard, the reports and the help page."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from invoices.models import Invoice
from reporting.board import DSO_TARGET, board, settlements_are_stale
from reporting.forms import PERIODS, AskForm
from reporting.lists import lists
from reporting.reports import REPORTS, Ask
from reporting.sheets import FORMATS


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
@requires(Right.SEE_FIGURES)
def reports(request: CabinetRequest) -> HttpResponse:
    """Let choose a report."""
    found = [
        {"title": title, "text": text, "url": reverse(f"report_{slug}")} for slug, (title, text, _) in REPORTS.items()
    ]
    return render(request, "reporting/reports.html", {"reports": found})


@require_GET
@never_cache
@requires(Right.SEE_FIGURES)
def report(request: CabinetRequest, slug: str) -> HttpResponse:
    """Show a report as its address asks, on the files the person sees."""
    form = _form(request)
    ask = form.ask()
    told = REPORTS[slug][2](ask)
    journal.listed(Invoice, f"report:{slug}", count=sum(len(table.rows) for table in told.tables))
    query = request.GET.urlencode()
    context = {
        "report": told,
        "form": form,
        "scope": _scope(ask),
        "sees_all": ask.sees_all,
        "is_effort": slug == "temps",
        "dso_target": DSO_TARGET,
        "may_export": request.member.can(Right.EXPORT),
        "exports": [
            {"label": kind.upper(), "url": reverse(f"report_{slug}_{kind}") + (f"?{query}" if query else "")}
            for kind in FORMATS
        ],
    }
    return render(request, "reporting/report.html", context)


@require_GET
@never_cache
@requires(Right.EXPORT)
def report_file(request: CabinetRequest, slug: str, kind: str) -> HttpResponse:
    """Give the same report as a file, and note it in the journal."""
    form = _form(request)
    if not form.is_valid():
        raise Http404
    ask = form.ask()
    write, media_type = FORMATS[kind]
    content = write(REPORTS[slug][2](ask), scope=_scope(ask), cabinet=request.cabinet)
    journal.record("report.exported", None, report=slug, format=kind)
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{slug}-{ask.on:%Y-%m-%d}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


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


def _form(request: CabinetRequest) -> AskForm:
    return AskForm(request.GET.dict(), cabinet=request.cabinet, sees_all=request.member.sees_every_file)


def _scope(ask: Ask) -> str:
    """Say what a report is about, on the page as in the file."""
    now = ask.cabinet.now().astimezone(ask.cabinet.zone)
    words = [
        f"Au {ask.on:%d/%m/%Y}",
        f"période de {dict(PERIODS)[str(ask.slices)]}",
        f"à jour à {now.hour}\u00a0h\u00a0{now:%M}",
    ]
    return " · ".join([*words, *([] if ask.sees_all else ["vos dossiers"])])
