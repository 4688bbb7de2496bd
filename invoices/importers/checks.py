"""From a line of a file to an invoice, or to one clear sentence for each thing that prevents it."""

import datetime as dt
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from cabinets.enums import Civility, ClientKind
from cabinets.territories import Territory, territory_of
from invoices.calendar import due_date_for
from invoices.importers.cells import (
    CellError,
    cell_text,
    normalise_number,
    read_cents,
    read_date,
    read_email,
    read_phone,
    short,
)
from invoices.importers.mapping import plain
from invoices.importers.rows import Cell, Field, Paper, Problem, RawRow, Row, UnreadCell
from invoices.importers.vocabulary import CIVILITIES, COMPANY, COUNTRIES, KIND_OF_WORD, PAPERS, REGIONS
from invoices.money import AmountError, show_euros

LONGEST = {Field.NUMBER: 40, Field.DOSSIER: 30, Field.EMAIL: 254, Field.LAWYER_EMAIL: 254}
LONGEST_TEXT = 200
POSTCODE_DIGITS = 5

_Read = TypeVar("_Read")
_EUROS = frozenset({"", "eur", "euro", "euros"})


def check_rows(
    rows: Iterable[RawRow],
    mapping: Mapping[Field, int],
    *,
    header: Sequence[str],
    today: dt.date,
    known: Container[str] = frozenset(),
) -> Iterator[Row | list[Problem]]:
    """Yield each line as a Row, or as what prevents it; an `identity_key` already met is a duplicate."""
    seen: dict[str, int] = {}
    for raw in rows:
        answer = parse_row(raw, mapping, header=header, today=today)
        if isinstance(answer, Row):
            key = identity_key(answer)
            if key in seen or key in known:
                yield [_duplicate(answer, seen.get(key), header[mapping[Field.NUMBER]])]
                continue
            seen[key] = raw.line
        yield answer


def identity_key(row: Row) -> str:
    """Give what two lines of one document share; an invoice and a credit note may bear the same number."""
    return f"credit_note {row.number_key}" if row.paper is Paper.CREDIT_NOTE else row.number_key


def parse_row(
    raw: RawRow, mapping: Mapping[Field, int], *, header: Sequence[str], today: dt.date
) -> Row | list[Problem]:
    """Understand one line, or list everything that prevents it, in the order of the columns' importance."""
    line = _Line(raw, mapping, header)
    if any(cell_text(cell) for cell in raw.cells[len(header) :]):
        sentence = (
            f"La ligne compte {len(raw.cells)} cellules pour {len(header)} colonnes : mettez entre "
            "guillemets le texte qui contient le séparateur."
        )
        return [Problem(raw.line, "", sentence)]
    number = line.text(Field.NUMBER)
    if not number and Field.NUMBER not in line.refused:
        line.refuse(Field.NUMBER, "Le numéro de facture manque : indiquez-le.")
    who = _identity(line)
    total, paper = _amount(line)
    settled = _settled(line, total)
    kind = _kind(line)
    issued_on, due_on, is_assumed = _dates(line, kind=kind, paper=paper, today=today)
    email = line.read(Field.EMAIL, read_email)
    lawyer_email = line.read(Field.LAWYER_EMAIL, read_email)
    place = _place(line)
    dossier = line.text(Field.DOSSIER)
    if line.problems or issued_on is None or due_on is None or total is None:
        return line.problems
    return Row(
        line=raw.line,
        raw=raw.cells,
        number=number,
        number_key=normalise_number(number),
        paper=paper,
        issued_on=issued_on,
        due_on=due_on,
        is_due_date_assumed=is_assumed,
        total_cents=total,
        settled_cents=settled,
        kind=kind,
        civility=who.civility,
        first_name=who.first_name,
        last_name=who.last_name,
        company=who.company,
        email=email or "",
        phone=_phone(line, place),
        address=place.address,
        postcode=place.postcode,
        city=place.city,
        country=place.country,
        territory=place.territory,
        dossier=dossier,
        lawyer_email=lawyer_email or "",
        notices=tuple(line.notices),
    )


