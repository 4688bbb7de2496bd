"""The closed list of merge fields answers to the names firms and the legal page use."""

import unicodedata

import pytest

from templates_lib.enums import Place
from templates_lib.fields import BY_LAW, FIELDS, SAMPLES, closest, find, from_law


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Prénom", "Prénom_client"),
        ("Prénom_client", "Prénom_client"),
        ("Nom", "Nom_client"),
        ("Nom_client", "Nom_client"),
        ("Numéro", "Numéro_facture"),
        ("Numéro_facture", "Numéro_facture"),
        ("Référence_facture", "Numéro_facture"),
        ("Montant", "Montant_dû"),
        ("Montant_facture", "Montant_facture"),
        ("Date", "Date_échéance"),
        ("Date_échéance", "Date_échéance"),
        ("Lien_paiement", "Lien_paiement"),
        ("Lien_paiement_sécurisé", "Lien_paiement"),
        ("Votre nom", "Signature_avocat"),
        ("Signature_avocat", "Signature_avocat"),
        ("Nom du cabinet", "Nom_cabinet"),
        ("Nom_cabinet", "Nom_cabinet"),
        ("Nom_dossier", "Nom_dossier"),
        ("Numéro_dossier", "Numéro_dossier"),
    ],
)
def test_a_name_people_write_leads_to_its_field(written: str, canonical: str) -> None:
    for spelling in (written, unicodedata.normalize("NFD", written), f" {written} "):
        field = find(spelling)

        assert field is not None
        assert field.name == canonical


def test_every_name_and_alias_is_borne_once() -> None:
    names = [name for field in FIELDS for name in (field.name, *field.aliases)]

    assert sorted(names) == sorted(set(names))


def test_every_variable_of_the_legal_page_is_transcribed() -> None:
    allowed = {
        *("civilite_nom", "ref", "date_facture", "echeance", "montant_du", "cabinet", "tel", "email"),
        *(
            "lien_paiement",
            "lien_gestion",
            "iban_masque",
            "barreau",
            "taux_libelle",
            "penalites",
            "date_calcul",
        ),
        *("date_calcul", "delai_jours", "total", "mediateur_nom", "mediateur_adresse", "mediateur_site"),
        "signataire",
    }
    sms = {"CAB", "REF", "MNT", "DATE", "LIEN", "TEL"}

    assert set(BY_LAW) == allowed | sms
    assert from_law("{CAB}: {ref}, {penalites} €") == "[Nom_cabinet]: [Numéro_facture], [Pénalités] €"


def test_the_matter_is_known_and_never_leaves() -> None:
    refused = {field.name for field in FIELDS if field.refused}

    assert refused == {"Nom_dossier", "Numéro_dossier"}
    assert {place for field in FIELDS if field.refused for place in field.places} == set()
    assert not refused & set(SAMPLES)


def test_a_field_says_how_long_it_grows_exactly_when_it_may_stand_in_an_sms() -> None:
    assert [field.name for field in FIELDS if (Place.SMS in field.places) != bool(field.longest)] == []


@pytest.mark.parametrize(
    ("written", "near"),
    [("Montant du", "Montant_dû"), ("LIEN_PAIEMENT", "Lien_paiement"), ("Echeance", "Date_échéance")],
)
def test_a_slip_is_answered_with_the_nearest_name(written: str, near: str) -> None:
    field = closest(written)

    assert field is not None
    assert field.name == near


def test_a_name_like_nothing_gets_no_suggestion() -> None:
    assert closest("zzzz") is None
