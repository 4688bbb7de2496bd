"""The public pages as a visitor and an operator read them."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from pytest_django.fixtures import Settings

from cabinets.models import Membership, Offer
from tests.conftest import FirmBrowser

Browse = Callable[..., FirmBrowser]
PAGES = [
    "/",
    "/fonctionnement/",
    "/securite/",
    "/calculateur/",
    "/tarifs/",
    "/cgu/",
    "/mentions-legales/",
    "/confidentialite/",
    "/accessibilite/",
]


def words(response: Any) -> str:
    """The page as read: no tags, no-break spaces as spaces."""
    content = response.content.decode()
    body = content[content.index("<main") : content.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " "))


@pytest.mark.parametrize("page", PAGES)
def test_opens_to_a_visitor_and_leaves_no_cookie(page: str, db: None, browse: Browse) -> None:
    response = browse().get(page)

    assert (response.status_code, len(response.cookies), response.content.count(b"<h1")) == (200, 0, 1)
    assert re.findall(rb'(?:src|href)="(?:https?:)?//', response.content) == []


@pytest.mark.parametrize("page", PAGES)
def test_reads_and_never_writes(page: str, db: None, browse: Browse) -> None:
    assert browse().post(page).status_code in (403, 405)


def test_leads_a_signed_in_person_to_work(owner: Membership, browse: Browse) -> None:
    assert browse(owner).get("/").headers["Location"] == "/tableau-de-bord/"


def test_invents_no_company(db: None, browse: Browse, settings: Settings) -> None:
    settings.OPERATOR = dict.fromkeys(settings.OPERATOR_FACTS, "")

    found = words(browse().get("/mentions-legales/"))

    assert "n’y a pas encore publié ses coordonnées" in found
    assert "OPERATOR_NAME" not in found


def test_publishes_what_the_operator_filled_in(db: None, browse: Browse, settings: Settings) -> None:
    settings.OPERATOR = dict.fromkeys(settings.OPERATOR_FACTS, "") | {
        "OPERATOR_NAME": "Encre & Cie",
        "OPERATOR_EMAIL": "bonjour@encre.example",
    }

    assert "Éditeur Encre & Cie E-mail bonjour@encre.example" in words(browse().get("/mentions-legales/"))
    assert "Écrivez à bonjour@encre.example" in words(browse().get("/accessibilite/"))


def test_states_accessibility_with_a_day_and_who_to_complain_to(db: None, browse: Browse) -> None:
    found = words(browse().get("/accessibilite/"))

    for told in (
        "Établie le 26 novembre 2026", "Non conforme au RGAA 4.1, faute d’audit", "Défenseur des droits",
        "09 69 39 00 00", "Libre réponse 71120, 75342 Paris CEDEX 07",
    ):  # fmt: skip
        assert told in found


def test_tells_operators_alone_what_is_left_to_fill_in(owner: Membership, browse: Browse, settings: Settings) -> None:
    settings.OPERATOR = dict.fromkeys(settings.OPERATOR_FACTS, "") | {"OPERATOR_NAME": "Encre & Cie"}
    before = words(browse(owner).get("/mentions-legales/"))
    owner.user.is_staff = True
    owner.user.save(update_fields=["is_staff"])

    after = words(browse(owner).get("/mentions-legales/"))

    assert "OPERATOR_HOST" not in before
    assert "Hébergeur (OPERATOR_HOST)" in after
    assert "OPERATOR_NAME" not in after


def test_calculates_the_example_when_the_address_says_nothing(db: None, browse: Browse) -> None:
    found = words(browse().get("/calculateur/"))

    assert "Net sur un an 3 900 € 15 000 €" in found
    assert "De 6 575 € à 13 151 € , une seule fois" in found
    assert "Le coût est rattrapé au jour 101 au jour 25" in found


def test_calculates_what_the_address_says_and_shows_it_again(db: None, browse: Browse) -> None:
    response = browse().get("/calculateur/", {"ca": "600 000", "heures_apres": "1.5", "inconnu": "x"})

    assert "Temps rendu, s’il est facturé 0 € 0 €" in words(response)
    assert "Pertes évitées 7 500 € 15 000 €" in words(response)
    assert b'value="600 000"' in response.content


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ca", "-5", "Indiquez un montant positif, ou zéro."),
        ("ca", "beaucoup", "« beaucoup »"),
        ("delai_avant", "400", "Indiquez un nombre d’au plus 365."),
        ("delai_avant", "-1", "Indiquez un nombre positif, ou zéro."),
        ("pertes_apres", "NaN", "Indiquez un nombre, par exemple 1,5."),
        ("cout_haut", "100", "Le coût le plus haut ne peut pas être inférieur au plus bas."),
    ],
)
def test_refuses_an_assumption_it_cannot_read(name: str, value: str, sentence: str, db: None, browse: Browse) -> None:
    response = browse().get("/calculateur/", {name: value})

    assert response.status_code == 200
    assert sentence in words(response)
    assert "Net sur un an" not in words(response)


OPERATOR = {"OPERATOR_NAME": "Encre & Cie", "OPERATOR_EMAIL": "bonjour@encre.example"}
WISH = {"name": "Claire Martel", "firm": "Martel Avocats", "email": "claire@martel.example", "words": "Les SMS."}


@pytest.fixture
def known(settings: Settings) -> None:
    cache.clear()
    settings.OPERATOR = dict.fromkeys(settings.OPERATOR_FACTS, "") | OPERATOR


def test_gives_the_prices_the_operator_published_and_no_other(committed: None, browse: Browse) -> None:
    assert "Aucun prix n’est publié" in words(browse().get("/tarifs/"))
    offers = Offer.objects.using("operator")
    offers.create(name="Cabinet", monthly_cents=9_900, invoices=200, is_public=True, promise="Pour deux avocats")
    offers.create(name="Ancienne", monthly_cents=4_900, invoices=50)

    found = words(browse().get("/tarifs/"))

    assert "Cabinet 99,00 € HT par mois 200 factures suivies par mois. Pour deux avocats" in found
    assert "Ancienne" not in found
    assert "Les prix sont ceux de la page Tarifs" in words(browse().get("/cgu/"))


def test_a_wish_to_be_shown_the_product_leaves_for_the_operator_alone(db: None, browse: Browse, known: None) -> None:
    page = browse().post("/demonstration/", WISH)

    assert "Votre demande est partie" in words(page)
    [message] = mail.outbox
    assert (message.to, message.reply_to) == (["bonjour@encre.example"], ["claire@martel.example"])
    assert message.subject == "Demande de démonstration : Martel Avocats"
    assert "Les SMS." in message.body


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"email": "claire"}, "Cette adresse n’est pas complète"),
        ({"name": ""}, "Indiquez votre nom."),
        ({"words": "x" * 1_001}, "1000"),
    ],
    ids=str,
)
def test_a_wish_that_cannot_be_answered_is_refused(
    db: None, browse: Browse, known: None, given: dict[str, str], said: str
) -> None:
    page = browse().post("/demonstration/", WISH | given)

    assert (page.status_code, mail.outbox) == (422, [])
    assert said in words(page).replace("\u202f", "")


def test_a_wish_makes_no_header_and_a_robot_no_message(db: None, browse: Browse, known: None) -> None:
    browse().post("/demonstration/", WISH | {"firm": "Martel\r\nBcc: tous@martel.example"})
    robot = browse().post("/demonstration/", WISH | {"site": "https://spam.example"})

    assert "Votre demande est partie" in words(robot)
    assert [message.subject for message in mail.outbox] == [
        "Demande de démonstration : Martel Bcc: tous@martel.example"
    ]


def test_wishes_are_counted(db: None, browse: Browse, known: None) -> None:
    pages = [browse().post("/demonstration/", WISH) for _ in range(6)]

    assert [page.status_code for page in pages] == [200] * 5 + [422]
    assert len(mail.outbox) == 5
    assert "Trop de demandes. Rien n’est parti" in words(pages[-1])


def test_nowhere_to_write_is_said(db: None, browse: Browse, settings: Settings) -> None:
    settings.OPERATOR = dict.fromkeys(settings.OPERATOR_FACTS, "")

    page = browse().post("/demonstration/", WISH)

    assert "n’a pas encore publié d’adresse" in words(page)
    assert mail.outbox == []