@dataclass(slots=True)
class _Line:
    """One line being read: its cells by field, and what was found wrong so far."""

    raw: RawRow
    mapping: Mapping[Field, int]
    header: Sequence[str]
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    refused: set[Field] = field(default_factory=set)

    def cell(self, wanted: Field) -> Cell:
        place = self.mapping.get(wanted)
        return self.raw.cells[place] if place is not None and place < len(self.raw.cells) else ""

    def refuse(self, wanted: Field, sentence: str) -> None:
        place = self.mapping.get(wanted)
        column = self.header[place] if place is not None else wanted.label
        self.refused.add(wanted)
        self.problems.append(Problem(self.raw.line, column, sentence, wanted))

    def read(self, wanted: Field, reader: Callable[[Cell], _Read]) -> _Read | None:
        cell = self.cell(wanted)
        if isinstance(cell, UnreadCell):
            self.refuse(wanted, "Le calcul de cette cellule n’a pas de résultat : remplacez-le par sa valeur.")
            return None
        try:
            return reader(cell)
        except (CellError, AmountError) as error:
            self.refuse(wanted, str(error))
            return None

    def text(self, wanted: Field) -> str:
        text = self.read(wanted, cell_text)
        if not text:
            return ""
        longest = LONGEST.get(wanted, LONGEST_TEXT)
        if len(text) > longest:
            self.refuse(wanted, f"Ce texte dépasse {longest} caractères : raccourcissez-le.")
        return text


@dataclass(frozen=True, slots=True)
class _Who:
    civility: Civility
    first_name: str
    last_name: str
    company: str


@dataclass(frozen=True, slots=True)
class _Place:
    address: tuple[str, ...]
    postcode: str
    city: str
    country: str
    territory: Territory | None


def _identity(line: _Line) -> _Who:
    civility = CIVILITIES.get(plain(line.text(Field.CIVILITY)), Civility.NONE)
    first_name, last_name = line.text(Field.FIRST_NAME), line.text(Field.LAST_NAME)
    company, client = line.text(Field.COMPANY), line.text(Field.CLIENT)
    if not (last_name or company or client):
        wanted = next(
            (name for name in (Field.CLIENT, Field.LAST_NAME, Field.COMPANY) if name in line.mapping),
            Field.CLIENT,
        )
        if wanted not in line.refused:
            line.refuse(wanted, "Le client manque : indiquez son nom ou sa société.")
    whole = "" if last_name or company else client
    if last_name and not (first_name or company) and civility is Civility.NONE:
        whole, last_name = last_name, ""
    if whole and COMPANY.search(whole):
        return _Who(civility, first_name, "", whole)
    if whole:
        word, _, rest = whole.partition(" ")
        stated = CIVILITIES.get(plain(word)) if rest else None
        return _Who(stated or civility, first_name, rest if stated else whole, "")
    return _Who(civility, first_name, last_name, company)


def _amount(line: _Line) -> tuple[int | None, Paper]:
    stated = plain(line.text(Field.DOCUMENT))
    paper = PAPERS.get(stated)
    if paper is None:
        line.refuse(Field.DOCUMENT, f"La nature « {short(stated)} » n’est pas connue : facture, provision ou avoir.")
        paper = Paper.INVOICE
    if plain(currency := line.text(Field.CURRENCY)) not in _EUROS:
        line.refuse(Field.CURRENCY, f"La devise « {short(currency)} » n’est pas l’euro : convertissez le montant.")
    cents = line.read(Field.TOTAL, read_cents)
    if cents is None:
        if Field.TOTAL not in line.refused:
            line.refuse(Field.TOTAL, "Le montant manque : indiquez-le en euros, toutes taxes comprises.")
        return None, paper
    if cents == 0:
        line.refuse(Field.TOTAL, "Le montant est nul : indiquez ce qui est dû ou retirez la ligne.")
    elif cents < 0 and not stated:
        paper = Paper.CREDIT_NOTE
        line.notices.append(f"Le montant est négatif : la ligne est lue comme un avoir de {show_euros(-cents)}.")
    elif cents < 0 and paper is not Paper.CREDIT_NOTE:
        line.refuse(Field.TOTAL, "Le montant est négatif : indiquez « avoir » dans la nature ou corrigez-le.")
    return abs(cents), paper


