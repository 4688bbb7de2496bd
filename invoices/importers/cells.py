"""One cell at a time: text, dates, amounts, addresses and telephones, refused rather than guessed."""

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache

import phonenumbers

from invoices.importers.rows import Cell
from invoices.importers.vocabulary import FRENCH_REGIONS
from invoices.money import CENT, parse_euros, to_cents

FIRST_YEAR, LAST_YEAR = 1990, 2100
LONGEST_QUOTED = 40

_NOISE = Decimal("0.000001")
_EXCEL_DAY_ZERO = dt.date(1899, 12, 30)
_EXCEL_SERIALS = range(32_874, 73_416)
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ][0-9:.]+Z?)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})(?: [0-9:]+)?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_EMAIL = re.compile(rf"{_LOCAL_PART}@(?:[\w](?:[\w-]{{0,61}}[\w])?\.)+[^\W\d_]{{2,63}}")


class CellError(ValueError):
    """A cell that cannot be understood; carries its French sentence."""


def normalise_number(text: str) -> str:
    """Reduce an invoice number to what two spellings of it share: upper case, no blank."""
    return re.sub(r"\s", "", _UNSEEN.sub("", text)).upper()


def cell_text(cell: Cell) -> str:
    """Write a cell as one line of text; a spreadsheet's 2025001.0 is "2025001"."""
    if isinstance(cell, str):
        if cell.isprintable() and "  " not in cell:
            return cell.strip(" ")
        return " ".join(_UNSEEN.sub(" ", cell).split())
    if isinstance(cell, dt.date):
        return cell.strftime("%d/%m/%Y")
    return format(cell.to_integral_value() if cell == cell.to_integral_value() else cell, "f")


def read_date(cell: Cell) -> dt.date | None:
    """Read 31/12/2025, 31.12.2025, 2025-12-31, a spreadsheet's date or its serial number; None when empty."""
    if isinstance(cell, dt.date):
        return _within(cell, cell_text(cell))
    text = cell_text(cell)
    if not text:
        return None
    if isinstance(cell, Decimal):
        if cell != cell.to_integral_value() or int(cell) not in _EXCEL_SERIALS:
            raise CellError(f"La date « {text} » n’est pas lisible : écrivez-la sous la forme 31/12/2025.")
        return _EXCEL_DAY_ZERO + dt.timedelta(days=int(cell))
    if _SHORT_YEAR.fullmatch(text):
        raise CellError(f"La date « {text} » n’a que deux chiffres pour l’année : écrivez l’année en entier.")
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        raise CellError(f"La date « {short(text)} » n’est pas lisible : écrivez-la sous la forme 31/12/2025.")
    try:
        return _within(dt.date(year, month, day), text)
    except ValueError as error:
        if isinstance(error, CellError):
            raise
        raise CellError(f"La date « {text} » n’existe pas : corrigez-la (jour/mois/année).") from error


def read_cents(cell: Cell) -> int | None:
    """Read an amount in euros, as typed or as a spreadsheet's number; None when empty."""
    text = cell_text(cell)
    if not text:
        return None
    if isinstance(cell, Decimal):
        # A spreadsheet computes in floating point: 1440.0000000002 is 1440, 12.345 is nobody's amount.
        exact = cell.quantize(CENT) if abs(cell) < 10**12 else cell
        return to_cents(parse_euros(format(exact if abs(cell - exact) < _NOISE else cell, "f")))
    return to_cents(parse_euros(text))


def read_email(cell: Cell) -> str:
    """Read one e-mail address, its domain in lower case; empty when there is none."""
    text = cell_text(cell)
    if not text:
        return ""
    if len(re.findall("@", text)) > 1:
        raise CellError(f"La cellule « {short(text)} » contient plusieurs adresses e-mail : gardez-en une seule.")
    if not _EMAIL.fullmatch(text):
        raise CellError(f"L’adresse e-mail « {short(text)} » n’est pas valable : corrigez-la ou videz la cellule.")
    local, domain = text.split("@")
    return f"{local}@{domain.lower()}"


@lru_cache(maxsize=4096)
def read_phone(text: str, region: str) -> str:
    """Give a telephone number in E.164, tried in one region, then in the French ones; or nothing."""
    for candidate in dict.fromkeys((region, *FRENCH_REGIONS)):
        try:
            number = phonenumbers.parse(text, candidate)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""


def short(text: str) -> str:
    """Cut a text long enough to drown the sentence that quotes it."""
    return text if len(text) <= LONGEST_QUOTED else text[: LONGEST_QUOTED - 1] + "…"


def _within(day: dt.date, text: str) -> dt.date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CellError(f"La date « {text} » est hors de portée : vérifiez l’année.")
    return day
