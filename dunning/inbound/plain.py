"""Plain text from what people write: HTML without its code, and the new words apart from what they quote."""

import re
from html.parser import HTMLParser

LONGEST_TEXT = 100_000

_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg", "iframe"})
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "hr", "blockquote"})
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
# Unseen characters that hide words from a search, and those that turn a line around.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

# « Le 12 nov. 2026 à 09:30, X a écrit : », « On …, X wrote: », on one line or cut in two.
_ATTRIBUTION = re.compile(
    r"(?im)^[ \t]*(?:le\b[^\n]{3,200}(?:\n[^\n]{0,200})??\ba\s+écrit[ \u00a0]?:"
    r"|on\b[^\n]{3,200}(?:\n[^\n]{0,200})??\s+wrote:)[ \t]*$"
)
_SEPARATOR = re.compile(
    r"(?im)^[ \t]*(?:-{2,}[ ]?(?:message d[’']origine|message initial|original message|message transféré)[ ]?-{2,}"
    r"|_{20,})[ \t]*$"
)
# The block of headers that some programs put above what they quote.
_HEADERS = re.compile(
    r"(?im)^[ \t]*\*?(?:de|from)[ \u00a0]?:\*?[^\n]*\n(?:[^\n]*\n){0,4}?[ \t]*\*?"
    r"(?:envoyé|date|sent|à|to|objet|subject)(?: le)?[ \u00a0]?:\*?[^\n]*$"
)
# A tag, its attributes in quotes; one whose quotes are left open ends at its first « > ». Neither ever crosses a « < »,
# so that a page of them is read once: what opens a tag and closes none is a character.
_TAG = re.compile(
    r"<(?P<name>/?[a-zA-Z][^\s/<>\"']*+)(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+>"
    r"|<(?P<sloppy>/?[a-zA-Z][^\s/<>]*+)[^<>]*+>"
    r"|<(?P<declared>[!?])[^<>]*+>"
    r"|<"
)


class _Reader(HTMLParser):
    """Collects the words of an HTML message; what it quotes bears « > » as in plain text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0
        self.quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Break the line where the reader's program would; fall silent in code."""
        if tag in _SILENT:
            self.silent += 1
        if tag == "blockquote":
            self.quoted += 1
        if tag in _BREAKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        """Break the line, and speak again after code."""
        if tag in _SILENT:
            self.silent = max(self.silent - 1, 0)
        if tag == "blockquote":
            self.quoted = max(self.quoted - 1, 0)
        if tag in _BREAKS and tag != "br":
            self._break()

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        if not self.silent:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _break(self) -> None:
        self.parts.append("\n" + "> " * min(self.quoted, 1))


def from_html(html: str) -> str:
    """Return the words of an HTML message; nothing in it is run, fetched or followed."""
    reader = _Reader()
    reader.feed(_bare(html[: 5 * LONGEST_TEXT]))
    reader.close()
    lines = [_SPACES.sub(" ", line).strip() for line in "".join(reader.parts).split("\n")]
    # Nested boxes break a line many times: what is only a mark of quotation says nothing.
    return tidy("\n".join("" if line == ">" else line for line in lines))


def _bare(html: str) -> str:
    """Return a page without its comments, each tag reduced to its name: the parser asks nothing else of it.

    What it is given is what it would read over and over: a comment, a tag or a quote that is never closed.
    """
    pieces, at = [], 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        pieces.append(html[at:start])
        at = end + 3
    return _TAG.sub(_named, "".join([*pieces, html[at:]]))


def _named(tag: re.Match[str]) -> str:
    name = tag["name"] or tag["sloppy"]
    if name:
        return f"<{name}{'/' if tag[0].endswith('/>') else ''}>"
    return "" if tag["declared"] else "&lt;"


def tidy(text: str) -> str:
    """Return a text with its line ends alike, without unseen characters, and no longer than is read."""
    alike = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = (line.rstrip() for line in _UNSEEN.sub("", alike).split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()[:LONGEST_TEXT]


def without_quote(text: str) -> str:
    """Return the new words of a reply; the whole text where they cannot be told apart from what is quoted."""
    found = [mark.start() for mark in (sign.search(text) for sign in (_SEPARATOR, _HEADERS)) if mark]
    if (mark := _ATTRIBUTION.search(text)) and _is_all_quoted(text[mark.end() :]):
        found.append(mark.start())
    new = text[: min(found)] if found else text
    lines = new.rstrip().split("\n")
    while lines and (not lines[-1].strip() or lines[-1].startswith(">")):
        lines.pop()
    kept = "\n".join(lines).strip()
    return kept or text


def _is_all_quoted(text: str) -> bool:
    """Say whether nothing new follows: an answer written between the lines is kept with them."""
    lines = [line for line in text.split("\n") if line.strip()]
    if any(line.startswith(">") for line in lines):
        return all(line.startswith(">") for line in lines)
    return True