def _settled(line: _Line, total: int | None) -> int:
    settled = line.read(Field.SETTLED, read_cents)
    outstanding = line.read(Field.OUTSTANDING, read_cents)
    if total is None:
        return 0
    if settled is None:
        settled = 0 if outstanding is None else total - abs(outstanding)
        if settled < 0:
            line.refuse(Field.OUTSTANDING, "Le reste dû dépasse le montant de la facture : corrigez l’un des deux.")
    elif settled < 0:
        line.refuse(Field.SETTLED, "Le montant réglé est négatif : corrigez-le.")
    elif settled > total:
        line.refuse(Field.SETTLED, "Le montant réglé dépasse celui de la facture : corrigez l’un des deux.")
    elif outstanding is not None and abs(outstanding) != total - settled:
        line.refuse(Field.OUTSTANDING, "Le reste dû ne correspond pas au montant moins le réglé : corrigez-le.")
    return settled


def _kind(line: _Line) -> ClientKind:
    text = line.text(Field.KIND)
    kind = KIND_OF_WORD.get(plain(text))
    if kind is None and text:
        line.notices.append(
            f"La qualité « {short(text)} » n’est pas connue : le client est traité comme un particulier "
            "jusqu’à ce qu’elle soit précisée."
        )
    return kind or ClientKind.UNKNOWN


def _dates(
    line: _Line, *, kind: ClientKind, paper: Paper, today: dt.date
) -> tuple[dt.date | None, dt.date | None, bool]:
    issued_on = line.read(Field.ISSUED_ON, read_date)
    due_on = line.read(Field.DUE_ON, read_date)
    if issued_on is None:
        if Field.ISSUED_ON not in line.refused:
            line.refuse(Field.ISSUED_ON, "La date de facture manque : indiquez-la.")
        return None, due_on, False
    if issued_on > today:
        line.notices.append(f"La date de facture, {issued_on:%d/%m/%Y}, est dans l’avenir : vérifiez-la.")
    if due_on is not None or Field.DUE_ON in line.refused:
        if due_on is not None and due_on < issued_on:
            line.refuse(
                Field.DUE_ON,
                f"L’échéance {due_on:%d/%m/%Y} précède la date de facture {issued_on:%d/%m/%Y} : "
                "corrigez l’une des deux.",
            )
        return issued_on, due_on, False
    if paper is Paper.CREDIT_NOTE:
        return issued_on, issued_on, False
    due_on = due_date_for(issued_on, professional=kind in {ClientKind.PROFESSIONAL, ClientKind.PUBLIC})
    if due_on is None:
        line.refuse(
            Field.DUE_ON,
            "L’échéance manque : indiquez-la, elle ne se déduit de la loi que pour un client professionnel.",
        )
        return issued_on, None, False
    line.notices.append(f"L’échéance manque : elle est fixée au {due_on:%d/%m/%Y}, trente jours après la facture.")
    return issued_on, due_on, True


def _place(line: _Line) -> _Place:
    lines = (line.text(Field.ADDRESS), line.text(Field.ADDRESS_2))
    postcode, city, country = line.text(Field.POSTCODE), line.text(Field.CITY), line.text(Field.COUNTRY)
    iso = COUNTRIES.get(plain(country), country.upper() or "FR")
    if not re.fullmatch(r"[A-Z]{2}", iso):
        line.refuse(
            Field.COUNTRY,
            f"Le pays « {short(country)} » n’est pas connu : écrivez son code, comme FR ou BE.",
        )
    if iso == "FR" and isinstance(line.cell(Field.POSTCODE), Decimal):
        postcode = postcode.zfill(POSTCODE_DIGITS)
    return _Place(tuple(part for part in lines if part), postcode, city, iso, territory_of(postcode, iso))


def _phone(line: _Line, place: _Place) -> str:
    text = line.text(Field.PHONE)
    if not text:
        return ""
    if isinstance(line.cell(Field.PHONE), Decimal) and not text.startswith("0"):
        text = f"0{text}"
    region = REGIONS.get(place.territory, place.country) if place.territory else place.country
    number = read_phone(text, region)
    if not number:
        line.notices.append(f"Le téléphone « {short(text)} » n’est pas valable : il est laissé de côté.")
    return number


def _duplicate(row: Row, first: int | None, column: str) -> Problem:
    where = f"à la ligne {first} du fichier" if first is not None else "au cabinet"
    sentence = f"Le numéro « {row.number} » existe déjà {where} : cette ligne n’est pas importée une seconde fois."
    return Problem(row.line, column, sentence, Field.NUMBER, is_duplicate=True)
