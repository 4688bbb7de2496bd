"""Factures, many at once: a selection, a summary, one confirmation."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Membership
from cabinets.permissions import granters, requires
from dunning.filters import InvoiceFilter
from dunning.forms.approvals import UntilForm
from dunning.forms.batches import ColleagueForm, FormatForm
from dunning.presenting import plural
from dunning.services import batches
from dunning.services.batches import Action, Outlook
from dunning.services.reading import lists
from invoices.models import Invoice
from templates_lib.rendering import day_words

page = require_http_methods(["GET", "POST"])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REFUSED = 422
DONE = {
    Action.HOLD: ("Relances suspendues pour {}.", "facture", "factures"),
    Action.RESUME: ("Relances reprises pour {}. La prochaine nuit les examine.", "facture", "factures"),
    Action.ASSIGN: ("{} à {}.", "dossier affecté", "dossiers affectés"),
}
NOTHING = "Rien n’a changé : aucune facture de la sélection n’était concernée."


@page
@never_cache
@requires(Right.SEE_INVOICES)
def invoices_batch(request: CabinetRequest) -> HttpResponse:
    """Say exactly what an act would do to a selection, then do it once it is confirmed."""
    name = _asked(request).get("action", "")
    if name not in Action.values:
        return _nothing_chosen(request)
    action = Action(name)
    if not request.member.can(batches.RIGHT_OF[action]):
        return _refused(request, batches.RIGHT_OF[action])
    ids, wanted = _selection(request)
    form = _form(request, action)
    if form.is_bound and form.is_valid() and "accord" in request.POST:
        return _acted(request, action, form, ids)
    return _summary(request, action, form, ids, wanted)


def _selection(request: CabinetRequest) -> tuple[list[UUID], int]:
    """Return the invoices asked for, up to the limit, and how many were asked for."""
    if "toutes" in _asked(request):
        asked = InvoiceFilter(_query(request), queryset=Invoice.objects.all(), on=request.cabinet.today())
        found = asked.qs if asked.is_valid() else Invoice.objects.none()
        ids = list(found.order_by("due_on", "pk").values_list("pk", flat=True)[: batches.MOST])
        return ids, found.count() if len(ids) == batches.MOST else len(ids)
    ids = list(dict.fromkeys(_ids(_asked(request).getlist("facture"))))
    return ids[: batches.MOST], len(ids)


def _form(request: CabinetRequest, action: Action) -> Form:
    """Return what the act needs to know, filled in once the summary was answered."""
    data = request.POST if "repondu" in request.POST else None
    if action == Action.HOLD:
        return UntilForm(data, today=request.cabinet.today())
    if action == Action.ASSIGN:
        return ColleagueForm(data, people=Membership.objects.filter(is_active=True).select_related("user"))
    return FormatForm(data) if action == Action.EXPORT else Form(data)


def _summary(request: CabinetRequest, action: Action, form: Form, ids: Sequence[UUID], wanted: int) -> HttpResponse:
    colleague = form.cleaned_data.get("colleague") if form.is_bound and form.is_valid() else None
    on = request.cabinet.today()
    seen = batches.outlook(action=action, invoice_ids=ids, on=on, colleague=colleague)
    journal.listed(Invoice, "invoices_batch", count=len(seen.taken))
    context = {
        "action": action,
        "seen": seen,
        "rows": list(lists.rows_of(seen.taken, request.cabinet)),
        "form": form,
        "colleague": colleague,
        "asks_first": action == Action.ASSIGN and colleague is None,
        "ids": ids,
        "beyond": _beyond_words(wanted - len(ids)),
        "query": _query(request).urlencode(),
        "back_url": _back(request),
        "count_text": _count_text(action, seen),
        "label": _label(action, seen),
    }
    return render(request, "dunning/invoices_batch.html", context, status=REFUSED if form.errors else 200)


def _acted(request: CabinetRequest, action: Action, form: Form, ids: Sequence[UUID]) -> HttpResponse:
    on, answers = request.cabinet.today(), form.cleaned_data
    if action == Action.EXPORT:
        return _file(request, ids, str(answers["written_as"]))
    if action == Action.HOLD:
        seen = batches.hold(invoice_ids=ids, by=request.member, on=on, **answers)
    elif action == Action.RESUME:
        seen = batches.resume(invoice_ids=ids, by=request.member, on=on)
    else:
        seen = batches.assign(invoice_ids=ids, by=request.member, on=on, colleague=answers["colleague"])
    if seen.taken:
        messages.success(request, _told(action, seen, answers))
    else:
        messages.info(request, NOTHING)
    return redirect(_back(request))


def _told(action: Action, seen: Outlook, answers: dict[str, Any]) -> str:
    sentence, one, many = DONE[action]
    count = len(seen.dossier_ids if action == Action.ASSIGN else seen.taken)
    told = sentence.format(plural(count, one, many), answers.get("colleague", ""))
    if action == Action.HOLD and answers["until_on"]:
        told += f" Elles reprennent après le {day_words(answers['until_on'])}."
    if seen.left_count:
        told += f" {plural(seen.left_count, 'facture laissée', 'factures laissées')} de côté."
    return told


def _file(request: CabinetRequest, ids: Sequence[UUID], written_as: str) -> HttpResponse:
    found = Invoice.objects.filter(pk__in=ids)
    if written_as == FormatForm.XLSX:
        body, count = lists.export_workbook(found=found, cabinet=request.cabinet)
        kind = XLSX
    else:
        text, count = lists.export(found=found, cabinet=request.cabinet)
        body, kind = text.encode("utf-8-sig"), "text/csv; charset=utf-8"
    journal.record("invoice.exported", None, count=count)
    response = HttpResponse(body, content_type=kind)
    name = f"factures-{request.cabinet.today():%Y-%m-%d}.{written_as}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _nothing_chosen(request: CabinetRequest) -> HttpResponse:
    if request.method == "POST":
        messages.error(request, "Choisissez ce qu’il faut faire des factures cochées. Rien n’a été changé.")
    return redirect(_back(request))


def _refused(request: CabinetRequest, right: Right) -> HttpResponse:
    journal.record("access.refused", None, right=right.value)
    return render(request, "403.html", {"right": right, "who": granters(right)}, status=403)


def _beyond_words(count: int) -> str:
    if count <= 0:
        return ""
    others = plural(count, "autre facture attend un second lot", "autres factures attendent un second lot")
    return f"Un lot s’arrête à {batches.MOST} factures, les plus anciennes d’abord : {others}."


def _count_text(action: Action, seen: Outlook) -> str:
    text = plural(len(seen.taken), "facture", "factures")
    if action == Action.ASSIGN:
        return f"{plural(len(seen.dossier_ids), 'dossier', 'dossiers')} ({text})"
    return text


def _label(action: Action, seen: Outlook) -> str:
    verb = {Action.HOLD: "Suspendre", Action.RESUME: "Reprendre", Action.ASSIGN: "Affecter", Action.EXPORT: "Exporter"}
    if action == Action.ASSIGN:
        return f"{verb[action]} {plural(len(seen.dossier_ids), 'dossier', 'dossiers')}"
    return f"{verb[action]} {plural(len(seen.taken), 'facture', 'factures')}"


def _query(request: CabinetRequest) -> QueryDict:
    """Return the filter the selection was made under."""
    return QueryDict(_asked(request).get("filtre", ""))


def _asked(request: CabinetRequest) -> QueryDict:
    """Return what was asked: a summary may be an address, an act is a form that was sent."""
    return request.POST if request.method == "POST" else request.GET


def _back(request: CabinetRequest) -> str:
    query = _query(request).urlencode()
    return reverse("invoices") + (f"?{query}" if query else "")


def _ids(values: Sequence[str]) -> list[UUID]:
    """Read the ids of a form; what is no id is nothing."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
