"""« Rapprochement »: the money that came, what it pays, what waits for a person."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest, as_download
from cabinets.permissions import requires
from cabinets.services.search import find_clients
from invoices.errors import InvoiceError
from invoices.money import show_euros
from invoices.services.search import search
from payments.enums import BankSource, IgnoredReason, LineState
from payments.errors import BankError, PaymentError
from payments.forms_bank import IgnoreForm, ShareForm, StatementForm
from payments.models import BankFile, BankLine
from payments.services import bank_acts, bank_finding, bank_pages
from payments.services.bank_intake import Taken, read_again, take_in
from payments.services.recording import Surplus

page = require_http_methods(["GET", "POST"])
REFUSED = 422
STATES = {
    "": LineState.UNMATCHED, "rapprochees": LineState.MATCHED, "ecartees": LineState.IGNORED,
    "sorties": LineState.OUTGOING,
}  # fmt: skip
TABS = {"": "À rapprocher", "rapprochees": "Rapprochées", "ecartees": "Écartées", "sorties": "Sorties d’argent"}
View = Callable[..., HttpResponse]


def for_every_file(view: View) -> View:
    """Open a page of the bank to who sees every file: a line may be of any of them."""

    @wraps(view)
    def guarded(request: CabinetRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ensure_every_file(request)
        return view(request, *args, **kwargs)

    return guarded


def ensure_every_file(request: CabinetRequest) -> None:
    """Refuse, and note it in the journal, when the person sees some dossiers only."""
    if not request.member.can(Right.SEE_EVERY_FILE):
        journal.record("access.refused", None, right=Right.SEE_EVERY_FILE.value)
        raise PermissionDenied


@require_GET
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank(request: CabinetRequest) -> HttpResponse:
    """List the lines of the bank: those that wait first."""
    chosen = _chosen(request)
    found = bank_pages.listed(chosen)
    accounts = bank_pages.accounts()
    journal.listed(BankLine, "bank", count=len(found.rows))
    context = {
        "listed": found,
        "chosen": chosen,
        "tabs": _tabs(request, found.counts),
        "accounts": accounts,
        "months": bank_pages.months(),
        "form": StatementForm(),
        "behind": [row for row in accounts if row.is_followed and row.through_on],
        "state": request.GET.get("etat", ""),
        "today": request.cabinet.today(),
    }
    return render(request, "payments/bank.html", context)


@page
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_upload(request: CabinetRequest) -> HttpResponse:
    """Take a statement in, or say why it is not."""
    form = StatementForm(request.POST, request.FILES) if request.method == "POST" else StatementForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            taken = take_in(
                data=file.read(),
                file_name=file.name or "releve",
                today=request.cabinet.today(),
                source=BankSource.UPLOAD,
                account=form.cleaned_data["account"],
            )
        except (PaymentError, InvoiceError) as refusal:
            form.add_error("file", str(refusal))
        else:
            messages.success(request, _told(taken))
            return redirect("bank")
    files = bank_pages.files()
    journal.listed(BankFile, "bank_upload", count=len(files))
    context = {"form": form, "files": files}
    return render(request, "payments/bank_upload.html", context, status=REFUSED if form.errors else 200)


@require_GET
@never_cache
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_file(request: CabinetRequest, file_id: UUID) -> HttpResponse:
    """Hand a statement over as the bank wrote it, to be saved and never shown in the page."""
    file = get_object_or_404(BankFile, pk=file_id)
    return as_download(read_again(file), media_type="application/octet-stream", name=file.file_name)


@require_POST
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_search(request: CabinetRequest) -> HttpResponse:
    """Look again at every line that waits."""
    seen = bank_finding.examine(today=request.cabinet.today())
    messages.success(
        request, f"{_lines(seen.matched, 'rapprochée')}, {seen.suggested} avec une suggestion. Rien d’autre n’a changé."
    )
    return redirect("bank")


@page
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_line(request: CabinetRequest, line_id: UUID) -> HttpResponse:
    """Show one line, its suggestions, and share it out by hand."""
    line = get_object_or_404(BankLine.objects.select_related("account", "statement__file"), pk=line_id)
    [shown] = bank_pages.told([line])
    form = _share_form(request, shown)
    if request.method == "POST" and form.is_valid():
        surplus, today = Surplus(form.cleaned_data["surplus"]), request.cabinet.today()
        try:
            bank_acts.share_out(line=line, amounts=form.amounts(), surplus=surplus, today=today)
        except (PaymentError, InvoiceError) as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{show_euros(line.cents)} sont répartis et enregistrés.")
            return redirect("bank")
    journal.seen(line, "bank_line")
    context = {
        "shown": shown,
        "line": line,
        "form": form,
        "ignore_form": IgnoreForm(),
        "remarks": bank_finding.remarks_on(line, today=request.cabinet.today()),
        "asked": request.GET.get("q", ""),
        "is_waiting": line.state == LineState.UNMATCHED,
    }
    return render(request, "payments/bank_line.html", context, status=REFUSED if form.errors else 200)


@require_POST
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_accept(request: CabinetRequest, line_id: UUID) -> HttpResponse:
    """Take a suggestion in one click."""
    line = get_object_or_404(BankLine, pk=line_id)
    surplus = Surplus.CREDIT if request.POST.get("surplus") == Surplus.CREDIT else Surplus.REFUSE
    guess_id = _uuid(request.POST.get("guess", ""))
    try:
        bank_acts.accept(line=line, guess_id=guess_id, today=request.cabinet.today(), surplus=surplus)
    except (PaymentError, InvoiceError) as refusal:
        messages.error(request, str(refusal))
        return redirect("bank_line", line.pk)
    messages.success(request, f"La ligne de {show_euros(line.cents)} est rapprochée.")
    return redirect("bank")


@require_POST
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_ignore(request: CabinetRequest, line_id: UUID) -> HttpResponse:
    """Set a line aside, with a reason."""
    line = get_object_or_404(BankLine, pk=line_id)
    form = IgnoreForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Dites pourquoi la ligne est écartée. Rien n’a changé.")
        return redirect("bank_line", line.pk)
    return _done(
        request,
        lambda: bank_acts.ignore(line_id=line.pk, reason=IgnoredReason(form.cleaned_data["reason"])),
        f"La ligne de {show_euros(line.cents)} est écartée.",
    )


@require_POST
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_restore(request: CabinetRequest, line_id: UUID) -> HttpResponse:
    """Take up again a line that was set aside."""
    line = get_object_or_404(BankLine, pk=line_id)
    return _done(
        request,
        lambda: bank_acts.restore(line_id=line.pk, today=request.cabinet.today()),
        f"La ligne de {show_euros(line.cents)} est de nouveau à rapprocher.",
    )


@page
@requires(Right.RECORD_PAYMENTS)
@for_every_file
def bank_undo(request: CabinetRequest, line_id: UUID) -> HttpResponse:
    """Ask, then untie a line."""
    line = get_object_or_404(BankLine, pk=line_id)
    if request.method == "POST":
        return _done(
            request,
            lambda: bank_acts.undo(line_id=line.pk, today=request.cabinet.today()),
            "Le rapprochement est annulé : la ligne attend de nouveau, et il ne sera plus refait tout seul.",
        )
    journal.seen(line, "bank_undo")
    context = {
        "title": f"Annuler le rapprochement de {show_euros(line.cents)} ?",
        "text": "Le paiement que cette ligne a fait enregistrer est annulé et ses factures sont de nouveau dues. Un"
        " paiement enregistré avant elle reste. La ligne revient à rapprocher.",
        "label": "Annuler le rapprochement",
        "back_url": f"/banque/lignes/{line.pk}/",
        "danger": True,
        "form": None,
    }
    return render(request, "confirm.html", context)


def _done(request: CabinetRequest, act: Callable[[], object], told: str) -> HttpResponse:
    try:
        act()
    except (BankError, InvoiceError) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect("bank")


def _chosen(request: CabinetRequest) -> bank_pages.Chosen:
    asked = request.GET
    return bank_pages.Chosen(
        state=STATES.get(asked.get("etat", ""), LineState.UNMATCHED),
        account_id=_uuid(asked.get("compte", "")),
        month=_month(asked.get("mois", "")),
        after=asked.get("apres", ""),
    )


def _tabs(request: CabinetRequest, counts: dict[str, int]) -> list[dict[str, object]]:
    query = request.GET.copy()
    query.pop("apres", None)
    tabs = []
    for word, label in TABS.items():
        query["etat"] = word
        tabs.append({
            "label": label, "url": f"?{query.urlencode()}", "current": word == request.GET.get("etat", ""),
            "count": counts.get(STATES[word], 0) if word == "" else 0,
        })  # fmt: skip
    return tabs


def _share_form(request: CabinetRequest, shown: bank_pages.ShownLine) -> ShareForm:
    """Offer the invoices of the suggestions' clients, and those of the client or number searched."""
    asked = request.GET.get("q", "").strip()
    clients = {pk for guess in shown.guesses for pk, _ in guess.clients}
    invoices: set[UUID] = set()
    if asked:
        clients = {one.client.pk for one in find_clients(asked)}
        invoices = {one.invoice.pk for one in search(asked, on=request.cabinet.today()).invoices}
    proposed: dict[UUID, int] = {}
    left = shown.line.cents
    offered = bank_pages.open_invoices(client_ids=clients, invoice_ids=invoices)
    named = {one.invoice_id for one in shown.best.invoices} if shown.best and not asked else set()
    for invoice, _ in offered:
        if invoice.pk in named and left > 0:
            proposed[invoice.pk] = min(left, invoice.outstanding_cents)
            left -= proposed[invoice.pk]
    data = request.POST if request.method == "POST" else None
    return ShareForm(data, invoices=offered, proposed=proposed)


def _told(taken: Taken) -> str:
    known = f", {taken.known} déjà connue{'s' if taken.known > 1 else ''}" if taken.known else ""
    return (
        f"Relevé pris en compte : {_lines(taken.new, 'nouvelle')}{known}."
        f" {_lines(taken.matched, 'rapprochée')}, {taken.suggested} à confirmer."
    )


def _lines(count: int, word: str) -> str:
    return f"{count} ligne {word}" if count < 2 else f"{count} lignes {word}s"  # noqa: PLR2004 - French: two is plural


def _month(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
