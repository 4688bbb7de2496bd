"""What an import speaks of: columns it knows, lines as they came, lines as they were understood."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cabinets.enums import Civility, ClientKind
from cabinets.territories import Territory


class SourceError(ValueError):
    """A file that cannot be read at all; carries its French sentence."""


class UnreadCell(str):
    """A spreadsheet cell whose formula has no result to read."""

    __slots__ = ()


Cell = str | dt.date | Decimal


class Field(StrEnum):
    """What a column may hold; the value is stored in a firm's profile, so it never changes."""

    NUMBER = "number", "Numéro de facture"
    DOCUMENT = "document", "Nature (facture, provision, avoir)"
    ISSUED_ON = "issued_on", "Date de facture"
    DUE_ON = "due_on", "Échéance"
    TOTAL = "total", "Montant TTC"
    SETTLED = "settled", "Déjà réglé"
    OUTSTANDING = "outstanding", "Reste dû"
    CURRENCY = "currency", "Devise"
    CLIENT = "client", "Client (nom complet)"
    CIVILITY = "civility", "Civilité"
    FIRST_NAME = "first_name", "Prénom"
    LAST_NAME = "last_name", "Nom"
    COMPANY = "company", "Société"
    KIND = "kind", "Qualité du client"
    EMAIL = "email", "E-mail"
    PHONE = "phone", "Téléphone"
    ADDRESS = "address", "Adresse"
    ADDRESS_2 = "address_2", "Complément d’adresse"
    POSTCODE = "postcode", "Code postal"
    CITY = "city", "Ville"
    COUNTRY = "country", "Pays"
    DOSSIER = "dossier", "Référence du dossier"
    LAWYER_EMAIL = "lawyer_email", "E-mail de l’avocat"

    label: str

    def __new__(cls, value: str, label: str) -> "Field":
        """Attach the French label to the stored value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class Paper(StrEnum):
    """What a line bills; the first two are the values of an invoice's kind."""

    INVOICE = "invoice"
    PROVISION = "provision"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A line as it came: its place in the file and its cells."""

    line: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot go in: where it is, what is wrong and what to do."""

    line: int
    column: str
    sentence: str
    field: Field | None = None
    is_duplicate: bool = False

    def __str__(self) -> str:
        """Write the whole sentence, place included."""
        place = f"Ligne {self.line}, colonne « {self.column} »" if self.column else f"Ligne {self.line}"
        return f"{place} – {self.sentence[0].lower()}{self.sentence[1:]}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line understood: one invoice, provision or credit note, and the client it names.

    Amounts are positive cents, of a credit note too. `notices` says in French what was assumed or left out.
    """

    line: int
    raw: tuple[Cell, ...]
    number: str
    number_key: str
    paper: Paper
    issued_on: dt.date
    due_on: dt.date
    is_due_date_assumed: bool
    total_cents: int
    settled_cents: int
    kind: ClientKind
    civility: Civility
    first_name: str
    last_name: str
    company: str
    email: str
    phone: str
    address: tuple[str, ...]
    postcode: str
    city: str
    country: str
    territory: Territory | None
    dossier: str
    lawyer_email: str
    currency: str = "EUR"
    notices: tuple[str, ...] = ()
