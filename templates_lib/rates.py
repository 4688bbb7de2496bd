"""The rate of late-payment interest, in words a debtor reads (law.md § 9)."""

from decimal import Decimal

from templates_lib.rendering import NBSP


def percent_words(rate: Decimal, language: str = "fr") -> str:
    """Write « 12,15 % », without the zeros that say nothing."""
    plain = f"{rate.normalize():f}"
    return f"{plain}%" if language == "en" else f"{plain.replace('.', ',')}{NBSP}%"


def rate_words(*, mode: str, rate: Decimal | None, half: str, language: str = "fr") -> str:
    """Say what follows « au taux »: agreed, three times the legal rate, or the ECB's plus ten or eight points.

    `mode` is a `RateMode` value, `rate` in per cent per year, `half` « premier semestre 2026 ». Without a rate, the
    rule is said and the figure is not.
    """
    rule, figure = _RULES[language][mode], ""
    if rate is not None:
        shown = percent_words(rate, language)
        figure = f", i.e. {shown} a year" if language == "en" else f", soit {shown} l’an"
        if mode != "contract":
            figure += f" for the {_half_en(half)}" if language == "en" else f" pour le {half}"
    return f"{rule}{figure}"


_RULES = {
    "fr": {
        "contract": "prévu par la convention d’honoraires",
        "legal_triple": "égal à trois fois le taux de l’intérêt légal",
        "bce10": "appliqué par la Banque centrale européenne à son opération de refinancement la plus récente, "
        "majoré de dix points",
        "bce8_frozen": "de la Banque centrale européenne en vigueur au premier jour du semestre où ils ont commencé à "
        "courir, majoré de huit points",
        "legal": "de l’intérêt légal",
    },
    "en": {
        "contract": "agreed in the fee agreement",
        "legal_triple": "of three times the French legal interest rate",
        "bce10": "applied by the European Central Bank to its most recent refinancing operation, plus ten points",
        "bce8_frozen": "of the European Central Bank in force on the first day of the half-year in which it began to "
        "run, plus eight points",
        "legal": "of French legal interest",
    },
}


def _half_en(half: str) -> str:
    word, _, year = half.partition(" semestre ")
    return f"{'first' if word == 'premier' else 'second'} half of {year}"
