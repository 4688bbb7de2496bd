"""E-mail addresses, telephones and names, reduced to the one form in which they are kept and found again."""

import re
import unicodedata

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from cabinets.errors import InputError
from cabinets.territories import Territory

LONGEST_EMAIL = 254
LONGEST_SHOWN = 40

# The Antilles of one prefix share a numbering region; the metropolis is tried last, wherever the client lives.
_REGIONS = {
    Territory.GUADELOUPE: "GP",
    Territory.SAINT_MARTIN: "GP",
    Territory.SAINT_BARTHELEMY: "GP",
    Territory.MARTINIQUE: "MQ",
    Territory.GUYANE: "GF",
    Territory.REUNION: "RE",
    Territory.MAYOTTE: "YT",
}
_FRENCH_REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT")
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_APART = re.compile(r"[^0-9a-z]+")
_check_email = EmailValidator()


def normalise_email(text: str, *, field: str = "email") -> str:
    """Return one address in lower case, or nothing; refuse what no server would accept."""
    address = "".join(text.split()).lower()
    if not address:
        return ""
    if not _is_email(address):
        raise InputError(
            f"L’adresse e-mail « {_shown(text)} » n’est pas valable : écrivez-la sous la forme nom@domaine.fr.",
            field=field,
        )
    return address


def normalise_phone(text: str, *, territory: str | None = None, country: str = "FR", field: str = "phone") -> str:
    """Return a number in E.164, read as dialled from where the client lives, or nothing; refuse any other text."""
    if not text.strip():
        return ""
    if (found := find_phone(text, territory=territory, country=country)) is None:
        raise InputError(
            f"Le téléphone « {_shown(text)} » n’est pas valable : écrivez-le sous la forme 06 12 34 56 78 "
            "ou +32 2 123 45 67.",
            field=field,
        )
    return found


def find_phone(text: str, *, territory: str | None = None, country: str = "FR") -> str | None:
    """Return a number in E.164, or None when the text is no number anybody could dial."""
    home = _REGIONS.get(Territory(territory), country) if territory else country
    for region in dict.fromkeys((home, *_FRENCH_REGIONS)):
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def is_mobile(phone: str) -> bool:
    """Say whether a number in E.164 can receive an SMS."""
    return bool(phone) and phonenumbers.number_type(phonenumbers.parse(phone)) in _MOBILE


def show_phone(phone: str) -> str:
    """Write a number in E.164 as people of its country dial it, abroad with its prefix."""
    if not phone:
        return ""
    number = phonenumbers.parse(phone)
    form = PhoneNumberFormat.NATIONAL if number.country_code in _FRENCH_CODES else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def show_typed_phone(text: str) -> str:
    """Write a number typed freely as people dial it; as it was typed when it cannot be read."""
    known = find_phone(text)
    return text if known is None else show_phone(known)


_FRENCH_CODES = frozenset({33, 590, 594, 596, 262})


def plain_name(text: str) -> str:
    """Reduce a name to its words in lower case without accents: what two spellings of it share."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return _APART.sub(" ", "".join(mark for mark in folded if not unicodedata.combining(mark))).strip()


def begins_words(wanted: str, name: str) -> bool:
    """Say whether each word looked for begins a word of the name, accents and case aside."""
    words = plain_name(name).split()
    return all(any(word.startswith(part) for word in words) for part in plain_name(wanted).split())


def _is_email(address: str) -> bool:
    try:
        _check_email(address)
    except ValidationError:
        return False
    return len(address) <= LONGEST_EMAIL


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
