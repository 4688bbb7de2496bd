"""« Abonnement »: where the firm stands, what it may choose, how it leaves."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from cabinets.services import subscription as subscriptions
from cabinets.services.subscription import SubscriptionError

BACK = "/parametres/abonnement/"


@require_GET
@requires(Right.MANAGE_SUBSCRIPTION)
def subscription(request: CabinetRequest) -> HttpResponse:
    """Show where the firm stands, the month's count and the offers."""
    journal.seen(request.cabinet, "subscription")
    return render(request, "cabinets/subscription.html", {"view": subscriptions.view_of(request.cabinet)})


@require_POST
@requires(Right.MANAGE_SUBSCRIPTION)
def choose(request: CabinetRequest) -> HttpResponse:
    """Agree to an offer at the price that was read."""
    try:
        offer_id, cents = UUID(request.POST.get("offre", "")), int(request.POST.get("prix", ""))
        row = subscriptions.choose(offer_id=offer_id, monthly_cents=cents, by=request.member)
    except ValueError:
        messages.error(request, "Cette offre n’existe pas. Rien n’a été enregistré.")
    except SubscriptionError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Votre accord est enregistré : {row.offer}, à partir du {row.began_on:%d/%m/%Y}.")
    return redirect(BACK)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_SUBSCRIPTION)
def cancel(request: CabinetRequest) -> HttpResponse:
    """Ask once, then cancel."""
    if request.method == "POST":
        try:
            row = subscriptions.cancel(by=request.member)
        except SubscriptionError as refusal:
            messages.error(request, str(refusal))
        else:
            last = row.ends_on or row.trial_ends_on
            until = f" Les envois continuent jusqu’au {last:%d/%m/%Y}." if last else ""
            messages.success(request, f"L’abonnement est résilié.{until} Vos données restent lisibles et exportables.")
        return redirect(BACK)
    found = subscriptions.last_day_of(request.cabinet)
    if found is None:
        return redirect(BACK)
    last, may_come_back = found
    then = (
        "Vous pouvez revenir sur ce choix jusque-là."
        if may_come_back
        else "L’offre n’a pas commencé : rien n’est facturé, et vous pourrez en choisir une à tout moment."
    )
    context = {
        "title": "Résilier l’abonnement ?",
        "text": f"Les envois continuent jusqu’au {last:%d/%m/%Y}, puis s’arrêtent. {then} Rien n’est effacé : tout"
        " reste lisible, modifiable et exportable.",
        "label": "Résilier l’abonnement",
        "back_url": BACK,
        "danger": True,
    }
    return render(request, "confirm.html", context)


@require_POST
@requires(Right.MANAGE_SUBSCRIPTION)
def take_back(request: CabinetRequest) -> HttpResponse:
    """Go on with what was cancelled."""
    try:
        subscriptions.take_back(by=request.member)
    except SubscriptionError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "L’abonnement continue, au même prix.")
    return redirect(BACK)
