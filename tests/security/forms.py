"""The forms of a page, as a browser would find them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

TEXT_KINDS = {"text", "search", "hidden", "textarea", "password", "tel", "email", "url"}


@dataclass(slots=True)
class Field:
    """One field: its kind is an input's type, "textarea" or "select"."""

    name: str
    kind: str
    value: str = ""
    choices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """One form of a page: where it goes, how, and with what."""

    page: str
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    @property
    def shape(self) -> tuple[str, str, tuple[str, ...]]:
        """Tell two forms apart by what they send, and where."""
        return self.method, self.action.split("?")[0], tuple(sorted({one.name for one in self.fields}))


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.forms: dict[str, Form] = {}
        self.links: list[str] = []
        self.open: Form | None = None
        self.select: Field | None = None
        self.area: Field | None = None
        self.by_id: list[tuple[str, Field]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "a" and found.get("href"):
            self.links.append(urljoin(self.page, found["href"]))
        if tag == "form":
            self._begin(found)
        for method in ("post", "get"):
            if f"hx-{method}" in found and tag != "form":
                action = urljoin(self.page, found[f"hx-{method}"])
                self.forms.setdefault(f"hx {method} {action}", Form(self.page, action, method))
        if tag == "option" and self.select is not None:
            self.select.choices.append(found.get("value", ""))
            if "selected" in found:
                self.select.value = found.get("value", "")
        if tag in {"input", "select", "textarea", "button"} and found.get("name"):
            self._add(tag, found)

    def _begin(self, found: dict[str, str]) -> None:
        form = Form(self.page, urljoin(self.page, found.get("action", "")), found.get("method", "get").lower())
        self.open = form
        self.forms[found.get("id") or f"form {len(self.forms)}"] = form

    def _add(self, tag: str, found: dict[str, str]) -> None:
        kind = found.get("type", "text").lower() if tag == "input" else tag
        one = Field(found["name"], kind, found.get("value", ""))
        if tag == "select":
            self.select = one
        if tag == "textarea":
            self.area = one
        if place := found.get("form"):
            self.by_id.append((place, one))
        elif self.open is not None:
            self.open.fields.append(one)

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area.value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        if tag == "select":
            self.select = None
        if tag == "textarea":
            self.area = None

    def all_forms(self) -> Iterator[Form]:
        for place, one in self.by_id:
            if place in self.forms:
                self.forms[place].fields.append(one)
        yield from self.forms.values()


def read_page(html: str, *, page: str) -> tuple[list[Form], list[str]]:
    """Return the forms of a page, with what its buttons send by htmx, and where its links lead inside the product."""
    reader = _Reader(page)
    reader.feed(html)
    return list(reader.all_forms()), [link for link in reader.links if link.startswith("/")]
