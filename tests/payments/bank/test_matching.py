"""Whose money a line is: certain in two cases only, suggested with reasons in all the others, never wrong alone."""

import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.bank.facts import Book, Guess, Known, Line, Outcome, Owed
from payments.bank.matching import bare_name, guesses, remarks
from payments.bank.references import NumberIndex

LECLERC, ROUX, OTHER = (uuid.UUID(int=n) for n in (1, 2, 3))
KEY, SHARED = b"leclerc", b"shared"


def invoice(number: int, client: uuid.UUID, cents: int, name: str = "") -> Owed:
    return Owed(uuid.UUID(int=1000 + number), client, name or f"F-2026-{number:04}", cents)


A, B, C = invoice(412, LECLERC, 144_000), invoice(413, LECLERC, 50_000), invoice(414, ROUX, 144_000)
D, E = invoice(415, LECLERC, 94_000), invoice(416, ROUX, 77_700)
CLOSED = uuid.UUID(int=2000)


def book(*owed: Owed, payers: dict[bytes, frozenset[uuid.UUID]] | None = None) -> Book:
    numbers = {one.invoice_id: (one.number, one.client_id) for one in owed}
    numbers[CLOSED] = ("F-2025-0900", LECLERC)
    return Book(
        owed={one.invoice_id: one for one in owed},
        index=NumberIndex.of({pk: number for pk, (number, _) in numbers.items()}),
        numbers=numbers,
        names={LECLERC: (bare_name("SARL Menuiserie Leclerc"),), ROUX: (bare_name("Boulangerie Roux"),)},
        payers={KEY: frozenset({LECLERC}), SHARED: frozenset({LECLERC, ROUX})} if payers is None else payers,
    )


ALL = book(A, B, C, D, E)


def best(line: Line, known: Sequence[Known] = (), *, of: Book = ALL) -> Guess | None:
    return next(iter(guesses(line, of, known)), None)


def ids(guess: Guess | None) -> set[uuid.UUID]:
    return {pk for share in guess.shares for pk in share.invoice_ids} if guess else set()


CERTAIN = [
    pytest.param(Line(144_000, ("VIR F-2026-0412",)), {A}, id="our number, its amount"),
    pytest.param(Line(144_000, ("facture n°F 2026 0412.",)), {A}, id="spaces for dashes"),
    pytest.param(Line(144_000, ("F20260412",)), {A}, id="no dash"),
    pytest.param(Line(194_000, ("F-2026-0412 F-2026-0413",)), {A, B}, id="all of two numbers"),
    pytest.param(Line(144_000, ("F-2026-0412",), payer="QUELQU UN"), {A}, id="paid by somebody else"),
    pytest.param(Line(144_000, ("F-2026-0412",), payer_key=SHARED), {A}, id="from an account of several clients"),
    pytest.param(Line(50_000, ("HONORAIRES",), payer_key=KEY), {B}, id="a known account, the only sum"),
    pytest.param(Line(238_000, ("HONORAIRES",), payer_key=KEY), {A, D}, id="a known account, the only sum of two"),
]


@pytest.mark.parametrize(("line", "expected"), CERTAIN)
def test_is_certain(line: Line, expected: set[Owed]) -> None:
    found = best(line)

    assert found is not None
    assert (found.score, found.outcome) == (100, Outcome.RECORD)
    assert ids(found) == {one.invoice_id for one in expected}


