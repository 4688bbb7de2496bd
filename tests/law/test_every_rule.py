"""Every rule of the law page is tested by a test that bears its number, or says in one line why not yet."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
RULES = range(1, 76)
NOT_YET = {
    48: "The providers' contracts are tested with their clients, in tests/dunning.",
    58: "Answers to people about their data come with the data-protection pages.",
    59: "The clock of those answers comes with the data-protection pages.",
    60: "Purging comes with the data-protection pages.",
    61: "The archive comes with the data-protection pages.",
    62: "The age of access logs is limited with the data-protection pages.",
    63: "Passwords and second factors are tested where people sign in, in tests/cabinets.",
    64: "The processor's contract comes with the data-protection pages.",
    65: "The breach record comes with the data-protection pages.",
    67: "Copies of electronic invoices come with electronic invoicing.",
    69: "The import checks dates and amounts; the mandatory mentions come with electronic invoicing.",
    70: "Notes of electronic invoices are read with electronic invoicing.",
    71: "Factur-X, CII and UBL are read with electronic invoicing.",
    73: "Reporting of receipts comes with electronic invoicing.",
    74: "No platform is plugged in yet.",
    75: "Chorus Pro's statuses are typed with electronic invoicing.",
}


@pytest.fixture(scope="module")
def tested() -> set[int]:
    names = re.compile(r"^def test_r(\d{2})[a-z]?_", re.MULTILINE)
    return {int(number) for path in TESTS.rglob("test_*.py") for number in names.findall(path.read_text("utf-8"))}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_tested_by_its_number_or_says_why_not(rule: int, tested: set[int]) -> None:
    assert rule in tested or rule in NOT_YET


def test_a_reason_is_a_sentence() -> None:
    assert all(reason.endswith(".") for reason in NOT_YET.values())
