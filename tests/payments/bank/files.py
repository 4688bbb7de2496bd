"""Small bank files, written as banks write them."""

import datetime as dt

IBAN = "FR7630006000011234567890189"


def camt(
    *entries: str, opening: str = "1000.00", closing: str | None = None, day: str = "2026-11-20", iban: str = IBAN
) -> bytes:
    """Write a CAMT.053 of these entries; without a closing balance, none is written."""
    balances = ""
    if closing is not None:
        balances = balance("OPBD", opening, day) + balance("CLBD", closing, day)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>'
        f"<Stmt><Id>1</Id><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}{''.join(entries)}</Stmt>"
        "</BkToCstmrStmt></Document>"
    ).encode()


def balance(code: str, amount: str, day: str) -> str:
    """Write a balance."""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def entry(
    amount: str,
    label: str = "",
    *,
    day: str = "2026-11-20",
    side: str = "CRDT",
    payer: str = "",
    payer_iban: str = "",
    reference: str = "",
    extra: str = "",
) -> str:
    """Write a booked entry; the counterparty is the debtor of a credit, the creditor of a debit."""
    who = "Dbtr" if side == "CRDT" else "Cdtr"
    parties = f"<{who}><Nm>{payer}</Nm></{who}>" if payer else ""
    parties += f"<{who}Acct><Id><IBAN>{payer_iban}</IBAN></Id></{who}Acct>" if payer_iban else ""
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{extra}<Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties>{parties}</RltdPties>"
        f"<RmtInf><Ustrd>{label}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def punched(cents: int) -> str:
    """Write signed cents as CFONB does: the sign over the last digit."""
    marks = "{ABCDEFGHI" if cents >= 0 else "}JKLMNOPQR"
    digits = f"{abs(cents):014d}"
    return digits[:-1] + marks[int(digits[-1])]


def cfonb_line(
    kind: str, day: dt.date, cents: int | None, *, label: str = "", reference: str = "", account: str = "12345678901"
) -> str:
    """Write one line of 120 columns of the account of IBAN."""
    head = f"{kind}30006    00001EUR2 {account}  {day:%d%m%y}"
    body = f"  {day:%d%m%y}{label:<31}  0000000  " if kind == "04" else " " * 50
    amount = punched(cents or 0)
    return f"{head}{body}{amount}{reference:<16}"


def cfonb_detail(day: dt.date, qualifier: str, text: str) -> str:
    """Write a line that completes the movement before it."""
    return f"0530006    00001EUR2 12345678901  {day:%d%m%y}     {qualifier}{text:<70}  "


def cfonb(*lines: str, opening: int = 0, closing: int, day: dt.date = dt.date(2026, 11, 20)) -> bytes:
    """Write a whole statement."""
    first = cfonb_line("01", day, opening)
    last = cfonb_line("07", day, closing)
    return "\r\n".join([first, *lines, last, ""]).encode()


def ofx(
    *movements: tuple[str, str, str, str], header: str = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nCHARSET:1252\n\n"
) -> bytes:
    """Write an OFX 1.02 file, without end tags, in cp1252: (day, amount, id, name) a movement."""
    rows = "".join(
        f"<STMTTRN><TRNTYPE>OTHER<DTPOSTED>{day}<TRNAMT>{amount}<FITID>{fitid}<NAME>{name}</STMTTRN>\n"
        for day, amount, fitid, name in movements
    )
    return (
        f"{header}<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>30006<BRANCHID>00001"
        f"<ACCTID>12345678901<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20261101<DTEND>20261120\n{rows}"
        "</BANKTRANLIST><LEDGERBAL><BALAMT>1.00<DTASOF>20261120</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    ).encode("cp1252")