DOUBTFUL = [
    pytest.param(Line(143_900, ("F-2026-0412",)), 80, {A}, "Il manque 1,00\u00a0€", id="a euro is missing"),
    pytest.param(Line(142_000, ("F-2026-0412",), is_foreign=True), 85, {A}, "frais bancaires sur", id="fees abroad"),
    pytest.param(Line(140_999, ("F-2026-0412",), is_foreign=True), 78, {A}, "Paiement partiel", id="more than fees"),
    pytest.param(Line(100_000, ("F-2026-0412",)), 78, {A}, "Paiement partiel", id="a part"),
    pytest.param(Line(150_000, ("F-2026-0412",)), 75, {A}, "dépasse son reste dû de 60,00", id="too much"),
    pytest.param(Line(144_000, ("F-2026-412",)), 85, {A}, "ressemble au numéro", id="a zero is missing"),
    pytest.param(Line(144_000, ("2026-0412",)), 85, {A}, "ressemble au numéro", id="the letter is missing"),
    pytest.param(Line(144_000, ("F-2026-0412 F-2025-0900",)), 92, {A}, "cite aussi", id="a closed invoice beside"),
    pytest.param(Line(288_000, ("F-2026-0412 F-2026-0414",)), 90, {A, C}, "2 clients", id="two clients, their total"),
    pytest.param(Line(144_000, ("VIREMENT",), payer="MENUISERIE LECLERC"), 65, {A}, "2 façons", id="a name, two sums"),
    pytest.param(Line(50_000, ("VIREMENT",), payer="M LECLERC MENUISERIE"), 80, {B}, "Le nom du payeur", id="a name"),
    pytest.param(Line(144_000, ("VIREMENT",), payer_key=KEY), 65, {A}, "2 façons", id="a known account, two sums"),
    pytest.param(Line(50_000, ("VIREMENT",), payer_key=SHARED), 80, {B}, "plusieurs clients", id="a shared account"),
    pytest.param(Line(1_000, ("VIREMENT",), payer_key=KEY), 55, {A}, "la plus ancienne d’abord", id="on account"),
    pytest.param(Line(999_000, ("VIREMENT",), payer_key=KEY), 55, {A, B, D}, "711 000", id="more than everything"),
    pytest.param(Line(77_700, ("VIREMENT",)), 40, {E}, "Seule la facture F-2026-0416", id="an amount alone"),
    pytest.param(Line(144_000, ("VIREMENT",)), 30, {A}, "2 factures ont ce reste dû", id="the amount of two"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "score", "expected", "reason"), DOUBTFUL)
def test_suggests_with_reasons(line: Line, score: int, expected: set[Owed], reason: str) -> None:
    found = best(line)

    assert found is not None
    assert (found.score, ids(found)) == (score, {one.invoice_id for one in expected})
    assert reason.replace("711 000", "7\u00a0110,00") in " ".join(found.reasons)


NOTHING = [
    pytest.param(Line(12_300, ("VIREMENT",)), id="nothing known"),
    pytest.param(Line(12_300, ("DOSSIER 12-2026-0412",)), id="inside another number"),
    pytest.param(Line(12_300, ("XF-2026-04125",)), id="the start of another number"),
    pytest.param(Line(12_300, ("F-2026-0412-3",)), id="followed by more digits"),
    pytest.param(Line(-144_000, ("F-2026-0412",)), id="money out"),
    pytest.param(Line(12_300, ("VIREMENT",), payer="ROUXEL"), id="a name that begins alike"),
]


@pytest.mark.parametrize("line", NOTHING)
def test_says_nothing_rather_than_anything(line: Line) -> None:
    assert guesses(line, ALL) == []


def test_trusts_no_short_number_without_a_word_before_it() -> None:
    small = book(invoice(1, LECLERC, 10_000, "412"), invoice(2, ROUX, 10_000, "2026"), invoice(3, ROUX, 5, "20261120"))

    assert ids(best(Line(10_000, ("FACTURE 412",)), of=small)) == {uuid.UUID(int=1001)}
    assert [best(Line(9_999, (text,)), of=small) for text in ("REF412", "412 RUE X", "LE 12/2026", "20261120")] == [
        None
    ] * 4


def test_is_never_certain_of_two_numbers_written_alike() -> None:
    twins = book(invoice(1, LECLERC, 144_000, "F-2026-1"), invoice(2, ROUX, 144_000, "F2026-1"))

    assert all(not guess.is_certain for guess in guesses(Line(144_000, ("F 2026 1",)), twins))


