"""An address fits an envelope, or says why it does not."""

import pytest

from cabinets.errors import InputError
from dunning.channels.postal import postal_address

PARIS = {"postcode": "75002", "city": "Paris"}


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (
            {"company": "Durand SARL", "address": "12 bis, rue de la Paix", **PARIS},
            ("DURAND SARL", "", "", "12 BIS RUE DE LA PAIX", "", "75002 PARIS"),
        ),
        (
            {"person": "Madame Élise Lefèvre", "address": "4 allée des Œillets", "postcode": "69003", "city": "Lyon"},
            ("MADAME ÉLISE LEFÈVRE", "", "", "4 ALLEE DES OEILLETS", "", "69003 LYON"),
        ),
        (
            {
                "company": "Atelier Nord",
                "person": "Monsieur Paul Roux",
                "address": "Bâtiment B\n7 quai d’Orléans\nBP 12",
                "postcode": "59 000",
                "city": "Lille Cedex",
            },
            (
                "ATELIER NORD",
                "MONSIEUR PAUL ROUX",
                "BATIMENT B",
                "7 QUAI D’ORLEANS",
                "BP 12",
                "59000 LILLE CEDEX",
            ),
        ),
        (
            {
                "person": "Jeanne Blanc",
                "address": "Apt 14, 3e étage\nRésidence du Parc\n9 avenue Foch",
                "postcode": "57000",
                "city": "Metz",
            },
            ("JEANNE BLANC", "APT 14 3E ETAGE", "RESIDENCE DU PARC", "9 AVENUE FOCH", "", "57000 METZ"),
        ),
        (
            {"person": "Luc Petit", "address": "Le Bourg", "postcode": "23000", "city": "Saint-Léger-le-Guérétois"},
            ("LUC PETIT", "", "", "LE BOURG", "", "23000 SAINT-LEGER-LE-GUERETOIS"),
        ),
        (
            {"company": "Commune de Sainte-Rose", "address": "CS 40001", "postcode": "97115", "city": "Sainte-Rose"},
            ("COMMUNE DE SAINTE-ROSE", "", "", "", "CS 40001", "97115 SAINTE-ROSE"),
        ),
    ],
)
def test_lays_an_address_out_on_six_lines(given: dict[str, str], lines: tuple[str, ...]) -> None:
    assert postal_address(**given).lines == lines


@pytest.mark.parametrize(
    ("postcode", "country", "code"),
    [
        ("75002", "FR", "FR"),
        ("97400", "FR", "RE"),
        ("97133", "FR", "BL"),
        ("97150", "FR", "MF"),
        ("98000", "MC", "MC"),
        ("1000", "BE", "BE"),
    ],
)
def test_names_the_country_operators_ask_for(postcode: str, country: str, code: str) -> None:
    found = postal_address(person="A. B.", address="1 rue X", postcode=postcode, city="Ville", country=country)

    assert (found.country, found.postcode, found.town) == (code, postcode, "VILLE")
    assert found.shown[-1] == ("BE" if code == "BE" else f"{postcode} VILLE")


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"address": "1 rue X", **PARIS}, "last_name", "Il manque le nom du destinataire sur l’enveloppe."),
        ({"person": "A. B.", "address": " \n", **PARIS}, "address", "Il manque le numéro et la rue."),
        (
            {"person": "A. B.", "address": "1 rue X", "postcode": "", "city": "Paris"},
            "postcode",
            "Il manque le code postal ou la ville.",
        ),
        (
            {"person": "A. B.", "address": "1 rue X", "postcode": "75002", "city": " "},
            "city",
            "Il manque le code postal ou la ville.",
        ),
        (
            {"person": "A. B.", "address": "1 rue X", "postcode": "7500", "city": "Paris"},
            "postcode",
            "Le code postal « 7500 » n’est pas valable : il compte cinq chiffres.",
        ),
        (
            {"person": "A. B.", "address": "12 rue du Commandant-Charles-de-Vaucresson prolongée", **PARIS},
            "address",
            "La ligne « 12 RUE DU COMMANDANT-CHARLES-DE-VAUCRESSON PROLONGEE » compte 52 caractères : "
            "une ligne d’adresse en accepte 38. Abrégez-la.",
        ),
        (
            {"company": "A", "person": "B", "address": "Étage 2\nBâtiment C\n1 rue X", **PARIS},
            "address",
            "Cette adresse a trop de lignes pour une enveloppe : regroupez bâtiment, rue et lieu-dit "
            "sur une ligne chacun.",
        ),
    ],
)
def test_refuses_what_does_not_fit(given: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        postal_address(**given)

    assert (refused.value.field, str(refused.value)) == (field, words)
