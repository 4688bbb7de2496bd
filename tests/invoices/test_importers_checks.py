"""One line at a time: what is understood, what is assumed and said, what is refused and why."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinets.enums import Civility, ClientKind
from cabinets.territories import Territory
from invoices.importers.cells import (
    CellError,
    cell_text,
    normalise_number,
    read_cents,
    read_date,
    read_email,
    read_phone,
)
from invoices.importers.checks import check_rows, identity_key, parse_row
from invoices.importers.rows import Cell, Field, Paper, Problem, RawRow, Row, UnreadCell
from invoices.money import AmountError

TODAY = dt.date(2026, 11, 24)
HEADER = tuple(field.label for field in Field)
MAPPING = {field: place for place, field in enumerate(Field)}
GOOD: dict[str, Cell] = {
    "number": "F1",
    "issued_on": "01/10/2026",
    "due_on": "31/10/2026",
    "total": "1200,00",
    "client": "Élodie Lefèvre",
    "kind": "Particulier",
}


def raw(line: int, changes: Mapping[str, Cell]) -> RawRow:
    values = {**GOOD, **changes}
    return RawRow(line, tuple(values.get(field.value, "") for field in Field))


def row(**changes: Cell) -> Row:
    answer = parse_row(raw(2, changes), MAPPING, header=HEADER, today=TODAY)
    assert isinstance(answer, Row), [str(problem) for problem in answer]
    return answer


def problems(**changes: Cell) -> list[Problem]:
    answer = parse_row(raw(2, changes), MAPPING, header=HEADER, today=TODAY)
    assert not isinstance(answer, Row)
    return answer


def sentence(**changes: Cell) -> str:
    found = problems(**changes)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0].sentence.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("31/12/2025", dt.date(2025, 12, 31)),
        ("1/2/2026", dt.date(2026, 2, 1)),
        ("31.12.2025", dt.date(2025, 12, 31)),
        ("31-12-2025", dt.date(2025, 12, 31)),
        ("2025-12-31", dt.date(2025, 12, 31)),
        ("2025-12-31 00:00:00", dt.date(2025, 12, 31)),
        ("2025-12-31T10:00:00Z", dt.date(2025, 12, 31)),
        ("29/02/2024", dt.date(2024, 2, 29)),
        (dt.date(2025, 12, 31), dt.date(2025, 12, 31)),
        (Decimal(46022), dt.date(2025, 12, 31)),
        (" ", None),
    ],
)
def test_reads_a_date_the_ways_people_write_it(cell: Cell, day: dt.date | None) -> None:
    assert read_date(cell) == day


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("31/02/2026", "n’existe pas"),
        ("29/02/2025", "n’existe pas"),
        ("12/31/2025", "n’existe pas"),
        ("00/01/2025", "n’existe pas"),
        ("31/12/25", "deux chiffres"),
        ("1.2.26", "deux chiffres"),
        ("46022", "n’est pas lisible"),
        (Decimal("12"), "n’est pas lisible"),
        (Decimal("46022.5"), "n’est pas lisible"),
        ("31 décembre 2025", "n’est pas lisible"),
        ("hier", "n’est pas lisible"),
        ("31/12/0025", "hors de portée"),
        ("31/12/2925", "hors de portée"),
        (dt.date(1900, 1, 1), "hors de portée"),
    ],
)
def test_refuses_a_date_it_would_have_to_guess(cell: Cell, why: str) -> None:
    with pytest.raises(CellError, match=why):
        read_date(cell)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2100, 12, 31)))
def test_every_way_to_write_a_day_gives_that_day(day: dt.date) -> None:
    serial = Decimal((day - dt.date(1899, 12, 30)).days)

    assert {
        read_date(f"{day:%d/%m/%Y}"),
        read_date(f"{day:%d.%m.%Y}"),
        read_date(day.isoformat()),
        read_date(serial),
    } == {day}


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("1 234,56 €", 123456),
        (Decimal("1234.56"), 123456),
        (Decimal("1440.0000000000002"), 144000),
        (Decimal("1439.9999999999998"), 144000),
        (Decimal(1200), 120000),
        (Decimal("1E+3"), 100000),
        (Decimal("-120.5"), -12050),
        ("", None),
    ],
)
def test_reads_an_amount_typed_or_computed(cell: Cell, cents: int | None) -> None:
    assert read_cents(cell) == cents


@pytest.mark.parametrize("cell", ["12,345", "1.234,56", Decimal("12.345"), Decimal("1E+300"), "1e3", "gratuit"])
def test_refuses_an_amount_it_would_have_to_guess(cell: Cell) -> None:
    with pytest.raises(AmountError):
        read_cents(cell)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("", ""),
        (" Claire.Durand@Exemple.FR ", "Claire.Durand@exemple.fr"),
        ("claire+factures@cabinet.exemple.fr", "claire+factures@cabinet.exemple.fr"),
        ("o'brien@exemple.fr", "o'brien@exemple.fr"),
        ("claire@société.example", "claire@société.example"),
    ],
)
def test_reads_an_email_address(text: str, email: str) -> None:
    assert read_email(text) == email


@pytest.mark.parametrize(
    "text",
    [
        "claire",
        "claire@exemple",
        "claire@@exemple.fr",
        "claire@exemple..fr",
        ".claire@exemple.fr",
        "claire durand@exemple.fr",
        "Claire <claire@exemple.fr>",
        "a@exemple.fr; b@exemple.fr",
        "claire@exemple.fr\u0000x",
        "claire@-exemple.fr",
        "claire@exemple.fr\nBcc: b@exemple.fr",
    ],
)
def test_refuses_what_is_no_single_address(text: str) -> None:
    with pytest.raises(CellError):
        read_email(text)


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "FR", "+33612345678"),
        ("0033612345678", "FR", "+33612345678"),
        ("0696 12 34 56", "MQ", "+596696123456"),
        ("0696 12 34 56", "FR", "+596696123456"),
        ("06 12 34 56 78", "MQ", "+33612345678"),
        ("+32 470 12 34 56", "FR", "+32470123456"),
        ("01 02 03", "FR", ""),
        ("standard", "FR", ""),
    ],
)
def test_writes_a_telephone_number_the_international_way(text: str, region: str, number: str) -> None:
    assert read_phone(text, region) == number


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("  Élodie \t Lefèvre\u00a0 ", "Élodie Lefèvre"),
        ("a\x00b\u200bc", "a b c"),
        (Decimal("2025001.0"), "2025001"),
        (Decimal("1E+3"), "1000"),
        (dt.date(2026, 2, 1), "01/02/2026"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("+33", "+33"),
        ("@SUM", "@SUM"),
        ("-", "-"),
    ],
)
def test_a_cell_is_text_and_nothing_in_it_is_run(cell: Cell, text: str) -> None:
    assert cell_text(cell) == text


def test_two_spellings_of_a_number_are_one_number() -> None:
    assert normalise_number(" f2026 -\u00a00001 ") == normalise_number("F2026-0001") == "F2026-0001"


def test_a_professional_without_due_date_has_thirty_days_and_it_is_said() -> None:
    assumed = row(kind="Professionnel", due_on="", issued_on="10/01/2026")

    assert (assumed.due_on, assumed.is_due_date_assumed) == (dt.date(2026, 2, 9), True)
    assert "trente jours" in assumed.notices[0]


@pytest.mark.parametrize("kind", ["Particulier", "Association", "", "mystère"])
def test_nobody_else_is_given_a_due_date(kind: str) -> None:
    assert sentence(kind=kind, due_on="") == (
        "L’échéance manque : indiquez-la, elle ne se déduit de la loi que pour un client professionnel."
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Particulier", ClientKind.CONSUMER),
        ("CONSOMMATEUR", ClientKind.CONSUMER),
        ("Pro", ClientKind.PROFESSIONAL),
        ("société", ClientKind.PROFESSIONAL),
        ("Association", ClientKind.NON_PRO_LEGAL),
        ("Syndic", ClientKind.NON_PRO_LEGAL),
        ("Mairie", ClientKind.PUBLIC),
        ("public", ClientKind.PUBLIC),
        ("", ClientKind.UNKNOWN),
    ],
)
def test_reads_what_the_client_is(text: str, kind: ClientKind) -> None:
    assert (row(kind=text).kind, row(kind=text).notices) == (kind, ())


def test_a_kind_nobody_knows_is_said_and_treated_as_a_consumer() -> None:
    unknown = row(kind="VIP")

    assert unknown.kind is ClientKind.UNKNOWN
    assert "«\u00a0VIP\u00a0» n’est pas connue" in unknown.notices[0]


@pytest.mark.parametrize(
    ("changes", "field", "start"),
    [
        ({"number": ""}, Field.NUMBER, "Le numéro de facture manque"),
        ({"number": "F" * 41}, Field.NUMBER, "Ce texte dépasse 40 caractères"),
        ({"client": ""}, Field.CLIENT, "Le client manque"),
        ({"client": "x" * 201}, Field.CLIENT, "Ce texte dépasse 200 caractères"),
        ({"total": ""}, Field.TOTAL, "Le montant manque"),
        ({"total": "0,00"}, Field.TOTAL, "Le montant est nul"),
        ({"total": "-12,00", "document": "Facture"}, Field.TOTAL, "Le montant est négatif"),
        ({"total": "120 $"}, Field.TOTAL, "Le montant « 120 $ » n’est pas en euros"),
        ({"total": UnreadCell("=A1")}, Field.TOTAL, "Le calcul de cette cellule n’a pas de résultat"),
        ({"due_on": UnreadCell("=A1")}, Field.DUE_ON, "Le calcul de cette cellule n’a pas de résultat"),
        ({"number": UnreadCell("#REF!")}, Field.NUMBER, "Le calcul de cette cellule n’a pas de résultat"),
        ({"client": UnreadCell("#REF!")}, Field.CLIENT, "Le calcul de cette cellule n’a pas de résultat"),
        ({"issued_on": ""}, Field.ISSUED_ON, "La date de facture manque"),
        ({"issued_on": "31/02/2026"}, Field.ISSUED_ON, "La date « 31/02/2026 » n’existe pas"),
        (
            {"due_on": "30/09/2026"},
            Field.DUE_ON,
            "L’échéance 30/09/2026 précède la date de facture 01/10/2026",
        ),
        ({"due_on": "31/10/26"}, Field.DUE_ON, "La date « 31/10/26 » n’a que deux chiffres"),
        ({"settled": "1200,01"}, Field.SETTLED, "Le montant réglé dépasse"),
        ({"settled": "-1"}, Field.SETTLED, "Le montant réglé est négatif"),
        ({"outstanding": "1300"}, Field.OUTSTANDING, "Le reste dû dépasse"),
        ({"settled": "200", "outstanding": "900"}, Field.OUTSTANDING, "Le reste dû ne correspond pas"),
        ({"currency": "USD"}, Field.CURRENCY, "La devise « USD » n’est pas l’euro"),
        ({"document": "devis"}, Field.DOCUMENT, "La nature « devis » n’est pas connue"),
        ({"email": "claire@exemple"}, Field.EMAIL, "L’adresse e-mail « claire@exemple » n’est pas valable"),
        ({"lawyer_email": "martin"}, Field.LAWYER_EMAIL, "L’adresse e-mail « martin » n’est pas valable"),
        ({"country": "Ruritanie"}, Field.COUNTRY, "Le pays « Ruritanie » n’est pas connu"),
        ({"dossier": "D" * 31}, Field.DOSSIER, "Ce texte dépasse 30 caractères"),
    ],
)
def test_a_bad_line_says_where_what_and_what_to_do(changes: dict[str, Cell], field: Field, start: str) -> None:
    text = sentence(**changes)
    problem = problems(**changes)[0]

    assert text.startswith(start)
    assert text.endswith(".")
    assert (problem.line, problem.column, problem.field) == (2, field.label, field)
    assert str(problem).startswith(f"Ligne 2, colonne «\u00a0{field.label}\u00a0» – {problem.sentence[0].lower()}")


def test_everything_wrong_with_a_line_is_said_at_once() -> None:
    found = problems(number="", total="12,345", issued_on="hier", email="x")

    assert [problem.field for problem in found] == [Field.NUMBER, Field.TOTAL, Field.ISSUED_ON, Field.EMAIL]


def test_a_line_cut_by_its_own_separator_is_not_shifted_into_place() -> None:
    answer = parse_row(
        RawRow(7, ("F1", "01/10/2026", "1234", "56", "Roy")),
        {Field.NUMBER: 0, Field.ISSUED_ON: 1, Field.TOTAL: 2, Field.CLIENT: 3},
        header=("N°", "Date", "Montant", "Client"),
        today=TODAY,
    )

    assert isinstance(answer, list)
    assert "5 cellules pour 4 colonnes" in answer[0].sentence


def test_a_short_line_is_a_line_with_empty_cells() -> None:
    answer = parse_row(
        RawRow(7, ("F1", "01/10/2026")),
        {Field.NUMBER: 0, Field.ISSUED_ON: 1, Field.TOTAL: 2, Field.CLIENT: 3},
        header=("N°", "Date", "Montant", "Client"),
        today=TODAY,
    )

    assert isinstance(answer, list)
    assert [problem.column for problem in answer] == ["Client", "Montant", "Échéance"]


def test_a_date_in_the_future_is_said_and_kept() -> None:
    future = row(issued_on="25/11/2026", due_on="25/12/2026")

    assert future.notices == ("La date de facture, 25/11/2026, est dans l’avenir\u00a0: vérifiez-la.",)
    assert row(issued_on="24/11/2026", due_on="25/12/2026").notices == ()


def test_what_is_left_to_pay_says_what_was_paid() -> None:
    assert row(outstanding="200,00").settled_cents == 100000
    assert row(outstanding="0").settled_cents == 120000
    assert row(settled="200", outstanding="1000").settled_cents == 20000
    assert row().settled_cents == 0


def test_a_negative_amount_is_a_credit_note_and_it_is_said() -> None:
    credit = row(total="-120,00", due_on="", kind="Particulier")

    assert (credit.paper, credit.total_cents, credit.due_on) == (
        Paper.CREDIT_NOTE,
        12000,
        dt.date(2026, 10, 1),
    )
    assert credit.notices == ("Le montant est négatif\u00a0: la ligne est lue comme un avoir de 120,00\u00a0€.",)
    assert row(total="-120,00", document="Avoir").notices == ()
    assert row(total="120,00", document="avoir").total_cents == 12000
    assert row(document="Provision").paper is Paper.PROVISION


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"client": "Mme Claire Durand"}, (Civility.MADAME, "", "Claire Durand", "")),
        ({"client": "M. Roy"}, (Civility.MONSIEUR, "", "Roy", "")),
        ({"client": "Roy"}, (Civility.NONE, "", "Roy", "")),
        ({"client": "SARL Hœrdt"}, (Civility.NONE, "", "", "SARL Hœrdt")),
        ({"client": "", "last_name": "Boulangerie Roy SAS"}, (Civility.NONE, "", "", "Boulangerie Roy SAS")),
        (
            {"client": "", "civility": "Madame", "first_name": "Claire", "last_name": "Durand"},
            (Civility.MADAME, "Claire", "Durand", ""),
        ),
        (
            {"client": "", "company": "Roy SAS", "civility": "M.", "last_name": "Roy"},
            (Civility.MONSIEUR, "", "Roy", "Roy SAS"),
        ),
        ({"client": "Maître Martin"}, (Civility.MAITRE, "", "Martin", "")),
    ],
)
def test_says_who_the_client_is(changes: dict[str, Cell], who: tuple[Civility, str, str, str]) -> None:
    known = row(**changes)

    assert (known.civility, known.first_name, known.last_name, known.company) == who


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"postcode": "67000"}, ("67000", "FR", Territory.ALSACE_MOSELLE)),
        ({"postcode": Decimal(1000)}, ("01000", "FR", Territory.METROPOLE)),
        ({"postcode": "1000"}, ("1000", "FR", None)),
        ({"postcode": "1000", "country": "Belgique"}, ("1000", "BE", None)),
        ({"postcode": "97200", "country": "Martinique"}, ("97200", "MQ", Territory.MARTINIQUE)),
        ({"postcode": "98800"}, ("98800", "FR", None)),
        ({}, ("", "FR", None)),
    ],
)
def test_says_where_the_client_lives(changes: dict[str, Cell], place: tuple[str, str, Territory | None]) -> None:
    known = row(**changes)

    assert (known.postcode, known.country, known.territory) == place


def test_a_spreadsheet_that_lost_the_first_zero_of_a_number_is_forgiven() -> None:
    assert row(phone=Decimal(612345678)).phone == "+33612345678"


def test_a_bad_telephone_does_not_stop_a_line_but_is_said() -> None:
    known = row(phone="12")

    assert known.phone == ""
    assert known.notices == ("Le téléphone «\u00a012\u00a0» n’est pas valable\u00a0: il est laissé de côté.",)


def test_a_number_met_twice_is_a_duplicate_unless_the_first_line_was_refused() -> None:
    rows = [
        raw(line, changes)
        for line, changes in enumerate(
            [{"total": "x"}, {}, {"number": " f1"}, {"number": "F2"}, {"document": "avoir"}], start=2
        )
    ]

    answers = list(check_rows(rows, MAPPING, header=HEADER, today=TODAY, known={"F2"}))

    assert [isinstance(answer, Row) for answer in answers] == [False, True, False, False, True]
    duplicates = [answer[0] for answer in answers[2:4] if not isinstance(answer, Row)]
    assert [duplicate.is_duplicate for duplicate in duplicates] == [True, True]
    assert "à la ligne 3 du fichier" in duplicates[0].sentence
    assert "au cabinet" in duplicates[1].sentence
    assert isinstance(answers[4], Row)
    assert identity_key(answers[4]) == "credit_note F1"


def test_a_known_invoice_does_not_hide_the_credit_note_of_the_same_number() -> None:
    rows = [raw(2, {"document": "avoir"}), raw(3, {"document": "avoir", "number": "A2"})]

    answers = list(check_rows(rows, MAPPING, header=HEADER, today=TODAY, known={"F1", "credit_note A2"}))

    assert [isinstance(answer, Row) for answer in answers] == [True, False]


def test_lines_are_checked_one_at_a_time() -> None:
    def endless() -> Iterator[RawRow]:
        line = 1
        while True:
            line += 1
            yield raw(line, {"number": f"F{line}"})

    answers = check_rows(endless(), MAPPING, header=HEADER, today=TODAY)

    assert isinstance(next(answers), Row)


@given(st.lists(st.text(max_size=30), min_size=len(HEADER), max_size=len(HEADER)))
def test_any_line_is_understood_or_explained(texts: list[str]) -> None:
    answer = parse_row(RawRow(2, tuple(texts)), MAPPING, header=HEADER, today=TODAY)

    assert isinstance(answer, Row) or answer
