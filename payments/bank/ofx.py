"""OFX as banks really write it: SGML 1.x without end tags or XML 2.x, read tag by tag."""

import datetime as dt
import html
import re
from dataclasses import dataclass, field

from payments.bank.accounts import french_iban
from payments.bank.statement import Entry, Statement, StatementError, bounds, exact_cents, one_line

# A tag gives back nothing of its name, and what is hidden and never closed hides the rest: each is read once.
_TAG = re.compile(r"<(/?)([A-Za-z0-9._]++)[^<>]*+>([^<]*)")
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_COMPACT_DAY = re.compile(r"[0-9]{8}")
_GROUPS = frozenset({"STMTRS", "STMTTRN", "BANKACCTFROM", "LEDGERBAL", "AVAILBAL", "CCSTMTRS", "BANKACCTTO"})
_RETURNS = re.compile(r"\b(?:IMPAY|REJET|RETOUR (?:DE )?(?:VIR|PRLV|PRELEV|CHQ|CHEQUE))", re.IGNORECASE)


@dataclass(slots=True)
class _Account:
    facts: dict[str, str] = field(default_factory=dict)
    movements: list[dict[str, str]] = field(default_factory=list)


def looks_like_ofx(text: str) -> bool:
    """Tell whether a text is OFX, by its header or its first tag."""
    return "<OFX>" in text[:4000].upper() or text.lstrip("\ufeff\r\n ").upper().startswith("OFXHEADER")


def read_ofx(text: str) -> list[Statement]:
    """Read every bank account of the file; the firm's cards are none of what clients pay to."""
    body = _HIDDEN.sub("", text)
    if "</OFX>" not in body.upper():
        raise StatementError("Le fichier OFX est coupé : sa fin manque. Téléchargez-le à nouveau.")
    accounts = _accounts(body)
    if not accounts:
        raise StatementError("Le fichier OFX ne contient aucun relevé de compte.")
    return [_statement(account) for account in accounts]


def _accounts(body: str) -> list[_Account]:
    """Walk the tags: inside an account, its facts and its movements; everything else is left aside."""
    accounts: list[_Account] = []
    inside: list[str] = []
    for closing, raw, text in _TAG.findall(body):
        name, value = raw.upper(), html.unescape(text).strip()
        if name in _GROUPS:
            if closing:
                inside = inside[: inside.index(name)] if name in inside else inside
                continue
            inside.append(name)
            if name == "STMTRS":
                accounts.append(_Account())
            elif name == "STMTTRN" and "STMTRS" in inside:
                accounts[-1].movements.append({})
        elif not closing and value and inside and inside[0] == "STMTRS":
            _keep(accounts[-1], inside[-1], name, value)
    return accounts


def _keep(account: _Account, group: str, name: str, value: str) -> None:
    if group == "STMTTRN":
        account.movements[-1].setdefault(name, value)
    elif group == "BANKACCTTO":
        account.movements[-1].setdefault(f"TO.{name}", value)
    elif group == "LEDGERBAL":
        account.facts.setdefault(f"LEDGER.{name}", value)
    elif group != "AVAILBAL":
        account.facts.setdefault(name, value)


def _statement(account: _Account) -> Statement:
    facts = account.facts
    if not facts.get("ACCTID"):
        raise StatementError("Le relevé OFX ne dit pas de quel compte il s’agit.")
    currency = facts.get("CURDEF", "").upper()
    if not currency:
        raise StatementError("Le relevé OFX ne dit pas dans quelle monnaie est le compte.")
    entries = tuple(
        _entry(movement, f"Opération n° {number}", currency)
        for number, movement in enumerate(account.movements, start=1)
    )
    said = [facts.get(name, "") for name in ("DTSTART", "DTEND")]
    starts_on, ends_on = bounds(entries, *[_day(text, "Période") for text in said if text])
    balance = facts.get("LEDGER.BALAMT")
    return Statement(
        account=french_iban(facts.get("BANKID", ""), facts.get("BRANCHID", ""), facts["ACCTID"]),
        currency=currency,
        starts_on=starts_on,
        ends_on=ends_on,
        entries=entries,
        closing_cents=exact_cents(balance, place="Solde") if balance else None,
    )


def _entry(movement: dict[str, str], place: str, currency: str) -> Entry:
    if not movement.get("TRNAMT") or not movement.get("DTPOSTED"):
        raise StatementError(f"{place} : la date ou le montant manque.")
    if movement.get("CURSYM", currency).upper() != currency:
        raise StatementError(f"{place} : le montant est en {movement['CURSYM']}, le compte en {currency}.")
    booked_on = _day(movement["DTPOSTED"], place)
    value = movement.get("DTAVAIL") or movement["DTPOSTED"]
    label = one_line(movement.get("NAME", ""), movement.get("MEMO", ""))
    return Entry(
        place=place,
        booked_on=booked_on,
        value_on=_day(value, place),
        cents=exact_cents(movement["TRNAMT"].replace(" ", ""), place=place),
        label=label,
        bank_reference=one_line(movement.get("FITID", "")),
        end_to_end=one_line(movement.get("REFNUM", "") or movement.get("CHECKNUM", "")),
        counterparty=one_line(movement.get("PAYEE", "") or movement.get("NAME", "")),
        is_reversal=bool(_RETURNS.search(label)),
    )


def _day(text: str, place: str) -> dt.date:
    if (found := _COMPACT_DAY.match(text)) is not None:
        try:
            return dt.datetime.strptime(found.group(), "%Y%m%d").replace(tzinfo=dt.UTC).date()
        except ValueError:
            pass
    raise StatementError(f"{place} : la date « {text[:20]} » n’est pas lisible.")
