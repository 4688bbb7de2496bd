"""What a person types reaches a PDF as words: nothing is fetched, nothing is read on the disk, nothing is run.

The pages are those the addresses answer with.
"""

import base64
import io
import socket
from collections.abc import Callable
from typing import Any

import pytest
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, Membership
from reporting.reports import REPORTS
from templates_lib.errors import BrokenTextError
from templates_lib.pdf import ForeignResourceError, _fetcher, render_document, render_pdf
from templates_lib.rendering import render_html
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import populate
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_member
from tests.security.test_fuzz import write_address

Browse = Callable[[Membership | None], FirmBrowser]
EVIL = (
    '<img src="http://evil.example/a.png"><img src="file:///etc/passwd"><link rel="attachment" href="file:///etc/passwd">'
    '<style>@import url(http://evil.example/x.css);</style>{{ firm }}{% include "/etc/passwd" %}{{ 7|add:7 }}'
)
# Every address that makes a PDF; letters, receipts and exhibits come from the same hand.
MADE = {
    "before_after_pdf", "client_chronology", "gdpr_agreement_pdf", "gdpr_register_operator", "gdpr_register_pdf",
    "plan_document", "statement_pdf", "stop_rules_pdf", *(f"report_{slug}_pdf" for slug in REPORTS),
}  # fmt: skip


class ForbiddenFetchError(AssertionError):
    """A page made the server call somewhere."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the pages ask the fetcher for, whatever it answers."""
    seen: list[str] = []
    real = type(_fetcher()).fetch

    def fetch(self: Any, url: str, headers: Any = None) -> Any:
        if not url.startswith("data:") and "/fonts/" not in url:
            seen.append(url)
        return real(self, url, headers)

    monkeypatch.setattr(type(_fetcher()), "fetch", fetch)
    return seen


@pytest.mark.parametrize(
    "held",
    [
        '<img src="http://127.0.0.1:1/a.png">',
        '<img src="https://evil.example/a.png">',
        '<img src="//evil.example/a.png">',
        '<img src="file:///etc/passwd">',
        '<img src="file:///srv/../etc/passwd">',
        '<img src="ftp://evil.example/a">',
        '<link rel="stylesheet" href="http://evil.example/x.css">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<a rel="attachment" href="file:///etc/passwd">x</a>',
        '<object data="file:///etc/passwd"></object>',
        '<embed src="http://evil.example/a">',
        '<style>@import url("http://evil.example/x.css");</style>',
        '<p style="background: url(file:///etc/passwd)">x</p>',
        "<style>@font-face { font-family: x; src: url(file:///etc/passwd) } p { font-family: x }</style><p>x</p>",
        '<img src="data:image/svg+xml;base64,'
        + base64.b64encode(
            b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
            b'<image width="9" height="9" xlink:href="file:///etc/passwd"/></svg>'
        ).decode()
        + '">',
    ],
)
def test_a_page_that_calls_for_something_is_not_made(
    monkeypatch: pytest.MonkeyPatch, asked: list[str], held: str
) -> None:
    def connect(*_: Any) -> None:
        raise ForbiddenFetchError

    monkeypatch.setattr(socket.socket, "connect", connect)

    try:
        made = render_pdf(f"<html><body>{held}</body></html>", styles=("document.css",)).content
    except ForeignResourceError:
        made = b""

    assert b"root:" not in made
    assert not made or not PdfReader(io.BytesIO(made)).attachments


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://x/", "https://x/", "ftp://x/", "//x", "/etc/passwd", "x:y"]
)
def test_the_fetcher_answers_for_nothing_else(url: str) -> None:
    with pytest.raises(ForeignResourceError):
        _fetcher().fetch(url)


@pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
def test_every_pdf_holds_what_was_typed_as_words(
    cabinet: Cabinet, browse: Browse, settings: Any, tmp_path: Any, asked: list[str]
) -> None:
    settings.MEDIA_ROOT = tmp_path
    rows = populate()
    for row in Client.objects.all():
        row.company = row.address = row.note = EVIL
        row.save()
    Cabinet.objects.filter(pk=cabinet.pk).update(
        name=EVIL[:110],
        address=EVIL[:190],
        city=EVIL[:60],
        signature=EVIL[:100],
        bar=EVIL[:60],
        mediator_name=EVIL[:110],
    )
    browser = browse(make_member(role=Role.OWNER))
    made: dict[str, str] = {}

    for address, entry in PATTERNS:
        if address.startswith("p/<"):
            continue
        try:
            answer = browser.get(write_address(address, entry, {**rows, "token": "x", "place": "x", "key": "x"}))
        except KeyError:
            continue
        if answer.status_code == 200 and answer["Content-Type"] == "application/pdf":
            body = b"".join(answer) if answer.streaming else answer.content
            read = PdfReader(io.BytesIO(body))
            assert not read.attachments
            made[str(entry.name)] = " ".join("".join(page.extract_text() for page in read.pages).split())

    assert asked == []
    assert {name for name, text in made.items() if "root:" in text} == set()
    assert set(made) == MADE
    assert {name for name, text in made.items() if "<img" not in text} == set()


@pytest.mark.parametrize("typed", ["{{ firm }}", "{% include '/etc/passwd' %}", "{{ 7|add:7 }}", "{% load static %}"])
def test_a_text_a_firm_types_is_never_a_template(typed: str) -> None:
    with pytest.raises(BrokenTextError, match="n’a pas de sens ici"):
        render_html(typed, {})


def test_a_tag_a_firm_types_is_words() -> None:
    assert render_html('<img src="file:///etc/passwd">', {}) == "&lt;img src=&quot;file:///etc/passwd&quot;&gt;"


def test_a_value_of_a_layout_is_never_a_template() -> None:
    made = render_document(
        "exhibit.html", {"number": 1, "label": EVIL, "about": ("{{ number|add:41 }}",), "text": EVIL}
    )

    said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made.content)).pages)
    assert ("{{ number|add:41 }}" in said, "root:" in said, "42" in said) == (True, False, False)
