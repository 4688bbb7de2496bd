"""A text message leaves in one part of 160 septets, whatever its values, or does not leave."""

import pytest

from templates_lib.enums import Channel, Kind, Step
from templates_lib.errors import TextRefusedError
from templates_lib.gsm7 import foreign_characters, septets
from templates_lib.library import Variant, library, text_for
from templates_lib.sms import compose_sms, short_names, to_gsm7

WORST = {
    "Nom_cabinet": "Aubry Lenoir & X",
    "Numéro_facture": "FAC-2026-00412",
    "Montant_dû": "99999,99",
    "Date_échéance": "14/11/2026",
    "Nombre_factures": "12",
    "Téléphone_cabinet": "0240000000",
    "Lien_paiement": "https://payer.cab.fr/p/k7QpX2",
}
TEXTS = [
    (text, invoices, variant)
    for text in library()
    if text.channel is Channel.SMS
    for invoices in (1, 2)
    for variant in (None, Variant.AMOUNT)
]


@pytest.mark.parametrize(("text", "invoices", "variant"), TEXTS, ids=lambda one: getattr(one, "ref", str(one)))
def test_every_text_holds_in_one_part_with_the_longest_values(
    text: object, invoices: int, variant: Variant | None
) -> None:
    version = next(one for one in library() if one is text)

    sms = compose_sms(version=version, values=WORST, invoices=invoices, variant=variant)

    assert sms.septets == septets(sms.text) <= 160
    assert sms.segments == 1
    assert all(WORST[name] in sms.text for name in ("Lien_paiement",))
    assert "STOP" not in sms.text.upper().split()


def test_reads_as_the_debtor_reads_it() -> None:
    version = text_for(step=Step.J10, kind=Kind.PROFESSIONAL, channel=Channel.SMS)

    sms = compose_sms(version=version, values={**WORST, "Montant_dû": "1\u00a0440,00"}, invoices=1)

    assert sms.text == (
        "Aubry Lenoir & X: facture FAC-2026-00412 (1 440,00 EUR) échue le 14/11/2026, non réglée à ce jour. "
        "https://payer.cab.fr/p/k7QpX2 Une question ? 0240000000"
    )
    assert sms.septets == 154


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("L’Étude, bâtonnier & Œuvre", "L'Étude, batonnier & OEuvre"),
        ("1\u202f440,00\u00a0€", "1 440,00 €"),
        ("François n° 12", "Francois no 12"),
        ("Éloïse à Nîmes", "Éloise à Nimes"),
        ("中", "?"),
    ],
)
def test_values_are_written_in_the_alphabet_of_telephones(value: str, expected: str) -> None:
    assert to_gsm7(value) == expected
    assert foreign_characters(to_gsm7(value)) == ()


def test_a_long_firm_name_gives_way_and_nothing_else() -> None:
    version = text_for(step=Step.J3, kind=Kind.PROFESSIONAL, channel=Channel.SMS)

    sms = compose_sms(version=version, values={**WORST, "Nom_cabinet": "Cabinet Aubry Lenoir et associés"}, invoices=1)

    assert sms.septets <= 160
    assert "Cabinet" not in sms.text
    assert all(WORST[name] in sms.text for name in ("Numéro_facture", "Montant_dû", "Date_échéance"))


def test_what_cannot_hold_is_refused_rather_than_cut() -> None:
    version = text_for(step=Step.J3, kind=Kind.PROFESSIONAL, channel=Channel.SMS)

    with pytest.raises(TextRefusedError, match="160"):
        compose_sms(version=version, values={**WORST, "Numéro_facture": "F" * 60}, invoices=1)


def test_a_name_is_never_shorter_than_six_characters() -> None:
    assert min(len(one) for one in short_names("Cabinet Martin Durand")) == 6
    assert short_names("Cabinet")[0] == "Cabinet"
