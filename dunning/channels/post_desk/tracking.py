"""The number of a registered letter, as it is typed from a receipt or read from its bar code."""

import re

from cabinets.errors import InputError

# « 1A 123 456 7890 3 »: a service, ten digits, and their key.
_FRENCH = re.compile(r"\d[A-Z]\d{11}")
# « RK 123 456 785 FR »: the Universal Postal Union's S10 form, that of letters from abroad and to abroad.
_UNIVERSAL = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")
_REGISTERED = "R"
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_SEPARATORS = re.compile(r"[\s.\-_/]")


class TrackingError(InputError):
    """A number that cannot be kept; some may be, once a person has read the receipt again."""

    def __init__(self, sentence: str, *, may_confirm: bool = False) -> None:
        super().__init__(sentence, field="tracking")
        self.may_confirm = may_confirm


def read_tracking(text: str, *, is_confirmed: bool = False) -> str:
    """Return a number without its spaces; refuse what no receipt bears.

    The key of a French number is not published: when it differs, the person reads again and may confirm.
    """
    number = _SEPARATORS.sub("", text.replace("\u00a0", "").replace("\u202f", "")).upper()
    if _UNIVERSAL.fullmatch(number):
        return _universal(number)
    if not _FRENCH.fullmatch(number):
        raise TrackingError(
            "Ce numéro n’est pas celui d’une lettre recommandée : il s’écrit 1A 123 456 7890 3, "
            "ou RK 123 456 785 FR vers l’étranger."
        )
    if number[-1] != french_key(number[2:-1]) and not is_confirmed:
        raise TrackingError(
            "La clé de ce numéro ne correspond pas. Relisez le récépissé ; si le numéro est exact, confirmez-le.",
            may_confirm=True,
        )
    return number


def show_tracking(number: str) -> str:
    """Write a number as receipts print it."""
    if _FRENCH.fullmatch(number):
        parts = (number[:2], number[2:5], number[5:8], number[8:12], number[12:])
    elif _UNIVERSAL.fullmatch(number):
        parts = (number[:2], number[2:5], number[5:8], number[8:11], number[11:])
    else:
        return number
    return "\u00a0".join(parts)


def french_key(digits: str) -> str:
    """Return the key of ten digits: each second one three times, from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def universal_key(digits: str) -> str:
    """Return the key of eight digits, by the weights of S10."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(digits, _S10_WEIGHTS, strict=True)) % 11
    return {10: "0", 11: "5"}.get(rest, str(rest))


def _universal(number: str) -> str:
    if not number.startswith(_REGISTERED):
        raise TrackingError(
            "Ce numéro est celui d’un envoi suivi, pas d’une lettre recommandée : le sien commence par R."
        )
    if number[10] != universal_key(number[2:10]):
        raise TrackingError("La clé de ce numéro est fausse : relisez le récépissé.")
    return number
