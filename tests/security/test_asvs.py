"""Every requirement of the list has a proof that exists, and the page an auditor reads says the same."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.security.asvs import PAGE, Requirement, requirements, text

TESTS = Path(__file__).resolve().parents[1]
# security.md § 4, the L3 requirements its goal 27 adds, and what files and typed words must stand.
ASKED = {
    "2.2.2",
    "2.3.1",
    "2.3.3",
    "2.3.4",
    "2.4.1",
    "15.4.2",
    "3.3.3",
    "3.3.4",
    "3.4.1",
    "3.4.3",
    "3.4.5",
    "3.4.6",
    "3.5.1",
    "3.5.3",
    "6.2.4",
    "6.2.12",
    "6.3.1",
    "6.3.3",
    "6.3.8",
    "6.4.3",
    "6.5.1",
    "6.5.5",
    "7.2.4",
    "7.3.1",
    "7.3.2",
    "7.4.2",
    "7.5.1",
    "7.5.2",
    "8.2.1",
    "8.2.2",
    "8.2.3",
    "8.3.2",
    "8.4.1",
    "11.3.2",
    "11.3.4",
    "11.5.1",
    "13.2.2",
    "13.3.1",
    "14.2.1",
    "14.3.2",
    "5.2.2",
    "16.2.1",
    "16.3.2",
    "16.4.2",
    "16.4.3",
    "16.5.3",
    "5.2.1",
    "5.2.3",
    "5.2.6",
    "5.3.2",
    "5.4.2",
    "3.2.1",
    "1.2.10",
    "1.5.1",
    "1.3.6",
    "1.3.7",
    "3.7.2",
    "11.3.3",
}


@cache
def names_in(path: str) -> set[str]:
    """Return the names of the tests of a file."""
    file = TESTS / path
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("row", requirements(), ids=lambda row: row.number)
def test_every_requirement_has_a_proof_that_exists(row: Requirement) -> None:
    missing = [
        proof
        for proof in row.proofs
        for path, _, name in [proof.partition("::")]
        if not names_in(path) or (name and name not in names_in(path))
    ]

    assert (missing, bool(row.proofs)) == ([], True)


def test_answers_every_requirement_adopted() -> None:
    assert {row.number for row in requirements()} == ASKED


def test_the_page_an_auditor_reads_is_the_one_of_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "python -m tests.security.asvs"
