"""Amounts: the only place where text becomes euros, euros become cents, and anything is rounded."""

import re
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
NBSP = "\u00a0"
MINUS = "\u2212"
MAX_CENTS = 10**12 - 1
LONGEST_SHOWN = 30

_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " "))
_CURRENCY = re.compile(r"(?<!\s)\s*(?:€|EUR|EUROS?)$", re.IGNORECASE)
_FOREIGN = re.compile(
    r"[$£¥₣₤]|\b(?:USD|GBP|CHF|CAD|AUD|JPY|CNY|SEK|NOK|DKK|PLN|CZK|HUF|RON|MAD|TND|DZD|XPF|XAF|XOF)\b",
    re.IGNORECASE,
)
_GLUED = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
_AMOUNT = re.compile(r"-?(?:[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:[.,][0-9]{1,2})?")
_THREE_DECIMALS = re.compile(r"-?[0-9]+[.,][0-9]{3,}")


class AmountError(ValueError):
    """An amount that cannot be read without guessing; carries its French sentence."""


class CurrencyError(AmountError):
    """An amount in something else than euros."""


def parse_euros(text: str) -> Decimal:
    """Read "1 234,56 €". Raise rather than guess: a wrong amount is worse than no amount."""
    plain = text.translate(_SPACES).strip().replace(MINUS, "-")
    if not plain:
        raise AmountError("Le montant est vide : indiquez-le en euros, par exemple 1234,56.")
    figures = _CURRENCY.sub("", plain)
    if _AMOUNT.fullmatch(figures):
        amount = Decimal(figures.replace(" ", "").replace(",", "."))
        if abs(amount) * 100 > MAX_CENTS:
            raise AmountError(f"Le montant « {_shown(plain)} » est trop grand : vérifiez-le.")
        return amount.quantize(CENT) + 0
    raise _refusal(plain, figures)


def cents_asked(text: str) -> int | None:
    """Return the amount a search asks for, in cents: "1440", "1 440,00 €", in French quotes or not; else None."""
    try:
        return to_cents(parse_euros(text.strip(" «»\u00a0"))) or None
    except AmountError:
        return None


def to_cents(euros: Decimal) -> int:
    """Turn an exact amount into integer cents; a fraction of a cent is refused, never rounded away."""
    cents = euros * 100
    if not euros.is_finite() or cents != cents.to_integral_value():
        raise AmountError(f"Le montant « {euros} » ne tient pas en centimes : deux décimales au plus.")
    return int(cents)


def from_cents(cents: int) -> Decimal:
    """Turn integer cents into euros with two decimals."""
    return Decimal(cents).scaleb(-2)


def round_cents(euros: Decimal) -> int:
    """Round a computed amount of euros to whole cents, half a cent going up."""
    return int(euros.scaleb(2).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def show_amount(cents: int) -> str:
    """Write cents as "1 440,00", with no-break spaces and a true minus sign."""
    euros, rest = divmod(abs(cents), 100)
    sign = MINUS if cents < 0 else ""
    return f"{sign}{euros:,}".replace(",", NBSP) + f",{rest:02d}"


def show_euros(cents: int) -> str:
    """Write cents as "1 440,00 €", with no-break spaces and a true minus sign."""
    return show_amount(cents) + NBSP + "€"


def _refusal(plain: str, figures: str) -> AmountError:
    shown = f"« {_shown(plain)} »"
    if "," in figures and "." in figures:
        return AmountError(f"Le montant {shown} mélange point et virgule : écrivez-le sous la forme 1234,56.")
    if _THREE_DECIMALS.fullmatch(figures):
        return AmountError(f"Le montant {shown} est ambigu : écrivez deux décimales au plus, comme 1234,56.")
    if _FOREIGN.search(_GLUED.sub(" ", figures)):
        return CurrencyError(f"Le montant {shown} n’est pas en euros : convertissez-le avant de l’importer.")
    return AmountError(f"Le montant {shown} n’est pas lisible : écrivez-le sous la forme 1234,56.")


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
