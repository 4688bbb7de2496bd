"""Codes of the authenticator application, against the vectors of RFC 6238, and the seed that makes them."""

import uuid

import pytest

from cabinets import totp
from cabinets.crypto import KeyEncryptionKeys
from cabinets.errors import SealBrokenError

RFC_SEED = b"12345678901234567890"
OLD = KeyEncryptionKeys(versions=((1, b"a" * 32),))
BOTH = KeyEncryptionKeys(versions=((1, b"a" * 32), (2, b"b" * 32)))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_computes_the_codes_of_the_standard(seconds: int, code: str) -> None:
    assert totp.code_at(RFC_SEED, totp.step_at(seconds)) == code


@pytest.mark.parametrize(("late", "step"), [(0, 37037036), (29, 37037036), (30, 37037036), (59, 37037036), (60, None)])
def test_accepts_a_code_during_its_step_and_the_next_one_only(late: int, step: int | None) -> None:
    code = totp.code_at(RFC_SEED, 37037036)

    assert totp.matching_step(RFC_SEED, code, now=37037036 * 30 + late) == step


def test_refuses_the_code_of_a_step_to_come() -> None:
    code = totp.code_at(RFC_SEED, 37037037)

    assert totp.matching_step(RFC_SEED, code, now=37037036 * 30 + 29) is None


def test_opens_a_seed_for_its_person_only_and_across_a_new_key() -> None:
    person, other = uuid.uuid4(), uuid.uuid4()
    sealed = totp.seal(RFC_SEED, user_id=person, ring=OLD)

    assert totp.open_seed(sealed, user_id=person, ring=BOTH) == RFC_SEED
    assert RFC_SEED not in sealed
    with pytest.raises(SealBrokenError, match="à sa place"):
        totp.open_seed(sealed, user_id=other, ring=BOTH)


def test_says_which_key_is_missing() -> None:
    person = uuid.uuid4()
    sealed = totp.seal(RFC_SEED, user_id=person, ring=BOTH)

    with pytest.raises(SealBrokenError, match="pas connue"):
        totp.open_seed(sealed, user_id=person, ring=OLD)


def test_prints_the_seed_in_groups_and_in_an_address() -> None:
    assert totp.in_groups(RFC_SEED) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert totp.address(RFC_SEED, account="claire@aubry.example") == (
        "otpauth://totp/Quittance:claire%40aubry.example"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Quittance&digits=6&period=30"
    )
