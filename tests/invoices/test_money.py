"""Amounts are read without guessing, rounded once and written the French way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.money import (
    MAX_CENTS,
    AmountError,
    CurrencyError,
    from_cents,
    parse_euros,
    round_cents,
    show_amount,
    show_euros,
    to_cents,
)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1 234,56 €", 123456),
        ("1234.56", 123456),
        ("1234,5", 123450),
        ("1234", 123400),
        ("1\u00a0234,56\u00a0€", 123456),
        ("1\u202f234\u202f567,89", 123456789),
        ("1\u2009234,00 EUR", 123400),
        ("  12,00  ", 1200),
        ("12eur", 1200),
        ("12 euros", 1200),
        ("0", 0),
        ("-0,00", 0),
        ("-120,00", -12000),
        ("\u2212120,00 €", -12000),
        ("007,10", 710),
        ("9999999999,99", MAX_CENTS),
    ],
)
def test_reads_an_amount_the_way_french_people_write_it(text: str, cents: int) -> None:
    assert to_cents(parse_euros(text)) == cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "12,345",
        "12.345",
        "1.234,56",
        "1,234.56",
        "1e3",
        "1E3",
        "NaN",
        "Infinity",
        "inf",
        "12,3,4",
        "12.3.4",
        "0,001",
        "1 23,00",
        "12 34",
        "1  234,00",
        ",50",
        "12,",
        "--12",
        "+12",
        "12-",
        "(12,00)",
        "1'234,00",
        "1_000",
        "١٢٣",
        "=12",
        "12 %",
        "€",
        "12 € €",
        "99999999999,99",
        "abc",
    ],
)
def test_refuses_an_amount_it_would_have_to_guess(text: str) -> None:
    with pytest.raises(AmountError) as refusal:
        parse_euros(text)

    assert not isinstance(refusal.value, CurrencyError)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("text", ["120 $", "$120", "120 USD", "120.00CHF", "£ 12", "XPF 1200"])
def test_refuses_another_currency_by_its_name(text: str) -> None:
    with pytest.raises(CurrencyError, match="n’est pas en euros"):
        parse_euros(text)


def test_says_why_an_amount_is_ambiguous() -> None:
    with pytest.raises(AmountError) as decimals:
        parse_euros("12,345")
    with pytest.raises(AmountError) as mixed:
        parse_euros("1.234,56")

    assert str(decimals.value) == (
        "Le montant «\u00a012,345\u00a0» est ambigu\u00a0: écrivez deux décimales au plus, comme 1234,56."
    )
    assert str(mixed.value) == (
        "Le montant «\u00a01.234,56\u00a0» mélange point et virgule\u00a0: écrivez-le sous la forme 1234,56."
    )


def test_never_repeats_a_whole_page_in_its_refusal() -> None:
    with pytest.raises(AmountError) as refusal:
        parse_euros("x" * 5000)

    assert len(str(refusal.value)) < 150


def test_a_run_of_spaces_is_read_once() -> None:
    # Each space of the run was a place to look from: minutes for one cell.
    with pytest.raises(AmountError, match="n’est pas lisible"):
        parse_euros("1" + " " * 300_000 + "x")


@pytest.mark.parametrize("euros", ["0.001", "12.345", "NaN", "Infinity", "-Infinity"])
def test_a_fraction_of_a_cent_is_not_an_amount(euros: str) -> None:
    with pytest.raises(AmountError):
        to_cents(Decimal(euros))


@pytest.mark.parametrize(
    ("euros", "cents"),
    [("0.005", 1), ("0.00499", 0), ("1.005", 101), ("12.965", 1297), ("-0.005", -1), ("12", 1200)],
)
def test_half_a_cent_goes_up(euros: str, cents: int) -> None:
    assert round_cents(Decimal(euros)) == cents


@pytest.mark.parametrize(
    ("cents", "shown"),
    [
        (0, "0,00"),
        (5, "0,05"),
        (144000, "1\u00a0440,00"),
        (123456789, "1\u00a0234\u00a0567,89"),
        (-120005, "\u22121\u00a0200,05"),
        (-5, "\u22120,05"),
    ],
)
def test_writes_an_amount_with_no_break_spaces(cents: int, shown: str) -> None:
    assert show_amount(cents) == shown
    assert show_euros(cents) == shown + "\u00a0€"


@given(st.integers(-MAX_CENTS, MAX_CENTS))
def test_what_is_shown_is_read_back_unchanged(cents: int) -> None:
    assert to_cents(parse_euros(show_euros(cents))) == cents
    assert to_cents(from_cents(cents)) == cents
    assert round_cents(from_cents(cents)) == cents


@given(st.text(max_size=12))
def test_any_text_is_an_exact_amount_or_a_refusal(text: str) -> None:
    try:
        amount = parse_euros(text)
    except AmountError:
        return

    assert amount == amount.quantize(Decimal("0.01"))
