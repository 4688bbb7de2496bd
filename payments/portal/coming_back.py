"""What a debtor reads when they come back from the provider's page: what happened, what did not, what to do."""

from dataclasses import dataclass

from cabinets.models import Cabinet
from payments.enums import CheckoutState, PaymentMeans
from payments.models import Checkout
from payments.services import roads


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer: its tone and icon, its title, its sentence, and whether the page asks again by itself."""

    tone: str
    icon: str
    title: str
    text: str
    is_paid: bool = False
    may_retry: bool = False
    refreshes: bool = False


_GIVEN_UP = Told(
    tone="info",
    icon="circle-x",
    title="Paiement abandonné",
    text="Vous avez quitté la page de paiement. Rien n’a été payé : la somme reste à régler.",
    may_retry=True,
)
_REFUSED = Told(
    tone="error",
    icon="circle-x",
    title="Paiement refusé",
    text="Votre banque n’a pas accepté ce paiement. Rien n’a été débité ni enregistré : essayez une autre carte, ou"
    " payez par virement.",
    may_retry=True,
)
_REVERSED = Told(
    tone="info",
    icon="undo-2",
    title="Paiement remboursé ou repris",
    text="Ce paiement vous a été rendu, ou votre banque l’a repris. Le cabinet vous répond à ce sujet.",
)
_TESTED = Told(
    tone="info",
    icon="circle-check",
    title="Essai terminé",
    text="Ce paiement était un essai : aucun argent n’a été déplacé, et la facture reste due.",
)


# What a state says whatever the page knows beside it.
_SAID = {
    CheckoutState.FAILED: _REFUSED,
    CheckoutState.EXPIRED: _GIVEN_UP,
    CheckoutState.REVERSED: _REVERSED,
}


def said_of(checkout: Checkout, *, cabinet: Cabinet, has_given_up: bool, is_silent: bool, may_refresh: bool) -> Told:
    """Return what to tell of a checkout; never « payée » before the provider said so."""
    state = CheckoutState(checkout.state)
    if state in _SAID:
        return _SAID[state]
    if state == CheckoutState.PAID:
        return _paid(checkout) if roads.settles(checkout.account, cabinet) else _TESTED
    if state == CheckoutState.PROCESSING:
        return _on_its_way(checkout, refreshes=may_refresh and checkout.means == PaymentMeans.CARD)
    if has_given_up and not is_silent:
        return _GIVEN_UP
    return _awaited(str(checkout.account.get_provider_display()), is_silent=is_silent, may_refresh=may_refresh)


def _awaited(provider: str, *, is_silent: bool, may_refresh: bool) -> Told:
    if is_silent:
        return Told(
            tone="warning",
            icon="hourglass",
            title="Réponse attendue",
            text=f"{provider} ne répond pas pour le moment. Si vous avez validé le paiement, ne payez pas une seconde"
            " fois : le cabinet est averti dès qu’il est confirmé.",
            refreshes=may_refresh,
        )
    then = "Cette page se met à jour toute seule." if may_refresh else "Actualisez cette page, ou reprenez le paiement."
    return Told(
        tone="info",
        icon="hourglass",
        title="Paiement en attente",
        text=f"{provider} n’a pas encore confirmé de paiement. {then}",
        may_retry=not may_refresh,
        refreshes=may_refresh,
    )


def _paid(checkout: Checkout) -> Told:
    if checkout.lost_cents:
        return _REVERSED
    return Told(
        tone="success",
        icon="circle-check",
        title="Paiement reçu",
        text="Merci. Le cabinet est averti, et les rappels à ce sujet s’arrêtent.",
        is_paid=True,
    )


def _on_its_way(checkout: Checkout, *, refreshes: bool) -> Told:
    days = "Un prélèvement demande plusieurs jours ouvrés. " if checkout.means == PaymentMeans.DEBIT else ""
    return Told(
        tone="info",
        icon="hourglass",
        title="Paiement en cours",
        text=f"Votre accord est enregistré et l’argent est en route. {days}Ne payez pas une seconde fois : les rappels"
        " sont suspendus jusqu’à la réponse de la banque.",
        refreshes=refreshes,
    )
