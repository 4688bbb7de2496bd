"""The one door of a bank file: its format by its content, its accounts, and the checks all formats share."""

import re
from dataclasses import dataclass

from payments.bank.camt import read_camt
from payments.bank.cfonb120 import looks_like_cfonb, read_cfonb
from payments.bank.csv_statement import read_csv_statement
from payments.bank.ofx import looks_like_ofx, read_ofx
from payments.bank.statement import Statement, StatementError, check_balances
from payments.enums import BankFormat

MAX_BYTES = 10 * 1024 * 1024
MAX_ENTRIES = 20_000
_MT940 = re.compile(r"^:20:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file understood: its format, and one statement an account."""

    format: BankFormat
    statements: tuple[Statement, ...]


def read_file(data: bytes) -> Reading:
    """Recognise a bank file and read it whole. Raise StatementError, in one sentence, rather than leave a line out."""
    if not data.strip():
        raise StatementError("Le fichier est vide.")
    if len(data) > MAX_BYTES:
        raise StatementError("Le fichier dépasse 10 Mo : exportez une période plus courte.")
    kind, statements = _read(data)
    if sum(len(one.entries) for one in statements) > MAX_ENTRIES:
        raise StatementError("Le fichier dépasse 20 000 opérations : exportez une période plus courte.")
    for statement in statements:
        check_balances(statement)
    return Reading(kind, tuple(statements))


def _read(data: bytes) -> tuple[BankFormat, list[Statement]]:
    if data[:4] in {b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"}:
        raise StatementError(
            "Un PDF ou un classeur n’est pas un relevé lisible : exportez en CAMT.053, CFONB 120, OFX ou CSV."
        )
    text = _decoded(data)
    start = text.lstrip("\ufeff\r\n\t ")
    if looks_like_ofx(start):
        return BankFormat.OFX, read_ofx(text)
    if start.startswith("<"):
        statements = read_camt(data)
        notices = not any(one.is_complete for one in statements)
        return BankFormat.CAMT054 if notices else BankFormat.CAMT053, statements
    if looks_like_cfonb(start):
        return BankFormat.CFONB120, read_cfonb(text)
    if _MT940.search(start[:400]):
        raise StatementError("Le format MT940 n’est pas lu : demandez un export CAMT.053, CFONB 120 ou OFX.")
    return BankFormat.CSV, read_csv_statement(data)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