def known(cents: int = 144_000, client: uuid.UUID = LECLERC, *paid: uuid.UUID) -> Known:
    return Known(uuid.UUID(int=3000), client, cents, frozenset(paid))


def test_links_the_payment_a_person_recorded_for_the_invoice_named() -> None:
    found = best(Line(144_000, ("F-2025-0900",)), [known(144_000, LECLERC, CLOSED)])

    assert found is not None
    assert (found.outcome, found.score, found.payment_id) == (Outcome.LINK, 100, uuid.UUID(int=3000))


def test_never_counts_a_payment_twice_by_itself() -> None:
    line = Line(144_000, ("F-2026-0412",))

    found = guesses(line, ALL, [known(144_000, LECLERC, CLOSED)])

    assert [guess.is_certain for guess in found] == [False] * len(found)
    assert {guess.outcome for guess in found} >= {Outcome.LINK, Outcome.RECORD}
    assert "ne le comptez pas deux fois" in " ".join(found[1].reasons)


def test_does_not_link_when_an_open_invoice_of_that_amount_may_be_meant() -> None:
    found = best(Line(50_000, ("VIREMENT",), payer_key=KEY), [known(50_000, LECLERC, CLOSED)])

    assert found is not None
    assert not found.is_certain


def test_does_not_choose_between_two_payments_recorded_alike() -> None:
    twins = [known(144_000, LECLERC, CLOSED), Known(uuid.UUID(int=3001), LECLERC, 144_000, frozenset({CLOSED}))]

    assert all(not guess.is_certain for guess in guesses(Line(144_000, ("F-2025-0900",)), ALL, twins))


def test_suggests_to_take_back_a_payment_that_came_back() -> None:
    back = Line(-144_000, ("REJET F-2025-0900",), is_reversal=True)

    found = best(back, [known(144_000, LECLERC, CLOSED)])

    assert found is not None
    assert (found.outcome, found.score) == (Outcome.REVERSE, 90)
    assert guesses(Line(-144_000, ("REJET F-2025-0900",)), ALL, [known(144_000, LECLERC, CLOSED)]) == []


def test_says_that_the_invoice_named_is_not_due_any_more() -> None:
    assert remarks(Line(144_000, ("F-2025-0900",)), ALL) == [
        "La facture F-2025-0900 est citée, mais elle n’est plus due."
    ]


owed_lists = st.lists(st.tuples(st.sampled_from([LECLERC, ROUX]), st.integers(1, 8)), min_size=1, max_size=7)


@given(owed_lists, st.integers(1, 30), st.sampled_from([b"", KEY, SHARED]), st.booleans(), st.integers(0, 6))
def test_certainty_always_pays_exactly_one_client_what_it_owes(
    owed: list[tuple[uuid.UUID, int]], cents: int, key: bytes, is_named: bool, which: int
) -> None:
    rows = [invoice(number, client, amount) for number, (client, amount) in enumerate(owed)]
    text = rows[which % len(rows)].number if is_named else "VIREMENT"
    shelf = book(*rows)

    found = guesses(Line(cents, (text,), payer_key=key), shelf)

    sure = [guess for guess in found if guess.is_certain]
    assert len(sure) <= 1
    for guess in sure:
        [share] = guess.shares
        assert sum(shelf.owed[pk].cents for pk in share.invoice_ids) == share.cents == cents
        assert {shelf.owed[pk].client_id for pk in share.invoice_ids} == {share.client_id}
        assert is_named or key == KEY
        if not is_named:
            mine = [one.cents for one in rows if one.client_id == LECLERC]
            assert share.client_id == LECLERC
            assert ways(mine, cents) == 1


def ways(amounts: list[int], target: int) -> int:
    """Count the sets of one to four amounts that make the target."""
    count = 0
    for mask in range(1, 1 << len(amounts)):
        picked = [amount for place, amount in enumerate(amounts) if mask >> place & 1]
        count += len(picked) <= 4 and sum(picked) == target
    return count
