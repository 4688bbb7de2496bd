"""CAMT.053 statements and CAMT.054 notices (ISO 20022), from version 02 on, with or without a namespace."""

import datetime as dt
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from payments.bank.accounts import tidy_account
from payments.bank.statement import Entry, Statement, StatementError, bounds, exact_cents, one_line

_BOOKED = "BOOK"
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_SIGNS = {"CRDT": 1, "DBIT": -1}
# Bank transaction codes of what comes back: unpaid debits and cheques, returned transfers.
_RETURNS = frozenset({"UPDD", "PRDD", "RRTN", "UPCQ", "URCQ", "RPCR", "RRCT"})
_NOTHING = frozenset({"NOTPROVIDED", "NOTAVAILABLE", "NONREF", "UNKNOWN"})


def read_camt(data: bytes) -> list[Statement]:
    """Read every account of the file. Raise StatementError rather than leave a line out."""
    root = _parse(data)
    found = [(node, node.tag == "Stmt") for node in root.iter() if node.tag in {"Stmt", "Ntfctn"}]
    if not found:
        raise StatementError(
            "Ce fichier XML n’est ni un relevé CAMT.053 ni un avis CAMT.054 : demandez l’un des deux à votre banque."
        )
    if any(node.text and node.text.strip() == "false" for node in root.iter("LastPgInd")):
        raise StatementError("Le relevé n’est pas entier : ce fichier n’en est pas la dernière page.")
    return [_statement(node, is_complete=is_statement) for node, is_statement in found]


def _parse(data: bytes) -> Element:
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise StatementError("Ce fichier XML contient des définitions interdites : il n’est pas lu.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise StatementError("Le fichier XML est coupé ou abîmé : téléchargez-le à nouveau.") from error
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root


def _statement(node: Element, *, is_complete: bool) -> Statement:
    account = _text(node, "Acct/Id/IBAN") or _text(node, "Acct/Id/Othr/Id")
    if not account:
        raise StatementError("Le relevé ne dit pas de quel compte il s’agit.")
    currency = _text(node, "Acct/Ccy") or next((amount.get("Ccy", "") for amount in node.iter("Amt")), "EUR")
    opening, closing = _balance(node, _OPENING, currency), _balance(node, _CLOSING, currency)
    entries = tuple(
        entry for number, ntry in enumerate(node.findall("Ntry"), start=1) for entry in _entries(ntry, number, currency)
    )
    starts_on, ends_on = bounds(
        entries, _day(node, "FrToDt/FrDtTm"), _day(node, "FrToDt/ToDtTm"), closing[1] if closing else None
    )
    return Statement(
        account=tidy_account(account),
        currency=currency,
        starts_on=starts_on,
        ends_on=ends_on,
        entries=entries,
        opening_cents=opening[0] if opening else None,
        closing_cents=closing[0] if closing else None,
        is_complete=is_complete,
    )


def _balance(node: Element, codes: Sequence[str], currency: str) -> tuple[int, dt.date | None] | None:
    for code in codes:
        for balance in node.findall("Bal"):
            if _text(balance, "Tp/CdOrPrtry/Cd") == code:
                return _signed(balance, currency, place=f"Solde {code}"), _day(balance, "Dt")
    return None


def _entries(ntry: Element, number: int, currency: str) -> Iterator[Entry]:
    """Give the lines of one booking: one, or each transaction of a batch when their amounts add up to it."""
    booked_on = _day(ntry, "BookgDt") or _day(ntry, "ValDt")
    place = f"Opération n° {number}" + (f" du {booked_on:%d/%m/%Y}" if booked_on else "")
    if (_text(ntry, "Sts/Cd") or _text(ntry, "Sts")) != _BOOKED:
        return
    cents = _signed(ntry, currency, place=place)
    if booked_on is None:
        raise StatementError(f"{place} : la date manque.")
    details = ntry.findall("NtryDtls/TxDtls")
    parts = [_part_cents(detail, currency, cents, place) for detail in details]
    shown = [part for part in parts if part is not None]
    is_split = len(parts) > 1 and len(shown) == len(parts) and sum(shown) == cents
    reference = _word(_text(ntry, "AcctSvcrRef"))
    for rank, detail in enumerate(details if is_split else [details[0] if len(details) == 1 else ntry], start=1):
        own = _word(_text(detail, "Refs/AcctSvcrRef"))
        yield Entry(
            place=place,
            booked_on=booked_on,
            value_on=_day(ntry, "ValDt") or booked_on,
            cents=shown[rank - 1] if is_split else cents,
            label=_label(ntry, detail),
            bank_reference=own or (f"{reference}/{rank}" if reference and is_split else reference),
            end_to_end=_word(_text(detail, "Refs/EndToEndId")),
            **_counterparty(detail, is_credit=cents > 0),
            is_reversal=_is_reversal(ntry, detail),
        )


def _part_cents(detail: Element, currency: str, whole: int, place: str) -> int | None:
    """Return the amount of one transaction of a batch in the account's currency, or None when it is not said."""
    for path in ("AmtDtls/TxAmt/Amt", "Amt"):
        amount = detail.find(path)
        if amount is not None and amount.get("Ccy", currency) == currency:
            sign = _SIGNS.get(_text(detail, "CdtDbtInd"), 1 if whole > 0 else -1)
            return sign * exact_cents(amount.text or "", place=place)
    return None


def _signed(node: Element, currency: str, *, place: str) -> int:
    amount = node.find("Amt")
    sign = _SIGNS.get(_text(node, "CdtDbtInd"))
    if amount is None or sign is None:
        raise StatementError(f"{place} : le montant ou son sens manque.")
    if amount.get("Ccy", currency) != currency:
        raise StatementError(f"{place} : le montant est en {amount.get('Ccy')}, le compte en {currency}.")
    return sign * exact_cents(amount.text or "", place=place)


def _label(ntry: Element, detail: Element) -> str:
    said = [node.text or "" for node in detail.findall("RmtInf/Ustrd")]
    for path in ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/AddtlRmtInf", "AddtlTxInf"):
        said += [node.text or "" for node in detail.findall(path)]
    return one_line(*said) or one_line(_text(ntry, "AddtlNtryInf"))


def _counterparty(detail: Element, *, is_credit: bool) -> dict[str, str]:
    sides = ("Dbtr", "UltmtDbtr"), ("Cdtr", "UltmtCdtr")
    named = ""
    for side in sides[0 if is_credit else 1]:
        named = named or _text(detail, f"RltdPties/{side}/Nm") or _text(detail, f"RltdPties/{side}/Pty/Nm")
    account = "DbtrAcct" if is_credit else "CdtrAcct"
    return {
        "counterparty": one_line(named),
        "counterparty_iban": tidy_account(_text(detail, f"RltdPties/{account}/Id/IBAN")),
    }


def _is_reversal(ntry: Element, detail: Element) -> bool:
    codes = {node.text for place in (ntry, detail) for node in place.findall("BkTxCd/Domn/Fmly/SubFmlyCd")}
    return _text(ntry, "RvslInd") == "true" or detail.find("RtrInf") is not None or not codes.isdisjoint(_RETURNS)


def _day(node: Element, path: str) -> dt.date | None:
    found = node.find(path)
    if found is None:
        return None
    text = (found.text or "").strip() or _text(found, "Dt") or _text(found, "DtTm")
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError as error:
        raise StatementError(f"La date « {text[:30]} » n’est pas lisible.") from error


def _text(node: Element, path: str) -> str:
    found = node.find(path)
    return "" if found is None else (found.text or "").strip()


def _word(reference: str) -> str:
    return "" if reference.upper() in _NOTHING else one_line(reference)
