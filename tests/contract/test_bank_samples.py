"""Statements written by others: the good ones to the cent, the broken ones refused whole."""

import pytest

from payments.bank.reading import read_file
from payments.bank.statement import StatementError, check_euros
from tests.contract.openapi_double import SPECS, specs_are_here

SAMPLES = SPECS / "samples"
# File → account, currency, sum of its lines, how many; balances are checked by the reader itself.
GOOD: dict[str, list[tuple[str, str, int, int]]] = {
    "camt053/bsp-camt.053.001.02.xml": [("50000000054910000003", "SEK", -6_432_150, 3)],
    "camt053/bsp-camt053_duplicate_same_day.xml": [("DE89370400440532013000", "EUR", -900, 2)],
    "camt053/bsp-camt053_multicurrency.xml": [
        ("DE89370400440532013000", "EUR", 75_025, 2),
        ("USACCT0099", "USD", -9_999, 1),
    ],
    "camt053/bsp-camt053_no_namespace.xml": [("GB29NWBK60161331926819", "GBP", 25_000, 1)],
    "cfonb120/pennylane-example.txt": [
        ("FR7615589000009876543210088", "EUR", -5_081, 3),
        ("FR7618706000000012345678954", "EUR", 7_749, 3),
    ],
    "ofx/oca-test_ofx.ofx": [("000000123123456", "USD", -36_000, 4)],
    "ofx/oca-test_ofx_iban.ofx": [("FR7630001007941234567890185", "USD", -36_000, 4)],
    "csv/bsp-csv_european_decimals.csv": [("DE89370400440532013000", "EUR", 226_094, 3)],
    "csv/bsp-csv_french_headers.csv": [("", "EUR", 226_094, 3)],
}
BROKEN = {
    "camt053/bsp-camt053_garbled_amount.xml": "le montant «\u00a012..34\u00a0» n’est pas lisible",
    "cfonb120/pennylane-end_of_statement_without_beginning.txt": "Ligne 9\u00a0: cette ligne n’est dans aucun relevé",
    "cfonb120/pennylane-invalid_date.txt": "Ligne 1\u00a0: la date «\u00a0CART\u00a0» n’est pas lisible",
    "cfonb120/pennylane-new_statement_without_previous_ended.txt": "Ligne 6\u00a0: un relevé commence",
    "cfonb120/pennylane-operation.txt": "Ligne 1\u00a0: cette ligne n’est dans aucun relevé",
    "cfonb120/pennylane-operation_already_defined.txt": "Ligne 1\u00a0: cette ligne n’est dans aucun relevé",
    "cfonb120/pennylane-operation_detail_without_operation.txt": "Ligne 3\u00a0: ce complément ne suit aucune",
    "cfonb120/pennylane-operation_out_of_statement.txt": "Ligne 1\u00a0: cette ligne n’est dans aucun relevé",
    "cfonb120/pennylane-operation_unstarted.txt": "Ligne 1\u00a0: cette ligne n’est dans aucun relevé",
    "ofx/oca-test_ofx_wrong.ofx": "ne dit pas de quel compte",
}


@pytest.mark.parametrize("name", GOOD)
def test_reads_what_others_wrote_to_the_cent(name: str) -> None:
    if not specs_are_here():
        return

    statements = read_file((SAMPLES / name).read_bytes()).statements

    told = [(one.account, one.currency, one.total_cents, len(one.entries)) for one in statements]
    assert told == GOOD[name]


@pytest.mark.parametrize("name", BROKEN)
def test_refuses_what_others_broke(name: str) -> None:
    if not specs_are_here():
        return

    with pytest.raises(StatementError) as refusal:
        read_file((SAMPLES / name).read_bytes())

    assert BROKEN[name] in str(refusal.value)


def test_knows_every_sample() -> None:
    if not specs_are_here():
        return
    folders = ("camt053", "cfonb120", "ofx", "csv")
    found = {
        f"{folder}/{path.name}"
        for folder in folders
        for path in (SAMPLES / folder).iterdir()
        if path.suffix in {".xml", ".txt", ".ofx", ".csv"}
    }

    assert found == GOOD.keys() | BROKEN.keys()


def test_refuses_every_account_that_is_not_in_euros() -> None:
    if not specs_are_here():
        return
    read = [one for name in GOOD for one in read_file((SAMPLES / name).read_bytes()).statements]
    foreign = [one for one in read if one.currency != "EUR"]

    for statement in foreign:
        with pytest.raises(StatementError, match=f"est tenu en {statement.currency}"):
            check_euros(statement)

    assert len(foreign) == 5
