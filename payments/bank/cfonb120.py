"""CFONB 120: the French banks' fixed columns, one account after the other, signs punched over the last digit."""

import datetime as dt
import re
from dataclasses import dataclass, field

from payments.bank.accounts import french_iban
from payments.bank.statement import Entry, Statement, StatementError, one_line

WIDTH = 120
_OPENING, _MOVEMENT, _DETAIL, _CLOSING = "01", "04", "05", "07"
_KINDS = frozenset({_OPENING, _MOVEMENT, _DETAIL, _CLOSING})
_PUNCHED = {mark: (str(place % 10), 1 if place < 10 else -1) for place, mark in enumerate("{ABCDEFGHI}JKLMNOPQR")}  # noqa: PLR2004 - ten digits a sign
_AMOUNT = re.compile(r"[0-9]{13}[{}A-R]")
_DECIMALS = re.compile(r"[0-9]")
# What a detail line may say of its movement: who paid, who was paid, the words, the references.
_PAYERS, _PAID, _WORDS = ("NPY", "NPO"), ("NBE", "NBU"), ("LIB", "LCC", "LC2", "LCS")
_REFERENCE, _END_TO_END = "REF", "RCN"
_END_TO_END_WIDTH = 35


@dataclass(slots=True)
class _Movement:
    line: str
    place: str
    details: list[tuple[str, str]] = field(default_factory=list)

    def told(self, *names: str) -> list[str]:
        return [text for name, text in self.details if name in names]


@dataclass(slots=True)
class _Account:
    opening: str
    place: str
    movements: list[_Movement] = field(default_factory=list)


def looks_like_cfonb(text: str) -> bool:
    """Tell whether a text begins as these files do."""
    start = text.lstrip("\r\n\ufeff ")
    return start[:2] in _KINDS and start[2:7].isdigit() and bool(re.match(r"[A-Z]{3}[0-9 ]", start[16:20]))


def read_cfonb(text: str) -> list[Statement]:
    """Read every account of the file, each from its first balance to its last."""
    statements: list[Statement] = []
    current: _Account | None = None
    for place, line in _lines(text):
        kind = line[:2]
        if kind == _OPENING:
            if current is not None:
                raise StatementError(f"{place} : un relevé commence alors que le précédent n’a pas de solde final.")
            current = _Account(line, place)
        elif current is None:
            raise StatementError(f"{place} : cette ligne n’est dans aucun relevé, le solde de départ manque.")
        elif line[21:32] != current.opening[21:32]:
            raise StatementError(f"{place} : cette ligne est d’un autre compte que le relevé commencé.")
        elif kind == _MOVEMENT:
            current.movements.append(_Movement(line, place))
        elif kind == _DETAIL:
            _add_detail(current, line, place)
        else:
            statements.append(_statement(current, line, place))
            current = None
    if current is not None:
        raise StatementError("Le relevé n’est pas terminé : son solde final manque. Téléchargez le fichier complet.")
    if not statements:
        raise StatementError("Le fichier ne contient aucun relevé CFONB.")
    return statements


def _lines(text: str) -> list[tuple[str, str]]:
    if "\n" not in text and "\r" not in text and len(text) > WIDTH:
        rows = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
    else:
        rows = text.splitlines()
    found = []
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        place = f"Ligne {number}"
        if row[:2] not in _KINDS or len(row.rstrip()) > WIDTH:
            raise StatementError(f"{place} : ce n’est pas une ligne CFONB de 120 caractères.")
        found.append((place, row.rstrip().ljust(WIDTH)))
    return found


def _add_detail(account: _Account, line: str, place: str) -> None:
    if not account.movements:
        raise StatementError(f"{place} : ce complément ne suit aucune opération.")
    movement = account.movements[-1]
    if line[34:40] != movement.line[34:40]:
        raise StatementError(f"{place} : ce complément n’est pas de l’opération qu’il suit.")
    movement.details.append((line[45:48], line[48:118].rstrip()))


def _statement(account: _Account, closing: str, place: str) -> Statement:
    opening = account.opening
    starts_on, ends_on = _day(opening[34:40], account.place), _day(closing[34:40], place)
    return Statement(
        account=french_iban(opening[2:7], opening[11:16], opening[21:32]),
        currency=opening[16:19],
        starts_on=starts_on,
        ends_on=ends_on,
        entries=tuple(_entry(movement, opening[16:19]) for movement in account.movements),
        opening_cents=_cents(opening, account.place),
        closing_cents=_cents(closing, place),
    )


def _entry(movement: _Movement, currency: str) -> Entry:
    line, place = movement.line, movement.place
    if line[16:19] != currency:
        raise StatementError(f"{place} : l’opération est en {line[16:19]}, le compte en {currency}.")
    cents = _cents(line, place)
    booked_on = _day(line[34:40], place)
    end_to_end = next((text[:_END_TO_END_WIDTH] for text in movement.told(_END_TO_END)), "")
    purpose = [text[_END_TO_END_WIDTH:] for text in movement.told(_END_TO_END)]
    return Entry(
        place=place,
        booked_on=booked_on,
        value_on=_day(line[42:48], place) if line[42:48].strip() else booked_on,
        cents=cents,
        label=one_line(line[48:79], *movement.told(*_WORDS), *purpose),
        bank_reference=one_line(line[104:120]) or one_line(*movement.told(_REFERENCE)),
        end_to_end=one_line(end_to_end),
        counterparty=one_line(*movement.told(*(_PAYERS if cents > 0 else _PAID))[:1]),
        is_reversal=bool(line[40:42].strip(" 0")),
    )


def _cents(line: str, place: str) -> int:
    written, decimals = line[90:104], line[19]
    if not _AMOUNT.fullmatch(written) or not _DECIMALS.fullmatch(decimals):
        raise StatementError(f"{place} : le montant « {written.strip()} » n’est pas lisible.")
    digit, sign = _PUNCHED[written[-1]]
    units = int(written[:-1] + digit)
    cents, rest = divmod(units * 100, 10 ** int(decimals))
    if rest:
        raise StatementError(f"{place} : le montant a une fraction de centime.")
    return int(sign * cents)


def _day(text: str, place: str) -> dt.date:
    try:
        return dt.date(2000 + int(text[4:6]), int(text[2:4]), int(text[:2]))
    except ValueError as error:
        raise StatementError(f"{place} : la date « {text.strip()} » n’est pas lisible.") from error
