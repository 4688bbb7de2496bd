"""Every format read to the cent, and every broken file refused with a sentence that says where."""

import datetime as dt

import pytest

from payments.bank.accounts import french_iban, iban_in
from payments.bank.days import fresh_until, is_bank_day
from payments.bank.reading import MAX_BYTES, read_file
from payments.bank.statement import Entry, Statement, StatementError
from payments.enums import BankFormat
from tests.payments.bank.files import (
    IBAN,
    camt,
    cfonb,
    cfonb_detail,
    cfonb_line,
    entry,
    ofx,
    punched,
)

DAY = dt.date(2026, 11, 20)


def one(data: bytes) -> Statement:
    [statement] = read_file(data).statements
    return statement


def test_reads_a_camt_entry_whole() -> None:
    data = camt(
        entry(
            "1440.00", "Facture F-2026-0412", payer="LECLERC SARL", payer_iban="DE89370400440532013000", reference="R1"
        ),
        entry("12.50", "FRAIS", side="DBIT", payer="BANQUE"),
        opening="100.00",
        closing="1527.50",
    )

    statement = one(data)

    assert (statement.account, statement.currency) == (IBAN, "EUR")
    assert (statement.opening_cents, statement.total_cents, statement.closing_cents) == (10_000, 142_750, 152_750)
    assert statement.entries[0] == Entry(
        place="Opération n° 1 du 20/11/2026",
        booked_on=DAY,
        value_on=DAY,
        cents=144_000,
        label="Facture F-2026-0412",
        bank_reference="R1",
        counterparty="LECLERC SARL",
        counterparty_iban="DE89370400440532013000",
    )
    assert (statement.entries[1].cents, statement.entries[1].counterparty) == (-1_250, "BANQUE")


def test_splits_a_camt_batch_whose_parts_add_up() -> None:
    def part(amount: str, name: str) -> str:
        return (
            f"<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy='EUR'>{amount}</Amt></TxAmt>"
            f"</AmtDtls><RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties></TxDtls>"
        )

    def batch(*parts: str) -> bytes:
        return camt(
            "<Ntry><Amt Ccy='EUR'>300.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
            "<BookgDt><DtTm>2026-11-20T08:00:00+01:00</DtTm></BookgDt><AcctSvcrRef>LOT</AcctSvcrRef>"
            f"<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>{''.join(parts)}</NtryDtls></Ntry>"
        )

    whole, short = one(batch(part("100.00", "A"), part("200.00", "B"))), one(batch(part("100.00", "A"), part("1", "B")))

    assert [(one.cents, one.counterparty, one.end_to_end, one.bank_reference) for one in whole.entries] == [
        (10_000, "A", "A", "LOT/1"),
        (20_000, "B", "B", "LOT/2"),
    ]
    assert [one.cents for one in short.entries] == [30_000]


def test_leaves_out_of_camt_what_is_not_booked_yet() -> None:
    pending = entry("5.00", "EN ATTENTE").replace("BOOK", "PDNG")

    assert one(camt(pending, entry("7.00", "OK"))).total_cents == 700


def test_sees_what_comes_back_in_camt() -> None:
    returned = entry("80.00", "REJET", side="DBIT", extra="<RvslInd>true</RvslInd>")

    assert [line.is_reversal for line in one(camt(returned)).entries] == [True]


def test_knows_that_a_notice_is_not_a_whole_day() -> None:
    data = camt(entry("7.00", "OK")).replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn").replace(b"Stmt>", b"Ntfctn>")

    reading = read_file(data)

    assert (reading.format, reading.statements[0].is_complete) == (BankFormat.CAMT054, False)


def test_reads_cfonb_with_its_punched_signs_and_its_details() -> None:
    data = cfonb(
        cfonb_line("04", DAY, 144_000, label="VIR SEPA LECLERC", reference="REF1"),
        cfonb_detail(DAY, "NPY", "LECLERC SARL"),
        cfonb_detail(DAY, "LCC", "FACTURE F-2026-0412"),
        cfonb_detail(DAY, "RCN", f"{'E2E-1':<35}HONORAIRES"),
        cfonb_line("04", DAY, -1_250, label="FRAIS"),
        opening=-5,
        closing=142_745,
    )

    statement = one(data)
    first = statement.entries[0]

    assert (statement.account, statement.opening_cents, statement.closing_cents) == (
        french_iban("30006", "00001", "12345678901"), -5, 142_745,
    )  # fmt: skip
    assert [line.cents for line in statement.entries] == [144_000, -1_250]
    assert (first.label, first.counterparty, first.end_to_end, first.bank_reference) == (
        "VIR SEPA LECLERC FACTURE F-2026-0412 HONORAIRES", "LECLERC SARL", "E2E-1", "REF1",
    )  # fmt: skip


