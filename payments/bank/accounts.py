"""Account numbers: an IBAN whatever the format says, so that one account has one name."""

import re

from stdnum import iban as ibans

_RIB = re.compile(r"([0-9]{5})([0-9]{5})([0-9A-Z]{11})")
_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]){11,30}\b")
# Countries of the single euro payments area: between them a transfer arrives whole.
SEPA = frozenset({
    "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR", "HR",
    "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL", "NO", "PL", "PT", "RO",
    "RS", "SE", "SI", "SK", "SM", "VA",
})  # fmt: skip


def tidy_account(text: str) -> str:
    """Write an account number in capitals, without blanks."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def is_iban(text: str) -> bool:
    """Tell whether a tidy account number is an IBAN whose key holds."""
    return bool(ibans.is_valid(text))


def french_iban(bank: str, branch: str, account: str) -> str:
    """Return the IBAN of a French account; the bare number when its parts are not those of a RIB."""
    found = _RIB.fullmatch(tidy_account(f"{bank}{branch}{account}"))
    if found is None:
        return tidy_account(f"{bank}{branch}{account}")
    first, second, third = (int(part.translate(_LETTERS)) for part in found.groups())
    key = 97 - (89 * first + 15 * second + 3 * third) % 97
    number = f"{''.join(found.groups())}{key:02d}"
    return f"FR{ibans.calc_check_digits(f'FR00{number}')}{number}"


def iban_in(text: str) -> str:
    """Return the first valid IBAN written in a text, or nothing."""
    for found in _IBAN.finditer(text.upper()):
        number = tidy_account(found.group())
        for end in range(len(number), 14, -1):
            if is_iban(number[:end]):
                return number[:end]
    return ""


def is_foreign(iban: str) -> bool:
    """Tell whether money from this account may lose bank fees on its way."""
    return bool(iban) and iban[:2] not in SEPA
