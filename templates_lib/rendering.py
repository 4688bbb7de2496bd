"""Fill the merge fields of a text: a whitelist, one pass, and never a template engine on a firm's words."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

from templates_lib.errors import (
    BrokenTextError,
    MissingValueError,
    RefusedFieldError,
    UnknownPlaceholderError,
)
from templates_lib.fields import PLACEHOLDER, Field, closest, find

NBSP = "\u00a0"
_FOREIGN_MARKS = ("{{", "}}", "{%", "%}", "{#", "#}")
_BEFORE_SIGN = re.compile(r"[ \u202f](?=[:;?!%€»])")
_AFTER_QUOTE = re.compile(r"«[ \u202f]")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w|\[)")
# Bidirectional overrides turn "livre" into another word on the debtor's screen.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def amount_words(cents: int, language: str = "fr") -> str:
    """Write an amount without its currency: « 1 440,00 », « 1,440.00 »."""
    euros, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    if language == "en":
        return f"{sign}{euros:,}.{rest:02d}"
    return f"{sign}{euros:,}".replace(",", NBSP) + f",{rest:02d}"


def day_words(day: dt.date, language: str = "fr") -> str:
    """Write a day as a letter does: « 1er mars 2026 », « 1 March 2026 », never cut between day and month."""
    if language == "en":
        return f"{day.day}{NBSP}{_MONTHS_EN[day.month - 1]} {day.year}"
    return f"{_ordinal(day)}{NBSP}{_MONTHS[day.month - 1]} {day.year}"


def period_words(first: dt.date, last: dt.date, language: str = "fr") -> str:
    """Write a span of days, as what follows « du »: « 3 au 14 novembre 2026 », or one day alone."""
    if first == last:
        return day_words(last, language)
    if language == "en":
        return f"{day_words(first, language)} to {day_words(last, language)}"
    start = _ordinal(first)
    if first.month != last.month or first.year != last.year:
        start += f"{NBSP}{_MONTHS[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} au {day_words(last)}"


def typeset(text: str) -> str:
    """Give a French text its no-break spaces and real apostrophes; an SMS must not pass here."""
    text = _AFTER_QUOTE.sub(f"«{NBSP}", _BEFORE_SIGN.sub(NBSP, text))
    return _APOSTROPHE.sub("’", text.replace("\u202f", NBSP))


def blocks(text: str) -> tuple[str, ...]:
    """Cut a text into its paragraphs, at the blank lines."""
    paragraphs = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    return tuple(stripped for paragraph in paragraphs if (stripped := paragraph.strip()))


def fields_of(text: str) -> tuple[Field, ...]:
    """Return the fields a text calls, in order; raise on a name nobody bears or that may not leave."""
    _refuse_broken(text)
    return tuple(_known(match[1]) for match in PLACEHOLDER.finditer(text))


def render(text: str, values: Mapping[str, str]) -> str:
    """Fill every field of a text once; a value is never read as text, a hole is never left."""
    _refuse_broken(text)
    return PLACEHOLDER.sub(lambda match: value_of(_known(match[1]), values), text)


def render_html(text: str, values: Mapping[str, str], *, link_labels: Mapping[str, str] | None = None) -> str:
    """Fill a paragraph for HTML: words and values escaped, links made anchors that show where they lead."""
    _refuse_broken(text)
    labels = link_labels or {}

    def fill(match: re.Match[str]) -> str:
        field = _known(match[1])
        value = value_of(field, values)
        if field.link:
            return anchor(value, labels.get(field.name) or domain_of(value))
        return escape(value).replace("\n", "<br>")

    pieces: list[str] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        pieces += [escape(text[end : match.start()]).replace("\n", "<br>"), fill(match)]
        end = match.end()
    pieces.append(escape(text[end:]).replace("\n", "<br>"))
    return "".join(pieces)


def value_of(field: Field, values: Mapping[str, str]) -> str:
    """Return the value of a field, without what does not show; raise when it has none."""
    value = _visible(values.get(field.name, ""))
    if not value:
        raise MissingValueError(f"{field.bracketed} n’a pas de valeur ici\u00a0: {field.label}.")
    return value


def anchor(url: str, label: str) -> str:
    """Write a link whose address is a web address and nothing else."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise BrokenTextError(f"«\u00a0{url}\u00a0» n’est pas une adresse de page.")
    return f'<a href="{escape(url)}">{escape(label)}</a>'


def domain_of(url: str) -> str:
    """Return what a careful reader checks in a link: its domain."""
    return urlsplit(url).netloc


def _ordinal(day: dt.date) -> str:
    return "1er" if day.day == 1 else str(day.day)


def _known(name: str) -> Field:
    field = find(name)
    if field is None:
        near = closest(name)
        hint = f" Vouliez-vous écrire {near.bracketed}\u00a0?" if near else ""
        raise UnknownPlaceholderError(f"[{name}] n’est pas un champ connu.{hint}")
    if field.refused:
        raise RefusedFieldError(f"[{name}]\u00a0: {field.refused}")
    return field


def _refuse_broken(text: str) -> None:
    for mark in _FOREIGN_MARKS:
        if mark in text:
            raise BrokenTextError(f"«\u00a0{mark}\u00a0» n’a pas de sens ici\u00a0: un champ s’écrit entre crochets.")
    rest = PLACEHOLDER.sub("", text)
    if "[" in rest or "]" in rest:
        raise BrokenTextError("Un crochet est ouvert ou fermé sans son pendant.")


def _visible(value: str) -> str:
    clean = INVISIBLE.sub("", unicodedata.normalize("NFC", value)).replace("\r\n", "\n")
    return _CONTROL.sub(" ", clean).strip()
