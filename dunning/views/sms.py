"""Text messages: the firm's contract, and what its provider announces."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import InputError, TransferError
from cabinets.http import CabinetRequest
from cabinets.permissions import public, requires
from dunning.enums import Medium
from dunning.errors import DunningError
from dunning.forms.sms import SmsForm
from dunning.models import ChannelAccount
from dunning.services import sms_accounts
from dunning.tasks import check_sms_account
from templates_lib.rendering import typeset


@require_GET
@never_cache
@requires(Right.MANAGE_FIRM)
def sms_settings(request: CabinetRequest) -> HttpResponse:
    """Show the providers, what each needs, and which one is in service."""
    accounts = {one.provider: one for one in ChannelAccount.objects.filter(medium=Medium.SMS)}
    journal.listed(ChannelAccount, "sms", count=len(accounts))
    rows = [(profile, accounts.get(slug)) for slug, profile in sms_accounts.PROFILES.items()]
    return render(request, "dunning/sms.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@never_cache
@requires(Right.MANAGE_FIRM)
def sms_account(request: CabinetRequest, provider: str) -> HttpResponse:
    """Keep the keys of one provider."""
    if (profile := sms_accounts.PROFILES.get(provider)) is None:
        raise Http404
    account = ChannelAccount.objects.filter(medium=Medium.SMS, provider=provider).first()
    initial: dict[str, object] = {"sender": sms_accounts.default_sender(request.cabinet)}
    if account is not None:
        price = account.unit_price_thousandths
        initial = {"sender": account.sender, **account.options, "price": None if price is None else price / 1000}
    form = SmsForm(
        request.POST or None, provider=provider, has_secrets=account is not None, request=request, initial=initial
    )
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            kept = sms_accounts.keep(
                provider=provider,
                sender=given["sender"],
                options={name: given[name] for name, _ in profile.options},
                secrets={name: given[name] for name, _ in profile.secrets},
                unit_price_thousandths=None if given["price"] is None else int(given["price"] * 1000),
                by=request.member,
            )
        except InputError as error:
            form.add_error(error.field or None, typeset(str(error)))
        else:
            check_sms_account.delay(str(kept.pk))
            messages.success(request, "Compte enregistré. Il est essayé en ce moment ; rien n’est envoyé.")
            return redirect("sms_settings")
    context = {"form": form, "profile": profile}
    return render(request, "dunning/sms_account.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Right.MANAGE_FIRM)
def sms_switch(request: CabinetRequest, account_id: UUID) -> HttpResponse:
    """Put a provider in service, or out of it."""
    account = get_object_or_404(ChannelAccount, pk=account_id, medium=Medium.SMS)
    try:
        switched = sms_accounts.switch(account_id=account_id, to=not account.is_enabled, by=request.member)
    except (DunningError, InputError, TransferError) as error:
        messages.error(request, typeset(str(error)))
    else:
        messages.success(request, "Les SMS sont en service." if switched.is_enabled else "Les SMS sont arrêtés.")
    return redirect("sms_settings")


@csrf_exempt
@public
@require_POST
def sms_announcement(request: HttpRequest, token: str) -> HttpResponse:
    """Take in what a provider announces of a message; an address or a signature of nobody's gets the same answer."""
    url = f"{settings.SITE_URL}{request.get_full_path()}"  # the address it was given, whatever stands in between
    signature = request.headers.get("X-Twilio-Signature", "")
    is_known = sms_accounts.announce(hook=token, url=url, params=request.POST.dict(), signature=signature)
    return HttpResponse(status=204 if is_known else 404)
