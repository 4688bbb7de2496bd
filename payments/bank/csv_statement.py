"""CSV as each bank invents it: columns recognised by their titles, amounts by the file's own decimal mark."""

import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from invoices.importers.cells import CellError, cell_text, read_date, short
from invoices.importers.csv_file import SEPARATORS, read_csv, sniff_encoding
from invoices.importers.mapping import plain
from invoices.importers.rows import RawRow, SourceError
from invoices.money import AmountError, parse_euros, to_cents
from payments.bank.accounts import french_iban, iban_in, tidy_account
from payments.bank.statement import Entry, Statement, StatementError, bounds, one_line

HEADER_WITHIN = 25


class Column(StrEnum):
    """What a column of a bank's export may hold."""

    BOOKED = "booked"
    VALUE = "value"
    LABEL = "label"
    MORE = "more"
    AMOUNT = "amount"
    DEBIT = "debit"
    CREDIT = "credit"
    CURRENCY = "currency"
    REFERENCE = "reference"
    COUNTERPARTY = "counterparty"
    PAYER_IBAN = "payer_iban"
    ACCOUNT = "account"


SYNONYMS: dict[Column, tuple[str, ...]] = {
    Column.BOOKED: (
        "date operation", "date d operation", "date de l operation", "date comptable", "date de comptabilisation",
        "date ecriture", "dateop", "date", "booking date", "buchungstag",
    ),
    Column.VALUE: ("date valeur", "date de valeur", "dateval", "value date", "wertstellung", "valutadatum"),
    Column.LABEL: (
        "libelle", "libelle operation", "libelle de l operation", "libelle simplifie", "libelle court", "description",
        "operation", "nature de l operation", "motif", "verwendungszweck", "label", "intitule",
    ),
    Column.MORE: (
        "detail", "details", "libelle complementaire", "informations complementaires", "commentaire", "libelle long",
        "libelle detaille", "memo", "communication",
    ),
    Column.AMOUNT: (
        "montant", "montant operation", "montant de l operation", "montant en euros", "montant eur", "montant euros",
        "amount", "betrag",
    ),
    Column.DEBIT: ("debit", "debit euros", "debit eur", "montant debit", "sortie"),
    Column.CREDIT: ("credit", "credit euros", "credit eur", "montant credit", "entree"),
    Column.CURRENCY: ("devise", "ccy", "currency", "monnaie", "wahrung"),
    Column.REFERENCE: (
        "reference", "ref", "reference operation", "reference banque", "numero d operation", "n operation", "id",
        "reference de l operation", "transaction id",
    ),
    Column.COUNTERPARTY: (
        "contrepartie", "nom de la contrepartie", "tiers", "emetteur", "donneur d ordre", "nom donneur d ordre",
        "counterparty", "name", "nom",
    ),
    Column.PAYER_IBAN: (
        "iban contrepartie", "iban de la contrepartie", "iban emetteur", "iban tiers", "compte emetteur",
    ),
    Column.ACCOUNT: ("iban", "compte", "numero de compte", "n compte", "n de compte", "account", "account number"),
}  # fmt: skip
_NAMES = {name: column for column, names in reversed(list(SYNONYMS.items())) for name in names}
_SHORT_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2})")
_SIGNED = re.compile(r"([+-]?)\s*(.*?)\s*(-?)")
_RETURNS = re.compile(r"\b(?:IMPAY|REJET)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Table:
    columns: dict[Column, int]
    rows: list[RawRow]
    preamble: str

    def cell(self, row: RawRow, column: Column) -> str:
        place = self.columns.get(column, -1)
        return cell_text(row.cells[place]) if 0 <= place < len(row.cells) else ""


def read_csv_statement(data: bytes) -> list[Statement]:
    """Read the one account of an export. Raise StatementError when a column or a cell cannot be understood."""
    try:
        table = _table(data)
    except SourceError as error:
        raise StatementError(str(error)) from error
    lines = [row for row in table.rows if _says_something(table, row)]
    mark = _decimal_mark(table, lines)
    entries = tuple(_entry(table, row, mark) for row in lines)
    starts_on, ends_on = bounds(entries)
    return [
        Statement(
            account=_account(table), currency=_currency(table, lines), starts_on=starts_on, ends_on=ends_on,
            entries=entries,
        )
    ]  # fmt: skip


def _table(data: bytes) -> _Table:
    stream = io.BytesIO(data)
    encoding = sniff_encoding(stream)
    best: tuple[int, _Table] | None = None
    fault: SourceError | None = None
    for separator in SEPARATORS:
        try:
            rows = list(read_csv(stream, encoding=encoding, separator=separator))
        except SourceError as error:
            # With another separator the same quotes may be closed.
            fault = fault or error
            continue
        for place, row in enumerate(rows[:HEADER_WITHIN]):
            columns = _columns([cell_text(cell) for cell in row.cells])
            before = " ".join(cell_text(cell) for known in rows[:place] for cell in known.cells)
            if best is None or len(columns) > best[0]:
                best = len(columns), _Table(columns, rows[place + 1 :], before)
    if best is None:
        raise fault or StatementError("Le fichier ne contient aucune ligne.")
    columns = best[1].columns
    if Column.BOOKED not in columns or not columns.keys() & {Column.AMOUNT, Column.DEBIT, Column.CREDIT}:
        if fault is not None:
            raise fault
        raise StatementError(
            "Le fichier n’est pas reconnu comme un relevé : il faut au moins une colonne « Date » et une colonne"
            " « Montant », ou « Débit » et « Crédit ». Préférez un export CAMT.053, CFONB 120 ou OFX."
        )
    return best[1]


def _columns(titles: Sequence[str]) -> dict[Column, int]:
    found: dict[Column, int] = {}
    ranks: dict[Column, int] = {}
    for place, title in enumerate(titles):
        name = plain(re.sub(r"\(.*?(?:\)|$)", "", title))
        column = _NAMES.get(name)
        if column is not None and SYNONYMS[column].index(name) < ranks.get(column, len(_NAMES)):
            found[column], ranks[column] = place, SYNONYMS[column].index(name)
    return found


def _says_something(table: _Table, row: RawRow) -> bool:
    """Tell a line of the account from the words a bank prints under it."""
    amounts = (table.cell(row, column) for column in (Column.AMOUNT, Column.DEBIT, Column.CREDIT))
    return table.cell(row, Column.BOOKED)[:1].isdigit() or any(amounts)


def _decimal_mark(table: _Table, lines: list[RawRow]) -> str:
    """Return the mark that stands before the cents in this file; nothing when no amount shows it."""
    marks = set()
    for row in lines:
        for column in (Column.AMOUNT, Column.DEBIT, Column.CREDIT):
            text = re.sub(r"[^0-9.,]", "", table.cell(row, column))
            if "," in text and "." in text:
                marks.add(max(",.", key=text.rfind))
            elif re.search(r"[.,][0-9]{1,2}$", text):
                marks.add(next(mark for mark in reversed(text) if mark in ",."))
    if len(marks) > 1:
        raise StatementError(
            "Les montants du fichier sont écrits tantôt avec une virgule, tantôt avec un point : exportez-le à nouveau."
        )
    return marks.pop() if marks else ""


def _entry(table: _Table, row: RawRow, mark: str) -> Entry:
    place = f"Ligne {row.line}"
    booked_on = _day(table.cell(row, Column.BOOKED), place)
    value = table.cell(row, Column.VALUE)
    label = one_line(table.cell(row, Column.LABEL), table.cell(row, Column.MORE))
    payer = table.cell(row, Column.PAYER_IBAN)
    return Entry(
        place=place,
        booked_on=booked_on,
        value_on=_day(value, place) if value else booked_on,
        cents=_amount(table, row, mark, place),
        label=label,
        bank_reference=one_line(table.cell(row, Column.REFERENCE)),
        counterparty=one_line(table.cell(row, Column.COUNTERPARTY)),
        counterparty_iban=iban_in(payer),
        is_reversal=bool(_RETURNS.search(label)),
    )


def _amount(table: _Table, row: RawRow, mark: str, place: str) -> int:
    credit, debit = table.cell(row, Column.CREDIT), table.cell(row, Column.DEBIT)
    amount = table.cell(row, Column.AMOUNT)
    if bool(credit) and bool(debit):
        sums = _cents(credit, mark, place), _cents(debit, mark, place)
        if all(sums):
            raise StatementError(f"{place} : la ligne porte un débit et un crédit.")
        return sums[0] or -abs(sums[1])
    if credit:
        return abs(_cents(credit, mark, place))
    if debit:
        return -abs(_cents(debit, mark, place))
    if not amount:
        raise StatementError(f"{place} : le montant manque.")
    return _cents(amount, mark, place)


def _cents(text: str, mark: str, place: str) -> int:
    before, figures, after = _SIGNED.fullmatch(text.replace("−", "-")).groups()  # type: ignore[union-attr]  # it always matches
    thousands = {",": ".", ".": ","}.get(mark, "")
    if thousands and re.fullmatch(rf"[0-9]{{1,3}}(?:\{thousands}[0-9]{{3}})+(?:\{mark}[0-9]{{1,2}})?[^0-9]*", figures):
        figures = figures.replace(thousands, "")
    try:
        cents = to_cents(parse_euros(figures.replace("'", "")))
    except AmountError as error:
        raise StatementError(f"{place} : le montant « {short(text)} » n’est pas lisible.") from error
    return -cents if "-" in (before, after) else cents


def _day(text: str, place: str) -> dt.date:
    if found := _SHORT_DAY.fullmatch(text):
        text = "{}/{}/20{}".format(*found.groups())
    try:
        day = read_date(text)
    except CellError as error:
        raise StatementError(f"{place} : {str(error)[0].lower()}{str(error)[1:]}") from error
    if day is None:
        raise StatementError(f"{place} : la date manque.")
    return day


def _currency(table: _Table, lines: list[RawRow]) -> str:
    named = {table.cell(row, Column.CURRENCY).upper() for row in lines} - {""}
    if len(named) > 1:
        raise StatementError(f"Le relevé mêle plusieurs monnaies ({', '.join(sorted(named))}) : une seule par fichier.")
    return {"€": "EUR", "EURO": "EUR", "EUROS": "EUR"}.get(name := (named.pop() if named else "EUR"), name)


def _account(table: _Table) -> str:
    """Return the account when one is written, in its column or above the table; else nothing."""
    written = {table.cell(row, Column.ACCOUNT) for row in table.rows} - {""}
    if len(written) == 1:
        text = written.pop()
        return iban_in(text) or french_iban("", "", text) or tidy_account(text)
    if len(written) > 1:
        raise StatementError("Le relevé mêle plusieurs comptes : déposez un fichier par compte.")
    return iban_in(table.preamble)
