"""« Relevés bancaires »: the accounts followed, the folder where the bank leaves its statements, the last files."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from payments.forms_bank import FeedForm
from payments.models import BankAccount
from payments.services import bank_feed, bank_intake, bank_pages
from payments.views.bank import for_every_file


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
@for_every_file
def bank_settings(request: CabinetRequest) -> HttpResponse:
    """Show how far each account is known, and open or close the drop folder."""
    feed = bank_pages.feed()
    data = request.POST if request.method == "POST" else None
    form = FeedForm(data, initial={"is_open": feed is not None and feed.is_open})
    if request.method == "POST" and form.is_valid():
        is_open = form.cleaned_data["is_open"]
        bank_feed.open_feed(is_open=is_open)
        told = "Les relevés déposés par la banque sont pris en compte." if is_open else "Le dossier n’est plus lu."
        messages.success(request, told)
        return redirect("bank_settings")
    accounts = bank_pages.accounts()
    journal.listed(BankAccount, "bank_settings", count=len(accounts))
    context = {
        "form": form,
        "feed": feed,
        "cabinet": request.cabinet,
        "accounts": accounts,
        "files": bank_pages.files(),
        "folder": f"depot/{request.cabinet.slug}/",
    }
    return render(request, "payments/bank_settings.html", context)


@require_POST
@requires(Right.MANAGE_FIRM)
@for_every_file
def follow_account(request: CabinetRequest, bank_account_id: UUID) -> HttpResponse:
    """Follow an account, or stop: a closed one no longer says through which day payments are known."""
    account = get_object_or_404(BankAccount, pk=bank_account_id)
    bank_intake.follow(account_id=account.pk, is_followed=not account.is_followed)
    messages.success(request, "Le compte n’est plus suivi." if account.is_followed else "Le compte est suivi.")
    return redirect("bank_settings")
