"""A firm signs up: an address is proven first, and nothing of a stranger is kept before.

What a visitor typed travels in the link of the e-mail, encrypted: no row, no name in an address, nothing to purge when
nobody confirms.
"""

import datetime as dt
import json
import logging
import time
from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import slugify

from cabinets import crypto
from cabinets.errors import CabinetError
from cabinets.models import User
from cabinets.scoping import working_for
from cabinets.services import people

logger = logging.getLogger(__name__)
VALID_FOR = dt.timedelta(hours=24)
PURPOSE = b"quittance|sign-up"
LONGEST_SLUG = 40
_TRIES = 20
GONE = "Ce lien n’est plus valable. Recommencez l’inscription : rien n’a été créé."


class SignUpError(CabinetError):
    """A firm that cannot be opened, in words."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visitor typed, until their address is proven."""

    email: str
    firm: str
    bar: str


def is_open() -> bool:
    """Say whether firms may sign up by themselves here, and whether their link could leave."""
    return bool(settings.SIGN_UPS_OPEN and settings.EMAIL_HOST)


def token_of(wish: Wish) -> str:
    """Return what a link carries of a wish: encrypted, dated, unreadable to whoever sees the address."""
    told = {"e": wish.email, "f": wish.firm, "b": wish.bar, "t": int(time.time())}
    return crypto.seal_token(json.dumps(told, ensure_ascii=False), secret=settings.LINK_KEY.encode(), purpose=PURPOSE)


def wish_of(token: str) -> Wish | None:
    """Return the wish a link carries; None when it is over, altered or invented."""
    opened = crypto.open_token(token, secret=settings.LINK_KEY.encode(), purpose=PURPOSE)
    if opened is None:
        return None
    told = json.loads(opened)
    age = time.time() - told["t"]
    return Wish(told["e"], told["f"], told["b"]) if 0 <= age <= VALID_FOR.total_seconds() else None


def send_link(*, token: str) -> bool:
    """Send the link that opens a firm, or the way in when the address has an account; False when nothing left."""
    wish = wish_of(token)
    if wish is None or not is_open():
        return False
    known = User.objects.filter(email=wish.email).exists()
    template = "cabinets/mail_sign_up_known.txt" if known else "cabinets/mail_sign_up.txt"
    path = reverse("connection") if known else reverse("sign_up_confirm", args=[token])
    text = render_to_string(template, {"link": f"{settings.SITE_URL}{path}", "firm": wish.firm})
    EmailMessage(subject="Votre espace Quittance", body=text, to=[wish.email]).send()
    logger.info("sign_up.link_sent")
    return True


def open_firm(*, token: str, first_name: str, last_name: str, password: str) -> User:
    """Open the firm of a proven address and make its bearer the first partner; the link serves once.

    Raise CabinetError, and create nothing, when the link is over or the address has an account by now.
    """
    wish = wish_of(token)
    if wish is None or not settings.SIGN_UPS_OPEN:
        raise SignUpError(GONE)
    if User.objects.filter(email=wish.email).exists():
        raise SignUpError("Un compte existe déjà pour cette adresse : connectez-vous. Rien n’a été créé.")
    stem = slugify(wish.firm)[:LONGEST_SLUG] or "cabinet"
    for attempt in range(_TRIES):
        slug = stem if not attempt else f"{stem}-{attempt + 1}"
        try:
            return _open(wish, slug=slug, first_name=first_name, last_name=last_name, password=password)
        except IntegrityError:
            # Another firm has that name in addresses; or the same link was used in another window.
            if User.objects.filter(email=wish.email).exists():
                raise SignUpError("Ce lien a déjà servi : connectez-vous. Rien d’autre n’a été créé.") from None
    raise SignUpError("Trop de cabinets portent ce nom : recommencez avec votre ville. Rien n’a été créé.")


def _open(wish: Wish, *, slug: str, first_name: str, last_name: str, password: str) -> User:
    """Open the firm with its first partner in it, both or neither."""
    cabinet_id = uuid4()
    with working_for(cabinet_id=cabinet_id):
        offer = people.open_firm(
            cabinet_id=cabinet_id, name=wish.firm, slug=slug, owner=wish.email, bar=wish.bar, email=wish.email
        )
        token = people.token_of(invitation_id=offer.pk)
        return people.join(token=token, user=None, first_name=first_name, last_name=last_name, password=password)
