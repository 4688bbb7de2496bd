"""The number of a receipt is kept as it is, or the person learns what to read again."""

import pytest

from dunning.channels.post_desk import PROFILE, TrackingError, read_tracking, show_tracking
from dunning.channels.post_desk.tracking import french_key, universal_key


@pytest.mark.parametrize(
    ("typed", "number", "shown"),
    [
        # The one number of Maileva's own description.
        ("1E00232062142", "1E00232062142", "1E\u00a0002\u00a0320\u00a06214\u00a02"),
        (" 1e 002 320 6214 2 ", "1E00232062142", "1E\u00a0002\u00a0320\u00a06214\u00a02"),
        ("1E-002.320\u00a06214\u202f2", "1E00232062142", "1E\u00a0002\u00a0320\u00a06214\u00a02"),
        # The example of the S10 standard, under a registered letter's prefix.
        ("RA473124829FR", "RA473124829FR", "RA\u00a0473\u00a0124\u00a0829\u00a0FR"),
        ("rb 473 124 829 be", "RB473124829BE", "RB\u00a0473\u00a0124\u00a0829\u00a0BE"),
    ],
)
def test_reads_a_number_however_it_is_written(typed: str, number: str, shown: str) -> None:
    assert read_tracking(typed) == number
    assert show_tracking(number) == shown


@pytest.mark.parametrize(
    ("typed", "begins"),
    [
        ("", "Ce numéro n’est pas celui d’une lettre recommandée"),
        ("123", "Ce numéro n’est pas celui d’une lettre recommandée"),
        ("1E0023206214", "Ce numéro n’est pas celui d’une lettre recommandée"),
        ("1E002320621422", "Ce numéro n’est pas celui d’une lettre recommandée"),
        ("EE00232062142", "Ce numéro n’est pas celui d’une lettre recommandée"),
        ("RA473124820FR", "La clé de ce numéro est fausse"),
        ("LA473124829FR", "Ce numéro est celui d’un envoi suivi"),
    ],
)
def test_refuses_what_no_receipt_bears(typed: str, begins: str) -> None:
    with pytest.raises(TrackingError) as refused:
        read_tracking(typed, is_confirmed=True)

    assert str(refused.value).startswith(begins)
    assert (refused.value.field, refused.value.may_confirm) == ("tracking", False)


def test_lets_a_person_confirm_a_french_number_whose_key_differs() -> None:
    with pytest.raises(TrackingError) as refused:
        read_tracking("1E 002 320 6214 3")
    assert refused.value.may_confirm

    assert read_tracking("1E 002 320 6214 3", is_confirmed=True) == "1E00232062143"


def test_each_wrong_digit_changes_the_key() -> None:
    digits = "0023206214"

    keys = {french_key(digits[:3] + str(digit) + digits[4:]) for digit in range(10)}

    assert (french_key(digits), len(keys)) == ("2", 10)


@pytest.mark.parametrize(
    ("digits", "key"), [("47312482", "9"), ("00000000", "5"), ("00000010", "2"), ("00000012", "0")]
)
def test_follows_the_weights_of_s10(digits: str, key: str) -> None:
    assert universal_key(digits) == key


def test_needs_no_contract_and_promises_no_network() -> None:
    assert (PROFILE.fields, PROFILE.proven.value) == ((), "aucun échange avec l’extérieur")
