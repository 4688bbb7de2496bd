"""Maileva's codes of the way of a letter, read as our states."""

from collections.abc import Iterable
from typing import Any

from dunning.channels.letters import LetterStatus, Passage, follow, paris_day
from dunning.enums import LetterState

STATES: dict[str, LetterState] = {
    **dict.fromkeys(("A01", "A06"), LetterState.DEPOSITED),
    # A notice was left, or somebody rang: it was presented.
    **dict.fromkeys(("A02", "A05", "P01", "P02"), LetterState.PRESENTED),
    **dict.fromkeys(("D01", "N01"), LetterState.DELIVERED),
    **dict.fromkeys(("A16", "A18", "P04", "P05", "P06", "N05", "N08"), LetterState.REFUSED),
    **dict.fromkeys(("A14", "A17", "P03", "N03"), LetterState.UNCLAIMED),
    **dict.fromkeys(
        ("A13", "A19", "A21", "A22", "A23", "A24", "A25", "A26", "N02", "N04", "N06", "N07", "N09", "N10"),
        LetterState.RETURNED,
    ),
}
# On its way: nothing changes for us.
ON_THE_WAY = frozenset({"A03", "A04", "A07", "A08", "A09", "A10", "A11", "A12", "A15", "A20", "A27"})


def read(rows: Iterable[Any]) -> LetterStatus:
    """Read the passages Maileva tells; a code it did not publish changes nothing."""
    passages = []
    for row in rows:
        if not isinstance(row, dict) or (on := paris_day(row.get("date"))) is None:
            continue
        if state := STATES.get(str(row.get("status", ""))):
            passages.append(Passage(on=on, state=state, words=str(row.get("label", ""))[:200]))
    return follow(passages)
