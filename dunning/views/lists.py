"""Factures and Clients: find, narrow down, export."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import ClientKind, Right
from cabinets.http import CabinetRequest
from cabinets.models import Client
from cabinets.permissions import requires
from dunning.filters import AGES, EVERY, STATES, TO_COLLECT, InvoiceFilter, name_of
from dunning.presenting import plural
from dunning.services import batches, saved_views
from dunning.services.reading import lists
from invoices.models import Invoice

TABS = (
    (TO_COLLECT, "À encaisser"),
    ("echue", "Échues"),
    ("contestee", "Contestées"),
    ("payee", "Payées"),
    (EVERY, "Toutes"),
)
MARKS = ("avant", "apres")
# Filters kept folded until one of them is used.
FOLDED = ("avocat", "etape", "min", "max")


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def invoices(request: CabinetRequest) -> HttpResponse:
    """List the invoices the person sees, as the address asks."""
    wanted = _filter(request)
    found = wanted.qs if wanted.is_valid() else Invoice.objects.none()
    listed = lists.invoices_of(
        found=found,
        cabinet=request.cabinet,
        after=request.GET.get("apres", ""),
        before=request.GET.get("avant", ""),
    )
    journal.listed(Invoice, "invoices", count=len(listed.rows))
    state = request.GET.get("etat", "")
    context = {
        "listed": listed,
        "filter": wanted,
        "form": wanted.form,
        "chips": _chips(request, wanted),
        "tabs": [
            {"label": label, "url": _url(request, etat=value), "current": value == (state or TO_COLLECT)}
            for value, label in TABS
        ],
        "export_query": urlencode([(name, value) for name, value in request.GET.items() if name not in MARKS]),
        "views": saved_views.views_of(request.member),
        "actions": batches.actions_of(request.member),
        "has_more": any(request.GET.get(name) for name in FOLDED),
        "may_export": request.member.can(Right.EXPORT),
        "may_edit": request.member.can(Right.EDIT_INVOICES),
        "may_import": request.member.can(Right.IMPORT_INVOICES),
        "count_text": plural(listed.count, "facture", "factures"),
    }
    return render(request, "dunning/invoices.html", context)


@require_GET
@requires(Right.EXPORT)
def invoices_export(request: CabinetRequest) -> HttpResponse:
    """Give the same list as a file for a spreadsheet, and note it in the journal."""
    wanted = _filter(request)
    found = wanted.qs if wanted.is_valid() else Invoice.objects.none()
    text, count = lists.export(found=found, cabinet=request.cabinet)
    journal.record("invoice.exported", None, count=count)
    response = HttpResponse(text.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="factures-{request.cabinet.today():%Y-%m-%d}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@never_cache
@requires(Right.SEE_CLIENTS)
def clients(request: CabinetRequest) -> HttpResponse:
    """List the clients the person sees, in the order of their names."""
    text = request.GET.get("q", "").strip()
    only_owing = request.GET.get("encours") == "1"
    page = request.GET.get("page", "")
    listed = lists.clients_of(
        text=text, only_owing=only_owing, on=request.cabinet.today(), page=int(page) if page.isdecimal() else 1
    )
    journal.listed(Client, "clients", count=len(listed.rows))
    context = {
        "listed": listed,
        "text": text,
        "only_owing": only_owing,
        "may_open": request.member.can(Right.OPEN_ARCHIVE),
        "may_edit": request.member.can(Right.EDIT_CLIENTS),
        "count_text": plural(listed.count, "client", "clients"),
    }
    return render(request, "dunning/clients.html", context)


def _filter(request: CabinetRequest) -> InvoiceFilter:
    return InvoiceFilter(request.GET, queryset=Invoice.objects.all(), on=request.cabinet.today())


def _chips(request: CabinetRequest, wanted: InvoiceFilter) -> list[dict[str, str]]:
    """Return what narrows the list, each with the address that widens it again."""
    if not wanted.is_valid():
        return []
    values = wanted.form.cleaned_data
    lawyers, steps = dict(wanted.filters["avocat"].extra["choices"]), dict(wanted.filters["etape"].extra["choices"])
    words = {
        "q": f"« {values['q']} »" if values["q"] else "",
        "etat": dict(STATES).get(values["etat"], ""),
        "age": f"Retard : {dict(AGES)[values['age']].lower()}" if values["age"] else "",
        "client": name_of(values["client"]),
        "qualite": str(ClientKind(values["qualite"]).label) if values["qualite"] else "",
        "domaine": values["domaine"],
        "avocat": lawyers.get(values["avocat"], ""),
        "etape": f"Étape {steps[values['etape']]}" if values["etape"] else "",
        "min": f"Au moins {request.GET.get('min', '')} €" if values["min"] is not None else "",
        "max": f"Au plus {request.GET.get('max', '')} €" if values["max"] is not None else "",
    }
    return [{"label": word, "url": _url(request, **{name: ""})} for name, word in words.items() if word]


def _url(request: CabinetRequest, **changes: str) -> str:
    query = {name: value for name, value in request.GET.items() if name not in MARKS} | changes
    return "?" + urlencode({name: value for name, value in query.items() if value})
