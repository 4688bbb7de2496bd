"""Who asked from their page is told there is something to read, while an address of theirs is still known."""

from collections.abc import Mapping

from gdpr.models import RightsRequest
from payments.enums import LinkMedium, LinkMessageKind
from payments.models import LinkMessage, PaymentLink
from payments.services import link_messages

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
    last = LinkMessage.objects.filter(link=_link_of(row), kind=LinkMessageKind.LAST).order_by("-asked_at").first()
    if last is None or (last.sent_at is None and not last.recipient):
        return TOLD_NOBODY + (NO_COPY if has_copy else "")
    return TOLD_BEFORE if last.sent_at is not None else TOLD_NOW


def told_of_delay(row: RightsRequest) -> str:
    """Say to the firm who is told that the answer will take longer, and what is left to it."""
    return DELAY_TOLD if ways_of(row) else DELAY_BY_HAND


def _link_of(row: RightsRequest) -> PaymentLink:
    """Return the link a request came through, as it is now."""
    return PaymentLink.objects.select_related("client", "contact").get(requests=row.asked_id)
