"""The order in which a formal letter finds its way, whoever the debtor is (T43, R43, R46, R49)."""

from dataclasses import replace
from itertools import permutations

import pytest

from cabinets.enums import ClientKind
from dunning.routes import POST_DESK, Recipient, Route, route_for

AR24 = Route(slug="ar24", label="AR24", kind="LRE", is_electronic=True, is_qualified=True)
MAILEVA = Route(
    slug="maileva",
    label="Maileva",
    kind="LRAR papier (en ligne)",
    is_electronic=False,
    is_qualified=False,
    countries=frozenset({"FR", "RE"}),
)
LAPOSTE = replace(MAILEVA, slug="laposte", label="La Poste", kind="LReL", countries=frozenset({"FR"}))
SIMPLE = replace(AR24, slug="simple", is_qualified=False)
EMAIL = "client@exemple.test"
K = ClientKind

CASES = [
    # T43: no consent, so paper, whatever address is known.
    (Recipient(kind=K.CONSUMER, known_email=EMAIL), ["laposte", "maileva", POST_DESK]),
    (Recipient(kind=K.NON_PRO_LEGAL, known_email=EMAIL), ["laposte", "maileva", POST_DESK]),
    (Recipient(kind=K.UNKNOWN, known_email=EMAIL), ["laposte", "maileva", POST_DESK]),
    (Recipient(kind=K.CONSUMER, known_email=EMAIL, consent_email=EMAIL), ["ar24", "laposte", "maileva", POST_DESK]),
    (
        Recipient(kind=K.NON_PRO_LEGAL, known_email=EMAIL, consent_email=EMAIL),
        ["ar24", "laposte", "maileva", POST_DESK],
    ),
    # T49: the address is another one.
    (
        Recipient(kind=K.CONSUMER, known_email="autre@exemple.test", consent_email=EMAIL),
        ["laposte", "maileva", POST_DESK],
    ),
    # T43: a professional needs no consent.
    (Recipient(kind=K.PROFESSIONAL, known_email=EMAIL), ["ar24", "laposte", "maileva", POST_DESK]),
    (Recipient(kind=K.PROFESSIONAL), ["laposte", "maileva", POST_DESK]),
    (Recipient(kind=K.PUBLIC, known_email=EMAIL, consent_email=EMAIL), ["laposte", "maileva", POST_DESK]),
    (Recipient(kind=K.PROFESSIONAL, country="RE"), ["maileva", POST_DESK]),
    (Recipient(kind=K.PROFESSIONAL, country="BE", known_email=EMAIL), ["ar24", POST_DESK]),
    (Recipient(kind=K.PROFESSIONAL, has_postal=False, known_email=EMAIL), ["ar24"]),
    (Recipient(kind=K.CONSUMER, has_postal=False, known_email=EMAIL), []),
]


@pytest.mark.parametrize(("recipient", "expected"), CASES)
def test_tries_the_routes_in_the_order_of_the_law(recipient: Recipient, expected: list[str]) -> None:
    for routes in permutations([AR24, MAILEVA, LAPOSTE, SIMPLE]):
        found = route_for(recipient, routes)

        assert [choice.route.slug for choice in found if choice.is_open] == expected
        assert {choice.route.slug for choice in found} == {"ar24", "maileva", "laposte", "simple", POST_DESK}


@pytest.mark.parametrize("kind", list(ClientKind))
def test_never_takes_a_simple_delivery_for_a_registered_letter(kind: ClientKind) -> None:
    recipient = Recipient(kind=kind, known_email=EMAIL, consent_email=EMAIL)

    (simple,) = [one for one in route_for(recipient, [SIMPLE]) if one.route.slug == "simple"]

    assert (simple.is_open, simple.email) == (False, "")


@pytest.mark.parametrize("kind", list(ClientKind))
def test_has_the_post_desk_last_for_everybody_with_an_address(kind: ClientKind) -> None:
    found = route_for(Recipient(kind=kind, known_email=EMAIL, consent_email=EMAIL), [AR24, MAILEVA])

    assert [one.route.slug for one in found if one.is_open][-1] == POST_DESK
    assert [one.route.slug for one in route_for(Recipient(kind=kind), [])] == [POST_DESK]


def test_follows_the_firm_s_own_order_among_papers() -> None:
    found = route_for(Recipient(kind=K.CONSUMER), [LAPOSTE, MAILEVA], preferred=["maileva", "laposte"])

    assert [one.route.slug for one in found] == ["maileva", "laposte", POST_DESK]


@pytest.mark.parametrize(
    ("recipient", "slug", "reason"),
    [
        (
            Recipient(kind=K.CONSUMER, known_email=EMAIL),
            "ar24",
            "Aucun consentement à la LRE n’est enregistré (R43).",
        ),
        (
            Recipient(kind=K.CONSUMER, known_email="b@x.test", consent_email=EMAIL),
            "ar24",
            "L’adresse e-mail a changé depuis le consentement : il en faut un nouveau (R49).",
        ),
        (Recipient(kind=K.PUBLIC), "ar24", "Un acheteur public reçoit sa lettre sur papier."),
        (Recipient(kind=K.PROFESSIONAL), "ar24", "Aucune adresse e-mail n’est connue."),
        (
            Recipient(kind=K.PROFESSIONAL, has_postal=False),
            POST_DESK,
            "Aucune adresse postale utilisable n’est connue.",
        ),
        (Recipient(kind=K.PROFESSIONAL, country="BE"), "maileva", "Ce prestataire ne distribue pas dans ce pays."),
    ],
)
def test_says_why_a_route_is_shut(recipient: Recipient, slug: str, reason: str) -> None:
    (found,) = [one for one in route_for(recipient, [AR24, MAILEVA]) if one.route.slug == slug]

    assert (found.is_open, found.reason, found.email) == (False, reason, "")


def test_writes_to_the_very_address_of_the_consent() -> None:
    found = route_for(Recipient(kind=K.CONSUMER, known_email=EMAIL, consent_email=EMAIL), [AR24])

    assert (found[0].route.slug, found[0].email) == ("ar24", EMAIL)
