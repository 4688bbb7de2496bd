"""The password asked again before a dangerous act: the one place that judges it, with the tries of the sign-in."""

import logging

from django.http import HttpRequest

from cabinets.http import address_of
from cabinets.models import User
from cabinets.services import sign_in, throttle

logger = logging.getLogger(__name__)
WRONG = "Ce n’est pas votre mot de passe actuel. Rien n’a été modifié."


def refusal_of(*, request: HttpRequest, user: User, password: str) -> str:
    """Return why a password typed again opens nothing, in words; empty when it is theirs.

    Tries are counted with those of the sign-in, per account and per address, before the password is looked at.
    """
    wait = throttle.take(account=user.email, address=address_of(request))
    if wait:
        logger.warning("reauthentication.throttled")
        sign_in.note("password.throttled", user=user, request=request)
        return (
            f"Trop d’essais. Par sécurité, votre mot de passe n’est plus lu : réessayez dans "
            f"{throttle.in_words(wait)}. Rien n’a été modifié."
        )
    if not user.check_password(password):
        sign_in.note("password.refused", user=user, request=request)
        return WRONG
    throttle.give_back(account=user.email)
    return ""