@pytest.mark.parametrize("cents", [0, 1, 9, 10, 19, 20, 123_456, -1, -10, -19, -123_450])
def test_reads_every_punched_digit(cents: int) -> None:
    data = cfonb(cfonb_line("04", DAY, cents), closing=cents)

    assert one(data).total_cents == cents
    assert len(punched(cents)) == 14


def test_reads_cfonb_without_line_breaks() -> None:
    lines = cfonb(cfonb_line("04", DAY, 500), closing=500).replace(b"\r\n", b"")

    assert one(lines).total_cents == 500


def test_reads_ofx_without_end_tags_in_cp1252() -> None:
    data = ofx(
        ("20261120", "1440.00", "A1", "Caf&eacute; Ménard &amp; fils"), ("20261119120000[+1:CET]", "-12,5", "A2", "X")
    )

    statement = one(data)

    assert (statement.starts_on, statement.ends_on) == (dt.date(2026, 11, 1), DAY)
    assert [(line.cents, line.label, line.bank_reference) for line in statement.entries] == [
        (144_000, "Café Ménard & fils", "A1"),
        (-1_250, "X", "A2"),
    ]


CSVS = [
    pytest.param("Date;Libellé;Montant\n20/11/2026;A;1 440,00\n", [144_000], id="spaces and comma"),
    pytest.param("Date,Description,Amount\n2026-11-20,A,-1440.00\n", [-144_000], id="dots and commas between"),
    pytest.param("Date;Libellé;Montant\n20/11/26;A;-1.440,00 €\n", [-144_000], id="thousands with dots, short year"),
    pytest.param('Date;Libellé;Montant\n20/11/2026;"A;B";+12\n', [1_200], id="a separator inside quotes"),
    pytest.param(
        "Date;Libellé;Débit;Crédit\n20/11/2026;A;-12,00;\n20/11/2026;B;;8,5\n", [-1_200, 850], id="two columns"
    ),
    pytest.param("Date;Libellé;Débit;Crédit\n20/11/2026;A;0,00;8,50\n", [850], id="a zero beside"),
    pytest.param(
        "Titre\n\nDate\tLibellé\tMontant\n20/11/2026\tA\t8,50\n\nFin du relevé\t\t\n", [850], id="words around"
    ),
]


