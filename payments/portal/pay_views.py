"""The debtor pays: chooses, leaves for the provider's page, comes back, keeps a receipt. Nothing is paid before it is.

Our pages never answer a form with another site's address: the policy of forms would block it in silence. The form leads
to a page of ours, which leads further.
"""

import datetime as dt
from dataclasses import replace
from typing import cast
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from redis.exceptions import RedisError

from cabinets.http import FORM_REFERRER
from cabinets.scoping import tenant_atomic
from cabinets.services.throttle import Gate
from payments.enums import CheckoutState
from payments.errors import CheckoutError, PaidMeanwhileError, ProviderError
from payments.models import Checkout
from payments.portal.access import LinkRequest, finds_link, opens_link
from payments.portal.account import transfer_for
from payments.portal.choosing import chosen_among, read_wish, ways_to_pay
from payments.portal.coming_back import said_of
from payments.portal.pages import page
from payments.portal.views import AccountRequest, shows_account, turn_away
from payments.providers.protocol import SHORT_TIMEOUT_SECONDS
from payments.services import asking, checkouts, paid_proofs, roads
from payments.services.naming import numbers_of
from templates_lib.rendering import typeset

# A page that refreshes itself asks the provider no more often.
ASKED_AGAIN = dt.timedelta(seconds=3)
MOST_REFRESHES = 20
REFUSED, TOO_MANY, SILENT = 422, 429, 503
# Each try may open a page at the provider, on the firm's account.
PAGES = Gate("pay-online", tries=30, seconds=600)
TOO_OFTEN = "Trop de paiements ont été commencés depuis ce lien. Rien n’a été payé : patientez dix minutes."
NO_ANSWER = (
    "La page de paiement ne répond pas pour le moment. Rien n’a été payé ni enregistré : réessayez dans quelques"
    " minutes, ou payez par virement."
)
LEADING = ("https://", "http://127.0.0.1", "http://localhost")


@opens_link
@require_safe
@shows_account
def invoices(request: AccountRequest) -> HttpResponse:
    """Choose invoices, then read the sum and how to pay it: two steps, each a plain page."""
    account = request.account
    if not (account.may_pay and any(line.is_payable for line in account.owed)):
        return redirect("portal_home", token=request.token)
    asked = request.GET.getlist("facture")
    lines = chosen_among(account.owed, asked)
    ways = ways_to_pay(account, lines, request.cabinet)
    response = page(
        request,
        "invoices",
        account=account,
        payable=[line for line in account.owed if line.is_payable],
        others=[line for line in account.owed if not line.is_payable],
        chosen=lines,
        ways=ways,
        is_empty="facture" in request.GET and not lines,
    )
    response["Referrer-Policy"] = FORM_REFERRER
    return response


@finds_link
@require_POST
def pay(request: AccountRequest) -> HttpResponse:
    """Open a page at the provider for what was chosen; a double tap and a second tab lead to the same one."""
    with tenant_atomic():
        if (elsewhere := turn_away(request)) is not None:
            return elsewhere
        offered = roads.offers(request.cabinet)
    if _is_too_much(request):
        return _not_paid(request, TOO_OFTEN, status=TOO_MANY)
    try:
        wish = read_wish(request.POST, offered=offered)
        checkout = checkouts.begin(
            link=request.link,
            shares=wish.shares,
            means=wish.means,
            account=offered[wish.means],
            form_id=wish.form_id,
        )
    except PaidMeanwhileError as told:
        return redirect("portal_back", token=request.token, checkout_id=told.checkout_id)
    except CheckoutError as refusal:
        return _not_paid(request, str(refusal), status=REFUSED)
    except ProviderError:
        return _not_paid(request, NO_ANSWER, status=SILENT)
    return redirect("portal_leave", token=request.token, checkout_id=checkout.pk)


@opens_link
@require_safe
@shows_account
def leave(request: AccountRequest, checkout_id: UUID) -> HttpResponse:
    """Lead to the provider's page, by itself and by a link."""
    checkout = _mine(request, checkout_id)
    if checkout is None:
        return redirect("portal_home", token=request.token)
    is_open = checkout.state == CheckoutState.OPEN and str(checkout.url).startswith(LEADING)
    if not is_open or (checkout.expires_at or timezone.now()) < timezone.now():
        return redirect("portal_back", token=request.token, checkout_id=checkout_id)
    return page(request, "leave", url=checkout.url, checkout=checkout, provider=checkout.account.get_provider_display())


@finds_link
@require_safe
def back(request: AccountRequest, checkout_id: UUID) -> HttpResponse:
    """Say what became of a payment, asking the provider first; nothing is called paid before it is."""
    with tenant_atomic():
        elsewhere = turn_away(request)
        checkout = None if elsewhere else _mine(request, checkout_id)
    if checkout is None:
        return elsewhere or redirect("portal_home", token=request.token)
    is_silent = False
    if checkout.is_unsettled and _is_stale(checkout):
        try:
            asking.ask(checkout_id=checkout_id, timeout=SHORT_TIMEOUT_SECONDS)
        except ProviderError:
            is_silent = True
    with tenant_atomic():
        # The account again: what was just learnt is on it.
        turn_away(request)
        checkout = cast("Checkout", _mine(request, checkout_id))
        times = _times(request.GET.get("n", ""))
        said = said_of(
            checkout,
            cabinet=request.cabinet,
            has_given_up="abandon" in request.GET,
            is_silent=is_silent,
            may_refresh=times < MOST_REFRESHES,
        )
        return page(
            request,
            "back",
            said=replace(said, text=typeset(said.text)),
            checkout=checkout,
            numbers=numbers_of(checkout),
            account=request.account,
            times=times + 1,
        )


@opens_link
@require_safe
@shows_account
def transfer(request: AccountRequest) -> HttpResponse:
    """Show how to pay by transfer."""
    found = transfer_for(request.account, cabinet=request.cabinet)
    if found is None:
        return redirect("portal_home", token=request.token)
    return page(request, "transfer", transfer=found)


@opens_link
@require_safe
@shows_account
def receipt(request: AccountRequest, payment_id: UUID) -> HttpResponse:
    """Give the receipt of a payment that is in."""
    proof = paid_proofs.proof_of(link=request.link, payment_id=payment_id)
    if proof is None:
        return redirect("portal_home", token=request.token)
    response = HttpResponse(paid_proofs.write(proof, cabinet=request.cabinet), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{proof.file_name}"'
    return response


def _mine(request: LinkRequest, checkout_id: UUID) -> Checkout | None:
    found = Checkout.objects.filter(pk=checkout_id, link=request.link)
    return found.select_related("account", "payment").first()


def _is_too_much(request: LinkRequest) -> bool:
    try:
        return PAGES.take(str(request.link.pk)) > 0
    except RedisError:
        return False


def _is_stale(checkout: Checkout) -> bool:
    return checkout.asked_at is None or timezone.now() - checkout.asked_at > ASKED_AGAIN


def _times(text: str) -> int:
    return min(int(text), MOST_REFRESHES) if text.isascii() and text.isdigit() and len(text) < 4 else 0  # noqa: PLR2004 - a few


def _not_paid(request: AccountRequest, sentence: str, *, status: int) -> HttpResponse:
    with tenant_atomic():
        turn_away(request)
        found = transfer_for(request.account, cabinet=request.cabinet)
        return page(request, "not_paid", sentence=typeset(sentence), transfer=found, status=status)
