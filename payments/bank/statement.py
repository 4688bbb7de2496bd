"""What every format of bank statement becomes, and how a file that cannot be believed is refused."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from invoices.importers.cells import short
from invoices.money import MAX_CENTS, AmountError, show_euros, to_cents

EUROS = "EUR"
_PLAIN_AMOUNT = re.compile(r"[+-]?[0-9]{1,13}(?:[.,][0-9]{1,5})?")


class StatementError(ValueError):
    """A file that cannot be taken in; carries its French sentence. Nothing of it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an account: money that came (positive cents) or went (negative)."""

    place: str
    booked_on: dt.date
    value_on: dt.date
    cents: int
    label: str
    bank_reference: str = ""
    end_to_end: str = ""
    counterparty: str = ""
    counterparty_iban: str = ""
    is_reversal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account over a period; balances are signed cents, None where the format has none."""

    account: str
    currency: str
    starts_on: dt.date
    ends_on: dt.date
    entries: tuple[Entry, ...]
    opening_cents: int | None = None
    closing_cents: int | None = None
    # A notice of some movements tells nothing of the others: it proves no day complete.
    is_complete: bool = True

    @property
    def total_cents(self) -> int:
        """Add every line."""
        return sum(entry.cents for entry in self.entries)


def exact_cents(text: str, *, place: str) -> int:
    """Read an amount as machines write it ("-1234.56"); refuse rather than guess."""
    plain = text.strip()
    try:
        cents = to_cents(Decimal(plain.replace(",", "."))) if _PLAIN_AMOUNT.fullmatch(plain) else None
    except AmountError:
        cents = None
    if cents is None:
        raise StatementError(f"{place} : le montant « {short(plain)} » n’est pas lisible.")
    if abs(cents) > MAX_CENTS:
        raise StatementError(f"{place} : le montant « {short(plain)} » est trop grand.")
    return cents


def one_line(*parts: str) -> str:
    """Join texts on one line, without what is empty, said twice or unprintable."""
    told: list[str] = []
    for part in parts:
        text = " ".join("".join(mark if mark.isprintable() else " " for mark in part).split())
        if text and text not in told:
            told.append(text)
    return " ".join(told)


def bounds(entries: tuple[Entry, ...], *days: dt.date | None) -> tuple[dt.date, dt.date]:
    """Return the first and last day a statement speaks of; refuse one that names no day at all."""
    known = [day for day in days if day is not None] + [entry.booked_on for entry in entries]
    if not known:
        raise StatementError("Le relevé ne contient ni opération ni date : demandez à votre banque un relevé complet.")
    return min(known), max(known)


def check_balances(statement: Statement) -> None:
    """Refuse a statement whose lines do not lead from its first balance to its last."""
    if statement.opening_cents is None or statement.closing_cents is None:
        return
    reached = statement.opening_cents + statement.total_cents
    if reached != statement.closing_cents:
        raise StatementError(
            f"Le relevé du {statement.starts_on:%d/%m/%Y} au {statement.ends_on:%d/%m/%Y} ne tombe pas juste : le solde"
            f" de départ et les opérations donnent {show_euros(reached)}, le solde final est de"
            f" {show_euros(statement.closing_cents)}. Il manque sans doute des lignes : demandez le fichier complet."
        )


def check_euros(statement: Statement) -> None:
    """Refuse an account that is not held in euros: no debt here is in another currency."""
    if statement.currency != EUROS:
        name = f"Le compte {statement.account}" if statement.account else "Le compte"
        raise StatementError(
            f"{name} est tenu en {statement.currency}, et les factures sont en euros :"
            " exportez le seul compte en euros."
        )
