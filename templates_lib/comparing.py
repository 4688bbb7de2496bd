"""Two versions of a text side by side, word by word, as a lawyer compares two drafts."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from templates_lib.library import TextVersion

_WORDS = re.compile(r"\[[^\[\]\n]*\]|\n+|[^\S\n]+|[^\s\[]+|\[")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stayed, left or came."""

    how: str
    """« same », « gone » or « new »."""
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One form of a text, with its pieces in reading order."""

    form: str
    part: str
    pieces: tuple[Piece, ...]

    @property
    def is_same(self) -> bool:
        """Nothing changed here."""
        return all(piece.how == "same" for piece in self.pieces)


def changes(before: TextVersion, after: TextVersion) -> list[Change]:
    """Return what changed from one version to the other, form by form, subject then body."""
    names = dict.fromkeys([*before.forms, *after.forms])
    found = []
    for name in names:
        old, new = before.forms.get(name), after.forms.get(name)
        for part in ("subject", "body"):
            was, now = getattr(old, part, ""), getattr(new, part, "")
            if was or now:
                found.append(Change(form=name, part=part, pieces=tuple(pieces(was, now))))
    return found


def pieces(before: str, after: str) -> Iterator[Piece]:
    """Cut two texts into what they share and what they do not; fields and words are never cut in two."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    gone, come = "", ""
    for how, i, j, k, m in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        same = "".join(old[i:j])
        if how != "equal":
            gone, come = gone + same, come + "".join(new[k:m])
        elif (gone or come) and not same.strip() and "\n" not in same and j < len(old):
            # One space between two changes joins them: a sentence reads as a sentence.
            gone, come = gone + same, come + same
        else:
            yield from _changed(gone, come)
            yield Piece("same", same)
            gone, come = "", ""
    yield from _changed(gone, come)


def _changed(gone: str, come: str) -> Iterator[Piece]:
    # A space that both sides end with was never changed.
    tail = " " if gone.endswith(" ") and come.endswith(" ") else ""
    gone, come = gone.removesuffix(tail), come.removesuffix(tail)
    if gone:
        yield Piece("gone", gone)
    if come:
        yield Piece("new", come)
    if tail:
        yield Piece("same", tail)
