"""Two versions compared read as sentences: words are never cut, what did not move is not marked."""

import pytest

from templates_lib.comparing import changes, pieces
from templates_lib.enums import Kind, Step
from templates_lib.library import text_for


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("La facture est échue.", "La facture est échue.", [("same", "La facture est échue.")]),
        (
            "est échue. Merci",
            "est due. Merci",
            [("same", "est "), ("gone", "échue."), ("new", "due."), ("same", " Merci")],
        ),
        ("a b c d", "a x y d", [("same", "a "), ("gone", "b c"), ("new", "x y"), ("same", " d")]),
        ("x [Nom] y", "x [Prénom] y", [("same", "x "), ("gone", "[Nom]"), ("new", "[Prénom]"), ("same", " y")]),
        ("a\n\nb", "a b", [("same", "a"), ("gone", "\n\n"), ("new", " "), ("same", "b")]),
        ("", "n", [("new", "n")]),
    ],
)
def test_cuts_at_words(before: str, after: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.how, one.text) for one in pieces(before, after)] == expected


def test_nothing_is_lost_on_either_side() -> None:
    before = text_for(step=Step.J30, kind=Kind.CONSUMER).one.body
    after = text_for(step=Step.J30, kind=Kind.PROFESSIONAL).one.body

    cut = list(pieces(before, after))

    assert "".join(one.text for one in cut if one.how != "new") == before
    assert "".join(one.text for one in cut if one.how != "gone") == after


def test_every_form_of_both_versions_is_told() -> None:
    before = text_for(step=Step.J30, kind=Kind.CONSUMER)
    after = text_for(step=Step.J30, kind=Kind.PROFESSIONAL)

    told = changes(before, after)

    assert {one.form for one in told} == {*before.forms, *after.forms}
    assert all(one.is_same for one in changes(before, before))
