"""Who asked from their page is told there is something to read, while an address of theirs is still known."""

import datetime as dt
from collections.abc import Mapping

from dunning.services.link_mail import TRY_AFTER
from gdpr.models import RightsRequest
from payments.enums import LinkMedium, LinkMessageKind
from payments.models import LinkMessage, PaymentLink
from payments.services import link_messages
from templates_lib.rendering import day_words

BY_HAND = "Envoyez cette réponse à la personne par la voie qu’elle a choisie\u00a0: elle n’est pas envoyée d’ici."
CLOSED = (
    "Personne ne sera prévenu\u00a0: la page d’où vient la demande est fermée, et cette réponse n’y sera pas lue."
    " Envoyez-la par une autre voie."
)
TOLD = "La personne est prévenue et lit cette réponse sur sa page"
WITH_COPY = ", où elle télécharge la copie après un code envoyé à son adresse connue"
TOLD_BEFORE = (
    "La personne a été prévenue avant que son adresse ne serve plus\u00a0: elle lira cette réponse sur sa page, pendant"
    " trois mois. Aucun autre message ne partira."
)
TOLD_NOW = (
    "Un dernier message part à l’adresse qui ne servira plus\u00a0: la personne lira cette réponse sur sa page, pendant"
    " trois mois. Aucun autre message ne partira."
)
TOLD_NOBODY = (
    "Personne ne sera prévenu\u00a0: le cabinet n’a pas d’adresse où lui écrire. Cette réponse se lit trois mois sur"
    " sa page\u00a0; si vous connaissez une autre voie, envoyez-la aussi."
)
NOT_LEFT = (
    "Le message qui la prévenait n’est pas parti\u00a0: personne n’est prévenu. La réponse se lit sur sa page\u00a0; si"
    " vous connaissez une autre voie, envoyez-la aussi."
)
LEAVING = "Le message qui prévient la personne part dans les minutes qui viennent."
DELAY_TOLD = "La personne en est prévenue et lit le motif et la nouvelle date sur sa page."
DELAY_BY_HAND = (
    "Personne n’en est prévenu d’ici\u00a0: dites-le à la personne avec son motif, avant la fin du premier mois."
)
NO_COPY = " La copie, elle, ne s’y télécharge pas, faute d’adresse où envoyer le code\u00a0: remettez-la autrement."


def ways_of(row: RightsRequest) -> dict[LinkMedium, str]:
    """Return where whoever asked from their page may be written to now; nothing for a request that came otherwise."""
    if row.asked_id is None:
        return {}
    link = _link_of(row)
    return {} if link.revoked_at is not None else link_messages.ways_to(link)


def tell_extended(row: RightsRequest) -> None:
    """Tell whoever asked from their page that the answer will take longer, and where the reason is read."""
    if ways_of(row):
        link_messages.tell_extended(link=_link_of(row))


def tell_last(row: RightsRequest, *, known: Mapping[LinkMedium, str]) -> None:
    """Tell now, where they were reached until this act, somebody whom it leaves no way to tell of the answer."""
    if known and not ways_of(row):
        link_messages.tell_last(link=_link_of(row), ways=known)


def told_of_answer(row: RightsRequest, *, has_copy: bool) -> str:
    """Say to the firm who will be told of its answer, and how; or that nobody will."""
    if row.asked_id is None:
        return BY_HAND
    if _link_of(row).revoked_at is not None:
        return CLOSED
    if ways_of(row):
        return f"{TOLD}{WITH_COPY if has_copy else ''}."
    last = _last_message(row, LinkMessageKind.LAST)
    if last is None or _is_given_up(last):
        return TOLD_NOBODY + (NO_COPY if has_copy else "")
    return TOLD_BEFORE if last.sent_at is not None else TOLD_NOW


def told_since(row: RightsRequest, *, zone: dt.tzinfo) -> str:
    """Say to the firm what became of the message that told its answer; nothing where there was none to send."""
    message = _last_message(row, LinkMessageKind.ANSWER, LinkMessageKind.LAST)
    if message is None:
        return ""
    if message.sent_at is not None:
        medium = "e-mail" if message.medium == LinkMedium.EMAIL else "SMS"
        return f"La personne a été prévenue le {day_words(message.sent_at.astimezone(zone).date())}, par {medium}."
    return NOT_LEFT if _is_given_up(message) else LEAVING


def told_of_delay(row: RightsRequest) -> str:
    """Say to the firm who is told that the answer will take longer, and what is left to it."""
    return DELAY_TOLD if ways_of(row) else DELAY_BY_HAND


def _last_message(row: RightsRequest, *kinds: LinkMessageKind) -> LinkMessage | None:
    if row.asked is None:
        return None
    asked = LinkMessage.objects.filter(link=row.asked.link_id, kind__in=kinds, asked_at__gte=row.asked.received_at)
    return asked.order_by("-asked_at").first()


def _is_given_up(message: LinkMessage) -> bool:
    return message.sent_at is None and message.attempts >= len(TRY_AFTER)


def _link_of(row: RightsRequest) -> PaymentLink:
    """Return the link a request came through, as it is now."""
    return PaymentLink.objects.select_related("client", "contact").get(requests=row.asked_id)
