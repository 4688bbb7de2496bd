"""By which routes a formal letter may go, in order, and why (law.md § 5): facts in, an ordered list out. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cabinets.enums import ClientKind

POST_DESK = "post_desk"
# A public buyer is written to on paper beside the claim that goes through Chorus Pro.
_ON_PAPER_ONLY = frozenset({ClientKind.PUBLIC})
# Without a consent of their own, they are written to on paper (R43).
_CONSENTING = frozenset({ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL, ClientKind.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One provider in service: what it carries, and what it needs."""

    slug: str
    label: str
    kind: str
    """« LRE », « LReL », « LRAR papier »… as it may be named (R46)."""
    is_electronic: bool
    is_qualified: bool
    countries: frozenset[str] = frozenset()
    """Where it delivers on paper; none named, everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What decides of the routes to one debtor."""

    kind: ClientKind
    country: str = "FR"
    consent_email: str = ""
    """The address a consent in force names."""
    known_email: str = ""
    """The address known today: another one than the consent's needs a new consent (R49)."""
    has_postal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One route to a debtor, open or not, and the reason in a sentence."""

    route: Route
    is_open: bool
    reason: str
    email: str = ""
    """The address an electronic letter would be sent to."""


PRINTED_HERE = Route(
    slug=POST_DESK, label="Guichet de poste", kind="LRAR papier", is_electronic=False, is_qualified=False
)


def route_for(recipient: Recipient, routes: Iterable[Route], *, preferred: Sequence[str] = ()) -> list[Choice]:
    """Return every route in the order to try: qualified electronic, paper by a provider, the post desk last always.

    A route that may not be taken stays in the list with its reason, after those that may.
    """
    known = {route.slug: route for route in routes if route.slug != POST_DESK}
    ordered = sorted(known.values(), key=lambda route: (not route.is_electronic, _place(route.slug, preferred)))
    choices = [_judge(recipient, route) for route in (*ordered, PRINTED_HERE)]
    return sorted(choices, key=lambda choice: not choice.is_open)


def _place(slug: str, preferred: Sequence[str]) -> tuple[int, str]:
    return (preferred.index(slug) if slug in preferred else len(preferred), slug)


def _judge(recipient: Recipient, route: Route) -> Choice:
    return _electronic(recipient, route) if route.is_electronic else _paper(recipient, route)


def _electronic(recipient: Recipient, route: Route) -> Choice:
    if why := _why_not(recipient, route):
        return Choice(route=route, is_open=False, reason=why)
    if recipient.kind in _CONSENTING:
        reason, email = "Le destinataire a consenti à la LRE, à cette adresse même.", recipient.consent_email
    else:
        reason, email = "Un professionnel peut recevoir une LRE sans consentement préalable.", recipient.known_email
    return Choice(route=route, is_open=True, reason=reason, email=email)


def _why_not(recipient: Recipient, route: Route) -> str:
    why = ""
    if not route.is_qualified:
        why = "Cet envoi n’est pas qualifié : ce n’est pas une LRE (R46)."
    elif recipient.kind in _ON_PAPER_ONLY:
        why = "Un acheteur public reçoit sa lettre sur papier."
    elif recipient.kind in _CONSENTING and not recipient.consent_email:
        why = "Aucun consentement à la LRE n’est enregistré (R43)."
    elif recipient.kind in _CONSENTING and recipient.consent_email != recipient.known_email:
        why = "L’adresse e-mail a changé depuis le consentement : il en faut un nouveau (R49)."
    elif not recipient.known_email:
        why = "Aucune adresse e-mail n’est connue."
    return why


def _paper(recipient: Recipient, route: Route) -> Choice:
    if not recipient.has_postal:
        return Choice(route=route, is_open=False, reason="Aucune adresse postale utilisable n’est connue.")
    if route.countries and recipient.country not in route.countries:
        return Choice(route=route, is_open=False, reason="Ce prestataire ne distribue pas dans ce pays.")
    if route.slug == POST_DESK:
        return Choice(route=route, is_open=True, reason="Vous imprimez la lettre et la postez : sans contrat.")
    return Choice(route=route, is_open=True, reason="Une lettre recommandée papier ne demande aucun consentement.")
