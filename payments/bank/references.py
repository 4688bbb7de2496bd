"""Invoice numbers in the words of a transfer: found as people write them, never inside another number."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

# Alone, digits this few are a year, an amount or a day more often than an invoice.
_TELLING_DIGITS = 5
_LONGEST = 8
_TOKEN = re.compile(r"[A-Z0-9]+")
_GROUPS = re.compile(r"[A-Z]+|[0-9]+")
_DAY = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]|[0-3][0-9](?:0[1-9]|1[0-2])(?:19|20)?[0-9]{2}")
_SAID_BEFORE = frozenset({
    "FACTURE", "FACTURES", "FACT", "FACTS", "FAC", "FA", "FTE", "F", "N", "NO", "NUM", "NUMERO", "NR", "REF",
    "REFERENCE", "INVOICE", "INV", "NOTE", "HONORAIRES", "HONO", "NH", "PROVISION",
})  # fmt: skip


class Found(NamedTuple):
    """A number read in the words: whose invoice it is, and whether it is written in full."""

    invoice_id: UUID
    is_exact: bool


@dataclass(slots=True)
class NumberIndex:
    """The invoice numbers of a firm, by what two spellings of one number share."""

    exact: dict[str, set[UUID]] = field(default_factory=dict)
    written: set[tuple[str, ...]] = field(default_factory=set)
    loose: dict[tuple[str, ...], set[UUID]] = field(default_factory=dict)

    @classmethod
    def of(cls, numbers: Mapping[UUID, str]) -> "NumberIndex":
        """Index these invoices by their numbers."""
        index = cls()
        for invoice_id, number in numbers.items():
            words = tuple(_TOKEN.findall(flat(number)))
            if compact := "".join(words):
                index.exact.setdefault(compact, set()).add(invoice_id)
                index.written |= {words, words[1:] if words[0].isalpha() else words}
                for shape in {_shape(flat(number)), _without_letters(_shape(flat(number)))} - {()}:
                    index.loose.setdefault(shape, set()).add(invoice_id)
        return index

    def find(self, texts: Iterable[str]) -> tuple[list[Found], bool]:
        """Return the invoices these texts name, and whether one number stood for several of them."""
        found: dict[UUID, bool] = {}
        is_ambiguous = False
        for text in texts:
            tokens, links = _tokens(flat(text))
            for ids, is_exact in self._spans(tokens, links):
                is_ambiguous |= len(ids) > 1
                for invoice_id in ids:
                    found[invoice_id] = found.get(invoice_id, False) or is_exact
        return [Found(invoice_id, is_exact) for invoice_id, is_exact in found.items()], is_ambiguous

    def _spans(self, tokens: list[str], links: list[str]) -> Iterable[tuple[set[UUID], bool]]:
        """Walk the words, the longest number first; what was read once is not read again."""
        start = 0
        while start < len(tokens):
            for end in range(min(len(tokens), start + _LONGEST), start, -1):
                if (seen := self._number(tokens, links, start, end)) is not None:
                    yield seen
                    start = end
                    break
            else:
                start += 1

    def _number(self, tokens: list[str], links: list[str], start: int, end: int) -> tuple[set[UUID], bool] | None:
        words = tokens[start:end]
        if not any(mark.isdigit() for mark in "".join(words)) or _is_inside_another(tokens, links, start, end):
            return None
        compact = "".join(words)
        is_as_ours = len(words) > 1 and tuple(words) in self.written
        is_glued = all(link.strip() for link in links[start + 1 : end])
        if compact.isdigit() and not is_glued:
            return None
        if not is_as_ours and not _is_telling(compact, before=tokens[start - 1] if start else ""):
            return None
        if compact in self.exact:
            return self.exact[compact], True
        shape = _shape(" ".join(words))
        return (self.loose[shape], False) if shape in self.loose else None


def flat(text: str) -> str:
    """Write a text in plain capitals."""
    spread = unicodedata.normalize("NFKD", text.replace("°", " "))
    return "".join(mark for mark in spread if not unicodedata.combining(mark)).upper()


def _tokens(text: str) -> tuple[list[str], list[str]]:
    """Cut a text into its runs of letters and digits, each with what stands before it."""
    tokens, links, last = [], [], 0
    for match in _TOKEN.finditer(text):
        tokens.append(match.group())
        links.append(text[last : match.start()])
        last = match.end()
    return tokens, links


def _is_inside_another(tokens: list[str], links: list[str], start: int, end: int) -> bool:
    """Tell whether a dash, a dot or a slash ties more digits to this number: it is then another one."""
    before = start > 0 and _ties(links[start]) and any(mark.isdigit() for mark in tokens[start - 1])
    after = end < len(tokens) and _ties(links[end]) and any(mark.isdigit() for mark in tokens[end])
    return before or after


def _ties(link: str) -> bool:
    return link in {"-", "/", ".", "_"}


def _is_telling(compact: str, *, before: str) -> bool:
    if not compact.isdigit():
        return True
    return before in _SAID_BEFORE or (len(compact) >= _TELLING_DIGITS and not _DAY.fullmatch(compact))


def _shape(text: str) -> tuple[str, ...]:
    """Return the groups of letters and digits of a number, without the zeros that only fill."""
    return tuple(group.lstrip("0") or "0" if group.isdigit() else group for group in _GROUPS.findall(text))


def _without_letters(shape: tuple[str, ...]) -> tuple[str, ...]:
    """Drop the letters people leave out; what is left must still tell."""
    figures = shape[1:] if shape and shape[0].isalpha() else ()
    return figures if len("".join(figures)) >= _TELLING_DIGITS else ()