@pytest.mark.parametrize(("text", "cents"), CSVS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_reads_csv_as_each_bank_writes_it(text: str, cents: list[int], encoding: str) -> None:
    statement = one(text.encode(encoding))

    assert [line.cents for line in statement.entries] == cents
    assert {line.booked_on for line in statement.entries} == {DAY}


def test_finds_the_account_of_a_csv_above_or_inside_it() -> None:
    above = f"Compte;{IBAN}\nDate;Libellé;Montant\n20/11/2026;A;1,00\n"
    inside = f"Date;Libellé;Montant;IBAN\n20/11/2026;A;1,00;{IBAN}\n"
    nowhere = "Date;Libellé;Montant\n20/11/2026;A;1,00\n"

    assert [one(text.encode()).account for text in (above, inside, nowhere)] == [IBAN, IBAN, ""]


BROKEN = [
    pytest.param(b"", "Le fichier est vide", id="empty"),
    pytest.param(b"x" * (MAX_BYTES + 1), "Le fichier dépasse 10 Mo", id="too big"),
    pytest.param(b"%PDF-1.7", "Un PDF ou un classeur n’est pas un relevé", id="pdf"),
    pytest.param(b":20:STARTUMS\n:25:1234\n", "Le format MT940 n’est pas lu", id="mt940"),
    pytest.param(b"<a><b></a>", "Le fichier XML est coupé ou abîmé", id="bad xml"),
    pytest.param(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "contient des définitions interdites", id="entities"),
    pytest.param(b"<Document><Rien/></Document>", "n’est ni un relevé CAMT.053", id="other xml"),
    pytest.param(camt(entry("1.00")).replace(b"</Stmt>", b""), "coupé ou abîmé", id="cut camt"),
    pytest.param(camt(entry("1..0")), "Opération n° 1 du 20/11/2026\u00a0: le montant", id="garbled amount"),
    pytest.param(camt(entry("1.005")), "n’est pas lisible", id="less than a cent"),
    pytest.param(camt(entry("1.00"), opening="0", closing="2"), "ne tombe pas juste", id="camt does not add up"),
    pytest.param(
        camt(entry("1.00").replace("Ccy='EUR'", "Ccy='USD'")), "le montant est en USD, le compte en EUR", id="dollars"
    ),
    pytest.param(camt(), "ni opération ni date", id="nothing inside"),
    pytest.param(
        camt(entry("1.00")).replace(b"<Stmt>", b"<MsgPgntn><LastPgInd>false</LastPgInd></MsgPgntn><Stmt>"),
        "n’est pas entier", id="a page is missing",
    ),
    pytest.param(cfonb(cfonb_line("04", DAY, 1), closing=2), "ne tombe pas juste", id="cfonb does not add up"),
    pytest.param(cfonb(closing=0)[:121], "n’est pas terminé", id="cfonb without its end"),
    pytest.param(cfonb_line("04", DAY, 1).encode(), "n’est dans aucun relevé", id="cfonb without its start"),
    pytest.param(
        cfonb(cfonb_line("04", DAY, 1, account="99999999999"), closing=1), "Ligne 2\u00a0: cette ligne est d’un autre",
        id="two accounts mixed",
    ),
    pytest.param(cfonb(cfonb_line("04", DAY, 1).replace("201126", "201326"), closing=1), "la date", id="no such day"),
    pytest.param(cfonb("autre chose", closing=0), "Ligne 2\u00a0: ce n’est pas une ligne", id="stray line"),
    pytest.param(ofx(("20261120", "1", "A", "B"))[:-6], "Le fichier OFX est coupé", id="cut ofx"),
    pytest.param(ofx(("20261120", "", "A", "B")), "la date ou le montant manque", id="ofx without amount"),
    pytest.param(ofx(("2026-11-20", "1", "A", "B")), "n’est pas lisible", id="ofx bad day"),
    pytest.param(ofx(("20261120", "1", "A", "B")).replace(b"<ACCTID>12345678901", b""), "de quel compte", id="whose"),
    pytest.param(b"a;b\n1;2\n", "n’est pas reconnu comme un relevé", id="csv of something else"),
    pytest.param(b"Date;Montant\n20/11/2026;1,2,3\n", "Ligne 2\u00a0: le montant", id="csv garbled amount"),
    pytest.param(b"Date;Montant\n20/11/2026;1,20\n20/11/2026;1.30\n", "tantôt", id="two decimal marks"),
    pytest.param(b"Date;Montant\n;1,20\n", "Ligne 2\u00a0: la date manque", id="csv without a day"),
    pytest.param(b"Date;Montant\n32/11/2026;1,20\n", "Ligne 2\u00a0: la date", id="csv no such day"),
    pytest.param(b"Date;Montant;Devise\n20/11/2026;1;EUR\n20/11/2026;1;USD\n", "plusieurs monnaies", id="mixed"),
    pytest.param(b"Date;Montant;IBAN\n20/11/2026;1;A1\n20/11/2026;1;A2\n", "plusieurs comptes", id="accounts"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "sentence"), BROKEN)
def test_refuses_a_broken_file_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(StatementError) as refusal:
        read_file(data)

    assert sentence in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_names_a_french_account_by_its_iban() -> None:
    assert french_iban("30006", "00001", "12345678901") == "FR7630006000011234567890189"
    assert french_iban("20041", "01005", "0500013M026") == "FR1420041010050500013M02606"
    assert iban_in("Compte courant FR14 2004 1010 0505 0001 3M02 606 du cabinet") == "FR1420041010050500013M02606"
    assert iban_in("Compte FR15 2004 1010 0505 0001 3M02 606") == ""


def test_counts_the_days_banks_settle() -> None:
    closed = [
        dt.date(2027, 1, 1),
        dt.date(2027, 3, 26),
        dt.date(2027, 3, 29),
        dt.date(2026, 12, 25),
        dt.date(2026, 11, 21),
    ]

    assert [is_bank_day(day) for day in closed] == [False] * 5
    # A Friday's statement answers for Monday, whose own comes on Tuesday, and for Tuesday's night.
    assert fresh_until(dt.date(2026, 11, 20)) == dt.date(2026, 11, 24)
    assert fresh_until(dt.date(2026, 12, 24)) == dt.date(2026, 12, 29)


@pytest.mark.parametrize("unit", ["<!--", "<?", "<" + "a" * 5000])
def test_an_ofx_file_of_what_is_never_closed_is_refused_at_once(unit: str) -> None:
    # The patterns read to the end from each opening: hours for one file.
    data = b"OFXHEADER:100\n<OFX>" + unit.encode() * (2_000_000 // len(unit))

    with pytest.raises(StatementError, match="Le fichier OFX est coupé"):
        read_file(data)


def test_an_ofx_tag_keeps_its_whole_name_and_a_comment_hides_its_own_words_only() -> None:
    data = ofx(("20261120", "12.50", "A", "B")).replace(b"<TRNAMT>", b'<!-- <TRNAMT>99 --><?x?><TRNAMT id="1">')

    assert [entry.cents for entry in one(data).entries] == [1250]


def test_a_title_in_brackets_never_closed_is_read_at_once() -> None:
    data = f"Date;Montant (EUR;{'(' * 100_000}\n20/11/2026;12,50;x\n".encode()

    assert [entry.cents for entry in one(data).entries] == [1250]
