"""How a provider's failures are told: one French sentence each, without a secret, a name nor an amount."""

import re

from payments.errors import ProviderError

_CODE = re.compile(r"[a-z0-9_.]{1,40}")


def silent(name: str) -> ProviderError:
    """Nobody answered in time: what was asked may have been done all the same."""
    return ProviderError(f"{name} n’a pas répondu. Réessayez dans quelques minutes.")


def broken(name: str) -> ProviderError:
    """The provider says it is out of order."""
    return ProviderError(f"{name} est en panne en ce moment. Réessayez dans quelques minutes.")


def busy(name: str) -> ProviderError:
    """Too much is asked at once."""
    return ProviderError(f"{name} reçoit trop de demandes à la fois. Réessayez dans quelques minutes.")


def wrong_key(name: str) -> ProviderError:
    """The key opens nothing."""
    return ProviderError(
        f"Clé refusée par {name}. Rien n’a été demandé : recopiez la clé depuis votre compte {name}.", is_refusal=True
    )


def missing_right(name: str) -> ProviderError:
    """The key opens the account, not this act."""
    return ProviderError(
        f"Cette clé n’a pas le droit que {name} demande ici. Complétez ses droits dans votre compte {name}.",
        is_refusal=True,
    )


def wrong_amount(name: str) -> ProviderError:
    """Below or above what the means allows."""
    return ProviderError(
        f"{name} refuse ce montant : il est trop petit ou trop grand pour ce moyen de paiement. Rien n’a été encaissé.",
        is_refusal=True,
    )


def closed_means(name: str) -> ProviderError:
    """The account does not have this means."""
    return ProviderError(
        f"Ce moyen de paiement n’est pas ouvert sur votre compte {name}. Activez-le chez {name}, puis réessayez.",
        is_refusal=True,
    )


def unknown_payment(name: str) -> ProviderError:
    """The reference is nobody's in this account."""
    return ProviderError(f"{name} ne connaît pas ce paiement. Rien n’en a été déduit.", is_refusal=True)


def refused(name: str, code: object = "") -> ProviderError:
    """Any other refusal; its code is kept only when it reads as one."""
    known = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    return ProviderError(f"{name} refuse cette demande{f' ({known})' if known else ''}.", is_refusal=True)


def unreadable(name: str) -> ProviderError:
    """An answer that says something else than what was asked: nothing is guessed from it."""
    return ProviderError(f"{name} a donné une réponse que Quittance ne sait pas lire. Rien n’en a été déduit.")
