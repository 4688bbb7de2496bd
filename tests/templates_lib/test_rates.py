"""The rate of interest in words: the three wordings of the legal page, and what is said when no figure is known."""

from decimal import Decimal

import pytest

from templates_lib.rates import percent_words, rate_words

HALF = "premier semestre 2026"


@pytest.mark.parametrize(
    ("mode", "rate", "expected"),
    [
        ("contract", "10.00", "prévu par la convention d’honoraires, soit 10\u00a0% l’an"),
        (
            "legal_triple",
            "7.86",
            "égal à trois fois le taux de l’intérêt légal, soit 7,86\u00a0% l’an pour le premier semestre 2026",
        ),
        (
            "bce10",
            "12.15",
            "appliqué par la Banque centrale européenne à son opération de refinancement la plus récente, majoré de "
            "dix points, soit 12,15\u00a0% l’an pour le premier semestre 2026",
        ),
    ],
)
def test_the_three_wordings_of_the_legal_page(mode: str, rate: str, expected: str) -> None:
    assert rate_words(mode=mode, rate=Decimal(rate), half=HALF) == expected


@pytest.mark.parametrize("mode", ["contract", "legal_triple", "bce10", "bce8_frozen", "legal"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_without_a_rate_the_rule_is_said_and_no_figure_is(mode: str, language: str) -> None:
    words = rate_words(mode=mode, rate=None, half=HALF, language=language)

    assert words
    assert not any(char.isdigit() for char in words)


def test_english_says_the_same_half_year() -> None:
    assert rate_words(mode="bce10", rate=Decimal("12.15"), half="second semestre 2025", language="en").endswith(
        "plus ten points, i.e. 12.15% a year for the second half of 2025"
    )


@pytest.mark.parametrize(
    ("rate", "expected"), [("10.00", "10\u00a0%"), ("12.150", "12,15\u00a0%"), ("0", "0\u00a0%"), ("100", "100\u00a0%")]
)
def test_a_rate_is_written_without_idle_zeros(rate: str, expected: str) -> None:
    assert percent_words(Decimal(rate)) == expected
